"""One commit: the events of a batch, its register rows, quarantine and tracking, all or nothing.

The head row gives dense positions and a ``recorded_us`` that never goes backwards (invariant 8), and is the fence
(invariant 9): a batch is written only at the *generation* that it was decided at, the count of commits that changed
what more than one account depends on: a book, or who waits for which document. Everything else that another writer may
have done meanwhile shows as a key that is taken, or as an entry in quarantine that does not stand as it did.

While a batch is decided its positions are *provisional*, ``PROVISIONAL`` + n for its nth event; the commit makes them
real, and only then does it hold the head.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import time_ns
from typing import NamedTuple

import msgspec
from eventsourcing.persistence import Tracking
from msgspec.structs import astuple

from ledger.database import Connection
from ledger.errors import GenerationMoved, StaleTracking
from ledger.head import Head
from ledger.quarantine import mark
from ledger.register import Dismissed, Entries, Released

PROVISIONAL = 1 << 62
"""Positions from this one on are provisional; it stands itself for the last event before the commit."""


def real(position: int, base: int) -> int:
    """The position that a provisional one has become; ``base`` is that of the last event before the commit."""
    return base + position - PROVISIONAL if position >= PROVISIONAL else position


class Row(NamedTuple):
    """A stored event, in the columns that it brings with it."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


