"""The head row of a shard: where the log ends, when that was, and its generation (``ledger.commit``)."""

from typing import NamedTuple


class Head(NamedTuple):
    """Last position; instant of the last commit (microseconds since 1970 UTC), its own; generation."""

    position: int
    recorded_us: int
    generation: int
