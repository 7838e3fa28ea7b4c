"""From a number to the postings behind it (invariant 6).

The amount comes from the projections, by the query that answered with it; the postings come from the log alone, whose
items are followed by the domain's own rules. That the contributions sum to the amount is the tie-out. Numbers of one
account read that account's events; numbers of a whole book walk the log.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from domain.account import changed_items
from domain.documents import account_stream, document_of
from domain.events import Posting, Voucher
from domain.history import enters
from domain.items import OpenItem
from ledger.outcomes import token
from projections import log, selectors
from projections.ageing import ageing_sum, share_sum
from projections.answers import AsOf, ExplainedPosting, Explanation
from projections.answers import OpenItem as ItemRow
from projections.items import balances, items
from projections.log import Logged
from projections.selectors import Selector
from projections.statement import Effect, effects
from projections.trial_balance import turnover
from projections.view import Moment, Scope, View, scope


class Part(NamedTuple):
    """What a posting adds to a number."""

    posting: Posting
    amount: int
    base_amount: int


Behind = Callable[[Logged, Voucher], Iterable[Part]]
"""The postings of an event that stand behind a number. Called once an event, in log order."""


class _Number(NamedTuple):
    """A number as the projections have it, and how to find what stands behind it in the log."""

    amount: int
    base_amount: int
    events: Iterable[Logged]
    behind: Behind


def explain(view: View, text: str) -> Explanation:
    """The number of a selector and every posting behind it, in log order."""
    selector = selectors.parse(text)
    number = _EXPLAINERS[type(selector)](view, selector)  # type: ignore[operator]
    return Explanation(
        selector=text,
        currency=selector.currency,  # type: ignore[attr-defined]
        amount=number.amount,
        base_amount=number.base_amount,
        postings=_postings(view, number),
    )


def _postings(view: View, number: _Number) -> Iterator[ExplainedPosting]:
    for logged in number.events:
        event = logged.event
        if not isinstance(event, Voucher):
            continue
        origin = None
        for n, part in enumerate(number.behind(logged, event)):
            if n == 0:
                origin = log.origin(view.connection, event)
            yield _explained(logged, event, part, origin)


def _explained(logged: Logged, event: Voucher, part: Part, origin: str | None) -> ExplainedPosting:
    name, currency = logged.account, logged.currency
    assert currency is not None
    return ExplainedPosting(
        position=token(logged.position),
        event=logged.event_id,
        kind=logged.kind,
        recorded_at=logged.recorded_at,
        effective_on=event.effective_on,
        customer=name.customer if name is not None else None,
        currency=currency,
        document=logged.document,
        actor=event.actor,
        source=event.source,
        source_id=event.source_id,
        origin=origin,
        posting=part.posting,
        contribution=part.amount,
        base_contribution=part.base_amount,
    )


def _signed(posting: Posting, sign: int = 1) -> Part:
    """A posting's debit less credit, or the other way round."""
    sign = sign if posting.side == "D" else -sign
    return Part(posting, sign * posting.amount, sign * posting.base_amount)


def _moment(view: View, selector: Selector) -> Moment:
    effective_on = getattr(selector, "effective_on", None)
    return view.at(AsOf(effective_on, selector.position))  # type: ignore[attr-defined]


# --- numbers of one account's postings


def _balance(view: View, selector: selectors.BalanceOf) -> _Number:
    at = _moment(view, selector)
    wanted = scope(view, selector.book, selector.customer, selector.currency, account=selector.account)
    found = [balance for balance in balances(view, wanted, at) if balance.role == selector.role]

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        if at.covers(event.effective_on):
            for posting in event.postings:
                if posting.item and posting.account == selector.account and posting.role == selector.role:
                    yield _signed(posting)

    return _Number(
        sum(balance.amount for balance in found),
        sum(balance.base_amount for balance in found),
        _account_events(view, selector, at),
        behind,
    )


def _net(view: View, selector: selectors.Net) -> _Number:
    at = _moment(view, selector)
    wanted = scope(view, selector.book, selector.customer, selector.currency)
    found = balances(view, wanted, at)

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        if at.covers(event.effective_on):
            yield from (_signed(posting) for posting in event.postings if posting.item)

    return _Number(
        sum(balance.amount for balance in found),
        sum(balance.base_amount for balance in found),
        _account_events(view, selector, at),
        behind,
    )


