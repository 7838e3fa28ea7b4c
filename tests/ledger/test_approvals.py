"""Approvals through a real ledger: one commit, one receipt, and two who decide at the same time, on both databases."""

from typing import Any

import pytest
from shop import NOW_US, Meanwhile, invoice, opened, payment, refund, submit

from domain.commands import (
    ChangeAuthorities,
    ChangePostingTemplate,
    GiveApproval,
    Limit,
    RecordRefund,
    RefuseApproval,
    RequestApproval,
)
from domain.events import ApprovalGiven, Event, RefundPaid
from ledger.database import Location, connect
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Status, Submission
from projections.log import logged

P1 = "payment::1:1"


def of_book(kind: type[Any], source_id: str, **fields: Any) -> Any:
    return kind(**({"source": "desk", "source_id": source_id, "book": "main"} | fields))


def authorities(source_id: str = "authorities", *, supervisor: int = 500, **fields: Any) -> ChangeAuthorities:
    """Everybody refunds up to 100 alone; li and wang approve up to an amount; zhao approves other authorities."""
    limits = [
        Limit(command="RecordRefund", alone=100),
        Limit(command="RecordRefund", role="supervisor", approves=supervisor),
        Limit(command="ChangeAuthorities", role="controller", alone=0, approves=0),
        Limit(command="ChangePostingTemplate", role="controller", approves=0),
    ]
    roles = {"li": ["supervisor"], "wang": ["supervisor"], "zhao": ["controller"]}
    command: ChangeAuthorities = of_book(ChangeAuthorities, source_id, roles=roles, limits=limits, actor="zhao")
    return command.model_copy(update=fields)


def wanted(number: str = "1", amount: int = 300, **fields: Any) -> RecordRefund:
    return refund(number, amount, actor="zhang", **fields)


def request(number: str, instruction: Any) -> RequestApproval:
    command: RequestApproval = of_book(
        RequestApproval, f"request-{number}", actor="zhang", request=number, instruction=instruction
    )
    return command


def approve(number: str, actor: str = "li", **fields: Any) -> GiveApproval:
    command: GiveApproval = of_book(GiveApproval, f"approve-{number}-{actor}", actor=actor, request=number, **fields)
    return command


def disapprove(number: str, actor: str = "wang") -> RefuseApproval:
    command: RefuseApproval = of_book(
        RefuseApproval, f"refuse-{number}-{actor}", actor=actor, request=number, reason="not agreed"
    )
    return command


def log(ledger: Ledger) -> list[tuple[str, Event]]:
    reader = connect(ledger.location, read_only=True)
    found = [(one.stream, one.event) for one in logged(reader, 0, ledger.head().position)]
    reader.close()
    return found


def refunds(ledger: Ledger) -> list[RefundPaid]:
    return [event for _, event in log(ledger) if isinstance(event, RefundPaid)]


def answers(outcomes: list[Outcome]) -> list[str]:
    return [outcome.code or outcome.status.value for outcome in outcomes]


@pytest.fixture
def under_control(ledger: Ledger) -> Ledger:
    assert answers(submit(ledger, authorities(), payment("1", 1_000))) == ["booked"] * 2
    return ledger


def test_an_approval_and_what_it_books_are_one_commit(under_control: Ledger) -> None:
    ledger = under_control
    assert answers(submit(ledger, wanted())) == ["approval_must_be_given"]
    assert answers(submit(ledger, request("7", wanted()))) == ["booked"]
    [outcome] = submit(ledger, approve("7"))
    assert (outcome.status, outcome.document, outcome.events) == (Status.BOOKED, "refund::1:1", 2)
    assert outcome.position == ledger.head().position
    (stream, given), (account, paid) = log(ledger)[-2:]
    assert isinstance(given, ApprovalGiven)
    assert (stream, account) == ("appr:main:7", "acct:main:C1:CNY")
    assert (paid.actor, paid.source_id, paid.approval) == ("zhang", "refund-1", "7")
    assert given.actor == "li"


def test_what_was_approved_is_known_under_its_own_names(under_control: Ledger) -> None:
    ledger = under_control
    submit(ledger, request("7", wanted()), approve("7"))
    assert answers(submit(ledger, wanted())) == ["duplicate"]
    assert answers(submit(ledger, wanted(amount=301))) == ["same_source_id_must_have_same_content"]
    assert answers(submit(ledger, wanted(source_id="another"))) == ["duplicate"]
    assert answers(submit(ledger, approve("7"), request("7", wanted()))) == ["duplicate"] * 2
    assert len(refunds(ledger)) == 1


