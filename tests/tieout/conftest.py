"""Runs the command line in an empty folder, on a clock that stands still, over a file or over PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import NOW, Run, clear_environment, make_store
from commandline import run as run_here
from databases import KINDS, store_of

from ledger.database import Location
from tieout.settings import Settings

SHOWN = "tieout.sqlite"
"""What a store is called in golden files, whatever it is."""


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty, with nothing of ours in the environment but a clock that stands still."""
    clear_environment(monkeypatch, {"TIEOUT_NOW": NOW})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def kind() -> str:
    """The kind of database, unless a test is run on both."""
    return "sqlite"


@pytest.fixture
def run(empty_folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """``run("balance", "--json")`` runs ``tieout balance --json`` in an empty folder."""
    if kind == "sqlite":
        yield run_here
        return
    with store_of(kind, empty_folder) as location:
        monkeypatch.setenv("TIEOUT_DATABASE_URL", str(location))
        yield run_here


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    """Where the store of ``books`` is: a file in the working directory, or a database."""
    folder = tmp_path_factory.mktemp("books")
    with pytest.MonkeyPatch.context() as monkeypatch, store_of(request.param, folder) as made:
        clear_environment(monkeypatch, {"TIEOUT_NOW": NOW})
        monkeypatch.chdir(folder)
        if request.param == "sqlite":
            yield folder / SHOWN
            return
        monkeypatch.setenv("TIEOUT_DATABASE_URL", str(made))
        # A table is as wide as what stands in it.
        monkeypatch.setattr(Settings, "location_name", SHOWN)
        yield made


@pytest.fixture(scope="module")
def books(place: Location) -> Run:
    """The same as ``run``, with the small store that the golden files are made of, made once a module and database."""
    make_store()
    return run_here
