"""Ageing 账龄 at any (E, K). Identity 12: not yet due + Σ buckets − unapplied = the net of all control accounts.

Debit items are aged by their due day; what credit items have open (prepayments, credit notes, deposits) is unapplied and
is not aged. An item due on E itself is not yet due.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from domain.events import Side
from projections.accounts import account_of, paged
from projections.answers import AgeingRow, Bucket
from projections.items import open_at, read_dimensions
from projections.selectors import Due, Net, Position, Share, Unapplied
from projections.view import Moment, Scope, View

_NOT_DUE = 0
_UNAPPLIED = -1
_DIMENSION = "dimension:"


class _Owner(NamedTuple):
    """Whose row it is: a customer's (None: all), in a currency, of a value of the dimension that is asked by."""

    customer: str | None
    currency: str
    group: str | None = None


_CURRENCY = "substr(stream, length(stream) - 2)"
_Sums = dict[_Owner, dict[int, tuple[int, int]]]
"""What each owner has open by age; signed, in amount and base amount."""


def check_buckets(buckets: Sequence[int]) -> None:
    """Days after which the next bucket begins: whole, positive, ascending; else ValueError."""
    if any(days < 1 for days in buckets) or list(buckets) != sorted(set(buckets)):
        raise ValueError(f"buckets must be ascending numbers of days, from 1 on: {', '.join(map(str, buckets))}")


def ageing_by(
    by: str,
    view: View,
    scope: Scope,
    at: Moment,
    buckets: Sequence[int],
    customer: str | None,
    after: Sequence[str] | None,
    limit: int | None,
) -> list[AgeingRow]:
    """By ``customer``, ``currency`` or ``dimension:<name>``; ValueError for anything else."""
    if by == "customer":
        return ageing(view, scope, at, buckets, after, limit)
    if by == "currency":
        rows = ageing_totals(view, scope, at, buckets, customer)
    elif by.startswith(_DIMENSION) and by != _DIMENSION:
        rows = ageing_shares(view, scope, at, buckets, by.removeprefix(_DIMENSION), customer)
    else:
        raise ValueError(f"ageing is by customer, currency or dimension:<name>, not by {by!r}")
    # There are few.
    return [row for row in rows if after is None or row.key > tuple(after)][:limit]


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
        return _rows(scope.book, at, buckets, _sums(view, some, at, buckets, ["stream"], _of_account))

    return list(paged(view, scope, at, answer, after, limit))


def ageing_totals(
    view: View, scope: Scope, at: Moment, buckets: Sequence[int], customer: str | None = None
) -> list[AgeingRow]:
    """One row a currency with something open, of all customers, or of the one whose accounts the scope has."""

    def owner(currency: str) -> _Owner:
        return _Owner(customer, currency)

    return _rows(scope.book, at, buckets, _sums(view, scope, at, buckets, [_CURRENCY], owner))


def ageing_shares(
    view: View, scope: Scope, at: Moment, buckets: Sequence[int], dimension: str, customer: str | None = None
) -> list[AgeingRow]:
    """The same by currency and value of a dimension of the items' postings, first what has none."""

    def owner(currency: str, dimensions: str) -> _Owner:
        return _Owner(customer, currency, read_dimensions(dimensions).get(dimension))

    sums = _sums(view, scope, at, buckets, [_CURRENCY, "dimensions"], owner)
    return _rows(scope.book, at, buckets, sums, dimension)


def _sums(
    view: View, scope: Scope, at: Moment, buckets: Sequence[int], columns: Sequence[str], owner: Callable[..., _Owner]
) -> _Sums:
    # Without its dimensions an item is read from the index alone.
    query = open_at(
        scope, at, ", ".join(["stream, side, due_on", *(["dimensions"] if "dimensions" in columns else [])])
    )
    bounds = [0, *buckets]
    ages, days = age_cases(at.day, bounds)
    grouped = ", ".join(str(n) for n in range(1, len(columns) + 2))
    rows = view.connection.execute(
        f"SELECT {', '.join(columns)}, CASE WHEN side = 'C' THEN {_UNAPPLIED}{ages} ELSE {len(bounds)} END, "
        f"sum(open), sum(open_base) FROM ({query.text}) i GROUP BY {grouped} HAVING sum(open) != 0 OR sum(open_base) != 0",
        query.parameters | days,
    )
    sums: _Sums = defaultdict(lambda: defaultdict(lambda: (0, 0)))
    for *named, age, amount, base_amount in rows:
        of_owner = sums[owner(*named)]
        before, base_before = of_owner[age]
        of_owner[age] = (before + int(amount), base_before + int(base_amount))
    return sums


