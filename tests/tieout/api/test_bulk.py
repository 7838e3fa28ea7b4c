"""Many commands in one request: an outcome each, in order; all or nothing; whatever way the body is cut and wherever it ends."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from over_http import Book, chargeback, invoice, key_of, payment, write_off
from served import Served

from tieout.api.bulk import COMMIT, LONGEST, MOST_ATOMIC, _Splitter
from tieout.api.problems import Problem

LINES, ARRAY = "application/x-ndjson", "application/json"
Made = dict[str, Any]


def many(book: Book, count: int, first: int = 1) -> list[Made]:
    """Invoices under names of their own."""
    return [of(book, "IssueInvoice", f"i{n}", invoice(f"{n}", n)) for n in range(first, first + count)]


def of(book: Book, command: str, source_id: str, body: Made) -> Made:
    return {"command": command, "source_id": book.key(source_id), **body}


def content(commands: list[Any], media: str = LINES) -> bytes:
    texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in commands]
    return b"\n".join(texts) if media == LINES else b"[" + b",".join(texts) + b"]"


def send(book: Book, body: Any, media: str = LINES, **query: str) -> httpx2.Response:
    return book.client.post(book.path("_bulk"), content=body, headers={"Content-Type": media}, params=query or None)


def outcomes(answer: httpx2.Response) -> list[Made]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].partition(";")[0] == LINES
    return [json.loads(line) for line in answer.text.splitlines()]


def listed(book: Book) -> set[str]:
    """The documents that are in the books now."""
    rows = book.client.get(
        book.path("documents"), params={"min_position": book.head()}, headers={"Accept": LINES}
    ).text.splitlines()
    return {json.loads(row)["document"] for row in rows}


@pytest.mark.parametrize("media", [LINES, "application/jsonl", ARRAY])
def test_each_has_its_outcome_in_order(book: Book, media: str) -> None:
    commands = [*many(book, 3), of(book, "RecordPayment", "p", payment("P", 3))]
    found = outcomes(send(book, content(commands, ARRAY if media == ARRAY else LINES), media))
    assert [one["line"] for one in found] == [1, 2, 3, 4]
    assert [one["status"] for one in found] == ["booked"] * 4
    assert [one["document"] for one in found] == ["invoice::1:1", "invoice::2:1", "invoice::3:1", "payment::P:1"]
    assert [one["version"] for one in found][:3] == [1, 2, 3]
    positions = [int(one["position"].partition(":")[2]) for one in found]
    assert positions == sorted(set(positions))
    assert len(listed(book)) == 4


def test_what_is_refused_stops_no_other(book: Book) -> None:
    one, two, three = many(book, 3)
    commands = [
        one,
        b"{",
        b"[]",
        b'{"command": "IssueInvoice", "command": "IssueInvoice"}',
        {**two, "total": 7},
        {**two, "command": "DoNothing"},
        {**two, "source_id": None},
        {**two, "book": "another"},
        of(book, "ReturnPayment", "r", chargeback("R", "P")),
        {**one, "total": 7},
        three,
    ]
    found = outcomes(send(book, content(commands)))
    assert [line["line"] for line in found] == list(range(1, 12))
    assert [line["status"] for line in found] == ["booked", *["refused"] * 7, "waiting", "conflict", "booked"]
    assert all(line["code"] and line["rule"] for line in found if line["status"] in ("refused", "conflict"))
    assert found[4]["code"] == "lines_and_tax_must_sum_to_total"
    assert found[8]["awaited"] == "payment::P:1"
    assert listed(book) == {"invoice::1:1", "invoice::3:1"}


def test_the_same_again_is_answered_as_the_first_time(book: Book) -> None:
    commands = [*many(book, 3), of(book, "ReturnPayment", "r", chargeback("R", "P"))]
    first = outcomes(send(book, content(commands)))
    book.booked("issue-invoice", invoice("later"))
    again = outcomes(send(book, content(commands)))
    assert all(one.pop("hit") for one in again)
    for one, then in zip(again, first, strict=True):
        # The version is not looked up for each of a hundred thousand.
        assert one == {name: value for name, value in then.items() if name != "version"}
    single = book.send("issue-invoice", invoice("1", 1), "i1")
    assert (single.json()["position"], single.headers["Idempotency-Hit"]) == (first[0]["position"], "true")


def test_more_than_a_commit(book: Book) -> None:
    count = 2 * COMMIT + 1
    found = outcomes(send(book, content(many(book, count), ARRAY), ARRAY))
    assert [one["line"] for one in found] == list(range(1, count + 1))
    assert len(listed(book)) == count


@pytest.mark.parametrize("media", [LINES, ARRAY])
def test_all_or_nothing(book: Book, media: str) -> None:
    head = book.head()
    for spoilt in ({"command": "IssueInvoice"}, {**many(book, 1, 9)[0], "total": 1}, of(book, "ClosePeriod", "c", {})):
        answer = send(book, content([*many(book, 2), spoilt], media), media, atomic="true")
        assert (answer.status_code, answer.json()["code"]) == (422, "batch_must_hold_as_a_whole")
        lines = answer.json()["outcomes"]
        assert [one["status"] for one in lines] == ["not_booked", "not_booked", "refused"]
        assert [one["line"] for one in lines] == [1, 2, 3]
        assert book.head() == head
    found = outcomes(send(book, content(many(book, 3), media), media, atomic="true"))
    assert [one["status"] for one in found] == ["booked"] * 3
    again = outcomes(send(book, content(many(book, 4), media), media, atomic="true"))
    assert [one.get("hit", False) for one in again] == [True, True, True, False]


def test_a_batch_that_depends_on_itself_holds_as_a_whole(book: Book) -> None:
    paid = of(book, "RecordPayment", "p", payment("P", 1, remittance=[{"number": "1"}]))
    written_off = of(book, "WriteOff", "w", write_off("W", "invoice::2:1#1", 2))
    found = outcomes(send(book, content([*many(book, 2), paid, written_off]), atomic="true"))
    assert [one["status"] for one in found] == ["booked"] * 4


def test_a_commit_has_its_bounds(book: Book) -> None:
    head = book.head()
    answer = send(book, content(many(book, MOST_ATOMIC + 1)), atomic="true")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_must_not_be_larger")
    assert book.head() == head


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[]", b"{}", b"[{}", b"[{},]x", b"[] []", b"null", b'"a"', b"]", b'["', b"[{]", b","]
)
@pytest.mark.parametrize("query", [{}, {"atomic": "true"}])
def test_an_array_that_is_none_is_said_before_anything_is_booked(
    book: Book, body: bytes, query: dict[str, str]
) -> None:
    answer = send(book, body, ARRAY, **query)
    assert answer.status_code < 500
    if answer.status_code == 200:
        assert {json.loads(line)["status"] for line in answer.text.splitlines()} <= {"refused", "broken"}
    else:
        assert answer.json()["code"] in ("body_must_be_json", "batch_must_hold_as_a_whole")


@pytest.mark.parametrize("end", [b"", b"{", b'{"a": "', b"]]", b"] x"])
def test_an_array_that_breaks_late_keeps_what_was_booked(book: Book, end: bytes) -> None:
    body = content(many(book, COMMIT + 7), ARRAY)[:-1] + (b"," if end[:1] not in (b"", b"]") else b"") + end
    answer = send(book, chunks(body, 10_000), ARRAY)
    if answer.status_code == 400:
        # All of it came before the first commit was full.
        assert listed(book) == set()
        return
    *found, last = outcomes(answer)
    assert [one["status"] for one in found[:COMMIT]] == ["booked"] * COMMIT
    assert (last["line"], last["status"], last["code"]) == (None, "broken", "body_must_be_json")
    booked = {one["document"] for one in found if one["status"] == "booked"}
    assert listed(book) == booked
    again = outcomes(send(book, content(many(book, COMMIT + 7), ARRAY), ARRAY))
    assert len(again) == len(listed(book)) == COMMIT + 7


@pytest.mark.parametrize("media", [LINES, ARRAY])
def test_a_line_that_is_too_long_is_not_kept_in_memory(book: Book, media: str) -> None:
    head = book.head()
    long = {**many(book, 1)[0], "reason": "x" * (LONGEST + 1)}
    for body in (content([long], media), content([long] * 5, media), chunks(content([long] * 5, media), 1 << 16)):
        answer = send(book, body, media)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_must_not_be_larger")
    assert book.head() == head


def test_a_media_type_that_is_not_read(book: Book) -> None:
    answer = send(book, content(many(book, 1)), "text/csv")
    assert (answer.status_code, answer.json()["offered"]) == (415, [LINES, "application/jsonl", ARRAY])


def test_each_line_needs_its_role(server: Served, book: Book) -> None:
    period = of(book, "ReopenPeriod", "r", {"period": "2026-01", "reason": "x"})
    policies = of(book, "ChangeBookPolicies", "c", {"tolerances": {"CNY": 5}})
    with server.client(key_of(book.client, f"poster:{book.name}")) as client:
        found = outcomes(send(book.by(client), content([*many(book, 1), period, policies, *many(book, 1, 2)])))
    assert [one.get("code") for one in found] == [None, "role_must_allow_it", "role_must_allow_it", None]
    with server.client(key_of(book.client, f"closer:{book.name}")) as client:
        assert send(book.by(client), content([period])).status_code == 403


def test_each_line_is_in_the_name_of_whoever_sends_it(server: Served, book: Book) -> None:
    outcomes(send(book, content(many(book, 1))))
    with server.client(key_of(book.client, f"poster:{book.name}")) as client:
        me = client.get("/v1/me").json()["data"]["subject"]
        own = of(book, "WriteOff", "w", {**write_off("W", "invoice::1:1#1", 1), "book": book.name, "source": me})
        asked = {"request": "1", "instruction": own | {"actor": "li"}}
        commands = [
            {**many(book, 1, 2)[0], "actor": "li"},
            of(book, "RequestApproval", "a", asked),
            of(book, "RequestApproval", "b", asked | {"instruction": own | {"actor": me}}),
        ]
        found = outcomes(send(book.by(client), content(commands)))
    assert [one.get("code") for one in found] == ["actor_must_be_the_subject", "actor_must_be_the_subject", None]
    assert found[1]["field"] == "instruction.actor"


def test_two_at_once_under_the_same_names_book_once(book: Book) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: outcomes(send(book, content(many(book, 300)))), range(4)))
    for line in zip(*answers, strict=True):
        assert len({one["position"] for one in line}) == 1
        assert sum("hit" not in one for one in line) == 1
    assert len(listed(book)) == 300


def chunks(of_: bytes, size: int) -> Iterator[bytes]:
    return (of_[at : at + size] for at in range(0, len(of_), size))


@pytest.mark.parametrize("media", [LINES, ARRAY])
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_a_body_may_come_in_pieces(book: Book, media: str, size: int) -> None:
    text = content([{**one, "reason": '"[{,\\ \u5f20'} for one in many(book, 20 if size == 1 else 600)], media)
    found = outcomes(send(book, chunks(text, size), media))
    assert {one["status"] for one in found} == {"booked"}
    assert len(listed(book)) == len(found)


def test_who_goes_away_loses_nothing_that_was_acknowledged(server: Served, book: Book) -> None:
    head = (
        f"POST {book.path('_bulk')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
        f"Content-Type: {LINES}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    text = content(many(book, COMMIT + 50)) + b"\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as gone:
        gone.sendall(head.encode() + b"%x\r\n%b\r\n" % (len(text), text))
        came = b""
        while came.count(b'"status":"booked"') < COMMIT:
            part = gone.recv(1 << 16)
            assert part, came[-500:]
            came += part
    acknowledged = {f"invoice::{n}:1" for n in range(1, COMMIT + 1)}
    assert acknowledged <= listed(book)
    again = outcomes(send(book, content(many(book, COMMIT + 50))))
    assert [one["status"] for one in again] == ["booked"] * (COMMIT + 50)
    assert all(one.get("hit") for one in again[:COMMIT])
    assert len(listed(book)) == COMMIT + 50


TEXT = st.text(alphabet='"\\[]{},: a\n\u5f20') | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def split(text: bytes, cuts: list[int]) -> list[bytes]:
    """What is found in a text that comes cut at these places."""
    splitter, found = _Splitter(), []
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for begin, end in pairwise(places):
        found += splitter.more(text[begin:end])
    assert splitter.is_done
    return found


@given(
    st.lists(JSON, max_size=8),
    st.lists(st.integers(0, 10**6), max_size=12),
    st.sampled_from([None, 0, 3]),
    st.booleans(),
    st.sampled_from(["", " ", "\n\t "]),
)
def test_any_array_is_found_whole_wherever_it_is_cut(
    values: list[Any], cuts: list[int], indent: int | None, ascii_: bool, around: str
) -> None:
    text = (around + json.dumps(values, indent=indent, ensure_ascii=ascii_) + around).encode("utf-8", "surrogatepass")
    # And at every place, so that it is cut between a sign and what that escapes.
    for places in (cuts, list(range(len(text)))):
        assert [json.loads(one.decode("utf-8", "surrogatepass")) for one in split(text, places)] == values


@given(st.text(alphabet='[]{},":\\ a1', max_size=40), st.lists(st.integers(0, 50), max_size=6))
def test_no_text_is_taken_for_an_array_by_where_it_is_cut(text: str, cuts: list[int]) -> None:
    def found(cuts: list[int]) -> Any:
        try:
            return split(text.encode(), cuts)
        except (Problem, AssertionError):
            return None

    assert found(cuts) == found([])
    try:
        values = json.loads(text)
    except ValueError:
        return
    if isinstance(values, list):
        assert [json.loads(one) for one in found(cuts)] == values
    else:
        assert found(cuts) is None
