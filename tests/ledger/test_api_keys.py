"""API keys are added and revoked and never go away, whoever writes at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import msgspec
import pytest

from ledger.api_keys import ApiKey, ApiKeys
from ledger.database import Location, connect

NOW_US = 1_782_792_000_000_000
AT_ONCE = 4


def key(key_id: str, name: str = "billing", **more: object) -> ApiKey:
    fields = {"hash": f"hash of {key_id}", "grants": ("poster:main", "reader:*"), "created_us": NOW_US}
    return ApiKey(**({"key_id": key_id, "name": name, "created_by": "li"} | fields | more))  # type: ignore[arg-type]


@pytest.fixture
def keys(store: Location) -> Iterator[ApiKeys]:
    with closing(connect(store)) as connection:
        yield ApiKeys(connection)


def test_a_key_is_read_as_it_was_added(keys: ApiKeys) -> None:
    assert keys.is_empty()
    assert keys.get("k1") is None
    first, second = key("k2", expires_us=NOW_US + 1), key("k1", "audit", created_us=NOW_US + 1)
    assert keys.add(first)
    assert keys.add(second)
    assert not keys.is_empty()
    assert keys.get("k2") == first
    assert keys.all() == [first, second]


def test_a_revoked_key_stays_and_says_who_revoked_it_first(keys: ApiKeys) -> None:
    keys.add(key("k1"))
    assert not keys.revoke("k9", "wang", NOW_US)
    assert keys.revoke("k1", "wang", NOW_US + 5)
    assert not keys.revoke("k1", "zhang", NOW_US + 6)
    revoked = msgspec.structs.replace(key("k1"), revoked_us=NOW_US + 5, revoked_by="wang")
    assert keys.all() == [revoked]
    assert not revoked.is_live(NOW_US + 5)


def test_a_name_is_free_again_when_no_live_key_has_it(keys: ApiKeys) -> None:
    assert keys.add(key("k1", expires_us=NOW_US + 10))
    assert not keys.add(key("k2", created_us=NOW_US + 9))
    assert keys.add(key("k3", "audit"))
    assert keys.add(key("k4", created_us=NOW_US + 10))
    keys.revoke("k4", "wang", NOW_US + 11)
    assert keys.add(key("k5", created_us=NOW_US + 12))
    assert [one.key_id for one in keys.all()] == ["k1", "k3", "k4", "k5"]


def test_a_key_expires_at_its_instant() -> None:
    assert key("k1").is_live(NOW_US * 2)
    assert key("k1", expires_us=NOW_US).is_live(NOW_US - 1)
    assert not key("k1", expires_us=NOW_US).is_live(NOW_US)


def test_the_first_key_is_added_to_none_even_if_that_was_revoked(keys: ApiKeys) -> None:
    assert keys.add_first(key("k1"))
    keys.revoke("k1", "wang", NOW_US)
    assert not keys.add_first(key("k2"))


@pytest.mark.parametrize("add", [ApiKeys.add, ApiKeys.add_first])
def test_of_several_that_add_at_once_one_does(store: Location, add: Callable[[ApiKeys, ApiKey], bool]) -> None:
    barrier = Barrier(AT_ONCE)

    def one(number: int) -> bool:
        with closing(connect(store)) as connection:
            barrier.wait()
            return add(ApiKeys(connection), key(f"k{number}"))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        added = list(threads.map(one, range(AT_ONCE)))
    assert sorted(added) == [False] * (AT_ONCE - 1) + [True]
    with closing(connect(store)) as connection:
        assert len(ApiKeys(connection).all()) == 1
