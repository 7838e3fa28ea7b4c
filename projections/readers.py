"""Readers that share connections: a question pays for no new one, nor for looking at the store again.

Each question has a moment of its own, one read transaction, which is over when it is answered.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from eventsourcing.persistence import OperationalError

from ledger.database import Connection, Location, connect
from ledger.store import check
from projections.reader import NotFollowed, Reader

SECONDS = 5.0


class AllInUse(Exception):
    """No connection has come free in time."""


class Readers:
    """So many connections at most, made when they are first needed; for many threads."""

    def __init__(self, location: Location, size: int) -> None:
        self._location = location
        self._room = threading.BoundedSemaphore(size)
        # With each, whether its tables have been seen.
        self._idle: list[tuple[Connection, bool]] = []
        self._closed = False

    @contextmanager
    def reading(self, timeout: float = SECONDS) -> Iterator[Reader]:
        """A reader of one moment. Raises ``AllInUse``, and what ``Reader`` raises."""
        if not self._room.acquire(timeout=timeout):
            raise AllInUse(f"all connections have been in use for {timeout} s")
        try:
            connection, reader = self._begun()
            try:
                yield reader
            except OperationalError:
                connection.close()
                raise
            except BaseException:
                self._back(connection)
                raise
            self._back(connection)
        finally:
            self._room.release()

    def close(self) -> None:
        """Close those that are idle, and the others when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop()[0].close()

    def _begun(self) -> tuple[Connection, Reader]:
        while True:
            try:
                # The last that came back: those that are not needed stay idle.
                (connection, is_seen), is_made = self._idle.pop(), False
            except IndexError:
                connection, is_seen, is_made = connect(check(self._location), read_only=True), False, True
            try:
                return connection, Reader.over(connection, is_new=not is_seen)
            except NotFollowed:
                # Whoever waits for the projections asks again soon, and a connection costs more than the question.
                self._keep(connection, is_seen=False)
                raise
            except OperationalError:
                connection.close()
                # One that was cut while it was idle says nothing of the database.
                if is_made:
                    raise
            except BaseException:
                connection.close()
                raise

    def _back(self, connection: Connection) -> None:
        try:
            connection.leave()
        except OperationalError:
            connection.close()
            return
        self._keep(connection, is_seen=True)

    def _keep(self, connection: Connection, *, is_seen: bool) -> None:
        self._idle.append((connection, is_seen))
        if self._closed:
            self.close()
