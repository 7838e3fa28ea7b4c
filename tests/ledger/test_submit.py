"""Given what is in the books, when a batch is submitted, then an outcome each."""

from random import Random

import pytest
from eventsourcing.persistence import Tracking
from shop import NOW_US, account, allocation, credit_note, day, invoice, opened, payment, refund, reversal, submit
from structlog.testing import capture_logs

from domain.commands import (
    ChangePostingTemplate,
    DocumentRef,
    Line,
    OpenBook,
    PaidDocument,
    RecogniseRevenue,
    RecoverWriteOff,
    RejectDeferredFact,
    ReleaseAllocation,
    Resettle,
    WriteOff,
    WriteOffItem,
)
from domain.events import (
    AllocationReleased,
    DeferredFactApplied,
    Event,
    FactDeferred,
    InvoiceIssued,
    RevenueRecognised,
)
from ledger.codec import decode
from ledger.database import Location
from ledger.errors import StaleTracking
from ledger.ledger import Ledger
from ledger.outcomes import Acknowledged, Outcome, Status, Submission, Unreadable


def statuses(outcomes: list[Outcome]) -> list[str]:
    return [outcome.status.value for outcome in outcomes]


def log(ledger: Ledger) -> list[tuple[str, Event]]:
    rows = ledger.recorder.select_notifications(start=None, limit=10_000)
    return [(str(row.originator_id), decode(row.topic, row.state)) for row in rows]


def topics(ledger: Ledger, after: int = 0) -> list[str]:
    rows = ledger.recorder.select_notifications(start=after, limit=10_000, inclusive_of_start=False)
    return [row.topic for row in rows]


def open_amounts(ledger: Ledger, customer: str = "C1", currency: str = "CNY") -> dict[str, int]:
    return {item.item: item.open for item in ledger.account("main", customer, currency).items.values()}


# --- booked


def test_a_batch_is_booked_in_order_and_each_command_sees_the_earlier_ones(ledger: Ledger) -> None:
    outcomes = submit(ledger, invoice("1", 100), payment("1", 70), invoice("2", 50))
    assert statuses(outcomes) == ["booked"] * 3
    assert [(o.position, o.events) for o in outcomes] == [(3, 1), (5, 2), (6, 1)]
    assert topics(ledger, 2) == ["invoice-issued.v1", "payment-received.v1", "allocated.v1", "invoice-issued.v1"]
    assert open_amounts(ledger) == {"invoice::1:1#1": 30, "invoice::2:1#1": 50}


def test_positions_are_dense_and_the_clock_never_goes_back(ledger: Ledger) -> None:
    for n in range(5):
        ledger.submit([Submission(invoice(str(n), 10 + n))], now_us=NOW_US - n * 1_000_000)
    rows = ledger._connection.execute("SELECT position, recorded_us FROM events ORDER BY position").fetchall()
    assert [position for position, _ in rows] == list(range(1, len(rows) + 1))
    instants = [instant for _, instant in rows]
    assert instants == sorted(instants)
    assert len(set(instants)) == 6  # a commit each


def test_a_change_of_the_template_moves_the_generation_and_later_postings(ledger: Ledger) -> None:
    before = ledger.head().generation
    change = ChangePostingTemplate(source="test", source_id="t2", book="main", roles={"revenue": "6051"})
    assert statuses(submit(ledger, invoice("1", 100), change, invoice("2", 50))) == ["booked"] * 3
    assert ledger.head().generation == before + 1
    accounts = [p.account for _, event in log(ledger) for p in getattr(event, "postings", []) if p.role == "revenue"]
    assert accounts == ["6001", "6051"]
    assert [book.template.version for book in ledger.books()] == [2]


# --- duplicate and conflict


def test_the_same_command_again_is_a_duplicate_with_the_first_answer(ledger: Ledger) -> None:
    first = submit(ledger, payment("1", 70))[0]
    in_one_batch = submit(ledger, invoice("9", 5), invoice("9", 5))
    assert statuses(in_one_batch) == ["booked", "duplicate"]
    assert in_one_batch[1].position == in_one_batch[0].position
    again = submit(ledger, payment("1", 70), payment("1", 70))
    assert statuses(again) == ["duplicate", "duplicate"]
    assert {(o.position, o.events) for o in again} == {(first.position, first.events)}


