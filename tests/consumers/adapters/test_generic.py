"""Messages of a system nobody wrote code for: given a mapping and a message, then this entry."""

import json
from copy import deepcopy
from datetime import date
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from stripe_objects import book, encode, kinds

from consumers.adapters.adapter import Adapter
from consumers.adapters.feeds import adapter, load_feed, read_feed
from consumers.mapping import read_mapping
from domain.commands import IssueCreditNote, IssueInvoice, RecordPayment, RecordRefund, ReverseDocument
from ledger.digest import digest
from ledger.outcomes import Acknowledged, Submission, Unreadable

ROOT = Path(__file__).parents[3]
BILLING = load_feed(ROOT / "examples" / "billing.feed.toml")
POSTED = {
    "event": "invoice.posted",
    "event_id": "e-1",
    "trace": {"hops": [1, 2]},
    "data": {
        "number": "INV-7",
        "account": {"id": "C1", "name": "Alder & Sons"},
        "posted_at": 1_706_720_400_000,
        "total": "119.00",
        "lines": [
            {"net": "60.00", "vat": {"amount": "11.40", "percent": "19", "code": "S"}, "sku": 1},
            {"net": "40.00", "vat": {"amount": "7.60", "percent": "19", "code": "S"}},
        ],
    },
}
SETTLED = {
    "event": "payment.changed",
    "event_id": "e-2",
    "data": {
        "id": "P-1",
        "account": {"id": "C1"},
        "state": "settled",
        "settled_on": "2024-02-03",
        "amount": "119.00",
        "charge": "0.50",
        "invoice": "INV-7",
    },
}
CANCELLED = {
    "event": "invoice.cancelled",
    "event_id": "e-3",
    "data": {"number": "INV-7", "account": {"id": "C1"}, "why": "entered twice"},
}
LEAST = """
    [source]
    name = "till"
    {source}
    [message]
    type = "t"
    [defaults]
    currency = "EUR"
    [messages.sale]
    becomes = "invoice"
    {sale}
    [messages.sale.fields]
    number = "n"
    effective_on = "d"
    customer = "c"
    total = "sum"
    {fields}
"""


def feed(text: str, **of: Any) -> Adapter:
    return adapter(read_feed(dedent(text)), book(**of))


def least(source: str = "", sale: str = "", fields: str = "", **of: Any) -> Adapter:
    return feed(LEAST.format(source=source, sale=sale, fields=fields), **of)


def read(reader: Adapter, message: dict[str, Any], key: str | None = None) -> Any:
    """The one entry of a message."""
    [entry] = reader.read(encode(message), origin="feed:1:9", lane="feed:C1", key=key)
    return entry


def one(reader: Adapter, message: dict[str, Any], key: str | None = None) -> Any:
    """The command of a message."""
    entry = read(reader, message, key)
    assert isinstance(entry, Submission), entry
    assert (entry.origin, entry.lane, entry.quarantine) == ("feed:1:9", "feed:C1", True)
    return entry.command


def changed(message: dict[str, Any], **data: Any) -> dict[str, Any]:
    made = deepcopy(message)
    made["data"] |= data
    return made


def sale(**more: Any) -> dict[str, Any]:
    return {"t": "sale", "n": "1", "d": "2024-01-31", "c": "C1", "sum": "12.50"} | more


@pytest.fixture
def billing() -> Adapter:
    return adapter(BILLING, book())


# --- the example


def test_an_invoice_with_lines(billing: Adapter) -> None:
    command = one(billing, POSTED)
    assert isinstance(command, IssueInvoice)
    assert (command.source, command.source_id, command.customer) == ("billing", "invoice::INV-7:1", "C1")
    assert (command.effective_on, command.total, command.currency) == (date(2024, 1, 31), 11_900, "EUR")
    assert sorted(line.net for line in command.lines) == [4_000, 6_000]
    assert [(tax.code, tax.rate, tax.base, tax.amount) for tax in command.tax] == [("S", "19", 10_000, 1_900)]
    assert [(part.due_on, part.amount) for part in command.instalments] == [(date(2024, 3, 1), 11_900)]


def test_an_instant_becomes_a_day_in_the_books_time_zone() -> None:
    assert one(adapter(BILLING, book(time_zone="Asia/Shanghai")), POSTED).effective_on == date(2024, 2, 1)


