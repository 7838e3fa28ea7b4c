"""From an origin back to the rows of the file it names.

An origin of a file import is ``file:<sha256>:<lines>``, lines as numbers and ranges with commas between; a very long
list ends in ``+<n> more``. A file is taken for the origin only if it has that digest, to the byte. The lines of a packed
file are those of what is in it; those of a Parquet file are its rows, counted from 1.
"""

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tieout.errors import NotFound, UsageFault


def rows_behind(origins: Iterable[str], file: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of each line of ``file`` that the origins name, ascending.

    Raises ``NotFound`` where none of them came from a file, ``UsageFault`` where none came from this one.
    """
    named = [origin for origin in origins if origin.startswith("file:")]
    if not named:
        raise NotFound("error.no_rows", path=file)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    wanted: set[int] = set()
    for origin in named:
        _, of, lines = origin.split(":", 2)
        if of == digest:
            wanted |= set(line_numbers(lines))
    if not wanted:
        raise UsageFault("error.file_is_not_origin", path=file, digest=digest)
    return _lines(file, wanted)


def line_numbers(text: str) -> Iterator[int]:
    """The numbers of ``3,7-9`` in order; what ``+<n> more`` stands for is not known."""
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            yield from range(int(first), int(last or first) + 1)


def _lines(file: Path, wanted: set[int]) -> Iterator[tuple[int, str]]:
    if file.suffix.lower() == ".parquet":
        yield from _parquet_rows(file, wanted)
        return
    last = max(wanted)
    with gzip.open(file) if file.suffix.lower() == ".gz" else file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if number in wanted:
                yield number, line.rstrip(b"\r\n").decode("utf-8", "replace")
            if number >= last:
                return


def _parquet_rows(file: Path, wanted: set[int]) -> Iterator[tuple[int, str]]:
    import duckdb

    query = """SELECT file_row_number + 1 AS line, to_json(columns) FROM
        (SELECT file_row_number, struct_pack(*COLUMNS(* EXCLUDE file_row_number)) AS columns
         FROM read_parquet(?, file_row_number = true)) WHERE list_contains(?, file_row_number + 1) ORDER BY line"""
    with duckdb.connect() as connection:
        yield from connection.execute(query, [str(file), sorted(wanted)]).fetchall()
