"""Answers: pages of one moment, the same rows in every form, both clocks, and a read after one's own write."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import pyarrow
import pytest
from databases import KINDS, store_of
from over_http import Book, invoice, invoices, key_of, opened, payment
from pyarrow import parquet
from served import Served, served

from tieout.api.lists import LISTS

NAMES = ("C1", "=1+1", "+2", "-3", "@x", "\u5f20", 'a,"b"', "Zo\u00eb")
JSON, LINES, CSV = "application/json", "application/x-ndjson", "text/csv"
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
ROUTES = [*(one.path.strip("/") for one in LISTS), "events"]
DAY = "2026-06-30"
NEEDED = {
    "ageing": {"as_of": DAY},
    "dso": {"as_of": DAY},
    "exposures": {"as_of": DAY},
    "payers": {"as_of": DAY, "from_on": "2026-01-01"},
    "due-recognitions": {"until_on": DAY},
}
"""What some lists must be asked."""


def busy(book: Book, name: str, tag: str = "") -> None:
    """What puts a customer on every list but that of late facts."""
    service = {"net": 1_200, "service_from": "2026-01-01", "service_to": "2026-12-31"}
    for n, body in enumerate(
        (
            invoice(f"A{tag}-{name}", 1_000),
            invoice(f"B{tag}-{name}", 1_200, lines=[service]),
            invoice(f"C{tag}-{name}", 77),
        )
    ):
        book.booked("issue-invoice", body | {"customer": name, "effective_on": f"2026-01-0{n + 3}"})
    for paid, amount in (("A", 1_000), ("B", 1_197)):
        book.booked(
            "record-payment",
            payment(f"{paid}{tag}-{name}", amount, customer=name, remittance=[{"number": f"{paid}{tag}-{name}"}]),
        )
    difference = {"item": f"invoice::B{tag}-{name}:1#1", "number": f"D{tag}-{name}", "effective_on": "2026-02-03"}
    book.booked("round-off", {"customer": name, "currency": "CNY", **difference})


def settled(book: Book) -> None:
    """Wait until what was booked can be read."""
    book.answer("balances", min_position=book.head())


@pytest.fixture(scope="module")
def full(admin: httpx2.Client) -> Book:
    """A book in which every list has some rows."""
    book = opened(admin, tolerances={"CNY": 100})
    for name in NAMES:
        busy(book, name)
    close(book, "2026-01")
    for name in NAMES:
        book.booked("issue-invoice", invoice(f"late-{name}", 7, customer=name))
    settled(book)
    return book


def close(book: Book, period: str) -> None:
    """Close a period, whatever its closing list says."""
    position = book.head()
    listed = book.answer(f"periods/{period}/closing-list", min_position=position)
    checks = [
        {name: one[name] for name in ("check", "holds", "found") if one[name] is not None}
        | ({} if one["holds"] else {"accepted": True})
        for one in listed
    ]
    body = {"period": period, "position": position, "checks": checks, "reason": "done"}
    book.booked("close-period", body)


def pages(book: Book, path: str, limit: int, **more: Any) -> Iterator[list[Any]]:
    """A list page by page, by its links."""
    answer = book.ask(path, limit=limit, **more)
    while True:
        assert answer.status_code == 200, answer.text
        said = answer.json()
        yield said["data"]
        assert ("next" in answer.links) == (said["next"] is not None)
        if said["next"] is None:
            return
        answer = book.client.get(answer.links["next"]["url"])


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_joined_are_the_whole(full: Book, path: str, limit: int) -> None:
    whole = full.answer(path, limit=1000, **NEEDED.get(path, {}))
    found = list(pages(full, path, limit, **NEEDED.get(path, {})))
    assert len(whole) >= len(NAMES)
    assert [row for page in found for row in page] == whole
    assert all(len(page) == limit for page in found[:-1])
    assert found[-1]


@pytest.mark.parametrize("path", ROUTES)
def test_what_is_booked_between_two_pages_changes_none(admin: httpx2.Client, path: str) -> None:
    book = opened(admin, tolerances={"CNY": 100})
    for name in ("B", "D", "F"):
        busy(book, name)
    if path == "moved":
        close(book, "2026-01")
        for name in ("B", "D", "F"):
            book.booked("issue-invoice", invoice(f"late-{name}", customer=name))
    settled(book)
    more = NEEDED.get(path, {})
    whole = book.answer(path, **more)
    joined: list[Any] = []
    for n, page in enumerate(pages(book, path, 1, **more)):
        joined += page
        if n < 2:
            # Before all others, among them, after them; and one that is listed already.
            for name in "ACDG":
                busy(book, name, str(n))
            settled(book)
    assert joined == whole
    assert book.answer(path, limit=1000, **more) != whole


def first_cursor(book: Book, path: str, **more: Any) -> str:
    found: str = book.ask(path, limit=1, **more).json()["next"]
    return found


def test_a_cursor_is_of_its_list_and_parameters(full: Book) -> None:
    cursor = first_cursor(full, "balances", as_of="2026-06-30")
    assert full.ask("balances", cursor=cursor, as_of="2026-06-30", limit=7).status_code == 200
    for path, more in (
        ("items", {"as_of": "2026-06-30"}),
        ("balances", {}),
        ("balances", {"as_of": "2026-06-29"}),
        ("balances", {"as_of": "2026-06-30", "currency": "CNY"}),
        ("balances", {"as_of": "2026-06-30", "known_as_of": "0:3"}),
    ):
        answer = full.ask(path, cursor=cursor, **more)
        assert (answer.status_code, answer.json()["code"]) == (404, "cursor_must_be_of_this_list")


@pytest.mark.parametrize("path", ROUTES)
def test_a_cursor_that_was_tampered_with_is_refused(full: Book, path: str) -> None:
    more = NEEDED.get(path, {})
    cursor = first_cursor(full, path, **more)
    spoilt = {cursor[:at] + change + cursor[at + 1 :] for at in range(0, len(cursor), 2) for change in "A-\u00e9"}
    for one in sorted(spoilt):
        answer = full.ask(path, cursor=one, **more)
        # Some bits of the last character mean nothing.
        assert answer.status_code in ((200, 404) if one[:-1] == cursor[:-1] else (404,)), (one, answer.text)
    for one in ("", "x", "====", cursor * 20, cursor[:-1], "W10", "bnVsbA", "WzEsImEiLG51bGxd"):
        answer = full.ask(path, cursor=one, **more)
        assert (answer.status_code, answer.json()["code"]) in (
            (404, "cursor_must_be_of_this_list"),
            (400, "parameter_must_be_valid"),
        )


def as_text(value: Any) -> Any:
    """A value of JSON as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value[:1] in ("=", "+", "-", "@") else value
    return json.dumps(value) if isinstance(value, int) else value


