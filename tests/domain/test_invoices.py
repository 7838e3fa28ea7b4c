"""IssueInvoice 应收单: D receivable by instalment, C revenue and tax; settled on arrival by references, then by policy."""

from given import Books, given, invoice, kinds, payment, postings, reverse

from domain.events import Allocated, InvoiceIssued

TAX = [{"code": "VAT13", "rate": "13", "base": 10_000, "amount": 1_300}]


def issued(books: Books, command: object) -> InvoiceIssued:
    outcome = books.booked(command)
    assert isinstance(outcome[0], InvoiceIssued)
    return outcome[0]


def test_an_invoice_debits_receivable_and_credits_revenue_and_tax() -> None:
    event = issued(given(), invoice("1", 11_300, lines=[{"net": 10_000}], tax=TAX))
    assert postings(event) == [
        ("1122", "D", 11_300, 11_300),
        ("6001", "C", 10_000, 10_000),
        ("2221", "C", 1_300, 1_300),
    ]


def test_each_instalment_is_an_item_with_its_own_due_day() -> None:
    books = given()
    parts = [{"due_on": "2024-03-01", "amount": 40}, {"due_on": "2024-02-01", "amount": 60}]
    issued(books, invoice("1", 100, instalments=parts))
    first, second = books.item("invoice::1:1#1"), books.item("invoice::1:1#2")
    assert first is not None
    assert second is not None
    assert (first.due_on.isoformat(), first.open) == ("2024-03-01", 40)
    assert (second.due_on.isoformat(), second.open) == ("2024-02-01", 60)


def test_within_an_invoice_the_instalment_due_first_is_paid_first() -> None:
    parts = [{"due_on": "2024-03-01", "amount": 40}, {"due_on": "2024-02-01", "amount": 60}]
    books = given(invoice("1", 100, instalments=parts), payment("P", 70, pays=["1"]))
    assert (books.open("invoice::1:1#2"), books.open("invoice::1:1#1")) == (0, 30)


def test_the_total_is_converted_once_and_its_parts_share_it() -> None:
    parts = [{"due_on": "2024-02-01", "amount": 100 if n else 101} for n in range(3)]
    lines = [{"net": 100, "role": role} for role in ("revenue", "fee")] + [{"net": 101, "role": "small_balance"}]
    event = issued(given(), invoice("1", 301, instalments=parts, lines=lines, currency="USD", rate="7.0823"))
    assert event.base_total == 2_132  # 301 × 7.0823 = 2131.7723
    assert [p.base_amount for p in event.postings[:3]] == [716, 708, 708]
    assert [p.base_amount for p in event.postings[3:]] == [708, 708, 716]


def test_a_base_total_wins_over_the_rate() -> None:
    event = issued(given(), invoice("1", 100, currency="USD", rate="7.1", base_total=700))
    assert (event.base_total, event.rate) == (700, "7.1")
    assert postings(event) == [("1122", "D", 100, 700), ("6001", "C", 100, 700)]


def test_in_base_currency_a_rate_of_one_says_nothing_and_any_other_is_wrong() -> None:
    assert issued(given(), invoice("1", 100, rate="1.00", base_total=100)).base_total == 100
    for rate in ("10", "100", "0.1"):
        outcome = given().refused(invoice("1", 100, rate=rate))
        assert outcome.field == "rate"


def test_a_zero_invoice_has_no_item_and_is_settled_at_birth() -> None:
    books = given()
    event = issued(books, invoice("1", 0))
    assert postings(event) == []
    assert books.account().items == {}


def test_lines_that_cancel_out_keep_their_worth_in_base() -> None:
    lines = [{"net": 10_000, "role": "revenue"}, {"net": -10_000, "role": "fee"}]
    event = issued(given(), invoice("1", 0, lines=lines, currency="USD", rate="7"))
    assert postings(event) == [("6001", "C", 10_000, 70_000), ("6603", "C", -10_000, -70_000)]


def test_lines_that_nearly_cancel_out_may_be_too_large_in_base_though_their_total_is_not() -> None:
    lines = [{"net": 10**15}, {"net": 1 - 10**15, "role": "fee"}]
    outcome = given().refused(invoice("1", 1, lines=lines, currency="USD", base_total=10**15))
    assert (outcome.code.value, outcome.field) == ("amount_must_be_within_limit", "lines")


def test_a_line_of_nothing_is_kept_as_a_fact_but_not_posted() -> None:
    event = issued(given(), invoice("1", 100, lines=[{"net": 100}, {"net": 0, "role": "fee"}]))
    assert postings(event) == [("1122", "D", 100, 100), ("6001", "C", 100, 100)]
    assert [line.net for line in event.lines] == [100, 0]


def test_a_discount_line_is_a_negative_credit_on_its_own_side() -> None:
    event = issued(given(), invoice("1", 90, lines=[{"net": 100}, {"net": -10, "role": "fee"}]))
    assert postings(event) == [("1122", "D", 90, 90), ("6001", "C", 100, 100), ("6603", "C", -10, -10)]


