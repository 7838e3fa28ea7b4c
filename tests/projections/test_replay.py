"""Replay proves the stored rows, or names the table, key and column of what it cannot confirm."""

import sqlite3
from contextlib import closing
from pathlib import Path

import logs
import pytest
import whole

from projections.follow import follow
from projections.reader import NotFollowed
from projections.replay import replay


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = logs.trade(tmp_path_factory.mktemp("replay") / "traded.db", seed=9, commits=40)
    follow(store)
    return store


@pytest.fixture
def business(traded: Path, store: Path) -> Path:
    """A followed store that the test may damage."""
    with closing(sqlite3.connect(traded)) as source, closing(sqlite3.connect(store)) as target:
        source.backup(target)
    return store


def change(store: Path, statement: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        assert connection.execute(statement).rowcount == 1


def test_an_untouched_store_is_identical(business: Path) -> None:
    before = whole.rows(business)
    seen: list[tuple[int, int]] = []
    report = replay(business, lambda position, head: seen.append((position, head)))
    assert report.identical
    assert report.first == []
    assert report.rows == {name: len(rows) for name, rows in before.items()}
    assert report.position == f"0:{report.events}"
    assert seen[-1] == (report.events, report.events)
    assert whole.rows(business) == before


def test_it_stops_where_the_projections_stand(business: Path) -> None:
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
    ],
)
def test_an_altered_row_is_named(business: Path, table: str, column: str, set_: str) -> None:
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


@pytest.mark.parametrize("table", ["item", "movement", "turnover"])
def test_an_added_row_is_named(business: Path, table: str) -> None:
    before = whole.rows(business)[table]
    columns = [name for name in columns_of(business, table) if name not in ("stream", "account")]
    key = "stream" if table != "turnover" else "account"
    change(
        business,
        f"INSERT INTO {table} ({key}, {', '.join(columns)}) SELECT 'added', {', '.join(columns)} FROM {table} "
        f"WHERE {one_of(business, table)}" if table != "item"
        else f"INSERT INTO item (stream, account, {', '.join(columns)}) SELECT 'added', account, {', '.join(columns)} "
        f"FROM item WHERE {one_of(business, 'item')}",
    )  # fmt: skip
    assert len(whole.rows(business)[table]) == len(before) + 1
    [difference] = replay(business).first
    assert (difference.table, difference.key[key], difference.column) == (table, "added", None)
    assert difference.stored is not None
    assert difference.replayed is None


@pytest.mark.parametrize("table", ["item", "movement", "turnover"])
def test_a_removed_row_is_named(business: Path, table: str) -> None:
    before = whole.rows(business)[table]
    change(business, f"DELETE FROM {table} WHERE {one_of(business, table)}")
    [removed] = [row for row in before if row not in whole.rows(business)[table]]
    [difference] = replay(business).first
    assert (difference.table, difference.column, difference.stored) == (table, None, None)
    assert tuple(difference.key.values()) == removed[: len(difference.key)]
    assert difference.replayed is not None


def test_only_the_first_differences_are_named_but_all_are_counted(business: Path) -> None:
    with closing(sqlite3.connect(business)) as connection, connection:
        changed = connection.execute("UPDATE item SET amount = amount + 1, base_amount = base_amount + 1").rowcount
    report = replay(business, limit=3)
    assert report.differences == 2 * changed
    assert len(report.first) == 3


def test_what_was_never_followed_cannot_be_proved(traded: Path, store: Path) -> None:
    logs.cut(traded, 10, store)
    with pytest.raises(NotFollowed):
        replay(store)


def columns_of(store: Path, table: str) -> list[str]:
    with closing(sqlite3.connect(store)) as connection:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def one_of(store: Path, table: str) -> str:
    """A condition that one row in the middle of a table meets."""
    rows = whole.rows(store)[table]
    row = rows[len(rows) // 2]
    keys = {"item": 3, "movement": 4, "turnover": 7}[table]
    names = columns_of(store, table)[:keys]
    quoted = ["'" + str(value).replace("'", "''") + "'" if isinstance(value, str) else str(value) for value in row]
    return " AND ".join(f"{name} = {value}" for name, value in zip(names, quoted, strict=False))
