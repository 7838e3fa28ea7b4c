"""``replay`` and ``control`` prove, and fail with exit code 4 where there is something to find."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from commandline import Run

from tieout.errors import Exit


@pytest.fixture
def altered(books: Run, tmp_path: Path) -> Path:
    """A copy of the store in which one amount of the projections was altered by hand."""
    books("status")
    with closing(sqlite3.connect("tieout.sqlite")) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = tmp_path / "altered.sqlite"
    shutil.copy("tieout.sqlite", copy)
    with closing(sqlite3.connect(copy)) as store, store:
        changed = store.execute("UPDATE item SET open_now = open_now + 1 WHERE item = 'invoice::1001:1#1'")
        assert changed.rowcount == 1
    return copy


def test_an_untouched_store_is_proved(books: Run) -> None:
    ran = books("replay", "--json")
    assert (ran.code, ran.json["identical"], ran.json["differences"]) == (Exit.OK, True, 0)
    assert books("control").code == Exit.OK


def test_an_altered_row_is_named_by_table_key_and_column(altered: Path, books: Run) -> None:
    ran = books("--store", str(altered), "replay", "--json")
    assert (ran.code, ran.json["identical"]) == (Exit.UNPROVED, False)
    [difference] = ran.json["first"]
    assert (difference["table"], difference["column"]) == ("item", "open_now")
    assert difference["key"]["item"] == "invoice::1001:1#1"
    assert difference["stored"] == difference["replayed"] + 1
    shown = books("--store", str(altered), "replay")
    assert shown.code == Exit.UNPROVED
    assert "open_now" in shown.out
    assert "tieout rebuild" in shown.out


def test_control_and_explain_find_it_too(altered: Path, books: Run) -> None:
    store = ["--store", str(altered)]
    ran = books(*store, "control")
    assert ran.code == Exit.UNPROVED
    assert "NO" in ran.out
    assert books(*store, "explain", "invoice::1001:1#1").code == Exit.UNPROVED


@pytest.mark.parametrize("repair", [["rebuild"], ["replay", "--repair"]], ids=" ".join)
def test_a_rebuild_puts_it_right(repair: list[str], altered: Path, books: Run) -> None:
    books("--store", str(altered), *repair)
    assert books("--store", str(altered), "replay").code == Exit.OK
