"""Given an account at a version, when a command names one, then it is booked at that version only."""

import pytest
from shop import NOW_US, day, invoice, payment, submit

from domain.commands import ChangeBookPolicies, StateRates
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Submission


def at(ledger: Ledger, command: object, version: int | None) -> Outcome:
    [outcome] = ledger.submit([Submission(command, version=version)], now_us=NOW_US)  # type: ignore[arg-type]
    return outcome


def policies(n: int) -> ChangeBookPolicies:
    return ChangeBookPolicies(source="test", source_id=f"p{n}", book="main", tolerances={"CNY": n})


def test_an_outcome_says_the_version_after_it(ledger: Ledger) -> None:
    invoiced, paid = submit(ledger, invoice("1", 100), payment("P1", 40, remittance=[{"number": "1"}]))
    assert (invoiced.version, paid.version) == (1, 3)
    assert submit(ledger, invoice("2", 100, customer="C2"))[0].version == 1


def test_of_what_was_booked_before_no_version_is_said(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100))
    [again] = submit(ledger, invoice("1", 100))
    assert (again.status.value, again.version) == ("duplicate", None)


@pytest.mark.parametrize("version", [0, 2, 3])
def test_a_command_for_another_version_is_refused(ledger: Ledger, version: int) -> None:
    submit(ledger, invoice("1", 100))
    outcome = at(ledger, invoice("2", 100), version)
    assert (outcome.code, outcome.field, outcome.value) == ("version_must_be_the_current_one", "version", str(version))
    assert at(ledger, invoice("2", 100), 1).status == "booked"


def test_a_new_account_is_at_version_0(ledger: Ledger) -> None:
    assert at(ledger, invoice("1", 100), 0).version == 1


def test_the_same_again_is_a_duplicate_whatever_the_version_is_now(ledger: Ledger) -> None:
    assert at(ledger, invoice("1", 100), 0).status == "booked"
    assert at(ledger, invoice("1", 100), 0).status == "duplicate"


def test_within_a_batch_versions_go_on(ledger: Ledger) -> None:
    batch = [Submission(invoice(str(n), 100), version=0) for n in range(2)]
    assert [outcome.status.value for outcome in ledger.submit(batch)] == ["booked", "refused"]


def test_a_book_has_a_version_too(ledger: Ledger) -> None:
    opened_at = at(ledger, policies(1), None).version
    assert opened_at is not None
    assert at(ledger, policies(2), opened_at - 1).code == "version_must_be_the_current_one"
    assert at(ledger, policies(2), opened_at).version == opened_at + 1


def test_what_has_no_version_is_booked_at_none(ledger: Ledger) -> None:
    rates = StateRates(
        source="test",
        source_id="r",
        book="main",
        rate_source="bank",
        rates=[
            {"currency": "USD", "day": day("01-05"), "rate": "7.1"}  # type: ignore[list-item]
        ],
    )
    assert at(ledger, rates, 1).code == "version_must_be_the_current_one"


def test_a_version_that_another_writer_made_is_seen(ledger: Ledger, store: Location) -> None:
    submit(ledger, invoice("1", 100))
    with Ledger.open(store) as other:
        submit(other, invoice("2", 100))
        assert at(ledger, invoice("3", 100), 2).version == 3
        assert at(other, invoice("4", 100), 2).code == "version_must_be_the_current_one"
        assert at(other, invoice("4", 100), 3).version == 4


def test_all_or_nothing(ledger: Ledger) -> None:
    head = ledger.head()
    batch = [Submission(invoice("1", 100)), Submission(invoice("2", 100, currency="USD")), Submission(payment("P", 5))]
    outcomes = ledger.submit(batch, now_us=NOW_US, whole=True)
    assert [outcome.status.value for outcome in outcomes] == ["not_booked", "refused", "not_booked"]
    assert (outcomes[0].position, outcomes[1].code) == (None, "rate_must_be_given")
    assert ledger.head() == head
    assert [outcome.status.value for outcome in ledger.submit(batch[::2], now_us=NOW_US, whole=True)] == ["booked"] * 2


def test_all_or_nothing_answers_what_was_booked_before(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100))
    batch = [Submission(invoice("1", 100)), Submission(invoice("2", 100, currency="USD"))]
    first, _ = ledger.submit(batch, now_us=NOW_US, whole=True)
    assert (first.status.value, first.position) == ("duplicate", 3)


def test_a_rehearsal_answers_what_would_be_and_writes_nothing(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100))
    head = ledger.head()
    pay = Submission(payment("P1", 40, remittance=[{"number": "1"}]))
    for _ in range(2):
        [outcome], recorded = ledger.rehearse([pay], now_us=NOW_US)
        assert (outcome.status.value, outcome.position, outcome.events, outcome.version) == ("booked", None, 2, 3)
        assert [type(one.event).__name__ for one in recorded] == ["PaymentReceived", "Allocated"]
        assert [one.originator_version for one in recorded] == [2, 3]
    assert ledger.head() == head
    assert ledger.submit([pay], now_us=NOW_US)[0].version == 3


def test_a_rehearsal_says_what_would_be_refused_and_what_was_booked(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100))
    batch = [Submission(invoice("1", 100)), Submission(invoice("2", 100, currency="USD"))]
    (known, refused), recorded = ledger.rehearse(batch, now_us=NOW_US)
    assert (known.status.value, known.position, refused.code, recorded) == ("duplicate", 3, "rate_must_be_given", [])


def test_a_rehearsal_of_what_changes_the_book_leaves_it_as_it_is(ledger: Ledger) -> None:
    before = ledger.book("main")
    ledger.rehearse([Submission(policies(5))], now_us=NOW_US)
    assert ledger.book("main") == before
