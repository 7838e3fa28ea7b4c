"""Proof by replay: the projections are made anew beside the stored ones and compared row for row (identity 10)."""

from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from ledger.database import Connection
from ledger.outcomes import token
from ledger.store import check, connect
from projections import standing
from projections.answers import Difference, ReplayReport
from projections.follow import Progress, Rows, fill
from projections.standing import NotFollowed
from projections.tables import TABLES, create_table, keys, merges

_REPLAYED = Rows("replayed.")


def replay(path: str | Path, progress: Progress | None = None, *, limit: int = 100) -> ReplayReport:
    """Replay the log up to where the stored projections stand and compare; the first ``limit`` differences by name.

    Nothing that is stored is changed: the replayed rows lie in a temporary file of their own. Raises ``NotFollowed``
    where there are no projections of this version.
    """
    with closing(connect(check(path), read_only=True)) as connection:
        connection.execute("ATTACH '' AS replayed")
        connection.execute("PRAGMA replayed.journal_mode=OFF")
        connection.execute("PRAGMA replayed.cache_size=-16384")
        connection.execute("BEGIN")
        upto = standing.reached(connection)
        if upto is None:
            raise NotFollowed("there are no projections of this version to compare with: follow the log first")
        for table in TABLES:
            connection.execute(create_table(table, table.name).replace("CREATE TABLE ", "CREATE TABLE replayed.", 1))
        fill(connection, _REPLAYED, upto, nullcontext, progress)
        return _compare(connection, upto, limit)


def _compare(connection: Connection, upto: int, limit: int) -> ReplayReport:
    rows: dict[str, int] = {}
    first: list[Difference] = []
    differences = 0
    for table in TABLES:
        (rows[str(table.name)],) = connection.execute(f"SELECT count(*) FROM main.{table.name}").fetchone()
        for found in _differences(connection, table):
            differences += 1
            if len(first) < limit:
                first.append(found)
    return ReplayReport(position=token(upto), events=upto, rows=rows, differences=differences, first=first)


def _differences(connection: Connection, table: Table) -> Iterator[Difference]:
    """Columns that differ in rows of the same key, then rows that only one side has."""
    key, others = keys(table), list(merges(table))
    same = " AND ".join(f"s.{name} IS r.{name}" for name in key)
    columns = ", ".join(f"s.{name}" for name in key) + "".join(f", s.{name}, r.{name}" for name in others)
    differs = " OR ".join(f"s.{name} IS NOT r.{name}" for name in others)
    order = ", ".join(f"s.{name}" for name in key)
    name = table.name
    altered = (
        f"SELECT {columns} FROM main.{name} s CROSS JOIN replayed.{name} r ON {same} WHERE {differs} ORDER BY {order}"
    )
    for row in connection.execute(altered):
        values = row[len(key) :]
        for at, column in enumerate(others):
            stored, replayed = values[2 * at : 2 * at + 2]
            if stored != replayed:
                yield _difference(table, row, column, stored, replayed)
    for here, there, side in (("main", "replayed", "stored"), ("replayed", "main", "replayed")):
        only = (
            f"SELECT s.* FROM {here}.{name} s "
            f"WHERE NOT EXISTS (SELECT 1 FROM {there}.{name} r WHERE {same}) ORDER BY {order}"
        )
        for row in connection.execute(only):
            text = ", ".join(str(value) for value in row[len(key) :])
            yield _difference(table, row, None, *((text, None) if side == "stored" else (None, text)))


def _difference(table: Table, row: tuple[Any, ...], column: str | None, stored: Any, replayed: Any) -> Difference:
    named = dict(zip(keys(table), row, strict=False))
    return Difference(table=str(table.name), key=named, column=column, stored=stored, replayed=replayed)
