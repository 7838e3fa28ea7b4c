"""The register: the unique tables written in the transaction of the events.

*Receipts* say which (source, source id) was answered how; *documents* which document keys are taken, by which content;
*touches* which later events concern a document. With them the same fact is booked once (invariant 3), and what a
command names is found without reading an account's past.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from domain.events import Event
from domain.history import Source
from ledger.attachments import Attachment
from ledger.codec import decode
from ledger.database import Connection
from ledger.outcomes import Acknowledged, Unreadable


class Known(NamedTuple):
    """What the register knows of a source id or a document: its content's digest, and the first answer.

    ``origin``: of a source id, where its message came from.
    """

    digest: bytes
    position: int
    events: int
    awaited: str | None
    origin: str | None = None


class Released(NamedTuple):
    """What stood in quarantine under a source id is in the books now."""

    position: int
    source: str
    source_id: str


class Entries(msgspec.Struct):
    """Rows to write with a commit, in the columns of their tables but for ``shard``; quarantine in order of arrival.

    Positions are provisional (``ledger.commit``). ``awaited``: the (book, document) that facts of the batch wait for,
    so must not be there. ``unparked``: ids of parked messages whose rows are taken away. ``doubles``: source, source id,
    origin and number of messages that were delivered again.
    """

    receipts: list[tuple[str, str, bytes, int, int, str | None, str | None]] = []
    documents: list[tuple[str, str, bytes, int, int, int, str | None]] = []
    touches: list[tuple[str, str, int]] = []
    quarantine: list[Unreadable | Released] = []
    attachments: list[Attachment] = []
    awaited: list[tuple[str, str]] = []
    parked: list[tuple[str, str, str, str, str, str]] = []
    unparked: list[int] = []
    acknowledged: list[Acknowledged] = []
    doubles: list[tuple[str, str, str, int | None]] = []

    @property
    def has_more(self) -> bool:
        """Whether there is anything that few commits have."""
        return bool(
            self.quarantine
            or self.attachments
            or self.awaited
            or self.parked
            or self.unparked
            or self.acknowledged
            or self.doubles
        )

    def __bool__(self) -> bool:
        return bool(self.receipts or self.documents or self.touches) or self.has_more


_RECEIPTS = """SELECT source_id, digest, position, events, awaited, origin FROM receipts
    WHERE shard = 0 AND source = :source AND """
_DOCUMENTS = """SELECT document, digest, last, events, awaited FROM documents
    WHERE shard = 0 AND book = :book AND """
_BLOCKED = "SELECT lane FROM quarantine WHERE shard = 0 AND status = 'open' AND "
_BEHIND = "SELECT DISTINCT lane FROM parked WHERE shard = 0 AND "
_CONCERNING = """SELECT originator_id, originator_version, topic, state FROM events WHERE position IN (
    SELECT position FROM documents WHERE shard = 0 AND book = :book AND document = :document
    UNION SELECT position FROM touches WHERE shard = 0 AND book = :book AND document = :document) ORDER BY position"""
_EVENT = "SELECT topic, state FROM events WHERE shard = 0 AND originator_id = ? AND originator_version = ?"
_REVISIONS = """SELECT document FROM documents WHERE shard = 0 AND book = ? AND document > ? AND document < ?"""


class Register:
    """Look-ups in the register of one store. What changes after them shows at the commit, as a key that is taken."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receipts(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """Those of the (source, source id) that have been answered."""
        found: dict[tuple[str, str], Known] = {}
        connection = self._connection
        for source, ids in _grouped(wanted).items():
            parameters = {"source": source, "ids": connection.values(ids)}
            for source_id, *known in connection.execute(_RECEIPTS + connection.among("source_id", "ids"), parameters):
                found[source, source_id] = Known(*known)
        return found

    def documents(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """Those of the (book, document) that are taken."""
        found: dict[tuple[str, str], Known] = {}
        connection = self._connection
        for book, ids in _grouped(wanted).items():
            parameters = {"book": book, "ids": connection.values(ids)}
            for document, *known in connection.execute(_DOCUMENTS + connection.among("document", "ids"), parameters):
                found[book, document] = Known(*known)
        return found

    def blocked(self, lanes: Iterable[str]) -> tuple[set[str], set[str]]:
        """Those of the lanes in which a message stands in quarantine, and those in which messages are parked."""
        wanted = list(lanes)
        if not wanted:
            return set(), set()
        connection = self._connection
        among = connection.among("lane", "lanes")
        parameters = {"lanes": connection.values(wanted)}
        blocked = connection.execute(_BLOCKED + among, parameters).fetchall()
        behind = connection.execute(_BEHIND + among, parameters).fetchall()
        return {lane for (lane,) in blocked}, {lane for (lane,) in behind}

    def concerning(self, book: str, document: str) -> list[Source]:
        """The events that concern a document, in log order."""
        return [
            Source(stream, version, decode(topic, state))
            for stream, version, topic, state in self._connection.execute(
                _CONCERNING, {"book": book, "document": document}
            )
        ]

    def event(self, stream: str, version: int) -> Event | None:
        """One event of a stream, or None."""
        row = self._connection.execute(_EVENT, (stream, version)).fetchone()
        found: Event | None = decode(*row) if row is not None else None
        return found

    def revisions(self, book: str, reference: str) -> list[str]:
        """The documents, of any revision, that a reference names."""
        rows = self._connection.execute(_REVISIONS, (book, f"{reference}:", f"{reference};"))
        # A number may itself contain colons, so a longer one may lie in the range.
        return [document for (document,) in rows if document.rpartition(":")[0] == reference]


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for first, second in pairs:
        grouped.setdefault(first, []).append(second)
    return grouped
