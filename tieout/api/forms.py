"""The forms in which a list comes, by ``Accept`` (RFC 9110, section 12.5.1): JSON by the page, or the whole of it streamed.

In tables what is no number, truth, text or date is a column of JSON text. In CSV a text that a spreadsheet would take for a
formula has an apostrophe before it.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from starlette.requests import Request

from tieout.api.problems import ApiCode, Problem

JSON = "application/json"
JSON_LINES = "application/x-ndjson"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"

Pages = AsyncIterator[Sequence[msgspec.Struct]]

_NATIVE = (bool, int, str, date, datetime)
_encode = msgspec.json.Encoder().encode


def chosen(request: Request) -> str:
    """The form that a request accepts best; of equal ones the first of ours. Raises ``Problem``."""
    return chosen_of(request, (JSON, *FORMS))


def accepts_json(request: Request) -> bool:
    """Whether a request plainly takes JSON; any other is looked at more closely."""
    for name, value in request.scope["headers"]:
        if name == b"accept":
            return value in (b"*/*", b"application/json")
    return True


def chosen_of(request: Request, offered: Sequence[str]) -> str:
    """The same among forms that are offered, the first of which is the usual one."""
    accept = request.headers.get("accept", "*/*")
    quality = {form: _quality(accept, form) for form in offered}
    best = max(offered, key=lambda form: quality[form])
    if quality[best] == 0:
        raise Problem(ApiCode.ACCEPTABLE, parameter="Accept", offered=list(offered))
    return best


def _quality(accept: str, form: str) -> float:
    """How much a form is wanted, by the most specific range that names it."""
    kind = form.partition("/")[0]
    found = {-1: 0.0}
    for part in accept.split(","):
        name, *parameters = (one.strip().lower() for one in part.split(";"))
        if name in (form, f"{kind}/*", "*/*"):
            weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
            specific = 2 if name == form else int(name != "*/*")
            try:
                found[specific] = float(weight)
            except ValueError:
                found[specific] = 0.0
    return found[max(found)]


async def json_lines(_: type[msgspec.Struct], pages: Pages) -> AsyncIterator[bytes]:
    """A record a line."""
    async for page in pages:
        yield b"".join(_encode(row) + b"\n" for row in page)


async def comma_separated(type_: type[msgspec.Struct], pages: Pages) -> AsyncIterator[bytes]:
    """RFC 4180 with a header, UTF-8."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    columns = list(_columns(type_))
    writer.writerow(columns)
    async for page in pages:
        writer.writerows([_cell(value) for value in _flat(row, columns)] for row in page)
        yield sink.getvalue().encode()
        sink.seek(0)
        sink.truncate()
    yield sink.getvalue().encode()


async def arrow(type_: type[msgspec.Struct], pages: Pages) -> AsyncIterator[bytes]:
    """The stream format of Arrow, a batch a page."""
    import pyarrow

    schema, sink = _schema(type_), _Sink()
    with pyarrow.ipc.new_stream(sink, schema) as writer:
        yield sink.taken()
        async for page in pages:
            writer.write_batch(_batch(page, schema))
            yield sink.taken()
    yield sink.taken()


async def parquet(type_: type[msgspec.Struct], pages: Pages) -> AsyncIterator[bytes]:
    """A Parquet file, a row group a page."""
    from pyarrow.parquet import ParquetWriter

    schema, sink = _schema(type_), _Sink()
    with ParquetWriter(sink, schema, compression="zstd") as writer:
        async for page in pages:
            writer.write_batch(_batch(page, schema))
            yield sink.taken()
    yield sink.taken()


FORMS: dict[str, Callable[[type[msgspec.Struct], Pages], AsyncIterator[bytes]]] = {
    JSON_LINES: json_lines,
    CSV: comma_separated,
    ARROW: arrow,
    PARQUET: parquet,
}
"""Media type → how rows become bytes."""


class _Sink(io.RawIOBase):
    """A file that is given away as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def tell(self) -> int:
        return self._at

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _columns(type_: type[msgspec.Struct]) -> dict[str, type]:
    """Column → its type: a native one, or ``dict`` for what becomes JSON."""
    hints = get_type_hints(type_)
    return {name: _native(hints[name]) for name in type_.__struct_fields__}


def _native(hint: Any) -> type:
    if get_origin(hint) in (Union, UnionType):
        [hint, *others] = [one for one in get_args(hint) if one not in (type(None), msgspec.UnsetType)]
        if others:
            return dict
    if isinstance(hint, type) and issubclass(hint, str):
        return str
    if hint in _NATIVE:
        found: type = hint
        return found
    values = get_args(hint)
    return str if values and all(isinstance(value, str) for value in values) else dict


def _flat(row: msgspec.Struct, columns: Sequence[str]) -> Iterator[Any]:
    for name in columns:
        value = getattr(row, name)
        if value is None or value is msgspec.UNSET:
            yield None
        else:
            yield value if isinstance(value, _NATIVE) else _encode(value).decode()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else value


def _schema(type_: type[msgspec.Struct]) -> Any:
    import pyarrow

    arrow_of = {
        bool: pyarrow.bool_(),
        int: pyarrow.int64(),
        date: pyarrow.date32(),
        datetime: pyarrow.timestamp("us", tz="UTC"),
    }
    return pyarrow.schema([(name, arrow_of.get(kind, pyarrow.string())) for name, kind in _columns(type_).items()])


def _batch(page: Sequence[msgspec.Struct], schema: Any) -> Any:
    import pyarrow

    columns = zip(*(tuple(_flat(row, schema.names)) for row in page), strict=True)
    arrays = [pyarrow.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)]
    return pyarrow.record_batch(arrays, schema=schema)