def alike(cell: Any, value: Any) -> bool:
    """Whether a cell of a table is a value of JSON: the same, its text, or its JSON text; instants are compared as such."""
    if isinstance(cell, datetime):
        return cell.astimezone(UTC) == datetime.fromisoformat(value)
    if isinstance(cell, date):
        return cell.isoformat() == value
    if cell == value:
        return True
    if isinstance(value, str) and isinstance(cell, str) and cell.endswith("+00:00"):
        return datetime.fromisoformat(cell) == datetime.fromisoformat(value)
    return isinstance(cell, str) and not isinstance(value, str) and json.loads(cell) == value


def table(answer: httpx2.Response, form: str) -> list[dict[str, Any]]:
    """The rows of an answer that is a table."""
    if form == CSV:
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))
    if form == ARROW:
        found: list[dict[str, Any]] = pyarrow.ipc.open_stream(io.BytesIO(answer.content)).read_all().to_pylist()
        return found
    found = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    return found


@pytest.mark.parametrize("path", ROUTES)
def test_every_form_has_the_same_rows(full: Book, path: str) -> None:
    more = NEEDED.get(path, {})
    whole = full.ask(path, limit=1000, **more)
    rows = whole.json()["data"]
    for form in (LINES, CSV, ARROW, PARQUET):
        answer = full.client.get(full.path(path), params=more, headers={"Accept": form})
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].partition(";")[0] == form
        assert answer.headers["Tieout-Position"] == whole.headers["Tieout-Position"]
        if form == LINES:
            assert [json.loads(line) for line in answer.text.splitlines()] == rows
            continue
        found = table(answer, form)
        assert len(found) == len(rows)
        for cells, row in zip(found, rows, strict=True):
            assert set(row) <= set(cells)
            for name, cell in cells.items():
                value = as_text(row.get(name)) if form == CSV else row.get(name)
                assert alike(cell, value), (form, name, cell, value)


