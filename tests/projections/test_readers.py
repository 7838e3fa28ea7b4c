"""Readers that share connections: each question has a moment of its own, and leaves nothing behind for the next."""

import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import given
import logs
import pytest
from databases import postgres_store
from eventsourcing.persistence import OperationalError, ProgrammingError

from ledger.database import Location, connect
from ledger.errors import StoreMissing
from ledger.ledger import Ledger
from projections import readers as pool
from projections.follow import follow
from projections.reader import NotFollowed, Reader
from projections.readers import AllInUse, Readers
from projections.rebuild import rebuild


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Location]:
    """The stores that were checked, one for each connection that was made."""
    found: list[Location] = []
    check = pool.check
    monkeypatch.setattr(pool, "check", lambda location: found.append(location) or check(location))
    return found


@pytest.fixture
def shared(store: Location, ledger: Ledger) -> Iterator[Readers]:
    """Two connections at most to a store with one invoice."""
    logs.book(ledger, [given.invoice("1", 100)])
    follow(store)
    with closing(Readers(store, 2)) as opened:
        yield opened


def owed(reader: Reader) -> int:
    return sum(balance.amount for balance in reader.balances("main", "C1", "CNY"))


def test_one_connection_serves_one_question_after_the_other(shared: Readers, made: list[Location]) -> None:
    for _ in range(5):
        with shared.reading() as reader:
            assert owed(reader) == 100
    assert len(made) == 1


def test_each_question_has_its_own_moment(shared: Readers, store: Location, ledger: Ledger) -> None:
    with shared.reading() as early:
        logs.book(ledger, [given.invoice("2", 20)])
        follow(store)
        with shared.reading() as late:
            assert (owed(early), owed(late)) == (100, 120)
            assert early.position < late.position == ledger.head().position
    with shared.reading() as reader:
        assert owed(reader) == 120


def test_rows_that_nobody_read_to_their_end_do_not_keep_the_moment(
    shared: Readers, store: Location, ledger: Ledger, made: list[Location]
) -> None:
    logs.book(ledger, [given.invoice(f"more{n}", 1) for n in range(200)])
    follow(store)
    with shared.reading() as reader:
        rest = reader.items("main")
        next(rest)
    logs.book(ledger, [given.invoice("2", 20)])
    follow(store)
    with shared.reading() as reader:
        assert owed(reader) == 320
        rest.close()
        assert owed(reader) == 320
    assert len(made) == 1


def test_no_more_questions_at_once_than_connections(shared: Readers) -> None:
    with shared.reading(), shared.reading():
        with pytest.raises(AllInUse), shared.reading(timeout=0.01):
            pass
        answers: list[int] = []

        def ask() -> None:
            with shared.reading(timeout=30) as reader:
                answers.append(owed(reader))

        thread = threading.Thread(target=ask)
        thread.start()
        assert not answers
    thread.join(30)
    assert answers == [100]


def test_many_threads_ask_at_once(shared: Readers, made: list[Location]) -> None:
    def ask(_: int) -> int:
        with shared.reading(timeout=30) as reader:
            return owed(reader)

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(400))) == {100}
    assert len(made) <= 2


def test_an_error_of_who_asks_costs_no_connection(shared: Readers, made: list[Location]) -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="not a selector"), shared.reading() as reader:
            reader.explain("what")
    with shared.reading() as reader:
        assert owed(reader) == 100
    assert len(made) == 1


def test_what_was_never_followed_cannot_be_read_until_it_is(
    store: Location, ledger: Ledger, made: list[Location]
) -> None:
    with closing(Readers(store, 1)) as shared:
        for _ in range(2):
            with pytest.raises(NotFollowed), shared.reading():
                pass
        follow(store)
        with shared.reading() as reader:
            assert reader.position == ledger.head().position
        with closing(connect(store)) as connection:
            connection.execute("UPDATE projection_version SET version = version + 1")
        for _ in range(2):
            with pytest.raises(NotFollowed), shared.reading():
                pass
        follow(store)
        with shared.reading() as reader:
            assert reader.position == ledger.head().position
        # Whoever waits asks again and again.
        assert len(made) == 1


def test_it_goes_on_after_a_rebuild(shared: Readers, store: Location) -> None:
    with shared.reading() as reader:
        assert owed(reader) == 100
    rebuild(store)
    with shared.reading() as reader:
        assert owed(reader) == 100


def test_a_store_that_is_missing_is_named_at_the_first_question(tmp_path_factory: pytest.TempPathFactory) -> None:
    shared = Readers(tmp_path_factory.mktemp("none") / "none.sqlite", 1)
    for _ in range(2):
        with pytest.raises(StoreMissing), shared.reading():
            pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A followed store on PostgreSQL."""
    with postgres_store() as url, logs.opened(url) as ledger:
        logs.book(ledger, [given.invoice("1", 100)])
        follow(url)
        yield url


def cut(url: str) -> None:
    """End all other sessions of the database."""
    with closing(connect(url)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_was_cut_while_it_was_idle_is_made_anew(server: str) -> None:
    with closing(Readers(server, 2)) as shared:
        with shared.reading(), shared.reading():
            pass
        cut(server)
        for _ in range(3):
            with shared.reading() as reader:
                assert owed(reader) == 100


def test_a_connection_that_was_cut_in_a_question_fails_that_one_alone(server: str) -> None:
    with closing(Readers(server, 1)) as shared:

        def cut_while_asking() -> None:
            with shared.reading() as reader:
                cut(server)
                owed(reader)

        with pytest.raises(OperationalError):
            cut_while_asking()
        with shared.reading() as reader:
            assert owed(reader) == 100


def test_a_moment_is_begun_in_one_round_trip_and_ended_in_one(server: str) -> None:
    with closing(Readers(server, 1)) as shared, tempfile.TemporaryFile("w+") as trace:
        with shared.reading():
            pass
        [(connection, _)] = shared._idle
        connection.raw.pgconn.trace(trace.fileno())  # type: ignore[attr-defined]
        with shared.reading():
            pass
        connection.raw.pgconn.untrace()  # type: ignore[attr-defined]
        trace.seek(0)
        sent = [line for line in trace if "\tF\t" in line]
    assert len(sent) == 2, sent


def test_a_statement_that_fails_costs_no_connection(server: str, made: list[Location]) -> None:
    with closing(Readers(server, 1)) as shared:
        for _ in range(2):
            with shared.reading() as reader:
                assert owed(reader) == 100
                with pytest.raises(ProgrammingError):
                    reader._connection.execute("SELECT no_such_column")
        with shared.reading() as reader:
            assert owed(reader) == 100
    assert len(made) == 1
