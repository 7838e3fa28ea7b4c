"""The rows of one document → one command: amounts, signs, kinds, dates, and what holds a document back."""

import json
from datetime import date
from textwrap import dedent
from typing import Any

import pytest

from consumers.assembling import Assembler, line_ranges
from consumers.mapping import Mapping, read_mapping
from consumers.sorting import Gathered
from domain.book import Book, evolve_book, open_book
from domain.commands import COMMAND, OpenBook
from ledger.outcomes import Submission, Unreadable
from ledger.parties import Party


def opened() -> Book:
    book = None
    command = OpenBook(source="t", source_id="o", book="main", base_currency="EUR", time_zone="Europe/Berlin")
    for event in open_book(command):
        book = evolve_book(book, event)
    assert book is not None
    return book


def mapping(columns: str, more: str = "", defaults: str = "") -> Mapping:
    head = f'[source]\nname = "shop"\n[defaults]\ncurrency = "EUR"\n{dedent(defaults)}\n'
    must = 'number = "No"\ncustomer = "Who"\neffective_on = "Date"\n'
    return read_mapping(f"{head}[columns]\n{must}{dedent(columns)}\n{dedent(more)}")


def made(rules: Mapping, *rows: dict[str, str], fits: bool = True) -> Submission | Unreadable:
    base = {"No": "1", "Who": "C1", "Date": "2025-01-31"}
    cells = [[(base | row).get(column, "") for column in rules.used] for row in rows]
    return Assembler(rules, opened(), "abc", {}).assemble(Gathered(list(range(2, 2 + len(rows))), cells, fits)).entry


def command(rules: Mapping, *rows: dict[str, str]) -> dict[str, Any]:
    entry = made(rules, *rows)
    assert isinstance(entry, Submission), entry
    found: dict[str, Any] = json.loads(COMMAND.dump_json(entry.command, exclude_defaults=True))
    return found


def held(rules: Mapping, *rows: dict[str, str], fits: bool = True) -> tuple[str, str, str]:
    entry = made(rules, *rows, fits=fits)
    assert isinstance(entry, Unreadable), entry
    return entry.code, entry.field, entry.value


PRICED = 'quantity = "Q"\nunit_price = "P"'


# --- amounts


def test_a_line_is_quantity_times_price_and_the_total_their_sum() -> None:
    found = command(mapping(PRICED, defaults="due_days = 30"), {"Q": "3", "P": "0.335"}, {"Q": "1", "P": "20"})
    assert found == {
        "source": "shop",
        "source_id": "invoice::1:1",
        "book": "main",
        "customer": "C1",
        "currency": "EUR",
        "number": "1",
        "effective_on": "2025-01-31",
        "lines": [{"net": 101}, {"net": 2000}],
        "total": 2101,
        "instalments": [{"due_on": "2025-03-02", "amount": 2101}],
    }


def test_identical_lines_are_kept() -> None:
    assert command(mapping(PRICED), {"Q": "1", "P": "5"}, {"Q": "1", "P": "5"})["lines"] == [{"net": 500}] * 2


@pytest.mark.parametrize(
    ("columns", "row", "lines", "total"),
    [
        ('net = "N"', {"N": "10"}, [1000], 1000),
        ('amount = "A"', {"A": "10"}, [1000], 1000),
        ('total = "T"', {"T": "10"}, [1000], 1000),
        ('net = "N"\n' + PRICED, {"N": "10", "Q": "1", "P": "99"}, [1000], 1000),
        ('net = "N"\n' + PRICED, {"Q": "1", "P": "99"}, [9900], 9900),
        ('amount = "A"\n' + PRICED, {"A": "7", "Q": "1"}, [700], 700),
        ('net = "N"\ntotal = "T"', {"N": "10", "T": "11"}, [1000], 1100),
        ('net = "N"', {"N": "0"}, [0], 0),
    ],
)
def test_a_line_takes_what_its_row_has(columns: str, row: dict[str, str], lines: list[int], total: int) -> None:
    found = command(mapping(columns), row)
    assert [line["net"] for line in found["lines"]] == lines
    assert found["total"] == total


TAXED = 'tax_amount = "Tax"\ntax_rate = "Rate"\ntax_code = "Code"'