def test_the_same_document_from_another_source_is_a_duplicate_and_its_name_is_kept(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100))
    by_kafka = invoice("1", 100, source="kafka", source_id="m1", reason="sent again", actor="billing")
    assert statuses(submit(ledger, by_kafka)) == ["duplicate"]
    changed = invoice("7", 7, source="kafka", source_id="m1")
    outcome = submit(ledger, changed)[0]
    assert (outcome.status, outcome.code) == (Status.CONFLICT, "same_source_id_must_have_same_content")
    assert topics(ledger, 3) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (invoice("1", 101), "same_source_id_must_have_same_content"),
        (invoice("1", 101, source_id="other"), "same_number_must_have_same_content"),
        (invoice("1", 100, customer="C2", source_id="other"), "same_number_must_have_same_content"),
    ],
)
def test_another_content_under_a_known_id_is_a_conflict_and_changes_nothing(
    ledger: Ledger, changed: object, code: str
) -> None:
    submit(ledger, invoice("1", 100))
    head = ledger.head()
    outcome = submit(ledger, changed)[0]
    assert (outcome.status, outcome.code) == (Status.CONFLICT, code)
    assert ledger.head() == head


def test_a_conflict_within_a_batch_is_the_later_ones(ledger: Ledger) -> None:
    outcomes = submit(ledger, invoice("1", 100), invoice("1", 200), invoice("2", 5))
    assert statuses(outcomes) == ["booked", "conflict", "booked"]


def test_a_refused_command_may_come_again_when_it_has_been_put_right(ledger: Ledger) -> None:
    wrong = invoice("1", 100, currency="USD")
    assert [o.code for o in submit(ledger, wrong)] == ["rate_must_be_given"]
    assert statuses(submit(ledger, invoice("1", 100, currency="USD", rate="7.1"))) == ["booked"]


def test_a_book_is_opened_once(ledger: Ledger) -> None:
    same = OpenBook(source="test", source_id="open", book="main", base_currency="CNY")
    elsewhere = OpenBook(source="other", source_id="open", book="main", base_currency="CNY")
    other = OpenBook(source="test", source_id="open2", book="main", base_currency="USD")
    outcomes = submit(ledger, same, elsewhere, other)
    assert statuses(outcomes) == ["duplicate", "duplicate", "conflict"]
    assert outcomes[2].code == "book_must_not_exist"


# --- refused


def test_one_bad_command_does_not_spoil_its_neighbours(ledger: Ledger) -> None:
    nowhere = invoice("2", 5, book="nowhere")
    outcomes = submit(ledger, invoice("1", 100), nowhere, invoice("3", 0, lines=[]), payment("1", -5), payment("2", 5))
    assert statuses(outcomes) == ["booked", "refused", "booked", "refused", "booked"]
    assert (outcomes[1].code, outcomes[1].field, outcomes[1].value) == ("book_must_exist", "book", "nowhere")
    assert (outcomes[3].code, outcomes[3].field, outcomes[3].value) == ("amount_must_be_positive", "amount", "-5")


def test_an_error_of_ours_is_its_own_commands_outcome(ledger: Ledger) -> None:
    # A lone surrogate is no text that can be stored; pydantic refuses it in JSON, so it is smuggled in here.
    broken = invoice("2", 5).model_copy(update={"reason": "for Lin Mei \ud800"})
    batch = [Submission(invoice("1", 100)), Submission(broken, quarantine=False), Submission(invoice("3", 7))]
    with capture_logs() as logs:
        outcomes = ledger.submit(batch, now_us=NOW_US, tracking=[Tracking("feed", 3)])
    assert statuses(outcomes) == ["booked", "refused", "booked"]
    # Where it happened, and nothing of what the command says.
    assert [(entry["event"], entry["source_id"], entry["error"]) for entry in logs] == [
        ("command_failed", "invoice-2", "UnicodeEncodeError")
    ]
    assert "Lin" not in str(logs)
    assert outcomes[1].code == "unexpected_error_must_be_reported"
    assert open_amounts(ledger) == {"invoice::1:1#1": 100, "invoice::3:1#1": 7}
    assert ledger.recorder.max_tracking_id("feed") == 3


