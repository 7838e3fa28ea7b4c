"""RoundOff 尾差核销: what payments left open is taken off if it is little enough, by rules that look at the facts alone."""

from typing import Any

import pytest
from given import Books, adjustment, credit_note, given, invoice, kinds, payment, postings, returned, reverse, round_off

from domain.events import AdjustmentPosted, DocumentReversed
from domain.refusals import Code

INVOICE, PAYMENT = "invoice::1:1#1", "payment::P:1#1"
TEN = {"tolerances": {"CNY": 10}}
DISCOUNT = {"discount": {"percent": "2", "until_on": "2024-01-20"}}


def paid(amount: int, *more: Any, pays: tuple[str, ...] = ("1",), **settings: Any) -> Books:
    return given(invoice("1", 1000), payment("P", amount, pays=pays), *more, **TEN | settings)


def rounded(books: Books, item: str = INVOICE) -> tuple[str, int, str | None]:
    [event] = books.booked(round_off("A", item))
    assert isinstance(event, AdjustmentPosted)
    assert books.open(item) == 0
    return event.reason_code, event.amount, event.linked_to


def test_a_short_payment_is_linked_to_the_payment_that_named_the_invoice() -> None:
    books = paid(995)
    [event] = books.booked(round_off("A", INVOICE))
    assert (event.reason_code, event.amount, event.linked_to) == ("short_payment", 5, "payment::P:1")
    assert postings(event) == [("6603", "D", 5, 5), ("1122", "C", 5, 5)]


def test_what_a_payment_left_that_named_nothing_is_a_small_balance() -> None:
    assert rounded(paid(995, pays=())) == ("small_balance", 5, "payment::P:1")


def test_the_last_payment_by_its_day_is_the_one_it_is_linked_to() -> None:
    books = given(invoice("1", 1000), payment("Q", 500, "02-01"), payment("P", 495, "01-20", pays=["1"]), **TEN)
    assert rounded(books) == ("small_balance", 5, "payment::Q:1")


def test_an_overpayment_is_kept() -> None:
    books = paid(1004)
    assert rounded(books, PAYMENT) == ("overpayment_kept", 4, "payment::P:1")


def test_it_is_undone_with_the_payment() -> None:
    books = paid(995)
    books.booked(round_off("A", INVOICE))
    events = books.booked(reverse("payment::P:1"))
    assert kinds(events) == ["AllocationReleased", "DocumentReversed", "DocumentReversed"]
    assert books.open(INVOICE) == 1000


def test_it_is_undone_when_the_payment_is_wholly_returned_on_the_day_of_the_return() -> None:
    books = paid(995)
    books.booked(round_off("A", INVOICE, "01-25"))
    assert kinds(books.booked(returned("T1", "payment::P:1", 900, "02-10"))) == [
        "AllocationReleased",
        "PaymentReturned",
    ]
    assert books.open(INVOICE) == 900
    events = books.booked(returned("T2", "payment::P:1", 95, "02-11"))
    assert kinds(events) == ["DocumentReversed", "AllocationReleased", "PaymentReturned"]
    undone = events[0]
    assert isinstance(undone, DocumentReversed)
    assert (undone.document, undone.mode, str(undone.effective_on)) == ("adjustment::A:1", "failed", "2024-02-11")
    assert books.open(INVOICE) == 1000


def test_a_kept_overpayment_goes_back_with_the_payment_that_is_returned() -> None:
    books = paid(1004)
    books.booked(round_off("A", PAYMENT, "01-25"))
    events = books.booked(returned("T", "payment::P:1", 1004))
    assert (events[-1].taken, events[-1].excess) == (1004, 0)
    assert (books.open(INVOICE), books.open(PAYMENT)) == (1000, 0)


def test_adjustments_within_tolerance_are_taken_together_those_undone_apart() -> None:
    books = paid(980, adjustment("A1", INVOICE, 6), adjustment("A2", INVOICE, 10, reason="bank_charge"))
    assert rounded(books) == ("short_payment", 4, "payment::P:1")
    books = paid(980, adjustment("A1", INVOICE, 6), adjustment("A2", INVOICE, 9, reason="bank_charge"))
    assert books.refused(round_off("A", INVOICE)).code == Code.TOLERANCE
    books.booked(reverse("adjustment::A2:1"))
    books.booked(adjustment("A3", INVOICE, 10, reason="bank_charge"))
    assert rounded(books) == ("short_payment", 4, "payment::P:1")


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({}, 0),
        ({"tolerances": {"USD": 10}}, 0),
        ({"tolerances": {"CNY": 10}}, 10),
        ({"tolerance_percents": {"CNY": "0.65"}}, 7),
        ({"tolerances": {"CNY": 10}, "tolerance_percents": {"CNY": "0.5"}}, 5),
        ({"tolerances": {"CNY": 3}, "tolerance_percents": {"CNY": "0.5"}}, 3),
    ],
)
def test_the_lesser_of_both_limits_holds_and_without_one_there_is_none(settings: dict[str, Any], most: int) -> None:
    over = given(invoice("1", 1000), payment("P", 1000 - most - 1, pays=["1"]), **settings)
    assert over.refused(round_off("A", INVOICE)).code == Code.TOLERANCE
    if most:
        assert rounded(given(invoice("1", 1000), payment("P", 1000 - most, pays=["1"]), **settings))[1] == most


