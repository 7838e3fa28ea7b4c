"""Following the log: pages of events become rows, saved with the position reached in one transaction a page.

Following goes page by page in log order and merges rows in by upsert. A rebuild makes fresh tables beside the live ones
by the very same rows, but account by account, so that they are written in key order without a sort; rows merge
commutatively, so the order makes no difference (identity 10). Then it catches up and swaps in one transaction. Memory
is bounded by a page and a number of turnover rows, whatever the size of the log.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from ledger.database import Connection
from ledger.store import check, connect
from projections import log, standing
from projections.rows import Deltas
from projections.tables import ITEM, MOVEMENT, TABLES, TURNOVER, create_index, create_table
from projections.writing import Writer

Progress = Callable[[int, int], None]
"""Told (position reached, head) after each page; by a rebuild: (events done, head)."""

PAGE = 4096
"""Events a page, about: a page ends with a commit. So long is the ledger kept waiting at most while rows are merged."""
TURNOVER_ROWS = 32_768
"""Rows of turnover held in memory by a rebuild before they are merged in."""
_CHUNK = 256
"""Events decoded at once by a rebuild: few enough to stay in the processor's cache."""
_FAR_BEHIND = 50_000
"""Events behind from which on a rebuild, which writes in key order, may be quicker than following."""
_BUILD_SECONDS = 24 * 3600.0


class Rows:
    """The tables under their names in some schema, to be written: ``main.item`` or ``main.fresh_item``."""

    def __init__(self, prefix: str) -> None:
        self._item = Writer(ITEM, prefix + ITEM.name)
        self._movement = Writer(MOVEMENT, prefix + MOVEMENT.name)
        self._turnover = Writer(TURNOVER, prefix + TURNOVER.name)

    def write_items(self, connection: Connection, deltas: Deltas) -> None:
        """Merge in what is in the making of items and movements."""
        items, movements = deltas.take_items()
        self._item(connection, items)
        self._movement(connection, movements)

    def write(self, connection: Connection, deltas: Deltas) -> None:
        """Merge in all that is in the making."""
        self.write_items(connection, deltas)
        for part in deltas.take_turnover():
            self._turnover(connection, part)


LIVE = Rows("main.")
FRESH = Rows("main.fresh_")


def follow(path: str | Path, progress: Progress | None = None, *, page: int = PAGE) -> int:
    """Bring the projections of a store from where they are to the head of its log; the position reached.

    Tables that are missing or of another version are rebuilt, and where most of a long log is new. Never sleeps: a worker
    calls it again.
    """
    with closing(_connect(path)) as connection:
        while True:
            position, head = standing.reached(connection), log.head(connection)
            if _is_rebuild_due(position, head):
                _rebuild(path, connection, progress, only_if_due=True)
                continue
            assert position is not None
            if position >= head:
                return position
            end = log.page_end(connection, position, page, head)
            if _follow_page(connection, position, end) and progress is not None:
                progress(end, head)


def rebuild(path: str | Path, progress: Progress | None = None) -> int:
    """Make the projections of a store anew from the whole log, in bounded memory, then swap; the position reached."""
    with closing(_connect(path)) as connection:
        _rebuild(path, connection, progress, only_if_due=False)
        position = standing.reached(connection)
    assert position is not None
    return position


def fill(
    connection: Connection,
    rows: Rows,
    upto: int,
    transaction: Callable[[], AbstractContextManager[object]],
    progress: Progress | None,
) -> None:
    """Fill empty tables with the rows of all events up to a position, account by account.

    Each page is decoded before the transaction that merges it in, so that a write lock is held a third of the time.
    """
    deltas, done, unwritten = Deltas(), 0, 0
    for events in log.pages_by_account(connection, upto, _CHUNK):
        deltas.add(events)
        unwritten += len(events)
        if unwritten < PAGE:
            continue
        with transaction():
            if deltas.turnover_rows < TURNOVER_ROWS:
                rows.write_items(connection, deltas)
            else:
                rows.write(connection, deltas)
        done, unwritten = done + unwritten, 0
        if progress is not None:
            progress(done, upto)
    with transaction():
        rows.write(connection, deltas)
    if progress is not None:
        progress(upto, upto)


def _is_rebuild_due(position: int | None, head: int) -> bool:
    """Whether there is nothing to follow from, or so little that all of it made anew is sooner there."""
    return position is None or head - position > max(position, _FAR_BEHIND)


def _connect(path: str | Path) -> Connection:
    connection = connect(check(path))
    # Rows can be had again from the log, and are saved with their position: a power cut loses nothing but work.
    connection.execute("PRAGMA synchronous=NORMAL")
    # Fewer, larger checkpoints: a tenth of the time of a rebuild.
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA cache_size=-16384")
    return connection


def _deltas(connection: Connection, after: int, upto: int) -> Deltas:
    deltas = Deltas()
    deltas.add(log.page(connection, after, upto))
    return deltas


def _follow_page(connection: Connection, position: int, end: int) -> bool:
    """Merge one page in, unless another process moved on; decoded before the write lock is taken."""
    deltas = _deltas(connection, position, end)
    with connection.writing():
        if not standing.advance(connection, position, end):
            return False
        LIVE.write(connection, deltas)
    return True


def _rebuild(path: str | Path, connection: Connection, progress: Progress | None, *, only_if_due: bool) -> None:
    with _only_builder(path):
        if only_if_due and not _is_rebuild_due(standing.reached(connection), log.head(connection)):
            return
        with connection.writing():
            for table in TABLES:
                connection.execute(f"DROP TABLE IF EXISTS fresh_{table.name}")
                connection.execute(create_table(table, f"fresh_{table.name}"))
        position = log.head(connection)
        fill(connection, FRESH, position, connection.writing, progress)
        while (head := log.head(connection)) - position > PAGE:
            end = log.page_end(connection, position, PAGE, head)
            deltas = _deltas(connection, position, end)
            with connection.writing():
                FRESH.write(connection, deltas)
            position = end
        _swap(connection, position)


def _swap(connection: Connection, position: int) -> None:
    """Put the fresh tables, brought to the head, in the place of the live ones."""
    # The sort that makes the index takes as much memory as the cache may.
    connection.execute("PRAGMA cache_size=-2048")
    with connection.writing():
        head = log.head(connection)
        FRESH.write(connection, _deltas(connection, position, head))
        for table in TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table.name}")
            connection.execute(f"ALTER TABLE fresh_{table.name} RENAME TO {table.name}")
        connection.execute(create_index())
        standing.declare(connection, head)


@contextmanager
def _only_builder(path: str | Path) -> Iterator[None]:
    """One rebuild of a store at a time, whatever becomes of the process that makes it.

    The lock is that of an empty database beside the store: the system lets go of it with the process, and what a dead
    builder left can be told from what a live one needs.
    """
    lock = sqlite3.connect(f"{path}-rebuild", isolation_level=None, timeout=_BUILD_SECONDS)
    with closing(lock):
        lock.execute("BEGIN EXCLUSIVE")
        yield
