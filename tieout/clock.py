"""Instants as integers: microseconds since 1970 UTC, never a float on the way."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an instant that has an offset."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def iso(since_1970: int) -> str:
    """The ISO text of an instant in UTC."""
    return (_EPOCH + timedelta(microseconds=since_1970)).isoformat().replace("+00:00", "Z")
