"""A ledger on a real store of either kind, with an open book."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import KINDS, store_of
from shop import opened

from ledger.database import Location
from ledger.ledger import Ledger


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    with store_of(request.param, tmp_path) as location:
        yield location


@pytest.fixture
def ledger(store: Location) -> Iterator[Ledger]:
    with opened(store) as ledger:
        yield ledger
