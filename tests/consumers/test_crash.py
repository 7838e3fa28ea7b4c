"""A real process is killed again and again in the middle of an import: nothing is lost, nothing is doubled."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

from sales import SALES

from ledger.database import Location, connect

DOCUMENTS = 4_000
BATCH = 40
KILLS = 6
# Says a word after each commit, so that the killer knows that it is at work.
PROGRAM = """
import sys
from pathlib import Path
from consumers.mapping import load_mapping
from consumers.tables import import_file
from ledger.ledger import Ledger

store, file, mapping, batch = sys.argv[1:]
with Ledger.open(store) as ledger:
    import_file(ledger, Path(file), book="main", mapping=load_mapping(Path(mapping)), batch_size=int(batch),
                progress=lambda at: print(at.commands_done, flush=True))
"""


def start(store: Location, folder: Path) -> subprocess.Popen[bytes]:
    arguments = [str(store), str(folder / "sales.csv"), str(folder / "sales.toml"), str(BATCH)]
    environment = os.environ | {"TMPDIR": str(folder)}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE, env=environment)


def write_table(folder: Path, rng: Random) -> None:
    """Invoices and credit notes of one to three rows, none adjacent; one in a hundred cannot be booked."""
    rows = []
    for number in range(DOCUMENTS):
        credit = number % 9 == 0
        day = f"2025-{number % 12 + 1:02d}-15" if number % 100 else "2025-13-15"
        for _ in range(rng.randrange(1, 4)):
            quantity = rng.randrange(1, 9) * (-1 if credit else 1)
            rows.append(f"{'C' * credit}{number},K{number % 50},{day},{quantity},{rng.randrange(1, 999)}.25")
    rng.shuffle(rows)
    (folder / "sales.csv").write_text("Number,Customer,Date,Quantity,Price\n" + "\n".join(rows), encoding="utf-8")
    (folder / "sales.toml").write_text(dedent(SALES), encoding="utf-8")


def rows(store: Location, query: str) -> list[tuple[Any, ...]]:
    connection = connect(store, read_only=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def assert_sound(store: Location) -> None:
    """Positions are dense up to the head, and every document has its receipt and its event."""
    if isinstance(store, Path):
        assert rows(store, "PRAGMA integrity_check") == [("ok",)]
    positions = [position for (position,) in rows(store, "SELECT position FROM events ORDER BY position")]
    [(head,)] = rows(store, "SELECT position FROM ledger_head")
    assert positions == list(range(1, head + 1))
    [(documents,)] = rows(store, "SELECT count(*) FROM documents")
    [(receipts,)] = rows(store, "SELECT count(*) FROM receipts")
    assert documents == receipts
    assert documents == len(positions) - 1, "a book's opening is two events, every other document is one"


def test_an_import_that_is_killed_and_run_again_ends_as_one_that_was_not(
    books: Any, more_books: Callable[..., Any], tmp_path: Path
) -> None:
    rng = Random(20250131)
    write_table(tmp_path, rng)
    whole = more_books("whole")
    whole.ledger.close()
    process = start(whole.location, tmp_path)
    process.communicate(timeout=120)
    assert process.returncode == 0

    books.ledger.close()
    seen = []
    for _ in range(KILLS):
        process = start(books.location, tmp_path)
        assert process.stdout is not None
        for _ in range(rng.randrange(1, DOCUMENTS // BATCH // 2)):
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode < 0, "it was to be killed while at work"
        assert_sound(books.location)
        seen += rows(books.location, "SELECT count(*) FROM events")
    assert seen[0][0] < DOCUMENTS // 2

    process = start(books.location, tmp_path)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert not list(tmp_path.glob("tieout-import-*")), "the last run has swept up after those that were killed"
    assert_sound(books.location)
    # The order may differ, since what an interrupted run had booked is not booked again: the content may not.
    for query in (
        "SELECT originator_id, topic, state FROM events ORDER BY state",
        "SELECT source, source_id, digest, origin FROM receipts ORDER BY source_id",
        "SELECT book, document, digest FROM documents ORDER BY document",
        "SELECT code, source_id, origin, status FROM quarantine ORDER BY source_id",
    ):
        assert rows(books.location, query) == rows(whole.location, query)
    assert len(rows(books.location, "SELECT 1 FROM documents")) == 1 + DOCUMENTS - DOCUMENTS // 100
