"""Routes about what is not in the books: facts that wait, requests for approval, messages in quarantine and behind them."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request, Response
from msgspec import Meta
from pydantic import BaseModel, ConfigDict, Field

from consumers.problems import Fault
from consumers.retry import retry
from domain import refusals
from domain.commands import Command
from domain.fields import Code, CurrencyCode, CustomerId, Origin, Source, SourceId
from ledger.ledger import Ledger
from ledger.outcomes import FAILED, Status, token
from ledger.quarantine import Quarantined
from projections.log import instant
from tieout.api import intake, schemas
from tieout.api.allowed import fault_of
from tieout.api.answering import HIT, answer
from tieout.api.asking import BookPath
from tieout.api.pages import record
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem, refused
from tieout.api.roles import Role
from tieout.api.service import Service

Entry = Annotated[int, Path(ge=1, le=10**12, description="The entry's number.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+( +[!-~]+)*$",
        description="The command's own name, its `source_id`; without it the entry gives one.",
    ),
]


class EntriesAsked(BaseModel):
    """Which entries of the quarantine."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "booked", "dismissed", "all"] = Field("open", description="Entries of this status.")
    after: int = Field(0, ge=0, le=10**12, description="Entries after this number: the last one of the page before.")
    limit: int = Field(100, ge=1, le=1_000, description="Entries of a page.")


class RequestsAsked(BaseModel):
    """Which requests for approval."""

    model_config = ConfigDict(extra="forbid")

    every: bool = Field(False, description="Also those that were approved or refused.")


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that waits for a document which is not in the books."""

    awaited: Annotated[str, Meta(description="The document that it waits for.")]
    document: Annotated[str | None, Meta(description="Its own document, if it enters one.")]
    customer: CustomerId
    currency: CurrencyCode
    source: Source
    source_id: SourceId
    effective_on: Annotated[date | None, Meta(description="The accounting date that it asks for, if it names one.")]
    since_at: Annotated[datetime, Meta(description="Since when it waits, UTC.")]


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """A request for approval, and what became of it."""

    request: Annotated[str, Meta(description="Its number.")]
    status: Annotated[Literal["pending", "approved", "refused"], Meta(description="What became of it.")]
    instruction: Annotated[str, Meta(description="The command that is to be approved.")]
    document: Annotated[str | None, Meta(description="The document that it is about.")]
    customer: Annotated[str | None, Meta(description="The customer, if it is about one.")]
    currency: Annotated[str | None, Meta(description="The currency, if it is about an account.")]
    amount: Annotated[
        int | None, Meta(description="What it would have posted when it was asked for, in minor units of the currency.")
    ]
    maker: Annotated[str, Meta(description="Who made it, and may not approve it.")]
    reason: Annotated[str | None, Meta(description="Why it is asked for.")]
    since_at: Annotated[datetime, Meta(description="Since when it is pending, UTC.")]
    decided_by: Annotated[str | None, Meta(description="Who approved or refused it.")]
    decided_at: Annotated[datetime | None, Meta(description="When, UTC.")]
    said: Annotated[str | None, Meta(description="What he said to it.")]


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A message in quarantine: what is wrong with it, and what became of it."""

    id: Annotated[int, Meta(description="The entry's number.")]
    status: Annotated[Literal["open", "booked", "dismissed"], Meta(description="What became of it.")]
    source: Source
    source_id: Annotated[str | None, Meta(description="The sender's own id of it, as far as it could be read.")]
    origin: Origin
    code: Code
    field: Annotated[str, Meta(description="The field that is wrong, dotted.")]
    rule: Annotated[str, Meta(description="The rule in words.")]
    recorded_at: Annotated[datetime, Meta(description="When it came first, UTC.")]
    attempts: Annotated[int, Meta(description="How often it has come.")]
    position: Annotated[str | None, Meta(description="Where it was booked at last, or dismissed: a log position.")]
    reason: Annotated[str | None, Meta(description="Why it was dismissed; the event at its position says by whom.")]
    lane: Annotated[str | None, Meta(description="Whose later messages are parked behind it.")]


class EntryRecord(EntryRow, frozen=True, kw_only=True):
    """A message in quarantine, whole."""

    value: Annotated[str, Meta(description="The value that is wrong.")]
    raw: Annotated[str, Meta(description="What came, as JSON text.")]


class Retry(msgspec.Struct, forbid_unknown_fields=True):
    """How an entry is tried again: fields to set by dotted name (null: leave out), or a whole command."""

    set: Annotated[
        dict[str, Any], Meta(description="Dotted field → value; null leaves it out. With `command`: the whole command.")
    ] = {}


class Discard(msgspec.Struct, forbid_unknown_fields=True):
    """Why an entry is never going to be booked."""

    reason: Annotated[str, Meta(description="Why.", min_length=1, max_length=1000)]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["not booked"])

    def add(path: str, endpoint: Any, summary: str, responses: Any, *roles: Role, body: Any = None) -> None:
        routes.add_api_route(
            path,
            endpoint,
            methods=["GET" if body is None else "POST"],
            dependencies=[permitted(*roles)],
            operation_id=endpoint.__name__.replace("_", "-"),
            summary=summary,
            responses=responses,
            openapi_extra=None if body is None else schemas.with_body(body),
        )

    keepers = (Role.POSTER, Role.CLOSER, Role.AUDITOR)

    def said(type_: Any) -> Any:
        return schemas.of_record(type_)

    outcome = schemas.of_outcome(200, 201, 202)
    add("/waiting", list_waiting, "Facts that wait for a document", said(list[Waiting]), Role.READER)
    add("/approvals", list_approvals, "Requests for approval", said(list[Requested]), Role.READER)
    add("/quarantine", list_quarantine, "Messages in quarantine", said(list[EntryRow]), *keepers)
    add("/quarantine/{entry}", get_entry, "One message in quarantine, whole", said(EntryRecord), *keepers)
    add("/quarantine/{entry}/retry", retry_entry, "Try to book a message again", outcome, Role.POSTER, body=Retry)
    add(
        "/quarantine/{entry}/discard",
        discard_entry,
        "Never book a message",
        said(EntryRecord) | schemas.problems("409", "422"),
        Role.POSTER,
        body=Discard,
    )
    return routes