def test_a_payment_once_it_is_final(billing: Adapter) -> None:
    command = one(billing, SETTLED)
    assert isinstance(command, RecordPayment)
    assert (command.number, command.amount, command.method) == ("P-1", 11_900, "bank")
    assert [(part.reason, part.amount) for part in command.deductions] == [("bank_charge", 50)]
    assert [paid.reference for paid in command.remittance] == ["invoice::INV-7"]
    pending = read(billing, changed(SETTLED, state="pending"))
    assert pending == Acknowledged("main", "billing", "payment.changed")


def test_a_reversal(billing: Adapter) -> None:
    command = one(billing, CANCELLED)
    assert isinstance(command, ReverseDocument)
    assert (command.document.document, command.mode, command.reason) == ("invoice::INV-7:1", "error", "entered twice")
    assert (command.customer, command.currency, command.source_id) == ("C1", "EUR", "invoice::INV-7:1:reversed")


def test_what_means_nothing_is_acknowledged_and_counted_by_type(billing: Adapter) -> None:
    entry = read(billing, {"event": "account.changed", "data": {"account": {"name": "Alder & Sons"}}})
    assert entry == Acknowledged("main", "billing", "account.changed")


@pytest.mark.parametrize(
    ("type_", "code"), [("chargeback.opened", "kind_must_be_entered_by_hand"), ("brand.new", "kind_must_be_known")]
)
def test_what_is_left_to_a_person_or_unknown_is_held_without_what_is_private(
    billing: Adapter, type_: str, code: str
) -> None:
    data = {"amount": 5, "account": {"id": "C1", "name": "Alder"}, "contacts": [{"email": "a@x"}, {"email": "b@x"}]}
    entry = read(billing, {"event": type_, "event_id": "e-9", "data": data})
    assert isinstance(entry, Unreadable)
    assert (entry.code, entry.field, entry.value, entry.source_id) == (code, "event", type_, "e-9")
    assert (entry.book, entry.source, entry.origin, entry.lane) == ("main", "billing", "feed:1:9", "feed:C1")
    kept = {"amount": 5, "account": {"id": "C1"}, "contacts": [{}, {}]}
    assert json.loads(entry.raw) == {"event": type_, "event_id": "e-9", "data": kept}


def test_the_example_in_a_ledger(books: Any, post: Any, balance: Any, billing: Adapter) -> None:
    messages = [encode(message) for message in (SETTLED, POSTED, SETTLED, POSTED)]
    outcomes = post(books, billing, *messages)
    assert [outcome.status.value for outcome in outcomes] == ["booked", "booked", "duplicate", "duplicate"]
    assert balance(books) == {"1002": 11_850, "6603": 50, "6001": -10_000, "2221": -1_900}
    post(books, billing, encode(CANCELLED), encode(CANCELLED))
    assert balance(books) == {"1002": 11_850, "6603": 50, "2203": -11_900}


# --- values


@pytest.mark.parametrize(
    ("source", "value", "amount"),
    [
        ("", "12.50", 1_250),
        ("", 12, 1_200),
        ("", "=12.50", 1_250),
        ("", "=12.5", 1_250),
        ("", "=0.10", 10),
        ("", "=1250e-2", 1_250),
        ('amounts = "minor"', 1_250, 1_250),
        ('amounts = "minor"', "1250", 1_250),
        ('decimal = ","\nthousands = "."', "1.250,75", 125_075),
        # A number in JSON has a point, whatever the source's texts have; here one of three decimals would be thousands.
        ('decimal = ","\nthousands = "."', "=1.250", 125),
    ],
)
def test_amounts_are_exact(source: str, value: Any, amount: int) -> None:
    text = json.dumps(sale(sum=value))
    if isinstance(value, str) and value.startswith("="):
        text = text.replace(f'"{value}"', value[1:])
    [entry] = least(source.replace("\n", "\n    ")).read(text.encode(), origin="feed:1:9")
    assert isinstance(entry, Submission), entry
    assert entry.command.total == amount  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("source", "value", "code"),
    [
        ("", "12.505", "amount_must_fit_the_currency"),
        ("", "=12.505", "amount_must_fit_the_currency"),
        ("", "=1.1e400", "amount_must_be_a_decimal"),
        ("", "=1e-400", "amount_must_be_a_decimal"),
        ("", "12,50", "amount_must_be_a_decimal"),
        ("", True, "amount_must_be_a_decimal"),
        ("", None, "amount_must_be_given"),
        ('amounts = "minor"', "=12.5", "amount_must_fit_the_currency"),
        ("", [1], "command_must_be_valid"),
    ],
)
def test_a_wrong_amount_is_held(source: str, value: Any, code: str) -> None:
    text = json.dumps(sale(sum=value))
    if isinstance(value, str) and value.startswith("="):
        text = text.replace(f'"{value}"', value[1:])
    [entry] = least(source).read(text.encode(), origin="feed:1:9")
    assert isinstance(entry, Unreadable)
    assert entry.code == code
    assert entry.field in ("total", "amount", "sum")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", "2024-01-31"),
        ("", "2024-01-31T23:59:59"),
        ('time_zone = "Asia/Shanghai"', "2024-02-01T01:00:00"),
        ("", "2024-02-01T01:00:00+08:00"),
        ('dates = ["%d/%m/%Y"]', "31/01/2024"),
        ('epoch = "seconds"', 1_706_720_400),
        ('epoch = "milliseconds"', 1_706_720_400_123),
        ('epoch = "seconds"\n    dates = ["%d/%m/%Y"]', 1_706_720_400),
    ],
)
def test_dates_in_every_way_of_writing(source: str, value: Any) -> None:
    assert one(least(source), sale(d=value)).effective_on == date(2024, 1, 31)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("", "31.01.2024"),
        ("", 1_706_720_400),
        ("", None),
        ('epoch = "seconds"', 10**18),
        ('epoch = "seconds"', "1706720400"),
    ],
)
def test_a_wrong_date_is_held(source: str, value: Any) -> None:
    entry = read(least(source), sale(d=value))
    assert isinstance(entry, Unreadable)
    assert entry.code == "date_must_be_in_a_given_format"


