"""A bulk request of many commands against the ledger's own batches of as many; and memory while much streams.

Memory is that of all processes of the server, over what they have before: during a bulk request, and during an export of
the log as JSON lines.
"""

import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from statistics import median
from time import sleep

from benchmarks.http.running import Server, serving
from benchmarks.http.sending import invoices, lines
from benchmarks.measure import Measure, seconds
from benchmarks.servers.running import BOOK, Servers

MIB = 1 << 20


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratio of commands a second, and the most MiB over idle."""
    commands, turns, events = (5_000, 1, 20_000) if quick else (100_000, 3, 1_000_000)
    pairs, most = [], []
    for turn in range(turns):
        with servers.store() as store, serving(store) as server:
            body = b"".join(lines(commands, f"B{turn}"))
            idle = server.resident
            ours, peak = _watched(server, lambda body=body, server=server: _bulk(server, body, commands))  # type: ignore[misc]
            most.append(peak - idle)
            pairs.append((commands / ours, commands / seconds(lambda turn=turn: invoices(store, commands, f"L{turn}"))))  # type: ignore[misc]
    ours, floor = (median(side) for side in zip(*pairs, strict=True))
    detail = f"{ours:.0f} commands a second, the ledger's own batches {floor:.0f}; {commands:,} lines"
    ratio = median(one / other for one, other in pairs)
    yield Measure(name="http_bulk", ratio=ratio, goal=0.5, bound="least", detail=detail)
    yield _memory("http_bulk_mib", max(most), f"{commands:,} lines")
    with servers.store() as store:
        invoices(store, events)
        with serving(store) as server:
            idle = server.resident
            taken, peak = _watched(server, lambda: _export(server, events))
            yield _memory("http_export_mib", peak - idle, f"{events:,} events in {taken:.0f} s")


def _memory(name: str, over: int, what: str) -> Measure:
    return Measure(name=name, ratio=over / MIB, goal=200, bound="most", detail=f"MiB over idle at most; {what}")


def _bulk(server: Server, body: bytes, commands: int) -> None:
    connection = HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-ndjson"}
    connection.request("POST", f"/v1/books/{BOOK}/_bulk", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200
    booked = sum(b'"status":"booked"' in line for line in answer)
    assert booked == commands, booked
    connection.close()


def _export(server: Server, events: int) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Authorization": f"Bearer {server.key}", "Accept": "application/x-ndjson"}
    connection.request("GET", f"/v1/books/{BOOK}/events", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    found = sum(1 for _ in answer)
    # The book's own two as well.
    assert found == events + 2, found
    connection.close()


def _watched(server: Server, work: Callable[[], None]) -> tuple[float, int]:
    """How long it takes, and the most bytes that the server has meanwhile."""
    peak, done = 0, threading.Event()

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
    return taken, peak