def test_tax_is_taken_as_it_is_stated_and_summed_by_code_and_rate() -> None:
    found = command(
        mapping('net = "N"\n' + TAXED),
        {"N": "100", "Tax": "19.00", "Rate": "19%", "Code": "S"},
        {"N": "50", "Tax": "9.51", "Rate": "19.0", "Code": "S"},
        {"N": "10", "Tax": "0", "Rate": "0", "Code": "Z"},
        {"N": "5"},
    )
    assert found["tax"] == [
        {"code": "S", "rate": "19", "base": 15000, "amount": 2851},
        {"code": "Z", "rate": "0", "base": 1000, "amount": 0},
    ]
    assert found["total"] == 16500 + 2851


def test_an_amount_or_a_total_has_the_tax_in_it() -> None:
    tax = {"Tax": "19", "Rate": "19", "Code": "S"}
    for columns in ('amount = "A"\n', 'total = "A"\n'):
        found = command(mapping(columns + TAXED), {"A": "119"} | tax)
        assert found["lines"] == [{"net": 10000}]
        assert found["tax"] == [{"code": "S", "rate": "19", "base": 10000, "amount": 1900}]
        assert found["total"] == 11900


def test_lines_have_their_own_role_days_and_dimensions() -> None:
    columns = 'net = "N"\nrole = "R"\nservice_from = "F"\nservice_to = "T"\nline_dimensions.product = "X"\ndimensions.region = "Y"'
    row = {"N": "1", "R": "fee", "F": "2025-01-01", "T": "2025-12-31", "X": "p1", "Y": "north"}
    found = command(
        mapping(columns, defaults='dimensions.channel = "shop"'), row, row | {"R": "", "X": "", "T": "", "F": ""}
    )
    full = {
        "net": 100,
        "role": "fee",
        "service_from": "2025-01-01",
        "service_to": "2025-12-31",
        "dimensions": {"product": "p1"},
    }
    assert found["lines"] == [full, {"net": 100}]
    assert found["dimensions"] == {"channel": "shop", "region": "north"}


def test_other_currencies_have_their_own_decimals_and_a_rate() -> None:
    rules = mapping('net = "N"\ncurrency = "C"\nrate = "R"\nbase_total = "B"')
    yen = command(rules, {"N": "1500", "C": "JPY", "R": "0.00620"})
    assert (yen["total"], yen["currency"], yen["rate"]) == (1500, "JPY", "0.0062")
    assert command(rules, {"N": "1.234", "C": "KWD", "B": "3.70"})["base_total"] == 370
    assert held(rules, {"N": "1.5", "C": "JPY", "R": "1"}) == ("amount_must_fit_the_currency", "net", "1.5")
    assert held(rules, {"N": "1.5", "C": "Yen"}) == ("command_must_be_valid", "currency", "Yen")


# --- kinds and signs


@pytest.mark.parametrize(
    ("kind", "row", "made_of", "amount"),
    [
        ("", {"No": "1", "N": "5"}, "IssueInvoice", 500),
        ('prefix = { C = "credit-note" }', {"No": "C1", "N": "-5"}, "IssueCreditNote", 500),
        ('prefix = { C = "credit-note", CX = "invoice" }', {"No": "CX1", "N": "5"}, "IssueInvoice", 500),
        ('prefix = { C = "credit-note" }\nwritten_negative = []', {"No": "C1", "N": "5"}, "IssueCreditNote", 500),
        ('when_negative = { invoice = "credit-note" }', {"N": "-5"}, "IssueCreditNote", 500),
        ('when_negative = { invoice = "credit-note" }', {"N": "5"}, "IssueInvoice", 500),
        ('column = "K"\nvalues = { X = "debit-note" }', {"K": "X", "N": "5"}, "IssueInvoice", 500),
        ('column = "K"\nvalues = { X = "debit-note" }', {"K": "", "N": "5"}, "IssueInvoice", 500),
        ('prefix = { C = "credit-note" }', {"No": "C1", "N": "0"}, "IssueCreditNote", 0),
    ],
)
def test_the_kind_gives_the_direction(kind: str, row: dict[str, str], made_of: str, amount: int) -> None:
    entry = made(mapping('net = "N"', f"[kind]\n{kind}"), row)
    assert isinstance(entry, Submission)
    assert (type(entry.command).__name__, entry.command.total) == (made_of, amount)  # type: ignore[union-attr]


