"""A server on each database, and a book of the test's own in it; and what tests of access need without a server:
stores with keys, an issuer of tokens, clocks that a test moves, and hashes that take no time.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from credentials import Clocks, Hashing, tokens_of
from databases import KINDS, store_of
from issuer import Issuer
from over_http import Book, opened
from served import Served, served

from ledger.api_keys import ApiKeys
from ledger.database import Location, connect
from tieout.api import keys
from tieout.api.access import Access
from tieout.api.roles import Grant
from tieout.api.tokens import Tokens

Make = Callable[..., str]


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests that change nothing but what is in books of their own: starting one takes seconds."""
    with store_of(request.param, tmp_path_factory.mktemp("served")) as store, served(store) as found:
        yield found


@pytest.fixture(scope="session")
def admin(server: Served) -> Iterator[httpx2.Client]:
    """A client with the administrator's key."""
    with server.client() as client:
        yield client


@pytest.fixture
def book(admin: httpx2.Client) -> Book:
    """A new book, as the administrator has it."""
    return opened(admin)


@pytest.fixture(autouse=True)
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hashing]:
    quick = Hashing()
    monkeypatch.setattr(keys, "_argon2", quick)
    keys.no_ones_hash.cache_clear()
    yield quick
    keys.no_ones_hash.cache_clear()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    with store_of(request.param, tmp_path) as location:
        yield location


@pytest.fixture
def make(store: Location, clocks: Clocks) -> Make:
    """``make("billing", "poster:main")``: a key's text."""

    def make(name: str, *grants: str, expires_us: int | None = None) -> str:
        parsed = [Grant.parse(grant) for grant in grants]
        with closing(connect(store)) as connection:
            text = keys.create(connection, name, parsed, by="li", now_us=clocks.now_us, expires_us=expires_us)
        assert text is not None
        return text

    return make


@pytest.fixture
def revoke(store: Location, clocks: Clocks) -> Callable[[str], None]:
    """``revoke(text)``: the key of a text is revoked, by another process as it were."""

    def revoke(text: str) -> None:
        parts = keys.read(text)
        assert parts is not None
        with closing(connect(store)) as connection:
            assert ApiKeys(connection).revoke(parts.key_id, "wang", clocks.now_us)

    return revoke


@pytest.fixture
def access(store: Location, clocks: Clocks) -> Iterator[Access]:
    """Access by keys only."""
    made = Access(store, now_us=lambda: clocks.now_us, ticks_us=lambda: clocks.ticks_us)
    yield made
    made.close()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def tokens(issuer: Issuer, clocks: Clocks) -> Tokens:
    """Tokens of the issuer, whose keys it is asked for."""
    return tokens_of(issuer, clocks)