@dataclass(frozen=True)
class Advance(Tracking):
    """A position that moves from exactly where it is believed to be, ``before`` (0: none is saved yet).

    One that only grows would let a batch be booked that overlaps with another writer's: facts are known by their
    receipts, but what is counted would be counted twice.
    """

    before: int


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What one transaction writes.

    ``generation``: the one that it was decided at; ``changes``: how much it adds to it; ``now_us``: the instant, by
    default the clock's. ``tracking``: positions that must grow, or ``Advance``.
    """

    events: Sequence[Row] = ()
    entries: Entries = msgspec.field(default_factory=Entries)
    tracking: Sequence[Tracking] = ()
    generation: int | None = None
    changes: int = 0
    now_us: int | None = None


def write(connection: Connection, commit: Commit) -> Head:
    """Write a commit; the head after it.

    Raises ``GenerationMoved`` or the library's ``IntegrityError`` where another writer was first, ``StaleTracking``
    where this very batch was booked before; nothing is written then.
    """
    if connection.postgres:
        from ledger.postgres import PostgresConnection
        from ledger.postgres_commit import write_rows

        assert isinstance(connection, PostgresConnection)
        if not commit.entries.has_more:
            # One statement is a transaction: the head is held for no round trip.
            return write_rows(connection, commit)
        with connection.writing():
            head = write_rows(connection, commit)
            _write_more(connection, commit, head)
        return head
    with connection.writing():
        head = _write_rows(connection, commit)
        _write_more(connection, commit, head)
    return head


# --- what nearly every commit writes, on SQLite

_ADVANCE = """UPDATE ledger_head SET position = position + :events, generation = generation + :changes,
    recorded_us = max(recorded_us + 1, :now_us) WHERE shard = 0 AND (:at IS NULL OR generation = :at)
    RETURNING position, recorded_us, generation"""
_EVENTS = "INSERT INTO events VALUES (?, 0, ?, ?, ?, ?, ?)"
_RECEIPTS = "INSERT INTO receipts VALUES (0, ?, ?, ?, ?, ?, ?, ?)"
_DOCUMENTS = "INSERT INTO documents VALUES (0, ?, ?, ?, ?, ?, ?, ?)"
_TOUCHES = "INSERT INTO touches VALUES (0, ?, ?, ?)"
_FIRST = "INSERT INTO tracking VALUES (:name, :after) ON CONFLICT DO NOTHING"
_MOVE = "UPDATE tracking SET notification_id = :after WHERE application_name = :name AND notification_id = :before"
_TRACKING = """INSERT INTO tracking VALUES (?, ?) ON CONFLICT (application_name) DO UPDATE
    SET notification_id = excluded.notification_id WHERE notification_id < excluded.notification_id"""


def _write_rows(connection: Connection, commit: Commit) -> Head:
    now_us = time_ns() // 1000 if commit.now_us is None else commit.now_us
    row = connection.execute(
        _ADVANCE,
        {"events": len(commit.events), "changes": commit.changes, "now_us": now_us, "at": commit.generation},
    ).fetchone()
    if row is None:
        raise GenerationMoved
    head = Head(*row)
    base, recorded_us = head.position - len(commit.events), head.recorded_us
    connection.executemany(
        _EVENTS,
        [
            (position, s.originator_id, s.originator_version, s.topic, s.state, recorded_us)
            for position, s in enumerate(commit.events, base + 1)
        ],
    )
    entries = commit.entries
    shift = base - PROVISIONAL
    connection.executemany(
        _RECEIPTS,
        [
            (source, source_id, digest, at + shift if at >= PROVISIONAL else at, events, awaited, origin)
            for source, source_id, digest, at, events, awaited, origin in entries.receipts
        ],
    )
    connection.executemany(
        _DOCUMENTS,
        [
            (book, document, digest, at + shift, last + shift, events, awaited)
            for book, document, digest, at, last, events, awaited in entries.documents
        ],
    )
    connection.executemany(_TOUCHES, [(book, document, at + shift) for book, document, at in entries.touches])
    for tracking in commit.tracking:
        if not _track(connection, tracking):
            raise StaleTracking(f"{tracking.application_name} stands elsewhere than before {tracking.notification_id}")
    return head


def _track(connection: Connection, tracking: Tracking) -> bool:
    name, after = tracking.application_name, tracking.notification_id
    if isinstance(tracking, Advance):
        parameters = {"name": name, "after": after, "before": tracking.before}
        return connection.execute(_MOVE if tracking.before else _FIRST, parameters).rowcount == 1
    return connection.execute(_TRACKING, (name, after)).rowcount == 1


# --- what few commits write, on both

# A document that itself waits is not there yet: its arrival changes the generation. Nor is one of this very commit.
_TAKEN = """SELECT 1 FROM documents WHERE shard = 0 AND book = :book AND document = :document AND awaited IS NULL
    AND position <= :base"""
# Two documents may have the very same lines.
_ATTACHMENTS = "INSERT INTO attachments VALUES (0, ?, ?) ON CONFLICT DO NOTHING"
# The same message again makes no second entry, but may have another fault by now.
_QUARANTINE = """INSERT INTO quarantine
    (shard, mark, book, source, source_id, origin, code, field, value, rule, raw, lane, recorded_us, status)
    VALUES (0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open') ON CONFLICT (shard, mark) DO UPDATE
    SET code = excluded.code, field = excluded.field, value = excluded.value, rule = excluded.rule,
        attempts = quarantine.attempts + 1
    WHERE quarantine.status = 'open'"""
_RELEASE = """UPDATE quarantine SET status = 'booked', position = ?
    WHERE shard = 0 AND status = 'open' AND source = ? AND source_id = ?"""
# By what it was decided on: another writer may have closed it, or the same message come with another fault.
_DISMISS = """UPDATE quarantine SET status = 'dismissed', position = ?, reason = ?
    WHERE shard = 0 AND status = 'open' AND id = ? AND code = ?"""
_PARK = """INSERT INTO parked (shard, lane, book, source, source_id, origin, raw, recorded_us)
    VALUES (0, ?, ?, ?, ?, ?, ?, ?)"""
_UNPARK = "DELETE FROM parked WHERE shard = 0 AND id = :id"
_DOUBLE = "INSERT INTO doubles VALUES (0, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_ACKNOWLEDGE = """INSERT INTO acknowledgements VALUES (0, ?, ?, ?, 1) ON CONFLICT (shard, book, source, kind) DO UPDATE
    SET count = acknowledgements.count + 1"""


def _write_more(connection: Connection, commit: Commit, head: Head) -> None:
    """The rest, while the head is held: what is read here is all that was ever committed before."""
    entries = commit.entries
    base = head.position - len(commit.events)
    for book, document in entries.awaited:
        if connection.execute(_TAKEN, {"book": book, "document": document, "base": base}).fetchone():
            # It arrived while the batch was decided to wait for it.
            raise GenerationMoved
    if entries.attachments:
        connection.executemany(_ATTACHMENTS, entries.attachments)
    for entry in entries.quarantine:
        if isinstance(entry, Released):
            connection.execute(_RELEASE, (real(entry.position, base), entry.source, entry.source_id))
        elif isinstance(entry, Dismissed):
            closing = (real(entry.position, base), entry.reason, entry.entry, entry.code)
            if not connection.execute(_DISMISS, closing).rowcount:
                raise GenerationMoved
        else:
            connection.execute(_QUARANTINE, (mark(entry), *astuple(entry), head.recorded_us))
    for parked in entries.unparked:
        if not connection.execute(_UNPARK, {"id": parked}).rowcount:
            raise StaleTracking(f"the parked message {parked} has been taken up by another writer")
    if entries.parked:
        connection.executemany(_PARK, [(*row, head.recorded_us) for row in entries.parked])
    if entries.doubles:
        connection.executemany(_DOUBLE, [(*row, head.recorded_us) for row in entries.doubles])
    if entries.acknowledged:
        connection.executemany(_ACKNOWLEDGE, [(one.book, one.source, one.kind) for one in entries.acknowledged])
