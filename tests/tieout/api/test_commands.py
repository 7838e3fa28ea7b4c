"""Commands over HTTP: what becomes of one, once and again, by whom, at which version; and a rehearsal of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from databases import KINDS, store_of
from over_http import Book, chargeback, invoice, key_of, opened, payment, write_off
from served import Served, served

HIT = "Idempotency-Hit"


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that an answer must be."""
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), answer.text
    return found


def test_what_is_booked_says_where_and_which_version(book: Book) -> None:
    answer = book.send("issue-invoice", invoice("1"), "i1")
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "status": "booked",
        "position": body["position"],
        "events": 1,
        "document": "invoice::1:1",
        "version": 1,
    }
    assert (answer.headers["Tieout-Position"], answer.headers["ETag"]) == (body["position"], '"1"')
    assert HIT not in answer.headers
    assert book.answer("balances", min_position=body["position"])[0]["amount"] == 10_000


def test_what_waits_says_for_what(book: Book) -> None:
    answer = book.send("return-payment", chargeback("R1", "P1"), "r1")
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["awaited"]) == ("waiting", "payment::P1:1")
    assert [one["awaited"] for one in book.answer("waiting")] == ["payment::P1:1"]


def test_what_changes_nothing_is_answered_and_not_created(book: Book) -> None:
    book.booked("issue-invoice", invoice("1"))
    first = book.send("resettle", {"customer": "C1", "currency": "CNY"}, "r1")
    assert (first.status_code, first.json()["events"]) == (200, 0)
    again = book.send("resettle", {"customer": "C1", "currency": "CNY"}, "r1")
    assert (again.status_code, again.content, again.headers[HIT]) == (200, first.content, "true")


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"key": "{} b"}, {"key": "{} b"}),
        ({"key": "{}"}, {"key": '"{}"'}),
        ({"key": '"{}"'}, {"in_body": "{}"}),
        ({"in_body": "{}"}, {"key": "{}"}),
        ({"key": "{}", "in_body": "{}"}, {"key": "{}"}),
    ],
)
def test_a_key_is_the_source_id(book: Book, first: dict[str, str], again: dict[str, str]) -> None:
    def sent(key: str | None = None, in_body: str | None = None) -> httpx2.Response:
        said = {"source_id": in_body.format(book.name)} if in_body else {}
        headers = {"Idempotency_Key": key.format(book.name)} if key else {}
        return book.send("issue-invoice", invoice("1") | said, **headers)

    booked, repeated = sent(**first), sent(**again)
    assert (booked.status_code, repeated.status_code) == (201, 201)
    assert repeated.content == booked.content
    assert HIT not in booked.headers
    assert repeated.headers[HIT] == "true"


def test_a_key_and_a_source_id_that_differ_are_refused(book: Book) -> None:
    answer = book.send("issue-invoice", invoice("1") | {"source_id": "one"}, "another")
    assert refused(answer, 422, "command_must_be_valid")["pointer"] == "/source_id"


def test_a_command_needs_a_name(book: Book) -> None:
    problem = refused(book.send("issue-invoice", invoice("1")), 428, "idempotency_key_must_be_given")
    assert problem["parameter"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["", '""', "k" * 201])
def test_a_key_that_is_none_is_refused(book: Book, key: str) -> None:
    answer = book.send("issue-invoice", invoice("1"), Idempotency_Key=key)
    assert refused(answer, 400, "parameter_must_be_valid")["parameter"] == "Idempotency-Key"


