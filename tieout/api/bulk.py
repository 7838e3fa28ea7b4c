"""Many commands in one request: JSON lines or a JSON array, an outcome a line as they are booked.

The body is read as it comes, and booked some hundreds a commit; memory holds what has not been booked yet, and the
outcomes that the client has not taken yet. Outcomes do not hold up the reading: a client that sends all before it reads
anything would wait for ever otherwise. With ``atomic`` all are one commit, or none is booked.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from consumers.problems import Fault
from ledger.outcomes import FAILED, Entry, Outcome, Status, Submission
from tieout.api import intake, schemas
from tieout.api.allowed import fault_of
from tieout.api.answering import outcome_fields
from tieout.api.asking import BookPath
from tieout.api.failing import problem_of
from tieout.api.forms import JSON, JSON_LINES
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Principal, Role
from tieout.api.service import Service

COMMIT = 500
"""Commands a commit."""
MOST_ATOMIC = 5_000
"""Commands that are all or nothing: all of them are in memory at once."""
LONGEST = 1 << 20
"""Bytes of one command."""
_READ = (JSON_LINES, "application/jsonl", JSON)

_encode = msgspec.json.Encoder().encode


class BulkAsked(BaseModel):
    """How many commands are meant."""

    model_config = ConfigDict(extra="forbid")

    atomic: bool = Field(
        False, description=f"All or nothing; at most {MOST_ATOMIC} commands. By default each for itself."
    )


def router() -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["commands"])
    routes.add_api_route(
        "/_bulk",
        bulk,
        methods=["POST"],
        dependencies=[permitted(Role.POSTER)],
        operation_id="bulk",
        summary="Many commands, an outcome each",
        responses=schemas.of_lines(),
        openapi_extra={"x-tieout-bulk": True},
    )
    return routes


async def bulk(
    request: Request,
    book: BookPath,
    asked: Annotated[BulkAsked, Query()],
) -> Response:
    """Each line is a command with ``command`` and ``source_id``; the same again is answered as it was the first time.

    Without ``atomic`` the status is 200 whatever becomes of the lines: each says so itself. What was booked when the
    connection breaks stays booked; send the same body again.
    """
    media = request.headers.get("content-type", JSON_LINES).partition(";")[0].strip().lower()
    if media not in _READ:
        raise Problem(ApiCode.MEDIA, parameter="Content-Type", offered=list(_READ))
    service: Service = request.app.state.service
    await service.require_book(book)
    texts = _elements(request.stream()) if media == JSON else _lines(request.stream())
    batches = _batches(request, book, texts, MOST_ATOMIC + 1 if asked.atomic else COMMIT)
    if asked.atomic:
        return await _atomic(service, batches)
    try:
        # What is wrong with the beginning is still a problem with a status of its own.
        first = await anext(batches)
    except StopAsyncIteration:
        raise Problem(ApiCode.JSON, rule="a body must have a command at least") from None
    return _Unwatched(_booked(request, first, batches), media_type=JSON_LINES)


class _Unwatched(StreamingResponse):
    """A response that leaves the request to its own reader: listening for a client that goes, it would take its body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self.stream_response(send)


async def _atomic(service: Service, batches: AsyncIterator[Sequence[Any]]) -> Response:
    made = [one async for batch in batches for one in batch]
    if not made:
        raise Problem(ApiCode.JSON, rule="a body must have a command at least")
    if len(made) > MOST_ATOMIC:
        raise Problem(ApiCode.BODY_SIZE, limit=MOST_ATOMIC, rule=f"at most {MOST_ATOMIC} commands are one commit")
    if any(isinstance(one, Outcome) for one in made):
        outcomes = [one if isinstance(one, Outcome) else Outcome(Status.NOT_BOOKED) for one in made]
    else:
        outcomes = await service.desk.submit(made, whole=True)
    lines = [_fields(number, outcome) for number, outcome in enumerate(outcomes, 1)]
    if any(outcome.status in FAILED for outcome in outcomes):
        raise Problem(ApiCode.WHOLE, outcomes=lines)
    return Response(b"".join(_encode(line) + b"\n" for line in lines), media_type=JSON_LINES)


async def _booked(
    request: Request, first: Sequence[Any], batches: AsyncIterator[Sequence[Any]]
) -> AsyncIterator[bytes]:
    """The outcomes of batches as lines. Reading and booking go on whatever becomes of the lines."""
    service: Service = request.app.state.service
    done: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()

    async def book() -> None:
        try:
            number = 0
            batch: Sequence[Any] | None = first
            while batch is not None:
                outcomes = await _outcomes(service, batch)
                done.put_nowait(
                    b"".join(_encode(_fields(number + n, one)) + b"\n" for n, one in enumerate(outcomes, 1))
                )
                number += len(outcomes)
                batch = await anext(batches, None)
        except ClientDisconnect:
            pass
        except BaseException as error:
            done.put_nowait(error)
        done.put_nowait(None)

    booking = asyncio.create_task(book())
    try:
        while (lines := await done.get()) is not None:
            if isinstance(lines, BaseException):
                # The last line, where the rest could not be read or booked.
                document = problem_of(lines, request).document(None)
                yield _encode({**document, "line": None, "status": "broken"}) + b"\n"
            else:
                yield lines
    finally:
        booking.cancel()


