"""IssueCreditNote 红字发票: the mirror of an invoice, settled by reference only; a fact is never refused for its amount."""

from given import Books, credit_note, given, invoice, kinds, payment, postings, reverse

from domain.commands import IssueCreditNote
from domain.events import Allocated, CreditNoteIssued
from domain.refusals import Code

TAX = [{"code": "VAT13", "rate": "13", "base": 100, "amount": 13}]
TAXED = invoice("1", 113, lines=[{"net": 100}], tax=TAX)


def issued(books: Books, command: IssueCreditNote) -> CreditNoteIssued:
    outcome = books.booked(command)
    assert isinstance(outcome[0], CreditNoteIssued)
    return outcome[0]


def test_a_credit_note_debits_revenue_and_tax_and_credits_receivable() -> None:
    event = issued(given(), credit_note("K", 113, lines=[{"net": 100}], tax=TAX))
    assert postings(event) == [("6001", "D", 100, 100), ("2221", "D", 13, 13), ("1122", "C", 113, 113)]


def test_an_opening_credit_note_stands_against_migration() -> None:
    event = issued(given(), credit_note("K", 100, opening=True, lines=[]))
    assert postings(event) == [("1901", "D", 100, 100), ("1122", "C", 100, 100)]


def test_it_settles_what_its_invoice_has_open_and_its_rest_stays_open() -> None:
    books = given(invoice("1", 100), payment("P", 70), invoice("2", 100))
    outcome = books.booked(credit_note("K", 50, against="invoice::1:1"))
    assert kinds(outcome) == ["CreditNoteIssued", "Allocated"]
    assert isinstance(outcome[1], Allocated)
    assert outcome[1].mode == "reference"
    assert (books.open("invoice::1:1#1"), books.open("credit-note::K:1#1"), books.open("invoice::2:1#1")) == (
        0,
        20,
        100,
    )


def test_without_a_reference_it_settles_nothing_and_no_policy_spends_it() -> None:
    books = given(invoice("1", 100))
    assert kinds(books.booked(credit_note("K", 50))) == ["CreditNoteIssued"]
    books.booked(invoice("2", 100))
    assert books.open("credit-note::K:1#1") == 50


def test_it_settles_the_instalments_in_due_order_in_one_event() -> None:
    parts = [{"due_on": f"2024-0{n}-01", "amount": 40} for n in (4, 3, 2)]
    books = given(invoice("1", 120, instalments=parts))
    outcome = books.booked(credit_note("K", 70, against="invoice::1:1"))
    assert kinds(outcome) == ["CreditNoteIssued", "Allocated"]
    assert [books.open(f"invoice::1:1#{n}") for n in (1, 2, 3)] == [40, 10, 0]


def test_a_credit_note_over_nothing_has_no_item() -> None:
    books = given(invoice("1", 100))
    assert postings(issued(books, credit_note("K", 0, against="invoice::1:1"))) == []


def test_a_negative_total_is_refused() -> None:
    outcome = given().refused(credit_note("K", -1))
    assert outcome.code == Code.AMOUNT_MUST_BE_POSITIVE


def test_a_fact_beyond_its_invoice_is_booked_and_flagged() -> None:
    event = issued(given(TAXED), credit_note("K", 114, against="invoice::1:1", lines=[{"net": 101}], tax=TAX))
    assert event.flags == ["credit_exceeds_invoice"]


def test_the_cap_counts_all_credit_notes_per_tax_code_but_not_those_reversed() -> None:
    part = {"lines": [{"net": 50}], "tax": [TAX[0] | {"base": 50, "amount": 6}], "against": "invoice::1:1"}
    books = given(TAXED, credit_note("K1", 56, **part), credit_note("K2", 56, **part))
    refused = books.refused(credit_note("K3", 56, nature="instruction", **part))
    assert refused.code == Code.CREDIT_CAP
    books.booked(reverse("credit-note::K1:1"))
    assert issued(books, credit_note("K3", 56, nature="instruction", **part)).flags == []


def test_what_was_credited_of_one_code_too_much_does_not_block_another() -> None:
    books = given(TAXED, credit_note("K1", 5, against="invoice::1:1"))
    whole = credit_note("K2", 113, against="invoice::1:1", lines=[{"net": 100}], tax=TAX, nature="instruction")
    assert issued(books, whole).flags == []


def test_an_invoice_of_another_account_refuses_an_instruction_and_flags_a_fact() -> None:
    books = given(invoice("1", 100, customer="C2"))
    refused = books.refused(credit_note("K", 50, against="invoice::1:1", nature="instruction"))
    assert refused.code == Code.CREDITED_INVOICE
    assert issued(books, credit_note("K", 50, against="invoice::1:1")).flags == ["credited_invoice_is_of_other_account"]
    assert books.open("invoice::1:1#1") == 100


def test_an_instruction_must_be_in_the_currency_of_the_invoice() -> None:
    books = given(invoice("1", 100, currency="USD", rate="7"))
    refused = books.refused(credit_note("K", 50, against="invoice::1:1", nature="instruction"))
    assert refused.code == Code.CURRENCY_MUST_MATCH


def test_a_fact_against_an_unknown_invoice_waits_and_settles_it_once_on_arrival() -> None:
    books = given()
    event = issued(books, credit_note("K", 50, against="invoice::1:1"))
    assert event.against_waits
    assert kinds(books.booked(invoice("1", 100))) == ["InvoiceIssued", "Allocated"]
    assert books.open("invoice::1:1#1") == 50
    assert books.account().awaiting == {}


def test_against_a_reversed_invoice_it_goes_to_the_revision_that_took_its_place() -> None:
    books = given(invoice("1", 100), reverse("invoice::1:1"), invoice("1", 90, revision=2))
    event = issued(books, credit_note("K", 50, against="invoice::1:1"))
    assert not event.against_waits
    assert books.open("invoice::1:2#1") == 40


def test_against_a_reversed_invoice_it_waits_for_the_next_revision() -> None:
    books = given(invoice("1", 100), reverse("invoice::1:1"))
    assert issued(books, credit_note("K", 50, against="invoice::1:1")).against_waits
    books.booked(invoice("1", 90, revision=2))
    assert books.open("invoice::1:2#1") == 40


def test_a_prepaid_invoice_waits_for_a_credit_note_too() -> None:
    books = given(invoice("1", 100, remittance=[{"kind": "credit-note", "number": "K"}]))
    assert kinds(books.booked(credit_note("K", 30))) == ["CreditNoteIssued", "Allocated"]
    assert books.open("invoice::1:1#1") == 70


def test_the_exchange_difference_of_a_credit_note_is_booked_by_its_allocation() -> None:
    books = given(invoice("1", 100, currency="USD", rate="7"))
    outcome = books.booked(credit_note("K", 100, against="invoice::1:1", currency="USD", rate="7.1"))
    assert postings(outcome[1]) == [("1122", "D", 100, 710), ("1122", "C", 100, 700), ("6603", "C", 0, 10)]
