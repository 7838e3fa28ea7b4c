"""64 concurrent callers of one ledger in one process, against 64 connections that each insert one row a commit.

A caller sends one command and waits for its outcome before it sends the next; they share commits (``ledger.writer``).
In the floor as many threads of one process have a connection each, insert a row of an event's size into an indexed table
like ``events``, and wait for its commit. PostgreSQL's own ``pgbench``, which is written in C, is shown beside it with the
same row and as many connections.
"""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from statistics import median
from time import perf_counter

import psycopg
from psycopg.conninfo import conninfo_to_dict

from benchmarks.measure import Measure, median_ratio
from benchmarks.servers.running import BOOK, Servers
from consumers.commands import parse_command
from ledger.garbage import spare_collections
from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission
from ledger.writer import Writer

CALLERS = 64
TABLE = """CREATE TABLE one_row (position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shard SMALLINT NOT NULL,
    originator_id TEXT COLLATE "C" NOT NULL, originator_version INTEGER NOT NULL, topic TEXT COLLATE "C" NOT NULL,
    state BYTEA NOT NULL, recorded_us BIGINT NOT NULL, UNIQUE (shard, originator_id, originator_version))"""
STATE = "x" * 420
"""As long as the event of a payment."""


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratio of commands a second to rows a second."""
    seconds, turns = (2, 1) if quick else (10, 3)
    spare_collections()
    ours, floor, in_c = [], [], []
    for _ in range(turns):
        with servers.store() as store:
            ours.append(_call(store, seconds))
            floor.append(_from_python(store, seconds))
        with servers.store() as store:
            in_c.append(_pgbench(servers, store, seconds))
    commands = f"{median(ours):.0f} commands a second"
    detail = f"{commands}, floor {median(floor):.0f} rows"
    ratio = median_ratio(list(zip(ours, floor, strict=True)))
    yield Measure(name="callers_64", ratio=ratio, goal=2, bound="least", detail=detail)
    ratio = median_ratio(list(zip(ours, in_c, strict=True)))
    detail = f"{commands}, pgbench {median(in_c):.0f} rows"
    yield Measure(name="callers_64_against_pgbench", ratio=ratio, detail=detail)


def _payment(caller: int, n: int) -> Submission:
    """A command read anew each time, as it would be from a request."""
    command = {
        "command": "RecordPayment",
        "source": "bench",
        "source_id": f"{caller}-{n}",
        "book": BOOK,
        "customer": f"C{caller}-{n % 50}",
        "currency": "CNY",
        "number": f"{caller}-{n}",
        "effective_on": "2026-01-01",
        "amount": 100,
    }
    entry = parse_command(json.dumps(command).encode(), origin="bench")
    assert isinstance(entry, Submission)
    return entry


def _call(store: str, seconds: float) -> float:
    with closing(Ledger.open(store)) as ledger, Writer(ledger) as writer:

        def call(caller: int, n: int) -> None:
            [outcome] = writer.submit([_payment(caller, n)])
            assert outcome.status is Status.BOOKED

        return _a_second(lambda _: call, seconds)


def _from_python(store: str, seconds: float) -> float:
    with closing(psycopg.connect(store, autocommit=True)) as connection:
        connection.execute(TABLE)
    state = STATE.encode()
    insert = """INSERT INTO one_row (shard, originator_id, originator_version, topic, state, recorded_us)
        VALUES (0, %s, %s, 'payment-received.v1', %s, 0)"""

    def connected(_: int) -> Callable[[int, int], None]:
        connection = psycopg.connect(store, autocommit=True)

        def work(caller: int, n: int) -> None:
            connection.execute(insert, (f"acct:{BOOK}:C{caller}:CNY", n, state), prepare=True)

        return work

    return _a_second(connected, seconds)


def _a_second(worker: Callable[[int], Callable[[int, int], None]], seconds: float) -> float:
    """How many times a second so many threads do what their workers do."""
    done = [0] * CALLERS
    ready, stop = threading.Barrier(CALLERS + 1), threading.Event()

    def repeat(caller: int) -> None:
        work = worker(caller)
        ready.wait()
        for n in count(1):
            work(caller, n)
            done[caller] = n
            if stop.is_set():
                return

    threads = [threading.Thread(target=repeat, args=(caller,)) for caller in range(CALLERS)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = perf_counter()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(done) / (perf_counter() - started)


def _pgbench(servers: Servers, store: str, seconds: float) -> float:
    servers.run(TABLE, url=store)
    insert = f"""INSERT INTO one_row (shard, originator_id, originator_version, topic, state, recorded_us)
        VALUES (0, 'acct-{BOOK}-C' || :client_id, :n, 'payment-received.v1', '{STATE}', 0)"""
    script = "\\set n :n + 1\n" + " ".join(insert.split()) + ";\n"
    at = conninfo_to_dict(store)
    command = [
        servers.bin / "pgbench",
        "--no-vacuum",
        "-M",
        "prepared",
        "-c",
        CALLERS,
        "-j",
        2,
        "-T",
        int(seconds),
        "-D",
        "n=0",
    ]
    command += ["-h", at["host"], "-U", at["user"], "-f", "-", at["dbname"]]
    done = subprocess.run(
        [str(part) for part in command],
        input=script,
        text=True,
        capture_output=True,
        check=True,
    )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("tps")]
    return float(line.split()[2])
