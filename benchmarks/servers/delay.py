"""From a message to the balance that shows it, at a tenth of full load: ``tieout worker consume project``, one process.

Full load is what two workers read, measured first. Then messages are sent evenly at a tenth of that, and beside them
probes, one after the other: the payment of a customer of its own is sent, and the delay is the time until that customer
has an open item in the projections' table, looked at every two milliseconds. The broker's acknowledgement is part of it.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from random import Random
from statistics import median, quantiles
from time import monotonic, sleep
from typing import Any

import psycopg

from benchmarks.measure import Measure
from benchmarks.servers import feed, ingesting
from benchmarks.servers.member import CHECKOUT
from benchmarks.servers.running import BOOK, Servers
from consumers.kafka.client import Servers as Brokers
from consumers.kafka.client import producer
from domain.documents import account_stream
from projections.reader import Reader
from tieout.demo.bulk import documents

LOOK_SECONDS = 0.002
PAUSE_SECONDS = 0.05
"""Between two probes, drawn up to it."""
PATIENCE_SECONDS = 60
_VISIBLE = "SELECT 1 FROM item WHERE shard = 0 AND stream = %s"


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The 99th percentile in milliseconds."""
    probes, burst = (50, 2_000) if quick else (1_000, 40_000)
    full = _full_load(servers, burst)
    topic = servers.topic(ingesting.PARTITIONS)
    with (
        servers.store() as store,
        _worker(servers, store, topic),
        closing(producer(Brokers(servers.bootstrap))) as sending,
        closing(psycopg.connect(store, autocommit=True)) as looking,
    ):
        # Until the worker is a member of its group and has made the projections' tables.
        _wait_for_first(sending, looking, topic)
        with _load(sending, topic, full / 10):
            draw = Random(1)
            delays = []
            for n in range(probes):
                sleep(draw.uniform(0, PAUSE_SECONDS))
                delays.append(_delay(sending, looking, topic, n) * 1e3)
        with Reader(store) as reader:
            assert len(reader.balances(BOOK, _customer(probes - 1))) == 1
    p99 = quantiles(delays, n=100, method="inclusive")[-1]
    detail = f"{probes} probes beside {full / 10:.0f} messages a second, median {median(delays):.0f} ms, most {max(delays):.0f} ms"
    yield Measure(name="delay_p99_ms", ratio=p99, goal=250, detail=detail)


def _full_load(servers: Servers, messages: int) -> float:
    """Messages a second that two workers read."""
    topic = servers.topic(ingesting.PARTITIONS)
    feed.send(servers.bootstrap, topic, documents(1, messages))
    with servers.store() as store:
        return messages / ingesting.wall(ingesting.read(servers, store, topic, 2))


@contextmanager
def _worker(servers: Servers, store: str, topic: str) -> Iterator[None]:
    """The program, as an operator runs it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")} | {
        "TIEOUT_DATABASE_URL": store,
        "TIEOUT_BOOK": BOOK,
        "TIEOUT_KAFKA_BOOTSTRAP_SERVERS": servers.bootstrap,
        "TIEOUT_KAFKA_COMMANDS_TOPIC": topic,
        "TIEOUT_KAFKA_GROUP": topic,
        "TIEOUT_KAFKA_DEAD_LETTERS_TOPIC": servers.topic(1),
        "TIEOUT_WORKER_LISTEN": "",
        "TIEOUT_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "tieout", "worker", "consume", "project"]
    process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _load(sending: Any, topic: str, rate: float) -> Iterator[None]:
    """So many messages a second, evenly, until the end of the block."""
    stop = threading.Event()

    def send() -> None:
        started = monotonic()
        for n, command in enumerate(documents(2, 1_000_000, 500)):
            ahead = n / rate - (monotonic() - started)
            if ahead > 0 and stop.wait(ahead):
                return
            key, value, headers = feed.message(command, "structured")
            sending.send(topic, key=key, value=value, headers=headers)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _wait_for_first(sending: Any, looking: psycopg.Connection, topic: str) -> None:
    deadline = monotonic() + PATIENCE_SECONDS
    while looking.execute("SELECT to_regclass('item')").fetchone() == (None,):
        assert monotonic() < deadline, "the worker did not begin"
        sleep(0.05)
    _delay(sending, looking, topic, -1)


def _delay(sending: Any, looking: psycopg.Connection, topic: str, n: int) -> float:
    """Seconds until a payment of a new customer can be seen."""
    customer = _customer(n)
    command = {
        "command": "RecordPayment",
        "source": "probe",
        "source_id": str(n),
        "book": BOOK,
        "customer": customer,
        "currency": "CNY",
        "series": "probe",
        "number": str(n),
        "effective_on": "2025-01-01",
        "amount": 100,
    }
    stream = account_stream(BOOK, customer, "CNY")
    started = monotonic()
    sending.send(topic, key=customer.encode(), value=json.dumps(command).encode())
    while looking.execute(_VISIBLE, (stream,), prepare=True).fetchone() is None:
        assert monotonic() - started < PATIENCE_SECONDS, "the payment cannot be seen"
        sleep(LOOK_SECONDS)
    return monotonic() - started


def _customer(n: int) -> str:
    return f"PROBE{n}"