def test_lines_and_tax_of_a_credit_note_are_turned_and_a_line_may_take_back() -> None:
    rules = mapping('net = "N"\nagainst = "Of"\n' + TAXED, '[kind]\nprefix = { C = "credit-note" }')
    tax = {"No": "C1", "Rate": "20", "Code": "S", "Of": "77"}
    found = command(rules, {"N": "-10", "Tax": "-2"} | tax, {"N": "1", "Tax": "0.20"} | tax)
    assert found["lines"] == [{"net": 1000}, {"net": -100}]
    assert found["tax"] == [{"code": "S", "rate": "20", "base": 900, "amount": 180}]
    assert found["total"] == 1080
    assert found["against"] == {"kind": "invoice", "number": "77"}
    assert "instalments" not in found


def test_a_debit_note_is_its_own_kind() -> None:
    found = command(mapping('net = "N"', defaults='kind = "debit-note"'), {"N": "5"})
    assert (found["kind"], found["source_id"]) == ("debit-note", "debit-note::1:1")


# --- payments and refunds

PAID = 'amount = "A"\nreference = "Ref"'


def test_a_payment_of_one_row_pays_what_it_names_as_far_as_it_goes() -> None:
    found = command(mapping(PAID, defaults='kind = "payment"\nreference_series = "S"'), {"A": "5", "Ref": "77"})
    assert (found["amount"], found["source_id"]) == (500, "payment::1:1")
    assert found["remittance"] == [{"series": "S", "number": "77"}]


def test_a_payment_of_several_rows_pays_each_its_own_amount() -> None:
    rows = [{"A": "5", "Ref": "77"}, {"A": "2", "Ref": "78"}, {"A": "1", "Ref": "77"}, {"A": "3"}]
    found = command(mapping(PAID, defaults='kind = "payment"'), *rows)
    assert found["amount"] == 1100
    assert found["remittance"] == [{"number": "77", "amount": 600}, {"number": "78", "amount": 200}]


def test_deductions_come_off_the_cash() -> None:
    rules = mapping('amount = "A"\ndeductions.bank_charge = "Fee"', defaults='kind = "payment"')
    assert command(rules, {"A": "5", "Fee": "0.25"})["deductions"] == [{"reason": "bank_charge", "amount": 25}]
    assert "deductions" not in command(rules, {"A": "5", "Fee": "0"})
    rules = mapping('cash = "A"\ndeductions.bank_charge = "Fee"', defaults='kind = "payment"')
    found = command(rules, {"A": "5", "Fee": "0.25"})
    assert (found["amount"], found["cash"]) == (525, 500)


def test_a_negative_payment_may_be_a_refund_and_that_is_a_fact() -> None:
    rules = mapping(
        'amount = "A"\noriginal_payment = "Of"',
        '[kind]\nwhen_negative = { payment = "refund" }',
        defaults='kind = "payment"\nmethod = "provider"',
    )
    found = command(rules, {"A": "-5", "Of": "P7"})
    assert (found["source_id"], found["amount"], found["nature"]) == ("refund::1:1", 500, "fact")
    assert found["original_payment"] == {"kind": "payment", "number": "P7"}
    assert found["method"] == "provider"


# --- dates, identity, customers


def test_due_days_run_from_the_documents_date_and_a_due_day_wins() -> None:
    rules = mapping('net = "N"\ndocument_on = "Doc"\ndue_on = "Due"', defaults="due_days = 14")
    assert command(rules, {"N": "1", "Doc": "2025-01-10"})["instalments"][0]["due_on"] == "2025-01-24"
    assert command(rules, {"N": "1", "Due": "2025-05-05"})["instalments"][0]["due_on"] == "2025-05-05"


def test_a_document_is_known_by_the_sources_id_or_by_its_key() -> None:
    rules = mapping('net = "N"\nsource_id = "Id"\nseries = "S"\nrevision = "V"')
    assert command(rules, {"N": "1", "Id": "evt-9", "S": "A"})["source_id"] == "evt-9"
    assert command(rules, {"N": "1", "S": "A", "V": "2"})["source_id"] == "invoice:A:1:2"