def test_paths_by_dots_and_by_pointer_and_through_lists() -> None:
    reader = least(fields='bill_to = "/a.b/x~1y/0"\n    sold_to = "list.1.id"\n    reason = "none.of.it"')
    command = one(reader, sale(**{"a.b": {"x/y": ["B1"]}, "list": [{"id": "no"}, {"id": 42}]}))
    assert (command.bill_to, command.sold_to, command.reason) == ("B1", "42", None)


def test_a_value_of_truth_is_a_word() -> None:
    reader = least(sale='final = { paid = ["true"] }')
    assert kinds([read(reader, sale(paid=True)), read(reader, sale(paid=False)), read(reader, sale())]) == [
        "IssueInvoice invoice::1:1",
        "acknowledged sale",
        "acknowledged sale",
    ]


def test_instants_are_counted_in_rows_too() -> None:
    rows = '[messages.sale.rows]\n    each = "rows"\n    net = "net"\n    service_from = "from"\n    service_to = "to"'
    period = {"net": 12, "from": 1_706_720_400, "to": 1_709_226_000}
    command = one(least('epoch = "seconds"', fields=rows), sale(sum=12, rows=[period]))
    assert [(line.net, line.service_from, line.service_to) for line in command.lines] == [
        (1_200, date(2024, 1, 31), date(2024, 2, 29))
    ]


def test_the_customer_may_be_the_key_that_the_message_came_under() -> None:
    reader = feed(LEAST.format(source="", sale="", fields="").replace('customer = "c"', 'customer = "@key"'))
    assert one(reader, sale(c="other"), key="C9").customer == "C9"
    assert read(reader, sale()).code == "customer_must_be_given"


def test_a_missing_customer_is_held_as_the_command_that_lacks_it() -> None:
    entry = read(least(), sale(c=None))
    assert (entry.code, entry.source_id) == ("customer_must_be_given", "invoice::1:1")
    assert json.loads(entry.raw)["command"] == "IssueInvoice"
    house = least(sale='defaults = { missing_customer = "house" }')
    assert one(house, sale(c=" ")).customer == "~till:2024-01"


def test_a_missing_number_is_held_with_what_is_mapped_and_no_more() -> None:
    entry = read(least(), sale(n=None, secret="Jenny Rosen"))
    assert (entry.code, entry.source_id) == ("number_must_be_given", None)
    assert json.loads(entry.raw)["rows"] == [{"n": "", "d": "2024-01-31", "c": "C1", "sum": "12.50"}]


@pytest.mark.parametrize(
    ("becomes", "more", "value", "expected"),
    [
        ("debit-note", "", "5.00", (IssueInvoice, 500)),
        ("credit-note", "", "5.00", (IssueCreditNote, 500)),
        ("credit-note", "written_negative = true", "-5.00", (IssueCreditNote, 500)),
        ("invoice", 'when_negative = "credit-note"', "-5.00", (IssueCreditNote, 500)),
        ("payment", 'when_negative = "refund"', "-5.00", (RecordRefund, 500)),
        ("refund", "", "5.00", (RecordRefund, 500)),
    ],
)
def test_every_kind_of_document(becomes: str, more: str, value: str, expected: tuple[Any, int]) -> None:
    reader = feed(LEAST.format(source="", sale=more, fields="").replace('"invoice"', f'"{becomes}"'))
    command = one(reader, sale(sum=value))
    amount = command.amount if hasattr(command, "amount") else command.total
    assert (type(command), amount) == expected