def test_an_empty_list_is_one_in_every_form(book: Book) -> None:
    assert book.answer("items") == []
    for form in (CSV, ARROW, PARQUET):
        answer = book.client.get(book.path("items"), headers={"Accept": form})
        assert table(answer, form) == []
    assert book.client.get(book.path("items"), headers={"Accept": LINES}).text == ""


def test_a_spreadsheet_sees_no_formula(full: Book) -> None:
    text = full.client.get(full.path("balances"), headers={"Accept": CSV}).text
    customers = {row["customer"] for row in csv.DictReader(io.StringIO(text))}
    assert {"'=1+1", "'+2", "'-3", "'@x", 'a,"b"', "\u5f20"} <= customers


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", JSON),
        ("", None),
        ("application/*", JSON),
        ("text/*", CSV),
        ("text/csv", CSV),
        ("TEXT/CSV", CSV),
        ("text/csv;q=0.5, application/json;q=0.4", CSV),
        ("text/csv;q=0.4, application/json;q=0.5", JSON),
        ("application/json;q=0, */*;q=0.1", LINES),
        ("application/*;q=0.2, application/vnd.apache.parquet", PARQUET),
        ("text/html, application/x-ndjson;q=0.1", LINES),
        ("text/html", None),
        ("application/json;q=0", None),
        ("*/*;q=0", None),
        ("text/csv;q=x", None),
        ("application/vnd.apache.arrow.stream;q=1.0;v=2", ARROW),
    ],
)
def test_the_form_that_is_accepted_best_is_answered(full: Book, accept: str, form: str | None) -> None:
    answer = full.client.get(full.path("balances"), headers={"Accept": accept})
    if form is None:
        assert (answer.status_code, answer.json()["code"]) == (406, "form_of_the_answer_must_be_offered")
        assert answer.json()["offered"] == [JSON, LINES, CSV, ARROW, PARQUET]
    else:
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, form)


def test_a_streamed_list_is_of_one_moment(server: Served, book: Book) -> None:
    lines = "\n".join(map(json.dumps, invoices([f"{n:04}" for n in range(2_400)], total=1)))
    posted = book.client.post(book.path("_bulk"), content=lines.replace('"i-', f'"{book.name}-'))
    last = json.loads(posted.text.splitlines()[-1])["position"]
    book.answer("balances", min_position=last)
    with server.client() as other, book.client.stream("GET", book.path("items"), headers={"Accept": LINES}) as answer:
        arriving = answer.iter_lines()
        first = json.loads(next(arriving))
        by_other = book.by(other)
        booked = by_other.booked("issue-invoice", invoice("a-new-one", 1))
        by_other.answer("balances", min_position=booked["position"])
        rest = [json.loads(line) for line in arriving]
        assert answer.headers["Tieout-Position"] == last
    found = [one["document"] for one in (first, *rest)]
    assert len(found) == len(set(found)) == 2_400
    assert "invoice::a-new-one:1" not in found


def balance(book: Book, **clocks: str) -> int:
    return sum(row["amount"] for row in book.answer("balances", customer="C1", currency="CNY", **clocks))