def test_the_same_again_is_answered_as_the_first_time_whatever_came_after(book: Book) -> None:
    sent = [
        ("issue-invoice", invoice("1"), "i1"),
        ("return-payment", chargeback("R1", "P1"), "r1"),
        ("change-book-policies", {"tolerances": {"CNY": 5}}, "c1"),
        ("state-rates", {"rate_source": "pboc", "rates": [{"day": "2026-01-30", "currency": "USD", "rate": "7"}]}, "s"),
    ]
    first = [book.send(*one) for one in sent]
    book.booked("record-payment", payment("P1", 500))
    book.booked("issue-invoice", invoice("2"))
    book.booked("change-book-policies", {"tolerances": {"CNY": 6}})
    for one, then in zip(sent, first, strict=True):
        again = book.send(*one)
        assert (again.status_code, again.content) == (then.status_code, then.content)
        assert again.headers[HIT] == "true"
        assert again.headers.get("ETag") == then.headers.get("ETag")


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_was_killed_answers_as_before(kind: str, tmp_path: Path) -> None:
    with store_of(kind, tmp_path) as store:
        with served(store) as server, server.client() as client:
            book = opened(client)
            first = [
                book.send("issue-invoice", invoice("1"), "i1"),
                book.send("return-payment", chargeback("R1", "P1"), "r1"),
            ]
            key = server.key
            server.kill()
        with served(store, key=key) as server, server.client() as client:
            book = book.by(client)
            again = [
                book.send("issue-invoice", invoice("1"), "i1"),
                book.send("return-payment", chargeback("R1", "P1"), "r1"),
            ]
    assert [one.content for one in again] == [one.content for one in first]
    assert [one.status_code for one in again] == [201, 202]
    assert all(one.headers[HIT] == "true" for one in again)


def test_the_same_key_with_another_body_is_a_conflict(book: Book) -> None:
    book.send("issue-invoice", invoice("1"), "i1")
    head = book.head()
    refused(book.send("issue-invoice", invoice("1", 7), "i1"), 409, "same_source_id_must_have_same_content")
    refused(book.send("record-payment", payment("1", 7), "i1"), 409, "same_source_id_must_have_same_content")
    refused(book.send("issue-invoice", invoice("1", 7), "i2"), 409, "same_number_must_have_same_content")
    assert book.head() == head


def test_the_same_number_under_another_key_is_the_same_fact(book: Book) -> None:
    first = book.send("issue-invoice", invoice("1"), "i1")
    again = book.send("issue-invoice", invoice("1"), "i2")
    assert (again.status_code, again.headers[HIT], again.content) == (201, "true", first.content)


def test_who_sends_at_once_under_one_key_gets_one_booking(book: Book) -> None:
    head = book.head()

    def send(_: int) -> httpx2.Response:
        return book.send("issue-invoice", invoice("1"), "i1")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(16)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.content for one in answers}) == 1
    assert sum(HIT not in one.headers for one in answers) == 1
    assert int(book.head().partition(":")[2]) == int(head.partition(":")[2]) + 1


def test_of_two_bodies_at_once_under_one_key_one_is_booked(book: Book) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: book.send("issue-invoice", invoice(f"{n}"), "i1"), range(8)))
    assert sorted(one.status_code for one in answers) == [201] + [409] * 7
    [booked] = [one for one in answers if one.status_code == 201]
    documents = book.answer("documents", min_position=booked.json()["position"])
    assert [one["document"] for one in documents] == [booked.json()["document"]]


def test_a_write_for_another_version_is_refused(book: Book) -> None:
    tag = book.send("issue-invoice", invoice("1"), "i1").headers["ETag"]
    right = book.send("issue-invoice", invoice("2"), "i2", If_Match=tag)
    assert (right.status_code, right.headers["ETag"]) == (201, '"2"')
    head = book.head()
    for stale in (tag, '"3"'):
        refused(book.send("issue-invoice", invoice("3"), "i3", If_Match=stale), 412, "version_must_be_the_current_one")
    for wrong in ("*", 'W/"2"', '"x"', '"1", "2"'):
        answer = book.send("issue-invoice", invoice("3"), "i3", If_Match=wrong)
        assert refused(answer, 400, "parameter_must_be_valid")["parameter"] == "If-Match"
    assert book.head() == head
    # What was booked at its version is booked, whatever the version is now.
    again = book.send("issue-invoice", invoice("2"), "i2", If_Match=tag)
    assert (again.status_code, again.headers[HIT]) == (201, "true")


def test_a_change_of_a_book_may_name_its_version(book: Book) -> None:
    tag = book.client.get(f"/v1/books/{book.name}").headers["ETag"]
    changed = book.send("change-book-policies", {"tolerances": {"CNY": 5}}, "c1", If_Match=tag)
    assert changed.status_code == 201
    assert changed.headers["ETag"] == book.client.get(f"/v1/books/{book.name}").headers["ETag"] != tag
    stale = book.send("change-book-policies", {"tolerances": {"CNY": 6}}, "c2", If_Match=tag)
    refused(stale, 412, "version_must_be_the_current_one")


