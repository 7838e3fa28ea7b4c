"""What changed since a statement 自上次对账单以来的变化: what is known now and was not then. Identity 11.

A statement is told by its day and log position. What is effective by that day and was recorded after that position
belongs to its days, and is shown as *prior*; what is effective later comes after it. The old closing and all of them are
the new closing. Movements are those of statements (``projections.statement``): net effects on what the customer owes.
"""

from domain.documents import account_stream
from ledger.outcomes import token
from projections import log
from projections.answers import Change, Changes
from projections.log import Logged
from projections.selectors import Moved, Net, Position
from projections.statement import Effect, effects
from projections.view import Moment, View


def changes(view: View, book: str, customer: str, currency: str, then: Moment, at: Moment) -> Changes:
    """What the statement ``then`` did not know of what is known ``at``: prior ones first, each by day and position."""
    on = then.day
    if at.position < then.position or not at.covers(on):
        raise ValueError("what changed since a statement is asked for later, in both clocks")
    own = {"book": book, "customer": customer, "currency": currency}
    before, new = 0, []
    for effect in effects(view, account_stream(book, customer, currency), at):
        if effect.position <= then.position and effect.effective_on <= on:
            before += effect.amount
        elif effect.amount:
            new.append(effect)
    new.sort(key=lambda effect: effect.effective_on > on)
    events = log.events_at(view.connection, (effect.position for effect in new))
    return Changes(
        **own,
        on=on,
        since=token(then.position),
        effective_on=at.effective_on,
        position=token(at.position),
        before=before,
        changes=[
            _change(own, effect, logged, prior=effect.effective_on <= on)
            for effect, logged in zip(new, events, strict=True)
        ],
        after=before + sum(effect.amount for effect in new),
        explain={
            "before": Net(**own, effective_on=on, position=Position(then.position)).text,
            "after": Net(**own, effective_on=at.effective_on, position=Position(at.position)).text,
        },
    )


def _change(own: dict[str, str], effect: Effect, logged: Logged, *, prior: bool) -> Change:
    return Change(
        prior=prior,
        effective_on=effect.effective_on,
        recorded_at=logged.recorded_at,
        position=token(effect.position),
        event=logged.event_id,
        kind=logged.kind,
        document=logged.document,
        amount=effect.amount,
        explain={"amount": Moved(**own, position=Position(effect.position)).text},
    )
