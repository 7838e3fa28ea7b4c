"""News of the log: waiting until it has grown.

On PostgreSQL every commit says so on a channel (``LISTEN``); the head is looked at besides, in case a word was lost with
a connection. On SQLite the head is looked at.
"""

from time import monotonic, sleep
from types import TracebackType
from typing import Self

from ledger.database import Location, connect
from ledger.store import check
from projections import log

LOOK_SECONDS = 0.05
"""Between two looks at the head of a file; each takes some microseconds."""
LISTEN_SECONDS = 1.0
"""Between two looks while listening."""


class News:
    """One listener; of one thread."""

    def __init__(self, location: Location) -> None:
        """Raises ``StoreMissing`` or ``StoreOutdated``, or the database's error."""
        self._connection = connect(check(location), read_only=True)

    def wait(self, after: int, seconds: float) -> int:
        """The position of the head, as soon as it is beyond ``after``, or else after some seconds.

        Raises the library's ``OperationalError`` where the database is away; the next call tries again.
        """
        until = monotonic() + seconds
        if self._connection.postgres:
            self._listen()
        while (head := log.head(self._connection)) <= after and (left := until - monotonic()) > 0:
            if self._connection.postgres:
                self._hear(min(left, LISTEN_SECONDS))
            else:
                sleep(min(left, LOOK_SECONDS))
        return head

    def _listen(self) -> None:
        """Again each time: a connection that was made anew does not listen yet, and it costs next to nothing."""
        from ledger.postgres_commit import CHANNEL

        self._connection.execute(f"LISTEN {CHANNEL}")

    def _hear(self, seconds: float) -> None:
        from ledger.postgres import PostgresConnection, translated

        assert isinstance(self._connection, PostgresConnection)
        with translated():
            for _ in self._connection.raw.notifies(timeout=seconds, stop_after=1):
                pass

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
