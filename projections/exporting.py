"""The log as Parquet files, for engines that read everything: replay and analytics beside the database.

A file holds a range of log positions and never changes once its range is full, as the log never does: an export that is
made again adds what is new. The columns are those of the stored events, bodies as JSON text; postings and documents are
found in them by any engine's JSON functions (docs/scaling.md). No customer's name or address is in the log.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import msgspec

from ledger.database import Connection, Location, connect
from ledger.store import check
from projections import log
from projections.pages import PAGE, Progress

PER_FILE = 1_000_000
"""Events a file: some tens of megabytes."""
_COLUMNS = (
    "{shard: 'SMALLINT', position: 'BIGINT', stream: 'VARCHAR', version: 'INTEGER', topic: 'VARCHAR',"
    " recorded_us: 'BIGINT', body: 'VARCHAR'}"
)
_WRITE = f"""COPY (SELECT shard, position, stream, version, topic, make_timestamptz(recorded_us) AS recorded_at, body
    FROM read_json(?, format = 'newline_delimited', columns = {_COLUMNS}) ORDER BY position)
    TO '{{into}}' (FORMAT parquet, COMPRESSION zstd)"""
_ROWS = """SELECT position, originator_id, originator_version, topic, recorded_us, state FROM events
    WHERE position > ? AND position <= ? ORDER BY position"""


class _Row(msgspec.Struct):
    shard: int
    position: int
    stream: str
    version: int
    topic: str
    recorded_us: int
    body: str


def export(
    location: Location, folder: Path, progress: Progress | None = None, *, per_file: int = PER_FILE
) -> list[Path]:
    """Bring a folder of Parquet files up to the head of the log; the files that were written.

    Made again it writes only what is new: files whose range is full are left as they are. Each appears whole or not at
    all. Raises ``StoreMissing`` or ``StoreOutdated``, or ``OSError`` where the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with closing(connect(check(location), read_only=True)) as connection:
        head = log.head(connection)
        for start in range(0, head, per_file):
            file = folder / _name(start, min(start + per_file, head))
            if not file.exists():
                _write(connection, file, start, min(start + per_file, head))
                written.append(file)
                # What the range had before it went on.
                for older in folder.glob(f"events-{start + 1:015}-*.parquet"):
                    if older != file:
                        older.unlink()
            if progress is not None:
                progress(min(start + per_file, head), head)
    return written


def _name(after: int, upto: int) -> str:
    return f"events-{after + 1:015}-{upto:015}.parquet"


def _write(connection: Connection, file: Path, after: int, upto: int) -> None:
    encode = msgspec.json.Encoder().encode
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".export-") as folder:
        lines, made = Path(folder, "events.jsonl"), Path(folder, "events.parquet")
        with lines.open("wb") as into:
            for row in _rows(connection, after, upto):
                into.write(encode(row))
                into.write(b"\n")
        with duckdb.connect() as engine:
            quoted = str(made).replace("'", "''")
            engine.execute(_WRITE.replace("{into}", quoted), [str(lines)])
        os.replace(made, file)


def _rows(connection: Connection, after: int, upto: int) -> Iterator[_Row]:
    for start in range(after, upto, PAGE):
        for position, stream, version, topic, recorded_us, state in connection.fetch(
            _ROWS, (start, min(start + PAGE, upto))
        ):
            yield _Row(0, position, stream, version, topic, recorded_us, bytes(state).decode())