# --- waiting


def test_a_refund_waits_for_its_payment_and_is_booked_in_its_commit(ledger: Ledger) -> None:
    waiting = submit(ledger, refund("1", 30, of="1"))[0]
    assert (waiting.status, waiting.awaited, waiting.events) == (Status.WAITING, "payment::1:1", 1)
    booked = submit(ledger, payment("1", 100))[0]
    assert booked.events == 3
    assert topics(ledger, 2) == [
        "fact-deferred.v1",
        "payment-received.v1",
        "refund-paid.v1",
        "deferred-fact-applied.v1",
    ]
    assert open_amounts(ledger) == {"payment::1:1#1": 70}
    assert statuses(submit(ledger, refund("1", 30, of="1"))) == ["duplicate"]


def test_what_waits_for_what_waits_is_booked_in_turn(ledger: Ledger) -> None:
    outcomes = submit(ledger, reversal("refund", "1"), refund("1", 30, of="1"), refund("2", 20, of="1"))
    assert statuses(outcomes) == ["waiting"] * 3
    submit(ledger, payment("1", 100))
    applied = [event for _, event in log(ledger) if isinstance(event, DeferredFactApplied)]
    assert [event.outcome for event in applied] == ["booked"] * 3
    assert open_amounts(ledger) == {"payment::1:1#1": 80}
    assert statuses(submit(ledger, reversal("refund", "2"))) == ["booked"]
    assert open_amounts(ledger) == {"payment::1:1#1": 100}


def test_a_fact_that_waited_and_cannot_be_booked_says_why(ledger: Ledger) -> None:
    submit(ledger, refund("1", 300, of="1"))  # an instruction for more than there is
    submit(ledger, payment("1", 100))
    applied = [event for _, event in log(ledger) if isinstance(event, DeferredFactApplied)]
    assert [(event.outcome, event.code) for event in applied] == [("refused", "refund_must_not_exceed_refundable")]
    assert open_amounts(ledger) == {"payment::1:1#1": 100}


def test_a_fact_that_is_given_up_waits_no_more_and_others_may_wait_after_it(store: Location) -> None:
    def given_up(number: str) -> RejectDeferredFact:
        return RejectDeferredFact(
            source="clerk",
            source_id=f"reject-{number}",
            book="main",
            reason="never made",
            fact_source="test",
            fact_source_id=f"refund-{number}",
        )

    with opened(store) as ledger:
        submit(ledger, refund("1", 10, of="9"), refund("2", 20, of="9"))
        assert [fact.since_us for fact in ledger.waiting()] == [NOW_US + 1] * 2
        assert statuses(submit(ledger, given_up("2"), refund("3", 30, of="9"))) == ["booked", "waiting"]
    with Ledger.open(store) as ledger:
        [outcome] = submit(ledger, given_up("7"))
        assert (outcome.code, outcome.field) == ("fact_must_be_waiting", "fact_source_id")
        assert statuses(submit(ledger, given_up("1"), given_up("2"))) == ["booked", "duplicate"]
        assert [fact.source_id for fact in ledger.waiting()] == ["refund-3"]
        assert statuses(submit(ledger, given_up("3"), refund("4", 40, of="9", nature="fact"))) == ["booked", "waiting"]
        submit(ledger, payment("9", 100))
        assert [item.open for item in ledger.account("main", "C1", "CNY").items.values()] == [60]
        assert statuses(submit(ledger, refund("2", 20, of="9"))) == ["duplicate"]


