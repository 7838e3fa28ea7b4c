"""The floor of what is written: the very rows of a store by raw binary COPY into the same tables with their indexes.

The rows were encoded by the server beforehand; each commit is a transaction of the same size as in the store, on one
connection.
"""

from contextlib import closing
from time import perf_counter

import psycopg

_TABLES = {
    "events": ("position", "position"),
    "receipts": ("position", "position"),
    "documents": ("last", "last"),
    "touches": ("position", "position"),
}
"""Tables that nearly every commit writes: the column that says which commit a row is of, and the order of rows."""
# One row a commit. In the store it is updated; here it is new, or it could not be copied.
_TRACKING = "SELECT 'floor:' || {last}, {last}::int8"

Batches = list[list[tuple[str, bytes]]]


def last_position(store: str) -> int:
    """Where the log of a store ends."""
    with closing(psycopg.connect(store)) as connection:
        row = connection.execute("SELECT position FROM ledger_head").fetchone()
        assert row is not None
        return int(row[0])


def rows_of(store: str, after: int) -> Batches:
    """Commit by commit, the rows of each table beyond a position, encoded."""
    with closing(psycopg.connect(store, autocommit=True)) as connection:
        commits = connection.execute(
            "SELECT max(position) FROM events WHERE position > %s GROUP BY recorded_us ORDER BY 1", (after,)
        ).fetchall()
        batches: Batches = []
        for (last,) in commits:
            batch = []
            for table, (column, order) in _TABLES.items():
                rows = f"SELECT * FROM {table} WHERE {column} > {after} AND {column} <= {last} ORDER BY {order}"
                batch.append((table, _encoded(connection, rows)))
            batch.append(("tracking", _encoded(connection, _TRACKING.format(last=last))))
            batches.append(batch)
            after = last
    return batches


def _encoded(connection: psycopg.Connection, rows: str) -> bytes:
    with connection.cursor().copy(f"COPY ({rows}) TO STDOUT (FORMAT binary)") as copy:
        return b"".join(bytes(part) for part in copy)


def write(store: str, batches: Batches) -> float:
    """Write all batches, a transaction each; seconds."""
    with closing(psycopg.connect(store, autocommit=True)) as connection, connection.cursor() as cursor:
        started = perf_counter()
        for batch in batches:
            with connection.transaction():
                for table, rows in batch:
                    with cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)") as copy:
                        copy.write(rows)
        return perf_counter() - started
