"""The first page of ageing over many open items, against the ledger's own query for the same rows."""

import json
from collections.abc import Iterator
from datetime import date
from http.client import HTTPConnection
from statistics import median
from time import perf_counter

from benchmarks.http.running import Server, serving
from benchmarks.http.sending import invoices
from benchmarks.measure import Measure, seconds
from benchmarks.servers.running import BOOK, Servers
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import Reader
from tieout.api.asking import LIMIT

DAY = date(2026, 6, 30)


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratio of the times."""
    items, turns = (20_000, 3) if quick else (1_000_000, 7)
    with servers.store() as store:
        invoices(store, items)
        follow(store)
        with serving(store) as server:
            pairs = [(_page(server), _query(store)) for _ in range(turns)]
    ours, floor = (median(side) for side in zip(*pairs, strict=True))
    ratio = median(one / other for one, other in pairs)
    detail = f"{ours * 1e3:.0f} ms, the reader's own {floor * 1e3:.0f}; {items:,} open items"
    yield Measure(name="http_ageing_first_page", ratio=ratio, goal=1.5, bound="most", detail=detail)


def _page(server: Server) -> float:
    connection = HTTPConnection("127.0.0.1", server.port)
    started = perf_counter()
    connection.request("GET", f"/v1/books/{BOOK}/ageing?as_of={DAY}", headers={"Authorization": f"Bearer {server.key}"})
    answer = connection.getresponse()
    rows = json.loads(answer.read())["data"]
    taken = perf_counter() - started
    assert answer.status == 200
    assert len(rows) == LIMIT
    connection.close()
    return taken


def _query(store: str) -> float:
    """The same page by the same reader, without HTTP."""
    with Reader(store) as reader:
        return seconds(lambda: reader.ageing(BOOK, AsOf(DAY), limit=LIMIT))
