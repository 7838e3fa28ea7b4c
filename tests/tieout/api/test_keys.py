"""API keys: the secret is in the text alone, and the first key is made once."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import pytest
from credentials import START_US
from pwdlib import PasswordHash

from ledger.api_keys import ApiKeys
from ledger.database import Location, connect
from tieout.api import keys
from tieout.api.roles import Grant

GRANTS = [Grant.parse(text) for text in ("reader:*", "poster:main", "poster:main")]


def test_a_key_is_kept_as_a_hash_of_its_secret(store: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_argon2", PasswordHash.recommended())
    with closing(connect(store)) as connection:
        text = keys.create(connection, "billing", GRANTS, by="li", now_us=START_US, expires_us=START_US + 1)
        assert text is not None
        [kept] = ApiKeys(connection).all()
    assert re.fullmatch(r"tieout_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text)
    parts = keys.read(text)
    assert parts is not None
    assert parts.key_id == kept.key_id
    assert parts.secret not in repr(kept)
    # What RFC 9106, section 4 recommends where memory is short, as the library has it.
    assert kept.hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (kept.name, kept.grants, kept.created_by) == ("billing", ("poster:main", "reader:*"), "li")
    assert (kept.created_us, kept.expires_us, kept.revoked_us) == (START_US, START_US + 1, None)
    assert keys.is_right(parts.secret, kept)
    assert not keys.is_right(parts.secret[::-1], kept)
    assert not keys.is_right(parts.secret, None)


def test_no_two_keys_are_alike(store: Location) -> None:
    with closing(connect(store)) as connection:
        texts = [keys.create(connection, f"k{n}", GRANTS, by="li", now_us=START_US) for n in range(5)]
    found = [keys.read(text or "") for text in texts]
    assert len({part for one in found if one for part in one}) == 10


def test_a_name_that_a_live_key_has_makes_no_key(store: Location) -> None:
    with closing(connect(store)) as connection:
        assert keys.create(connection, "billing", GRANTS, by="li", now_us=START_US)
        assert keys.create(connection, "billing", GRANTS, by="li", now_us=START_US) is None
        assert len(ApiKeys(connection).all()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tieout_",
        "tieout_0123456789ab_",
        f"tieout_0123456789AB_{'a' * 43}",
        f"tieout_0123456789ab_{'a' * 42}",
        f"tieout_0123456789ab_{'a' * 44}",
        f"tieout_0123456789ab_{'a' * 43}\n",
        f"Tieout_0123456789ab_{'a' * 43}",
        f"tieout_0123456789ab_{'é' * 43}",
    ],
)
def test_another_form_is_no_key(text: str) -> None:
    assert keys.read(text) is None


def test_the_first_key_may_do_everything_and_is_made_once(store: Location) -> None:
    with closing(connect(store)) as connection:
        assert keys.first_key(connection, START_US) is not None
        [kept] = ApiKeys(connection).all()
        assert (kept.name, kept.grants, kept.created_by) == ("admin", ("admin:*",), "system")
        ApiKeys(connection).revoke(kept.key_id, "li", START_US + 1)
        assert keys.first_key(connection, START_US + 2) is None


def test_several_that_start_at_once_make_one_first_key(store: Location) -> None:
    barrier = Barrier(4)

    def start(_: int) -> str | None:
        with closing(connect(store)) as connection:
            barrier.wait()
            return keys.first_key(connection, START_US)

    with ThreadPoolExecutor(4) as threads:
        texts = [text for text in threads.map(start, range(4)) if text]
    assert len(texts) == 1
