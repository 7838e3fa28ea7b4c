"""How long to wait before another try: longer each time, and never all at once with the others."""

from random import Random
from time import monotonic


class Backoff:
    """Waits in seconds, up to ``first``, then twice as long, up to ``longest``; each drawn between half of it and it.

    They begin again after a success, or when nothing has gone wrong for a while.
    """

    def __init__(self, first: float = 0.2, longest: float = 30.0, rng: Random | None = None) -> None:
        self._first, self._longest = first, longest
        self._rng = rng or Random()
        self._tries = 0
        self._at = 0.0

    def next(self) -> float:
        """The next wait."""
        now = monotonic()
        if now - self._at > 3 * self._longest:
            self._tries = 0
        self._at = now
        top = min(self._longest, self._first * 2**self._tries)
        self._tries = min(self._tries + 1, 30)
        return self._rng.uniform(top / 2, top)

    def reset(self) -> None:
        """It went well: the next wait is short again."""
        self._tries = 0
