"""Allocations 核销: which credit items settle which debit items at (E, K), and with how much.

A link is a line of its event, less what later events released of it. No table is kept: the events lead from link to
link, and the register from the debit items' documents to the releases.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from domain.documents import document_of
from domain.events import Allocated, AllocationLine, AllocationReleased
from ledger.outcomes import token
from projections import log
from projections.accounts import account_of
from projections.answers import AllocationRow
from projections.log import Logged
from projections.view import Moment, View

_AT_ONCE = 256
"""Links in memory at a time."""


class _Made(NamedTuple):
    """A line, and the event that made it."""

    logged: Logged
    event: Allocated
    line: AllocationLine


def allocations(
    view: View,
    book: str,
    customer: str | None,
    currency: str | None,
    document: str | None,
    at: Moment,
    after: tuple[int, int] | None = None,
    limit: int | None = None,
) -> Iterator[AllocationRow]:
    """The links of which something is left, in log order, those of an event in its order, from after a key."""
    return islice(_live(view, book, _lines(view, book, customer, currency, document, at, after), at), limit)


def _lines(
    view: View,
    book: str,
    customer: str | None,
    currency: str | None,
    document: str | None,
    at: Moment,
    after: tuple[int, int] | None,
) -> Iterator[_Made]:
    """The lines that were made by (E, K) and are asked for."""
    begun, passed = after or (0, 0)
    for logged in _events(view, book, customer, currency, document, at, max(begun - 1, 0)):
        event = logged.event
        if not isinstance(event, Allocated) or not at.covers(event.effective_on):
            continue
        name = account_of(logged.stream)
        if customer not in (None, name.customer) or currency not in (None, name.currency):
            continue
        for line in event.lines[passed if logged.position == begun else 0 :]:
            if document in (None, document_of(line.credit_item), document_of(line.debit_item)):
                yield _Made(logged, event, line)


def _events(
    view: View, book: str, customer: str | None, currency: str | None, document: str | None, at: Moment, after: int
) -> Iterable[Logged]:
    connection = view.connection
    if document is not None:
        return log.events_concerning(connection, book, document, at.position, after)
    # Bodies are searched before they are decoded.
    if customer is not None:
        streams = log.account_streams(connection, book, customer, currency)
        return log.events_of(connection, streams, at.position, after, b'"credit_item"')
    ending = f":{currency}" if currency is not None else ""
    return log.events(connection, book, at.position, after, b'"credit_item"', ending)


def _live(view: View, book: str, made: Iterator[_Made], at: Moment) -> Iterator[AllocationRow]:
    while some := list(islice(made, _AT_ONCE)):
        released = _released(view, book, some, at)
        for one in some:
            amount, credit_base, debit_base = released[one.logged.stream, one.line.allocation]
            if one.line.amount > amount:
                yield _row(
                    one, one.line.amount - amount, one.line.credit_base - credit_base, one.line.debit_base - debit_base
                )


def _released(view: View, book: str, made: Sequence[_Made], at: Moment) -> dict[tuple[str, str], tuple[int, int, int]]:
    """What releases took of links: amount, and base amount of the credit item and of the debit item."""
    documents = sorted({document_of(one.line.debit_item) for one in made})
    taken: dict[tuple[str, str], tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
    for logged in log.events_concerning_any(view.connection, book, documents, "allocation-released", at.position):
        event = logged.event
        assert isinstance(event, AllocationReleased)
        if at.covers(event.effective_on):
            amount, credit_base, debit_base = taken[logged.stream, event.allocation]
            taken[logged.stream, event.allocation] = (
                amount + event.amount,
                credit_base + event.credit_base,
                debit_base + event.debit_base,
            )
    return taken


def _row(made: _Made, amount: int, credit_base: int, debit_base: int) -> AllocationRow:
    name = account_of(made.logged.stream)
    return AllocationRow(
        allocation=made.line.allocation,
        customer=name.customer,
        currency=name.currency,
        credit_item=made.line.credit_item,
        debit_item=made.line.debit_item,
        amount=amount,
        credit_base=credit_base,
        debit_base=debit_base,
        effective_on=made.event.effective_on,
        mode=made.event.mode,
        event=made.logged.event_id,
        position=token(made.logged.position),
    )