def test_what_waits_still_waits_after_a_restart(store: Location) -> None:
    with opened(store) as ledger:
        submit(ledger, refund("1", 30, of="1"), refund("2", 20, of="1"))
    with opened(store) as ledger:
        submit(ledger, refund("3", 10, of="1"))
        waiting = [(w.book, w.awaited, w.document, w.source_id) for w in ledger.waiting("main")]
        assert waiting == [("main", "payment::1:1", f"refund::{n}:1", f"refund-{n}") for n in (1, 2, 3)]
        assert ledger.waiting("other") == []
        submit(ledger, payment("1", 100))
        assert [(w.awaited, w.document) for w in ledger.waiting("main")] == []
        facts = [stream for stream, event in log(ledger) if isinstance(event, FactDeferred)]
        assert facts == ["wait:main:payment::1:1"] * 3
        assert open_amounts(ledger) == {"payment::1:1#1": 40}


# --- what a command names


def test_a_settled_document_is_found_by_its_touches(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100), payment("1", 100))
    assert open_amounts(ledger) == {}
    submit(ledger, refund("1", 40, of="1"), credit_note("1", 10, against=DocumentRef(kind="invoice", number="1")))
    released = [event for _, event in log(ledger) if isinstance(event, AllocationReleased)]
    assert [event.amount for event in released] == [40]
    assert open_amounts(ledger) == {"invoice::1:1#1": 30}


def test_an_undone_recovery_finds_what_has_settled_the_item_since(ledger: Ledger) -> None:
    item = "invoice::1:1#1"
    lost = WriteOff(**account(), source_id="w", number="W", effective_on=day("03-31"), items=[WriteOffItem(item=item)])
    of = DocumentRef(kind="write-off", number="W")
    back = RecoverWriteOff(
        **account(), source_id="b", number="B", effective_on=day("04-30"), write_off=of, item=item, amount=60
    )
    submit(ledger, invoice("1", 100), lost, back, payment("2", 60, "05-02"))
    assert ledger.account("main", "C1", "CNY").items == {}
    ledger = Ledger.open(ledger.location)
    assert statuses(submit(ledger, reversal("recovery", "B"))) == ["booked"]
    items = ledger.account("main", "C1", "CNY").items.values()
    assert [(one.item, one.open) for one in items] == [("payment::2:1#1", 60)]
    ledger.close()


def test_a_release_by_hand_names_a_line_of_an_earlier_allocation(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100), payment("1", 60))
    release = ReleaseAllocation(source_id="release", allocation="3.1", amount=25, **account())
    assert statuses(submit(ledger, release)) == ["booked"]
    assert open_amounts(ledger) == {"invoice::1:1#1": 65, "payment::1:1#1": 25}
    unknown = [
        ReleaseAllocation(source_id=f"no-{name}", allocation=name, **account()) for name in ("1.1", "3.2", "99.1", "x")
    ]
    assert {o.code for o in submit(ledger, *unknown)} == {"allocation_must_be_live"}


def test_an_account_is_resettled_from_the_log_and_from_its_own_batch(ledger: Ledger) -> None:
    again = [Resettle(source_id=f"again-{n}", **account()) for n in (1, 2, 3)]
    submit(ledger, invoice("1", 100, "02-01"), payment("2", 60, "02-20"))
    outcomes = submit(ledger, payment("1", 60, "02-10"), again[0], again[1])
    assert statuses(outcomes) == ["booked"] * 3
    # Released are both links; allocated is again, on two days.
    assert [(o.position, o.events) for o in outcomes] == [(7, 2), (11, 4), (11, 0)]
    assert open_amounts(ledger) == {"payment::2:1#1": 20}
    ledger = Ledger.open(ledger.location)
    assert [(o.status, o.position, o.events) for o in submit(ledger, again[2])] == [(Status.BOOKED, 11, 0)]
    assert [(o.status, o.position, o.events) for o in submit(ledger, again[2])] == [(Status.DUPLICATE, 11, 0)]
    ledger.close()


