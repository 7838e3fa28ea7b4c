"""Routes about what is not in the books: facts that wait, requests for approval, messages in quarantine and behind them."""

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from consumers.retry import retry
from ledger.ledger import Ledger
from ledger.outcomes import token
from ledger.quarantine import Quarantined
from tieout.api import intake
from tieout.api.answering import answer
from tieout.api.pages import record
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Role
from tieout.api.service import Service
from tieout.clock import iso

Entry = Annotated[int, Path(ge=1, description="The entry's number.")]


class EntriesAsked(BaseModel):
    """Which entries of the quarantine."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "booked", "dismissed", "all"] = Field("open", description="Entries of this status.")
    after: int = Field(0, ge=0, description="Entries after this number: the last one of the page before.")
    limit: int = Field(100, ge=1, le=1_000, description="Entries of a page.")


class RequestsAsked(BaseModel):
    """Which requests for approval."""

    model_config = ConfigDict(extra="forbid")

    every: bool = Field(False, description="Also those that were approved or refused.")


class Retry(msgspec.Struct, forbid_unknown_fields=True):
    """How an entry is tried again: fields to set by dotted name (null: leave out), or a whole command."""

    set: dict[str, Any] = {}


class Discard(msgspec.Struct, forbid_unknown_fields=True):
    """Why an entry is never going to be booked."""

    reason: str


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["not booked"])

    def add(path: str, endpoint: Any, summary: str, *roles: Role, method: str = "GET") -> None:
        name = endpoint.__name__.replace("_", "-")
        routes.add_api_route(
            path, endpoint, methods=[method], dependencies=[permitted(*roles)], operation_id=name, summary=summary
        )

    keepers = (Role.POSTER, Role.CLOSER, Role.AUDITOR)
    add("/waiting", list_waiting, "Facts that wait for a document", Role.READER)
    add("/approvals", list_approvals, "Requests for approval", Role.READER)
    add("/quarantine", list_quarantine, "Messages in quarantine", *keepers)
    add("/quarantine/{entry}", get_entry, "One message in quarantine, whole", *keepers)
    add("/quarantine/{entry}/retry", retry_entry, "Try to book a message again", Role.POSTER, method="POST")
    add("/quarantine/{entry}/discard", discard_entry, "Never book a message", Role.POSTER, method="POST")
    return routes


async def list_waiting(request: Request, book: str) -> Response:
    """In the order of what they wait for. RejectDeferredFact gives one up, for a reason."""
    service: Service = request.app.state.service
    await service.require_book(book)
    return await _said(service, lambda: [_with_instants(one) for one in service.waiting(book)])


async def list_approvals(request: Request, book: str, asked: Annotated[RequestsAsked, Query()]) -> Response:
    """Those that are pending. GiveApproval and RefuseApproval decide them."""
    service: Service = request.app.state.service
    await service.require_book(book)
    return await _said(service, lambda: [_with_instants(one) for one in service.approvals(book, every=asked.every)])


async def list_quarantine(request: Request, book: str, asked: Annotated[EntriesAsked, Query()]) -> Response:
    """In the order of arrival, without what was sent: that stands in the single entry."""
    service: Service = request.app.state.service
    await service.require_book(book)
    status = None if asked.status == "all" else asked.status

    def entries() -> Sequence[Quarantined]:
        with closing(Ledger.open(service.settings.location)) as ledger:
            return list(islice(ledger.quarantined(book, status, after=asked.after), asked.limit))

    return await _said(service, lambda: [_entry(one, whole=False) for one in entries()])


async def get_entry(request: Request, book: str, entry: Entry) -> Response:
    """With the message as it came, and what is wrong with it."""
    service: Service = request.app.state.service
    found = await _found(service, book, entry)
    return await _said(service, lambda: _entry(found, whole=True))


async def retry_entry(request: Request, book: str, entry: Entry) -> Response:
    """As it is, or with fields set; a body with ``command`` in ``set`` is a whole command in its place."""
    service: Service = request.app.state.service
    await _found(service, book, entry)
    given = await _body(request, Retry, b"{}")

    def again() -> Any:
        with closing(Ledger.open(service.settings.location)) as ledger:
            return retry(ledger, [entry], given.set, book=book, now_us=service.settings.now_us)

    [(_, outcome)] = await service.in_thread(again)
    return answer(outcome)


async def discard_entry(request: Request, book: str, entry: Entry) -> Response:
    """It stays where it is, with the reason."""
    service: Service = request.app.state.service
    given = await _body(request, Discard, b"")
    if not given.reason.strip():
        raise Problem(ApiCode.PARAMETER, pointer="/reason", rule="reason: must say why")
    await _found(service, book, entry)
    reason = f"{request.state.principal.subject}: {given.reason}"
    if not await service.in_thread(lambda: service.ledger.dismiss(entry, reason)):
        raise Problem("entry_must_be_open", rule="only an open entry of the quarantine can be discarded")
    found = await _found(service, book, entry)
    return await _said(service, lambda: _entry(found, whole=True))


async def _said(service: Service, found: Callable[[], Any]) -> Response:
    return record(*await service.in_thread(lambda: (found(), service.position())))


async def _found(service: Service, book: str, entry: int) -> Quarantined:
    await service.require_book(book)

    def find() -> Quarantined | None:
        with closing(Ledger.open(service.settings.location)) as ledger:
            return ledger.quarantined_entry(entry)

    found = await service.in_thread(find)
    if found is None or found.book != book:
        raise Problem(ApiCode.FOUND, parameter="entry")
    return found


async def _body(request: Request, type_: type[Any], absent: bytes) -> Any:
    intake.require_json(request)
    try:
        return msgspec.json.decode(await request.body() or absent, type=type_)
    except msgspec.ValidationError as error:
        raise Problem(ApiCode.PARAMETER, rule=str(error)) from None
    except msgspec.DecodeError:
        raise Problem(ApiCode.JSON) from None


def _with_instants(one: msgspec.Struct) -> dict[str, Any]:
    """A record whose instants are ISO texts: ``since_us`` becomes ``since_at``."""
    fields = msgspec.structs.asdict(one)
    for name in [name for name in fields if name.endswith("_us")]:
        value = fields.pop(name)
        fields[f"{name.removesuffix('_us')}_at"] = None if value is None else iso(value)
    return fields


def _entry(entry: Quarantined, *, whole: bool) -> dict[str, Any]:
    fields = _with_instants(entry)
    fields["position"] = None if entry.position is None else token(entry.position)
    raw = fields.pop("raw")
    return fields | {"raw": raw} if whole else fields
