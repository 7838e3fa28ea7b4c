"""Revenue over time: what a run recognised, and deferred revenue by month."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from projections.answers import DeferredMonth, DueRecognition
from tieout.messages import Texts
from tieout.render.amounts import amount, count
from tieout.render.grid import grid, row


def recognised_table(found: Iterable[DueRecognition], texts: Texts) -> Table:
    """A currency a line: of how many documents, and how much in all."""
    sums: dict[str, tuple[int, int]] = {}
    for one in found:
        documents, recognised = sums.get(one.currency, (0, 0))
        sums[one.currency] = (documents + 1, recognised + one.amount)
    table = grid(texts, ["currency", "count", "recognised"])
    for currency, (documents, recognised) in sorted(sums.items()):
        row(table, currency, count(documents), amount(recognised, currency))
    return table


def deferred_table(months: Sequence[DeferredMonth], texts: Texts, base_currency: str) -> Table:
    """A month a line, with the closing in base currency where there are others, and whether the accounts agree."""
    with_base = any(one.currency != base_currency for one in months)
    columns = ["period", "currency", "opening", "deferred", "recognised", "closing", "in_accounts"]
    if with_base:
        columns.append(f"={texts('column.closing_in_base', currency=base_currency)}")
    table = grid(texts, [*columns, "holds"])
    for one in months:
        figures = (one.opening, one.deferred, one.recognised, one.closing, one.account)
        row(
            table,
            one.period,
            one.currency,
            *(amount(figure, one.currency) for figure in figures),
            *([amount(one.base_closing, base_currency)] if with_base else []),
            texts("word.yes" if one.holds else "word.no"),
            style=None if one.holds else "bold red",
        )
    return table
