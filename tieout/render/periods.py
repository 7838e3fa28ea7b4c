"""Periods, closing lists, and what belongs to a prior period."""

from collections.abc import Iterable

from rich.table import Table

from projections.answers import ClosingFinding, MovedFact, PeriodRow
from tieout.messages import Texts
from tieout.render.amounts import amount, count
from tieout.render.grid import grid, row


def periods_table(periods: Iterable[PeriodRow], texts: Texts) -> Table:
    """A period a line, with who closed or opened it last."""
    table = grid(texts, ["period", "from", "to", "status", "actor", "recorded_at", "accepted", "reason"])
    for one in periods:
        at = one.recorded_at.isoformat(timespec="seconds") if one.recorded_at is not None else ""
        accepted = " ".join(texts(f"check.{name}") for name in one.accepted)
        cells = (one.period, one.first_on, one.last_on, texts(f"period_status.{one.status}"))
        row(table, *cells, one.actor, at, accepted, one.reason)
    return table


def closing_table(found: Iterable[ClosingFinding], texts: Texts) -> Table:
    """A point of the list a line, by its name and in words."""
    table = grid(texts, ["check", "meaning", "count", "holds"])
    for one in found:
        holds = texts("word.yes" if one.holds else "word.no")
        row(table, one.check, texts(f"check.{one.check}"), count(one.found) if one.found else "", holds)
    return table


def moved_table(facts: Iterable[MovedFact], texts: Texts) -> Table:
    """A late fact a line."""
    table = grid(texts, ["period", "asked_on", "effective_on", "customer", "document", "kind", "amount", "currency"])
    for one in facts:
        row(
            table,
            one.period,
            one.requested_effective_on,
            one.effective_on,
            one.customer,
            one.document,
            texts(f"kind.{one.kind}"),
            amount(one.amount, one.currency),
            one.currency,
        )
    return table
