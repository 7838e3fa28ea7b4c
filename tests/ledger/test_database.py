"""What a connection promises, on both databases: one text of a statement, errors of one kind, all or nothing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from crashing import until
from databases import KINDS, store_of
from eventsourcing.persistence import DataError, IntegrityError, OperationalError

import ledger.sqlite
from ledger.database import Connection, Location, connect


@pytest.fixture(params=KINDS)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Location]:
    with store_of(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def connection(location: Location) -> Iterator[Connection]:
    with closing(connect(location)) as opened:
        yield opened


TRACK = "INSERT INTO tracking VALUES (?, ?)"


def tracked(connection: Connection) -> dict[str, int]:
    rows = connection.execute("SELECT application_name, notification_id FROM tracking WHERE application_name LIKE 't%'")
    return dict(rows.fetchall())


def write(connection: Connection, *rows: tuple[str, int], fault: Exception | None = None) -> None:
    with connection.writing():
        for row in rows:
            connection.execute(TRACK, row)
        if fault is not None:
            raise fault


def test_a_statement_means_the_same_on_both(connection: Connection) -> None:
    odd = "t:a '100%' ?"
    connection.executemany(TRACK, [(odd, 1), ("t2", 2), ("x", 4)])
    asked = (
        "SELECT application_name, ':no', '%', 'it''s ?' FROM tracking"
        " WHERE (:name IS NULL OR application_name = :name) AND notification_id > :least"
    )
    given = {"name": odd, "least": 0, "more": "is ignored"}
    assert connection.execute(asked, given).fetchall() == [(odd, ":no", "%", "it's ?")]
    assert len(connection.execute(asked, given | {"name": None, "least": 1}).fetchall()) == 2
    among = connection.among("application_name", "names")
    sums = connection.execute(
        f"SELECT sum(notification_id) FROM tracking WHERE {among}", {"names": connection.values([odd, "x"])}
    )
    (total,) = sums.fetchone()
    assert (total, type(total)) == (5, int)


def test_several_questions_are_answered_together_whatever_became_of_the_session_before(connection: Connection) -> None:
    connection.executemany(TRACK, [("t1", 1), ("t2", 2), ("t3%s", 3)])
    named = "SELECT notification_id FROM tracking WHERE " + connection.among("application_name", "names")
    least = "SELECT count(*) FROM tracking WHERE notification_id > :least AND notification_id > :least - 1"

    def ask(*names: str) -> list[list[tuple[int, ...]]]:
        given = {"names": connection.values(names)}
        return connection.together([(named, given), ("SELECT 7", ()), (least, {"least": 1}), (named, given)])

    for names, found in ((("t1",), [(1,)]), (("t3%s", "'"), [(3,)]), ((), [])):
        assert ask(*names) == [found, [(7,)], [(2,)], found]
    # The driver drops all plans of a session after a rollback.
    with pytest.raises(KeyError):
        write(connection, ("t4", 4), fault=KeyError())
    assert ask("t2")[0] == [(2,)]
    with connection.writing():
        assert ask("t2")[0] == [(2,)]
    if connection.postgres:
        connection.execute("DEALLOCATE ALL")
        with connection.writing():
            assert ask("t2")[0] == [(2,)]
        assert ask("t2")[0] == [(2,)]
        with pytest.raises(OperationalError):
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        assert ask("t2")[0] == [(2,)]
    assert connection.together([]) == []


def test_texts_sort_by_their_bytes(connection: Connection) -> None:
    connection.executemany(TRACK, [("tb", 1), ("tB", 1), ("tä", 1), ("t~", 1), ("t:", 1)])
    rows = connection.execute("SELECT application_name FROM tracking WHERE application_name LIKE 't%' ORDER BY 1")
    assert [name for (name,) in rows] == ["t:", "tB", "tb", "t~", "tä"]


def test_what_fails_half_way_leaves_nothing(connection: Connection) -> None:
    with pytest.raises(IntegrityError):
        write(connection, ("t1", 1), ("t1", 2))
    assert tracked(connection) == {}
    with pytest.raises(KeyError):
        write(connection, ("t1", 1), fault=KeyError())
    assert tracked(connection) == {}
    write(connection, ("t1", 3))
    assert tracked(connection) == {"t1": 3}


def test_a_key_that_no_index_can_hold_is_an_error_of_the_data(tmp_path: Path) -> None:
    with store_of("postgresql", tmp_path) as url, closing(connect(url)) as connection:
        long = "".join(map(chr, Random(7).sample(range(0x4E00, 0x9FA0), 5_000)))
        with pytest.raises(DataError, match="index row"):
            connection.execute(TRACK, (long, 1))


def test_a_reader_writes_nothing(location: Location) -> None:
    with closing(connect(location, read_only=True)) as reader, pytest.raises(Exception, match=r"read.?only"):
        reader.execute(TRACK, ("t1", 1))


def test_a_file_that_is_held_by_another_program_is_an_error_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.sqlite, "LOCK_SECONDS", 0.05)
    with (
        store_of("sqlite", tmp_path) as path,
        closing(connect(path)) as one,
        closing(connect(path)) as other,
        one.writing(),
    ):
        with pytest.raises(OperationalError, match="locked"):
            other.execute(TRACK, ("t1", 1))
        with pytest.raises(OperationalError, match="locked"), other.writing():
            pass


def test_a_session_that_was_ended_is_begun_anew(tmp_path: Path) -> None:
    with store_of("postgresql", tmp_path) as url, closing(connect(url)) as one, closing(connect(url)) as other:
        (process,) = one.execute("SELECT pg_backend_pid()").fetchone()
        other.execute("SELECT pg_terminate_backend(:process)", {"process": process})
        with pytest.raises(OperationalError):
            one.execute("SELECT 1")
        assert one.execute("SELECT 1").fetchone() == (1,)


def test_a_connection_that_is_stuck_in_a_pipeline_is_begun_anew(tmp_path: Path) -> None:
    from ledger.postgres import PostgresConnection

    with store_of("postgresql", tmp_path) as url, closing(connect(url)) as one:
        assert isinstance(one, PostgresConnection)
        # As it is now and then left by a cut in the midst of many rows.
        one.raw.pgconn.enter_pipeline_mode()
        assert one.execute("SELECT 1").fetchone() == (1,)


def test_a_session_that_stood_still_in_a_transaction_is_one_that_was_lost(tmp_path: Path) -> None:
    with store_of("postgresql", tmp_path) as url, closing(connect(url)) as one, closing(connect(url)) as other:
        one.execute("SET idle_in_transaction_session_timeout = 10")
        process = {"process": one.execute("SELECT pg_backend_pid()").fetchone()[0]}
        one.execute("BEGIN")
        until(lambda: not other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = :process", process).fetchall(), 10)
        with pytest.raises(OperationalError):
            one.execute("SELECT 1")
        assert one.execute("SELECT 1").fetchone() == (1,)


def test_the_name_of_a_database_says_nothing_secret() -> None:
    from ledger.database import database

    assert database("postgresql://tieout:hunter2@db.example:5433/books").name == "postgresql://db.example:5433/books"