def test_who_acts_is_whose_key_it_is(server: Served, book: Book) -> None:
    with server.client(key_of(book.client, f"poster:{book.name}")) as client:
        me = client.get("/v1/me").json()["data"]["subject"]
        mine = book.by(client)
        mine.booked("issue-invoice", invoice("1"))
        assert mine.send("issue-invoice", invoice("2") | {"actor": me}, "i2").status_code == 201
        answer = mine.send("issue-invoice", invoice("3") | {"actor": "li"}, "i3")
        assert refused(answer, 403, "actor_must_be_the_subject")["pointer"] == "/actor"
    rows = book.answer("audit", min_position=book.head(), customer="C1")
    assert [one["actor"] for one in rows] == [me, me]


def test_a_body_may_say_what_the_path_says_and_nothing_else(book: Book) -> None:
    same = {"command": "IssueInvoice", "book": book.name}
    assert book.send("issue-invoice", invoice("1") | same, "i1").status_code == 201
    other = book.send("issue-invoice", invoice("2") | {"command": "RecordPayment"}, "i2")
    assert refused(other, 422, "command_must_be_valid")["pointer"] == "/command"
    other = book.send("issue-invoice", invoice("2") | {"book": "another"}, "i2")
    assert refused(other, 422, "command_must_be_valid")["pointer"] == "/book"


def test_a_source_may_be_named(book: Book) -> None:
    first = book.send("issue-invoice", invoice("1") | {"source": "billing"}, "i1")
    assert first.status_code == 201
    # The same id of another source is another name.
    assert book.send("issue-invoice", invoice("2"), "i1").status_code == 201


def reverse(book: Book, number: str, key: str, body: Any = None, **query: Any) -> httpx2.Response:
    content = {} if body is None else {"json": body}
    path, headers = book.path(f"documents/invoice/{number}/reversal"), {"Idempotency-Key": book.key(key)}
    return book.client.post(path, headers=headers, params=query, **content)


def test_a_document_is_reversed_at_its_path(book: Book) -> None:
    for number in ("1", "2"):
        book.booked("issue-invoice", invoice(number))
    position = book.head()
    book.answer("balances", min_position=position)
    first = reverse(book, "1", "r1")
    assert (first.status_code, first.json()["status"]) == (201, "booked")
    assert reverse(book, "1", "r1").content == first.content
    refused(reverse(book, "1", "r2"), 422, "document_must_not_be_reversed_twice")
    answer = reverse(book, "2", "r3", {"reason": "keyed twice", "customer": "C1"})
    assert answer.status_code == 201
    found = book.answer("documents/invoice/2", min_position=answer.json()["position"])
    assert [one["kind"] for one in found["history"]] == ["invoice-issued", "document-reversed"]
    assert book.answer("balances") == []


def test_what_there_is_not_is_not_reversed(book: Book) -> None:
    book.booked("issue-invoice", invoice("1", series="A"))
    book.answer("balances", min_position=book.head())
    refused(reverse(book, "9", "r1"), 404, "what_is_asked_for_must_exist")
    refused(reverse(book, "1", "r1"), 404, "what_is_asked_for_must_exist")
    refused(reverse(book, "1", "r1", series="A", revision=2), 404, "what_is_asked_for_must_exist")
    problem = refused(reverse(book, "1", "r1", {"customer": "C2"}, series="A"), 422, "command_must_be_valid")
    assert problem["pointer"] == "/customer"
    assert reverse(book, "1", "r1", series="A").status_code == 201


def test_a_rehearsal_writes_nothing_and_says_what_would_be(book: Book) -> None:
    book.booked("issue-invoice", invoice("1"))
    book.answer("balances", min_position=book.head())
    before, balances = book.head(), book.answer("balances")
    body = payment("P1", 4_000, remittance=[{"number": "1"}])
    said = book.send("record-payment", body, "p1", dry_run=True)
    assert said.status_code == 200
    would = said.json()
    assert (would["dry_run"], would["booked"], would["status"], would["document"]) == (
        True,
        False,
        "booked",
        "payment::P1:1",
    )
    assert "position" not in would
    assert (book.head(), book.answer("balances")) == (before, balances)
    booked = book.send("record-payment", body, "p1")
    assert HIT not in booked.headers
    events = book.answer("events", min_position=booked.json()["position"], customer="C1")[1:]
    assert [(one["id"], one["type"], one["data"]) for one in events] == [
        (one["id"], one["type"], one["data"]) for one in would["data"]
    ]
    assert booked.json()["events"] == would["events"] == len(events)


