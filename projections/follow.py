"""Following the log: pages of events become rows, saved with the position reached in one transaction a page.

Pages are taken in log order, and rows merged in by upsert. Tables that are missing or of another version are made anew
(``rebuild``), and where most of a long log is new.
"""

from types import TracebackType
from typing import Self

from ledger.database import Connection, Location
from projections import log, standing, turns
from projections.pages import PAGE, Progress, connected, deltas
from projections.rebuild import build, is_due
from projections.rows import Deltas
from projections.writing import Rows


class Follower:
    """Follows the log of a store again and again by one connection; of one thread."""

    def __init__(self, location: Location) -> None:
        """Raises ``StoreMissing`` or ``StoreOutdated``, or the database's error."""
        self._location = location
        self._connection = connected(location)
        self._live = Rows(self._connection)

    def follow(self, progress: Progress | None = None, *, page: int = PAGE) -> int:
        """Bring the projections from where they are to the head of the log; the position reached.

        Never sleeps. Several may follow at once; on PostgreSQL they share the pages.
        """
        connection = self._connection
        step = _share if connection.postgres else _take
        while True:
            position, head = standing.reached(connection), log.head(connection)
            if is_due(position, head):
                build(self._location, connection, progress, only_if_due=True)
                continue
            assert position is not None
            if position >= head:
                return position
            reached = step(connection, self._live, position, page)
            if reached is not None and progress is not None:
                progress(reached, head)

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def follow(location: Location, progress: Progress | None = None, *, page: int = PAGE) -> int:
    """Follow the log of a store to its head, once (``Follower.follow``)."""
    with Follower(location) as follower:
        return follower.follow(progress, page=page)


def _take(connection: Connection, live: Rows, position: int, page: int) -> int | None:
    """Merge the next page in; the position reached, or None where another process moved on."""
    end = log.page_end(connection, position, page, log.head(connection))
    return _merge(connection, live, position, end, deltas(connection, position, end))


def _share(connection: Connection, live: Rows, position: int, page: int) -> int | None:
    """Merge the next page in that no other process is at."""
    with turns.turn(connection, position, page) as mine:
        if mine is None:
            return None
        made = deltas(connection, mine.after, mine.upto)
        if not turns.is_next(connection, mine):
            return None
        return _merge(connection, live, mine.after, mine.upto, made)


def _merge(connection: Connection, live: Rows, position: int, end: int, made: Deltas) -> int | None:
    """Decoded before the transaction: the ledger waits for the rows alone, where it waits at all."""
    with connection.writing():
        if not standing.advance(connection, position, end):
            return None
        live.write(made)
    return end
