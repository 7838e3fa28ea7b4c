"""The head row of a shard: where the log ends, when that was, and how often its books have changed."""

from typing import NamedTuple


class Head(NamedTuple):
    """Last position; instant of the last commit (microseconds since 1970 UTC), its own; how often a book has changed."""

    position: int
    recorded_us: int
    generation: int
