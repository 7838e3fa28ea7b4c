"""How customers pay: days to pay 平均付款天数 and days late, weighted by amount.

Counted is what payments have settled of invoices and debit notes on the days from ``from_on`` to E, each part on the day
of its allocation: days from the document's date, and from the due day, to that day. What was released by (E, K), for
whatever reason and on whichever day, was not paid: it is left out on the day of its allocation. Credit notes, adjustments
and write-offs pay nothing.

An event that moves a payment and an invoice is an allocation, or its release: movements say so, and the database sums
them up. Only releases, and allocations that settle with something else beside payments, are read from the log.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from domain.documents import document_of, parse_document
from domain.events import Allocated, AllocationReleased
from projections import log
from projections.accounts import ITEMS, account_of, paged
from projections.answers import Payer
from projections.dso import one_digit
from projections.log import Logged
from projections.view import Moment, Scope, View

_PAID = frozenset({"invoice", "debit-note"})
_DAYS = {
    False: "CAST(strftime('%s', {to}) AS INTEGER) / 86400 - CAST(strftime('%s', {since}) AS INTEGER) / 86400",
    True: "CAST({to} AS date) - CAST({since} AS date)",
}
_MOVES = """WITH paid AS MATERIALIZED (
    SELECT stream, position, sum(amount) AS amount FROM movement m
    WHERE {where} AND m.item > 'payment:' AND m.item < 'payment;' GROUP BY stream, position
), moves AS (
    SELECT m.stream, m.item, m.position, m.effective_on, m.amount, p.amount AS paid,
        sum(m.amount) OVER (PARTITION BY m.stream, m.position) AS moved
    FROM movement m JOIN paid p ON p.stream = m.stream AND p.position = m.position
    WHERE {where}
        AND ((m.item > 'invoice:' AND m.item < 'invoice;') OR (m.item > 'debit-note:' AND m.item < 'debit-note;'))
) """
_KNOWN = " AND m.effective_on >= :first AND m.effective_on <= :E AND m.position <= :K"
_PLAIN = """SELECT m.stream, {to_pay}, {late}, sum(-m.amount) FROM moves m
    JOIN item i ON i.shard = 0 AND i.stream = m.stream AND i.item = m.item
    WHERE m.amount < 0 AND m.moved = -m.paid GROUP BY 1, 2, 3"""
_OTHERS = "SELECT DISTINCT position FROM moves WHERE amount > 0 OR moved != -paid ORDER BY position"
_ITEM = "SELECT document_on, due_on FROM item WHERE shard = 0 AND stream = ? AND item = ?"


class _Part(NamedTuple):
    """An amount that was paid so many days after the document's date, and after the due day."""

    stream: str
    to_pay: int
    late: int
    amount: int


def payers(
    view: View,
    scope: Scope,
    from_on: date,
    at: Moment,
    after: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[Payer]:
    """One row a customer account that paid something, by customer and currency."""
    return list(paged(view, scope, at, lambda some: _payers(view, some, from_on, at), after, limit, among=ITEMS))


def _payers(view: View, scope: Scope, from_on: date, at: Moment) -> list[Payer]:
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for part in _parts(view, scope, from_on, at):
        row = sums[part.stream]
        row[0] += part.amount
        row[1] += part.amount * part.to_pay
        row[2] += part.amount * part.late
    rows = [_row(stream, *row) for stream, row in sums.items() if row[0]]
    return sorted(rows, key=lambda row: row.key)


def _row(stream: str, amount: int, to_pay: int, late: int) -> Payer:
    name = account_of(stream)
    return Payer(
        customer=name.customer,
        currency=name.currency,
        amount=amount,
        days_to_pay=one_digit(Fraction(to_pay, amount)),
        days_late=one_digit(Fraction(late, amount)),
    )


def _parts(view: View, scope: Scope, from_on: date, at: Moment) -> Iterator[_Part]:
    connection = view.connection
    where, parameters = scope.condition("m")
    parameters |= {"E": at.day.isoformat(), "K": at.position, "first": from_on.isoformat()}
    moves = _MOVES.format(where=where + _KNOWN)
    days = _DAYS[connection.postgres]
    to_pay = days.format(to="m.effective_on", since="i.document_on")
    late = days.format(to="m.effective_on", since="i.due_on")
    for row in connection.execute(moves + _PLAIN.format(to_pay=to_pay, late=late), parameters):
        yield _Part(row[0], int(row[1]), int(row[2]), int(row[3]))
    others = connection.execute(moves + _OTHERS, parameters).fetchall()
    for logged in log.events_at(connection, (position for (position,) in others)):
        yield from _of(view, logged, from_on)


def _of(view: View, logged: Logged, from_on: date) -> Iterator[_Part]:
    """What an allocation paid, line by line; what a release takes back, on the day of what it releases."""
    event = logged.event
    if isinstance(event, Allocated):
        for line in event.lines:
            yield from _part(view, logged.stream, line.credit_item, line.debit_item, event.effective_on, line.amount)
    elif isinstance(event, AllocationReleased):
        allocated = log.event_at_version(view.connection, logged.stream, int(event.allocation.partition(".")[0]))
        assert allocated is not None, event.allocation
        assert isinstance(allocated.event, Allocated), event.allocation
        on = allocated.event.effective_on
        if on >= from_on:
            yield from _part(view, logged.stream, event.credit_item, event.debit_item, on, -event.amount)


def _part(view: View, stream: str, credit: str, debit: str, on: date, amount: int) -> Iterator[_Part]:
    if parse_document(document_of(credit)).kind != "payment" or parse_document(document_of(debit)).kind not in _PAID:
        return
    document_on, due_on = view.connection.execute(_ITEM, (stream, debit)).fetchone()
    yield _Part(stream, (on - date.fromisoformat(document_on)).days, (on - date.fromisoformat(due_on)).days, amount)
