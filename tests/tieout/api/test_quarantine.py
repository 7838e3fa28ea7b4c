"""Quarantine over HTTP: looked into, tried again, discarded; by who may do the same without it, and in no other's name."""

import hmac
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from typing import Any

import httpx2
import pytest
from databases import KINDS, store_of
from over_http import Book, invoice, key_of, opened
from served import Served, served
from shop import unreadable

from ledger.ledger import Ledger

SECRET = "whsec_of_these_tests"
INBOXES = {"stripe": {"book": "kept", "adapter": "stripe", "secret": SECRET}}
_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        store_of(request.param, tmp_path_factory.mktemp("quarantine")) as store,
        served(store, TIEOUT_INBOXES=json.dumps(INBOXES)) as found,
    ):
        yield found


@pytest.fixture(scope="module")
def kept(server: Served) -> Iterator[Book]:
    """The book of the inbox, as the administrator has it."""
    with server.client() as client:
        yield opened(client, "kept")


@pytest.fixture(scope="module")
def poster(server: Served, kept: Book) -> Iterator[Book]:
    """The same as a poster has it, who has no other role."""
    with server.client(key_of(kept.client, "poster:kept")) as client:
        yield kept.by(client)


@pytest.fixture
def entry(server: Served, kept: Book) -> int:
    """The number of a new entry that is open."""
    body, when = b"{broken %d" % next(_numbers), int(time.time())
    signature = hmac.new(SECRET.encode(), f"{when}.".encode() + body, sha256).hexdigest()
    headers = {"Stripe-Signature": f"t={when},v1={signature}"}
    answer = httpx2.post(f"{server.url}/v1/books/kept/inbox/stripe", content=body, headers=headers)
    assert answer.json()["data"]["quarantined"]
    found: int = kept.answer("quarantine", limit=1000)[-1]["id"]
    return found


def retry(to: Book, entry: int, /, **set_: Any) -> httpx2.Response:
    body = {"set": set_} if set_ else {}
    return to.client.post(to.path(f"quarantine/{entry}/retry"), json=body)


def whole(**more: Any) -> dict[str, Any]:
    """A whole command in the place of an entry."""
    return {"command": "IssueInvoice", "source_id": f"q-{next(_numbers)}", **invoice(f"Q{next(_numbers)}"), **more}


def event_at(book: Book, position: str) -> dict[str, Any]:
    """The event at a position, once it can be read."""
    found: list[dict[str, Any]] = book.answer("events", limit=1000, min_position=position)
    [event] = [one for one in found if one["position"] == position]
    return event


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_entry_is_replaced_by_a_command_of_whoever_corrects_it(poster: Book, entry: int) -> None:
    answer = retry(poster, entry, **whole())
    assert answer.status_code == 201, answer.text
    found = poster.answer(f"quarantine/{entry}")
    assert found["status"] != "open"
    issued, dismissed = poster.answer("events", limit=1000, min_position=found["position"])[-2:]
    assert (issued["position"], issued["type"]) == (answer.json()["position"], "tieout.invoice-issued.v1")
    # It was booked under a name of its own: the entry says where.
    assert (dismissed["position"], dismissed["type"]) == (found["position"], "tieout.message-dismissed.v1")
    assert answer.json()["position"] in dismissed["data"]["reason"]
    assert code(retry(poster, entry, **whole())) == (422, "entry_must_be_open")


@pytest.mark.parametrize(
    ("set_", "status", "problem"),
    [
        (
            {
                "command": "ChangeAuthorities",
                "reason": "mine",
                "roles": {"key:x": ["boss"]},
                "limits": [],
                "source_id": "q",
            },
            403,
            "role_must_allow_it",
        ),
        ({"command": "GiveApproval", "request": "1", "source_id": "q"}, 403, "role_must_allow_it"),
        (
            {"command": "OpenBook", "base_currency": "CNY", "book": "mine", "source_id": "q"},
            422,
            "command_must_be_valid",
        ),
        (whole(actor="li"), 403, "actor_must_be_the_subject"),
        (whole(book="other"), 422, "command_must_be_valid"),
    ],
    ids=["authorities", "approval", "another book's opening", "another actor", "another book"],
)
def test_nobody_books_so_what_he_may_not_book_otherwise(
    kept: Book, poster: Book, entry: int, set_: dict[str, Any], status: int, problem: str
) -> None:
    head = kept.head()
    assert code(retry(poster, entry, **set_)) == (status, problem)
    assert kept.head() == head
    assert poster.answer(f"quarantine/{entry}")["status"] == "open"


def test_a_request_for_approval_is_made_by_whoever_makes_it(poster: Book, entry: int) -> None:
    instruction = {
        "command": "WriteOff",
        "book": "kept",
        "source": "s",
        "source_id": "i",
        "actor": "li",
        "customer": "C1",
        "currency": "CNY",
        "number": "W",
        "effective_on": "2026-03-01",
        "items": [{"item": "invoice::1:1#1", "amount": 1}],
    }
    answer = retry(poster, entry, command="RequestApproval", source_id="q", request="1", instruction=instruction)
    assert code(answer) == (403, "actor_must_be_the_subject")


def test_what_is_no_command_stays(poster: Book, entry: int) -> None:
    assert code(retry(poster, entry)) == (422, "entry_must_hold_a_command")
    answer = retry(poster, entry, **whole(total="much"))
    assert code(answer) == (422, "command_must_be_valid")
    assert poster.answer(f"quarantine/{entry}")["status"] == "open"


