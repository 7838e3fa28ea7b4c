"""One random year of business, booked once by a real ledger and followed, for all tests that only read it."""

from collections.abc import Iterator
from pathlib import Path

import logs
import pytest
from plain_fold import Plain

from ledger.ledger import Ledger
from projections.follow import follow
from projections.reader import Reader


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A followed store that no test may change."""
    store = logs.trade(tmp_path_factory.mktemp("year") / "year.db", seed=1)
    follow(store)
    return store


@pytest.fixture(scope="session")
def plain(year: Path) -> Plain:
    """The same log, folded in plain Python."""
    return Plain(year)


@pytest.fixture
def reader(year: Path) -> Iterator[Reader]:
    """A reader of the year."""
    with Reader(year) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where a store of the test's own may lie."""
    return tmp_path / "store.db"


@pytest.fixture
def ledger(store: Path) -> Iterator[Ledger]:
    """A ledger on that store, with the book ``main`` in CNY."""
    with logs.opened(store) as opened:
        yield opened
