"""House accounts of unknown customers: invoices as usual, payments unidentified, nothing allocated by itself."""

import pytest
from given import allocate, credit_note, given, invoice, kinds, payment, postings
from pydantic import ValidationError

HOUSE = {"customer": "~shop:2024-01"}


def test_an_invoice_is_receivable_as_usual() -> None:
    [event] = given().booked(invoice("1", 100, **HOUSE))
    assert postings(event) == [("1122", "D", 100, 100), ("6001", "C", 100, 100)]


def test_a_payment_is_unidentified_whatever_class_it_names() -> None:
    for deposit in ("unapplied", "contract", "security"):
        [event] = given().booked(payment("P", 100, deposit_class=deposit, **HOUSE))
        assert postings(event) == [("1002", "D", 100, 100), ("2241", "C", 100, 100)]


def test_nothing_settles_by_itself_and_nothing_waits() -> None:
    books = given(
        payment("P0", 100, pays=["1"], **HOUSE),
        credit_note("K0", 10, against="invoice::1:1", **HOUSE),
        invoice("1", 100, remittance=[{"kind": "payment", "number": "P9"}], **HOUSE),
        payment("P1", 100, pays=["1"], **HOUSE),
        credit_note("K1", 10, against="invoice::1:1", **HOUSE),
    )
    assert kinds([source.event for source in books.log[2:]]) == [
        "PaymentReceived",
        "CreditNoteIssued",
        "InvoiceIssued",
        "PaymentReceived",
        "CreditNoteIssued",
    ]
    assert books.account("~shop:2024-01").awaiting == {}


def test_by_hand_it_does() -> None:
    books = given(invoice("1", 100, **HOUSE), payment("P", 100, **HOUSE))
    assert kinds(books.booked(allocate(("payment::P:1#1", "invoice::1:1#1"), **HOUSE))) == ["Allocated"]


@pytest.mark.parametrize("customer", ["~", "~shop", "~shop:2024", "~:2024-01"])
def test_no_other_customer_begins_with_a_tilde(customer: str) -> None:
    with pytest.raises(ValidationError, match="must not begin with ~"):
        invoice("1", 100, customer=customer)