def _movement(view: View, selector: selectors.Moved) -> _Number:
    at = view.at(AsOf(None, selector.position))
    found = [e for e in _effects(view, selector, at) if e.position == selector.position]

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        yield from (_signed(posting) for posting in event.postings if posting.item)

    events = log.events_at(view.connection, [effect.position for effect in found])
    return _Number(sum(e.amount for e in found), sum(e.base_amount for e in found), events, behind)


def _running(view: View, selector: selectors.Running) -> _Number:
    at = _moment(view, selector)
    last = (selector.effective_on, selector.through)
    found = [e for e in _effects(view, selector, at) if (e.effective_on, e.position) <= last]

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        if (event.effective_on, logged.position) <= last:
            yield from (_signed(posting) for posting in event.postings if posting.item)

    return _Number(
        sum(e.amount for e in found),
        sum(e.base_amount for e in found),
        _account_events(view, selector, at),
        behind,
    )


# --- numbers of items


def _item_open(view: View, selector: selectors.ItemOpen) -> _Number:
    at = _moment(view, selector)
    found = _items(view, selector, at)
    sign = _OwnSide(selector.item)

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        for posting in event.postings:
            if posting.item == selector.item:
                own = sign.of(posting)
                if at.covers(event.effective_on):
                    yield _signed(posting, own)

    return _Number(
        sum(item.open for item in found),
        sum(item.base_open for item in found),
        _account_events(view, selector, at, holding=msgspec.json.encode(selector.item)),
        behind,
    )


def _item_amount(view: View, selector: selectors.ItemAmount) -> _Number:
    at = view.at(AsOf(None, selector.position))
    found = _items(view, selector, at)

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        if enters(event) == document_of(selector.item):
            for posting in event.postings:
                if posting.item == selector.item:
                    yield Part(posting, posting.amount, posting.base_amount)

    return _Number(
        sum(item.amount for item in found),
        sum(item.base_amount for item in found),
        _account_events(view, selector, at, holding=msgspec.json.encode(selector.item)),
        behind,
    )


class _OwnSide:
    """The sign of an item's own side: that of the posting that opened it, the first that the log has of it."""

    def __init__(self, item: str) -> None:
        self._item = item
        self._sign = 0

    def of(self, posting: Posting) -> int:
        """1 for a debit item, −1 for a credit item."""
        if not self._sign:
            self._sign = 1 if posting.side == "D" else -1
        return self._sign


def _due(view: View, selector: selectors.Due) -> _Number:
    at = _moment(view, selector)
    first = None if selector.to_days is None else selector.effective_on - timedelta(days=selector.to_days)
    last = None if selector.from_days is None else selector.effective_on - timedelta(days=selector.from_days)

    def belongs(item: OpenItem) -> bool:
        return item.side == "D" and (first is None or item.due_on >= first) and (last is None or item.due_on <= last)

    amount, base_amount = ageing_sum(view, _ageing_scope(view, selector), at, "D", first, last)
    return _Number(amount, base_amount, _account_events(view, selector, at), _ItemPostings(at, belongs, 1))


def _unapplied(view: View, selector: selectors.Unapplied) -> _Number:
    at = _moment(view, selector)
    amount, base_amount = ageing_sum(view, _ageing_scope(view, selector), at, "C")
    behind = _ItemPostings(at, lambda item: item.side == "C", -1)
    return _Number(-amount, -base_amount, _account_events(view, selector, at), behind)


def _share(view: View, selector: selectors.Share) -> _Number:
    at = _moment(view, selector)
    sides = ("D", "C") if selector.side == "both" else (selector.side,)
    first = None if selector.to_days is None else selector.effective_on - timedelta(days=selector.to_days)
    last = None if selector.from_days is None else selector.effective_on - timedelta(days=selector.from_days)
    sign = -1 if selector.side == "C" else 1

    def counts(side: str, due_on: date) -> bool:
        return side in sides and (first is None or due_on >= first) and (last is None or due_on <= last)

    def belongs(item: OpenItem) -> bool:
        return item.dimensions.get(selector.dimension) == selector.value and counts(item.side, item.due_on)

    amount, base = share_sum(view, _ageing_scope(view, selector), at, selector.dimension, selector.value, counts)
    behind = _ItemPostings(at, belongs, sign)
    return _Number(sign * amount, sign * base, _account_events(view, selector, at), behind)


