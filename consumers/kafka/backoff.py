"""How long to wait before another try: longer each time, and never all at once with the others."""

from random import Random


class Backoff:
    """Waits in seconds, up to ``first``, then twice as long, up to ``longest``; each drawn between half of it and it."""

    def __init__(self, first: float = 0.2, longest: float = 30.0, rng: Random | None = None) -> None:
        self._first, self._longest = first, longest
        self._rng = rng or Random()
        self._tries = 0

    def next(self) -> float:
        """The next wait."""
        top = min(self._longest, self._first * 2**self._tries)
        self._tries = min(self._tries + 1, 30)
        return self._rng.uniform(top / 2, top)

    def reset(self) -> None:
        """It went well: the next wait is short again."""
        self._tries = 0
