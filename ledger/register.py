"""The register: the unique tables written in the transaction of the events.

*Receipts* say which (source, source id) was answered how; *documents* which document keys are taken, by which content;
*touches* which later events concern a document. With them the same fact is booked once (invariant 3), and what a
command names is found without reading an account's past.
"""

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import NamedTuple

import msgspec

from domain.events import Event
from domain.history import Source
from ledger.attachments import Attachment
from ledger.codec import decode
from ledger.outcomes import Unreadable


class Known(NamedTuple):
    """What the register knows of a source id or a document: its content's digest, and the first answer."""

    digest: bytes
    position: int
    events: int
    awaited: str | None


class Released(NamedTuple):
    """What stood in quarantine under a source id is in the books now."""

    position: int
    source: str
    source_id: str


class Entries(msgspec.Struct):
    """Rows to write with a commit, in the columns of their tables but for ``shard``; quarantine in order of arrival."""

    receipts: list[tuple[str, str, bytes, int, int, str | None, str | None]] = []
    documents: list[tuple[str, str, bytes, int, int, int, str | None]] = []
    touches: list[tuple[str, str, int]] = []
    quarantine: list[Unreadable | Released] = []
    attachments: list[Attachment] = []

    def __bool__(self) -> bool:
        return bool(self.receipts or self.documents or self.touches or self.quarantine)


_RECEIPTS = """SELECT source_id, digest, position, events, awaited FROM receipts
    WHERE shard = 0 AND source = ? AND source_id IN (SELECT value FROM json_each(?))"""
_DOCUMENTS = """SELECT document, digest, last, events, awaited FROM documents
    WHERE shard = 0 AND book = ? AND document IN (SELECT value FROM json_each(?))"""
_CONCERNING = """SELECT originator_id, originator_version, topic, state FROM events WHERE rowid IN (
    SELECT position FROM documents WHERE shard = 0 AND book = ?1 AND document = ?2
    UNION SELECT position FROM touches WHERE shard = 0 AND book = ?1 AND document = ?2) ORDER BY rowid"""
_EVENT = "SELECT topic, state FROM events WHERE shard = 0 AND originator_id = ? AND originator_version = ?"
_REVISIONS = """SELECT document FROM documents WHERE shard = 0 AND book = ? AND document > ? AND document < ?"""

_encode_list = msgspec.json.Encoder().encode


def _as_json(values: Sequence[str]) -> str:
    return _encode_list(values).decode()


class Register:
    """Look-ups in the register of one store. The caller sees to it that the head has not moved in between."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receipts(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """Those of the (source, source id) that have been answered."""
        found: dict[tuple[str, str], Known] = {}
        for source, ids in _grouped(wanted).items():
            for source_id, *known in self._connection.execute(_RECEIPTS, (source, _as_json(ids))):
                found[source, source_id] = Known(*known)
        return found

    def documents(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        """Those of the (book, document) that are taken."""
        found: dict[tuple[str, str], Known] = {}
        for book, ids in _grouped(wanted).items():
            for document, *known in self._connection.execute(_DOCUMENTS, (book, _as_json(ids))):
                found[book, document] = Known(*known)
        return found

    def concerning(self, book: str, document: str) -> list[Source]:
        """The events that concern a document, in log order."""
        return [
            Source(stream, version, decode(topic, state))
            for stream, version, topic, state in self._connection.execute(_CONCERNING, (book, document))
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
