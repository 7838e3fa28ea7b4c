"""A bulk request of many commands against the ledger's own batches of as many; and memory meanwhile."""

from collections.abc import Iterator
from http.client import HTTPConnection
from statistics import median

from benchmarks.http import memory
from benchmarks.http.running import Server, serving
from benchmarks.http.sending import invoices, lines
from benchmarks.measure import Measure, seconds
from benchmarks.servers.running import BOOK, Servers


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratio of commands a second, and the most MiB over idle."""
    commands, turns = (5_000, 1) if quick else (100_000, 3)
    pairs, most = [], []
    for turn in range(turns):
        with servers.store() as store, serving(store) as server:
            body = b"".join(lines(commands, f"B{turn}"))
            ours, over = memory.watched(server, lambda body=body, server=server: _bulk(server, body, commands))  # type: ignore[misc]
            most.append(over)
            pairs.append((commands / ours, commands / seconds(lambda turn=turn: invoices(store, commands, f"L{turn}"))))  # type: ignore[misc]
    ours, floor = (median(side) for side in zip(*pairs, strict=True))
    detail = f"{ours:.0f} commands a second, the ledger's own batches {floor:.0f}; {commands:,} lines"
    ratio = median(one / other for one, other in pairs)
    yield Measure(name="http_bulk", ratio=ratio, goal=0.5, bound="least", detail=detail)
    yield memory.measure("http_bulk_mib", max(most), f"{commands:,} lines")


def _bulk(server: Server, body: bytes, commands: int) -> None:
    connection = HTTPConnection("127.0.0.1", server.port)
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-ndjson"}
    connection.request("POST", f"/v1/books/{BOOK}/_bulk", body, headers)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    booked = sum(b'"status":"booked"' in line for line in answer)
    assert booked == commands, booked
    connection.close()