def test_two_clocks(book: Book) -> None:
    def booked(command: str, body: Any) -> tuple[str, str]:
        """Book; the position, and an instant after it and before all that comes."""
        position = book.booked(command, body)["position"]
        book.answer("balances", min_position=position)
        rows = book.answer("journal", limit=1000)
        return position, rows[-1]["recorded_at"]

    first, first_at = booked("issue-invoice", invoice("1", 10_000, on="2026-01-05"))
    paid, paid_at = booked("record-payment", payment("P1", 4_000, on="2026-02-03", remittance=[{"number": "1"}]))
    late, _ = booked("issue-invoice", invoice("2", 500, on="2026-01-10"))
    days = {"2026-01-04": 0, "2026-01-05": 10_000, "2026-01-31": 10_500, "2026-02-03": 6_500}
    for day, amount in days.items():
        assert balance(book, as_of=day) == amount
    assert balance(book) == 6_500
    for known, amounts in ((first, (10_000, 10_000)), (paid, (10_000, 6_000)), (late, (10_500, 6_500))):
        assert (balance(book, as_of="2026-01-31", known_as_of=known), balance(book, known_as_of=known)) == amounts
    assert balance(book, known_as_of=first_at) == 10_000
    assert balance(book, known_as_of=paid_at) == 6_000
    assert balance(book, known_as_of=paid_at, as_of="2026-01-31") == 10_000
    assert balance(book, known_as_of="2026-01-01T00:00:00Z") == 0
    in_china = datetime.fromisoformat(first_at).timestamp()
    shifted = datetime.fromtimestamp(in_china, UTC).isoformat().replace("+00:00", " 00:00")
    assert balance(book, known_as_of=shifted) == 10_000


def test_what_is_known_as_of_is_said(book: Book) -> None:
    position = book.booked("issue-invoice", invoice("1"))["position"]
    book.booked("issue-invoice", invoice("2"))
    settled(book)
    for path in ("balances", "items", "trial-balance", "control"):
        answer = book.ask(path, known_as_of=position)
        assert answer.headers["Tieout-Position"] == answer.json()["position"] == position


def test_a_read_sees_the_write_before_it(book: Book) -> None:
    for n in range(1, 30):
        position = book.booked("issue-invoice", invoice(f"{n}", 1))["position"]
        short = book.ask("balances", customer="C1", currency="CNY", min_position=position)
        assert short.json()["data"][0]["amount"] == n
        assert len(book.answer("items", min_position=position)) == n


def test_a_position_that_is_not_reached_is_waited_for_and_no_longer(book: Book) -> None:
    ahead = int(book.head().partition(":")[2]) + 1_000_000
    for path in ("items", "balances?customer=C1&currency=CNY", "periods", "trial-balance"):
        sign = "&" if "?" in path else "?"
        began = monotonic()
        answer = book.client.get(book.path(f"{path}{sign}min_position=0:{ahead}"))
        assert (answer.status_code, answer.json()["code"]) == (404, "position_must_be_of_this_log")
        assert monotonic() - began < 2


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_follower_a_read_says_that_it_is_behind(kind: str, tmp_path: Path) -> None:
    with store_of(kind, tmp_path) as store:
        with served(store) as server, server.client() as client:
            book = opened(client)
            book.booked("issue-invoice", invoice("1"))
            book.answer("balances", min_position=book.head())
            key = key_of(client, "admin:*")
        with served(store, key=key, TIEOUT_API_FOLLOW="false") as server, server.client() as client:
            book = book.by(client)
            position = book.booked("issue-invoice", invoice("2"))["position"]
            began = monotonic()
            answer = book.ask("items", min_position=position)
            assert 4 < monotonic() - began < 10
            assert (answer.status_code, answer.json()["code"]) == (503, "position_must_be_reached")
            assert int(answer.headers["Retry-After"]) > 0
            assert len(book.answer("items")) == 1


def test_a_selector_is_explained_to_the_sum(full: Book) -> None:
    for row in full.answer("balances", limit=1000):
        said = full.answer("explanation", selector=row["explain"]["amount"])
        assert said["amount"] == row["amount"] == sum(one["contribution"] for one in said["postings"])
