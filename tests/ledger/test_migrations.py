"""A store of an earlier version, kept as a dump, is brought up to date with all that is in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from databases import store_of
from shop import invoice, payment, submit

from ledger.api_keys import ApiKeys
from ledger.database import Location, connect
from ledger.errors import StoreOutdated
from ledger.ledger import Ledger
from ledger.outcomes import Status
from ledger.store import REVISION, create, revision

DUMPS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))


def load(location: Location, dump: Path) -> None:
    text = dump.read_text(encoding="utf-8")
    if isinstance(location, Path):
        with closing(sqlite3.connect(location)) as connection:
            connection.executescript(text)
        return
    with psycopg.connect(location) as postgres:
        postgres.execute(text.encode())


@pytest.fixture(params=DUMPS, ids=lambda path: path.name)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    """A store as an earlier version of the program left it: an invoice, a payment, a reversal that waits, a poison.

    From 0002 on there is also another poison, and a message parked behind it; from 0003 on a double; from 0004 on an API
    key that was revoked.
    """
    kind = request.param.name.split(".")[1]
    with store_of(kind, tmp_path, made=False) as location:
        load(location, request.param)
        yield location


@pytest.mark.parametrize(
    "older", [dump for dump in DUMPS if dump.name < REVISION], indirect=True, ids=lambda path: path.name
)
def test_an_older_store_is_not_opened_before_it_is_brought_up_to_date(older: Location) -> None:
    with pytest.raises(StoreOutdated, match="are of version"):
        Ledger.open(older)


def test_an_older_store_keeps_all_that_is_in_it(older: Location) -> None:
    had = revision(older)
    assert had is not None
    assert create(older) == (had != REVISION)
    assert revision(older) == REVISION
    with Ledger.open(older) as ledger:
        account = ledger.account("main", "C1", "CNY")
        assert [(item.item, item.open) for item in account.items.values()] == [("invoice::1:1#1", 30)]
        assert [fact.awaited for fact in ledger.waiting()] == ["payment::9:1"]
        expected = [("invoice-2", None, 1)] + [("invoice-3", "t:C2", 1)] * (had >= "0002")
        assert [(entry.source_id, entry.lane, entry.attempts) for entry in ledger.quarantined()] == expected
        assert [parked.source_id for parked in ledger.parked()] == ["invoice-4"] * (had >= "0002")
        assert ledger.is_paused("consume") == (had >= "0002")
        with closing(connect(older)) as connection:
            doubles = connection.execute("SELECT source_id, origin FROM doubles").fetchall()
            keys = ApiKeys(connection).all()
        assert doubles == [("invoice-1", "kafka:t:0:7")] * (had >= "0003")
        revoked = [(key.name, key.grants, key.revoked_by) for key in keys]
        assert revoked == [("billing", ("poster:main",), "wang")] * (had >= "0004")
        again, more = submit(ledger, invoice("1", 100), payment("2", 30))
        assert (again.status, more.status) == (Status.DUPLICATE, Status.BOOKED)
        assert ledger.account("main", "C1", "CNY").items == {}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_store_brought_up_to_date_has_the_tables_of_a_new_one(kind: str, tmp_path: Path) -> None:
    dump = next(path for path in DUMPS if path.name.endswith(f".{kind}.sql") and path.name < REVISION)
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
    with store_of(kind, tmp_path / "old", made=False) as old, store_of(kind, tmp_path / "new") as new:
        load(old, dump)
        create(old)
        assert columns(old) == columns(new)


def columns(location: Location) -> list[tuple[str, ...]]:
    """Table, column and type, of all tables."""
    if isinstance(location, Path):
        with closing(sqlite3.connect(location)) as connection:
            return connection.execute(
                "SELECT m.name, c.name, c.type, c.[notnull], c.pk FROM sqlite_master m, pragma_table_info(m.name) c"
                " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
            ).fetchall()
    with psycopg.connect(location) as postgres:
        return postgres.execute(
            "SELECT table_name, column_name, data_type, is_nullable, collation_name FROM information_schema.columns"
            " WHERE table_schema = 'public' ORDER BY 1, 2"
        ).fetchall()
