"""One random year of business, booked once by a real ledger and followed, for all tests that only read it."""

from collections.abc import Iterator
from pathlib import Path

import logs
import pytest
from databases import KINDS, store_of
from plain_fold import Plain

from ledger.database import Location
from ledger.ledger import Ledger
from projections.follow import follow
from projections.reader import Reader


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which database the test is about."""
    found: str = request.param
    return found


@pytest.fixture(scope="session")
def year(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    """A followed store that no test may change."""
    with store_of(kind, tmp_path_factory.mktemp("year")) as store:
        logs.trade(store, seed=1)
        follow(store)
        yield store


@pytest.fixture(scope="session")
def plain(year: Location) -> Plain:
    """The same log, folded in plain Python."""
    return Plain(year)


@pytest.fixture
def reader(year: Location) -> Iterator[Reader]:
    """A reader of the year."""
    with Reader(year) as opened:
        yield opened


@pytest.fixture
def store(kind: str, tmp_path: Path) -> Iterator[Location]:
    """A store of the test's own, with nothing in it."""
    with store_of(kind, tmp_path) as location:
        yield location


@pytest.fixture
def ledger(store: Location) -> Iterator[Ledger]:
    """A ledger on that store, with the book ``main`` in CNY."""
    with logs.opened(store) as opened:
        yield opened
