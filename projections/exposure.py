"""Credit limits and what customers are exposed for 信用敞口, and whether to hold them: an answer, never a block on facts.

Exposure is what debit items have open at (E, K) less what credit items have. The limit is the one last set as known at
K. An account is to be held when its exposure is beyond its limit, or an item is overdue by more days than are allowed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from projections.accounts import LOG, account_of, paged
from projections.answers import Exposure, HoldReason
from projections.items import open_at
from projections.rows import NO_LIMIT
from projections.selectors import Due, Net, Position, Unapplied
from projections.view import Moment, Scope, View

_OWED = """SELECT stream, sum(CASE side WHEN 'D' THEN open ELSE 0 END), sum(CASE side WHEN 'C' THEN -open ELSE 0 END),
    min(CASE WHEN side = 'D' AND open != 0 AND due_on < :E THEN due_on END) FROM ({items}) i GROUP BY stream"""
_LIMITS = """SELECT stream, amount FROM credit_limit c WHERE {where} AND position = (
    SELECT max(position) FROM credit_limit l WHERE l.shard = 0 AND l.stream = c.stream AND l.position <= :K)"""


class _Owed(NamedTuple):
    open: int = 0
    unapplied: int = 0
    oldest_due: str | None = None


def exposures(
    view: View,
    scope: Scope,
    at: Moment,
    overdue_days: int,
    after: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Exposure]:
    """One row a customer account with something open, or with a limit, by customer and currency.

    ``overdue_days``: an item overdue by more of them holds its customer.
    """

    def answer(some: Scope) -> list[Exposure]:
        return _exposures(view, some, at, overdue_days)

    return list(paged(view, scope, at, answer, after, limit, among=LOG))


def _exposures(view: View, scope: Scope, at: Moment, overdue_days: int) -> list[Exposure]:
    items = open_at(scope, at, "stream, side, due_on")
    found = view.connection.execute(_OWED.format(items=items.text), items.parameters | {"E": at.day.isoformat()})
    owed = {stream: _Owed(int(debit), int(credit), due) for stream, debit, credit, due in found if debit or credit}
    limits = _limits(view, scope, at)
    rows = [
        _row(stream, owed.get(stream, _Owed()), limits.get(stream), at, overdue_days) for stream in {*owed, *limits}
    ]
    return sorted(rows, key=lambda row: row.key)


def _limits(view: View, scope: Scope, at: Moment) -> dict[str, int]:
    where, parameters = scope.condition("c")
    rows = view.connection.execute(_LIMITS.format(where=where), parameters | {"K": at.position})
    return {stream: amount for stream, amount in rows if amount != NO_LIMIT}


def _row(stream: str, owed: _Owed, limit: int | None, at: Moment, overdue_days: int) -> Exposure:
    name = account_of(stream)
    exposure = owed.open - owed.unapplied
    overdue = (at.day - at.day.fromisoformat(owed.oldest_due)).days if owed.oldest_due is not None else 0
    reasons: list[HoldReason] = []
    if limit is not None and exposure > limit:
        reasons.append("over_limit")
    if overdue > overdue_days:
        reasons.append("overdue")
    own = {"book": name.book, "customer": name.customer, "currency": name.currency}
    clocks = {"effective_on": at.day, "position": Position(at.position)}
    return Exposure(
        customer=name.customer,
        currency=name.currency,
        limit=limit,
        open=owed.open,
        unapplied=owed.unapplied,
        exposure=exposure,
        headroom=limit - exposure if limit is not None else None,
        overdue=overdue,
        hold=bool(reasons),
        reasons=reasons,
        explain={
            "open": Due(**own, **clocks, from_days=None, to_days=None).text,  # type: ignore[arg-type]
            "unapplied": Unapplied(**own, **clocks).text,  # type: ignore[arg-type]
            "exposure": Net(**own, **clocks).text,  # type: ignore[arg-type]
        },
    )