def test_a_request_and_its_approval_may_come_in_one_batch(under_control: Ledger) -> None:
    batch = [request("7", wanted()), approve("7"), approve("7", "wang"), wanted()]
    assert answers(submit(under_control, *batch)) == ["booked", "booked", "approval_must_be_pending", "duplicate"]


def test_of_two_requests_for_one_document_the_second_finds_it_in_the_books(under_control: Ledger) -> None:
    ledger = under_control
    assert answers(submit(ledger, request("7", wanted()), request("8", wanted()))) == ["booked"] * 2
    assert answers(submit(ledger, approve("7"))) == ["booked"]
    assert answers(submit(ledger, approve("8"))) == ["instruction_must_not_be_booked_yet"]
    assert answers(submit(ledger, request("9", wanted()))) == ["instruction_must_not_be_booked_yet"]
    assert answers(submit(ledger, request("9", wanted(source_id="other")))) == ["instruction_must_not_be_booked_yet"]
    assert answers(submit(ledger, request("9", wanted(amount=7, source_id="other")))) == [
        "same_number_must_have_same_content"
    ]
    assert [one.request for one in ledger.approvals()] == ["8"]
    assert answers(submit(ledger, disapprove("8", "zhang"))) == ["booked"]
    assert len(refunds(ledger)) == 1


def test_a_number_is_one_request(under_control: Ledger) -> None:
    ledger = under_control
    other = request("7", wanted("2")).model_copy(update={"source_id": "another"})
    assert answers(submit(ledger, request("7", wanted()), other)) == ["booked", "same_number_must_have_same_content"]
    [outcome] = submit(ledger, other)
    assert (outcome.status, outcome.field, outcome.value) == (Status.CONFLICT, "request", "7")


def test_an_approval_cannot_have_the_name_of_what_it_approves(under_control: Ledger) -> None:
    ledger = under_control
    submit(ledger, request("7", wanted()))
    same = approve("7").model_copy(update={"source": "test", "source_id": "refund-1"})
    assert answers(submit(ledger, same)) == ["same_source_id_must_have_same_content"]
    assert answers(submit(ledger, approve("7"))) == ["booked"]


def test_pending_requests_are_listed_and_found_after_a_restart(store: Location) -> None:
    with opened(store) as ledger:
        submit(ledger, authorities(), payment("1", 1_000))
        template = of_book(ChangePostingTemplate, "template", actor="zhang", roles={"fee": "6603.01"})
        submit(
            ledger, request("7", wanted(reason="goods came back")), request("8", template), request("9", wanted("2"))
        )
        submit(ledger, disapprove("9"))
    with Ledger.open(store) as ledger:
        first, second = ledger.approvals("main")
        assert (first.request, first.status, first.instruction, first.document) == (
            "7",
            "pending",
            "RecordRefund",
            "refund::1:1",
        )
        assert (first.amount, first.currency, first.maker, first.reason) == (300, "CNY", "zhang", "goods came back")
        assert (second.request, second.instruction, second.customer, second.amount) == (
            "8",
            "ChangePostingTemplate",
            None,
            0,
        )
        assert first.since_us > NOW_US
        assert ledger.approvals("other") == []
        assert answers(submit(ledger, approve("7"), approve("8"), approve("8", "zhao"))) == [
            "booked",
            "checker_must_have_authority",
            "booked",
        ]
        decided = [(one.request, one.status, one.decided_by, one.said) for one in ledger.approvals(every=True)]
        assert decided == [
            ("7", "approved", "li", None),
            ("8", "approved", "zhao", None),
            ("9", "refused", "wang", "not agreed"),
        ]
        book = ledger.book("main")
        assert book is not None
        assert book.template.roles["fee"] == "6603.01"


def test_what_stood_in_quarantine_is_released_by_its_approval(under_control: Ledger) -> None:
    ledger = under_control
    [outcome] = ledger.submit([Submission(wanted(), "feed:0:1", quarantine=True, lane="feed:C1")], now_us=NOW_US)
    assert outcome.code == "approval_must_be_given"
    submit(ledger, request("7", wanted()))
    assert [entry.code for entry in ledger.quarantined()] == ["approval_must_be_given"]
    [outcome] = ledger.submit([Submission(approve("7"), "cli")], now_us=NOW_US)
    assert list(ledger.quarantined()) == []
    [entry] = ledger.quarantined(status="booked")
    assert entry.position == outcome.position