def test_a_document_may_have_a_number_among_those_that_were_sent() -> None:
    rules = mapping('net = "N"\nsequence = "Q"')
    assert command(rules, {"N": "1", "Q": "17"}, {"N": "2", "Q": "017"})["sequence"] == 17
    assert "sequence" not in command(rules, {"N": "1"})
    assert held(rules, {"N": "1", "Q": "7.5"})[1:] == ("sequence", "7.5")


@pytest.mark.parametrize(
    ("series", "day", "house"), [("", "2025-01-31", "~shop:2025-01"), ("", "2025-12-01", "~shop:2025-12")]
)
def test_without_a_customer_it_goes_to_the_house_account_of_its_month(series: str, day: str, house: str) -> None:
    rules = mapping('net = "N"', defaults='missing_customer = "house"')
    assert command(rules, {"N": "1", "Who": "", "Date": day})["customer"] == house


def test_without_a_customer_it_is_held_back_as_the_command_that_it_would_be() -> None:
    entry = made(mapping('net = "N"'), {"N": "1", "Who": ""})
    assert isinstance(entry, Unreadable)
    assert (entry.code, entry.field, entry.source_id) == ("customer_must_be_given", "customer", "invoice::1:1")
    raw = json.loads(entry.raw)
    assert raw["command"] == "IssueInvoice"
    assert COMMAND.validate_json(json.dumps(raw | {"customer": "C9"}))


def test_who_a_customer_is_stays_out_of_the_command_and_out_of_quarantine() -> None:
    rules = mapping('net = "N"\nname = "Name"\naddress = "Street"', defaults='language = "en"')
    assembler = Assembler(rules, opened(), "abc", {})
    cells = {"No": "1", "Who": "C1", "Date": "2025-01-31", "N": "1", "Name": "Birch Ltd", "Street": "Mill Lane"}
    found = assembler.assemble(Gathered([2], [[cells[column] for column in rules.used]], True))
    assert found.party == Party(book="main", customer="C1", name="Birch Ltd", language="en", address="Mill Lane")
    cells["N"] = "x"
    entry = assembler.assemble(Gathered([2], [[cells[column] for column in rules.used]], True)).entry
    assert isinstance(entry, Unreadable)
    assert "Birch" not in entry.raw
    assert "Mill" not in entry.raw


# --- rows that disagree


def test_two_times_of_one_day_do_not_disagree() -> None:
    rows = [{"N": "1", "Date": "2025-01-31 08:00"}, {"N": "1", "Date": "2025-01-31 08:01"}]
    assert command(mapping('net = "N"'), *rows)["effective_on"] == "2025-01-31"


def test_rows_that_disagree_are_held_back_or_the_first_counts() -> None:
    rows = [{"N": "1", "Date": "2025-01-30"}, {"N": "1", "Date": "2025-01-31"}]
    expected = ("rows_of_a_document_must_agree", "effective_on", "2025-01-30 | 2025-01-31")
    assert held(mapping('net = "N"'), *rows) == expected
    assert command(mapping('net = "N"', defaults='inconsistent = "first"'), *rows)["effective_on"] == "2025-01-30"


def test_an_empty_cell_does_not_disagree() -> None:
    assert command(mapping('net = "N"'), {"N": "1", "Who": ""}, {"N": "1"})["customer"] == "C1"


@pytest.mark.parametrize("field", ["Who", "Cur"])
def test_who_owes_and_in_what_must_agree_whatever_the_mapping_says(field: str) -> None:
    rules = mapping('net = "N"\ncurrency = "Cur"', defaults='inconsistent = "first"')
    rows = [{"N": "1", "Cur": "EUR"} | {field: "AAA"}, {"N": "1", "Cur": "EUR"} | {field: "BBB"}]
    assert held(rules, *rows)[0] == "rows_of_a_document_must_agree"


# --- what holds a document back


