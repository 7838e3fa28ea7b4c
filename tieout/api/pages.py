"""Lists: pages of JSON by cursor, or all of it as it is read, as JSON lines, CSV, Arrow or Parquet.

A cursor holds the log position of the first page and the key of the last row. All pages are answers of that position,
as it was known then, so no row is skipped or doubled while data arrives; and since it is a key that they go on from,
each costs what the first one did. What is streamed is such pages one after the other: no transaction stays open.
"""

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ledger.outcomes import token
from projections.answers import AsOf
from projections.reader import Reader
from tieout.api.answering import POSITION, Ready
from tieout.api.asking import Asked, Page
from tieout.api.forms import FORMS, JSON, chosen
from tieout.api.problems import ApiCode, Problem
from tieout.api.service import Service

Key = Any
"""Where a page goes on: the key of the last row of the one before, made of what JSON has."""
_encode = msgspec.json.Encoder().encode
AT_ONCE = 1_000
"""Rows in memory while a list is streamed."""


class Rows(NamedTuple):
    """A list: the type of its rows, the key of one, and the rows after a key, so many at most."""

    type: type[msgspec.Struct]
    key: Callable[[Any], Key]
    after: Callable[[Reader, AsOf, Key | None, int], Sequence[Any]]


class _Cursor(msgspec.Struct, array_like=True):
    position: int
    key: Key
    mark: str


async def listed(request: Request, asked: Page, rows: Rows) -> Response:
    """A page, or the whole list, in the form that the request accepts. Raises ``Problem``."""
    form = chosen(request)
    service: Service = request.app.state.service
    cursor = _read(request, asked, asked.cursor) if asked.cursor is not None else None
    limit = asked.limit if form is JSON else AT_ONCE

    async def page(position: int | None, key: Key | None) -> tuple[AsOf, Sequence[Any]]:
        def answered(reader: Reader) -> tuple[AsOf, Sequence[Any]]:
            as_of = asked.moment(reader)
            if position is not None and position > reader.position:
                raise Problem(ApiCode.CURSOR, parameter="cursor")
            known = as_of.position if position is None else position
            pinned = AsOf(as_of.effective_on, reader.position if known is None else known)
            return pinned, rows.after(reader, pinned, key, limit + 1)

        return await service.ask(answered, asked.min_position)

    as_of, first = await (page(None, None) if cursor is None else page(cursor.position, cursor.key))
    assert as_of.position is not None
    if form is JSON:
        return page_of(request, asked, rows.key, first, as_of.position)
    headers = {POSITION: token(as_of.position), "Vary": "Accept"}
    body = _streamed(rows, first, as_of.position, page)
    return StreamingResponse(FORMS[form](rows.type, body), headers=headers, media_type=form)


async def one(
    request: Request,
    asked: Asked,
    question: Callable[[Reader, AsOf], Any],
    headers: Callable[[Any], dict[str, str]] | None = None,
) -> Response:
    """An answer that is one record, or None where what is asked about is not there. Raises ``Problem``."""
    service: Service = request.app.state.service

    def answered(reader: Reader) -> tuple[int, Any]:
        as_of = asked.moment(reader)
        return reader.position if as_of.position is None else as_of.position, question(reader, as_of)

    position, found = await service.ask(answered, asked.min_position)
    if found is None:
        raise Problem(ApiCode.FOUND)
    return record(found, position, headers(found) if headers is not None else None)


def record(found: Any, position: int, headers: dict[str, str] | None = None) -> Response:
    """One record as a response."""
    body = msgspec.json.encode({"data": found, "position": token(position)})
    return Response(body, headers={POSITION: token(position), **(headers or {})}, media_type=JSON)


def page_of(request: Request, asked: Page, key: Callable[[Any], Key], found: Sequence[Any], position: int) -> Response:
    """A page of JSON of the rows that were found at a position, one more than it has where there are more."""
    page, has_more = found[: asked.limit], len(found) > asked.limit
    at = token(position)
    headers = [(b"content-type", b"application/json"), (b"tieout-position", at.encode()), (b"vary", b"Accept")]
    following = None
    if has_more:
        following = _write(request, asked, position, key(page[-1]))
        query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        link = f'<{request.url.path}?{urlencode([*query, ("cursor", following)])}>; rel="next"'
        headers.append((b"link", link.encode("latin-1")))
    return Ready(200, headers, _encode({"data": page, "next": following, "position": at}))


async def _streamed(
    rows: Rows,
    first: Sequence[Any],
    position: int,
    page: Callable[[int, Key], Awaitable[tuple[AsOf, Sequence[Any]]]],
) -> AsyncIterator[Sequence[Any]]:
    found = first
    while len(found) > AT_ONCE:
        yield found[:AT_ONCE]
        _, found = await page(position, rows.key(found[AT_ONCE - 1]))
    if found:
        yield found


def _mark(request: Request, asked: Page, position: int, key: Key) -> str:
    """Of what a cursor says, and is of: the path, and all parameters but those that choose the page.

    No secret: it finds what was mixed up or broken. Who makes one up sees nothing that he could not ask for.
    """
    said = asked.model_dump(mode="json", exclude={"cursor", "limit", "min_position"}, exclude_none=True)
    return sha256(msgspec.json.encode([request.url.path, said, position, key], order="sorted")).hexdigest()[:16]


def _write(request: Request, asked: Page, position: int, key: Key) -> str:
    cursor = _Cursor(position, key, _mark(request, asked, position, key))
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def _read(request: Request, asked: Page, text: str) -> _Cursor:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        cursor = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=_Cursor)
    except (UnicodeError, binascii.Error, msgspec.DecodeError):
        raise Problem(ApiCode.CURSOR, parameter="cursor") from None
    if cursor.mark != _mark(request, asked, cursor.position, cursor.key):
        raise Problem(ApiCode.CURSOR, parameter="cursor")
    return cursor
