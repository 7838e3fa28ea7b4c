"""``replay`` and ``control`` prove, and fail with exit code 4 where there is something to find."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from commandline import Run

from ledger.database import Location, connect
from tieout.errors import Exit


@pytest.fixture
def altered(books: Run, place: Location) -> Iterator[Run]:
    """The store with one amount of the projections altered by hand, until the test is over."""
    books("status")
    with closing(connect(place)) as connection:
        statement = "UPDATE item SET open_now = open_now + 1 WHERE item = 'invoice::1001:1#1'"
        assert connection.execute(statement).rowcount == 1
    yield books
    books("rebuild")


def test_an_untouched_store_is_proved(books: Run) -> None:
    ran = books("replay", "--json")
    assert (ran.code, ran.json["identical"], ran.json["differences"]) == (Exit.OK, True, 0)
    assert books("control").code == Exit.OK


def test_an_altered_row_is_named_by_table_key_and_column(altered: Run) -> None:
    ran = altered("replay", "--json")
    assert (ran.code, ran.json["identical"]) == (Exit.UNPROVED, False)
    [difference] = ran.json["first"]
    assert (difference["table"], difference["column"]) == ("item", "open_now")
    assert difference["key"]["item"] == "invoice::1001:1#1"
    assert difference["stored"] == difference["replayed"] + 1
    shown = altered("replay")
    assert shown.code == Exit.UNPROVED
    assert "open_now" in shown.out
    assert "tieout rebuild" in shown.out


def test_control_and_explain_find_it_too(altered: Run) -> None:
    ran = altered("control")
    assert ran.code == Exit.UNPROVED
    assert "NO" in ran.out
    assert altered("explain", "invoice::1001:1#1").code == Exit.UNPROVED


@pytest.mark.parametrize("repair", [["rebuild"], ["replay", "--repair"]], ids=" ".join)
def test_a_rebuild_puts_it_right(repair: list[str], altered: Run) -> None:
    altered(*repair)
    assert altered("replay").code == Exit.OK
