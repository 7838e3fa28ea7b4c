"""PostAdjustment 往来调整: a part of an item is taken off for a reason, without cash."""

from given import adjustment, given, invoice, kinds, payment, postings, reverse

from domain.events import AdjustmentPosted
from domain.refusals import Code

INVOICE, PAYMENT = "invoice::1:1#1", "payment::P:1#1"


def test_a_debit_item_is_reduced_against_the_reasons_account() -> None:
    books = given(invoice("1", 100, dimensions={"shop": "north"}))
    [event] = books.booked(adjustment("A", INVOICE, 4))
    assert isinstance(event, AdjustmentPosted)
    assert postings(event) == [("6711", "D", 4, 4), ("1122", "C", 4, 4)]
    assert {tuple(p.dimensions.items()) for p in event.postings} == {(("shop", "north"),)}
    assert books.open(INVOICE) == 96


def test_a_credit_item_is_reduced_from_the_other_side() -> None:
    books = given(payment("P", 100))
    [event] = books.booked(adjustment("A", PAYMENT, 4, reason="overpayment_kept"))
    assert postings(event) == [("6301", "C", 4, 4), ("2203", "D", 4, 4)]
    assert books.open(PAYMENT) == 96


def test_tax_is_part_of_the_amount() -> None:
    tax = [{"code": "VAT13", "rate": "13", "base": 100, "amount": 13}]
    [event] = given(invoice("1", 200)).booked(adjustment("A", INVOICE, 113, tax=tax))
    assert postings(event) == [("6711", "D", 100, 100), ("2221", "D", 13, 13), ("1122", "C", 113, 113)]


def test_more_tax_than_amount_is_refused() -> None:
    tax = [{"code": "VAT13", "rate": "13", "base": 100, "amount": 13}]
    outcome = given(invoice("1", 200)).refused(adjustment("A", INVOICE, 12, tax=tax))
    assert outcome.code == Code.LINES_AND_TAX


def test_it_takes_its_share_of_the_items_base() -> None:
    books = given(invoice("1", 3, currency="USD", base_total=20))
    [event] = books.booked(adjustment("A", INVOICE, 1, currency="USD"))
    assert postings(event) == [("6711", "D", 1, 7), ("1122", "C", 1, 7)]


def test_the_tolerance_is_for_all_adjustments_of_an_item_together_less_those_reversed() -> None:
    books = given(invoice("1", 100), invoice("2", 100), tolerances={"CNY": 10})
    assert kinds(books.booked(adjustment("A1", INVOICE, 6))) == ["AdjustmentPosted"]
    refused = books.refused(adjustment("A2", INVOICE, 5, reason="short_payment"))
    assert refused.code == Code.TOLERANCE
    assert kinds(books.booked(adjustment("A2", "invoice::2:1#1", 5))) == ["AdjustmentPosted"]
    assert kinds(books.booked(adjustment("A3", INVOICE, 50, reason="bank_charge"))) == ["AdjustmentPosted"]
    books.booked(reverse("adjustment::A1:1"))
    assert kinds(books.booked(adjustment("A4", INVOICE, 10))) == ["AdjustmentPosted"]


def test_a_currency_without_a_tolerance_has_no_limit() -> None:
    books = given(invoice("1", 100, currency="USD", rate="7"), tolerances={"CNY": 1})
    assert kinds(books.booked(adjustment("A", INVOICE, 90, currency="USD"))) == ["AdjustmentPosted"]


def test_what_it_is_linked_to_must_be_in_the_books_of_the_same_account() -> None:
    books = given(invoice("1", 100), payment("P", 10, customer="C2"), payment("Q", 10), reverse("payment::Q:1"))
    for linked in ("payment::P:1", "payment::Q:1", "payment::unknown:1"):
        outcome = books.refused(adjustment("A", INVOICE, 4, linked_to=linked))
        assert (outcome.code, outcome.field) == (Code.ITEMS_SHARE_ACCOUNT, "linked_to")


def test_an_item_of_another_account_is_named_as_such() -> None:
    outcome = given(invoice("1", 100, customer="C2")).refused(adjustment("A", INVOICE, 4))
    assert (outcome.code, outcome.field) == (Code.ITEMS_SHARE_ACCOUNT, "item")


def test_an_item_of_the_same_customer_in_another_currency_is_named_as_such() -> None:
    outcome = given(invoice("1", 100, currency="USD", rate="7")).refused(adjustment("A", INVOICE, 4))
    assert outcome.code == Code.CURRENCY_MUST_MATCH
