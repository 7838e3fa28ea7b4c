"""What is unusual at (E, K), each with its evidence: credit balances, jumps of a balance, flagged events.

- *Credit balance*: over all its control accounts a customer account has more in credit than it owes.
- *Jump*: the change of its balance from the first of the month of E to E is, in either direction, more than ``times``
  the median of the absolute changes of the months before: of twelve, or of those since the account's first item, which
  must be three at least. After months without any change every change is a jump.
- *Flag*: an event that was booked although something about it is odd (``domain.events.FLAGS``), effective on a day of the
  month of E up to E.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from domain.documents import document_of
from domain.events import Voucher
from domain.history import enters
from domain.money import round_half_away
from projections import log
from projections.accounts import account_of
from projections.answers import Unusual
from projections.items import open_at
from projections.log import Logged
from projections.statement import effects
from projections.view import Moment, Scope, View

MONTHS = 12
FEWEST = 3
"""Months before that the balance's changes are compared with: at most, and at least."""
SHOWN = 10
"""Documents or events that are named as evidence."""

_IN_CREDIT = "SELECT stream, sum(open) FROM ({items}) i GROUP BY stream HAVING sum(open) < 0"
_CREDITS = "SELECT item FROM ({items}) i WHERE side = 'C' AND open != 0 ORDER BY open, item LIMIT {shown}"
_MOVED = """SELECT stream, month, sum(amount) FROM (
    SELECT stream, substr(effective_on, 1, 7) AS month, CASE side WHEN 'D' THEN amount ELSE -amount END AS amount
    FROM item t WHERE {item} AND {known}
    UNION ALL
    SELECT stream, substr(effective_on, 1, 7), amount FROM movement t WHERE {item} AND {known}
    ) e GROUP BY stream, month"""
_KNOWN = "t.effective_on >= :first AND t.effective_on <= :E AND t.position <= :K"
_BEGUN = "SELECT stream, min(effective_on) FROM item t WHERE {item} AND t.effective_on <= :E AND t.position <= :K GROUP BY stream"


def unusual(view: View, scope: Scope, at: Moment, times: int) -> list[Unusual]:
    """All of it, by kind, then by customer and currency; flagged events in log order."""
    if times < 1:
        raise ValueError(f"a jump must be at least once what is usual: {times}")
    return [*_credit_balances(view, scope, at), *_jumps(view, scope, at, times), *_flagged(view, scope, at)]


def _credit_balances(view: View, scope: Scope, at: Moment) -> list[Unusual]:
    items = open_at(scope, at, "stream")
    rows = view.connection.execute(_IN_CREDIT.format(items=items.text), items.parameters).fetchall()
    return sorted((_credit_balance(view, stream, int(amount), at) for stream, amount in rows), key=_owner)


def _credit_balance(view: View, stream: str, amount: int, at: Moment) -> Unusual:
    name = account_of(stream)
    items = open_at(Scope(name.book, [stream]), at, "side, item")
    rows = view.connection.execute(_CREDITS.format(items=items.text, shown=SHOWN), items.parameters)
    documents = list(dict.fromkeys(document_of(item) for (item,) in rows))
    return Unusual(
        kind="credit_balance",
        customer=name.customer,
        currency=name.currency,
        amount=amount,
        effective_on=at.day,
        documents=documents,
        events=[one.event_id for one in _entering(view, name.book, documents)],
    )


def _entering(view: View, book: str, documents: list[str]) -> Iterator[Logged]:
    for document in documents:
        yield next(
            one
            for one in log.events_concerning(view.connection, book, document, view.position)
            if enters(one.event) == document
        )


class _Jump(NamedTuple):
    stream: str
    change: int
    usual: Fraction


def _jumps(view: View, scope: Scope, at: Moment, times: int) -> list[Unusual]:
    found = [jump for jump in _changes(view, scope, at) if abs(jump.change) > times * jump.usual]
    return sorted((_jumped(view, jump, at) for jump in found), key=_owner)


def _changes(view: View, scope: Scope, at: Moment) -> Iterator[_Jump]:
    """The accounts whose balance changed in the month of E, and what is usual for them."""
    this, *before = _months(at.day)
    where, parameters = scope.condition("t")
    parameters |= {"E": at.day.isoformat(), "K": at.position, "first": f"{before[-1]}-01"}
    moved: dict[str, dict[str, int]] = defaultdict(dict)
    for stream, month, amount in view.connection.execute(_MOVED.format(item=where, known=_KNOWN), parameters):
        moved[stream][month] = int(amount)
    for stream, begun in view.connection.execute(_BEGUN.format(item=where), parameters):
        compared = [abs(moved[stream].get(month, 0)) for month in before if month >= begun[:7]]
        if len(compared) >= FEWEST and moved[stream].get(this):
            yield _Jump(stream, moved[stream][this], _median(compared))


def _months(day: date) -> list[str]:
    """The month of a day, and those before it, the latest first."""
    months = [day.isoformat()[:7]]
    for _ in range(MONTHS):
        day = day.replace(day=1) - timedelta(days=1)
        months.append(day.isoformat()[:7])
    return months


def _median(values: list[int]) -> Fraction:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return Fraction(ordered[middle] + ordered[-1 - middle], 2)


def _jumped(view: View, jump: _Jump, at: Moment) -> Unusual:
    name = account_of(jump.stream)
    moved = [effect for effect in effects(view, jump.stream, at, at.day.replace(day=1)) if effect.amount]
    weightiest = sorted(moved, key=lambda effect: (-abs(effect.amount), effect.position))[:SHOWN]
    events = list(log.events_at(view.connection, (effect.position for effect in weightiest)))
    return Unusual(
        kind="jump",
        customer=name.customer,
        currency=name.currency,
        amount=jump.change,
        effective_on=at.day,
        usual=round_half_away(*jump.usual.as_integer_ratio()),
        documents=list(dict.fromkeys(one.document for one in events if one.document is not None)),
        events=[one.event_id for one in events],
    )


def _flagged(view: View, scope: Scope, at: Moment) -> Iterator[Unusual]:
    first = at.day.replace(day=1)
    if scope.streams is None:
        ending = f":{scope.currency}" if scope.currency else ""
        found = log.events(view.connection, scope.book, at.position, 0, b'"flags"', ending)
    else:
        found = log.events_of(view.connection, scope.streams, at.position, 0, b'"flags"')
    for logged in found:
        event = logged.event
        if isinstance(event, Voucher) and event.flags and first <= event.effective_on <= at.day:
            name = account_of(logged.stream)
            yield Unusual(
                kind="flag",
                customer=name.customer,
                currency=name.currency,
                amount=sum(posting.amount for posting in event.postings if posting.side == "D"),
                effective_on=event.effective_on,
                flags=event.flags,
                documents=[logged.document] if logged.document is not None else [],
                events=[logged.event_id],
            )


def _owner(found: Unusual) -> tuple[str, str]:
    return found.customer, found.currency
