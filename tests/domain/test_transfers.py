"""Transfers: an item goes to another customer's account, with its dates and its base amount; clearing is zero."""

from datetime import date
from typing import Any

import pytest
from given import adjustment, given, invoice, kinds, payment, postings, refund, returned, reverse, transfer

from domain.events import ItemTransferredIn, ItemTransferredOut
from domain.refusals import Code

HOUSE = "~bank:2024-01"


def halves(events: list[Any]) -> tuple[ItemTransferredOut, ItemTransferredIn]:
    out, received = events[:2]
    assert isinstance(out, ItemTransferredOut)
    assert isinstance(received, ItemTransferredIn)
    return out, received


def test_a_debit_item_goes_to_the_other_customer_and_falls_due_when_it_did() -> None:
    books = given(invoice("I1", 100, "01-10", due="01-31", dimensions={"shop": "north"}))
    out, received = halves(books.booked(transfer("T1", "invoice::I1:1#1", "C2")))
    assert postings(out) == [("1122", "C", 100, 100), ("112299", "D", 100, 100)]
    assert postings(received) == [("112299", "C", 100, 100), ("1122", "D", 100, 100)]
    item = books.item("transfer::T1:1#1")
    assert item is not None
    assert (item.open, item.due_on, item.dimensions) == (100, date(2024, 1, 31), {"shop": "north"})
    assert item.item in books.account("C2").items
    assert books.open("invoice::I1:1#1") == 0
    assert (out.to_customer, received.from_customer, received.item) == ("C2", "C1", "invoice::I1:1#1")


def test_a_part_takes_its_share_of_the_base_amount_and_the_last_part_the_rest() -> None:
    books = given(invoice("I1", 100, currency="USD", base_total=701))
    first, _ = halves(books.booked(transfer("T1", "invoice::I1:1#1", "C2", 33, currency="USD")))
    second, _ = halves(books.booked(transfer("T2", "invoice::I1:1#1", "C2", currency="USD")))
    assert [(one.amount, one.base_amount) for one in (first, second)] == [(33, 231), (67, 470)]


def test_what_arrives_is_settled_with_what_the_other_customer_has_unapplied() -> None:
    books = given(invoice("I1", 100), payment("P1", 60, customer="C2"))
    events = books.booked(transfer("T1", "invoice::I1:1#1", "C2"))
    assert kinds(events) == ["ItemTransferredOut", "ItemTransferredIn", "Allocated"]
    assert books.open("transfer::T1:1#1") == 40


def test_money_of_an_unknown_payer_becomes_the_customers_and_settles_his_invoice() -> None:
    books = given(payment("P1", 100, customer=HOUSE), invoice("I1", 80, customer="C1"))
    events = books.booked(transfer("T1", "payment::P1:1#1", "C1", customer=HOUSE))
    out, received = halves(events)
    assert postings(out) == [("2241", "D", 100, 100), ("112299", "C", 100, 100)]
    assert postings(received) == [("112299", "D", 100, 100), ("2203", "C", 100, 100)]
    assert kinds(events)[2:] == ["Allocated"]
    assert (books.open("transfer::T1:1#1"), books.open("invoice::I1:1#1")) == (20, 0)


def test_a_deposit_has_the_class_that_the_command_gives_and_in_a_house_account_none() -> None:
    books = given(payment("P1", 100), invoice("I1", 80, customer="C2"))
    _, received = halves(books.booked(transfer("T1", "payment::P1:1#1", "C2", 30, deposit_class="contract")))
    assert received.postings[1].role == "contract"
    _, received = halves(books.booked(transfer("T2", "payment::P1:1#1", HOUSE, 30)))
    assert received.postings[1].role == "unidentified"
    assert books.open("invoice::I1:1#1") == 80


def test_a_transfer_needs_room_on_its_day() -> None:
    books = given(invoice("I1", 100, "01-10"))
    assert books.refused(transfer("T1", "invoice::I1:1#1", "C2", on="01-09")).code is Code.DATE_PRECEDES_ITEM


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (transfer("T9", "invoice::I9:1#1", "C2"), Code.ITEM_OPEN),
        (transfer("T9", "invoice::I2:1#1", "C2"), Code.ITEMS_SHARE_ACCOUNT),
        (transfer("T9", "invoice::I1:1#1", "C2", 0), Code.AMOUNT_MUST_BE_POSITIVE),
    ],
)
def test_only_what_the_account_has_open_is_transferred(command: Any, code: Code) -> None:
    books = given(invoice("I1", 100), invoice("I2", 100, customer="C3"))
    assert books.refused(command).code is code


def test_what_was_allocated_stays_in_the_first_account() -> None:
    books = given(invoice("I1", 100), payment("P1", 60), transfer("T1", "invoice::I1:1#1", "C2"))
    # The allocation lives on in the first account, and what was paid there is not open any more.
    assert books.open("transfer::T1:1#1") == 40
    books.booked(reverse("payment::P1:1"))
    assert books.open("invoice::I1:1#1") == 60


def test_a_transfer_is_undone_by_its_opposite_and_holds_up_the_reversal_of_what_it_took_from() -> None:
    books = given(invoice("I1", 100), transfer("T1", "invoice::I1:1#1", "C2"))
    assert books.refused(reverse("transfer::T1:1", customer="C2")).code is Code.TRANSFER_BACK
    refused = books.refused(reverse("invoice::I1:1"))
    assert (refused.code, refused.value) == (Code.DEPENDANTS, "transfer::T1:1")
    books.booked(transfer("T2", "transfer::T1:1#1", "C1", customer="C2"))
    item = books.item("transfer::T2:1#1")
    assert item is not None
    assert (item.open, item.due_on) == (100, date(2024, 1, 10))
    assert item.item in books.account("C1").items


def test_the_return_of_a_payment_whose_money_was_transferred_opens_a_debit_item() -> None:
    books = given(payment("P1", 100), transfer("T1", "payment::P1:1#1", "C2"))
    event = books.booked(returned("R1", "payment::P1:1", 100, "02-20"))[-1]
    assert (event.excess, event.flags) == (100, ["return_exceeds_payment"])
    assert books.open("transfer::T1:1#1") == 100


def test_what_was_received_can_be_adjusted_and_refunded_like_any_other_item() -> None:
    books = given(payment("P1", 100), transfer("T1", "payment::P1:1#1", "C2"))
    books.booked(adjustment("A1", "transfer::T1:1#1", 10, "02-20", customer="C2"))
    books.booked(refund("R1", 90, "02-20", customer="C2", funded_by=[{"item": "transfer::T1:1#1", "amount": 90}]))
    assert books.open("transfer::T1:1#1") == 0
