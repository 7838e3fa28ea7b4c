"""A store is made once, is found or not with a clear error, and never opened by the wrong program."""

import sqlite3
from pathlib import Path

import pytest

from ledger.errors import StoreMissing, StoreOutdated
from ledger.ledger import Ledger
from ledger.store import REVISION, connect, create, revision


def test_made_once_in_a_folder_that_is_made_too(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "my store.sqlite"
    assert create(path)
    assert not create(path)
    assert revision(path) == REVISION


def test_a_missing_store_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="no store at"):
        Ledger.open(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("content", [b"", b"Not a database, but a long enough text to be looked at." * 100])
def test_another_file_is_not_taken_for_a_store(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(StoreMissing, match="not a store"):
        Ledger.open(path)


def test_another_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    connection.close()
    before = path.read_bytes()
    for use in (create, Ledger.open):
        with pytest.raises(StoreMissing, match="not a store"):
            use(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert create(path)


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    create(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreOutdated, match="9999"):
        Ledger.open(path)


def test_what_is_acknowledged_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    create(path)
    connection = connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    connection.close()
    with Ledger.open(path) as ledger, ledger.recorder._lent() as lent:
        assert lent.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_migrations_end_at_the_programs_revision() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import ledger.store

    config = Config()
    config.set_main_option("script_location", str(Path(ledger.store.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
