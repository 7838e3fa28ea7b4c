"""Several processes that fill fresh tables on PostgreSQL, each with a range of accounts of its own.

A worker ends with the process that started it, and whatever it still writes then goes nowhere: the next rebuild has
tables of another name.

    python -m projections.working     a worker: reads its task from its input, writes how many events are done
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from queue import SimpleQueue

import msgspec

from ledger.database import Connection, Location
from projections import log
from projections.loading import Load
from projections.pages import connected, fill

Told = Callable[[int], None]

SAMPLE = 20_000
"""Events by which the accounts are divided, about."""


class WorkerFailed(Exception):
    """A process that shared in a rebuild ended without having done its part; why, it said on stderr."""


class Task(msgspec.Struct):
    """What one worker does; the location may hold a password, and is told by its input only."""

    location: str
    prefix: str
    upto: int
    accounts: tuple[str, str]


def fill_together(location: Location, connection: Connection, prefix: str, upto: int, workers: int, told: Told) -> None:
    """Fill the tables with the rows of all events up to a position; ``told`` how many are done.

    Raises ``WorkerFailed``.
    """
    tasks = [Task(str(location), prefix, upto, accounts) for accounts in _ranges(connection, upto, workers)]
    running = [_started(task) for task in tasks]
    try:
        _watch(running, told)
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _started(task: Task) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "projections.working"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    # It stays open: the worker sees by its end that we are gone.
    process.stdin.write(msgspec.json.encode(task) + b"\n")
    process.stdin.flush()
    return process


def _watch(running: "list[subprocess.Popen[bytes]]", told: Told) -> None:
    """Listen until all are done."""
    heard: SimpleQueue[tuple[int, int | None]] = SimpleQueue()

    def listen(number: int, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            heard.put((number, int(line)))
        heard.put((number, None))

    for number, process in enumerate(running):
        threading.Thread(target=listen, args=(number, process), daemon=True).start()
    done = [0] * len(running)
    at_work = len(running)
    while at_work:
        number, events = heard.get()
        if events is not None:
            done[number] = events
            told(sum(done))
            continue
        at_work -= 1
        if (code := running[number].wait()) != 0:
            raise WorkerFailed(f"a worker of the rebuild ended with {code}")


_STREAMS = """SELECT originator_id FROM events TABLESAMPLE SYSTEM (:percent) REPEATABLE (1)
    WHERE originator_id >= :first AND originator_id < :last AND position <= :upto ORDER BY originator_id"""


def _ranges(connection: Connection, upto: int, workers: int) -> list[tuple[str, str]]:
    """The accounts divided into ranges with about as many events each."""
    first, last = log.ACCOUNTS
    percent = min(100.0, 100.0 * SAMPLE / max(1, upto))
    parameters = {"percent": percent, "first": first, "last": last, "upto": upto}
    sample = [stream for (stream,) in connection.execute(_STREAMS, parameters)]
    cuts = sorted({sample[len(sample) * n // workers] for n in range(1, workers)}) if sample else []
    return list(pairwise([first, *cuts, last]))


# --- in the worker


def _work(task: Task) -> None:
    def tell(done: int) -> None:
        print(done, flush=True)

    with closing(connected(task.location)) as connection:
        load = Load(connection, task.prefix)
        fill(connection, load, task.upto, connection.writing, tell, task.accounts)


def _end_with_parent() -> None:
    # Not through the buffer, whose lock would be held at our own end.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    wanted = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work(wanted)
