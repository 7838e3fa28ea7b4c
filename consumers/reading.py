"""Rows of a file, whatever its format: line number and the cells of the columns that the mapping names, as text.

Nothing is guessed and nothing converted. A row that does not fit the header is handed on as such, with whatever cells
it has; a file that cannot be read at all is ``ImportFailed``, before anything is booked.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from operator import itemgetter
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import duckdb

from consumers.mapping import Source
from consumers.problems import ImportFailed

Format = Literal["csv", "parquet", "jsonl"]
_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
MALFORMED_LIMIT = 1000
"""Rows that may not fit the header before it is the header, or the delimiter, that is wrong."""
_OTHER_ENCODINGS = ("gb18030", "cp1252")


class Row(NamedTuple):
    """A row: the line on which it begins, its cells in the order asked for, and whether it fits the header.

    ``stray``: of a row that does not fit, the cells that may be the number of its document.
    """

    line: int
    cells: Sequence[str]
    fits: bool = True
    stray: Sequence[str] = ()


def format_of(path: Path, source: Source | None = None) -> Format:
    """The format of a file, by the mapping or by its name; raises ``ImportFailed``."""
    if source is not None and source.format is not None:
        return source.format
    suffixes = path.suffixes[-2:]
    suffix = suffixes[0] if len(suffixes) == 2 and suffixes[1].lower() == ".gz" else path.suffix
    found = _SUFFIXES.get(suffix.lower())
    if found is None:
        raise ImportFailed("file_format_must_be_known", file=path.name)
    return found


def read_rows(path: Path, source: Source, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table, with the cells of these columns, the first of which has the number of the document.

    Raises ``ImportFailed``, before the first row where the header is wrong.
    """
    format_ = format_of(path, source)
    with failing(path):
        if format_ == "parquet":
            yield from _parquet(path, columns)
        elif format_ == "jsonl":
            yield from _json_lines(path, columns)
        else:
            yield from _csv(path, source, columns)


@contextmanager
def failing(path: Path) -> Iterator[None]:
    """Errors of the file system, of gzip and of Parquet as ``ImportFailed``."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error, duckdb.Error) as error:
        raise ImportFailed("file_must_be_whole", file=path.name, why=_first_line(error)) from None
    except OSError as error:
        raise ImportFailed("file_must_be_readable", file=path.name, why=error.strerror or error) from None


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked if it is gzipped."""
    if path.suffix.lower() == ".gz":
        with gzip.open(path, "rb") as packed:
            yield packed  # type: ignore[misc]
    else:
        with path.open("rb") as plain:
            yield plain


# --- CSV


def _csv(path: Path, source: Source, columns: Sequence[str]) -> Iterator[Row]:
    encoding = "utf-8-sig" if source.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else source.encoding
    with open_bytes(path) as raw, TextIOWrapper(raw, encoding, newline="") as stream:
        at = _At()
        try:
            yield from _csv_rows(path, stream, source, columns, at)
        except UnicodeError:
            hint = _encoding_hint(path, source.encoding)
            raise ImportFailed(
                "text_must_be_in_encoding", file=path.name, line=at.line, encoding=source.encoding, hint=hint
            ) from None


class _At:
    """The line that was read last, for messages."""

    line = 0


def _csv_rows(path: Path, stream: IO[str], source: Source, columns: Sequence[str], at: _At) -> Iterator[Row]:
    delimiter = source.delimiter or ("\t" if ".tsv" in path.suffixes else ",")
    pending: list[str] = []

    def lines() -> Iterator[str]:
        for line in stream:
            pending.append(line)
            yield line

    text = lines()
    # Skipped as they stand: what is above the header need not be CSV.
    for _ in range(source.skip_lines):
        next(text, None)
    reader = csv.reader(
        text,
        delimiter=delimiter,
        quotechar=source.quote or None,
        quoting=csv.QUOTE_MINIMAL if source.quote else csv.QUOTE_NONE,
        strict=True,
    )
    header = _header(path, reader)
    check_columns(path, header, columns, delimiter)
    places = [header.index(column) for column in columns]
    # A single place would give the cell itself.
    pick = itemgetter(*places) if len(places) > 1 else lambda cells: [cells[places[0]]]
    width, bad = len(header), 0
    while True:
        first, at.line = source.skip_lines + reader.line_num + 1, source.skip_lines + reader.line_num
        pending.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells = _torn(path, "".join(pending), first, str(error), source, delimiter)
            fits = False
        else:
            fits = len(cells) == width
        if fits:
            picked = [cell.strip() for cell in pick(cells)]
            if any(picked) or any(map(str.strip, cells)):
                yield Row(first, picked)
        elif any(map(str.strip, cells)):
            bad += 1
            if bad > MALFORMED_LIMIT:
                raise ImportFailed("rows_must_fit_header", file=path.name, bad=bad, columns=width, line=first)
            # A delimiter too much shifts what stands behind it, so a number that does not stand first may be anywhere.
            stray = [cell.strip() for cell in cells] if places[0] else ()
            yield Row(first, [cell.strip() for cell in pick([*cells, *[""] * width])], False, stray)