def test_the_limit_in_per_cent_holds_for_adjustments_by_hand() -> None:
    books = given(invoice("1", 1000), tolerance_percents={"CNY": "0.5"})
    assert books.refused(adjustment("A", INVOICE, 6)).code == Code.TOLERANCE
    assert kinds(books.booked(adjustment("A", INVOICE, 5))) == ["AdjustmentPosted"]


def test_what_no_payment_has_touched_is_not_rounded_off() -> None:
    books = given(invoice("1", 5), credit_note("K", 2, against="invoice::1:1"), **TEN)
    assert books.refused(round_off("A", INVOICE)).code == Code.LEFT_BY_PAYMENT
    books = given(payment("P", 5), **TEN)
    assert books.refused(round_off("A", PAYMENT)).code == Code.LEFT_BY_PAYMENT


def test_what_the_account_has_open_otherwise_settles_it_first() -> None:
    books = paid(995, payment("Q", 50, pays=["9"]))
    assert rounded(books)[1] == 5, "what waits for its own invoice settles nothing else"
    books = paid(995, credit_note("K", 2))
    refused = books.refused(round_off("A", INVOICE))
    assert (refused.code, refused.value) == (Code.SETTLED_OTHERWISE, "credit-note::K:1#1")
    books = paid(1004, allocation="none")
    books.booked(invoice("2", 3, "01-25"))
    assert books.refused(round_off("A", PAYMENT)).value == "invoice::2:1#1"
    books = given(invoice("1", 1000), payment("P", 1004, pays=["1", "9"]), **TEN)
    assert books.refused(round_off("A", PAYMENT)).code == Code.SETTLED_OTHERWISE


def test_a_day_before_its_last_movement_is_refused() -> None:
    assert paid(995).refused(round_off("A", INVOICE, "01-19")).code == Code.DATE_PRECEDES_ITEM


def test_a_settled_item_is_not_rounded_off_again() -> None:
    books = paid(995)
    books.booked(round_off("A", INVOICE))
    assert books.refused(round_off("B", INVOICE)).code == Code.ITEM_OPEN


# --- cash discount


def discounted(*commands: Any, **settings: Any) -> Books:
    return given(invoice("1", 1000, **DISCOUNT), *commands, **settings)


def test_the_discount_is_granted_to_who_paid_in_time_whatever_the_tolerance() -> None:
    books = discounted(payment("P", 980, "01-20", pays=["1"]))
    assert rounded(books) == ("cash_discount", 20, "payment::P:1")


def test_a_cent_more_or_a_day_later_is_no_discount() -> None:
    assert discounted(payment("P", 979, "01-20")).refused(round_off("A", INVOICE)).code == Code.TOLERANCE
    assert discounted(payment("P", 980, "01-21")).refused(round_off("A", INVOICE)).code == Code.TOLERANCE


def test_the_day_of_the_money_counts_not_that_of_the_books() -> None:
    books = discounted(payment("P", 980, "02-01", value_on="2024-01-20"))
    assert rounded(books) == ("cash_discount", 20, "payment::P:1")


def test_what_was_paid_late_was_not_paid_in_time() -> None:
    late = payment("Q", 10, "02-01")
    assert discounted(payment("P", 970, "01-20"), late).refused(round_off("A", INVOICE)).code == Code.TOLERANCE
    assert rounded(discounted(payment("P", 985, "01-20"), late)) == ("cash_discount", 5, "payment::P:1")


def test_there_is_no_discount_on_what_was_credited() -> None:
    credited = credit_note("K", 500, "01-15", against="invoice::1:1")
    assert rounded(discounted(credited, payment("P", 490, "01-20"))) == ("cash_discount", 10, "payment::P:1")
    assert discounted(credited, payment("P", 489, "01-20")).refused(round_off("A", INVOICE)).code == Code.TOLERANCE


def test_of_a_late_payment_what_is_within_tolerance_is_a_short_payment() -> None:
    books = discounted(payment("P", 995, "01-25", pays=["1"]), **TEN)
    assert rounded(books) == ("short_payment", 5, "payment::P:1")


def test_a_book_without_the_role_cannot_grant_it() -> None:
    books = discounted(payment("P", 980, "01-20"))
    del books.book.template.reasons["cash_discount"]
    assert books.refused(round_off("A", INVOICE)).code == Code.REASON