def discard(to: Book, entry: int, reason: str = "a test of theirs", **headers: str) -> httpx2.Response:
    return to.client.post(to.path(f"quarantine/{entry}/discard"), json={"reason": reason}, headers=headers)


def test_an_entry_is_discarded_for_a_reason(poster: Book, entry: int) -> None:
    path = poster.path(f"quarantine/{entry}/discard")
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        assert poster.client.post(path, json=reason).status_code in (400, 422)
    answer = discard(poster, entry)
    said = answer.json()["data"]
    assert (said["status"], said["reason"]) == ("dismissed", "a test of theirs")
    assert "Idempotency-Hit" not in answer.headers
    assert entry not in [one["id"] for one in poster.answer("quarantine", limit=1000)]
    assert entry in [one["id"] for one in poster.answer("quarantine", status="dismissed", limit=1000)]
    event = event_at(poster, said["position"])
    assert event["type"] == "tieout.message-dismissed.v1"
    assert (event["data"]["entry"], event["data"]["reason"]) == (entry, "a test of theirs")
    assert event["data"]["source"] == poster.client.get("/v1/me").json()["data"]["subject"]


def test_the_same_discard_again_is_the_first_answer_again(kept: Book, poster: Book, entry: int) -> None:
    first = discard(poster, entry)
    head = kept.head()
    again = discard(poster, entry)
    assert (again.status_code, again.json(), again.headers["Idempotency-Hit"]) == (200, first.json(), "true")
    assert code(discard(poster, entry, "another")) == (409, "same_source_id_must_have_same_content")
    # To anybody else it is another command.
    assert code(discard(kept, entry)) == (422, "entry_must_be_open")
    assert kept.head() == head


def test_a_discard_may_have_a_name_of_its_own(kept: Book, poster: Book, entry: int) -> None:
    key = f"mine-{entry}"
    first = discard(poster, entry, **{"Idempotency-Key": key})
    assert event_at(kept, first.json()["data"]["position"])["data"]["source_id"] == key
    assert discard(poster, entry, **{"Idempotency-Key": key}).headers["Idempotency-Hit"] == "true"
    assert code(discard(poster, entry, **{"Idempotency-Key": "other"})) == (422, "entry_must_be_open")


def test_an_entry_is_dismissed_by_the_command_as_well(poster: Book, entry: int) -> None:
    body = {"entry": entry, "reason": "a test of theirs"}
    rehearsed = poster.send("dismiss-message", body, f"d{entry}", dry_run=True)
    assert [one["type"] for one in rehearsed.json()["data"]] == ["tieout.message-dismissed.v1"]
    assert poster.answer(f"quarantine/{entry}")["status"] == "open"
    answer = poster.send("dismiss-message", body, f"d{entry}")
    assert (answer.status_code, answer.json()["events"]) == (201, 1)
    found = poster.answer(f"quarantine/{entry}")
    assert (found["status"], found["position"]) == ("dismissed", answer.json()["position"])
    assert code(poster.send("dismiss-message", body, f"e{entry}")) == (422, "entry_must_be_open")
    for wrong in ({"entry": entry}, {"entry": entry, "reason": ""}, {"entry": 0, "reason": "x"}, {"reason": "x"}):
        assert code(poster.send("dismiss-message", wrong, "w")) == (422, "command_must_be_valid")


def test_an_entry_is_dismissed_among_many_commands(poster: Book, entry: int) -> None:
    lines = [
        {"command": "DismissMessage", "source_id": f"b{entry}", "entry": entry, "reason": "a test of theirs"},
        {"command": "DismissMessage", "source_id": f"c{entry}", "entry": entry, "reason": "again"},
    ]
    answer = poster.client.post(poster.path("_bulk"), json=lines)
    said = [json.loads(line) for line in answer.text.splitlines()]
    assert [(one["status"], one.get("code")) for one in said] == [("booked", None), ("refused", "entry_must_be_open")]
    assert poster.answer(f"quarantine/{entry}")["status"] == "dismissed"


def test_nobody_dismisses_what_is_of_another_book(server: Served, kept: Book, entry: int) -> None:
    with Ledger.open(server.store) as ledger:
        ledger.submit([unreadable(named, f"of {named!r}") for named in ("", "Kept", "nobodys")])
        others = [one.id for one in ledger.quarantined() if one.book != "kept"]
    with server.client(key_of(kept.client, "poster:mine")) as client:
        mine = opened(kept.client, "mine").by(client)
        head = kept.head()
        for one in (entry, *others):
            for book in ({}, {"book": "kept"}, {"book": ""}):
                body = {"entry": one, "reason": "mine now", **book}
                assert code(mine.send("dismiss-message", body, "x"))[0] == 422
                answer = client.post(mine.path("_bulk"), json=[{"command": "DismissMessage", **body, "source_id": "y"}])
                assert json.loads(answer.text)["status"] == "refused"
            assert code(discard(mine, one)) == (404, "what_is_asked_for_must_exist")
            assert code(mine._replace(name="kept").send("dismiss-message", {"entry": one, "reason": "x"}, "z")) == (
                403,
                "role_must_allow_it",
            )
    assert kept.head() == head
    with Ledger.open(server.store) as ledger:
        assert {one.id for one in ledger.quarantined()} >= {entry, *others}


def test_an_entry_of_another_book_is_not_there(server: Served, kept: Book, entry: int) -> None:
    other = opened(kept.client)
    for path in (f"quarantine/{entry}", "quarantine/999999999"):
        assert code(other.ask(path)) == (404, "what_is_asked_for_must_exist")
    assert code(retry(other, entry, **whole())) == (404, "what_is_asked_for_must_exist")
