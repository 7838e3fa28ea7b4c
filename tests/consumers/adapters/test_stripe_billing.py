"""Stripe's invoices and credit notes: given this object, then this command, or why it is held."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from stripe_objects import AT, LATER, book, credit_note, event, held, invoice, kinds, line, one, read, tax

from domain.commands import IssueCreditNote, IssueInvoice, RecordPayment, ReverseDocument
from ledger.digest import digest
from ledger.outcomes import Submission, Unreadable

RATE = {"id": "txr_19", "object": "tax_rate", "percentage": 19, "effective_percentage": None}


def lines(command: Any) -> list[int]:
    return [entry.net for entry in command.lines]


def taxes(command: Any) -> list[tuple[str, str, int, int]]:
    return [(entry.code, entry.rate, entry.base, entry.amount) for entry in command.tax]


# --- what an invoice becomes


def test_a_finalised_invoice_is_issued() -> None:
    [entry] = read(event("invoice.finalized", invoice(line(7_000), line(3_000))))
    assert isinstance(entry, Submission)
    assert (entry.origin, entry.lane, entry.quarantine) == ("stripe:0:7", "stripe:C1", True)
    command = entry.command
    assert isinstance(command, IssueInvoice)
    assert (command.source, command.source_id, command.book) == ("stripe", "in_1", "main")
    assert (command.customer, command.currency, command.number) == ("cus_1", "EUR", "in_1")
    assert command.reason == "number ABCD-0001"
    assert (command.effective_on, command.total, lines(command)) == (date(2024, 1, 31), 10_000, [7_000, 3_000])
    assert [(part.due_on, part.amount) for part in command.instalments] == [(date(2024, 1, 31), 10_000)]


def test_days_are_those_of_the_books_time_zone() -> None:
    shanghai = book(time_zone="Asia/Shanghai")
    period = {"start": AT, "end": AT + 29 * 86_400 - 3600}
    command = one(invoice(line(500, period=period), due_date=AT + 14 * 86_400), of=shanghai)
    assert command.effective_on == date(2024, 2, 1)
    assert command.instalments[0].due_on == date(2024, 2, 15)
    # Its last instant is the first of March there, at midnight: that day is the next period's.
    assert (command.lines[0].service_from, command.lines[0].service_to) == (date(2024, 2, 1), date(2024, 2, 29))


def test_what_is_sold_once_is_earned_at_once() -> None:
    command = one(invoice(line(500, period={"start": AT, "end": AT})))
    assert (command.lines[0].service_from, command.lines[0].service_to) == (None, None)


def test_the_same_invoice_is_the_same_fact_however_it_comes() -> None:
    paid = invoice(status="paid", amount_paid=10_000, amount_remaining=0, next_payment_attempt=None)
    ways = [
        event("invoice.finalized", invoice()),
        event("invoice.finalized", invoice(), at=LATER + 5, id="evt_again"),
        event("invoice.payment_failed", invoice(attempt_count=3)),
        event("invoice.paid", paid),
        event("invoice.payment_succeeded", paid | {"new_field": {"deep": [1]}, "customer": {"id": "cus_1"}}),
        paid,
        {"object": "list", "data": [paid], "has_more": False},
    ]
    commands = [one(way) for way in ways]
    assert {command.source_id for command in commands} == {"in_1"}
    assert len({digest(command) for command in commands}) == 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (event("invoice.created", invoice(status="draft", number=None)), "invoice.created"),
        (event("invoice.upcoming", invoice(status=None, id=None)), "invoice.upcoming"),
        (invoice(status="draft"), "invoice"),
        ({"id": "in_1", "object": "invoice", "deleted": True}, "invoice"),
        (event("invoice.finalized", invoice(livemode=False), livemode=False), "invoice.finalized (test mode)"),
        ({"object": "list", "data": []}, "list (empty)"),
    ],
)
def test_what_is_not_final_is_acknowledged(message: dict[str, Any], said: str) -> None:
    assert kinds(read(message)) == [f"acknowledged {said}"]


def test_in_test_mode_live_messages_are_acknowledged() -> None:
    assert kinds(read(invoice(), livemode=False)) == ["acknowledged invoice (live mode)"]
    assert kinds(read(invoice(livemode=False), livemode=False)) == ["IssueInvoice in_1"]


def test_a_voided_invoice_is_issued_and_reversed_so_that_it_may_come_first() -> None:
    entries = read(event("invoice.voided", invoice(status="void")))
    assert kinds(entries) == ["IssueInvoice in_1", "ReverseDocument in_1:voided"]
    assert isinstance(entries[1], Submission)
    command = entries[1].command
    assert isinstance(command, ReverseDocument)
    assert (command.document.document, command.mode, command.customer) == ("invoice::in_1:1", "error", "cus_1")


def test_an_uncollectible_invoice_is_issued_and_written_off() -> None:
    told = {"finalized_at": AT, "marked_uncollectible_at": LATER}
    lost = invoice(status="uncollectible", status_transitions=told)
    entries = read(event("invoice.marked_uncollectible", lost))
    assert kinds(entries) == ["IssueInvoice in_1", "WriteOff in_1:uncollectible"]
    written: Any = entries[1]
    assert [one.item for one in written.command.items] == ["invoice::in_1:1#1"]
    assert written.command.effective_on == date(2024, 2, 1)
    wrong: Any = read(invoice(status="uncollectible"))[1]
    assert (wrong.code, wrong.source_id) == ("command_must_be_valid", "in_1:uncollectible")
    assert wrong.field.endswith("marked_uncollectible_at")


def test_who_has_paid_an_invoice_is_said_by_charges() -> None:
    assert kinds(read(event("invoice.paid", invoice(status="paid", charge="ch_1")))) == ["IssueInvoice in_1"]


def test_an_invoice_paid_outside_stripe_is_a_payment_where_the_feed_names_its_method() -> None:
    times = {"finalized_at": AT, "paid_at": LATER}
    paid = invoice(status="paid", paid_out_of_band=True, amount_paid=10_000, status_transitions=times)
    entries = read(event("invoice.paid", paid), out_of_band="bank")
    assert kinds(entries) == ["IssueInvoice in_1", "RecordPayment in_1:paid"]
    assert isinstance(entries[1], Submission)
    command = entries[1].command
    assert isinstance(command, RecordPayment)
    assert (command.number, command.method, command.amount) == ("in_1", "bank", 10_000)
    assert command.effective_on == date(2024, 2, 1)
    assert [paid.reference for paid in command.remittance] == ["invoice::in_1"]
    [_, wrong] = read(paid)
    assert isinstance(wrong, Unreadable)
    assert (wrong.code, wrong.field, wrong.source_id) == ("method_must_be_given", "paid_out_of_band", "in_1:paid")
    partly = paid | {"charge": "ch_1"}
    assert kinds(read(partly, out_of_band="bank")) == ["IssueInvoice in_1", "method_must_be_given in_1:paid"]


def test_a_negative_invoice_is_a_credit_note() -> None:
    command = one(invoice(line(-5_000), line(1_000), total_taxes=[tax(-760, -4_000)], total=-4_760), tax_rates=RATES)
    assert isinstance(command, IssueCreditNote)
    assert (command.number, command.total, lines(command)) == ("in_1", 4_760, [5_000, -1_000])
    assert taxes(command) == [("txr_19", "19", 4_000, 760)]
    voided = read(invoice(line(-5_000), status="void"))[1]
    assert isinstance(voided, Submission)
    assert voided.command.document.document == "credit-note::in_1:1"  # type: ignore[union-attr]


def test_an_invoice_over_nothing_has_no_instalment() -> None:
    command = one(invoice(line(500), line(-500)))
    assert (command.total, command.instalments, lines(command)) == (0, [], [500, -500])


# --- amounts

RATES = {"txr_19": "19", "txr_7": "7"}


@pytest.mark.parametrize(
    ("message", "nets", "taxed"),
    [
        (invoice(line(10_000), total=11_900, total_taxes=[tax(1_900, 10_000)]), [10_000], 1_900),
        (
            invoice(
                line(11_900, taxes=[tax(1_900, 10_000, inclusive=True)]),
                total_taxes=[tax(1_900, 10_000, inclusive=True)],
                total_excluding_tax=10_000,
            ),
            [10_000],
            1_900,
        ),
        (invoice(line(11_900), total_taxes=[tax(1_900, 10_000, inclusive=True)]), [11_900, -1_900], 1_900),
        (
            invoice(
                line(6_000, discount_amounts=[{"amount": 600, "discount": "di_1"}]),
                line(4_000, discount_amounts=[{"amount": 400, "discount": "di_1"}]),
                total_discount_amounts=[{"amount": 1_000, "discount": "di_1"}],
                total=10_710,
                total_taxes=[tax(1_710, 9_000)],
            ),
            [5_400, 3_600],
            1_710,
        ),
        (
            invoice(line(10_000), total_discount_amounts=[{"amount": 1_000, "discount": "di_1"}], total=9_000),
            [10_000, -1_000],
            0,
        ),
        (
            invoice(
                line(10_000),
                amount_shipping=500,
                shipping_cost={"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595},
                total=12_495,
                total_taxes=[tax(1_995, 10_500)],
            ),
            [10_000, 500],
            1_995,
        ),
        (
            invoice(
                line(11_900, taxes=[tax(1_900, 10_000, inclusive=True)]),
                amount_shipping=595,
                shipping_cost={"amount_subtotal": 500, "amount_tax": 95, "amount_total": 595},
                total=12_495,
                total_taxes=[tax(1_995, 10_500, inclusive=True)],
            ),
            [10_000, 500],
            1_995,
        ),
        (
            invoice(line(10_000), amount_shipping=0, shipping_cost={"amount_subtotal": 77}, starting_balance=-4_000),
            [10_000],
            0,
        ),
        (
            invoice(line(10_000), total=12_600, total_taxes=[tax(1_900, 10_000), tax(700, 10_000, "txr_7")]),
            [10_000],
            2_600,
        ),
    ],
    ids=[
        "tax on top",
        "tax within lines",
        "tax within, told of the whole only",
        "discounts by line",
        "discount of the whole",
        "shipping",
        "shipping with tax within",
        "no shipping",
        "two taxes",
    ],
)
def test_lines_are_without_tax_and_after_discounts(message: dict[str, Any], nets: list[int], taxed: int) -> None:
    command = one(message, tax_rates=RATES)
    assert lines(command) == nets
    assert sum(entry.amount for entry in command.tax) == taxed
    assert sum(nets) + taxed == command.total == message["total"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"total_tax_amounts": [{"amount": 1_900, "tax_rate": RATE, "taxable_amount": 10_000}]}, ("txr_19", "19")),
        (
            {
                "total_tax_amounts": [{"amount": 1_900, "tax_rate": "txr_19", "taxable_amount": None}],
                "default_tax_rates": [RATE],
            },
            ("txr_19", "19"),
        ),
        (
            {
                "total_tax_amounts": [{"amount": 1_900, "tax_rate": "txr_x", "inclusive": False}],
                "lines": {
                    "data": [line(10_000, tax_rates=[RATE | {"id": "txr_x", "effective_percentage": Decimal("18.9")}])]
                },
            },
            ("txr_x", "18.9"),
        ),
        ({"tax": 1_900, "tax_percent": Decimal("19.0")}, ("tax", "19")),
        ({"total_taxes": [tax(1_900, 10_000, RATE | {"percentage": Decimal("19.000")})]}, ("txr_19", "19")),
    ],
    ids=["expanded", "default of the invoice", "of a line", "the oldest shape", "current"],
)
def test_tax_is_read_in_every_shape_of_the_api(more: dict[str, Any], expected: tuple[str, str]) -> None:
    message = invoice(line(10_000), total=11_900)
    del message["total_taxes"]
    command = one(message | more)
    assert taxes(command) == [(*expected, 10_000, 1_900)]


def test_a_rate_of_the_settings_comes_first_so_that_expanding_changes_nothing() -> None:
    named = invoice(line(10_000), total=11_900, total_taxes=[tax(1_900, 10_000)])
    expanded = invoice(
        line(10_000), total=11_900, total_taxes=[tax(1_900, 10_000, RATE | {"percentage": Decimal("19.1")})]
    )
    assert digest(one(named, tax_rates=RATES)) == digest(one(expanded, tax_rates=RATES))


def test_a_tax_of_nothing_needs_no_rate() -> None:
    free = {"amount": 0, "taxable_amount": 10_000, "taxability_reason": "reverse_charge", "tax_rate_details": None}
    assert taxes(one(invoice(total_taxes=[free]))) == [("reverse_charge", "0", 10_000, 0)]


@pytest.mark.parametrize(
    ("message", "code", "field", "value"),
    [
        (invoice(total=9_999), "lines_and_tax_must_sum_to_total", "total", "9999 (lines and tax: 10000)"),
        (
            invoice(total_excluding_tax=8_403),
            "lines_and_tax_must_sum_to_total",
            "total_excluding_tax",
            "8403 (lines: 10000)",
        ),
        (invoice(lines={"data": [line(10_000)], "has_more": True}), "lines_must_be_complete", "lines", ""),
        (invoice(lines={"data": [line(10_000)], "total_count": 2}), "lines_must_be_complete", "lines", ""),
        (invoice(lines=None), "lines_must_be_complete", "lines", ""),
        (invoice(total=Decimal("100.5")), "command_must_be_valid", "total", "100.5"),
        (invoice(total="10000"), "command_must_be_valid", "total", "10000"),
        (invoice(total=None), "command_must_be_valid", "total", ""),
        (invoice(total=True), "command_must_be_valid", "total", "True"),
        (invoice(total=2**63), "command_must_be_valid", "total", str(2**63)),
        (invoice(line(Decimal("1.0"))), "command_must_be_valid", "lines.data.0.amount", "1.0"),
        (
            invoice(total=11_900, total_taxes=[tax(1_900, 10_000)]),
            "tax_rate_must_be_known",
            "total_taxes.0.tax_rate_details.tax_rate",
            "txr_19",
        ),
        (invoice(total=11_900, total_taxes=None, tax=1_900), "tax_rate_must_be_known", "tax_percent", ""),
        (
            invoice(total=12_600, total_taxes=[tax(1_900, None, RATE), tax(700, None, RATE)]),
            "command_must_be_valid",
            "total_taxes.0.taxable_amount",
            "",
        ),
        (invoice(customer=None), "customer_must_be_given", "customer", ""),
        (invoice(currency="usx"), "command_must_be_valid", "currency", "usx"),
        (invoice(currency=None), "command_must_be_valid", "currency", ""),
        (invoice(effective_at="2024-01-31"), "command_must_be_valid", "effective_at", "2024-01-31"),
        (invoice(effective_at=10**15), "command_must_be_valid", "effective_at", str(10**15)),
        (invoice(status="frozen"), "command_must_be_valid", "status", "frozen"),
        (invoice(status=None), "command_must_be_valid", "status", ""),
        (invoice(id=None), "command_must_be_valid", "id", ""),
        (invoice(lines={"data": "none"}), "command_must_be_valid", "lines", ""),
    ],
)
def test_a_wrong_invoice_is_held_whole(message: dict[str, Any], code: str, field: str, value: str) -> None:
    wrong = held(message)
    assert (wrong.code, wrong.field, wrong.value) == (code, field, value)
    assert (wrong.book, wrong.source, wrong.origin, wrong.lane) == ("main", "stripe", "stripe:0:7", "stripe:C1")
    assert wrong.source_id == message["id"]
    assert wrong.rule


def test_one_line_for_the_whole_needs_no_lines() -> None:
    cut = invoice(total=11_900, total_taxes=[tax(1_900, 10_000)], lines={"data": [line(5_000)], "has_more": True})
    assert lines(one(cut, lines="one", tax_rates=RATES)) == [10_000]


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [
        ("jpy", 500, 500),
        ("kwd", 5_120, 5_120),
        ("eur", 500, 500),
        ("isk", 500, 5),
        ("ugx", 500, 5),
        ("mga", 500, 50_000),
    ],
)
def test_amounts_are_in_the_smallest_unit_of_iso_4217(currency: str, amount: int, minor: int) -> None:
    command = one(invoice(line(amount), currency=currency))
    assert (command.currency, command.total) == (currency.upper(), minor)
    assert command.instalments[0].amount == minor == lines(command)[0]


def test_an_amount_that_is_no_whole_unit_is_held() -> None:
    wrong = held(invoice(line(550), currency="isk"))
    assert (wrong.code, wrong.field, wrong.value) == ("amount_must_fit_the_currency", "total", "550")


def test_an_unknown_customer_goes_to_a_house_account_if_the_feed_says_so() -> None:
    assert one(invoice(customer=None), missing_customer="house").customer == "~stripe:2024-01"
    assert one(invoice(customer=None, customer_account="acct_9")).customer == "acct_9"


# --- credit notes


def test_a_credit_note_credits_its_invoice() -> None:
    command = one(event("credit_note.created", credit_note(line(2_000), line(1_000))))
    assert isinstance(command, IssueCreditNote)
    assert (command.source_id, command.number, command.total) == ("cn_1", "cn_1", 3_000)
    assert command.against is not None
    assert command.against.document == "invoice::in_1:1"
    assert (command.effective_on, lines(command)) == (date(2024, 2, 1), [2_000, 1_000])
    assert digest(one(credit_note(line(1_000), line(2_000)))) == digest(command)


def test_its_taxes_have_the_codes_of_the_invoice() -> None:
    old = {"amount": 570, "inclusive": False, "tax_rate": "txr_19", "taxable_amount": 3_000}
    note = credit_note(line(3_000, tax_amounts=[old]), total=3_570, tax_amounts=[old])
    assert taxes(one(note, tax_rates=RATES)) == [("txr_19", "19", 3_000, 570)]
    now = credit_note(line(3_000), total=3_570, total_taxes=[tax(570, 3_000)])
    assert digest(one(now, tax_rates=RATES)) == digest(one(note, tax_rates=RATES))


def test_a_voided_credit_note_is_issued_and_reversed() -> None:
    entries = read(event("credit_note.voided", credit_note(status="void")))
    assert kinds(entries) == ["IssueCreditNote cn_1", "ReverseDocument cn_1:voided"]


def test_a_wrong_credit_note_is_held() -> None:
    assert held(credit_note(total=2_999)).code == "lines_and_tax_must_sum_to_total"
    assert held(credit_note(status="maybe")).field == "status"
    assert held(credit_note(customer=None)).code == "customer_must_be_given"


def test_percentages_are_exact() -> None:
    rate = RATE | {"percentage": Decimal("8.875")}
    command = one(invoice(line(1_000), total=1_089, total_taxes=[tax(89, 1_000, rate)]))
    assert taxes(command) == [("txr_19", "8.875", 1_000, 89)]
