"""Periods: closed in their order by a list of checks, opened again from the last; what is late is moved or refused."""

from datetime import date
from typing import Any

import pytest
from given import (
    BOOK,
    Books,
    adjustment,
    allocate,
    close,
    credit_note,
    given,
    invoice,
    kinds,
    payment,
    refund,
    reject,
    release,
    reopen,
    returned,
    reverse,
    transfer,
    write_off,
)

from domain.book import Book
from domain.commands import ChangeBookPolicies
from domain.events import Allocated, ClosingCheck, PeriodClosed, PeriodReopened, Voucher
from domain.periods import CHECKS, days_of, period_of
from domain.refusals import Code


def only(events: list[Any]) -> Any:
    (event,) = events
    return event


def dates(events: list[Any]) -> list[tuple[str, str, str | None]]:
    """Kind, day, and the day that was asked for."""
    return [
        (
            type(e).__name__,
            f"{e.effective_on:%m-%d}",
            f"{e.requested_effective_on:%m-%d}" if e.requested_effective_on else None,
        )
        for e in events
        if isinstance(e, Voucher)
    ]


def test_a_period_is_a_calendar_month() -> None:
    assert days_of("2024-02") == (date(2024, 2, 1), date(2024, 2, 29))
    assert days_of("2023-12") == (date(2023, 12, 1), date(2023, 12, 31))
    assert period_of(date(2024, 2, 29)) == "2024-02"


def test_a_close_records_its_list_and_who_accepted_what() -> None:
    books = given(invoice("I1", 100))
    event = only(books.booked(close("2024-01", "0:7", quarantine=2, reason="the bank is a day late")))
    assert isinstance(event, PeriodClosed)
    assert (event.period, event.first_on, event.last_on) == ("2024-01", date(2024, 1, 1), date(2024, 1, 31))
    assert (event.position, event.reason) == ("0:7", "the bank is a day late")
    assert [check.check for check in event.checks] == list(CHECKS)
    assert [check for check in event.checks if not check.holds] == [ClosingCheck("quarantine", False, 2, True)]
    assert books.book.open_from == date(2024, 2, 1)


def test_the_first_close_takes_all_before_it_and_the_next_is_the_next_month() -> None:
    books = given()
    assert books.book.open_from == date(1900, 1, 1)
    books.booked(close("2024-01"))
    assert books.refused(close("2023-12")).code is Code.PERIOD_OPEN
    assert books.refused(close("2024-01")).code is Code.PERIOD_OPEN
    assert books.refused(close("2024-03")).code is Code.EARLIER_PERIODS
    books.booked(close("2024-02"))
    assert books.book.open_from == date(2024, 3, 1)


@pytest.mark.parametrize(("today", "refused"), [(date(2024, 1, 31), True), (date(2024, 2, 1), False)])
def test_a_period_is_closed_from_the_day_after_its_last(today: date, refused: bool) -> None:
    outcome = given().when(close("2024-01"), today)
    assert (getattr(outcome, "code", None) is Code.PERIOD_ENDED) == refused


def test_a_list_that_lacks_a_point_or_does_not_hold_closes_nothing() -> None:
    books = given()
    whole = close("2024-01")
    lacking = whole.model_copy(update={"checks": whole.checks[1:]})
    assert (books.refused(lacking).field, books.refused(lacking).value) == ("checks", "waiting")
    failing = [whole.checks[0].model_copy(update={"holds": False, "found": 1}), *whole.checks[1:]]
    outcome = books.refused(whole.model_copy(update={"checks": failing}))
    assert (outcome.code, outcome.field, outcome.value) == (Code.CHECKS_HOLD, "checks.0.holds", "waiting")


def test_a_period_waits_for_the_facts_of_it_that_wait_and_not_for_those_of_later() -> None:
    fact = refund("R1", 100, "01-31", of="payment::P1:1", nature="fact")
    books = given(fact, refund("R2", 100, "02-01", of="payment::P1:1", nature="fact"))
    assert books.refused(close("2024-01")).code is Code.NO_FACT_WAITING
    books.booked(reject(fact))
    books.booked(close("2024-01"))


def test_only_the_period_closed_last_is_opened_again_and_for_a_reason() -> None:
    books = given(close("2024-01"), close("2024-02"))
    assert books.refused(reopen("2024-01")).code is Code.LAST_PERIOD
    event = only(books.booked(reopen("2024-02")))
    assert isinstance(event, PeriodReopened)
    assert (event.first_on, event.last_on, event.reason) == (
        date(2024, 2, 1),
        date(2024, 2, 29),
        "a statement was forgotten",
    )
    assert books.book.open_from == date(2024, 2, 1)
    books.booked(reopen("2024-01"))
    assert books.book.open_from == date(1900, 1, 1)
    assert books.refused(reopen("2024-01")).code is Code.LAST_PERIOD


# --- what comes late


def test_a_late_fact_is_moved_to_the_first_open_day_and_says_where_it_belonged() -> None:
    books = given(close("2024-01"))
    event = only(books.booked(invoice("I1", 100, "01-15", due="02-14")))
    assert (event.effective_on, event.requested_effective_on) == (date(2024, 2, 1), date(2024, 1, 15))
    # The document and its tax stay where they are: only the books are closed.
    assert (event.document_on, event.tax_point_on) == (date(2024, 1, 15), date(2024, 1, 15))
    assert event.instalments[0].due_on == date(2024, 2, 14)
    paid = books.booked(payment("P1", 60, "01-20"))
    assert dates(paid) == [("PaymentReceived", "02-01", "01-20"), ("Allocated", "02-01", None)]
    assert paid[0].value_on == date(2024, 1, 20)


