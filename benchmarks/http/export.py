"""Memory while the log is exported as JSON lines, over a server that has followed it to its end."""

from collections.abc import Iterator
from http.client import HTTPConnection

from benchmarks.http import memory
from benchmarks.http.running import Server, serving
from benchmarks.http.sending import invoices
from benchmarks.measure import Measure
from benchmarks.servers.running import BOOK, Servers
from projections.follow import follow


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The most MiB over idle."""
    events = 20_000 if quick else 1_000_000
    with servers.store() as store:
        invoices(store, events)
        follow(store)
        with serving(store) as server:
            taken, over = memory.watched(server, lambda: _export(server, events))
    yield memory.measure("http_export_mib", over, f"{events:,} events in {taken:.0f} s")


def _export(server: Server, events: int) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Authorization": f"Bearer {server.key}", "Accept": "application/x-ndjson"}
    connection.request("GET", f"/v1/books/{BOOK}/events", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    found = sum(1 for _ in answer)
    # The book's own two as well.
    assert found == events + 2, found
    connection.close()
