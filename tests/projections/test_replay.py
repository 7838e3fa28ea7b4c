"""Replay proves the stored rows, or names the table, key and column of what it cannot confirm."""

from collections.abc import Iterator
from contextlib import closing

import logs
import pytest
import whole
from databases import store_of

from ledger.database import Location, connect
from projections.follow import follow
from projections.reader import NotFollowed
from projections.replay import replay
from projections.tables import TABLES


@pytest.fixture(scope="module")
def traded(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    with store_of(kind, tmp_path_factory.mktemp("replay")) as store:
        logs.trade(store, seed=9, commits=40)
        yield store


@pytest.fixture
def business(traded: Location, store: Location) -> Location:
    """A followed store that the test may damage."""
    logs.cut(traded, logs.commit_ends(traded)[-1], store)
    follow(store)
    return store


def change(store: Location, statement: str) -> None:
    with closing(connect(store)) as connection:
        assert connection.execute(statement).rowcount == 1


def test_an_untouched_store_is_identical(business: Location) -> None:
    before = whole.rows(business)
    seen: list[tuple[int, int]] = []
    report = replay(business, lambda position, head: seen.append((position, head)))
    assert report.identical
    assert report.first == []
    assert report.rows == {name: len(rows) for name, rows in before.items()}
    assert report.position == f"0:{report.events}"
    assert seen[-1] == (report.events, report.events)
    assert whole.rows(business) == before


def test_it_stops_where_the_projections_stand(business: Location) -> None:
    with logs.Ledger.open(business) as ledger:
        logs.book(ledger, [logs.given.invoice("later", 7)])
        behind = ledger.head().position
    report = replay(business)
    assert report.identical
    assert report.events < behind


@pytest.mark.parametrize(
    ("table", "column", "set_"),
    [
        ("item", "open_now", "open_now + 1"),
        ("item", "due_on", "'2031-01-01'"),
        ("movement", "amount", "amount - 1"),
        ("movement", "effective_on", "'1999-12-31'"),
        ("turnover", "base_credit", "base_credit + 1"),
        ("arrival", "hash", "hash + 1"),
        ("credit_limit", "amount", "amount + 1"),
    ],
)
def test_an_altered_row_is_named(business: Location, table: str, column: str, set_: str) -> None:
    before = whole.rows(business)[table]
    change(business, f"UPDATE {table} SET {column} = {set_} WHERE {one_of(business, table)}")
    [altered] = [row for row in whole.rows(business)[table] if row not in before]
    report = replay(business)
    assert (report.identical, report.differences) == (False, 1)
    [difference] = report.first
    assert (difference.table, difference.column) == (table, column)
    assert tuple(difference.key.values()) == altered[: len(difference.key)]
    assert difference.stored != difference.replayed
    assert difference.stored in altered


@pytest.mark.parametrize("table", ["item", "movement", "turnover", "arrival", "deferral", "credit_limit"])
def test_an_added_row_is_named(business: Location, table: str) -> None:
    before = whole.rows(business)[table]
    key = {"turnover": "account", "arrival": "source"}.get(table, "stream")
    columns = ", ".join(name for name in columns_of(table) if name != key)
    change(
        business,
        f"INSERT INTO {table} ({key}, {columns}) SELECT 'added', {columns} FROM {table} WHERE {one_of(business, table)}",
    )
    assert len(whole.rows(business)[table]) == len(before) + 1
    [difference] = replay(business).first
    assert (difference.table, difference.key[key], difference.column) == (table, "added", None)
    assert difference.stored is not None
    assert difference.replayed is None


@pytest.mark.parametrize("table", ["item", "movement", "turnover", "arrival", "deferral", "credit_limit"])
def test_a_removed_row_is_named(business: Location, table: str) -> None:
    before = whole.rows(business)[table]
    change(business, f"DELETE FROM {table} WHERE {one_of(business, table)}")
    [removed] = [row for row in before if row not in whole.rows(business)[table]]
    [difference] = replay(business).first
    assert (difference.table, difference.column, difference.stored) == (table, None, None)
    assert tuple(difference.key.values()) == removed[: len(difference.key)]
    assert difference.replayed is not None


def test_only_the_first_differences_are_named_but_all_are_counted(business: Location) -> None:
    with closing(connect(business)) as connection:
        changed = connection.execute("UPDATE item SET amount = amount + 1, base_amount = base_amount + 1").rowcount
    report = replay(business, limit=3)
    assert report.differences == 2 * changed
    assert len(report.first) == 3


def test_what_was_never_followed_cannot_be_proved(traded: Location, store: Location) -> None:
    logs.cut(traded, 10, store)
    with pytest.raises(NotFollowed):
        replay(store)


def columns_of(table: str) -> list[str]:
    return [str(column.name) for column in next(one for one in TABLES if one.name == table).columns]


def one_of(store: Location, table: str) -> str:
    """A condition that one row in the middle of a table meets."""
    rows = whole.rows(store)[table]
    row = rows[len(rows) // 2]
    keys = {"item": 3, "movement": 4, "turnover": 7, "arrival": 6, "deferral": 4, "credit_limit": 3}[table]
    names = columns_of(table)[:keys]
    quoted = ["'" + str(value).replace("'", "''") + "'" if isinstance(value, str) else str(value) for value in row]
    return " AND ".join(f"{name} = {value}" for name, value in zip(names, quoted, strict=False))