def test_a_reference_waits_unless_a_live_document_has_its_name(ledger: Ledger) -> None:
    settled = [invoice("1", 100), payment("1", 100), invoice("2", 50)]
    names = [PaidDocument(number="1")]
    submit(ledger, *settled, payment("2", 30, remittance=names), payment("3", 5, remittance=[PaidDocument(number="9")]))
    # The first names a settled invoice: what it has left goes by the policy. The second waits for its own.
    assert open_amounts(ledger) == {"invoice::2:1#1": 20, "payment::3:1#1": 5}
    submit(ledger, invoice("9", 5))
    assert open_amounts(ledger) == {"invoice::2:1#1": 20}


def test_revision_two_is_taken_when_revision_one_is_reversed(ledger: Ledger) -> None:
    again = invoice("1", 90, source_id="second", revision=2)
    outcomes = submit(ledger, invoice("1", 100), again, reversal("invoice", "1"), again)
    assert statuses(outcomes) == ["booked", "refused", "booked", "booked"]
    assert outcomes[1].code == "previous_revision_must_be_reversed"
    assert open_amounts(ledger) == {"invoice::1:2#1": 90}


# --- quarantine


def test_what_is_refused_is_kept_once_and_released_when_it_is_booked(ledger: Ledger) -> None:
    wrong = Submission(invoice("1", 100, currency="USD"), "file:abc:2", quarantine=True)
    for _ in range(2):
        ledger.submit([wrong], now_us=NOW_US)
    (entry,) = ledger.quarantined()
    assert (entry.code, entry.field, entry.origin) == ("rate_must_be_given", "rate", "file:abc:2")
    right = submit(ledger, invoice("1", 100, currency="USD", rate="7"))[0]
    kept = ledger.quarantined_entry(entry.id)
    assert kept is not None
    assert (kept.status, kept.position) == ("booked", right.position)
    assert list(ledger.quarantined()) == []


def test_an_unreadable_message_is_kept_whole(ledger: Ledger) -> None:
    message = Unreadable(
        book="main",
        source="file",
        source_id=None,
        origin="file:abc:7",
        code="command_must_be_valid",
        field="customer",
        value="",
        rule="must be given",
        raw='{"number": "7"}',
    )
    assert statuses(ledger.submit([message])) == ["refused"]
    (entry,) = ledger.quarantined("main")
    assert (entry.raw, entry.field) == ('{"number": "7"}', "customer")


def test_what_is_too_long_to_be_an_id_is_kept_in_what_came_only(ledger: Ledger) -> None:
    # Longer than an index entry of PostgreSQL may be, and nothing that could be compressed.
    long = "".join(map(chr, Random(7).sample(range(0x4E00, 0x9FA0), 5_000)))
    fault = {"code": "command_must_be_valid", "field": "source", "value": "", "rule": "must be shorter"}
    message = Unreadable(book="main", source=long, source_id=long, origin="file:abc:7", raw=f'"{long}"', **fault)
    counted = Acknowledged("main", "billing", long)
    assert statuses(ledger.submit([message, counted])) == ["refused", "acknowledged"]
    (entry,) = ledger.quarantined("main")
    assert (entry.source, entry.source_id, entry.raw) == ("", None, f'"{long}"')


def test_a_conflict_after_the_booking_stays_open_in_quarantine(ledger: Ledger) -> None:
    good, bad = Submission(invoice("1", 100), quarantine=True), Submission(invoice("1", 200), quarantine=True)
    submit(ledger, invoice("0", 1, currency="USD"))
    ledger.submit([bad, good][::-1], now_us=NOW_US)
    assert [entry.code for entry in ledger.quarantined()] == ["same_source_id_must_have_same_content"]


def test_a_duplicate_does_not_hide_a_conflict_in_quarantine(ledger: Ledger) -> None:
    good, bad = Submission(invoice("1", 100), quarantine=True), Submission(invoice("1", 200), quarantine=True)
    for entry in (good, bad, good):
        ledger.submit([entry], now_us=NOW_US)
    assert [entry.code for entry in ledger.quarantined()] == ["same_source_id_must_have_same_content"]


