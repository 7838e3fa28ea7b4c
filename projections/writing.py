"""Rows merged into tables: by upsert, many rows a statement; on PostgreSQL a page is copied in first and merged from there.

Several rows a statement take a third of the time that ``executemany`` takes for the same rows. The statements are made
from the tables' own merges, so that following, rebuild and replay write by one definition.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

from ledger.database import Connection
from projections.rows import Deltas
from projections.tables import SUM, TABLES, create_table, keys, merges

if TYPE_CHECKING:
    from psycopg import Copy

ROWS = (64, 8, 1)
"""Rows a statement, as many of each as there are; more gain nothing. Three statements a table stay prepared."""
FEW = 64
"""Rows that are not worth being copied in first."""


class Rows:
    """The tables under their names with a prefix, to be merged into; within the caller's transaction."""

    def __init__(self, connection: Connection, prefix: str = "") -> None:
        self._connection = connection
        make = _Copied if connection.postgres else _Upserts
        self._item, self._movement, self._turnover, self._arrival, self._deferral, self._limit = (
            make(table, prefix + table.name, connection) for table in TABLES
        )

    def write_items(self, deltas: Deltas) -> None:
        """Merge in what is in the making of items, movements and deferrals."""
        items, movements = deltas.take_items()
        self._item(items)
        self._movement(movements)
        self._deferral(deltas.take_deferrals())

    def write(self, deltas: Deltas) -> None:
        """Merge in all that is in the making."""
        self.write_items(deltas)
        for part in deltas.take_turnover():
            self._turnover(part)
        self._arrival(deltas.take_arrivals())
        self._limit(deltas.take_limits())


class _Upserts:
    """Merges rows into a table; rows are flat lists of columns, but for ``shard``."""

    def __init__(self, table: Table, name: str, connection: Connection) -> None:
        names = [column.name for column in table.columns]
        self._connection = connection
        self._width = len(names) - 1
        row = f"(0{', ?' * self._width})"
        self._statements = [
            f"INSERT INTO {name} ({', '.join(names)}) VALUES {', '.join([row] * rows)} "
            f"{_merge(table, name, postgres=connection.postgres)}"
            for rows in ROWS
        ]

    def __call__(self, flat: Sequence[Any]) -> None:
        """Merge rows in."""
        start = 0
        for rows, statement in zip(ROWS, self._statements, strict=True):
            step = rows * self._width
            while start + step <= len(flat):
                self._connection.execute(statement, flat[start : start + step])
                start += step


class _Copied:
    """The same on PostgreSQL: many rows go through a table of this session."""

    def __init__(self, table: Table, name: str, connection: Connection) -> None:
        self._connection = connection
        self._few = _Upserts(table, name, connection)
        self._width = len(table.columns) - 1
        self._columns = ", ".join(column.name for column in table.columns)
        self._table = table
        self._copied = f"copied_{table.name}"
        self._make = create_table(table, self._copied, postgres=True, temporary=True, keyed=False).strip()
        self._merge = (
            f"INSERT INTO {name} ({self._columns}) SELECT {self._columns} FROM {self._copied} "
            f"{_merge(table, name, postgres=True)}"
        )

    def __call__(self, flat: Sequence[Any]) -> None:
        """Merge rows in."""
        if len(flat) <= FEW * self._width:
            self._few(flat)
            return
        # Made in each transaction: nothing has to be known about what this session, or the one before it, had made.
        self._connection.execute(f"{self._make} ON COMMIT DROP")
        copy_rows(self._connection, self._copied, self._table, flat)
        self._connection.execute(self._merge)
        self._connection.execute(f"DROP TABLE {self._copied}")


def _merge(table: Table, name: str, *, postgres: bool) -> str:
    """What becomes of a row whose key is there."""
    greater = "greatest" if postgres else "max"
    merge = ", ".join(
        f"{column} = {name}.{column} + excluded.{column}"
        if how == SUM
        else f"{column} = {greater}({name}.{column}, excluded.{column})"
        for column, how in merges(table).items()
    )
    return f"ON CONFLICT ({', '.join(keys(table))}) DO UPDATE SET {merge}"


def copy_rows(connection: Connection, name: str, table: Table, flat: Sequence[Any]) -> None:
    """COPY rows into a table of PostgreSQL that has the columns of one of ours."""
    width = len(table.columns) - 1
    with _copying(connection, name, table) as copy:
        for start in range(0, len(flat), width):
            copy.write_row((0, *flat[start : start + width]))


@contextmanager
def _copying(connection: Connection, name: str, table: Table) -> Iterator["Copy"]:
    from ledger.postgres import PostgresConnection, translated

    assert isinstance(connection, PostgresConnection)
    columns = ", ".join(column.name for column in table.columns)
    with translated(), connection.raw.cursor() as cursor, cursor.copy(f"COPY {name} ({columns}) FROM STDIN") as copy:
        yield copy
