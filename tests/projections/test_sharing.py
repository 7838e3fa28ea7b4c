"""What only PostgreSQL has: pages shared by several followers, rebuilds by several processes, readers that lose their session."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing

import given
import logs
import pytest
import whole
from databases import postgres_store
from eventsourcing.persistence import IntegrityError, OperationalError

from ledger.database import connect
from ledger.ledger import Ledger
from projections import follow as following
from projections import pages, working
from projections.follow import follow
from projections.news import News
from projections.reader import Reader
from projections.rebuild import rebuild
from projections.rows import Deltas


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with postgres_store() as url:
        logs.trade(url, seed=5, commits=80)
        yield url


def test_followers_share_the_pages_and_none_is_made_twice(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild(store)
    rebuilt = whole.rows(store)
    logs.set_back(store)
    made: list[tuple[int, int, int]] = []
    at_work = threading.Barrier(3, timeout=30)
    began: set[int] = set()

    def noted(connection: object, after: int, upto: int) -> Deltas:
        me = threading.get_ident()
        if me not in began:
            # Each has taken a page before any is done.
            began.add(me)
            at_work.wait()
        made.append((me, after, upto))
        return pages.deltas(connection, after, upto)  # type: ignore[arg-type]

    monkeypatch.setattr(following, "deltas", noted)
    threads = [threading.Thread(target=follow, args=(store,), kwargs={"page": 20}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert whole.rows(store) == rebuilt
    assert len({me for me, _, _ in made}) == 3
    ends = sorted((after, upto) for _, after, upto in made)
    assert [after for after, _ in ends] == [0, *(upto for _, upto in ends[:-1])]


@pytest.mark.parametrize("workers", [2, 3])
def test_several_processes_rebuild_the_same_rows(store: str, workers: int) -> None:
    rebuild(store)
    rebuilt = whole.rows(store)
    told: list[tuple[int, int]] = []
    position = rebuild(store, lambda done, head: told.append((done, head)), workers=workers)
    assert whole.rows(store) == rebuilt
    assert told[-1] == (position, position)


def test_accounts_that_are_filled_twice_fail_the_rebuild_and_the_old_rows_stay(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(store)
    before = whole.rows(store)
    ranges = working._ranges

    def overlapping(*arguments: object) -> list[tuple[str, str]]:
        # What two workers add to one account has one key twice.
        return [*ranges(*arguments), ("acct:", "acct;")]  # type: ignore[arg-type]

    monkeypatch.setattr(working, "_ranges", overlapping)
    with pytest.raises(IntegrityError):
        rebuild(store, workers=2)
    monkeypatch.undo()
    assert whole.rows(store) == before
    rebuild(store, workers=2)
    assert whole.rows(store) == before


def test_a_worker_that_dies_fails_the_rebuild_and_the_old_rows_stay(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(store)
    before = whole.rows(store)
    started = working._started

    def killed(task: working.Task) -> "subprocess.Popen[bytes]":
        process = started(task)
        process.kill()
        return process

    monkeypatch.setattr(working, "_started", killed)
    with pytest.raises(working.WorkerFailed):
        rebuild(store, workers=2)
    monkeypatch.undo()
    assert whole.rows(store) == before
    rebuild(store, workers=2)
    assert whole.rows(store) == before


def test_a_reader_that_lost_its_session_answers_nothing_more(store: str) -> None:
    follow(store)
    with Reader(store) as reader:
        balances = reader.balances("main")
        with closing(connect(store)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        for _ in range(2):
            with pytest.raises(OperationalError):
                reader.balances("main")
    with Reader(store) as reader:
        assert reader.balances("main") == balances


def test_news_come_at_once_and_also_after_a_lost_session(store: str) -> None:
    with Ledger.open(store) as ledger, News(store) as news:
        head = ledger.head().position
        assert news.wait(head, 0.01) == head
        heard: list[int] = []
        thread = threading.Thread(target=lambda: heard.append(news.wait(head, 30)))
        thread.start()
        logs.book(ledger, [given.invoice("news", 5)])
        thread.join(30)
        assert heard == [ledger.head().position]
        with closing(connect(store)) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        while True:
            try:
                assert news.wait(head, 30) == heard[0]
                break
            except OperationalError:
                continue
