"""A webhook that is signed is kept, whatever it says; any other is not taken."""

import hmac
import json
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from databases import KINDS, store_of
from served import Served, served

SECRET = "whsec_test_only"
INBOXES = {"stripe": {"book": "main", "adapter": "stripe", "secret": SECRET}}
EVENT = {"id": "evt_1", "object": "event", "type": "customer.created", "created": 1_700_000_000, "data": {"object": {}}}


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        store_of(request.param, tmp_path_factory.mktemp("inbox")) as store,
        served(store, TIEOUT_INBOXES=json.dumps(INBOXES)) as found,
    ):
        with found.client() as client:
            opened = {"base_currency": "EUR", "source_id": "open"}
            assert client.post("/v1/books/main/commands/open-book", json=opened).status_code == 201
        yield found


def send(server: Served, body: bytes, *, secret: str = SECRET, at: int | None = None, path: str = "main/inbox/stripe"):  # type: ignore[no-untyped-def]
    when = int(time.time()) if at is None else at
    signature = hmac.new(secret.encode(), f"{when}.".encode() + body, sha256).hexdigest()
    with server.client(key="none") as client:
        headers = {"Stripe-Signature": f"t={when},v1={signature}"}
        return client.post(f"/v1/books/{path}", content=body, headers=headers)


def test_what_means_nothing_is_counted(server: Served) -> None:
    answer = send(server, json.dumps(EVENT).encode())
    assert (answer.status_code, answer.json()["data"]) == (200, {"statuses": ["acknowledged"], "quarantined": False})


def test_what_cannot_be_read_is_kept(server: Served) -> None:
    answer = send(server, b"{broken")
    assert (answer.status_code, answer.json()["data"]["quarantined"]) == (200, True)
    with server.client() as client:
        [entry] = client.get("/v1/books/main/quarantine").json()["data"]
        whole = client.get(f"/v1/books/main/quarantine/{entry['id']}").json()["data"]
    assert (whole["status"], json.loads(whole["raw"])) == ("open", "{broken")
    assert whole["origin"].startswith("http:")


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"secret": "whsec_another"}, 401, "signature_must_hold"),
        ({"at": int(time.time()) - 3_600}, 401, "signature_must_hold"),
        ({"path": "other/inbox/stripe"}, 404, "what_is_asked_for_must_exist"),
        ({"path": "main/inbox/nobody"}, 404, "what_is_asked_for_must_exist"),
    ],
)
def test_any_other_is_not_taken(server: Served, how, status: int, code: str) -> None:  # type: ignore[no-untyped-def]
    answer = send(server, json.dumps(EVENT | {"id": "evt_2"}).encode(), **how)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert SECRET not in answer.text


def test_an_api_key_is_no_signature(server: Served) -> None:
    with server.client() as client:
        answer = client.post("/v1/books/main/inbox/stripe", json=EVENT)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_must_be_given")


def test_a_secret_that_is_wrong_is_not_shown(tmp_path: Path) -> None:
    wrong = json.dumps({"stripe": {"book": "main", "adapter": "stripe", "secret": "short"}})
    with pytest.raises(AssertionError) as caught, served(tmp_path / "t.sqlite", TIEOUT_INBOXES=wrong):
        pass
    assert "TIEOUT_INBOXES" in str(caught.value)
    assert "short" not in str(caught.value)
