"""A store of an earlier version, kept as a dump, is brought up to date with all that is in it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from shop import invoice, payment, submit

from ledger.errors import StoreOutdated
from ledger.ledger import Ledger
from ledger.outcomes import Status
from ledger.store import REVISION, create, revision

DUMPS = sorted((Path(__file__).parent / "schemas").glob("*.sqlite.sql"))


@pytest.fixture(params=DUMPS, ids=lambda path: path.name)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store as an earlier version of the program left it: an invoice, a payment, a reversal that waits, a poison."""
    path = tmp_path / "older.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(request.param.read_text(encoding="utf-8"))
    return path


def test_an_older_store_is_not_opened_before_it_is_brought_up_to_date(older: Path) -> None:
    with pytest.raises(StoreOutdated, match="are of version"):
        Ledger.open(older)


def test_an_older_store_keeps_all_that_is_in_it(older: Path) -> None:
    assert create(older)
    assert revision(older) == REVISION
    with Ledger.open(older) as ledger:
        account = ledger.account("main", "C1", "CNY")
        assert [(item.item, item.open) for item in account.items.values()] == [("invoice::1:1#1", 30)]
        assert [fact.awaited for fact in ledger.waiting()] == ["payment::9:1"]
        assert [(entry.source_id, entry.lane, entry.attempts) for entry in ledger.quarantined()] == [
            ("invoice-2", None, 1)
        ]
        again, more = submit(ledger, invoice("1", 100), payment("2", 30))
        assert (again.status, more.status) == (Status.DUPLICATE, Status.BOOKED)
        assert ledger.account("main", "C1", "CNY").items == {}
