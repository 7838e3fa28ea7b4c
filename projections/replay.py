"""Proof by replay: the projections are made anew beside the stored ones and compared row for row (identity 10)."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

from sqlalchemy import Table

from ledger.database import Connection, Location, connect, is_url
from ledger.outcomes import token
from ledger.store import check
from projections import standing
from projections.answers import Difference, ReplayReport
from projections.loading import Load
from projections.pages import Progress, fill
from projections.standing import NAMES, NotFollowed
from projections.tables import TABLES, create_table, keys, merges
from projections.writing import Rows

_REPLAYED = "replayed_"


def replay(location: Location, progress: Progress | None = None, *, limit: int = 100) -> ReplayReport:
    """Replay the log up to where the stored projections stand and compare; the first ``limit`` differences by name.

    Nothing that is stored is changed: the replayed rows lie in temporary tables. Raises ``NotFollowed`` where there are
    no projections of this version.
    """
    with closing(_connected(location)) as connection:
        upto = standing.reached(connection)
        if upto is not None:
            connection.snapshot(NAMES, temporary=True)
            upto = standing.reached(connection)
        if upto is None:
            raise NotFollowed("there are no projections of this version to compare with: follow the log first")
        _replay(connection, upto, progress)
        return _compare(connection, upto, limit)


def _connected(location: Location) -> Connection:
    """On PostgreSQL one that may write: its temporary tables are to be made."""
    connection = connect(check(location), read_only=not is_url(location))
    if connection.postgres:
        return connection
    connection.execute("PRAGMA temp.journal_mode=OFF")
    connection.execute("PRAGMA temp.cache_size=-16384")
    return connection


def _replay(connection: Connection, upto: int, progress: Progress | None) -> None:
    def told(done: int) -> None:
        if progress is not None and done < upto:
            progress(done, upto)

    if connection.postgres:
        load = Load(connection, _REPLAYED)
        load.create(temporary=True)
        fill(connection, load, upto, nullcontext, told)
        load.finish()
    else:
        for table in TABLES:
            connection.execute(create_table(table, _REPLAYED + table.name, postgres=False, temporary=True))
        fill(connection, Rows(connection, _REPLAYED), upto, nullcontext, told)
    if progress is not None:
        progress(upto, upto)


def _compare(connection: Connection, upto: int, limit: int) -> ReplayReport:
    rows: dict[str, int] = {}
    first: list[Difference] = []
    differences = 0
    for table in TABLES:
        (rows[str(table.name)],) = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()
        for found in _differences(connection, table):
            differences += 1
            if len(first) < limit:
                first.append(found)
    return ReplayReport(position=token(upto), events=upto, rows=rows, differences=differences, first=first)


def _differences(connection: Connection, table: Table) -> Iterator[Difference]:
    """Columns that differ in rows of the same key, then rows that only one side has."""
    # No column is ever null.
    key, others = keys(table), list(merges(table))
    same = " AND ".join(f"s.{name} = r.{name}" for name in key)
    columns = ", ".join(f"s.{name}" for name in key) + "".join(f", s.{name}, r.{name}" for name in others)
    differs = " OR ".join(f"s.{name} <> r.{name}" for name in others)
    order = ", ".join(f"s.{name}" for name in key)
    stored, replayed = str(table.name), f"{_REPLAYED}{table.name}"
    altered = f"SELECT {columns} FROM {stored} s JOIN {replayed} r ON {same} WHERE {differs} ORDER BY {order}"
    for row in connection.stream(altered):
        values = row[len(key) :]
        for at, column in enumerate(others):
            one, other = values[2 * at : 2 * at + 2]
            if one != other:
                yield _difference(table, row, column, one, other)
    for here, there in ((stored, replayed), (replayed, stored)):
        only = f"SELECT s.* FROM {here} s WHERE NOT EXISTS (SELECT 1 FROM {there} r WHERE {same}) ORDER BY {order}"
        for row in connection.stream(only):
            text = ", ".join(str(value) for value in row[len(key) :])
            yield _difference(table, row, None, *((text, None) if here == stored else (None, text)))


def _difference(table: Table, row: tuple[Any, ...], column: str | None, stored: Any, replayed: Any) -> Difference:
    named = dict(zip(keys(table), row, strict=False))
    return Difference(table=str(table.name), key=named, column=column, stored=stored, replayed=replayed)
