"""Pages of the log made into rows: in log order, or account by account into empty tables."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from ledger.database import Connection, Location, connect
from ledger.store import check
from projections import log
from projections.rows import Deltas

Progress = Callable[[int, int], None]
"""Told (position reached, head) after each page; by a rebuild: (events done, head)."""

PAGE = 4096
"""Events a page, about: a page ends with a commit. So long is the ledger kept waiting at most while rows are merged."""
TURNOVER_ROWS = 32_768
"""Rows of turnover and arrivals held in memory before they are written, where a page is not the end of a transaction's work."""
_CHUNK = {False: 256, True: 1024}
"""Events decoded at once where only rows matter: few enough to stay in the processor's cache. More on PostgreSQL, where
asking for them is a round trip."""


class Tables(Protocol):
    """What takes rows."""

    def write_items(self, deltas: Deltas, /) -> None:
        """Those of items, movements and deferrals."""

    def write(self, deltas: Deltas, /) -> None:
        """All."""


def connected(location: Location) -> Connection:
    """A connection to write rows by. Raises ``StoreMissing`` or ``StoreOutdated``.

    Rows can be had again from the log, and are saved with their position: a power cut loses nothing but work.
    """
    connection = connect(check(location))
    if connection.postgres:
        connection.execute("SET synchronous_commit = off")
    else:
        connection.execute("PRAGMA synchronous=NORMAL")
        # Fewer, larger checkpoints: a tenth of the time of a rebuild.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute("PRAGMA cache_size=-16384")
    return connection


def deltas(connection: Connection, after: int, upto: int) -> Deltas:
    """The rows of the events after a position up to another."""
    made = Deltas()
    made.add(log.page(connection, after, upto))
    return made


def fill(
    connection: Connection,
    tables: Tables,
    upto: int,
    transaction: Callable[[], AbstractContextManager[object]],
    told: Callable[[int], None],
    accounts: tuple[str, str] = log.ACCOUNTS,
) -> None:
    """Give empty tables the rows of all events up to a position, account by account.

    Each page is decoded before the transaction that writes it, so that a write lock is held a third of the time.
    ``told`` how many events are done after each.
    """
    made, done, unwritten = Deltas(), 0, 0
    for events in log.pages_by_account(connection, upto, _CHUNK[connection.postgres], accounts):
        made.add(events)
        unwritten += len(events)
        if unwritten < PAGE:
            continue
        with transaction():
            if made.turnover_rows + made.arrival_rows < TURNOVER_ROWS:
                tables.write_items(made)
            else:
                tables.write(made)
        done, unwritten = done + unwritten, 0
        told(done)
    with transaction():
        tables.write(made)
    told(done + unwritten)