def test_a_rehearsal_refuses_what_would_be_refused(book: Book) -> None:
    for dry_run in (True, False):
        answer = book.send("issue-invoice", invoice("1") | {"total": 7}, "i1", dry_run=dry_run)
        refused(answer, 422, "lines_and_tax_must_sum_to_total")
    book.send("issue-invoice", invoice("1"), "i1")
    answer = book.send("issue-invoice", invoice("1", 7), "i1", dry_run=True)
    refused(answer, 409, "same_source_id_must_have_same_content")


def test_a_rehearsal_of_what_waits_says_so(book: Book) -> None:
    would = book.send("return-payment", chargeback("R1", "P1"), "r1", dry_run=True).json()
    assert (would["status"], would["awaited"]) == ("waiting", "payment::P1:1")
    assert book.answer("waiting") == []


def test_a_reversal_can_be_rehearsed(book: Book) -> None:
    book.booked("issue-invoice", invoice("1"))
    book.answer("balances", min_position=book.head())
    head = book.head()
    would = reverse(book, "1", "r1", dry_run="true")
    assert (would.status_code, would.json()["dry_run"]) == (200, True)
    assert book.head() == head


def test_what_one_may_not_do_one_may_not_have_approved_either(server: Served, book: Book) -> None:
    instruction = {"command": "ChangePostingTemplate", "methods": {"mine": "9999"}, "reason": "mine"}
    asked = {"request": "1", "instruction": instruction}
    with server.client(key_of(book.client, f"poster:{book.name}")) as poster:
        answer = book.by(poster).send("request-approval", asked, "a1")
        refused(answer, 403, "role_must_allow_it")
        assert (answer.json()["pointer"], answer.json()["roles"]) == ("/instruction/command", ["admin"])
        whole = instruction | {
            "source": "me",
            "source_id": "i2",
            "book": book.name,
            "actor": poster.get("/v1/me").json()["data"]["subject"],
        }
        line = json.dumps({"command": "RequestApproval", "source_id": "a2", "request": "1", "instruction": whole})
        [outcome] = poster.post(book.path("_bulk"), content=line).text.splitlines()
        assert json.loads(outcome)["code"] == "role_must_allow_it", outcome
    assert book.answer("approvals", every="true") == []
    assert book.send("request-approval", asked, "a3").status_code == 201


def test_nobody_approves_what_he_asked_for(server: Served, book: Book) -> None:
    grants = (f"poster:{book.name}", f"approver:{book.name}")
    with server.client(key_of(book.client, *grants)) as maker, server.client(key_of(book.client, *grants)) as checker:
        names = [one.get("/v1/me").json()["data"]["subject"] for one in (maker, checker)]
        book.booked("issue-invoice", invoice("1"))
        mine, theirs = book.by(maker), book.by(checker)
        authorities = {
            "reason": "limits",
            "roles": {name: ["supervisor"] for name in names} | {"key:admin": ["controller"]},
            "limits": [
                {"command": "WriteOff", "alone": 100},
                {"command": "WriteOff", "role": "supervisor", "approves": 50_000},
                {"command": "ChangeAuthorities", "role": "controller", "approves": 0},
            ],
        }
        book.booked("change-authorities", authorities)
        instruction = {"command": "WriteOff"} | write_off("W1", "invoice::1:1#1", 10_000)
        refused(mine.send("write-off", write_off("W1", "invoice::1:1#1", 10_000), "w0"), 422, "approval_must_be_given")
        asked = mine.send("request-approval", {"request": "1", "instruction": instruction}, "a1")
        assert asked.status_code == 201, asked.text
        [pending] = book.answer("approvals")
        assert (pending["status"], pending["maker"]) == ("pending", names[0])
        own = mine.send("give-approval", {"request": "1", "reason": "mine"}, "g1")
        refused(own, 422, "checker_must_differ_from_maker")
        assert book.answer("approvals")[0]["status"] == "pending"
        given = theirs.send("give-approval", {"request": "1", "reason": "seen"}, "g2")
        assert given.status_code == 201, given.text
        [decided] = book.answer("approvals", every="true")
        assert (decided["status"], decided["decided_by"]) == ("approved", names[1])
        assert book.answer("balances", min_position=given.json()["position"]) == []


