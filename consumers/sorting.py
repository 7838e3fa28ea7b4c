"""Rows of one document brought together, however far apart they stand in the file, within bounded memory.

Rows are written to a spool file and sorted by DuckDB, which spills to disk. Documents come by accounting day, then by
their first line; the rows of a document by day and content, so that nothing derived from them depends on their order in
the file.
"""

import fcntl
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import duckdb
import msgspec

_PREFIX = "tieout-import-"
_BUFFERED = 5000
_PAGE = 5000
_ROW_LIMIT = 1_000_000
"""Bytes of a row's cells; no honest row comes near it, and DuckDB takes no line of 2 MB."""
_CUT = 1000
MEMORY_LIMIT = "256MB"
# The spool's delimiter is a control character: JSON text never holds one, so nothing needs quoting.
_LOAD = """CREATE TABLE rows AS SELECT * FROM read_csv(?, delim = '\x1f', quote = '', escape = '', header = false,
    auto_detect = false, nullstr = '\x1e',
    columns = {'day': 'VARCHAR', 'key': 'VARCHAR', 'line': 'BIGINT', 'fits': 'BOOLEAN', 'cells': 'VARCHAR'})"""
_SORTED = """SELECT rows.key, rows.line, rows.fits, rows.cells
    FROM rows JOIN (SELECT key, min(day) AS day, min(line) AS line FROM rows GROUP BY key) first USING (key)
    ORDER BY first.day, first.line, rows.day, rows.cells, rows.line"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[str]).decode


class Gathered(NamedTuple):
    """The rows of one document: line numbers and cells, in order of content; ``fits``: all of them fit the header."""

    lines: list[int]
    rows: list[list[str]]
    fits: bool


class Spool:
    """Takes rows in any order, gives documents. A context manager that leaves nothing behind."""

    def __init__(self) -> None:
        _sweep()
        self._folder = TemporaryDirectory(prefix=_PREFIX)
        self._lock = _locked(Path(self._folder.name))
        self._path = Path(self._folder.name) / "rows"
        self._file = self._path.open("wb")
        self._buffer: list[bytes] = []
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()
        self._folder.cleanup()
        self._lock.close()

    def put(self, day: str, key: list[Any], line: int, cells: Sequence[str], fits: bool = True) -> None:
        """Keep a row: its day as ISO text, what tells its document from others, its line and its cells."""
        content = _encode(cells)
        if len(content) > _ROW_LIMIT:
            content, fits = _encode([cell[:_CUT] for cell in cells]), False
        self._buffer.append(
            b"%s\x1f%s\x1f%d\x1f%s\x1f%s\n" % (day.encode(), _encode(key), line, b"true" if fits else b"false", content)
        )
        self.rows += 1
        if len(self._buffer) >= _BUFFERED:
            self._flush()

    def documents(self) -> Iterator[Gathered]:
        """The documents, once, after the last row was put."""
        self._flush()
        self._file.close()
        if not self.rows:
            return
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": f"{self._folder.name}/spill",
            "preserve_insertion_order": False,
        }
        with duckdb.connect(f"{self._folder.name}/sorted", config=config) as connection:
            connection.execute("SET enable_progress_bar = false")
            connection.execute(_LOAD, [str(self._path)])
            self._path.unlink()
            yield from _gathered(connection.execute(_SORTED))

    def _flush(self) -> None:
        self._file.writelines(self._buffer)
        self._buffer.clear()


def _gathered(result: duckdb.DuckDBPyConnection) -> Iterator[Gathered]:
    """Rows that are sorted, put together by their key."""
    at: str | None = None
    lines: list[int] = []
    rows: list[list[str]] = []
    whole = True
    while page := result.fetchmany(_PAGE):
        for key, line, fits, cells in page:
            if key != at:
                if lines:
                    yield Gathered(lines, rows, whole)
                at, lines, rows, whole = key, [], [], True
            lines.append(line)
            rows.append(_decode(cells))
            whole = whole and fits
    if lines:
        yield Gathered(lines, rows, whole)


def _locked(folder: Path) -> IO[bytes]:
    """A lock that says that the folder is in use, for as long as this process lives."""
    lock = (folder / "locking").open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX)
    # It gets its name only now, so that nobody finds it unlocked.
    (folder / "locking").rename(folder / "lock")
    return lock


def _sweep() -> None:
    """Remove what imports have left that were killed."""
    for path in Path(gettempdir()).glob(f"{_PREFIX}*/lock"):
        try:
            with path.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path.parent, ignore_errors=True)
        except OSError:
            # In use, gone by now, or not ours.
            continue
