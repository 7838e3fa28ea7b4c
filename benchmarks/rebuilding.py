"""Rebuild of all projections: its time against SELECT + decode of the same events, its memory against a tenth of them.

The floor reads every event in log order and decodes it as the ledger would, and does nothing else. Memory is the peak of
a process that does only the rebuild.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import Measure, median_ratio, seconds
from ledger.codec import decode
from ledger.store import connect
from projections.rebuild import rebuild

TURNS = 3
_PEAK = """
import resource, sys
from projections.rebuild import rebuild
rebuild(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def time(store: Path) -> Iterator[Measure]:
    """The ratio of floor to rebuild, one process each."""
    turns = [(seconds(lambda: _read(store)), seconds(lambda: rebuild(store))) for _ in range(TURNS)]
    events = _count(store)
    detail = (
        f"{events} events, rebuild {median(r for _, r in turns) / events * 1e6:.1f} us an event,"
        f" floor {median(f for f, _ in turns) / events * 1e6:.1f} us"
    )
    yield Measure(name="rebuild", ratio=median_ratio(turns), goal=0.4, bound="least", detail=detail)


def memory(large: Path, small: Path) -> Iterator[Measure]:
    """The ratio of the peaks."""
    peaks = [_peak(store) for store in (large, small)]
    detail = f"{_count(large)} events {peaks[0]} MB, {_count(small)} events {peaks[1]} MB"
    yield Measure(name="rebuild_memory", ratio=peaks[0] / peaks[1], goal=1.1, detail=detail)


def _read(store: Path) -> None:
    connection = connect(store, read_only=True)
    for topic, state in connection.execute("SELECT topic, state FROM events ORDER BY position"):
        decode(topic, state)
    connection.close()


def _count(store: Path) -> int:
    connection = connect(store, read_only=True)
    (count,) = connection.execute("SELECT position FROM ledger_head").fetchone()
    connection.close()
    return int(count)


def _peak(store: Path) -> int:
    run = subprocess.run([sys.executable, "-c", _PEAK, str(store)], capture_output=True, text=True, check=True)
    # Kibibytes on Linux, bytes on macOS.
    return int(run.stdout) // (1024 * 1024 if sys.platform == "darwin" else 1024)
