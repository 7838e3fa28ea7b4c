"""Following the log: pages of events become rows, saved with the position reached in one transaction a page.

Pages are taken in log order, and rows merged in by upsert. Tables that are missing or of another version are made anew
(``rebuild``), and where most of a long log is new.
"""

from contextlib import closing

from ledger.database import Connection, Location
from projections import log, standing, turns
from projections.pages import PAGE, Progress, connected, deltas
from projections.rebuild import build, is_due
from projections.rows import Deltas
from projections.writing import Rows


def follow(location: Location, progress: Progress | None = None, *, page: int = PAGE) -> int:
    """Bring the projections of a store from where they are to the head of its log; the position reached.

    Never sleeps: a worker calls it again. Several may follow at once; on PostgreSQL they share the pages.
    """
    with closing(connected(location)) as connection:
        live = Rows(connection)
        while True:
            position, head = standing.reached(connection), log.head(connection)
            if is_due(position, head):
                build(location, connection, progress, only_if_due=True)
                continue
            assert position is not None
            if position >= head:
                return position
            step = _share if connection.postgres else _take
            reached = step(connection, live, position, page)
            if reached is not None and progress is not None:
                progress(reached, head)


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
