"""Control totals and numbers: what a source says of what it sends stands in the events, and changes nothing."""

from datetime import date

import pytest
from given import BOOK, TODAY, given, invoice, payment, refund, reverse

from domain.commands import StateControlTotals
from domain.control_totals import state_control_totals
from domain.events import ControlTotalsStated, FactDeferred, RefundPaid
from domain.refusals import Code, Refusal
from domain.waiting import deferred_command


def totals(day: date, **more: int) -> StateControlTotals:
    return StateControlTotals(
        source="gl", source_id="t1", book=BOOK, feed="billing", day=day, currency="CNY", count=2, amount=150, **more
    )


def test_totals_are_recorded_as_they_are_stated() -> None:
    assert state_control_totals(totals(date(2024, 1, 31), highest=2, sequence=9), given().book, TODAY) == (
        ControlTotalsStated(
            source="gl",
            source_id="t1",
            actor="system",
            sequence=9,
            feed="billing",
            day=date(2024, 1, 31),
            currency="CNY",
            count=2,
            amount=150,
            highest=2,
        )
    )


@pytest.mark.parametrize("day", [date(2023, 12, 31), TODAY.replace(year=TODAY.year + 2)])
def test_a_day_that_nothing_could_be_booked_on_has_no_totals(day: date) -> None:
    book = given(first_on="2024-01-01").book
    with pytest.raises(Refusal) as refused:
        state_control_totals(totals(day), book, TODAY)
    assert (refused.value.code, refused.value.field) == (Code.DATE_WITHIN_HORIZON, "day")


def test_all_events_of_a_command_have_its_number() -> None:
    books = given(invoice("1", 100, sequence=1))
    assert [event.sequence for event in books.booked(payment("P", 100, sequence=2))] == [2, 2]
    assert [event.sequence for event in books.booked(reverse("payment::P:1", sequence=3))] == [3, 3]
    assert [event.sequence for event in books.booked(invoice("2", 100))] == [None]


def test_what_waits_keeps_its_number_and_hands_it_on() -> None:
    books = given()
    [waits] = books.booked(refund("R", 40, of="payment::P:1", sequence=7))
    assert isinstance(waits, FactDeferred)
    assert (waits.sequence, deferred_command(waits).sequence) == (7, 7)
    events = books.booked(payment("P", 100, sequence=8))
    assert [event.sequence for event in events] == [8, 7, 7]
    assert isinstance(events[1], RefundPaid)


def test_a_reversal_that_is_moved_for_want_of_room_says_which_day_it_is_of() -> None:
    books = given(invoice("1", 100, "01-10"), payment("P", 100, "01-20"), refund("R", 60, "02-10", of="payment::P:1"))
    books.booked(reverse("refund::R:1", "02-14"))
    reversal = books.booked(reverse("payment::P:1"))[-1]
    assert (reversal.effective_on, reversal.requested_effective_on) == (date(2024, 2, 14), date(2024, 1, 20))
    books.booked(invoice("2", 100, "03-01"))
    untouched = books.booked(reverse("invoice::2:1"))[-1]
    assert untouched.requested_effective_on is None
