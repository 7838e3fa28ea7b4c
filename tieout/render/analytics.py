"""Days sales outstanding, how customers pay, exposure, what is unusual, and what changed since a statement."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from projections.answers import Changes, Dso, Exposure, Payer, Unusual
from tieout.messages import Texts
from tieout.render.amounts import amount
from tieout.render.grid import grid, row
from tieout.render.receivables import NOBODY


def dso_table(rows: Sequence[Dso], texts: Texts, names: Mapping[str, str] = NOBODY) -> Table:
    """A customer account a line, or a currency; a dash where there is nothing to divide by, or to count back over."""
    columns = ["customer", *(["name"] if names else []), "currency", "receivable", "overdue_amount", "sales"]
    table = grid(texts, [*columns, "dso", "best_possible", "delinquent", "count_back"])
    for one in rows:
        figures = (one.receivable, one.overdue, one.sales)
        row(
            table,
            *_who(one.customer or texts("word.total"), names),
            one.currency,
            *(amount(figure, one.currency) for figure in figures),
            *(days or "–" for days in (one.dso, one.best_possible, one.delinquent, one.count_back)),
        )
    return table


def payers_table(rows: Sequence[Payer], texts: Texts, names: Mapping[str, str] = NOBODY) -> Table:
    """A customer account a line."""
    table = grid(texts, ["customer", *(["name"] if names else []), "currency", "paid", "days_to_pay", "days_late"])
    for one in rows:
        paid = amount(one.amount, one.currency)
        row(table, *_who(one.customer, names), one.currency, paid, one.days_to_pay, one.days_late)
    return table


def exposure_table(rows: Sequence[Exposure], texts: Texts, names: Mapping[str, str] = NOBODY) -> Table:
    """A customer account a line; who is to be held stands out."""
    columns = ["customer", *(["name"] if names else []), "currency", "open", "unapplied", "exposure", "limit"]
    table = grid(texts, [*columns, "headroom", "overdue", "hold", "reason"])
    for one in rows:
        figures = (one.open, -one.unapplied, one.exposure, one.limit, one.headroom)
        row(
            table,
            *_who(one.customer, names),
            one.currency,
            *("–" if figure is None else amount(figure, one.currency) for figure in figures),
            one.overdue or "",
            texts("hold.yes" if one.hold else "hold.no"),
            texts("word.comma").join(texts(f"hold.{reason}") for reason in one.reasons),
            style="bold red" if one.hold else None,
        )
    return table


def unusual_table(rows: Sequence[Unusual], texts: Texts) -> Table:
    """A finding a line, with the documents that make it up, or the events that have none."""
    table = grid(texts, ["finding", "customer", "currency", "amount", "usual", "effective_on", "reason", "documents"])
    for one in rows:
        row(
            table,
            texts(f"unusual.{one.kind}"),
            one.customer,
            one.currency,
            amount(one.amount, one.currency),
            amount(one.usual, one.currency) if one.usual is not None else "",
            one.effective_on,
            texts("word.comma").join(texts.get(f"flag.{flag}", flag) for flag in one.flags),
            " ".join(one.documents or one.events),
        )
    return table


def changes_table(changes: Changes, texts: Texts, name: str = "") -> Table:
    """The closing as it was, what belongs to its days, what came after, and the closing as it is."""
    currency = changes.currency
    who = f"{changes.customer} {name}".strip()
    title = texts("title.changes", customer=who, currency=currency, day=changes.on)
    table = grid(texts, ["effective_on", "position", "kind", "document", "belongs_to", "amount"], title)
    before, after = amount(changes.before, currency), amount(changes.after, currency)
    row(table, changes.on, changes.since, texts("word.closing_then"), "", "", before, style="bold")
    for one in changes.changes:
        row(
            table,
            one.effective_on,
            one.position,
            texts.get(f"kind.{one.kind}", one.kind),
            one.document,
            texts("word.prior_period" if one.prior else "word.later"),
            amount(one.amount, currency),
        )
    table.add_section()
    row(table, changes.effective_on, changes.position, texts("word.closing"), "", "", after, style="bold")
    return table


def _who(customer: str, names: Mapping[str, str]) -> list[str]:
    return [customer, *([names.get(customer, "")] if names else [])]
