"""Runs the command line in an empty folder, on a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import NOW, Run, clear_environment, make_store
from commandline import run as run_here


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, empty, with nothing of ours in the environment but a clock that stands still."""
    clear_environment(monkeypatch, {"TIEOUT_NOW": NOW})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(empty_folder: Path) -> Run:
    """``run("balance", "--json")`` runs ``tieout balance --json`` in an empty folder."""
    return run_here


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The same, in a folder with the small store that the golden files are made of, made once a module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        clear_environment(monkeypatch, {"TIEOUT_NOW": NOW})
        monkeypatch.chdir(tmp_path_factory.mktemp("books"))
        make_store()
        yield run_here