async def _outcomes(service: Service, batch: Sequence[Submission | Outcome]) -> list[Outcome]:
    entries: list[Entry] = [one for one in batch if isinstance(one, Submission)]
    booked = iter(await service.desk.submit(entries) if entries else ())
    found = [next(booked) if isinstance(one, Submission) else one for one in batch]
    for one, outcome in zip(batch, found, strict=True):
        service.metrics.booked(one.command.command if isinstance(one, Submission) else "", outcome)
    return found


def _fields(number: int, outcome: Outcome) -> dict[str, Any]:
    """A line of the answer. What was booked before is answered as it was then."""
    fields = {"line": number, **outcome_fields(outcome)}
    if outcome.status is Status.DUPLICATE:
        fields |= {"status": "booked" if outcome.awaited is None else "waiting", "hit": True}
    return fields


async def _batches(
    request: Request, book: str, texts: AsyncIterator[bytes], size: int
) -> AsyncIterator[Sequence[Submission | Outcome]]:
    """What was sent, so many at a time: submissions, and outcomes of what is no command."""
    principal: Principal = request.state.principal
    origin = intake.origin(request)
    batch: list[Submission | Outcome] = []
    async for text in texts:
        _refuse_long(text)
        batch.append(_made(principal, book, origin, text))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _made(principal: Principal, book: str, origin: str, text: bytes) -> Submission | Outcome:
    made = intake.line(principal, book, text)
    if isinstance(made, Fault):
        return _refused(made)
    fault = fault_of(principal, book, made)
    return Submission(made, origin) if fault is None else _refused(fault)


def _refused(fault: Fault) -> Outcome:
    return Outcome(Status.REFUSED, code=fault.code, field=fault.field, rule=fault.rule)


async def _lines(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The lines of a body that are not empty."""
    rest = b""
    async for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if text := line.strip():
                yield text
        _refuse_long(rest)
    if text := rest.strip():
        yield text


_MARK = re.compile(rb'["\\{}\[\],]')


async def _elements(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The elements of a body that is one JSON array, each as its text. Raises ``Problem`` where it is none."""
    splitter = _Splitter()
    async for chunk in stream:
        for text in splitter.more(chunk):
            yield text
        _refuse_long(splitter.rest)
    if not splitter.is_done:
        raise Problem(ApiCode.JSON, rule="a body of this media type must be one JSON array")


class _Splitter:
    """Finds where the elements of an array end; what they are is for whoever parses them."""

    def __init__(self) -> None:
        self.rest = bytearray()
        self.is_done = False
        self._depth = 0
        self._in_text = self._has_comma = False
        self._looked = 0
        self._start = 0

    def more(self, chunk: bytes) -> list[bytes]:
        """The elements that are whole now."""
        self.rest += chunk
        found: list[bytes] = []
        at = self._looked
        while (mark := _MARK.search(self.rest, at)) is not None:
            sign, at = mark[0], mark.end()
            if self._in_text:
                if sign == b"\\":
                    if at == len(self.rest):
                        # What it escapes has not come yet.
                        at -= 1
                        break
                    at += 1
                elif sign == b'"':
                    self._in_text = False
                continue
            self._outside(sign, mark.start(), found)
        else:
            at = len(self.rest)
        self._looked = at - self._start
        del self.rest[: self._start]
        self._start = 0
        if (self._depth == 0 and self.rest.strip()) or (self.is_done and self.rest.strip()):
            raise _no_array()
        return found

    def _outside(self, sign: bytes, at: int, found: list[bytes]) -> None:
        """A sign that is part of no text."""
        if self._depth == 0 and (self.is_done or sign != b"[" or self.rest[:at].strip()):
            raise _no_array()
        if sign == b'"':
            self._in_text = True
        elif sign in b"[{":
            self._depth += 1
            if self._depth == 1:
                self._start = at + 1
        elif sign in b"]}":
            self._depth -= 1
            if self._depth == 0:
                text = bytes(self.rest[self._start : at]).strip()
                if text or self._has_comma:
                    found.append(text)
                self._start, self.is_done = at + 1, True
        elif sign == b"," and self._depth == 1:
            found.append(bytes(self.rest[self._start : at]).strip())
            self._start, self._has_comma = at + 1, True


def _no_array() -> Problem:
    return Problem(ApiCode.JSON, rule="a body of this media type must be one JSON array")


def _refuse_long(rest: bytes | bytearray) -> None:
    if len(rest) > LONGEST:
        raise Problem(ApiCode.BODY_SIZE, limit=LONGEST, rule=f"one command must not have more than {LONGEST} bytes")
