"""64 clients at once, half of whose commands are sent twice, and a server that is killed in the middle.

Whoever gets no answer, or one that says to come again, sends the same under the same key. In the end every command is in
the books exactly once: that is read back over HTTP, and counted in the log.
"""

import asyncio
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import httpx2
import pytest
from databases import KINDS, store_of
from served import Served

from ledger.database import Location, connect

CLIENTS = 64
COMMANDS = int(os.environ.get("TIEOUT_TEST_COMMANDS", "25"))
"""Of each client; a hundred by hand: docs/reliability.md."""
AGAIN = (408, 429, 500, 502, 503, 504)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    with store_of(request.param, tmp_path) as location:
        yield location


class Crowd:
    """The clients; ``answers`` are the first ones that each key was given, and those that came again."""

    def __init__(self, server: Served, key: str) -> None:
        self.url, self.key = server.url, key
        self.answers: dict[str, list[tuple[int, bytes, bool]]] = {}
        self.done = 0
        self.tries = 0
        self.half = threading.Event()

    def run(self) -> None:
        """All of them, until all is answered."""
        asyncio.run(self._all())

    async def _all(self) -> None:
        limits = httpx2.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, limits=limits, timeout=20) as client:
            await asyncio.gather(*(self._one(client, number) for number in range(CLIENTS)))

    async def _one(self, client: httpx2.AsyncClient, number: int) -> None:
        random = Random(number)
        for n in range(COMMANDS):
            key = f"{number}-{n}"
            body = {
                "customer": f"C{random.randrange(20)}",
                "currency": "CNY",
                "number": key,
                "effective_on": "2026-01-05",
                "amount": 100 + n,
            }
            # Once; or a second time after the first, or at the same time.
            first, second = random.choice(((1, 0), (1, 0), (1, 1), (2, 0)))
            for times in (first, second):
                await asyncio.gather(*(self._until_answered(client, key, body) for _ in range(times)))
            self.done += 1
            if self.done * 2 >= CLIENTS * COMMANDS:
                self.half.set()

    async def _until_answered(self, client: httpx2.AsyncClient, key: str, body: dict[str, object]) -> None:
        path = "/v1/books/main/commands/record-payment"
        while True:
            self.tries += 1
            try:
                answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
            except httpx2.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code in AGAIN:
                await asyncio.sleep(0.1)
                continue
            hit = answer.headers.get("idempotency-hit") == "true"
            self.answers.setdefault(key, []).append((answer.status_code, answer.content, hit))
            return


def test_every_command_is_booked_once_whatever_dies(store: Location) -> None:
    options = ("--workers", "2") if isinstance(store, str) else ()
    server = Served(store, *options)
    try:
        with server.client() as client:
            opened = {"base_currency": "CNY", "source_id": "open"}
            assert client.post("/v1/books/main/commands/open-book", json=opened).status_code == 201
        crowd = Crowd(server, server.key)
        clients = threading.Thread(target=crowd.run)
        clients.start()
        assert crowd.half.wait(120), f"{crowd.done} commands in two minutes"
        server.kill()
        server = Served(store, *options, key=server.key, port=server.port)
        clients.join(240)
        assert not clients.is_alive()
        _check(server, store, crowd)
    finally:
        server.stop()


def _check(server: Served, store: Location, crowd: Crowd) -> None:
    keys = {f"{client}-{n}" for client in range(CLIENTS) for n in range(COMMANDS)}
    assert crowd.answers.keys() == keys
    # Some were sent twice on purpose, and the kill made others come again.
    assert crowd.tries > len(keys) * 1.4
    for key, answers in crowd.answers.items():
        assert {(status, content) for status, content, _ in answers} == {(201, answers[0][1])}, (key, answers)
        # Of two at the same time either may be told first.
        assert sum(not hit for _, _, hit in answers) <= 1, (key, answers)
    with server.client() as client:
        reached = {"min_position": client.get("/v1/me").json()["position"]}
        whole = client.get("/v1/books/main/documents", params=reached, headers={"Accept": "application/x-ndjson"})
        lines = whole.text.splitlines()
        rows = [json.loads(line) for line in lines]
        balances = client.get("/v1/books/main/balances", params={"limit": 1000}).json()["data"]
    numbers = Counter(row["document"].split(":")[2] for row in rows)
    assert numbers == Counter(keys)
    assert -sum(row["amount"] for row in balances) == sum(row["amount"] for row in rows)
    assert sum(row["amount"] for row in rows) == CLIENTS * sum(100 + n for n in range(COMMANDS))
    with closing(connect(store, read_only=True)) as connection:
        found = connection.execute(
            "SELECT count(*), count(DISTINCT originator_id || ':' || originator_version), max(position) FROM events"
        )
        events, distinct, position = found.fetchone()
        (receipts,) = connection.execute("SELECT count(*) FROM receipts").fetchone()
    assert events == distinct == position == len(keys) + 2
    assert receipts == len(keys) + 1