async def list_waiting(request: Request, book: BookPath) -> Response:
    """In the order of what they wait for. RejectDeferredFact gives one up, for a reason."""
    service: Service = request.app.state.service
    await service.require_book(book)
    return await _said(service, lambda: [_record(Waiting, one) for one in service.waiting(book)])


async def list_approvals(request: Request, book: BookPath, asked: Annotated[RequestsAsked, Query()]) -> Response:
    """Those that are pending. GiveApproval and RefuseApproval decide them."""
    service: Service = request.app.state.service
    await service.require_book(book)
    return await _said(service, lambda: [_record(Requested, one) for one in service.approvals(book, every=asked.every)])


async def list_quarantine(request: Request, book: BookPath, asked: Annotated[EntriesAsked, Query()]) -> Response:
    """In the order of arrival, without what was sent: that stands in the single entry."""
    service: Service = request.app.state.service
    await service.require_book(book)
    status = None if asked.status == "all" else asked.status

    def entries() -> Sequence[Quarantined]:
        with closing(Ledger.open(service.settings.location)) as ledger:
            return list(islice(ledger.quarantined(book, status, after=asked.after), asked.limit))

    return await _said(service, lambda: [_record(EntryRow, one) for one in entries()])


async def get_entry(request: Request, book: BookPath, entry: Entry) -> Response:
    """With the message as it came, and what is wrong with it."""
    service: Service = request.app.state.service
    found = await _found(service, book, entry)
    return await _said(service, lambda: _record(EntryRecord, found))


async def retry_entry(request: Request, book: BookPath, entry: Entry) -> Response:
    """As it is, or with fields set; a body with ``command`` in ``set`` is a whole command in its place.

    Whoever changes anything is who acts. He needs the role that the command takes by itself.
    """
    service: Service = request.app.state.service
    await _found(service, book, entry)
    given: Retry = await intake.body_of(request, Retry, b"{}")
    changes = given.set
    if "command" in changes:
        changes = {"actor": request.state.principal.subject, **changes}

    def may(command: Command) -> Fault | None:
        return fault_of(request.state.principal, book, command, in_own_name=bool(changes))

    def again() -> Any:
        with closing(Ledger.open(service.settings.location)) as ledger:
            return retry(ledger, [entry], changes, book=book, now_us=service.settings.now_us, may=may)

    [(_, outcome)] = await service.in_thread(again)
    return answer(outcome)


async def discard_entry(request: Request, book: BookPath, entry: Entry, key: Key = None) -> Response:
    """It stays where it is, with the reason. The same again is answered as it was the first time."""
    service: Service = request.app.state.service
    await _found(service, book, entry)
    given: Discard = await intake.body_of(request, Discard)
    if not given.reason.strip():
        raise Problem(ApiCode.PARAMETER, pointer="/reason", rule="reason: must say why")
    body = {"entry": entry, "reason": given.reason}
    named = body if key is not None else {**body, "source_id": f"discard:{entry}"}
    made = intake.submission(request, request.state.principal, "DismissMessage", msgspec.json.encode(named))
    [outcome] = await service.desk.submit([made])
    service.metrics.booked(made.command.command, outcome)
    if outcome.status in FAILED:
        raise refused(outcome, body)
    found = await _found(service, book, entry)
    is_known = outcome.status is Status.DUPLICATE
    # To the ledger why is no content of a command; but this answer shows it, and would show another one.
    if is_known and found.reason != given.reason:
        raise Problem(refusals.Code.SAME_SOURCE_ID, pointer="/reason")
    return await _said(service, lambda: _record(EntryRecord, found), {HIT: "true"} if is_known else None)


async def _said(service: Service, found: Callable[[], Any], headers: dict[str, str] | None = None) -> Response:
    return record(*await service.in_thread(lambda: (found(), service.position())), headers)


async def _found(service: Service, book: str, entry: int) -> Quarantined:
    await service.require_book(book)

    def find() -> Quarantined | None:
        with closing(Ledger.open(service.settings.location)) as ledger:
            return ledger.quarantined_entry(entry)

    found = await service.in_thread(find)
    if found is None or found.book != book:
        raise Problem(ApiCode.FOUND, parameter="entry")
    return found


def _record(type_: type[Any], one: msgspec.Struct) -> Any:
    """A record of the ledger as one of ours: instants are of UTC (``since_us`` is ``since_at``), positions tokens."""
    fields = msgspec.structs.asdict(one)
    for name in [name for name in fields if name.endswith("_us")]:
        value = fields.pop(name)
        fields[f"{name.removesuffix('_us')}_at"] = None if value is None else instant(value)
    if fields.get("position") is not None:
        fields["position"] = token(fields["position"])
    return type_(**{name: fields[name] for name in type_.__struct_fields__})
