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


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_an_entry_is_replaced_by_a_command_of_whoever_corrects_it(poster: Book, entry: int) -> None:
    answer = retry(poster, entry, **whole())
    assert answer.status_code == 201, answer.text
    found = poster.answer(f"quarantine/{entry}")
    assert found["status"] != "open"
    last = poster.answer("events", limit=1000, min_position=answer.json()["position"])[-1]
    assert (last["position"], last["type"]) == (answer.json()["position"], "tieout.invoice-issued.v1")
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


def test_an_entry_is_discarded_for_a_reason(poster: Book, entry: int) -> None:
    path = poster.path(f"quarantine/{entry}/discard")
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        assert poster.client.post(path, json=reason).status_code in (400, 422)
    said = poster.client.post(path, json={"reason": "a test of theirs"}).json()["data"]
    assert (said["status"], said["reason"].partition(": ")[2]) == ("dismissed", "a test of theirs")
    assert code(poster.client.post(path, json={"reason": "again"})) == (422, "entry_must_be_open")
    assert entry not in [one["id"] for one in poster.answer("quarantine", limit=1000)]
    assert entry in [one["id"] for one in poster.answer("quarantine", status="dismissed", limit=1000)]


def test_an_entry_of_another_book_is_not_there(server: Served, kept: Book, entry: int) -> None:
    other = opened(kept.client)
    for path in (f"quarantine/{entry}", "quarantine/999999999"):
        assert code(other.ask(path)) == (404, "what_is_asked_for_must_exist")
    assert code(retry(other, entry, **whole())) == (404, "what_is_asked_for_must_exist")
