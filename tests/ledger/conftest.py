"""A ledger on a real file, with an open book."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import opened

from ledger.ledger import Ledger


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "a store.sqlite"


@pytest.fixture
def ledger(store: Path) -> Iterator[Ledger]:
    with opened(store) as ledger:
        yield ledger
