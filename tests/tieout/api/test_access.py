"""Who is let in by an API key, and why somebody is not."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from threading import get_ident
from time import perf_counter_ns

import pytest
from credentials import SECOND, Clocks, Hashing
from databases import named
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ledger.database import Location, connect
from tieout.api import keys, known_keys
from tieout.api.access import LONGEST, Access
from tieout.api.denied import AccessDenied, Reason
from tieout.api.roles import Grant, Principal, Role
from tieout.settings import Settings

Make = Callable[..., str]
NO_ONES = f"tieout_0123456789ab_{'a' * 43}"


def run(*requests: Awaitable[Principal]) -> list[Principal | BaseException]:
    """What becomes of requests that come at once."""

    async def all_of_them() -> list[Principal | BaseException]:
        return await asyncio.gather(*requests, return_exceptions=True)

    return asyncio.run(all_of_them())


def let_in(access: Access, authorization: str | None, *, basic: bool = False) -> Principal:
    return asyncio.run(access.authenticate(authorization, basic=basic))


def denied(access: Access, authorization: str | None, *, basic: bool = False) -> AccessDenied:
    with capture_logs() as logs, pytest.raises(AccessDenied) as found:
        let_in(access, authorization, basic=basic)
    error = found.value
    expected = {"event": "access_denied", "log_level": "warning", "reason": error.reason.value}
    assert logs == [expected | ({"key_id": error.key_id} if error.key_id else {})]
    return error


def with_password(text: str, user: str = "anybody") -> str:
    return f"Basic {base64.b64encode(f'{user}:{text}'.encode()).decode()}"


def test_a_key_lets_its_name_in_with_its_grants(access: Access, make: Make) -> None:
    text = make("billing", "poster:main", "reader:*")
    expected = Principal("key:billing", frozenset((Grant.parse("poster:main"), Grant.parse("reader:*"))), "key")
    for header in (f"Bearer {text}", f"bearer  {text} "):
        assert let_in(access, header) == expected
    assert let_in(access, with_password(text), basic=True) == expected


def test_a_known_key_is_compared_once_by_another_thread(access: Access, make: Make, hashing: Hashing) -> None:
    text = make("billing", "poster:main")
    for _ in range(3):
        let_in(access, f"Bearer {text}")
    assert hashing.compared == 1
    assert get_ident() not in hashing.threads


def test_requests_with_one_key_at_once_share_a_comparison(access: Access, make: Make, hashing: Hashing) -> None:
    text = make("billing", "poster:main")
    answers = run(*(access.authenticate(f"Bearer {text}") for _ in range(20)))
    assert {one.subject for one in answers if isinstance(one, Principal)} == {"key:billing"}
    assert len(answers) == 20
    assert hashing.compared == 1


def test_a_client_that_goes_away_does_not_take_the_answer_from_another(access: Access, make: Make) -> None:
    text = make("billing", "poster:main")

    async def two() -> Principal:
        first = asyncio.create_task(access.authenticate(f"Bearer {text}"))
        second = asyncio.create_task(access.authenticate(f"Bearer {text}"))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(two()).subject == "key:billing"


@pytest.mark.parametrize(
    ("header", "basic", "reason"),
    [
        (None, False, Reason.MISSING),
        ("", False, Reason.MALFORMED),
        ("Bearer", False, Reason.MALFORMED),
        ("Bearer x", False, Reason.MALFORMED),
        ("Bearer tieout_x", False, Reason.MALFORMED),
        (f"Digest {NO_ONES}", False, Reason.MALFORMED),
        (NO_ONES, False, Reason.MALFORMED),
        (f"Bearer {NO_ONES}{' ' * LONGEST}", False, Reason.MALFORMED),
        (with_password(NO_ONES), False, Reason.MALFORMED),
        (with_password("a.b.c"), True, Reason.MALFORMED),
        ("Basic %%%", True, Reason.MALFORMED),
        ("Basic é", True, Reason.MALFORMED),
        ("Basic /w==", True, Reason.MALFORMED),
        (f"Basic {base64.b64encode(NO_ONES.encode()).decode()}", True, Reason.MALFORMED),
        ("Bearer \udcff.b.c", False, Reason.TOKENS_NOT_TAKEN),
        ("Bearer a.b.c", False, Reason.TOKENS_NOT_TAKEN),
        (f"Bearer {NO_ONES}", False, Reason.UNKNOWN),
        (with_password(NO_ONES), True, Reason.UNKNOWN),
    ],
)
def test_what_is_sent_instead_of_a_key_is_denied(
    header: str | None, basic: bool, reason: Reason, access: Access
) -> None:
    error = denied(access, header, basic=basic)
    assert (error.reason, error.key_id, error.is_temporary) == (reason, None, False)


def test_a_wrong_secret_costs_what_a_right_one_costs_and_so_does_an_unknown_key(
    access: Access, make: Make, hashing: Hashing
) -> None:
    text = make("billing", "poster:main")
    parts = keys.read(text)
    assert parts is not None
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert (denied(access, f"Bearer {wrong}").reason, hashing.compared) == (Reason.UNKNOWN, 1)
    assert (denied(access, f"Bearer {wrong}").key_id, hashing.compared) == (parts.key_id, 2)
    assert (denied(access, f"Bearer {NO_ONES}").reason, hashing.compared) == (Reason.UNKNOWN, 3)
    let_in(access, f"Bearer {text}")
    assert hashing.compared == 4
    # Nothing of what was wrong is kept.
    assert len(access._keys._known) == 1
    assert access._keys._asking == {}


def test_a_revocation_is_seen_after_five_seconds_at_the_latest(
    access: Access, make: Make, revoke: Callable[[str], None], clocks: Clocks, hashing: Hashing
) -> None:
    text = make("billing", "poster:main")
    let_in(access, f"Bearer {text}")
    revoke(text)
    clocks.pass_by(5 * SECOND - 1)
    let_in(access, f"Bearer {text}")
    clocks.pass_by(1)
    error = denied(access, f"Bearer {text}")
    parts = keys.read(text)
    assert parts is not None
    assert (error.reason, error.key_id) == (Reason.REVOKED, parts.key_id)
    assert hashing.compared == 1


def test_a_revocation_is_seen_though_the_clock_on_the_wall_was_set_back(
    access: Access, make: Make, revoke: Callable[[str], None], clocks: Clocks
) -> None:
    text = make("billing", "poster:main")
    let_in(access, f"Bearer {text}")
    revoke(text)
    clocks.pass_by(5 * SECOND)
    clocks.now_us -= 3600 * SECOND
    assert denied(access, f"Bearer {text}").reason == Reason.REVOKED


def test_a_key_that_is_revoked_before_its_first_use_is_denied_for_that_to_who_has_its_secret(
    access: Access, make: Make, revoke: Callable[[str], None]
) -> None:
    text = make("billing", "poster:main")
    revoke(text)
    assert denied(access, f"Bearer {text}").reason == Reason.REVOKED
    assert denied(access, f"Bearer {text[:-3]}AAA").reason == Reason.UNKNOWN


def test_an_expiry_is_seen_at_once(access: Access, make: Make, clocks: Clocks) -> None:
    text = make("billing", "poster:main", expires_us=clocks.now_us + 10)
    let_in(access, f"Bearer {text}")
    clocks.pass_by(9)
    let_in(access, f"Bearer {text}")
    clocks.pass_by(1)
    error = denied(access, f"Bearer {text}")
    assert error.reason == Reason.EXPIRED
    assert error.key_id is not None


def test_a_key_that_is_gone_with_its_store_is_forgotten(
    access: Access, make: Make, store: Location, clocks: Clocks
) -> None:
    text = make("billing", "poster:main")
    let_in(access, f"Bearer {text}")
    with closing(connect(store)) as connection:
        # As when an older copy of the store was put in its place.
        connection.execute("DELETE FROM api_keys")
    clocks.pass_by(5 * SECOND)
    assert denied(access, f"Bearer {text}").reason == Reason.UNKNOWN
    assert access._keys._known == {}


def test_too_many_unknown_keys_at_once_are_put_off_and_a_known_one_is_not(
    access: Access, make: Make, hashing: Hashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_keys, "WAITING", 2)
    text = make("billing", "poster:main")

    async def flood() -> list[Principal | BaseException]:
        await access.authenticate(f"Bearer {text}")
        hashing.may_go.clear()
        unknown = [f"Bearer tieout_{number:012x}_{'a' * 43}" for number in range(10)]
        sent = waiting = {asyncio.create_task(access.authenticate(header)) for header in unknown}
        while len(waiting) > 2:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert (await access.authenticate(f"Bearer {text}")).subject == "key:billing"
        hashing.may_go.set()
        return await asyncio.gather(*sent, return_exceptions=True)

    errors = [one for one in asyncio.run(flood()) if isinstance(one, AccessDenied)]
    assert sorted(error.reason for error in errors) == [Reason.BUSY] * 8 + [Reason.UNKNOWN] * 2
    assert all(error.is_temporary == (error.reason == Reason.BUSY) for error in errors)
    # What waited has been done: there is room again.
    assert denied(access, f"Bearer {NO_ONES}").reason == Reason.UNKNOWN


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_server_that_was_started_again_is_asked_again(
    access: Access, make: Make, store: Location, clocks: Clocks
) -> None:
    assert isinstance(store, str)
    text = make("billing", "poster:main")
    let_in(access, f"Bearer {text}")
    with closing(connect(named(store, "postgres"))) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ?",
            (store.partition("?")[0].rpartition("/")[2],),
        ).fetchone()
    assert ended[0] >= 1
    clocks.pass_by(5 * SECOND)
    assert let_in(access, f"Bearer {text}").subject == "key:billing"


def test_a_known_key_takes_some_microseconds(access: Access, make: Make) -> None:
    header = f"Bearer {make('billing', 'poster:main')}"

    async def quickest() -> int:
        await access.authenticate(header)
        took = []
        for _ in range(1_000):
            started = perf_counter_ns()
            await access.authenticate(header)
            took.append(perf_counter_ns() - started)
        return min(took)

    # The quickest of many, so that a busy machine fails nothing; a look into the store takes many times that.
    assert asyncio.run(quickest()) < 30_000


SECRETS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=43, max_size=43)
FORMS = (
    "Bearer {}",
    "Bearer tieout_{}",
    "Bearer tieout_0123456789ab_{}",
    "Bearer {ours}_{}",
    "Bearer {}.{}.{}",
    "Basic {}",
    "Digest {}",
    "{}",
)


@pytest.fixture
def ours(make: Make) -> str:
    """The part of a key's text that comes before its secret."""
    return make("billing", "poster:main")[: len("tieout_0123456789ab")]


@given(secret=SECRETS, form=st.sampled_from(FORMS), password=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_line_about_a_denial_holds_what_was_sent(
    secret: str, form: str, password: bool, access: Access, ours: str
) -> None:
    header = form.format(secret, secret, secret, ours=ours)
    if password:
        header = with_password(header.removeprefix("Bearer "))
    with capture_logs() as logs, pytest.raises(AccessDenied) as found:
        let_in(access, header, basic=True)
    [line] = logs
    assert set(line) <= {"event", "log_level", "reason", "key_id"}
    said = json.dumps(line) + repr(found.value)
    assert secret not in said
    assert header.split(" ", 1)[-1] not in said


def test_the_page_on_access_names_every_role_reason_and_setting() -> None:
    page = (Path(__file__).parents[3] / "docs" / "access.md").read_text(encoding="utf-8")
    named_there = [*Role, *Reason, *(f"TIEOUT_{name.upper()}" for name in Settings.model_fields if "oidc" in name)]
    assert [name for name in named_there if f"`{name}`" not in page] == []