class _ItemPostings:
    """The postings to items that belong to a number, by what the log says of each item.

    Items are followed as the account itself follows them: one with nothing open is forgotten, and an event that reopens
    it carries its image. So memory is bounded by what is open at once.
    """

    def __init__(self, at: Moment, belongs: Callable[[OpenItem], bool], sign: int) -> None:
        self._at = at
        self._belongs = belongs
        self._sign = sign
        self._open: dict[tuple[str, str], OpenItem] = {}

    def __call__(self, logged: Logged, event: Voucher) -> Iterator[Part]:
        """The parts of one event, which must come in log order."""
        stream = logged.stream
        changed = {item.item: item for item in changed_items(lambda name: self._open.get((stream, name)), event)}
        for item in changed.values():
            if item.open:
                self._open[stream, item.item] = item
            else:
                self._open.pop((stream, item.item), None)
        if self._at.covers(event.effective_on):
            for posting in event.postings:
                if posting.item is not None and self._belongs(changed[posting.item]):
                    yield _signed(posting, self._sign)


# --- numbers of the trial balance


def _turnover(view: View, selector: selectors.Turnover) -> _Number:
    at = _moment(view, selector)
    part, from_on = selector.part, selector.from_on

    def behind(logged: Logged, event: Voucher) -> Iterator[Part]:
        before = from_on is not None and event.effective_on < from_on
        if logged.currency != selector.currency:
            return
        if not at.covers(event.effective_on) or (part != "closing" and before != (part == "opening")):
            return
        for posting in event.postings:
            if posting.account != selector.account or posting.dimensions != selector.dimensions:
                continue
            if part in ("opening", "closing"):
                yield _signed(posting)
            elif posting.side == ("D" if part == "debit" else "C"):
                yield Part(posting, posting.amount, posting.base_amount)

    events = log.events(
        view.connection,
        selector.book,
        at.position,
        holding=b'"account":' + msgspec.json.encode(selector.account),
        ending=f":{selector.currency}",
    )
    amount, base_amount = turnover(view, selector, at)
    return _Number(amount, base_amount, events, behind)


# --- where to look


def _account_events(view: View, selector: Selector, at: Moment, holding: bytes = b"") -> Iterator[Logged]:
    """The events of the selector's customer account; without a customer those of the book in its currency."""
    customer: str | None = selector.customer  # type: ignore[attr-defined]
    currency: str = selector.currency  # type: ignore[attr-defined]
    if customer is None:
        return log.events(view.connection, selector.book, at.position, holding=b'"item":', ending=f":{currency}")
    return log.events_of(
        view.connection, [account_stream(selector.book, customer, currency)], at.position, holding=holding
    )


def _effects(view: View, selector: selectors.Moved | selectors.Running, at: Moment) -> Iterator[Effect]:
    return effects(view, account_stream(selector.book, selector.customer, selector.currency), at)


def _items(view: View, selector: selectors.ItemOpen | selectors.ItemAmount, at: Moment) -> list[ItemRow]:
    stream = account_stream(selector.book, selector.customer, selector.currency)
    wanted = Scope(selector.book, [stream], document=document_of(selector.item))
    return [item for item in items(view, wanted, at, settled=True) if item.item == selector.item]


def _ageing_scope(view: View, selector: selectors.Due | selectors.Unapplied | selectors.Share) -> Scope:
    return scope(view, selector.book, selector.customer, selector.currency)


_EXPLAINERS = {
    selectors.BalanceOf: _balance,
    selectors.Net: _net,
    selectors.Moved: _movement,
    selectors.Running: _running,
    selectors.ItemOpen: _item_open,
    selectors.ItemAmount: _item_amount,
    selectors.Due: _due,
    selectors.Unapplied: _unapplied,
    selectors.Share: _share,
    selectors.Turnover: _turnover,
}