def test_a_book_may_refuse_what_is_late_and_can_change_its_mind() -> None:
    books = given(close("2024-01"), late_facts="refuse")
    outcome = books.refused(invoice("I1", 100, "01-31"))
    assert (outcome.code, outcome.field, outcome.value) == (Code.PERIOD_OPEN, "effective_on", "2024-01-31")
    books.booked(invoice("I2", 100, "02-01"))
    books.booked(ChangeBookPolicies(source="test", source_id="late", book=BOOK, late_facts="move"))
    assert only(books.booked(invoice("I1", 100, "01-31"))).effective_on == date(2024, 2, 1)


def test_what_is_before_the_first_day_of_the_book_is_refused_and_not_moved() -> None:
    books = given(close("2024-01"), first_on="2024-01-01")
    assert books.refused(invoice("I1", 100, "2023-12-31")).code is Code.DATE_WITHIN_HORIZON


def settled() -> Books:
    """An invoice of 10 January settled by a payment of 20 January; then January is closed."""
    return given(invoice("I1", 100), payment("P1", 100), close("2024-01"))


def test_an_error_of_a_closed_month_is_undone_on_the_first_open_day() -> None:
    books = settled()
    assert dates(books.booked(reverse("payment::P1:1"))) == [
        ("AllocationReleased", "02-01", "01-20"),
        ("DocumentReversed", "02-01", "01-20"),
    ]
    assert dates(books.booked(reverse("invoice::I1:1"))) == [("DocumentReversed", "02-01", "01-10")]


def test_a_release_by_hand_and_a_new_allocation_of_old_items_fall_on_the_first_open_day() -> None:
    books = settled()
    assert dates(books.booked(release("3.1"))) == [("AllocationReleased", "02-01", "01-20")]
    assert dates(books.booked(allocate(("payment::P1:1#1", "invoice::I1:1#1")))) == [("Allocated", "02-01", None)]
    open_both = given(invoice("I1", 100), payment("P1", 100), close("2024-01"), allocation="none")
    event = only(open_both.booked(allocate(("payment::P1:1#1", "invoice::I1:1#1"))))
    assert isinstance(event, Allocated)
    assert (event.effective_on, event.requested_effective_on) == (date(2024, 2, 1), date(2024, 1, 20))


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (refund("R1", 40, "01-25", of="payment::P1:1"), ["AllocationReleased", "RefundPaid"]),
        (returned("T1", "payment::P1:1", 40, "01-25"), ["AllocationReleased", "PaymentReturned"]),
        (credit_note("K1", 40, "01-25", "invoice::I1:1"), ["CreditNoteIssued"]),
        (adjustment("A1", "invoice::I2:1#1", 5, "01-25"), ["AdjustmentPosted"]),
        (write_off("W1", "invoice::I2:1#1", on="01-25"), ["WrittenOff"]),
        (transfer("X1", "invoice::I2:1#1", "C2", on="01-25"), ["ItemTransferredOut", "ItemTransferredIn"]),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_whatever_is_asked_for_a_closed_day_is_moved(command: Any, found: list[str]) -> None:
    books = given(
        invoice("I1", 100), payment("P1", 100), invoice("I2", 50, "01-31"), close("2024-01"), allocation="none"
    )
    books.booked(allocate(("payment::P1:1#1", "invoice::I1:1#1")))
    events = books.booked(command)
    assert kinds(events) == found
    assert {e.effective_on for e in events} == {date(2024, 2, 1)}
    assert events[-1].requested_effective_on == date(2024, 1, 25)


def test_a_refund_that_failed_in_a_closed_month_comes_back_on_the_first_open_day() -> None:
    books = given(payment("P1", 100), refund("R1", 100, "01-25"), close("2024-01"))
    assert dates(books.booked(reverse("refund::R1:1", "01-28"))) == [("DocumentReversed", "02-01", "01-28")]


def test_a_period_opened_again_takes_its_own_facts_in() -> None:
    books = settled()
    books.booked(reopen("2024-01"))
    assert dates(books.booked(invoice("I9", 100, "01-31"))) == [("InvoiceIssued", "01-31", None)]


def test_a_fact_that_waited_is_moved_when_its_document_arrives_after_the_close() -> None:
    late = refund("R1", 100, "02-10", of="payment::P1:1", nature="fact")
    books = given(late, close("2024-01"))
    arrived = books.booked(payment("P1", 100, "01-20"))
    assert dates(arrived) == [("PaymentReceived", "02-01", "01-20"), ("RefundPaid", "02-10", None)]


def test_closing_moves_no_balance_of_the_closed_month() -> None:
    books = settled()
    book: Book = books.book
    before = [source for source in books.log if isinstance(source.event, Voucher)]
    books.booked(reverse("payment::P1:1"))
    later = [source.event for source in books.log if isinstance(source.event, Voucher)][len(before) :]
    assert all(event.effective_on >= book.open_from for event in later)
