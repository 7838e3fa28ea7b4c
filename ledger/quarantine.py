"""Quarantine: what came in and could not be booked, kept whole until it is booked after all or dismissed."""

from hashlib import sha256
from typing import Literal

import msgspec

from ledger.outcomes import Unreadable


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One message in quarantine. ``raw`` is JSON text of what came; ``position`` where it was booked at last.

    ``lane``: whose later messages are parked behind it; ``attempts``: how often it has come.
    """

    id: int
    book: str
    source: str
    source_id: str | None
    origin: str
    code: str
    field: str
    value: str
    rule: str
    raw: str
    recorded_us: int
    status: Literal["open", "booked", "dismissed"]
    position: int | None
    reason: str | None
    lane: str | None
    attempts: int


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A message kept behind an earlier one of its lane that stands in quarantine. ``raw``: its command as JSON text."""

    id: int
    lane: str
    book: str
    source: str
    source_id: str
    origin: str
    raw: str
    recorded_us: int


def mark(entry: Unreadable) -> bytes:
    """What tells two messages apart, so that the same one is kept once: book, source and what came."""
    return sha256(msgspec.json.encode((entry.book, entry.source, entry.raw))).digest()
