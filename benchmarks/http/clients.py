"""Clients that post a payment and wait for the answer, 64 at once and one alone; and clients that read a balance.

Floors: the same framework's POST that only validates the same body, its GET that answers as much, and a row inserted and
committed by one connection.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from statistics import median
from time import perf_counter

import psycopg

from benchmarks.http import load
from benchmarks.http.running import Server, serving, trivial
from benchmarks.measure import Measure, median_ratio
from benchmarks.servers.callers import STATE, TABLE
from benchmarks.servers.running import BOOK, Servers

CLIENTS = 64
ACCOUNTS = 50
"""Customer accounts of each client."""
_runs = count(1)


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratios."""
    seconds, turns = (2.0, 1) if quick else (8.0, 5)
    with servers.store() as store, serving(store) as ours, trivial() as floor:
        _post(ours, CLIENTS, 2.0)
        pairs = [(_post(ours, CLIENTS, seconds), _floor_post(floor, CLIENTS, seconds)) for _ in range(turns)]
        yield _rates("http_clients_64", pairs, 0.7)
        alone = [(_post(ours, 1, seconds / 2), _floor_post(floor, 1, seconds / 2)) for _ in range(turns)]
        inserts = [_insert(store, seconds / 4) for _ in range(turns)]
        yield _alone(alone, inserts)
        reads = [(_read(ours, seconds / 2), _floor_read(floor, seconds / 2)) for _ in range(turns)]
        yield _rates("http_balance_64", reads, 0.5)


def _rates(name: str, pairs: list[tuple[load.Load, load.Load]], goal: float) -> Measure:
    ratio = median_ratio([(ours.rate, floor.rate) for ours, floor in pairs])
    ours, floor = (median(one.rate for one in side) for side in zip(*pairs, strict=True))
    return Measure(
        name=name, ratio=ratio, goal=goal, bound="least", detail=f"{ours:.0f} requests a second, floor {floor:.0f}"
    )


def _alone(pairs: list[tuple[load.Load, load.Load]], inserts: list[float]) -> Measure:
    ours, floor = (median(one.p50 for one in side) for side in zip(*pairs, strict=True))
    insert = median(inserts)
    detail = f"p50 {ours * 1e3:.2f} ms; insert {insert * 1e3:.2f}, trivial POST {floor * 1e3:.2f}"
    return Measure(name="http_one_client_p50", ratio=ours / (insert + floor), goal=2, bound="most", detail=detail)


def _payment(client: int, n: int, **more: str) -> bytes:
    made = {
        "customer": f"C{client}-{n % ACCOUNTS}",
        "currency": "CNY",
        "number": f"{client}-{n}",
        "effective_on": "2026-01-01",
        "amount": 100,
    }
    return json.dumps(made | more).encode()


def _post(server: Server, clients: int, seconds: float) -> load.Load:
    turn = next(_runs) * 10_000_000
    path = f"/v1/books/{BOOK}/commands/record-payment"

    def request(client: int, n: int) -> bytes:
        named = turn + n
        return load.request("POST", path, server.key, _payment(client, named), Idempotency_Key=f"{client}-{named}")

    return load.run(server.port, clients, request, seconds, 201)


def _floor_post(server: Server, clients: int, seconds: float) -> load.Load:
    def request(client: int, n: int) -> bytes:
        body = _payment(client, n, source="key:admin", source_id=f"{client}-{n}", book=BOOK)
        return load.request("POST", "/payments", "none", body)

    return load.run(server.port, clients, request, seconds, 201)


def _read(server: Server, seconds: float) -> load.Load:
    path = f"/v1/books/{BOOK}/balances"
    return load.run(server.port, CLIENTS, lambda c, n: _asked(path, server.key, c, n), seconds)


def _floor_read(server: Server, seconds: float) -> load.Load:
    return load.run(server.port, CLIENTS, lambda c, n: _asked("/balance", "none", c, n), seconds)


def _asked(path: str, key: str, client: int, n: int) -> bytes:
    return load.request("GET", f"{path}?customer=C{client}-{n % ACCOUNTS}&currency=CNY", key)


def _insert(store: str, seconds: float) -> float:
    """Seconds of one insert and its commit."""
    insert = """INSERT INTO one_row (shard, originator_id, originator_version, topic, state, recorded_us)
        VALUES (0, %s, %s, 'payment-received.v1', %s, 0)"""
    state, times = STATE.encode(), []
    with closing(psycopg.connect(store, autocommit=True)) as connection:
        connection.execute(TABLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
        turn, until = next(_runs), perf_counter() + seconds
        for n in count():
            started = perf_counter()
            connection.execute(insert, (f"acct:{BOOK}:C{turn}:CNY", n, state), prepare=True)
            ended = perf_counter()
            times.append(ended - started)
            if ended > until:
                return median(times)
    raise AssertionError("it ends in the loop")