@pytest.mark.parametrize(
    ("rules", "row", "expected"),
    [
        (mapping('net = "N"'), {"No": "", "N": "1"}, ("number_must_be_given", "number", "")),
        (mapping('net = "N"'), {"N": "1,5"}, ("amount_must_be_a_decimal", "net", "1,5")),
        (mapping('net = "N"'), {"N": "1.005"}, ("amount_must_fit_the_currency", "net", "1.005")),
        (mapping('net = "N"'), {"N": ""}, ("amount_must_be_given", "amount", "")),
        (mapping(PRICED), {"Q": "1"}, ("amount_must_be_given", "unit_price", "")),
        (mapping(PRICED), {"P": "1"}, ("amount_must_be_given", "quantity", "")),
        (
            mapping(PRICED, defaults='inexact = "quarantine"'),
            {"Q": "3", "P": "0.335"},
            ("amount_must_fit_the_currency", "unit_price", "0.335"),
        ),
        (mapping('amount = "A"', defaults='kind = "payment"'), {}, ("amount_must_be_given", "amount", "")),
        (
            mapping('net = "N"'),
            {"N": "1", "Date": "31.01.2025"},
            ("date_must_be_in_a_given_format", "effective_on", "31.01.2025"),
        ),
        (mapping('net = "N"'), {"N": "1", "Date": ""}, ("date_must_be_in_a_given_format", "effective_on", "")),
        (
            mapping('net = "N"', '[kind]\ncolumn = "K"\nvalues.X = "payment"'),
            {"N": "1", "K": "Y"},
            ("kind_must_be_known", "kind", "Y"),
        ),
        (
            mapping('net = "N"', '[kind]\nprefix.A = "by-hand"'),
            {"N": "1", "No": "A1"},
            ("kind_must_be_entered_by_hand", "number", "A1"),
        ),
        (mapping('net = "N"'), {"N": "1", "Who": "~me"}, ("command_must_be_valid", "customer", "~me")),
        (mapping('net = "N"\nrate = "R"'), {"N": "1", "R": "-1"}, ("command_must_be_valid", "rate", "-1")),
        (mapping('net = "N"\nrevision = "V"'), {"N": "1", "V": "0"}, ("command_must_be_valid", "revision", "0")),
        (
            mapping('amount = "A"\ndeductions.fee = "F"', defaults='kind = "refund"'),
            {"A": "1", "F": "1"},
            ("command_must_be_valid", "deductions", ""),
        ),
    ],
)
def test_the_first_thing_that_is_wrong_is_said(
    rules: Mapping, row: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert held(rules, row) == expected


def test_the_end_of_time_is_out_of_range() -> None:
    rules = mapping('net = "N"', defaults="due_days = 30")
    assert held(rules, {"N": "1", "Date": "9999-12-31"}) == ("command_must_be_valid", "effective_on", "9999-12-31")


def test_a_row_that_does_not_fit_the_header_holds_back_its_document() -> None:
    assert held(mapping('net = "N"'), {"N": "1"}, {"N": "2"}, fits=False) == ("row_must_be_well_formed", "", "")


def test_a_document_whose_number_is_in_such_a_row_is_held_back_too() -> None:
    rules = mapping('net = "N"')
    assembler = Assembler(rules, opened(), "abc", {"7": 12})
    entry = assembler.assemble(Gathered([2], [["7", "2025-01-31", "C1", "1"]], True)).entry
    assert isinstance(entry, Unreadable)
    assert (entry.code, entry.value, entry.source_id) == ("row_must_be_well_formed", "7", "invoice::7:1")
    assert "line 12" in entry.rule


def test_rows_that_make_no_command_are_kept_as_rows() -> None:
    entry = made(mapping('net = "N"'), {"N": "1"}, {"N": "x"})
    assert isinstance(entry, Unreadable)
    rows = [{"No": "1", "Date": "2025-01-31", "Who": "C1", "N": net} for net in ("1", "x")]
    assert json.loads(entry.raw) == {"book": "main", "source": "shop", "rows": rows}
    assert (entry.source_id, entry.origin) == ("invoice::1:1", "file:abc:2-3")


# --- origins


@pytest.mark.parametrize(
    ("lines", "text"),
    [([3], "3"), ([5, 3, 4], "3-5"), ([1, 2, 4, 6, 7, 8], "1-2,4,6-8"), ([2, 2], "2,2")],
)
def test_lines_are_compact_ranges(lines: list[int], text: str) -> None:
    assert line_ranges(lines) == text


def test_many_lines_end_in_how_many_more() -> None:
    text = line_ranges(range(0, 1000, 2), limit=20)
    assert text == "0,2,4,6,8,10,12,14,+492 more"


def test_dates_are_days() -> None:
    entry = made(mapping('net = "N"'), {"N": "1"})
    assert isinstance(entry, Submission)
    assert entry.command.effective_on == date(2025, 1, 31)  # type: ignore[union-attr]
