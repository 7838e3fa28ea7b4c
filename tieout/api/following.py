"""Following the log: the events as they go out to Kafka too, page by page or as they happen (Server-Sent Events).

Only events of books that the credential may read; the position of an answer is how far was looked, so whoever goes on
from it misses nothing. A follower that breaks off sends the last id that it had (``Last-Event-ID``) and goes on there.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET, Meta, UnsetType
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from domain.fields import Position
from ledger.outcomes import token
from projections.answers import AsOf
from projections.outbound.events import CloudEvent
from projections.outbound.outgoing import outgoing
from projections.reader import Reader
from tieout.api import schemas
from tieout.api.answering import POSITION
from tieout.api.asking import TOKEN, BookPath, Currency, Customer, Document, Page
from tieout.api.forms import JSON, JSON_LINES, chosen_of
from tieout.api.lists import key_of
from tieout.api.pages import Key, Rows, listed
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Role
from tieout.api.service import Service, position

STREAM = "text/event-stream"
AT_ONCE = 500
"""Events of the log that are looked at in one go."""
REST_SECONDS = 0.5
"""Between two looks at a log that has not grown."""
ALIVE_SECONDS = 15.0
"""Between two signs of life to a follower while nothing happens; less than what lies between waits for."""

_encode = msgspec.json.Encoder().encode


class EventsAsked(BaseModel):
    """From where on."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(
        "0:0",
        pattern=TOKEN,
        description="Events after this log position; from the beginning without it. `Last-Event-ID` wins.",
        examples=["0:120"],
    )
    limit: int = Field(100, ge=1, le=1_000, description="Events of a page.")
    book: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="Only of this book.")


class AccountEventsAsked(Page):
    """Which events of a book."""

    customer: Customer | None = None
    currency: Currency | None = None
    document: Document | None = None


class Seen(msgspec.Struct):
    """What was found in a part of the log: events, how far it was looked, and where the log ended."""

    events: list[CloudEvent]
    position: int
    head: int


class PublicEvent(msgspec.Struct, kw_only=True):
    """A CloudEvent 1.0, as it goes to Kafka too; the schema of ``data`` is that of its type (AsyncAPI document)."""

    specversion: Annotated[str, Meta(description="1.0.")]
    id: Annotated[str, Meta(description="The event's own for ever: the same id again is a repeat.")]
    source: Annotated[str, Meta(description="tieout/<book>.")]
    type: Annotated[str, Meta(description="What was booked, such as tieout.invoice-issued.v1.")]
    subject: Annotated[str, Meta(description="The document that it enters, reverses or is about.")] | UnsetType = UNSET
    time: Annotated[str, Meta(description="When it was booked, UTC; never back within a source.")]
    datacontenttype: Annotated[str, Meta(description="application/json.")]
    position: Position
    partitionkey: Annotated[str, Meta(description="<book>:<customer>, or <book>.")]
    data: Annotated[dict[str, Any], Meta(description="By the schema that type names.")]


_SEEN = schemas.of_seen(PublicEvent, (STREAM, JSON_LINES))


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["events"])
    routes.add_api_route(
        "/v1/events",
        events,
        methods=["GET"],
        dependencies=[permitted(Role.READER, somewhere=True)],
        operation_id="list-events",
        summary="The log from a position on, as CloudEvents",
        responses=_SEEN,
    )
    routes.add_api_route(
        "/v1/books/{book}/events",
        account_events,
        methods=["GET"],
        dependencies=[permitted(Role.READER)],
        operation_id="list-book-events",
        summary="Events of a book, an account or a document, as CloudEvents",
        responses=schemas.of_rows(PublicEvent),
    )
    return routes


async def account_events(request: Request, book: BookPath, asked: Annotated[AccountEventsAsked, Query()]) -> Response:
    """In log order; what is not published (rates, control totals, authorities) is left out."""
    service: Service = request.app.state.service
    await service.require_book(book)

    def after(reader: Reader, at: AsOf, key: Key | None, limit: int) -> Sequence[CloudEvent]:
        found = reader.events(book, asked.customer, asked.currency, asked.document, key or 0, at)
        events = (event for _, event in outgoing(found, reader.event) if event is not None)
        return list(islice(events, limit))

    return await listed(request, asked, Rows(CloudEvent, key_of, after))


async def events(request: Request, asked: Annotated[EventsAsked, Query()]) -> Response:
    """As JSON by the page; as `text/event-stream` or JSON lines without end, each event as soon as it is booked."""
    service: Service = request.app.state.service
    form = chosen_of(request, (JSON, STREAM, JSON_LINES))
    after = position(request.headers.get("last-event-id") or asked.after, "after")
    books = _books(request, asked.book)
    limit = asked.limit if form == JSON else AT_ONCE
    seen = await service.ask(partial(look, books=books, after=after, limit=limit, upto=AT_ONCE))
    if form != JSON:
        lines = _followed(service, books, seen, form)
        return StreamingResponse(lines, media_type=form, headers={"X-Accel-Buffering": "no"})
    body = {"data": seen.events, "next": token(seen.position), "has_more": seen.position < seen.head}
    return Response(_encode(body), headers={POSITION: token(seen.position)}, media_type=JSON)


def _books(request: Request, book: str | None) -> frozenset[str] | None:
    """The books whose events are shown, None for all."""
    allowed: frozenset[str] | None = request.state.principal.books(Role.READER)
    if book is None:
        return allowed
    if allowed is not None and book not in allowed:
        raise Problem(ApiCode.ROLE, roles=[Role.READER.value], book=book)
    return frozenset((book,))


def look(reader: Reader, books: frozenset[str] | None, after: int, limit: int, upto: int) -> Seen:
    """Events after a position: so many at most, within so many of the log. Raises ``Problem`` where that is not so long.

    Whoever went on from there all the same, after a backup was restored say, would miss what is booked up to it.
    """
    head = reader.head()
    if after > head:
        raise Problem(ApiCode.KNOWN, parameter="after")
    found: list[CloudEvent] = []
    at = after
    last = min(at + upto, head)
    for logged, event in outgoing(reader.logged(at, last), reader.event):
        if len(found) == limit:
            return Seen(found, at, head)
        at = logged.position
        if event is not None and (books is None or logged.book in books):
            found.append(event)
    return Seen(found, last, head)


async def _followed(service: Service, books: frozenset[str] | None, seen: Seen, form: str) -> AsyncIterator[bytes]:
    """Events without end from what was seen on, until the client has gone or the server stops."""
    silent = 0.0
    if form == STREAM:
        # How soon a browser tries again.
        yield b"retry: 1000\n\n"
    while not service.is_stopping:
        if seen.events:
            silent = 0.0
            yield b"".join(_written(seen.events, form))
        if seen.position == seen.head:
            if silent >= ALIVE_SECONDS:
                silent = 0.0
                yield f": {token(seen.position)}\n\n".encode() if form == STREAM else b"\n"
            await asyncio.sleep(REST_SECONDS)
            silent += REST_SECONDS
        seen = await service.ask(partial(look, books=books, after=seen.position, limit=AT_ONCE, upto=AT_ONCE))


def _written(events: list[CloudEvent], form: str) -> Iterator[bytes]:
    for event in events:
        if form == STREAM:
            yield b"id: %b\nevent: %b\ndata: %b\n\n" % (event.position.encode(), event.type.encode(), _encode(event))
        else:
            yield _encode(event) + b"\n"
