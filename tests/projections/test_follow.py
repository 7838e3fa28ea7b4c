"""Following survives crashes, other followers and other versions, and a rebuild goes on beside a live store."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import given
import logs
import pytest
import whole

from ledger.errors import StoreMissing
from ledger.ledger import Ledger
from projections.answers import AsOf
from projections.follow import follow, rebuild
from projections.reader import NotFollowed, Reader

_FOLLOW = "import sys; from projections.follow import follow; print(follow(sys.argv[1], page=int(sys.argv[2])))"
_KILLED = """
import os, signal, sys
from projections.follow import follow, rebuild
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
def business(store: Path) -> Path:
    """A store of its own with some business in it, nothing followed yet."""
    return logs.trade(store, seed=5, commits=60)


def test_an_empty_log_is_followed_to_nothing(store: Path, ledger: Ledger) -> None:
    assert follow(store) == ledger.head().position
    with Reader(store) as reader:
        assert reader.balances("main") == []


def test_only_what_is_new_is_followed(store: Path, ledger: Ledger) -> None:
    follow(store)
    outcome = logs.book(ledger, [given.invoice("1", 100)])[0]
    seen: list[tuple[int, int]] = []
    assert follow(store, lambda position, head: seen.append((position, head))) == outcome.position
    assert seen == [(outcome.position, outcome.position)]
    assert follow(store, lambda position, head: seen.append((position, head))) == outcome.position
    assert len(seen) == 1


def test_without_a_store_there_is_nothing_to_follow(store: Path) -> None:
    with pytest.raises(StoreMissing):
        follow(store)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
@pytest.mark.parametrize("pages", [1, 4])
def test_killed_between_pages_nothing_is_lost_or_doubled(business: Path, pages: int) -> None:
    rebuild(business)
    rebuilt = whole.rows(business)
    process = run(_KILLED, logs.set_back(business), "follow", pages)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert whole.rows(business) != rebuilt
    follow(business)
    assert whole.rows(business) == rebuilt


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process")
def test_killed_in_a_rebuild_the_old_rows_stay_and_the_next_one_succeeds(business: Path) -> None:
    follow(business)
    before = whole.rows(business)
    process = run(_KILLED, business, "rebuild", 1)
    assert process.wait() == -signal.SIGKILL
    process.communicate()
    assert whole.rows(business) == before
    rebuild(business)
    assert whole.rows(business) == before
    assert names(business).isdisjoint({"fresh_item", "fresh_movement", "fresh_turnover"})


def names(store: Path) -> set[str]:
    with closing(sqlite3.connect(store)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


@pytest.mark.parametrize("from_nothing", [True, False], ids=["rebuilding", "following"])
def test_several_followers_at_once_merge_each_page_once(business: Path, from_nothing: bool) -> None:
    rebuild(business)
    rebuilt = whole.rows(business)
    logs.set_back(business)
    if from_nothing:
        with closing(sqlite3.connect(business)) as connection:
            connection.execute("DROP TABLE item")
    processes = [run(_FOLLOW, business, 3) for _ in range(3)]
    answers = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len(answers) == 1
    assert whole.rows(business) == rebuilt


def test_what_is_booked_meanwhile_is_followed_too(business: Path) -> None:
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


def test_a_rebuild_catches_up_with_what_was_booked_meanwhile(business: Path) -> None:
    with Ledger.open(business) as ledger:

        def book(position: int, head: int) -> None:
            logs.book(ledger, [given.invoice(f"during{position}", 5)])

        position = rebuild(business, book)
        assert position == ledger.head().position
    rebuilt = whole.rows(business)
    follow(logs.set_back(business))
    assert whole.rows(business) == rebuilt


def test_a_reader_keeps_its_moment_while_a_rebuild_swaps(business: Path) -> None:
    follow(business)
    with Reader(business) as reader:
        before = reader.balances("main")
        thread = threading.Thread(target=rebuild, args=(business,))
        thread.start()
        thread.join()
        with Ledger.open(business) as ledger:
            logs.book(ledger, [given.invoice("later", 5)])
        follow(business)
        assert reader.balances("main") == before
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
def test_missing_tables_or_another_version_are_rebuilt(business: Path, damage: str) -> None:
    follow(business)
    rows = whole.rows(business)
    with closing(sqlite3.connect(business)) as connection, connection:
        connection.execute(damage)
    with pytest.raises(NotFollowed):
        Reader(business)
    follow(business)
    assert whole.rows(business) == rows


def test_a_store_that_was_never_followed_cannot_be_read(store: Path, ledger: Ledger) -> None:
    with pytest.raises(NotFollowed):
        Reader(store)


def test_money_beyond_64_bits_is_an_error_never_a_float(store: Path, ledger: Ledger) -> None:
    most = 10**15
    logs.book(ledger, [given.invoice("1", most), given.invoice("2", most)])
    follow(store)
    with closing(sqlite3.connect(store)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE turnover SET debit = debit + 9223372036854775807")


def test_readers_and_stores_of_many_pages(store: Path) -> None:
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


def test_the_lock_of_a_dead_builder_is_free(business: Path) -> None:
    holder = run(
        "import sys, projections.follow as f\nwith f._only_builder(sys.argv[1]):\n print(1, flush=True); input()",
        business,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    os.kill(holder.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    holder.communicate()
    assert rebuild(business) > 0