def test_an_instruction_is_by_whoever_asks(server: Served, book: Book) -> None:
    book.booked("issue-invoice", invoice("1"))
    instruction = {"command": "WriteOff", "actor": "somebody"} | write_off("W1", "invoice::1:1#1", 1)
    answer = book.send("request-approval", {"request": "1", "instruction": instruction}, "a1")
    assert refused(answer, 403, "actor_must_be_the_subject")["pointer"] == "/instruction/actor"
    instruction |= {"actor": "key:admin", "book": "another"}
    answer = book.send("request-approval", {"request": "1", "instruction": instruction}, "a1")
    assert refused(answer, 422, "command_must_be_valid")["pointer"] == "/instruction/book"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "body_must_be_json"),
        (b"{", 400, "body_must_be_json"),
        (b"\xff\xfe{}", 400, "body_must_be_json"),
        (b'{"customer": "\xff"}', 400, "body_must_be_json"),
        (b'{"customer": "C1", "customer": "C2"}', 422, "command_must_be_valid"),
        (b'{"customer":' * 50_000, 400, "body_must_be_json"),
        (b"[]", 422, "command_must_be_valid"),
        (b"null", 422, "command_must_be_valid"),
        (b"{}", 422, "command_must_be_valid"),
    ],
    ids=["nothing", "broken", "not_utf8", "text_not_utf8", "key_twice", "deep", "list", "null", "empty"],
)
@pytest.mark.parametrize(
    "path", ["commands/issue-invoice", "commands/request-approval", "documents/invoice/1/reversal"]
)
def test_a_body_that_is_no_command(book: Book, path: str, body: bytes, status: int, code: str) -> None:
    book.booked("issue-invoice", invoice("1"))
    head = book.head()
    book.answer("balances", min_position=head)
    if path.endswith("reversal") and body in (b"", b"{}"):
        pytest.skip("a reversal needs no body")
    answer = book.client.post(book.path(path), content=body, headers={"Idempotency-Key": book.key("k")})
    refused(answer, status, code)
    assert book.head() == head


@pytest.mark.parametrize(
    ("media", "is_read"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/vnd.billing+json", True),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_the_media_type_must_be_json(book: Book, media: str, is_read: bool) -> None:
    body = json.dumps(invoice("1")).encode()
    headers = {"Idempotency-Key": book.key("k"), "Content-Type": media}
    answer = book.client.post(book.path("commands/issue-invoice"), content=body, headers=headers)
    if is_read:
        assert answer.status_code == 201
    else:
        assert refused(answer, 415, "media_type_must_be_supported")["offered"] == ["application/json"]


def test_a_body_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with served(tmp_path / "t.sqlite", TIEOUT_API_BODY_BYTES="2000") as server, server.client() as client:
        book = opened(client)
        head = book.head()
        large = invoice("1") | {"reason": "x" * 2_000}
        problem = refused(book.send("issue-invoice", large, "i1"), 413, "body_must_not_be_larger")
        assert problem["limit"] == 2_000
        parts = (b" " * 500 for _ in range(5))
        answer = client.post(
            book.path("commands/issue-invoice"), content=parts, headers={"Idempotency-Key": book.key("k")}
        )
        refused(answer, 413, "body_must_not_be_larger")
        assert book.head() == head
        assert book.send("issue-invoice", invoice("1"), "i1").status_code == 201


def test_a_book_that_there_is_not(admin: httpx2.Client) -> None:
    refused(Book(admin, "nowhere").send("issue-invoice", invoice("1"), "i1"), 404, "book_must_exist")
    book = opened(admin)
    again = book.send("open-book", {"base_currency": "EUR"}, "another")
    refused(again, 409, "book_must_not_exist")
