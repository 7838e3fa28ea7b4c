"""What customers owe: balances, open items, ageing, statements."""

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from projections.answers import AgeingRow, Balance, OpenItem, Statement
from tieout.messages import Texts
from tieout.render.amounts import amount
from tieout.render.grid import dimensions, grid, row

NOBODY: Mapping[str, str] = {}


def balance_table(
    balances: Sequence[Balance], texts: Texts, base_currency: str, names: Mapping[str, str] = NOBODY
) -> Table:
    """Balances by control account, a total a currency. ``names``: customer → name, shown where known."""
    with_base = any(one.currency != base_currency for one in balances)
    columns = ["customer", *(["name"] if names else []), "account", "role", "currency", "amount"]
    if with_base:
        columns.append(f"={texts('column.in_base', currency=base_currency)}")
    table = grid(texts, columns)

    def line(customer: str, account: str, role: str, currency: str, total: int, base: int) -> list[str]:
        cells = [customer, *([names.get(customer, "")] if names else []), account, role, currency]
        return [*cells, amount(total, currency), *([amount(base, base_currency)] if with_base else [])]

    sums: dict[str, list[int]] = {}
    for one in balances:
        row(table, *line(one.customer, one.account, one.role, one.currency, one.amount, one.base_amount))
        total = sums.setdefault(one.currency, [0, 0, 0])
        sums[one.currency] = [total[0] + one.amount, total[1] + one.base_amount, total[2] + 1]
    if len(balances) > 1:
        table.add_section()
        for currency, (total_amount, total_base, _) in sorted(sums.items()):
            row(table, *line(texts("word.total"), "", "", currency, total_amount, total_base), style="bold")
    return table


def items_table(items: Iterable[OpenItem], texts: Texts) -> Table:
    """Open items, each with the days it is overdue; credit items are shown with a minus."""
    found = list(items)
    with_dimensions = any(one.dimensions for one in found)
    columns = ["customer", "item", "effective_on", "due_on", "overdue", "account", "currency", "amount", "open"]
    table = grid(texts, [*columns, *(["dimensions"] if with_dimensions else [])])
    for one in found:
        sign = 1 if one.side == "D" else -1
        row(
            table,
            one.customer,
            one.item,
            one.effective_on,
            one.due_on if one.side == "D" else "",
            one.overdue if one.side == "D" else "",
            one.account,
            one.currency,
            amount(sign * one.amount, one.currency),
            amount(sign * one.open, one.currency),
            *([dimensions(one.dimensions)] if with_dimensions else []),
        )
    return table


def ageing_table(rows: Sequence[AgeingRow], texts: Texts, names: Mapping[str, str] = NOBODY) -> Table:
    """Ageing 账龄, a line a customer account and a total a currency."""
    spans = [(bucket.from_days, bucket.to_days) for bucket in rows[0].buckets] if rows else []
    columns = ["customer", *(["name"] if names else []), "currency", "not_due"]
    table = grid(texts, [*columns, *(f"={_span(*span)}" for span in spans), "unapplied", "net"])
    sums: dict[str, list[int]] = {}
    for one in rows:
        figures = [one.not_due, *(bucket.amount for bucket in one.buckets), -one.unapplied, one.net]
        customer = texts("word.total") if one.customer is None else one.customer
        _ageing_line(table, customer, names, one.currency, figures)
        if one.customer is not None:
            before = sums.setdefault(one.currency, [0] * len(figures))
            sums[one.currency] = [a + b for a, b in zip(before, figures, strict=True)]
    if sums and len(rows) > 1:
        table.add_section()
        for currency, figures in sorted(sums.items()):
            _ageing_line(table, texts("word.total"), names, currency, figures, style="bold")
    return table


def _ageing_line(
    table: Table,
    customer: str,
    names: Mapping[str, str],
    currency: str,
    figures: Sequence[int],
    style: str | None = None,
) -> None:
    name = [names.get(customer, "")] if names else []
    row(table, customer, *name, currency, *(amount(one, currency) for one in figures), style=style)


def _span(from_days: int, to_days: int | None) -> str:
    return f">{from_days - 1}" if to_days is None else f"{from_days}–{to_days}"


def statement_table(statement: Statement, texts: Texts, name: str = "") -> Table:
    """A statement 对账单: opening, a line a movement with the running balance, closing."""
    currency = statement.currency
    title = texts("title.statement", customer=f"{statement.customer} {name}".strip(), currency=currency)
    table = grid(texts, ["effective_on", "position", "kind", "document", "amount", "running"], title)
    row(table, statement.from_on, "", texts("word.opening"), "", "", amount(statement.opening, currency), style="bold")
    for one in statement.movements:
        row(
            table,
            one.effective_on,
            one.position,
            texts.get(f"kind.{one.kind}", one.kind),
            one.document,
            amount(one.amount, currency),
            amount(one.running, currency),
        )
    table.add_section()
    closing = amount(statement.closing, currency)
    row(table, statement.effective_on, "", texts("word.closing"), "", "", closing, style="bold")
    return table
