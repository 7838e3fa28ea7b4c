"""HEAD: what the answer to a GET would say before its content, and nothing of the content, however long it would be."""

import asyncio
import socket
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from over_http import Book, invoice, opened
from served import Served, served

from tieout.api.head import Head

STREAM, LINES, CSV = "text/event-stream", "application/x-ndjson", "text/csv"
PARQUET = "application/vnd.apache.parquet"


def on_the_wire(server: Served, method: str, path: str, **headers: str) -> tuple[str, bytes]:
    """What a server writes to a request: the status line, and all that follows the header until it closes."""
    address = urlsplit(server.url)
    given = {"Host": address.netloc, "Authorization": f"Bearer {server.key}", "Connection": "close"} | headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    with socket.create_connection((str(address.hostname), address.port or 80), 10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        came = b""
        while part := connection.recv(1 << 16):
            came += part
    header, _, content = came.partition(b"\r\n\r\n")
    return header.decode().splitlines()[0], content


def test_nothing_of_the_content_goes_over_the_wire(server: Served, book: Book) -> None:
    book.booked("issue-invoice", invoice("1"))
    path = f"/v1/books/{book.name}/items?min_position={book.head()}"
    for accept in ("application/json", CSV, LINES, PARQUET):
        assert on_the_wire(server, "HEAD", path, Accept=accept) == ("HTTP/1.1 200 OK", b"")
        status, content = on_the_wire(server, "GET", path, Accept=accept)
        assert status == "HTTP/1.1 200 OK"
        assert content


@pytest.mark.parametrize("accept", [STREAM, LINES])
def test_what_has_no_end_ends_at_once(server: Served, admin: httpx2.Client, accept: str) -> None:
    began = monotonic()
    answer = admin.head("/v1/events", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, accept)
    assert on_the_wire(server, "HEAD", "/v1/events", Accept=accept) == ("HTTP/1.1 200 OK", b"")
    assert monotonic() - began < 5


def test_no_content_is_made_and_who_would_make_it_lets_go() -> None:
    told: list[Any] = []
    made: list[str] = []

    async def endless(scope: Any, _: Any, send: Any) -> None:
        assert scope["method"] == "GET"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
            while True:
                made.append("content")
                await send({"type": "http.response.body", "body": b"1", "more_body": True})
        finally:
            made.append("let go")

    async def sent(message: Any) -> None:
        await asyncio.sleep(0)
        told.append(message)

    scope = {"type": "http", "method": "HEAD"}
    asyncio.run(asyncio.wait_for(Head(endless)(scope, sent, sent), 5))  # type: ignore[arg-type]
    assert scope["method"] == "HEAD"
    assert made == ["let go"]
    assert told == [
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]},
        {"type": "http.response.body", "body": b"", "more_body": False},
    ]


def test_a_connection_goes_on_after_it(book: Book) -> None:
    with book.client.stream("HEAD", book.path("items"), headers={"Accept": CSV}) as answer:
        assert (answer.status_code, answer.read()) == (200, b"")
        first = answer.extensions["network_stream"].get_extra_info("client_addr")
    with book.client.stream("GET", book.path("balances")) as answer:
        assert (answer.status_code, answer.read()) != (200, b"")
        assert answer.extensions["network_stream"].get_extra_info("client_addr") == first


def test_errors_are_those_of_get(server: Served, admin: httpx2.Client, book: Book) -> None:
    assert admin.head("/v1/nothing").status_code == 404
    assert book.client.head(f"/v1/books/{book.name}/items", params={"limit": "many"}).status_code == 400
    with httpx2.Client(base_url=server.url) as nobody:
        answer = nobody.head("/v1/me")
    assert (answer.status_code, answer.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_what_has_no_get_has_no_head(book: Book) -> None:
    for path in (book.path("commands/issue-invoice"), book.path("_bulk")):
        answer = book.client.head(path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert book.client.put("/v1/keys").headers["Allow"] == "GET, HEAD, POST"
    assert book.client.post("/v1/me").headers["Allow"] == "GET, HEAD"


def test_figures_and_log_say_head(tmp_path: Path) -> None:
    with served(tmp_path / "t.sqlite", TIEOUT_LOG_LEVEL="info", TIEOUT_LOG_FORMAT="json") as server:
        with server.client() as client:
            book = opened(client)
            for path in (book.path("items"), book.path("balances")):
                assert client.head(path).status_code == 200
            for accept in (STREAM, LINES):
                assert client.head("/v1/events", headers={"Accept": accept}).status_code == 200
            figures = client.get("/metrics").text
        log = server.log
    for within in ("items", "balances"):
        route = f"/v1/books/{{book}}/{within}"
        assert f'tieout_http_requests_total{{method="HEAD",route="{route}",status="200"}} 1.0' in figures
        assert any('"method": "HEAD"' in line and f'"route": "{route}"' in line for line in log.splitlines())
    assert "request_failed" not in log
