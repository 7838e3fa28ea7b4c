"""The year's calendar: working days, the rate of each month, and when a night's delivery is recorded."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from tieout.demo import words

FIRST = date(2025, 1, 1)
LAST = date(2025, 12, 31)
TAKEN_OVER = date(2024, 12, 31)
"""The day as of which the open items of the earlier system are taken over."""

_HOLIDAYS = (
    (date(2025, 1, 1), 1),
    (date(2025, 1, 28), 8),
    (date(2025, 5, 1), 5),
    (date(2025, 10, 1), 8),
    (date(2026, 1, 1), 3),
)
_EPOCH = date(1970, 1, 1)


def _off() -> frozenset[date]:
    return frozenset(first + timedelta(n) for first, count in _HOLIDAYS for n in range(count))


_OFF = _off()


def is_working(day: date) -> bool:
    """Whether billing, bank and desk work on a day."""
    return day.weekday() < 5 and day not in _OFF


def working_day(day: date) -> date:
    """The day itself, or the next on which there is work."""
    while day.weekday() > 4 or day in _OFF:
        day += timedelta(1)
    return day


def after(day: date, days: int) -> date:
    """The working day that lies so many days after a day, or follows on that."""
    return working_day(day + timedelta(days))


def working_days() -> Iterator[date]:
    """The year's working days."""
    day = FIRST
    while day <= LAST:
        if is_working(day):
            yield day
        day += timedelta(1)


def recorded_on(rng: Random, on: date) -> date:
    """The night in which a fact of a day is recorded: mostly the same or one of the next two, now and then weeks later."""
    drawn = rng.randrange(1000)
    if drawn < 700:
        return working_day(on)
    if drawn < 895:
        return after(on, 1 if drawn < 820 else 2)
    return after(on, 8 + rng.randrange(24))


def rate_of(currency: str, on: date) -> str | None:
    """The rate of a day's month as decimal text, CNY for one unit; None for CNY itself."""
    rates = words.RATES.get(currency)
    return None if rates is None else rates[on.month - 1 if on >= FIRST else 0]


def night_us(day: date) -> int:
    """When a day's delivery is recorded, 21:30 in Shanghai, in microseconds since 1970 UTC."""
    return (((day - _EPOCH).days * 24 + 13) * 60 + 30) * 60 * 1_000_000
