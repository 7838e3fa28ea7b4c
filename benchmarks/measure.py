"""What a measure is, and the one line that it prints.

``ratio`` is what was measured over its floor (or in the unit that the name says); ``goal`` the bound and its direction.
Machines are noisy: a figure is the median of several turns in which floor and measured work alternate.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import Literal

import msgspec


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One result. ``bound``: whether the goal is a least or a most; ``detail``: the absolute figures behind it."""

    name: str
    ratio: float
    goal: float | None = None
    bound: Literal["least", "most"] = "most"
    detail: str = ""

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.bound == "least" else self.ratio <= self.goal

    def __str__(self) -> str:
        goal = "none" if self.goal is None else f"{'>=' if self.bound == 'least' else '<='}{self.goal:g}"
        verdict = "absolute" if self.goal is None else "met" if self.met else "missed"
        return f"measure={self.name} ratio={self.ratio:.3f} goal={goal} {verdict} ({self.detail})"


@contextmanager
def no_collector() -> Iterator[None]:
    """Without the cycle collector, on both sides of a comparison alike."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = perf_counter()
    work()
    return perf_counter() - start


def median_ratio(pairs: list[tuple[float, float]]) -> float:
    """The median of first over second, turn by turn."""
    return median(first / second for first, second in pairs)