def _of_account(stream: str) -> _Owner:
    _, customer, currency = account_of(stream)
    return _Owner(customer, currency)


def age_cases(on: date, bounds: Sequence[int]) -> tuple[str, dict[str, str]]:
    """The cases of a query for the age of ``due_on``, and their parameters.

    Age n: overdue by more days than the first n bounds, and at most the next one; beyond the last there is no case.
    """
    cases = "".join(f" WHEN due_on >= :day{n} THEN {n}" for n in range(len(bounds)))
    return cases, {f"day{n}": (on - timedelta(days=bound)).isoformat() for n, bound in enumerate(bounds)}


def _rows(book: str, at: Moment, buckets: Sequence[int], sums: _Sums, dimension: str | None = None) -> list[AgeingRow]:
    something = {owner: found for owner, found in sums.items() if any(map(any, found.values()))}
    rows = [_row(book, owner, at, buckets, found, dimension) for owner, found in something.items()]
    return sorted(rows, key=lambda row: row.key)


def _row(
    book: str,
    owner: _Owner,
    at: Moment,
    buckets: Sequence[int],
    found: Mapping[int, tuple[int, int]],
    dimension: str | None,
) -> AgeingRow:
    amounts = {age: amount for age, (amount, _) in found.items()}
    named = _Selectors(book, owner, at, dimension)
    ranges = zip([1, *(days + 1 for days in buckets)], [*buckets, None], strict=True)
    return AgeingRow(
        customer=owner.customer,
        currency=owner.currency,
        group=owner.group,
        not_due=amounts.get(_NOT_DUE, 0),
        buckets=[
            Bucket(
                from_days=first,
                to_days=last,
                amount=amounts.get(age, 0),
                explain={"amount": named.due(first, last)},
            )
            for age, (first, last) in enumerate(ranges, 1)
        ],
        unapplied=-amounts.get(_UNAPPLIED, 0),
        net=sum(amounts.values()),
        base_net=sum(base_amount for _, base_amount in found.values()),
        explain={"not_due": named.due(None, 0), "unapplied": named.unapplied(), "net": named.net()},
    )


class _Selectors:
    """What explains the amounts of a row."""

    def __init__(self, book: str, owner: _Owner, at: Moment, dimension: str | None) -> None:
        self._own: dict[str, Any] = {
            "book": book,
            "customer": owner.customer,
            "currency": owner.currency,
            "effective_on": at.day,
            "position": Position(at.position),
        }
        self._share: dict[str, Any] | None = None
        if dimension is not None:
            self._share = {"dimension": dimension, "value": owner.group}

    def due(self, first: int | None, last: int | None) -> str:
        """Of what debit items have open that are overdue by so many days."""
        if self._share is None:
            return Due(**self._own, from_days=first, to_days=last).text
        return Share(**self._own, **self._share, side="D", from_days=first, to_days=last).text

    def unapplied(self) -> str:
        """Of what credit items have open."""
        if self._share is None:
            return Unapplied(**self._own).text
        return Share(**self._own, **self._share, side="C", from_days=None, to_days=None).text

    def net(self) -> str:
        """Of both."""
        if self._share is None:
            return Net(**self._own).text
        return Share(**self._own, **self._share, side="both", from_days=None, to_days=None).text


def share_sum(
    view: View, scope: Scope, at: Moment, dimension: str, value: str | None, due: Callable[[str, date], bool]
) -> tuple[int, int]:
    """What the items with a value of a dimension have open, of a side and due day that count; signed, and in base."""
    query = open_at(scope, at, "side, due_on, dimensions")
    rows = view.connection.execute(
        f"SELECT side, due_on, dimensions, sum(open), sum(open_base) FROM ({query.text}) i GROUP BY 1, 2, 3",
        query.parameters,
    )
    amount = base_amount = 0
    for side, due_on, dimensions, part, base_part in rows:
        if read_dimensions(dimensions).get(dimension) == value and due(side, date.fromisoformat(due_on)):
            amount += int(part)
            base_amount += int(base_part)
    return amount, base_amount


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
