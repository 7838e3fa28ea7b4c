"""The log of a SQLite store: events, register, tracking and the head row in one transaction.

The head row gives dense positions and a ``recorded_us`` that never goes backwards (invariant 8), and is the fence: a
commit succeeds only at the head that it was decided on. ``BEGIN IMMEDIATE``: the library's deferred ``BEGIN`` fails at
once, whatever the timeout, when somebody else committed between its read and its write.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import time_ns
from typing import Any

from eventsourcing.persistence import AggregateRecorder, StoredEvent, Tracking
from eventsourcing.sqlite import (
    SQLiteAggregateRecorder,
    SQLiteConnection,
    SQLiteCursor,
    SQLiteFactory,
    SQLiteProcessRecorder,
    SQLiteTransaction,
)
from msgspec.structs import astuple

from ledger.errors import HeadMoved
from ledger.head import Head
from ledger.quarantine import mark
from ledger.register import Entries, Released
from ledger.store import create


class _Immediate(SQLiteTransaction):
    """A transaction that has the write lock from its first statement on."""

    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        return cursor


_ADVANCE = """UPDATE ledger_head SET position = position + :events, generation = generation + :changes,
    recorded_us = max(recorded_us + 1, :now_us) WHERE shard = 0 AND (:at IS NULL OR recorded_us = :at)
    RETURNING position, recorded_us, generation"""
_EVENTS = "INSERT INTO events VALUES (?, 0, ?, ?, ?, ?, ?)"
_RECEIPTS = "INSERT INTO receipts VALUES (0, ?, ?, ?, ?, ?, ?, ?)"
_DOCUMENTS = "INSERT INTO documents VALUES (0, ?, ?, ?, ?, ?, ?, ?)"
# Two documents may have the very same lines.
_ATTACHMENTS = "INSERT INTO attachments VALUES (0, ?, ?) ON CONFLICT DO NOTHING"
_TOUCHES = "INSERT INTO touches VALUES (0, ?, ?, ?)"
# The same message again makes no second entry, but may have another fault by now.
_QUARANTINE = """INSERT INTO quarantine
    (shard, mark, book, source, source_id, origin, code, field, value, rule, raw, recorded_us, status)
    VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT (shard, mark) DO UPDATE
    SET code = excluded.code, field = excluded.field, value = excluded.value, rule = excluded.rule
    WHERE status = 'open'"""
_RELEASE = """UPDATE quarantine SET status = 'booked', position = ?
    WHERE shard = 0 AND status = 'open' AND source = ? AND source_id = ?"""


class LedgerRecorder(SQLiteProcessRecorder):
    """The library's process recorder with our tables, positions and register."""

    def create_table(self) -> None:
        """Make the tables by migration, where they are missing."""
        create(self.datastore.pool.db_name)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, tracking: Tracking | None = None, **kwargs: Any
    ) -> Sequence[int]:
        """Write all or nothing, whatever the head; the positions of the events."""
        last = self.commit(stored_events, tracking=tracking).position
        return list(range(last - len(stored_events) + 1, last + 1))

    def commit(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        tracking: Tracking | None = None,
        entries: Entries | None = None,
        at: Head | None = None,
        changes: int = 0,
        now_us: int | None = None,
    ) -> Head:
        """Write all or nothing; the head after it.

        ``at``: the head on which the batch was decided; ``HeadMoved`` if any commit has come since, also one without
        events. ``changes``: how many commands changed a book. ``now_us``: the instant, by default the clock's.
        """
        now_us = time_ns() // 1000 if now_us is None else now_us
        with self._immediate() as c:
            cursor = c.sqlite_cursor
            # Every commit has an instant of its own: it tells one head from another.
            seen = None if at is None else at.recorded_us
            advance = {"events": len(stored_events), "changes": changes, "now_us": now_us, "at": seen}
            row = cursor.execute(_ADVANCE, advance).fetchone()
            if row is None:
                raise HeadMoved
            head = Head(*row)
            recorded_us = head.recorded_us
            first = head.position - len(stored_events) + 1
            cursor.executemany(
                _EVENTS,
                [
                    (position, s.originator_id, s.originator_version, s.topic, s.state, recorded_us)
                    for position, s in enumerate(stored_events, first)
                ],
            )
            if entries is not None:
                cursor.executemany(_RECEIPTS, entries.receipts)
                cursor.executemany(_DOCUMENTS, entries.documents)
                cursor.executemany(_TOUCHES, entries.touches)
                cursor.executemany(_ATTACHMENTS, entries.attachments)
                for entry in entries.quarantine:
                    if isinstance(entry, Released):
                        cursor.execute(_RELEASE, entry)
                    else:
                        cursor.execute(_QUARANTINE, (mark(entry), *astuple(entry)[:-1], recorded_us))
            if tracking is not None:
                self._insert_tracking(c, tracking)
        return head

    @contextmanager
    def _immediate(self) -> Iterator[SQLiteCursor]:
        with self.datastore.get_connection(commit=True) as connection:
            _prepare(connection)
            with _Immediate(connection, commit=True) as c, c:
                yield c


def _prepare(connection: SQLiteConnection) -> None:
    """Acknowledged means on disk: some builds of SQLite default to less in WAL mode."""
    connection.cursor().execute("PRAGMA synchronous=FULL")


class LedgerFactory(SQLiteFactory):
    """Makes our recorder on the table ``events``; snapshots are in the table ``snapshots``."""

    def process_recorder(self) -> LedgerRecorder:
        """The recorder of the log."""
        recorder = LedgerRecorder(self.datastore, events_table_name="events")
        if self.env_create_table():
            recorder.create_table()
        return recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The recorder of the snapshots; their table is made with the others."""
        assert purpose == "snapshots"
        return SQLiteAggregateRecorder(self.datastore, events_table_name="snapshots")
