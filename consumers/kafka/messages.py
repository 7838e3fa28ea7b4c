"""What one record becomes: entries of a batch, by our own contracts or by the adapter of its topic. It never fails.

Each entry has its *origin*, ``kafka:<topic>:<partition>:<offset>``, and its *lane*, whose order it is part of:
``<topic>:<key>``, or ``<topic>/<partition>`` where there is no key. (Neither sign may stand in a topic's name.)
"""

from collections.abc import Sequence
from hashlib import sha256
from traceback import extract_tb
from typing import Protocol

import msgspec
import structlog
from msgspec.structs import replace

from consumers.adapters.adapter import Adapter
from consumers.commands import parse_message, storable, unreadable
from consumers.problems import Fault
from domain.refusals import RULES, Code
from ledger.outcomes import Acknowledged, Entry, Submission, Unreadable

log = structlog.get_logger(__name__)

KEY_LIMIT = 200
"""Characters of a key that is kept as it is; a longer one than a customer's is known by its digest."""
TOMBSTONE = "tombstone"
"""The kind of a record without a value: a request to forget earlier ones, which mean nothing here if not booked."""
SCHEME = "kafka:"


class Record(Protocol):
    """A record as the library gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Feed(msgspec.Struct, frozen=True):
    """How the messages of a topic are read.

    Without an ``adapter`` they are commands by our own contracts. ``book``: the book that they are for; it must be
    given with an adapter, commands may name theirs.
    """

    book: str | None = None
    adapter: Adapter | None = None

    def __post_init__(self) -> None:
        assert self.adapter is None or self.book is not None, "an adapter reads for one book"


def entries(record: Record, feed: Feed) -> Sequence[Entry]:
    """What becomes of a record, at least one entry."""
    key = None if record.key is None else key_text(record.key)
    lane = f"{record.topic}/{record.partition}" if key is None else f"{record.topic}:{key}"
    origin = f"{SCHEME}{record.topic}:{record.partition}:{record.offset}"
    value, headers = record.value, record.headers or ()
    if value is None:
        if not any(name.startswith("ce_") for name, _ in headers):
            return (Acknowledged(feed.book or "", record.topic, TOMBSTONE),)
        # An event in headers, without data.
        value = b""
    try:
        if feed.adapter is None:
            return (parse_message(value, headers, origin=origin, book=feed.book, lane=lane),)
        found = feed.adapter.read(value, origin=origin, lane=lane, key=key)
        assert found, "an adapter drops nothing"
        return [_placed(entry, origin, lane) for entry in found]
    except Exception as error:
        # An error of ours with one message must not stop the others; the message is kept.
        at = extract_tb(error.__traceback__)[-1]
        # Without the text of the error, which may quote the message.
        log.error("kafka_message_failed", origin=origin, error=type(error).__name__, at=f"{at.filename}:{at.lineno}")
        fault = Fault(Code.UNEXPECTED, "", type(error).__name__, RULES[Code.UNEXPECTED])
        return (unreadable(value, fault, origin=origin, book=feed.book, lane=lane),)


def key_text(key: bytes) -> str:
    """A key as text that any database can hold and index; keys that differ stay different."""
    try:
        text = key.decode("utf-8")
    except UnicodeDecodeError:
        text = key.decode("utf-8", "backslashreplace")
    if len(text) > KEY_LIMIT or "\0" in text:
        return f"sha256:{sha256(key).hexdigest()}"
    return text


def place_of(origin: str) -> tuple[str, int, int] | None:
    """Topic, partition and offset of an origin; None where it did not come from Kafka."""
    if not origin.startswith(SCHEME):
        return None
    topic, partition, offset = origin[len(SCHEME) :].split(":")
    return topic, int(partition), int(offset)


def _placed(entry: Entry, origin: str, lane: str) -> Entry:
    """An adapter's entry with origin and lane, its texts such as any database can hold."""
    if isinstance(entry, Submission):
        if (entry.origin, entry.quarantine, entry.lane) == (origin, True, lane):
            return entry
        return replace(entry, origin=origin, quarantine=True, lane=lane)
    if isinstance(entry, Unreadable):
        texts = {name: storable(getattr(entry, name)) for name in ("source", "field", "value", "rule")}
        source_id = None if entry.source_id is None else storable(entry.source_id)
        return replace(entry, origin=origin, lane=lane, source_id=source_id, **texts)
    return replace(entry, source=storable(entry.source), kind=storable(entry.kind))
