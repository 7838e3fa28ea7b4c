"""Clients that send a request, read the answer whole, and send the next: so many connections of one process.

Written on the transport itself: with a client library most of what is measured on two cores would be the library.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from statistics import median
from time import perf_counter
from typing import NamedTuple

Requests = Callable[[int, int], bytes]
"""(connection, number) → the request as it goes over the wire."""


class Load(NamedTuple):
    """What came of it: answers a second, and the median seconds of one."""

    rate: float
    p50: float


def run(port: int, connections: int, requests: Requests, seconds: float, status: int = 200) -> Load:
    """Send for so long; every answer must have the status."""
    return asyncio.run(_run(port, connections, requests, seconds, b"HTTP/1.1 %d " % status))


def request(method: str, path: str, key: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Client(asyncio.Protocol):
    def __init__(self, number: int, requests: Requests, expected: bytes, until: float) -> None:
        self._number, self._requests, self._expected, self._until = number, requests, expected, until
        self._count = count()
        self._buffer = b""
        self._wanted: int | None = None
        self._sent_at = 0.0
        self.times: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        made = self._requests(self._number, next(self._count))
        self._sent_at = perf_counter()
        self._transport.write(made)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._wanted is None:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._buffer[:end].lower()
            at = head.index(b"content-length: ") + 16
            self._wanted = end + 4 + int(head[at : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None])
        if len(self._buffer) < self._wanted:
            return
        now = perf_counter()
        self.times.append(now - self._sent_at)
        answer, self._buffer, self._wanted = self._buffer, b"", None
        if not answer.startswith(self._expected):
            self.done.set_exception(AssertionError(answer[:500]))
            self._transport.close()
        elif now >= self._until:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


async def _run(port: int, connections: int, requests: Requests, seconds: float, expected: bytes) -> Load:
    loop = asyncio.get_running_loop()
    started = perf_counter()
    made = [
        await loop.create_connection(lambda n=n: _Client(n, requests, expected, started + seconds), "127.0.0.1", port)  # type: ignore[misc]
        for n in range(connections)
    ]
    clients = [client for _, client in made]
    await asyncio.gather(*(client.done for client in clients))
    taken = perf_counter() - started
    times = [one for client in clients for one in client.times]
    return Load(len(times) / taken, median(times))
