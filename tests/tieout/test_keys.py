"""API keys from the command line: made, listed, revoked; the text on standard output, alone and once."""

import re
from collections.abc import Callable
from contextlib import closing

import pytest
from commandline import NOW, Run
from databases import KINDS

from ledger.api_keys import ApiKeys
from ledger.database import connect
from tieout.api import keys
from tieout.messages import LANGS, Lang
from tieout.settings import load

GRANTS = ("--grant", "poster:main", "--grant", "reader:*")
SESSION = (
    ("keys",),
    ("key", "create", "billing", *GRANTS, "--expires", "2026-12-31", "--as", "li"),
    ("key", "create", "audit", "--grant", "auditor:*"),
    ("key", "create", "audit", "--grant", "reader:*"),
    ("key", "create", "x", "--grant", "owner:main"),
    ("key", "create", "x", "--grant", "reader"),
    ("key", "create", "x", "--grant", "reader:main", "--expires", "2026-06-29"),
    ("key", "create", "x" * 101, "--grant", "reader:main"),
    ("key", "revoke", "BILLING", "--as", "wang"),
    ("key", "revoke", "BILLING"),
    ("key", "revoke", "0"),
    ("keys",),
    ("keys", "--json"),
)


@pytest.mark.parametrize("lang", LANGS)
def test_what_is_said_about_keys(
    lang: Lang, run: Run, snapshot: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter(range(1, 100))
    monkeypatch.setattr(keys.secrets, "token_hex", lambda size: f"{next(numbers):0{2 * size}x}")
    monkeypatch.setattr(keys.secrets, "token_urlsafe", lambda size: "secret-secret-secret-secret-secret-secret-1")
    run("init")
    text = ""
    for arguments in SESSION:
        ran = run(*("000000000001" if word == "BILLING" else word for word in arguments), "--lang", lang)
        text += f"$ tieout {' '.join(arguments)}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    snapshot(f"cli/{lang}/keys.txt", text.replace("BILLING", "000000000001").replace("x" * 101, "x...x"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_of_a_key_is_all_of_the_answer_and_nowhere_else(run: Run) -> None:
    run("init")
    ran = run("key", "create", "billing", *GRANTS, "--expires", "2026-07-01", "--log-level", "debug")
    text = ran.out.removesuffix("\n")
    parts = keys.read(text)
    assert parts is not None
    assert ran.code == 0
    assert parts.key_id in ran.err
    assert parts.secret not in ran.err
    listed = run("keys", "--json")
    assert parts.secret not in listed.out
    assert "argon2" not in listed.out
    [key] = listed.json["keys"]
    assert key == {
        "key_id": parts.key_id,
        "name": "billing",
        "grants": ["poster:main", "reader:*"],
        "status": "live",
        "created_at": "2026-06-30T04:00:00Z",
        "created_by": "system",
        "expires_at": "2026-07-02T00:00:00Z",
        "revoked_at": None,
        "revoked_by": None,
    }
    with closing(connect(load({}).location)) as connection:
        assert keys.is_right(parts.secret, ApiKeys(connection).get(parts.key_id))


def test_a_key_is_listed_as_expired_and_its_name_is_free(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init")
    run("key", "create", "billing", *GRANTS, "--expires", "2026-06-30")
    monkeypatch.setenv("TIEOUT_NOW", NOW.replace("06-30T12", "07-01T08"))
    assert [key["status"] for key in run("keys", "--json").json["keys"]] == ["expired"]
    assert run("key", "create", "billing", *GRANTS).code == 0
    assert [key["status"] for key in run("keys", "--json").json["keys"]] == ["expired", "live"]


def test_the_last_day_that_there_is_may_be_the_last_of_a_key(run: Run) -> None:
    run("init")
    assert run("key", "create", "billing", *GRANTS, "--expires", "9999-12-31").code == 0
    assert re.match("9999-12-31T23:59:59", run("keys", "--json").json["keys"][0]["expires_at"])


def test_without_a_store_there_are_no_keys(run: Run) -> None:
    for arguments in (("keys",), ("key", "create", "billing", *GRANTS), ("key", "revoke", "0")):
        assert run(*arguments).code == 5
