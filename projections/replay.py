"""Proof by replay: the projections are made anew beside the stored ones and compared row for row (identity 10)."""

from pathlib import Path

from projections.answers import ReplayReport
from projections.follow import Progress


def replay(path: str | Path, progress: Progress | None = None, *, limit: int = 100) -> ReplayReport:
    """Replay the log up to where the stored projections stand and compare; the first ``limit`` differences by name.

    Nothing that is stored is changed.
    """
    raise NotImplementedError
