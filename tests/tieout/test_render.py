"""Tables for people: amounts to the cent of each currency, aligned, in both languages."""

from datetime import UTC, date, datetime

import pytest
from rich.table import Table

from domain.events import Posting
from projections.answers import (
    AgeingRow,
    Balance,
    Bucket,
    ControlRow,
    Difference,
    ExplainedPosting,
    JournalEntry,
    Movement,
    OpenItem,
    Statement,
    TrialBalanceRow,
)
from tieout.cli.output import as_text
from tieout.messages import Lang, Texts
from tieout.render.accounts import by_account, control_table, journal_table, trial_balance_table
from tieout.render.amounts import amount, money
from tieout.render.grid import grid, narrow, plain, row
from tieout.render.receivables import ageing_table, balance_table, items_table, statement_table
from tieout.render.traces import differences_table, explanation_table, short_origin

EN, ZH = Texts("en"), Texts("zh")
DAY = date(2026, 6, 30)


def text(table: Table) -> list[str]:
    return as_text(table, 10_000).splitlines()


def balance(customer: str, currency: str, minor: int, base: int) -> Balance:
    return Balance(
        customer=customer,
        currency=currency,
        role="receivable",
        account="1122",
        amount=minor,
        base_amount=base,
        explain={},
    )


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (0, "CNY", "0.00"),
        (5, "CNY", "0.05"),
        (-5, "CNY", "-0.05"),
        (123456789, "CNY", "1,234,567.89"),
        (-100, "CNY", "-1.00"),
        (1234567, "JPY", "1,234,567"),
        (-1234567, "KWD", "-1,234.567"),
        (2**63 - 1, "CNY", "92,233,720,368,547,758.07"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(minor: int, currency: str, shown: str) -> None:
    assert amount(minor, currency) == shown
    assert money(minor, currency) == f"{currency} {shown}"


def test_balances_are_aligned_and_summed_by_currency() -> None:
    table = balance_table([balance("C1", "CNY", 123456, 123456), balance("C2", "CNY", -5, -5)], EN, "CNY")
    assert text(table) == [
        "customer   account   role         currency     amount",
        "─" * 53,
        "C1         1122      receivable   CNY        1,234.56",
        "C2         1122      receivable   CNY           -0.05",
        "",
        "total                             CNY        1,234.51",
    ]


def test_balances_in_a_foreign_currency_show_the_base_amount_too() -> None:
    table = balance_table([balance("C1", "JPY", 1000, 4750), balance("C1", "CNY", 100, 100)], ZH, "CNY")
    assert "折合 CNY" in text(table)[0]
    assert text(table)[2].split() == ["C1", "1122", "receivable", "JPY", "1,000", "47.50"]


def test_chinese_and_latin_columns_line_up() -> None:
    found = [balance("C1", "CNY", 1, 1), balance("C2", "CNY", 2, 2)]
    lines = text(balance_table(found, ZH, "CNY", {"C1": "北方贸易有限公司", "C2": "Acme"}))
    # Each Chinese character takes two columns of a terminal.
    widths = {sum(2 if ord(one) > 0x2E7F else 1 for one in line) for line in lines if "C" in line and "1122" in line}
    assert len(widths) == 1


def test_ageing_shows_buckets_and_sums() -> None:
    def aged(customer: str | None, *figures: int) -> AgeingRow:
        not_due, first, rest, unapplied, net = figures
        return AgeingRow(
            customer=customer,
            currency="CNY",
            not_due=not_due,
            buckets=[
                Bucket(from_days=1, to_days=30, amount=first, explain={}),
                Bucket(from_days=31, to_days=None, amount=rest, explain={}),
            ],
            unapplied=unapplied,
            net=net,
            base_net=net,
            explain={},
        )

    lines = text(ageing_table([aged("C1", 100, 200, 300, 50, 550), aged("C2", 0, 0, 1, 0, 1)], EN))
    assert lines[0].split() == ["customer", "currency", "not", "due", "1–30", ">30", "unapplied", "net"]
    assert lines[2].split() == ["C1", "CNY", "1.00", "2.00", "3.00", "-0.50", "5.50"]
    assert lines[-1].split() == ["total", "CNY", "1.00", "2.00", "3.01", "-0.50", "5.51"]
    assert text(ageing_table([aged(None, 1, 0, 0, 0, 1)], ZH))[-1].split()[0] == "合计"
    assert len(text(ageing_table([], EN))) == 2


@pytest.mark.parametrize(("side", "shown"), [("D", "90.00"), ("C", "-90.00")])
def test_credit_items_have_a_minus(side: str, shown: str) -> None:
    item = OpenItem(
        item="invoice::1:1#1",
        document="invoice::1:1",
        instalment=1,
        side=side,  # type: ignore[arg-type]
        customer="C1",
        currency="CNY",
        role="receivable",
        account="1122",
        dimensions={"region": "north"},
        due_on=DAY,
        effective_on=DAY,
        amount=10000,
        base_amount=10000,
        open=9000,
        base_open=9000,
        overdue=3,
        explain={},
    )
    cells = text(items_table([item], EN))[2].split()
    assert shown in cells
    assert cells[-1] == "region=north"
    assert ("3" in cells) == (side == "D")


def test_a_statement_runs_from_opening_to_closing() -> None:
    movement = Movement(
        effective_on=DAY,
        position="0:7",
        event="acct:main:C1:CNY:3",
        kind="PaymentReceived",
        document="payment::P1:1",
        amount=-4000,
        running=6000,
        explain={},
    )
    statement = Statement(
        book="main",
        customer="C1",
        currency="CNY",
        from_on=date(2026, 6, 1),
        effective_on=DAY,
        position="0:9",
        opening=10000,
        movements=[movement],
        closing=6000,
        explain={},
    )
    lines = text(statement_table(statement, EN, "Lin Wholesale"))
    assert lines[0] == "Statement of C1 Lin Wholesale, CNY"
    assert lines[3].split() == ["2026-06-01", "opening", "100.00"]
    assert lines[4].split()[-2:] == ["-40.00", "60.00"]
    assert lines[-1].split() == ["2026-06-30", "closing", "60.00"]


def test_the_journal_has_a_line_a_posting_and_names_the_event_once() -> None:
    entry = JournalEntry(
        position="0:7",
        voucher="0:7",
        event="acct:main:C1:CNY:3",
        kind="InvoiceIssued",
        recorded_at=datetime(2026, 6, 30, tzinfo=UTC),
        effective_on=DAY,
        requested_effective_on=None,
        customer="C1",
        currency="CNY",
        document="invoice::1:1",
        caused_by=None,
        source="billing",
        source_id="1",
        actor="system",
        reason=None,
        postings=[
            Posting("receivable", "1122", "D", 113, 113, "invoice::1:1#1"),
            Posting("revenue", "6001", "C", 113, 113),
        ],
    )
    lines = text(journal_table([entry], EN))
    assert lines[2].split()[0] == "0:7"
    assert lines[2].split()[-2:] == ["1.13", "invoice::1:1#1"]
    assert lines[3].split() == ["6001", "CNY", "1.13"]


def test_a_trial_balance_sums_to_zero() -> None:
    def line(account: str, closing: int) -> TrialBalanceRow:
        debit, credit = (closing, 0) if closing > 0 else (0, -closing)
        return TrialBalanceRow(
            account=account,
            currency="CNY",
            dimensions={},
            opening=0,
            debit=debit,
            credit=credit,
            closing=closing,
            base_opening=0,
            base_debit=debit,
            base_credit=credit,
            base_closing=closing,
            explain={},
        )

    lines = text(trial_balance_table([line("1122", 500), line("6001", -500)], ZH, "CNY"))
    assert lines[-1].split() == ["合计", "CNY", "0.00", "5.00", "5.00", "0.00"]


def test_subledger_that_differs_from_control_is_seen() -> None:
    good = ControlRow(account="1122", currency="CNY", dimensions={}, items=5, postings=5, base_items=5, base_postings=5)
    bad = ControlRow(account="2203", currency="CNY", dimensions={}, items=5, postings=4, base_items=5, base_postings=5)
    lines = text(control_table([good, bad], EN))
    assert lines[2].split()[-2:] == ["0.00", "yes"]
    assert lines[3].split()[-2:] == ["0.01", "NO"]


def test_an_explained_posting_says_what_it_adds_and_where_it_came_from() -> None:
    posting = ExplainedPosting(
        position="0:7",
        event="acct:main:C1:CNY:3",
        kind="InvoiceIssued",
        recorded_at=datetime(2026, 6, 30, tzinfo=UTC),
        effective_on=DAY,
        customer="C1",
        currency="CNY",
        document="invoice::1:1",
        actor="system",
        source="billing",
        source_id="77",
        origin=f"file:{'ab' * 32}:12-14",
        posting=Posting("receivable", "1122", "D", 113, 113, "invoice::1:1#1"),
        contribution=113,
        base_contribution=113,
    )
    cells = text(explanation_table([posting], "CNY", EN))[2].split()
    assert cells[-3:] == ["1.13", "billing/77", "file:abababababab…:12-14"]


def test_origins_are_shortened() -> None:
    assert short_origin(None) == ""
    assert short_origin("stdin:3") == "stdin:3"
    assert len(short_origin(f"file:{'ab' * 32}:" + ",".join(map(str, range(1, 200, 2))))) == 48


def test_a_difference_names_table_key_and_column() -> None:
    changed = Difference(table="item", key={"shard": 0, "item": "x#1"}, column="open_now", stored=1, replayed=2)
    gone = Difference(table="item", key={"shard": 0, "item": "y#1"}, column=None, stored=None, replayed="row")
    lines = text(differences_table([changed, gone], EN))
    assert lines[2].split() == ["item", "item=x#1", "shard=0", "open_now", "1", "2"]
    assert "(whole row)" in lines[3]
    assert "(missing)" in lines[3]


def test_text_from_outside_cannot_steer_a_terminal_or_be_read_as_markup() -> None:
    assert plain("a\x1b[31mb\u202ec\nd") == "a [31mb c d"
    table = grid(EN, ["name"])
    row(table, "[bold]x[/bold]")
    assert text(table)[2] == "[bold]x[/bold]"


@pytest.mark.parametrize("width", [20, 60, 100, 200])
def test_however_narrow_a_terminal_is_no_amount_is_cut(width: int) -> None:
    name = {"C1": "A very long name of a customer that goes on and on"}
    table = balance_table([balance("C1", "CNY", 123456789012345, 0)], EN, "USD", name)
    lines = as_text(table, max(width, narrow(table))).splitlines()
    assert sum("1,234,567,890,123.45" in line for line in lines) == 1
    assert len(lines) == (3 if width == 200 else len(lines))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_table_without_a_terminal_has_no_colours_and_no_trailing_blanks(lang: Lang) -> None:
    lines = text(balance_table([balance("C1", "CNY", 1, 1)], Texts(lang), "CNY"))
    assert not any("\x1b" in line or line != line.rstrip() for line in lines)


def test_dimensions_are_summed_up_by_account() -> None:
    figures = {"opening": 0, "debit": 5, "credit": 2, "closing": 3}
    in_base = {f"base_{name}": 7 * amount for name, amount in figures.items()}
    rows = [
        TrialBalanceRow(account="6001", currency="USD", dimensions={"goods": goods}, explain={}, **figures, **in_base)
        for goods in ("seeds", "books")
    ]
    [summed] = by_account(rows)
    assert (summed.debit, summed.credit, summed.closing, summed.base_closing) == (10, 4, 6, 42)
    assert summed.dimensions == {}
    pairs = [
        ControlRow(
            account="1122",
            currency="CNY",
            dimensions={"region": region},
            items=n,
            postings=n,
            base_items=n,
            base_postings=n,
        )
        for n, region in enumerate(("east", "west"), 1)
    ]
    [control] = by_account(pairs)
    assert (control.items, control.dimensions) == (3, {})
    assert control.holds
