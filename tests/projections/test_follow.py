"""Following survives crashes, other followers and other versions, and a rebuild goes on beside a live store."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import given
import logs
import pytest
import whole
from databases import store_of
from eventsourcing.persistence import DataError, IntegrityError

from ledger.database import Location, connect, is_url
from ledger.errors import StoreMissing
from ledger.ledger import Ledger
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import NotFollowed, Reader
from projections.rebuild import rebuild

_FOLLOW = "import sys; from projections.follow import follow; print(follow(sys.argv[1], page=int(sys.argv[2])))"
_KILLED = """
import os, signal, sys
from projections.follow import follow
from projections.rebuild import rebuild
pages = int(sys.argv[3])
def die(position, head):
    global pages
    pages -= 1
    if not pages:
        os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "rebuild":
    rebuild(sys.argv[1], die)
else:
    follow(sys.argv[1], die, page=10)
"""


def run(code: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(logs.__file__).parents[2])


@pytest.fixture
def business(store: Location) -> Location:
    """A store of its own with some business in it, nothing followed yet."""
    return logs.trade(store, seed=5, commits=60)


def test_an_empty_log_is_followed_to_nothing(store: Location, ledger: Ledger) -> None:
    assert follow(store) == ledger.head().position
    with Reader(store) as reader:
        assert reader.balances("main") == []


def test_only_what_is_new_is_followed(store: Location, ledger: Ledger) -> None:
    follow(store)
    outcome = logs.book(ledger, [given.invoice("1", 100)])[0]
    seen: list[tuple[int, int]] = []
    assert follow(store, lambda position, head: seen.append((position, head))) == outcome.position
    assert seen == [(outcome.position, outcome.position)]
    assert follow(store, lambda position, head: seen.append((position, head))) == outcome.position
    assert len(seen) == 1


def test_without_a_store_there_is_nothing_to_follow(kind: str, tmp_path: Path) -> None:
    with store_of(kind, tmp_path, made=False) as nothing, pytest.raises(StoreMissing):
        follow(nothing)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
@pytest.mark.parametrize("pages", [1, 4])
def test_killed_between_pages_nothing_is_lost_or_doubled(business: Location, pages: int) -> None:
    rebuild(business)
    rebuilt = whole.rows(business)
    process = run(_KILLED, logs.set_back(business), "follow", pages)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert whole.rows(business) != rebuilt
    follow(business)
    assert whole.rows(business) == rebuilt


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_killed_in_a_rebuild_the_old_rows_stay_and_the_next_one_succeeds(business: Location) -> None:
    follow(business)
    before = whole.rows(business)
    process = run(_KILLED, business, "rebuild", 1)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert whole.rows(business) == before
    rebuild(business)
    assert whole.rows(business) == before
    assert not [name for name in names(business) if name.startswith("fresh_") and not name.endswith("_pkey")]


def names(store: Location) -> set[str]:
    with closing(connect(store)) as connection:
        catalogue = "SELECT relname FROM pg_class" if connection.postgres else "SELECT name FROM sqlite_master"
        return {name for (name,) in connection.execute(catalogue)}


@pytest.mark.parametrize("from_nothing", [True, False], ids=["rebuilding", "following"])
def test_several_followers_at_once_merge_each_page_once(business: Location, from_nothing: bool) -> None:
    rebuild(business)
    rebuilt = whole.rows(business)
    logs.set_back(business)
    if from_nothing:
        with closing(connect(business)) as connection:
            connection.execute("DROP TABLE item")
    processes = [run(_FOLLOW, business, 3) for _ in range(3)]
    answers = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(answers) == 1
    assert whole.rows(business) == rebuilt


def test_what_is_booked_meanwhile_is_followed_too(business: Location) -> None:
    process = run(_FOLLOW, logs.set_back(business), 5)
    with Ledger.open(business) as ledger:
        for n in range(20):
            logs.book(ledger, [given.invoice(f"new{n}", 5)])
    process.communicate()
    assert process.returncode == 0
    position = follow(business)
    followed = whole.rows(business)
    assert rebuild(business) == position
    assert whole.rows(business) == followed


def test_a_rebuild_catches_up_with_what_was_booked_meanwhile(business: Location) -> None:
    with Ledger.open(business) as ledger:

        def book(position: int, head: int) -> None:
            logs.book(ledger, [given.invoice(f"during{position}", 5)])

        position = rebuild(business, book)
        assert position == ledger.head().position
    rebuilt = whole.rows(business)
    follow(logs.set_back(business))
    assert whole.rows(business) == rebuilt


def test_a_reader_keeps_its_moment_while_a_rebuild_swaps(business: Location) -> None:
    """On PostgreSQL the swap waits for the reader, and other readers hardly wait for the swap."""
    follow(business)
    with Reader(business) as reader:
        before = reader.balances("main")
        filled = threading.Event()
        thread = threading.Thread(target=rebuild, args=(business, lambda done, head: filled.set()))
        thread.start()
        assert filled.wait(30)
        if not is_url(business):
            thread.join(30)
        with Ledger.open(business) as ledger:
            logs.book(ledger, [given.invoice("later", 5)])
        follow(business)
        with Reader(business) as other:
            assert other.balances("main") != before
        assert reader.balances("main") == before
    thread.join(30)
    assert not thread.is_alive()
    with Reader(business) as reader:
        assert reader.balances("main") != before


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE projection_version SET version = version + 1",
        "DROP TABLE projection_version",
        "DROP TABLE movement",
        "DELETE FROM tracking WHERE application_name = 'projections'",
    ],
)
def test_missing_tables_or_another_version_are_rebuilt(business: Location, damage: str) -> None:
    follow(business)
    rows = whole.rows(business)
    with closing(connect(business)) as connection:
        connection.execute(damage)
    with pytest.raises(NotFollowed):
        Reader(business)
    follow(business)
    assert whole.rows(business) == rows


def test_a_store_that_was_never_followed_cannot_be_read(store: Location, ledger: Ledger) -> None:
    with pytest.raises(NotFollowed):
        Reader(store)


def test_money_beyond_64_bits_is_an_error_never_a_float(store: Location, ledger: Ledger) -> None:
    most = 10**15
    logs.book(ledger, [given.invoice("1", most), given.invoice("2", most)])
    follow(store)
    with closing(connect(store)) as connection, pytest.raises((IntegrityError, DataError)):
        connection.execute("UPDATE turnover SET debit = debit + 9223372036854775807")


def test_readers_and_stores_of_many_pages(store: Location) -> None:
    """A log of more than one block and page, by rebuild and by following, is the same."""
    logs.write(store, logs.long_log(20_000))
    rebuild(store)
    rebuilt = whole.rows(store)
    pages: list[int] = []
    follow(logs.set_back(store), lambda position, head: pages.append(position))
    assert len(pages) > 4
    assert whole.rows(store) == rebuilt
    with Reader(store) as reader:
        assert all(row.holds for row in reader.control("main", AsOf(None, 17_000)))


def test_the_lock_of_a_dead_builder_is_free(business: Location) -> None:
    holder = run(
        "import sys, projections.rebuild as r, ledger.database as d\nwith r._only_builder(sys.argv[1], d.connect(sys.argv[1])):\n print(1, flush=True); input()",
        business,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    os.kill(holder.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    holder.communicate()
    assert rebuild(business) > 0
