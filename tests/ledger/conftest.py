"""A ledger on a real store of either kind, with an open book."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import KINDS, store_of
from shop import Meanwhile, opened

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


@pytest.fixture
def pair(store: Location) -> Iterator[tuple[Ledger, Ledger]]:
    """Two ledgers on one store."""
    with opened(store) as first, Ledger.open(store) as second:
        yield first, second


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """``meanwhile(ledger, do)``: ``do`` happens once, between the ledger's next decision and its commit."""

    def arrange(ledger: Ledger, do: Callable[[], object]) -> None:
        commit, todo = ledger.recorder.commit, [do]

        def late(*arguments: object) -> object:
            if todo:
                todo.pop()()
            return commit(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(ledger.recorder, "commit", late)

    return arrange
