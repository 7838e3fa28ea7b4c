"""Several processes that fill fresh tables on PostgreSQL, each with a range of accounts of its own.

A worker ends with the process that started it, and whatever it still writes then, goes nowhere: the next rebuild has
tables of another name.
"""

from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from typing import Any

from ledger.database import Connection, Location
from projections import log
from projections.loading import Load
from projections.pages import connected, fill

Told = Callable[[int], None]

SAMPLE = 20_000
"""Events by which the accounts are divided, about."""


class WorkerFailed(Exception):
    """A process that shared in a rebuild ended without having done its part; what it said stands on stderr."""


def fill_together(location: Location, connection: Connection, prefix: str, upto: int, workers: int, told: Told) -> None:
    """Fill the tables with the rows of all events up to a position; ``told`` how many are done.

    Raises ``WorkerFailed``.
    """
    ranges = _ranges(connection, upto, workers)
    # Not forked: a connection must not be in two processes.
    context = get_context("spawn")
    running: dict[Any, Any] = {}
    try:
        for accounts in ranges:
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(location, prefix, upto, accounts, there), daemon=True)
            process.start()
            there.close()
            running[here] = process
        _watch(running, told)
    finally:
        for here, process in running.items():
            process.terminate()
            process.join()
            here.close()


def _watch(running: dict[Any, Any], told: Told) -> None:
    """Listen until all are done."""
    done = dict.fromkeys(running, 0)
    open_ = set(running)
    while open_:
        for ready in wait(open_):
            here: Any = ready
            try:
                done[here] = here.recv()
            except EOFError:
                open_.discard(here)
                running[here].join()
                if running[here].exitcode != 0:
                    raise WorkerFailed(f"a worker of the rebuild ended with {running[here].exitcode}") from None
            else:
                told(sum(done.values()))


def _work(location: Location, prefix: str, upto: int, accounts: tuple[str, str], pipe: Pipe) -> None:
    def tell(done: int) -> None:
        parent = parent_process()
        if parent is not None and not parent.is_alive():
            raise SystemExit(1)
        pipe.send(done)

    with closing(connected(location)) as connection:
        fill(connection, Load(connection, prefix), upto, connection.writing, tell, accounts)
    pipe.close()


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
