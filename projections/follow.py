"""Following the log: pages of events become rows, saved with the position reached in one transaction a page."""

from collections.abc import Callable
from pathlib import Path

Progress = Callable[[int, int], None]
"""Told (position reached, head) after each page."""


def follow(path: str | Path, progress: Progress | None = None) -> int:
    """Bring the projections of a store from where they are to the head of its log; the position reached.

    Tables that are missing or of another version are rebuilt. Never sleeps: a worker calls it again.
    """
    raise NotImplementedError


def rebuild(path: str | Path, progress: Progress | None = None) -> int:
    """Make the projections of a store anew from the whole log, in bounded memory, then swap; the position reached."""
    raise NotImplementedError
