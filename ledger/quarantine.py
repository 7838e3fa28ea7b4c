"""Quarantine: what came in and could not be booked, kept whole until it is booked after all or dismissed."""

from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.fields import BookId, Code, Origin, RecordedUs, Source, SourceId
from ledger.outcomes import Unreadable


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One message in quarantine. ``raw`` is JSON text of what came; ``position`` where it was booked at last, or dismissed.

    ``lane``: whose later messages are parked behind it; ``attempts``: how often it has come.
    """

    id: Annotated[int, Meta(description="Its entry in quarantine.")]
    book: BookId
    source: Source
    source_id: SourceId | None
    origin: Origin
    code: Code
    field: Annotated[str, Meta(description="The field at fault; may be empty.")]
    value: Annotated[str, Meta(description="What the field has.")]
    rule: Annotated[str, Meta(description="The rule that was broken.")]
    raw: Annotated[str, Meta(description="What came, as JSON text.")]
    recorded_us: RecordedUs
    status: Annotated[Literal["open", "booked", "dismissed"], Meta(description="What became of it.")]
    position: Annotated[int | None, Meta(description="The place in the log where it was booked at last, or dismissed.")]
    reason: Annotated[str | None, Meta(description="Why it was dismissed.")]
    lane: Annotated[str | None, Meta(description="Whose later messages are kept behind it: topic and key.")]
    attempts: Annotated[int, Meta(description="How often it has come.")]


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A message kept behind an earlier one of its lane that stands in quarantine. ``raw``: its command as JSON text."""

    id: Annotated[int, Meta(description="Its number among what is parked.")]
    lane: Annotated[str, Meta(description="The lane that is held up: topic and key.")]
    book: BookId
    source: Source
    source_id: SourceId
    origin: Origin
    raw: Annotated[str, Meta(description="Its command, as JSON text.")]
    recorded_us: RecordedUs


def mark(entry: Unreadable) -> bytes:
    """What tells two messages apart, so that the same one is kept once: book, source and what came."""
    return sha256(msgspec.json.encode((entry.book, entry.source, entry.raw))).digest()
