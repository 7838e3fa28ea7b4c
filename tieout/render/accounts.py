"""What the accounts say: journal, trial balance, subledger against control."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from rich.table import Table

from projections.answers import ControlRow, JournalEntry, TrialBalanceRow
from tieout.messages import Texts
from tieout.render.amounts import amount
from tieout.render.grid import dimensions, grid, row

Row = TypeVar("Row", TrialBalanceRow, ControlRow)


def journal_table(entries: Iterable[JournalEntry], texts: Texts) -> Table:
    """The journal, a line a posting; what an event has in common stands on its first line."""
    columns = [
        "position",
        "effective_on",
        "kind",
        "customer",
        "document",
        "account",
        "currency",
        "debit",
        "credit",
        "item",
    ]
    table = grid(texts, columns)
    for entry in entries:
        head = [
            entry.position,
            entry.effective_on,
            texts.get(f"kind.{entry.kind}", entry.kind),
            entry.customer,
            entry.document or entry.caused_by or "",
        ]
        for posting in entry.postings:
            shown = amount(posting.amount, entry.currency)
            sides = (shown, "") if posting.side == "D" else ("", shown)
            row(table, *head, posting.account, entry.currency, *sides, posting.item)
            head = [""] * len(head)
    return table


def trial_balance_table(found: Sequence[TrialBalanceRow], texts: Texts, base_currency: str) -> Table:
    """The trial balance 科目余额表, with the sums of all accounts a currency, which must be zero."""
    with_dimensions = any(one.dimensions for one in found)
    with_base = any(one.currency != base_currency for one in found)
    columns = [
        "account",
        *(["dimensions"] if with_dimensions else []),
        "currency",
        "opening",
        "debit",
        "credit",
        "closing",
    ]
    if with_base:
        columns.append(f"={texts('column.closing_in_base', currency=base_currency)}")
    table = grid(texts, columns)

    def line(account: str, labels: str, currency: str, figures: Sequence[int], base: int) -> list[str]:
        cells = [account, *([labels] if with_dimensions else []), currency]
        cells += [amount(one, currency) for one in figures]
        return [*cells, *([amount(base, base_currency)] if with_base else [])]

    sums: dict[str, list[int]] = {}
    for one in found:
        figures = [one.opening, one.debit, one.credit, one.closing]
        row(table, *line(one.account, dimensions(one.dimensions), one.currency, figures, one.base_closing))
        before = sums.setdefault(one.currency, [0] * 5)
        sums[one.currency] = [a + b for a, b in zip(before, [*figures, one.base_closing], strict=True)]
    table.add_section()
    for currency, (*figures, base) in sorted(sums.items()):
        row(table, *line(texts("word.total"), "", currency, figures, base), style="bold")
    return table


def control_table(found: Sequence[ControlRow], texts: Texts) -> Table:
    """Subledger = control: open items against postings, and the difference, which must be zero."""
    with_dimensions = any(one.dimensions for one in found)
    labels = ["dimensions"] if with_dimensions else []
    table = grid(texts, ["account", *labels, "currency", "items", "postings", "difference", "holds"])
    for one in found:
        row(
            table,
            one.account,
            *([dimensions(one.dimensions)] if with_dimensions else []),
            one.currency,
            amount(one.items, one.currency),
            amount(one.postings, one.currency),
            amount(one.items - one.postings, one.currency),
            texts("word.yes") if one.holds else texts("word.no"),
            style=None if one.holds else "bold red",
        )
    return table


def by_account(found: Iterable[Row]) -> list[Row]:
    """Rows of a trial balance or of controls with dimensions summed up, one an account and currency.

    What is summed explains nothing any more; every figure of theirs is an integer.
    """
    summed: dict[tuple[str, str], Row] = {}
    for one in found:
        before = summed.get((one.account, one.currency))
        figures: dict[str, Any] = {
            name: value for name in one.__struct_fields__ if type(value := getattr(one, name)) is int
        }
        if before is not None:
            figures = {name: value + getattr(before, name) for name, value in figures.items()}
        emptied = [name for name in ("dimensions", "explain") if hasattr(one, name)]
        figures |= {name: {} for name in emptied}
        summed[one.account, one.currency] = msgspec.structs.replace(one, **figures)
    return [summed[key] for key in sorted(summed)]
