"""On one large store: rebuild of all projections against SELECT + decode, and ageing as of a past day.

The floor of the rebuild reads every event in log order through a binary cursor, page by page, decodes it as the ledger
would, and does nothing else; it is of one process, whatever the rebuild has. That of ageing is in ``benchmarks.ageing``.
"""

from collections.abc import Iterator
from contextlib import closing
from statistics import median

import psycopg

from benchmarks import ageing
from benchmarks.measure import Measure, median_ratio, seconds
from benchmarks.servers import copying, feed, ingesting
from benchmarks.servers.running import BOOK, Servers
from ledger.codec import decode
from projections.rebuild import rebuild
from tieout.demo.bulk import documents

PAGE = 5_000
_PAGE = "SELECT topic, state FROM events WHERE position > %s AND position <= %s ORDER BY position"


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratios of both."""
    count, turns = (20_000, 1) if quick else (1_000_000, 3)
    topic = servers.topic(ingesting.PARTITIONS)
    feed.send(servers.bootstrap, topic, documents(1, count))
    with servers.store() as store:
        ingesting.read(servers, store, topic, 2)
        servers.run("VACUUM ANALYZE", "CHECKPOINT", url=store)
        yield from _rebuild(store, turns)
        servers.run("VACUUM ANALYZE", "CHECKPOINT", url=store)
        yield from ageing.run(store, BOOK)


def _rebuild(store: str, turns: int) -> Iterator[Measure]:
    events = copying.last_position(store)
    found: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for _ in range(turns):
        for workers, pairs in found.items():
            floor = seconds(lambda: _read(store, events))
            pairs.append((floor, seconds(lambda workers=workers: rebuild(store, workers=workers))))  # type: ignore[misc]
    for (workers, pairs), name, goal in zip(found.items(), ("one_process", "two_processes"), (0.4, 0.6), strict=True):
        detail = (
            f"{events} events, rebuild {median(r for _, r in pairs) / events * 1e6:.1f} us an event,"
            f" floor {median(f for f, _ in pairs) / events * 1e6:.1f} us, {workers} workers"
        )
        yield Measure(name=f"rebuild_{name}", ratio=median_ratio(pairs), goal=goal, bound="least", detail=detail)


def _read(store: str, last: int) -> None:
    with closing(psycopg.connect(store, autocommit=True)) as connection:
        for after in range(0, last, PAGE):
            for topic, state in connection.execute(_PAGE, (after, after + PAGE), binary=True):
                decode(topic, state)
