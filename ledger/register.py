"""The register: the unique tables written in the transaction of the events.

*Receipts* say which (source, source id) was answered how; *documents* which document keys are taken, by which content;
*touches* which later events concern a document. With them the same fact is booked once (invariant 3), and what a
command names is found without reading an account's past.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from domain.dismissal import Held
from domain.events import Event
from domain.history import Source
from ledger.attachments import Attachment
from ledger.codec import decode
from ledger.database import Connection, Parameters, Row
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


class Dismissed(NamedTuple):
    """An entry in quarantine is closed without being booked: by the event at ``position``, for ``reason``.

    ``code``: why it stands there, as the event says.
    """

    position: int
    entry: int
    reason: str
    code: str


class Entries(msgspec.Struct):
    """Rows to write with a commit, in the columns of their tables but for ``shard``; quarantine in order of arrival.

    Positions are provisional (``ledger.commit``). ``awaited``: the (book, document) that facts of the batch wait for,
    so must not be there. ``unparked``: ids of parked messages whose rows are taken away. ``doubles``: source, source id,
    origin and number of messages that were delivered again.
    """

    receipts: list[tuple[str, str, bytes, int, int, str | None, str | None]] = []
    documents: list[tuple[str, str, bytes, int, int, int, str | None]] = []
    touches: list[tuple[str, str, int]] = []
    quarantine: list[Unreadable | Released | Dismissed] = []
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
    WHERE shard = 0 AND source = :of AND """
_DOCUMENTS = """SELECT document, digest, last, events, awaited FROM documents
    WHERE shard = 0 AND book = :of AND """
_BLOCKED = "SELECT lane FROM quarantine WHERE shard = 0 AND status = 'open' AND "
_BEHIND = "SELECT DISTINCT lane FROM parked WHERE shard = 0 AND "
_HELD = "SELECT book, source, source_id, code, mark, status FROM quarantine WHERE shard = 0 AND id = ?"
_CONCERNING = """SELECT originator_id, originator_version, topic, state FROM events WHERE position IN (
    SELECT position FROM documents WHERE shard = 0 AND book = :book AND document = :document
    UNION SELECT position FROM touches WHERE shard = 0 AND book = :book AND document = :document) ORDER BY position"""
_EVENT = "SELECT topic, state FROM events WHERE shard = 0 AND originator_id = ? AND originator_version = ?"
_REVISIONS = """SELECT document FROM documents WHERE shard = 0 AND book = ? AND document > ? AND document < ?"""


Keyed = dict[tuple[str, str], Known]


class Register:
    """Look-ups in the register of one store. What changes after them shows at the commit, as a key that is taken."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receipts(self, wanted: Iterable[tuple[str, str]]) -> Keyed:
        """Those of the (source, source id) that have been answered."""
        return self.known(Lookup(self._connection, wanted, ()))[0]

    def documents(self, wanted: Iterable[tuple[str, str]]) -> Keyed:
        """Those of the (book, document) that are taken."""
        return self.known(Lookup(self._connection, (), wanted))[1]

    def known(self, lookup: "Lookup") -> tuple[Keyed, Keyed]:
        """What a look-up finds."""
        return lookup.found(self._connection.together(lookup.statements))

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

    def held(self, entry: int) -> Held | None:
        """What stands in quarantine under a number, or None."""
        row = self._connection.execute(_HELD, (entry,)).fetchone()
        if row is None:
            return None
        book, source, source_id, code, digest, status = row
        return Held(
            book=book,
            source=source,
            source_id=source_id,
            code=code,
            digest=bytes(digest).hex(),
            is_open=status == "open",
        )

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


class Lookup:
    """A look-up of (source, source id) that may have been answered and (book, document) that may be taken.

    Its ``statements`` may go along with others in one round trip; ``found`` reads their rows.
    """

    def __init__(
        self, connection: Connection, receipts: Iterable[tuple[str, str]], documents: Iterable[tuple[str, str]]
    ) -> None:
        among, values = connection.among, connection.values
        self._sources, self._books = _grouped(receipts), _grouped(documents)
        self.statements: list[tuple[str, Parameters]] = [
            (_RECEIPTS + among("source_id", "ids"), {"of": of, "ids": values(ids)}) for of, ids in self._sources.items()
        ]
        self.statements += [
            (_DOCUMENTS + among("document", "ids"), {"of": of, "ids": values(ids)}) for of, ids in self._books.items()
        ]

    def found(self, rows: Sequence[Sequence[Row]]) -> tuple[Keyed, Keyed]:
        """Those that have been answered, and those that are taken."""
        first = len(self._sources)
        return _keyed(self._sources, rows[:first]), _keyed(self._books, rows[first:])


def _keyed(names: Iterable[str], rows: Iterable[Sequence[Row]]) -> Keyed:
    return {(of, id_): Known(*known) for of, found in zip(names, rows, strict=True) for id_, *known in found}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for first, second in pairs:
        grouped.setdefault(first, []).append(second)
    return grouped
