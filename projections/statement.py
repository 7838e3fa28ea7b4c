"""A customer account's statement 对账单. Identity 11: opening + Σ movements = closing.

A movement is an event's net effect over all control accounts of the account, so an allocation (which moves between two
items of the same customer) is none. Rows come from ``item`` (its opening) and ``movement``; what an event was, from the
log.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from domain.documents import account_stream
from ledger.outcomes import token
from projections import log
from projections.answers import Movement, Statement
from projections.log import Logged
from projections.selectors import Moved, Net, Position, Running
from projections.view import Moment, View


class Effect(NamedTuple):
    """What an event did to what a customer owes; signed amounts."""

    effective_on: date
    position: int
    amount: int
    base_amount: int


ENTRIES = """FROM (
    SELECT effective_on, position, CASE side WHEN 'D' THEN amount ELSE -amount END AS amount,
        CASE side WHEN 'D' THEN base_amount ELSE -base_amount END AS base_amount
    FROM item WHERE shard = 0 AND stream = :stream
    UNION ALL
    SELECT effective_on, position, amount, base_amount FROM movement WHERE shard = 0 AND stream = :stream
    ) e WHERE position <= :K AND (:E IS NULL OR effective_on <= :E)"""
"""What opened and moved the items of ``:stream`` by (E, K), as a query goes on: signed amounts by day and position."""
_EFFECTS = f"""SELECT effective_on, position, sum(amount), sum(base_amount) {ENTRIES}
    AND (:first IS NULL OR effective_on >= :first) GROUP BY effective_on, position ORDER BY effective_on, position"""


def effects(view: View, stream: str, at: Moment, from_on: date | None = None) -> Iterator[Effect]:
    """The effects of an account's events at (E, K), by day and log position; those before a day left out."""
    first = from_on.isoformat() if from_on is not None else None
    rows = view.connection.execute(_EFFECTS, {"stream": stream, "first": first} | at.parameters)
    for on, position, amount, base_amount in rows:
        yield Effect(date.fromisoformat(on), position, amount, base_amount)


def statement(view: View, book: str, customer: str, currency: str, from_on: date | None, at: Moment) -> Statement:
    """The statement from a day (None: from the beginning) to E."""
    own = {"book": book, "customer": customer, "currency": currency}
    position = Position(at.position)
    opening = running = 0
    shown = []
    for effect in effects(view, account_stream(book, customer, currency), at):
        running += effect.amount
        if from_on is not None and effect.effective_on < from_on:
            opening = running
        elif effect.amount:
            shown.append((effect, running))
    events = log.events_at(view.connection, (effect.position for effect, _ in shown))
    movements = [_movement(own, *one, logged, position) for one, logged in zip(shown, events, strict=True)]
    return Statement(
        **own,
        from_on=from_on,
        effective_on=at.effective_on,
        position=token(position),
        opening=opening,
        movements=movements,
        closing=running,
        explain={
            "opening": Net(**own, effective_on=day_before(from_on, at), position=position).text,
            "closing": Net(**own, effective_on=at.effective_on, position=position).text,
        },
    )


def day_before(from_on: date | None, at: Moment) -> date:
    """The day of the opening; the first day that there is, where nothing comes before."""
    if from_on is None or from_on == date.min:
        return date.min
    before = from_on - timedelta(days=1)
    return before if at.effective_on is None else min(before, at.effective_on)


def _movement(own: dict[str, str], effect: Effect, running: int, logged: Logged, position: Position) -> Movement:
    return Movement(
        effective_on=effect.effective_on,
        position=token(effect.position),
        event=logged.event_id,
        kind=logged.kind,
        document=logged.document,
        amount=effect.amount,
        running=running,
        explain={
            "amount": Moved(**own, position=Position(effect.position)).text,
            "running": Running(
                **own, effective_on=effect.effective_on, through=Position(effect.position), position=position
            ).text,
        },
    )
