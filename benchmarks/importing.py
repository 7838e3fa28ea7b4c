"""Import → decided → committed on SQLite, against raw ``executemany`` of the same rows into the same tables.

The floor writes the very rows that the import wrote, in the same batches of 500, each in one transaction with the head
row, on a store of its own with the same settings. The processor time outside SQLite's own calls is the import's less
that of the floor.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import process_time

from benchmarks.measure import Measure, median_ratio, no_collector, seconds
from consumers.tables import import_file
from domain.commands import OpenBook
from ledger.ledger import Ledger
from ledger.outcomes import Submission
from ledger.store import connect, create
from tieout.demo.bulk import documents

BATCH = 500
TABLES = {
    "events": "position",
    "receipts": "position",
    "documents": "last",
    "touches": "position",
}
"""Tables that a commit writes, with the column that says which commit a row is of."""


def new_store(path: Path) -> Ledger:
    """A ledger with the book that the generated documents are of."""
    create(path)
    ledger = Ledger.open(path)
    ledger.submit([Submission(OpenBook(source="bench", source_id="open", book="demo", base_currency="CNY"))])
    return ledger


def write_documents(path: Path, count: int) -> Path:
    """A file of generated commands as JSON lines."""
    with path.open("wb") as file:
        for line in documents(1, count):
            file.write(line.rstrip(b"\n") + b"\n")
    return path


def run(folder: Path, quick: bool) -> Iterator[Measure]:
    """The ratio to the floor, and the processor time a command."""
    count = 5_000 if quick else 20_000
    file = write_documents(folder / "documents.jsonl", count)
    turns: list[tuple[float, float]] = []
    python_us: list[float] = []
    walls: list[float] = []
    for turn in range(3 if quick else 5):
        store = folder / f"import-{turn}.sqlite"
        with new_store(store) as ledger, no_collector():
            start = process_time()
            wall = seconds(lambda ledger=ledger: import_file(ledger, file, book="demo", batch_size=BATCH))  # type: ignore[misc]
            used = process_time() - start
        floor = Floor(store, folder / f"floor-{turn}.sqlite")
        with no_collector():
            start = process_time()
            floor_wall = seconds(floor.write)
            floor_used = process_time() - start
        turns.append((floor_wall, wall))
        python_us.append((used - floor_used) / count * 1e6)
        walls.append(wall / count * 1e6)
    detail = (
        f"{count} documents, {median(walls):.0f} us a command, floor {median(f for f, _ in turns) / count * 1e6:.0f} us"
    )
    yield Measure(name="import_sqlite", ratio=median_ratio(turns), goal=0.45, bound="least", detail=detail)
    yield Measure(
        name="processor_us_a_command", ratio=median(python_us), goal=30, detail="outside SQLite, parsing included"
    )


class Floor:
    """The rows of a store, written again by ``executemany`` and nothing else."""

    def __init__(self, source: Path, target: Path) -> None:
        rows = connect(source, read_only=True)
        commits = rows.execute(
            "SELECT recorded_us, max(position) FROM events GROUP BY recorded_us ORDER BY 1"
        ).fetchall()
        self.batches: list[list[tuple[str, list[tuple[object, ...]]]]] = []
        after = 0
        for _, last in commits:
            batch = []
            for table, column in TABLES.items():
                found = rows.execute(
                    f"SELECT * FROM {table} WHERE {column} > ? AND {column} <= ? ORDER BY {column}", (after, last)
                ).fetchall()
                if found:
                    marks = ", ".join("?" * len(found[0]))
                    batch.append((f"INSERT INTO {table} VALUES ({marks})", found))
            self.batches.append(batch)
            after = last
        rows.close()
        create(target)
        self.target: sqlite3.Connection = connect(target)

    def write(self) -> None:
        """All batches, a transaction each."""
        execute, many = self.target.execute, self.target.executemany
        for batch in self.batches:
            execute("BEGIN IMMEDIATE")
            execute("UPDATE ledger_head SET position = position + 1 WHERE shard = 0")
            for statement, rows in batch:
                many(statement, rows)
            execute("COMMIT")
        self.target.close()