def test_an_invoice_with_a_negative_total_is_refused_by_the_ledger(books: Any, post: Any) -> None:
    [outcome] = post(books, least(), encode(sale(sum="-5.00")))
    assert outcome.code == "negative_total_must_be_credit_note"


def test_a_failed_refund_is_reversed_on_the_day_that_the_message_says() -> None:
    text = (
        LEAST
        + """
    [messages.bounced]
    becomes = "reversal"
    of = "refund"
    [messages.bounced.fields]
    number = "n"
    revision = "rev"
    customer = "c"
    effective_on = "d"
    source_id = "id"
    sequence = "q"
    """
    )
    reader = feed(text.format(source="", sale="", fields=""))
    command = one(reader, {"t": "bounced", "n": "R1", "c": "C1", "d": "2024-02-05", "rev": 2, "id": "x-1", "q": 17})
    assert (command.document.document, command.mode, command.source_id) == ("refund::R1:2", "failed", "x-1")
    assert (command.effective_on, command.sequence) == (date(2024, 2, 5), 17)
    for wrong, code, field in [
        ({"n": ""}, "number_must_be_given", "number"),
        ({"c": None}, "customer_must_be_given", "customer"),
        ({"d": "soon"}, "date_must_be_in_a_given_format", "effective_on"),
        ({"rev": "two"}, "amount_must_be_a_decimal", "revision"),
        ({"rev": 0}, "command_must_be_valid", "document.revision"),
    ]:
        entry = read(reader, {"t": "bounced", "n": "R1", "c": "C1", "d": "2024-02-05"} | wrong)
        assert (entry.code, entry.field, entry.lane) == (code, field, "feed:C1")
        named = "number" in field or field == "revision"
        assert entry.source_id == (None if named else f"refund::R1:{wrong.get('rev', 1)}:reversed")
        assert json.loads(entry.raw)["command"] == "ReverseDocument"


def test_rows_that_are_no_list_are_held_and_a_message_without_rows_is_one_line(billing: Adapter) -> None:
    for wrong in ({"net": "100.00"}, "none", [{"net": "100.00"}, 7]):
        entry = read(billing, changed(POSTED, lines=wrong))
        assert (entry.code, entry.field) == ("command_must_be_valid", "data.lines")
        assert entry.rule == "must be a list of objects"
    for nothing in ([], None):
        command = one(billing, changed(POSTED, lines=nothing))
        assert [line.net for line in command.lines] == [11_900]


def test_lines_that_do_not_sum_to_the_total_are_refused_and_held(books: Any, post: Any, billing: Adapter) -> None:
    [outcome] = post(books, billing, encode(changed(POSTED, total="118.99")))
    assert outcome.code == "lines_and_tax_must_sum_to_total"
    assert books.quarantine() == [("lines_and_tax_must_sum_to_total", "invoice::INV-7:1")]
    post(books, billing, encode(POSTED))
    assert books.quarantine() == []


def test_a_message_and_a_row_of_a_file_are_the_same_fact(books: Any, post: Any) -> None:
    mapping = read_mapping(
        dedent("""
        [source]
        name = "till"
        [defaults]
        currency = "EUR"
        [columns]
        number = "No"
        effective_on = "Day"
        customer = "Who"
        total = "Sum"
        """)
    )
    assert books.take(books.file("No,Day,Who,Sum\n1,2024-01-31,C1,12.50\n"), mapping).booked == 1
    [outcome] = post(books, least(), encode(sale()))
    assert outcome.status.value == "duplicate"


def test_a_message_of_an_unknown_type_may_be_acknowledged() -> None:
    text = LEAST.format(source="", sale="", fields="").replace('type = "t"', 'type = "t"\n    unknown = "acknowledge"')
    assert kinds([read(feed(text), sale(t="gift"))]) == ["acknowledged gift"]
    assert kinds([read(feed(text), sale(t=None))]) == ["kind_must_be_known None"]


def test_two_messages_of_one_document_have_one_digest() -> None:
    assert digest(one(least(), sale(extra=1))) == digest(one(least(), sale(sum="12.5")))
