"""Whose turn it is: several followers of one store on PostgreSQL share its pages, and none is done twice.

Page n is what lies from the end of the commit that holds position n × size to that of the commit that holds position
(n + 1) × size, or to the head. Who takes a page holds its lock, an advisory one of the session, so that it is free again
with whoever dies. Rows are made in parallel, and merged in turn: whoever has a page ready waits for the lock of the page
before. What keeps a page from being merged twice is not this, but the fence (``standing``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ledger.database import Connection
from projections import log, standing

AHEAD = 8
"""Pages in the making at once, at most."""
_CLASS = 0x7469_656F
"""The first half of our locks' keys: nobody else's, in all likelihood."""


class Turn(NamedTuple):
    """A page that is ours: the events after a position, up to another."""

    number: int
    after: int
    upto: int


@contextmanager
def turn(connection: Connection, position: int, size: int) -> Iterator[Turn | None]:
    """The next page that nobody has, ours as long as the context lasts; None where it is no more, or all are taken.

    Where all are taken, the first of them has been waited for.
    """
    first = position // size
    last = max(first, (log.head(connection) - 1) // size)
    for number in range(first, min(first + AHEAD, last + 1)):
        if _try(connection, number):
            try:
                yield _page(connection, number, size)
            finally:
                _unlock(connection, number)
            return
    _wait(connection, first)
    yield None


def is_next(connection: Connection, mine: Turn) -> bool:
    """Whether the projections have reached our page, once whoever has the page before is done with it."""
    if standing.reached(connection) == mine.after:
        return True
    if mine.number > 0:
        _wait(connection, mine.number - 1)
    return standing.reached(connection) == mine.after


def _page(connection: Connection, number: int, size: int) -> Turn | None:
    """The page, with the lock held: another one may have been at it until just now."""
    position, head = standing.reached(connection), log.head(connection)
    if position is None or position >= head or position // size > number:
        return None
    if position // size < number:
        position = log.commit_end(connection, number * size, head)
    end = head if (number + 1) * size >= head else log.commit_end(connection, (number + 1) * size, head)
    return Turn(number, position, end)


def _try(connection: Connection, number: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(:class, :number)", _key(number)).fetchone()
    return bool(row[0])


def _unlock(connection: Connection, number: int) -> None:
    connection.execute("SELECT pg_advisory_unlock(:class, :number)", _key(number))


def _wait(connection: Connection, number: int) -> None:
    """Until nobody has a page."""
    connection.execute("SELECT pg_advisory_lock(:class, :number)", _key(number))
    _unlock(connection, number)


def _key(number: int) -> dict[str, int]:
    return {"class": _CLASS, "number": number}
