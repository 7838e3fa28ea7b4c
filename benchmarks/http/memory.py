"""Memory of a server while it does something: that of all of its processes, in MiB over what they had before."""

import threading
from collections.abc import Callable
from time import sleep

from benchmarks.http.running import Server
from benchmarks.measure import Measure, seconds

MIB = 1 << 20
GOAL = 200


def watched(server: Server, work: Callable[[], None]) -> tuple[float, int]:
    """How long it takes, and the most bytes that the server has meanwhile over what it had before."""
    idle = peak = server.resident
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.is_set():
            peak = max(peak, server.resident)
            sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        taken = seconds(work)
    finally:
        done.set()
        watcher.join()
    return taken, peak - idle


def measure(name: str, over: int, what: str) -> Measure:
    """The line of a measurement."""
    return Measure(name=name, ratio=over / MIB, goal=GOAL, bound="most", detail=f"MiB over idle at most; {what}")
