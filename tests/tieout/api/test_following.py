"""Following the log: by the page or as it happens, from where one was, without a gap or a repeat, in one's own books only."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from over_http import Book, invoice, key_of, opened, payment
from served import Served

from tieout.api import following
from tieout.api.following import Seen

STREAM, LINES = "text/event-stream", "application/x-ndjson"


def paged(client: httpx2.Client, after: str, limit: int, **more: str) -> Iterator[dict[str, Any]]:
    """All events after a position, page by page."""
    has_more = True
    while has_more:
        answer = client.get("/v1/events", params={"after": after, "limit": limit, **more})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert len(said["data"]) <= limit
        assert answer.headers["Tieout-Position"] == said["next"]
        yield from said["data"]
        after, has_more = said["next"], said["has_more"]


@contextmanager
def stream(client: httpx2.Client, form: str = STREAM, **more: Any) -> Iterator[Iterator[dict[str, str]]]:
    """The messages of an event stream: its fields each."""

    def messages() -> Iterator[dict[str, str]]:
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                yield fields
                fields = {}

    with client.stream("GET", "/v1/events", headers={"Accept": form, **more.pop("headers", {})}, params=more) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["Content-Type"].partition(";")[0] == form
        yield messages()


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_pages_joined_are_the_log_of_a_book(book: Book, limit: int) -> None:
    start = book.head()
    for n in range(3):
        book.booked("issue-invoice", invoice(f"{n}"))
    book.booked("record-payment", payment("P", 10_000, remittance=[{"number": "0"}]))
    book.booked("resettle", {"customer": "C1", "currency": "CNY"})
    found = list(paged(book.client, start, limit, book=book.name))
    assert found == book.answer("events", customer="C1", min_position=book.head())
    positions = [int(one["position"].partition(":")[2]) for one in found]
    assert positions == sorted(set(positions))
    assert {one["source"] for one in found} == {f"tieout/{book.name}"}
    assert list(paged(book.client, book.head(), limit, book=book.name)) == []


def test_what_is_beyond_the_log_is_no_place_to_go_on_from(admin: httpx2.Client) -> None:
    for form in ("application/json", STREAM, LINES):
        answer = admin.get("/v1/events", params={"after": "0:999999999"}, headers={"Accept": form})
        assert (answer.status_code, answer.json()["code"]) == (404, "position_must_be_of_this_log")


def test_a_follower_goes_on_where_it_was_while_others_book(server: Served, book: Book) -> None:
    start, count = book.head(), 60
    with server.client() as writer, server.client() as follower:
        writing = threading.Thread(
            target=lambda: [book.by(writer).booked("issue-invoice", invoice(f"{n}", n + 1)) for n in range(count)]
        )
        writing.start()
        found: list[dict[str, str]] = []
        last = None
        while len(found) < count:
            where: dict[str, Any] = {"after": start} if last is None else {"headers": {"Last-Event-ID": last}}
            with stream(follower, book=book.name, **where) as messages:
                for message in messages:
                    found.append(message)
                    last = message["id"]
                    if len(found) % 7 == 0 or len(found) == count:
                        break
        writing.join()
    whole = list(paged(book.client, start, 1000, book=book.name))
    assert [json.loads(one["data"]) for one in found] == whole
    assert [one["id"] for one in found] == [one["position"] for one in whole]
    assert {one["event"] for one in found} == {"tieout.invoice-issued.v1"}


def test_the_last_id_that_a_follower_had_wins(book: Book) -> None:
    start = book.head()
    positions = [book.booked("issue-invoice", invoice(f"{n}"))["position"] for n in range(3)]
    answer = book.client.get("/v1/events", params={"after": start}, headers={"Last-Event-ID": positions[1]})
    assert [one["position"] for one in answer.json()["data"]] == positions[2:]


def test_events_without_end_come_as_json_lines_too(book: Book) -> None:
    start = book.head()
    book.booked("issue-invoice", invoice("1"))
    with book.client.stream("GET", "/v1/events", params={"after": start}, headers={"Accept": LINES}) as answer:
        arriving = (json.loads(line) for line in answer.iter_lines() if line)
        first = next(arriving)
        with httpx2.Client(base_url=book.client.base_url, headers=book.client.headers) as other:
            book.by(other).booked("issue-invoice", invoice("2"))
        assert [first["subject"], next(arriving)["subject"]] == ["invoice::1:1", "invoice::2:1"]


def test_only_books_that_one_may_read_are_followed(server: Served, admin: httpx2.Client) -> None:
    start = opened(admin).head()
    mine, theirs = opened(admin), opened(admin)
    for n in range(3):
        theirs.booked("issue-invoice", invoice(f"{n}"))
        mine.booked("issue-invoice", invoice(f"{n}"))
    last = theirs.booked("issue-invoice", invoice("9"))["position"]
    with server.client(key_of(admin, f"reader:{mine.name}")) as client:
        found = list(paged(client, start, 2))
        assert {one["source"] for one in found} == {f"tieout/{mine.name}"}
        assert len([one for one in found if one["type"] == "tieout.invoice-issued.v1"]) == 3
        # How far was looked, so that what was not for him is not looked through again.
        assert client.get("/v1/events", params={"after": found[-1]["position"]}).json()["next"] >= last
        with stream(client, after=start) as messages:
            seen = [json.loads(next(messages)["data"]) for _ in found]
        assert seen == found
        answer = client.get("/v1/events", params={"book": theirs.name}, headers={"Accept": STREAM})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_must_allow_it")


@pytest.mark.parametrize(("form", "sign"), [(STREAM, b": 0:5\n\n"), (LINES, b"\n")])
def test_a_follower_hears_that_it_is_still_there(monkeypatch: pytest.MonkeyPatch, form: str, sign: bytes) -> None:
    monkeypatch.setattr(following, "REST_SECONDS", 0.001)
    monkeypatch.setattr(following, "ALIVE_SECONDS", 0.003)

    async def ask(_: Any) -> Seen:
        return Seen([], 5, 5)

    async def heard() -> list[bytes]:
        service: Any = SimpleNamespace(is_stopping=False, ask=ask)
        lines = following._followed(service, None, Seen([], 5, 5), form)
        found = [await anext(lines) for _ in range(3)]
        service.is_stopping = True
        assert [one async for one in lines] == []
        return found

    found = asyncio.run(asyncio.wait_for(heard(), 10))
    assert found == ([b"retry: 1000\n\n", sign, sign] if form == STREAM else [sign] * 3)