def test_postings_are_summed_by_role_and_dimensions_the_documents_own_under_the_lines() -> None:
    lines = [
        {"net": 10, "dimensions": {"goods": "a"}},
        {"net": 20, "dimensions": {"goods": "b"}},
        {"net": 30, "dimensions": {"goods": "a"}},
    ]
    event = issued(given(), invoice("1", 60, lines=lines, dimensions={"shop": "north"}))
    assert [(p.dimensions, p.amount) for p in event.postings] == [
        ({"shop": "north"}, 60),
        ({"shop": "north", "goods": "a"}, 40),
        ({"shop": "north", "goods": "b"}, 20),
    ]
    assert [line.net for line in event.lines] == [10, 20, 30]


def test_an_opening_invoice_stands_against_migration() -> None:
    event = issued(given(), invoice("1", 100, opening=True, lines=[]))
    assert postings(event) == [("1122", "D", 100, 100), ("1901", "C", 100, 100)]


def test_tax_that_differs_from_its_rate_by_more_than_a_unit_a_line_is_taken_and_flagged() -> None:
    for amount, flags in ((1_299, []), (1_298, ["tax_differs_from_rate"])):
        tax = [TAX[0] | {"amount": amount}]
        assert issued(given(), invoice("1", 10_000 + amount, lines=[{"net": 10_000}], tax=tax)).flags == flags


def test_dates_default_to_the_accounting_date() -> None:
    event = issued(given(), invoice("1", 100, "01-10", document_on="2024-01-08"))
    assert (event.document_on.day, event.tax_point_on.day, event.effective_on.day) == (8, 10, 10)


def test_a_debit_note_is_an_invoice_of_its_own_kind() -> None:
    assert issued(given(), invoice("1", 100, kind="debit-note")).document == "debit-note::1:1"


def test_unapplied_payments_settle_a_new_invoice_the_oldest_first() -> None:
    books = given(payment("P2", 30, "01-05"), payment("P1", 30, "01-04"))
    outcome = books.booked(invoice("1", 40))
    assert kinds(outcome) == ["InvoiceIssued", "Allocated"]
    assert isinstance(outcome[1], Allocated)
    assert [(line.credit_item, line.amount) for line in outcome[1].lines] == [
        ("payment::P1:1#1", 30),
        ("payment::P2:1#1", 10),
    ]
    assert (books.open("payment::P1:1#1"), books.open("payment::P2:1#1")) == (0, 20)


def test_an_allocation_takes_effect_on_the_first_day_on_which_both_items_have_room() -> None:
    books = given(payment("P", 100, "01-20"))
    outcome = books.booked(invoice("1", 100, "01-10"))
    assert isinstance(outcome[1], Allocated)
    assert outcome[1].effective_on.isoformat() == "2024-01-20"
    assert outcome[1].caused_by == "invoice::1:1"


def test_only_unapplied_deposits_are_spent_by_policy() -> None:
    classes = ("contract", "security", "unidentified")
    books = given(*(payment(name, 100, deposit_class=name) for name in classes))
    assert kinds(books.booked(invoice("1", 100))) == ["InvoiceIssued"]


def test_without_a_policy_nothing_is_spent() -> None:
    assert kinds(given(payment("P", 100), allocation="none").booked(invoice("1", 100))) == ["InvoiceIssued"]


def test_a_prepaid_invoice_is_settled_by_the_payment_it_names_before_older_ones() -> None:
    books = given(payment("P1", 100, "01-01"), payment("P2", 100, "01-02"))
    books.booked(invoice("1", 100, remittance=[{"kind": "payment", "number": "P2"}]))
    assert (books.open("payment::P1:1#1"), books.open("payment::P2:1#1")) == (100, 0)


def test_a_prepayment_for_an_amount_settles_no_more_over_all_instalments() -> None:
    parts = [{"due_on": f"2024-0{n}-01", "amount": 40} for n in (2, 3, 4)]
    books = given(payment("P", 120), allocation="none")
    prepaid = [{"kind": "payment", "number": "P", "amount": 50}]
    books.booked(invoice("1", 120, instalments=parts, remittance=prepaid))
    assert [books.open(f"invoice::1:1#{n}") for n in (1, 2, 3)] == [0, 30, 40]


def test_a_prepaid_invoice_waits_for_a_payment_that_is_not_in_the_books_yet() -> None:
    prepaid = [{"kind": "payment", "number": "P"}]
    parts = [{"due_on": f"2024-0{n}-01", "amount": 40} for n in (2, 3)]
    books = given(invoice("1", 80, instalments=parts, remittance=prepaid), invoice("2", 80, due="01-11"))
    books.booked(payment("P", 60))
    assert [books.open(f"invoice::1:1#{n}") for n in (1, 2)] == [0, 20]
    assert books.open("invoice::2:1#1") == 80


def test_a_revision_is_taken_once_the_one_before_is_reversed() -> None:
    books = given(invoice("1", 100), reverse("invoice::1:1"))
    assert issued(books, invoice("1", 90, revision=2)).document == "invoice::1:2"
    assert books.open("invoice::1:2#1") == 90
