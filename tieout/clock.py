"""Instants as integers: microseconds since 1970 UTC, never a float on the way."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic_ns, time_ns

Clock = Callable[[], int]
"""What gives an instant in microseconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an instant that has an offset."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def iso(since_1970: int) -> str:
    """The ISO text of an instant in UTC."""
    return (_EPOCH + timedelta(microseconds=since_1970)).isoformat().replace("+00:00", "Z")


def wall_us() -> int:
    """The instant it is, in microseconds since 1970 UTC."""
    return time_ns() // 1000


def ticks_us() -> int:
    """Microseconds since some instant; nobody can set it back, so it tells how long ago something was."""
    return monotonic_ns() // 1000
