"""Ageing 账龄 at any (E, K). Identity 12: not yet due + Σ buckets − unapplied = the net of all control accounts.

Debit items are aged by their due day; what credit items have open (prepayments, credit notes, deposits) is unapplied and
is not aged. An item due on E itself is not yet due.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

from domain.events import Side
from projections.accounts import account_of, paged
from projections.answers import AgeingRow, Bucket
from projections.items import open_at
from projections.selectors import Due, Net, Position, Unapplied
from projections.view import Moment, Scope, View

_NOT_DUE = 0
_UNAPPLIED = -1


class _Sum(NamedTuple):
    """What one age of an account has open; signed amounts."""

    customer: str | None
    currency: str
    age: int
    amount: int
    base_amount: int


def check_buckets(buckets: Sequence[int]) -> None:
    """Days after which the next bucket begins: whole, positive, ascending; else ValueError."""
    if any(days < 1 for days in buckets) or list(buckets) != sorted(set(buckets)):
        raise ValueError(f"buckets must be ascending numbers of days, from 1 on: {', '.join(map(str, buckets))}")


def ageing(
    view: View,
    scope: Scope,
    at: Moment,
    buckets: Sequence[int],
    after: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[AgeingRow]:
    """One row a customer account with something open, by customer and currency."""

    def answer(some: Scope) -> list[AgeingRow]:
        return _rows(scope.book, at, buckets, _sums(view, some, at, buckets, by_customer=True))

    return list(paged(view, scope, at, answer, after, limit))


def ageing_totals(view: View, scope: Scope, at: Moment, buckets: Sequence[int]) -> list[AgeingRow]:
    """One row a currency with something open."""
    return _rows(scope.book, at, buckets, _sums(view, scope, at, buckets, by_customer=False))


def _sums(view: View, scope: Scope, at: Moment, buckets: Sequence[int], *, by_customer: bool) -> Iterable[_Sum]:
    query = open_at(scope, at, "stream, side, due_on")
    bounds = [0, *buckets]
    ages, days = age_cases(at.day, bounds)
    owner = "stream" if by_customer else "substr(stream, length(stream) - 2)"
    rows = view.connection.execute(
        f"SELECT {owner}, CASE WHEN side = 'C' THEN {_UNAPPLIED}{ages} ELSE {len(bounds)} END AS age, "
        f"sum(open), sum(open_base) FROM ({query.text}) i GROUP BY 1, 2 HAVING sum(open) != 0 OR sum(open_base) != 0",
        query.parameters | days,
    )
    for name, age, amount, base_amount in rows:
        if by_customer:
            _, customer, currency = account_of(name)
            yield _Sum(customer, currency, age, amount, base_amount)
        else:
            yield _Sum(None, name, age, amount, base_amount)


def age_cases(on: date, bounds: Sequence[int]) -> tuple[str, dict[str, str]]:
    """The cases of a query for the age of ``due_on``, and their parameters.

    Age n: overdue by more days than the first n bounds, and at most the next one; beyond the last there is no case.
    """
    cases = "".join(f" WHEN due_on >= :day{n} THEN {n}" for n in range(len(bounds)))
    return cases, {f"day{n}": (on - timedelta(days=bound)).isoformat() for n, bound in enumerate(bounds)}


def _rows(book: str, at: Moment, buckets: Sequence[int], sums: Iterable[_Sum]) -> list[AgeingRow]:
    ordered = sorted(sums, key=lambda s: (s.customer or "", s.currency))
    return [
        _row(book, customer, currency, at, buckets, list(found))
        for (customer, currency), found in groupby(ordered, key=lambda s: (s.customer, s.currency))
    ]


def _row(
    book: str, customer: str | None, currency: str, at: Moment, buckets: Sequence[int], sums: Sequence[_Sum]
) -> AgeingRow:
    amounts = {found.age: found.amount for found in sums}
    own = {"book": book, "customer": customer, "currency": currency}
    clocks = {"effective_on": at.day, "position": Position(at.position)}
    ranges = zip([1, *(days + 1 for days in buckets)], [*buckets, None], strict=True)
    return AgeingRow(
        customer=customer,
        currency=currency,
        not_due=amounts.get(_NOT_DUE, 0),
        buckets=[
            Bucket(
                from_days=first,
                to_days=last,
                amount=amounts.get(age, 0),
                explain={"amount": Due(**own, **clocks, from_days=first, to_days=last).text},  # type: ignore[arg-type]
            )
            for age, (first, last) in enumerate(ranges, 1)
        ],
        unapplied=-amounts.get(_UNAPPLIED, 0),
        net=sum(amounts.values()),
        base_net=sum(found.base_amount for found in sums),
        explain={
            "not_due": Due(**own, **clocks, from_days=None, to_days=0).text,  # type: ignore[arg-type]
            "unapplied": Unapplied(**own, **clocks).text,  # type: ignore[arg-type]
            "net": Net(**own, **clocks).text,  # type: ignore[arg-type]
        },
    )


def ageing_sum(
    view: View, scope: Scope, at: Moment, side: Side, first: date | None = None, last: date | None = None
) -> tuple[int, int]:
    """What the items of a side that fall due between two days (None: no bound) have open; signed, and in base."""
    query = open_at(scope, at, "stream, side, due_on")
    row = view.connection.execute(
        f"SELECT coalesce(sum(open), 0), coalesce(sum(open_base), 0) FROM ({query.text}) i WHERE side = :side "
        "AND (:first IS NULL OR due_on >= :first) AND (:last IS NULL OR due_on <= :last)",
        query.parameters
        | {"side": side, "first": first.isoformat() if first else None, "last": last.isoformat() if last else None},
    ).fetchone()
    return row[0], row[1]
