"""The log as the ``eventsourcing`` library sees it: one recorder for both databases, on our own tables.

The library's own recorders keep other tables, lock them and retry blindly; of the library its application, mapper,
repository with snapshots, and tracking are used, and its recorder tests hold this one. A commit that was cut off by a
lost connection is settled by looking for its events.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import Empty, Full, LifoQueue
from typing import Any, NoReturn

from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Tracking,
    TrackingRecorder,
)

from ledger.commit import Commit, Row, write
from ledger.database import Connection, Location, database
from ledger.head import Head

KEPT = 4
"""Connections kept for the next call."""


class _OnTable(AggregateRecorder):
    """Streams in one table; connections are lent to whoever calls."""

    def __init__(self, location: Location, table: str) -> None:
        self._database = database(location)
        self._table = table
        self._kept: LifoQueue[Connection] = LifoQueue(KEPT)

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        try:
            connection = self._kept.get_nowait()
        except Empty:
            connection = self._database.connect()
        try:
            yield connection
        finally:
            try:
                self._kept.put_nowait(connection)
            except Full:
                connection.close()

    def close(self) -> None:
        """Let go of the database."""
        while not self._kept.empty():
            self._kept.get().close()

    def select_events(
        self,
        originator_id: Any,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The stored events of a stream."""
        statement = (
            f"SELECT originator_id, originator_version, topic, state FROM {self._table} WHERE originator_id = :id"
        )
        if gt is not None:
            statement += " AND originator_version > :gt"
        if lte is not None:
            statement += " AND originator_version <= :lte"
        statement += f" ORDER BY originator_version {'DESC' if desc else 'ASC'}"
        if limit is not None:
            statement += " LIMIT :limit"
        with self._lent() as connection:
            rows = connection.execute(statement, {"id": originator_id, "gt": gt, "lte": lte, "limit": limit})
            return [StoredEvent(*row) for row in rows]


class SnapshotRecorder(_OnTable):
    """The snapshots of accounts: of each stream the latest."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        """Save snapshots; ``IntegrityError`` where one of that version is there."""
        with self._lent() as connection, connection.writing():
            connection.executemany(
                f"INSERT INTO {self._table} VALUES (?, ?, ?, ?)",
                [(s.originator_id, s.originator_version, s.topic, s.state) for s in stored_events],
            )


_NOTIFICATIONS = """SELECT position, originator_id, originator_version, topic, state FROM events
    WHERE position >= :start AND position <= :stop"""


class LedgerRecorder(_OnTable, ProcessRecorder):
    """Events, tracking and everything else that a commit writes."""

    def __init__(self, location: Location) -> None:
        super().__init__(location, "events")

    def commit(self, commit: Commit) -> Head:
        """Write all or nothing; raises what ``ledger.commit.write`` raises, and ``OperationalError``."""
        with self._lent() as connection:
            return write(connection, commit)

    @contextmanager
    def turn(self) -> Iterator[Callable[[Commit], Head]]:
        """Hold the head from here to the end: nobody else commits meanwhile. Gives what writes the commit.

        Everybody waits for it, so it is for who was too slow too often. Errors of its end leave open whether it was done.
        """
        with self._lent() as connection, connection.writing():
            if connection.postgres:
                connection.execute("SELECT position FROM ledger_head WHERE shard = 0 FOR UPDATE")
            yield partial(write, connection)

    def settle(self, commit: Commit) -> Head | None:
        """The head after a commit of which it is not known whether it was done; None if it was not.

        Its events are looked for, all of them at their positions: nobody else writes the same ones. A commit without
        events may safely be made again.
        """
        if not commit.events:
            return None
        assert commit.generation is not None, "decided at one"
        first, last = commit.events[0], commit.events[-1]
        with self._lent() as connection:
            found = [connection.execute(_PLACE, _key(stored)).fetchone() for stored in (first, last)]
        for row, stored in zip(found, (first, last), strict=True):
            if row is None or (row[2], bytes(row[3])) != (stored.topic, stored.state):
                return None
        (start, at, *_), (end, until, *_) = found
        if end - start != len(commit.events) - 1 or at != until:
            return None
        return Head(end, until, commit.generation + commit.changes)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, tracking: Tracking | None = None, **kwargs: Any
    ) -> Sequence[int]:
        """Write all or nothing, at whatever generation; the positions of the events."""
        given = () if tracking is None else (tracking,)
        rows = [Row(str(s.originator_id), s.originator_version, s.topic, s.state) for s in stored_events]
        last = self.commit(Commit(events=rows, tracking=given)).position
        return list(range(last - len(stored_events) + 1, last + 1))

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """A page of the log."""
        first = (start or 0) + (0 if inclusive_of_start or start is None else 1)
        with self._lent() as connection:
            statement = _NOTIFICATIONS
            if topics:
                statement += f" AND {connection.among('topic', 'topics')}"
            rows = connection.execute(
                f"{statement} ORDER BY position LIMIT :limit",
                {
                    "start": first,
                    "stop": (1 << 62) if stop is None else stop,
                    "topics": connection.values(topics),
                    "limit": limit,
                },
            )
            return [Notification(id=position, **dict(zip(_FIELDS, rest, strict=True))) for position, *rest in rows]

    def max_notification_id(self) -> int | None:
        """The position of the last event, None in an empty log."""
        with self._lent() as connection:
            (position,) = connection.execute("SELECT position FROM ledger_head WHERE shard = 0").fetchone()
        return position or None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> NoReturn:
        """Not used: projections follow by pages, since their rows and their tracking are one transaction."""
        raise NotImplementedError("the log is followed by projections.follow")

    def insert_tracking(self, tracking: Tracking) -> None:
        """Save a position; ``IntegrityError`` unless it grows."""
        self.commit(Commit(tracking=(tracking,)))

    def max_tracking_id(self, application_name: str) -> int | None:
        """The position saved under a name, or None."""
        with self._lent() as connection:
            row = connection.execute(
                "SELECT notification_id FROM tracking WHERE application_name = ?", (application_name,)
            ).fetchone()
        return None if row is None else int(row[0])

    def tracked(self, prefix: str) -> dict[str, int]:
        """Name → position of all tracking whose name starts so."""
        with self._lent() as connection:
            rows = connection.execute(
                "SELECT application_name, notification_id FROM tracking"
                " WHERE substr(application_name, 1, length(:prefix)) = :prefix",
                {"prefix": prefix},
            )
            return dict(rows.fetchall())


_FIELDS = ("originator_id", "originator_version", "topic", "state")
_PLACE = """SELECT position, recorded_us, topic, state FROM events
    WHERE shard = 0 AND originator_id = :stream AND originator_version = :version"""


def _key(stored: Row) -> dict[str, Any]:
    return {"stream": stored.originator_id, "version": stored.originator_version}


class LedgerFactory(InfrastructureFactory[TrackingRecorder]):
    """Makes our recorders at the location that the environment of the application names."""

    LOCATION = "STORE_LOCATION"

    @property
    def _location(self) -> Location:
        location = self.env.get(self.LOCATION)
        assert location is not None
        return location

    def process_recorder(self) -> LedgerRecorder:
        """The recorder of the log."""
        return LedgerRecorder(self._location)

    def application_recorder(self) -> ApplicationRecorder:
        """The same."""
        return self.process_recorder()

    def tracking_recorder(self, tracking_recorder_class: Any = None) -> TrackingRecorder:
        """The same."""
        return self.process_recorder()

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The recorder of the snapshots; their table is made with the others."""
        assert purpose == "snapshots"
        return SnapshotRecorder(self._location, "snapshots")