def test_the_origin_of_what_is_approved_is_that_of_its_request(under_control: Ledger) -> None:
    ledger = under_control
    ledger.submit([Submission(request("7", wanted()), "file:00ff:3")], now_us=NOW_US)
    ledger.submit([Submission(approve("7"), "cli")], now_us=NOW_US)
    reader = connect(ledger.location, read_only=True)
    rows = reader.execute(
        "SELECT source_id, origin FROM receipts WHERE origin IS NOT NULL ORDER BY source_id"
    ).fetchall()
    reader.close()
    assert [tuple(row) for row in rows] == [
        ("approve-7-li", "cli"),
        ("refund-1", "file:00ff:3"),
        ("request-7", "file:00ff:3"),
    ]


def test_what_waits_keeps_its_approval_over_a_restart(store: Location) -> None:
    with opened(store) as ledger:
        submit(ledger, authorities())
        submit(ledger, request("7", wanted(of="1")), request("8", wanted("2", 501, of="1")))
        [first, second] = submit(ledger, approve("7"), approve("8"))
        assert (first.status, first.awaited, first.document) == (Status.WAITING, P1, "refund::1:1")
        assert second.status is Status.WAITING
    with Ledger.open(store) as ledger:
        submit(ledger, payment("1", 1_000))
        [paid] = refunds(ledger)
        assert (paid.amount, paid.approval) == (300, "7")
        assert answers(submit(ledger, wanted(of="1"))) == ["duplicate"]


# --- two at the same time


def test_of_two_checkers_at_the_same_time_one_books(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    submit(first, authorities(), payment("1", 1_000), request("7", wanted()))
    theirs: list[Outcome] = []
    meanwhile(first, lambda: theirs.extend(submit(second, approve("7", "wang"))))
    assert answers(submit(first, approve("7"))) == ["approval_must_be_pending"]
    assert answers(theirs) == ["booked"]
    assert len(refunds(first)) == 1


def test_whoever_refuses_first_keeps_it_out_of_the_books(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    submit(first, authorities(), payment("1", 1_000), request("7", wanted()))
    meanwhile(first, lambda: submit(second, disapprove("7")))
    assert answers(submit(first, approve("7"))) == ["approval_must_be_pending"]
    assert refunds(first) == []


def test_two_requests_for_one_document_that_are_approved_at_the_same_time(
    pair: tuple[Ledger, Ledger], meanwhile: Meanwhile
) -> None:
    first, second = pair
    submit(first, authorities(), payment("1", 1_000), request("7", wanted()), request("8", wanted()))
    meanwhile(first, lambda: submit(second, approve("8", "wang")))
    assert answers(submit(first, approve("7"))) == ["instruction_must_not_be_booked_yet"]
    assert len(refunds(first)) == 1


def test_a_limit_that_is_lowered_while_a_checker_approves(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    submit(first, authorities(), payment("1", 1_000), request("7", wanted()))
    meanwhile(first, lambda: submit(second, authorities("lower", supervisor=299)))
    assert answers(submit(first, approve("7"))) == ["checker_must_have_authority"]
    assert refunds(first) == []


def test_authorities_that_are_set_while_somebody_books(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    submit(first, payment("1", 1_000))
    meanwhile(first, lambda: submit(second, authorities()))
    assert answers(submit(first, wanted())) == ["approval_must_be_given"]
    assert refunds(first) == []


def test_what_is_requested_or_approved_on_an_account_that_is_behind_is_decided_again(
    pair: tuple[Ledger, Ledger],
) -> None:
    first, second = pair
    submit(first, authorities(), invoice("1", 100))
    submit(second, payment("1", 500))
    # The first remembers an account without anything to refund.
    assert answers(submit(first, request("7", wanted(amount=300)))) == ["booked"]
    submit(second, refund("2", 350, nature="fact"))
    assert answers(submit(first, approve("7"))) == ["refund_must_not_exceed_refundable"]
    submit(second, payment("2", 300))
    assert answers(submit(first, approve("7"))) == ["booked"]
