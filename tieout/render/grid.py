"""The one look of all tables, and how text that came from outside is made safe to show."""

import unicodedata
from collections.abc import Iterable, Sequence

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from tieout.messages import Texts

NUMBERS = frozenset(
    (
        *("amount", "closing", "contribution", "count", "credit", "debit", "difference", "items", "net", "not_due"),
        *("deferred", "recognised", "in_accounts"),
        *("behind", "end", "next", "partition"),
        *(
            "best_possible",
            "count_back",
            "days_late",
            "days_to_pay",
            "delinquent",
            "dso",
            "exposure",
            "headroom",
            "limit",
        ),
        *("overdue_amount", "paid", "receivable", "sales", "usual"),
        *("open", "opening", "overdue", "postings", "rows", "running", "unapplied"),
    )
)
"""Columns that are right-aligned."""
LONG = frozenset(
    (
        *("credit_item", "debit_item", "documents", "linked_to"),
        *(
            "address",
            "dimensions",
            "document",
            "from_document",
            "grants",
            "item",
            "key",
            "name",
            "origin",
            "reason",
            "replayed",
        ),
        *("rule", "source_id", "stored", "to_document", "value"),
    )
)
"""Columns that may be broken over lines where a terminal is narrow; all others stay whole."""
NARROWEST = 16
"""Columns of a terminal that a long column keeps at least."""


_BETWEEN = 3
"""Columns of a terminal between two columns of a table."""


def plain(value: object) -> str:
    """A value as text that cannot steer a terminal: control characters become spaces."""
    text = "" if value is None else str(value)
    return "".join(" " if unicodedata.category(one) in ("Cc", "Cf") else one for one in text)


def grid(texts: Texts, columns: Sequence[str], title: str | None = None) -> Table:
    """An empty table. A column is a key of the message table (``column.customer``), or ready text after ``=``."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        title=None if title is None else Text(plain(title)),
        title_justify="left",
        title_style="bold",
        header_style="bold",
    )
    for column in columns:
        header = column[1:] if column.startswith("=") else texts(f"column.{column}")
        number = column in NUMBERS or column.startswith("=")
        whole = column not in LONG
        table.add_column(Text(header), justify="right" if number else "left", no_wrap=whole, overflow="fold")
    return table


def narrow(table: Table) -> int:
    """Let the long columns of a table be narrowed; the columns of a terminal that it needs at least.

    In fewer, an amount would be cut off, and what is left of it would look like another amount.
    """
    needed = _BETWEEN * (len(table.columns) - 1)
    for column in table.columns:
        natural = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
        column.min_width = natural if column.no_wrap else min(natural, NARROWEST)
        needed += column.min_width
    return needed


def row(table: Table, *cells: object, style: str | None = None) -> None:
    """Add a row; cells are never read as markup."""
    table.add_row(*(Text(plain(cell)) for cell in cells), style=style)


def rows(table: Table, lines: Iterable[Sequence[object]]) -> Table:
    """Add rows; the table."""
    for line in lines:
        row(table, *line)
    return table


def dimensions(values: dict[str, str]) -> str:
    """Dimensions 辅助核算 in one cell, in order of their names."""
    return " ".join(f"{name}={values[name]}" for name in sorted(values))
