"""Quarantine: what came in and could not be booked, kept whole until it is booked after all or dismissed."""

from typing import Literal

import msgspec


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One message in quarantine. ``raw`` is JSON text of what came; ``position`` where it was booked at last."""

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