def test_the_same_unreadable_line_for_two_books_is_kept_twice(ledger: Ledger) -> None:
    fault = {
        "source": "",
        "source_id": None,
        "origin": "x",
        "code": "c",
        "field": "",
        "value": "",
        "rule": "r",
        "raw": "?",
    }
    ledger.submit([Unreadable(book="main", **fault), Unreadable(book="b", **fault)])  # type: ignore[arg-type]
    assert [entry.book for entry in ledger.quarantined()] == ["main", "b"]


# --- attachments


def test_a_document_with_very_many_lines_keeps_them_in_an_attachment(ledger: Ledger) -> None:
    lines = [Line(net=n, dimensions={"goods": f"g{n}"}) for n in range(1, 3001)]
    total = sum(line.net for line in lines)
    submit(ledger, invoice("1", total, lines=lines), invoice("2", 30, lines=[Line(net=10), Line(net=20)]))
    large, small = (event for _, event in log(ledger) if isinstance(event, InvoiceIssued))
    assert (large.lines, small.lines_digest) == ([], None)
    assert [line.net for line in ledger.lines(large)] == [line.net for line in lines]
    assert [line.dimensions for line in ledger.lines(large)] == [line.dimensions for line in lines]
    assert [line.net for line in ledger.lines(small)] == [10, 20]
    assert sum(p.amount for p in large.postings if p.role == "revenue") == total
    (kept,) = ledger._connection.execute("SELECT digest FROM attachments").fetchall()
    assert kept[0].hex() == large.lines_digest
    # Known again by its content, lines and all.
    assert statuses(submit(ledger, invoice("1", total, lines=lines[::-1]))) == ["duplicate"]
    changed = [*lines[:-1], Line(net=3000, dimensions={"goods": "other"})]
    assert statuses(submit(ledger, invoice("1", total, lines=changed))) == ["conflict"]


def test_revenue_of_a_document_with_very_many_lines_is_recognised_without_them(ledger: Ledger) -> None:
    first, last = day("01-01"), day("06-30")
    lines = [Line(net=100, service_from=first, service_to=last, dimensions={"goods": f"g{n}"}) for n in range(3000)]
    submit(ledger, invoice("1", 300_000, lines=lines))
    named = {"document": DocumentRef(kind="invoice", number="1"), "until_on": last}
    earned = RecogniseRevenue(source_id="r1", **account(), **named)
    assert statuses(submit(ledger, earned)) == ["booked"]
    issued, recognised = (event for _, event in log(ledger) if isinstance(event, (InvoiceIssued, RevenueRecognised)))
    assert (issued.lines, len(issued.deferrals), recognised.amount) == ([], 3000, 300_000)


# --- tracking


def test_a_stale_tracking_position_books_nothing(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100), tracking=[Tracking("feed", 5)])
    head = ledger.head()
    for position in (4, 5):
        with pytest.raises(StaleTracking):
            submit(ledger, invoice("2", 100), invoice("3", 100), tracking=[Tracking("feed", position)])
    assert ledger.head() == head
    assert statuses(submit(ledger, invoice("2", 100), tracking=[Tracking("feed", 6)])) == ["booked"]


def test_tracking_alone_is_saved_where_nothing_is_new(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100), tracking=[Tracking("feed", 1)])
    assert statuses(submit(ledger, invoice("1", 100), tracking=[Tracking("feed", 2)])) == ["duplicate"]
    assert ledger.recorder.max_tracking_id("feed") == 2


def test_allocation_by_hand_with_a_policy(store: Location) -> None:
    with opened(store, allocation="none") as ledger:
        submit(ledger, invoice("1", 100), invoice("2", 50, due="03-01"), payment("1", 30))
        assert open_amounts(ledger)["payment::1:1#1"] == 30
        assert statuses(submit(ledger, allocation("a1", policy="proportional"))) == ["booked"]
        assert open_amounts(ledger) == {"invoice::1:1#1": 80, "invoice::2:1#1": 40}
        assert ledger.account("main", "C1", "CNY").items["invoice::1:1#1"].movements[-1] == (day("02-01"), -20)