def _header(path: Path, reader: Any) -> list[str]:
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                return [cell.strip() for cell in cells]
    except csv.Error:
        pass
    raise ImportFailed("header_must_be_there", file=path.name)


def check_columns(path: Path, header: Sequence[str], columns: Sequence[str], delimiter: str | None = None) -> None:
    """Raises ``ImportFailed`` if a column is missing, or is there twice."""
    missing = [column for column in columns if column not in header]
    if missing:
        hint = ""
        other = next((mark for mark in ";\t|," if len(header) == 1 and mark != delimiter and mark in header[0]), None)
        if other is not None and delimiter is not None:
            hint = f", or set `delimiter` in [source]: the header has {other!r}, not {delimiter!r}"
        raise ImportFailed(
            "columns_must_be_there", file=path.name, missing=", ".join(missing), present=", ".join(header), hint=hint
        )
    for column in columns:
        if header.count(column) > 1:
            raise ImportFailed("columns_must_be_unique", file=path.name, column=column, times=header.count(column))


def _torn(path: Path, text: str, line: int, why: str, source: Source, delimiter: str) -> list[str]:
    """The cells of a row with stray quotes, as far as they can be told; raises where a quote swallowed the rest."""
    if "field limit" in why or "unexpected end" in why:
        raise ImportFailed("quotes_must_be_closed", file=path.name, line=line)
    return [cell.strip().strip(source.quote) for cell in text.rstrip("\r\n").split(delimiter)]


def _encoding_hint(path: Path, encoding: str) -> str:
    """Another encoding that the beginning of the file can be read in, if there is one."""
    with open_bytes(path) as raw:
        sample = raw.read(1 << 20)
    # The last character of the sample may be cut in two.
    sample = sample[: sample.rfind(b"\n") + 1] or sample
    for other in _OTHER_ENCODINGS:
        if other != encoding:
            try:
                sample.decode(other)
            except UnicodeError:
                continue
            return f" (perhaps {other})"
    return ""


# --- JSON lines and Parquet


def _json_lines(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Rows that are JSON objects. Numbers keep the text that they are written with."""
    seen: dict[str, None] = {}
    bad = 0
    with open_bytes(path) as stream:
        for line, text in enumerate(stream, 1):
            text = text.removeprefix(b"\xef\xbb\xbf").strip() if line == 1 else text.strip()
            if not text:
                continue
            row = _json_row(text)
            if row is not None:
                seen.update(dict.fromkeys(row))
                yield Row(line, [_as_text(row.get(column)) for column in columns])
                continue
            bad += 1
            if bad > MALFORMED_LIMIT:
                raise ImportFailed("rows_must_fit_header", file=path.name, bad=bad, columns=len(seen), line=line)
            yield Row(line, [""] * len(columns), False)
    if seen:
        check_columns(path, list(seen), columns)


def _json_row(text: bytes) -> dict[str, Any] | None:
    try:
        row = _JSON.decode(text.decode("utf-8"))
        if b"\\u" in text:
            # Half of a surrogate pair is valid JSON, but no text.
            "".join(map(str, row.values())).encode()
    except (ValueError, RecursionError, AttributeError):
        return None
    return row if isinstance(row, dict) and not any(isinstance(v, dict | list) for v in row.values()) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


_JSON = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_unique)


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return str(value).strip() if isinstance(value, str) else str(value).lower()


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Rows of a Parquet file, cast to text by DuckDB; the line is the row's number from 1."""
    with duckdb.connect(config={"memory_limit": "256MB", "threads": 1}) as connection:
        connection.execute("SET enable_progress_bar = false")
        file = str(path).replace("'", "''")
        header = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM read_parquet('{file}')").fetchall()]
        check_columns(path, header, columns)
        names = ", ".join(f"coalesce(trim(\"{name.replace(chr(34), chr(34) * 2)}\"::VARCHAR), '')" for name in columns)
        result = connection.execute(
            f"SELECT file_row_number + 1, {names} FROM read_parquet('{file}', file_row_number = true)"
        )
        while rows := result.fetchmany(2000):
            for line, *cells in rows:
                if any(cells):
                    yield Row(line, cells)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
