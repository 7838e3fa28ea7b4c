"""Operating a server: health, figures, the log, stopping, being killed, and what keeps it from starting."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx2
import psycopg
import pytest
from databases import KINDS, postgres_store, server_or_skip, store_of
from over_http import Book, invoice, invoices, opened, payment
from served import Served, served

CUSTOMER, AMOUNT = "Zhang-Wei-Secret", 918_273_645
SECONDS = 20.0


def until(holds: Any) -> None:
    """Wait until something holds; fails where it does not in time."""
    end = monotonic() + SECONDS
    while not holds():
        assert monotonic() < end, "it does not come to hold"
        sleep(0.05)


def test_it_is_healthy_and_ready(server: Served, admin: httpx2.Client) -> None:
    assert admin.get("/healthz").json() == {"status": "ok"}
    until(lambda: admin.get("/readyz").json() == {"status": "ok", "behind": 0})


@contextmanager
def away(url: str) -> Iterator[None]:
    """A database that nobody can reach, though its server runs."""
    name = url.partition("///")[2].partition("?")[0]
    with psycopg.connect(server_or_skip(), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")  # type: ignore[call-overload]
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")  # type: ignore[call-overload]


def test_a_database_that_is_away_makes_it_unready_and_not_unhealthy() -> None:
    with postgres_store() as url, served(url) as server, server.client() as client:
        book = opened(client)
        book.booked("issue-invoice", invoice("1"))
        book.answer("balances", min_position=book.head())
        with away(url):
            until(lambda: client.get("/readyz").status_code == 503)
            assert client.get("/healthz").status_code == 200
            for answer in (
                client.get("/readyz"),
                book.send("issue-invoice", invoice("2"), "i2"),
                book.ask("items"),
                book.ask("balances", customer="C1", currency="CNY"),
                client.get(f"/v1/books/{book.name}"),
                client.get("/v1/keys"),
            ):
                assert (answer.status_code, answer.json()["code"]) == (503, "store_must_answer"), answer.text
                assert int(answer.headers["Retry-After"]) > 0
            lines = client.post(book.path("_bulk"), json=[invoices(["3"])[0] | {"source_id": "i3"}]).text.splitlines()
            [broken] = map(json.loads, lines)
            assert (broken["line"], broken["status"], broken["code"]) == (None, "broken", "store_must_answer")
        assert "store_did_not_answer" in server.log
        assert "request_failed" not in server.log
        until(lambda: client.get("/readyz").status_code == 200)
        until(lambda: book.send("issue-invoice", invoice("2"), "i2").status_code == 201)
        position = book.send("issue-invoice", invoice("2"), "i2").json()["position"]
        assert len(book.answer("items", min_position=position)) == 2


def figure(client: httpx2.Client, name: str, **labels: str) -> float:
    """A figure of /metrics; 0 where it is not there yet."""
    for line in client.get("/metrics").text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return 0.0


def test_commands_and_requests_are_counted(book: Book) -> None:
    client = book.client
    route = "/v1/books/{book}/commands/issue-invoice"
    counted = {
        "booked": lambda: figure(client, "tieout_commands_total", command="IssueInvoice", outcome="booked"),
        "duplicate": lambda: figure(client, "tieout_commands_total", command="IssueInvoice", outcome="duplicate"),
        "refused": lambda: figure(client, "tieout_commands_total", command="IssueInvoice", outcome="refused"),
        "201": lambda: figure(client, "tieout_http_requests_total", method="POST", route=route, status="201"),
        "422": lambda: figure(client, "tieout_http_requests_total", method="POST", route=route, status="422"),
        "seconds": lambda: figure(client, "tieout_http_seconds_count", method="POST", route=route),
    }
    before = {name: count() for name, count in counted.items()}
    for _ in range(2):
        book.send("issue-invoice", invoice("1"), "i1")
    book.send("issue-invoice", invoice("2") | {"total": 7}, "i2")
    lines = "\n".join(json.dumps(one | {"source_id": f"{book.name}-{n}"}) for n, one in enumerate(invoices(["3", "4"])))
    client.post(book.path("_bulk"), content=lines)
    expected = {"booked": 3, "duplicate": 1, "refused": 1, "201": 2, "422": 1, "seconds": 3}
    # A request is counted when it has been answered.
    until(lambda: {name: count() - before[name] for name, count in counted.items()} == expected)
    # The store is asked once a second, however many ask.
    until(lambda: figure(client, "tieout_log_position") > 0)
    assert book.name not in client.get("/metrics").text


def test_each_request_has_a_line_in_the_log_and_nothing_of_the_books_is_in_it(tmp_path: Path) -> None:
    with served(tmp_path / "t.sqlite", TIEOUT_LOG_LEVEL="info", TIEOUT_LOG_FORMAT="json") as server:
        with server.client() as client:
            book = opened(client)
            probe = client.get("/healthz")
            answers = [
                book.send("issue-invoice", invoice("1", AMOUNT, customer=CUSTOMER), "i1"),
                book.send("issue-invoice", invoice("1", AMOUNT + 1, customer=CUSTOMER), "i1"),
                book.send("record-payment", payment("P", AMOUNT, customer=CUSTOMER) | {"actor": CUSTOMER}, "p1"),
                book.ask("balances", customer=CUSTOMER),
                book.ask(f"customers/{CUSTOMER}/accounts/CNY/statement"),
                book.ask("items", customer=CUSTOMER, limit="many"),
                client.get("/v1/me", headers={"X-Request-Id": "mine-1"}),
                client.get("/v1/me", headers={"Authorization": "Bearer tieout_0123456789ab_" + "x" * 43}),
                client.get(f"/v1/{CUSTOMER}"),
                client.post("/v1/keys", json={"name": "of a test", "grants": ["reader:*"]}),
            ]
            made = answers[-1].json()["data"]["key"]
            # A line is written when the answer is on its way.
            until(lambda: all(one.headers["X-Request-Id"] in server.log for one in answers))
        log, key = server.log, server.key
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    of_requests = {one["request_id"]: one for one in lines if one["event"] == "request"}
    for answer in answers:
        line = of_requests[answer.headers["X-Request-Id"]]
        assert (line["status"], line["method"]) == (answer.status_code, answer.request.method)
        assert line["ms"] >= 0
    assert "mine-1" in of_requests
    # Else probes would be most of a log.
    assert probe.headers["X-Request-Id"] not in of_requests
    assert of_requests[answers[0].headers["X-Request-Id"]]["route"] == "/v1/books/{book}/commands/issue-invoice"
    assert of_requests[answers[0].headers["X-Request-Id"]]["subject"] == "key:admin"
    for secret in (CUSTOMER, str(AMOUNT), str(AMOUNT + 1), key, key.rpartition("_")[2], made, made[-43:], "x" * 43):
        assert secret not in log


@pytest.mark.parametrize("kind", KINDS)
def test_a_stop_finishes_what_is_in_flight(kind: str, tmp_path: Path) -> None:
    with store_of(kind, tmp_path) as store, served(store) as server, server.client() as client:
        book = opened(client)
        lines = [json.dumps(one).encode() + b"\n" for one in invoices([f"{n}" for n in range(1_200)], total=1)]
        has_begun, is_stopping = threading.Event(), threading.Event()

        def body() -> Iterator[bytes]:
            yield b"".join(lines[:700])
            has_begun.set()
            assert is_stopping.wait(SECONDS)
            yield from lines[700:]

        answered: list[httpx2.Response] = []
        sending = threading.Thread(target=lambda: answered.append(client.post(book.path("_bulk"), content=body())))
        sending.start()
        assert has_begun.wait(SECONDS)
        os.kill(server.process_id, signal.SIGTERM)
        # It is stopping once it takes nobody any more.
        until(lambda: not takes_callers(server))
        is_stopping.set()
        sending.join(SECONDS)
        assert [json.loads(line)["status"] for line in answered[0].text.splitlines()] == ["booked"] * 1_200
        assert server.stop() == 0


def takes_callers(server: Served) -> bool:
    try:
        return httpx2.get(f"{server.url}/healthz", timeout=1).status_code == 200
    except httpx2.TransportError:
        return False


def test_a_stop_ends_who_follows(tmp_path: Path) -> None:
    with served(tmp_path / "t.sqlite") as server, server.client() as client:
        opened(client)
        with client.stream("GET", "/v1/events", headers={"Accept": "text/event-stream"}) as answer:
            arriving = answer.iter_lines()
            next(arriving)
            began = monotonic()
            os.kill(server.process_id, signal.SIGTERM)
            for _ in arriving:
                pass
        assert server.stop() == 0
        assert monotonic() - began < 10


def children(process_id: int) -> set[int]:
    """The processes that a process has started, and theirs."""
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process_id and fields[0] != "Z":
            child = int(entry.parent.name)
            found |= {child} | children(child)
    return found


def runs(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks the system for processes as Linux has them")
def test_when_the_parent_is_killed_nothing_is_left_over(tmp_path: Path) -> None:
    with served(tmp_path / "t.sqlite") as server:
        left = children(server.process_id)
        assert len(left) >= 2
        os.kill(server.process_id, signal.SIGKILL)
        until(lambda: not any(map(runs, left)))
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", server.port))


def refused(*options: str, **environment: str) -> str:
    """What a server that cannot start says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
    found = subprocess.run(
        [sys.executable, "-m", "tieout", "serve", *options],
        env=kept | {"TIEOUT_LANG": "en"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode not in (0, -9)
    assert "Traceback" not in found.stderr
    return found.stderr


def test_a_port_that_is_taken_is_said(server: Served, tmp_path: Path) -> None:
    said = refused("--listen", f"127.0.0.1:{server.port}", TIEOUT_STORE=str(tmp_path / "t.sqlite"))
    assert f"the API cannot listen at 127.0.0.1:{server.port}" in said
    assert "--listen" in said
    # The administrator's key, which is shown only once, has not been made for nobody to see.
    assert not (tmp_path / "t.sqlite").exists()


def test_several_processes_need_a_server(tmp_path: Path) -> None:
    said = refused("--workers", "2", TIEOUT_STORE=str(tmp_path / "t.sqlite"))
    assert "several processes need PostgreSQL" in said
    assert not (tmp_path / "t.sqlite").exists()


def test_several_processes_serve_one_store_and_count_together() -> None:
    with postgres_store() as url, served(url, "--workers", "2") as server, server.client() as client:
        book = opened(client)
        for n in range(20):
            # A connection each: whichever process takes it.
            with server.client() as another:
                book.by(another).booked("issue-invoice", invoice(f"{n}", 1))
        assert len(book.answer("items", min_position=book.head())) == 20
        assert figure(client, "tieout_commands_total", command="IssueInvoice", outcome="booked") == 20
