"""Fresh tables filled on PostgreSQL: rows are copied in, and have a key only when all of them are there.

A log is filled account by account. Rows of an account that was begun and ended within a page stand in the table once
and for all. The accounts that a page cuts, and turnover and arrivals, to which every account adds, go to a table of
*parts* first, and are merged from there at the end, by the tables' own merges. So several processes fill the same tables
without meeting, each with accounts of its own.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table

from ledger.database import Connection
from projections.rows import Deltas
from projections.tables import (
    ARRIVAL,
    CREDIT_LIMIT,
    DEFERRAL,
    ITEM,
    MOVEMENT,
    OPEN,
    TABLES,
    TURNOVER,
    create_index,
    create_table,
    keys,
    merges,
)
from projections.writing import copy_rows

_WIDTH = len(ITEM.columns) - 1


class Load:
    """Tables under a prefix being filled; each call within the caller's transaction."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self._connection = connection
        self._prefix = prefix

    def create(self, *, temporary: bool = False) -> None:
        """Make the tables, and their parts, in the place of what another one left."""
        for table in TABLES:
            for name in (self._prefix + table.name, self._parts(table)):
                self._connection.execute(f"DROP TABLE IF EXISTS {name}")
                made = create_table(table, name, postgres=True, temporary=temporary, keyed=False)
                self._connection.execute(made)

    def write_items(self, deltas: Deltas) -> None:
        """Add what is in the making of items, movements and deferrals."""
        items, movements = deltas.take_items()
        first, last = _begun_and_ended(items)
        self._copy(ITEM, self._prefix + ITEM.name, items[first:last])
        self._copy(ITEM, self._parts(ITEM), items[:first])
        self._copy(ITEM, self._parts(ITEM), items[last:])
        # One event moves an item, or a deferral: the log position is part of the key.
        self._copy(MOVEMENT, self._prefix + MOVEMENT.name, movements)
        self._copy(DEFERRAL, self._prefix + DEFERRAL.name, deltas.take_deferrals())

    def write(self, deltas: Deltas) -> None:
        """Add all that is in the making."""
        self.write_items(deltas)
        for part in deltas.take_turnover():
            self._copy(TURNOVER, self._parts(TURNOVER), part)
        self._copy(ARRIVAL, self._parts(ARRIVAL), deltas.take_arrivals())
        self._copy(CREDIT_LIMIT, self._parts(CREDIT_LIMIT), deltas.take_limits())

    def finish(self) -> None:
        """Merge the parts in, and give the tables their keys and what the planner should know of them."""
        for table in TABLES:
            name = self._prefix + table.name
            columns = ", ".join([*keys(table), *merges(table)])
            merged = ", ".join([*keys(table), *(f"{how}({column})" for column, how in merges(table).items())])
            self._connection.execute(
                f"INSERT INTO {name} ({columns}) SELECT {merged} FROM {self._parts(table)} GROUP BY {', '.join(keys(table))}"
            )
            self._connection.execute(f"DROP TABLE {self._parts(table)}")
            self._connection.execute(f"ALTER TABLE {name} ADD PRIMARY KEY ({', '.join(keys(table))})")
        self._connection.execute(create_index(self._prefix + OPEN, self._prefix + ITEM.name, postgres=True))
        for table in TABLES:
            self._connection.execute(f"ANALYZE {self._prefix}{table.name}")

    def _parts(self, table: Table) -> str:
        return f"{self._prefix}{table.name}_parts"

    def _copy(self, table: Table, name: str, flat: Sequence[Any]) -> None:
        if flat:
            copy_rows(self._connection, name, table, flat)


def _begun_and_ended(items: Sequence[Any]) -> tuple[int, int]:
    """Where, in a flat list of rows of items, those of all accounts but the first and the last lie."""
    if not items:
        return 0, 0
    first, last = 0, len(items)
    while first < len(items) and items[first] == items[0]:
        first += _WIDTH
    while last > first and items[last - _WIDTH] == items[-_WIDTH]:
        last -= _WIDTH
    return first, last
