"""Projections made anew: fresh tables beside the live ones, filled account by account, brought to the head, and swapped.

Rows merge commutatively, so the order makes no difference (identity 10), and rows written in key order need no sort.
Memory is bounded by a page and a number of turnover rows, whatever the size of the log. On PostgreSQL several processes
may fill the tables, each with accounts of its own.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from time import sleep

from eventsourcing.persistence import OperationalError

from ledger.database import Connection, Location
from projections import log, standing, working
from projections.loading import Load
from projections.pages import PAGE, Progress, connected, deltas, fill
from projections.standing import NAMES
from projections.tables import OPEN, TABLES, create_index, create_table
from projections.writing import Rows

_FAR_BEHIND = 50_000
"""Events behind from which on a rebuild, which writes in key order, may be quicker than following."""
_BUILD_SECONDS = 24 * 3600.0
_SWAP_PATIENCE = "1s"
"""How long new readers may be kept waiting, on PostgreSQL, for the swap that waits for the old ones."""
_SWAP_PAUSE = 0.2
_FRESH = "fresh_"


def rebuild(location: Location, progress: Progress | None = None, *, workers: int = 1) -> int:
    """Make the projections of a store anew from the whole log, in bounded memory, then swap; the position reached.

    ``workers``: processes that share the work; on SQLite, which has one writer, there is one whatever is asked.
    """
    with closing(connected(location)) as connection:
        build(location, connection, progress, only_if_due=False, workers=workers)
        position = standing.reached(connection)
    assert position is not None
    return position


def is_due(position: int | None, head: int) -> bool:
    """Whether there is nothing to follow from, or so little that all of it made anew is sooner there."""
    return position is None or head - position > max(position, _FAR_BEHIND)


def build(
    location: Location, connection: Connection, progress: Progress | None, *, only_if_due: bool, workers: int = 1
) -> None:
    """Make the projections anew; with ``only_if_due`` not if another process has done so meanwhile."""
    with _only_builder(location, connection):
        if only_if_due and not is_due(standing.reached(connection), log.head(connection)):
            return
        if connection.postgres:
            _build_on_postgres(location, connection, progress, workers)
        else:
            _build_on_sqlite(connection, progress)


@contextmanager
def _only_builder(location: Location, connection: Connection) -> Iterator[None]:
    """One rebuild of a store at a time, whatever becomes of the process that makes it.

    The system lets go of the lock with the process: that of a session on PostgreSQL, on SQLite that of an empty database
    beside the store. So what a dead builder left can be told from what a live one needs.
    """
    if connection.postgres:
        connection.execute("SELECT pg_advisory_lock(hashtext('tieout rebuild'))")
        try:
            yield
        finally:
            connection.execute("SELECT pg_advisory_unlock(hashtext('tieout rebuild'))")
        return
    lock = sqlite3.connect(f"{location}-rebuild", isolation_level=None, timeout=_BUILD_SECONDS)
    with closing(lock):
        lock.execute("BEGIN EXCLUSIVE")
        yield


def _catch_up(connection: Connection, fresh: Rows, position: int, near: int) -> int:
    """Merge in what was booked meanwhile, up to near the head; the position reached."""
    while (head := log.head(connection)) - position > near:
        end = log.page_end(connection, position, PAGE, head)
        made = deltas(connection, position, end)
        with connection.writing():
            fresh.write(made)
        position = end
    return position


# --- on SQLite


def _build_on_sqlite(connection: Connection, progress: Progress | None) -> None:
    with connection.writing():
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {_FRESH}{table.name}")
            connection.execute(create_table(table, _FRESH + table.name, postgres=False))
    fresh = Rows(connection, _FRESH)
    position = log.head(connection)
    fill(connection, fresh, position, connection.writing, _telling(progress, position))
    _tell(progress, position)
    position = _catch_up(connection, fresh, position, PAGE)
    # The sort that makes the index takes as much memory as the cache may.
    connection.execute("PRAGMA cache_size=-2048")
    with connection.writing():
        head = log.head(connection)
        fresh.write(deltas(connection, position, head))
        for name in NAMES:
            connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(f"ALTER TABLE {_FRESH}{name} RENAME TO {name}")
        connection.execute(create_index(OPEN, "item", postgres=False))
        standing.declare(connection, head)


# --- on PostgreSQL

_LEFT = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'fresh\\_%' AND pg_table_is_visible(oid)"


def _build_on_postgres(location: Location, connection: Connection, progress: Progress | None, workers: int) -> None:
    for (left,) in connection.execute(_LEFT).fetchall():
        connection.execute(f"DROP TABLE {left}")
    # A name of its own: a worker that outlived the builder before finds its tables gone, and not these.
    (number,) = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
    prefix = f"{_FRESH}{number}_"
    load = Load(connection, prefix)
    with connection.writing():
        load.create()
    position = log.head(connection)
    told = _telling(progress, position)
    if workers > 1:
        working.fill_together(location, connection, prefix, position, workers, told)
    else:
        fill(connection, load, position, connection.writing, told)
    with connection.writing():
        load.finish()
    _tell(progress, position)
    fresh = Rows(connection, prefix)
    position = _catch_up(connection, fresh, position, PAGE)
    while True:
        position = _catch_up(connection, fresh, position, 0)
        try:
            _swap(connection, fresh, prefix, position)
            return
        except OperationalError as error:
            if not _is_kept_by_readers(error):
                raise
        sleep(_SWAP_PAUSE)


def _swap(connection: Connection, fresh: Rows, prefix: str, position: int) -> None:
    """Put the fresh tables in the place of the live ones; a reader that has begun is waited for, for a while."""
    with connection.writing():
        connection.execute(f"SET LOCAL lock_timeout = '{_SWAP_PATIENCE}'")
        # In the order in which a follower takes its locks.
        standing.hold(connection)
        live = standing.existing(connection, NAMES)
        if live:
            connection.execute(f"LOCK TABLE {', '.join(live)} IN ACCESS EXCLUSIVE MODE")
        head = log.head(connection)
        fresh.write(deltas(connection, position, head))
        for name in NAMES:
            connection.execute(f"DROP TABLE IF EXISTS {name}")
            connection.execute(f"ALTER TABLE {prefix}{name} RENAME TO {name}")
        connection.execute(f"ALTER INDEX {prefix}{OPEN} RENAME TO {OPEN}")
        standing.declare(connection, head)


def _is_kept_by_readers(error: OperationalError) -> bool:
    from psycopg.errors import LockNotAvailable

    return isinstance(error.__cause__, LockNotAvailable)


def _telling(progress: Progress | None, head: int) -> "working.Told":
    return lambda done: progress(done, head) if progress is not None and done < head else None


def _tell(progress: Progress | None, head: int) -> None:
    if progress is not None:
        progress(head, head)
