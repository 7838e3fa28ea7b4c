"""Routes that book: a POST for each command of the domain, and the reversal of a document at its own path."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from consumers.envelope import kebab
from domain.commands import COMMANDS, AccountCommand, DocumentRef, RequestApproval
from domain.decide_book import BookCommand
from domain.documents import account_stream, document_id
from ledger.outcomes import Outcome, Status, Submission
from projections.reader import Reader
from tieout.api import intake, schemas
from tieout.api.allowed import fault_of, roles_of
from tieout.api.answering import answer, first_answer
from tieout.api.asking import BookPath, KindPath, NumberPath, Revision, Series
from tieout.api.direct import Short
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.rehearsal import rehearsed
from tieout.api.roles import Principal
from tieout.api.service import Service


class CommandAsked(BaseModel):
    """How a command is meant. Other names are refused: a dry run that is misspelt would be none."""

    model_config = ConfigDict(extra="forbid")

    dry_run: bool = Field(
        False, description="Answer what would be booked, with its events and postings, and write nothing."
    )


class ReversalAsked(CommandAsked):
    """Which document of a number is reversed, and how that is meant."""

    series: Series = ""
    revision: Revision = 1


AS_IT_IS = CommandAsked()


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["commands"])
    for name, model in COMMANDS.items():
        _add(routes, name, model)
    routes.add_api_route(
        "/documents/{kind}/{number}/reversal",
        reverse,
        methods=["POST"],
        dependencies=[permitted(*roles_of("ReverseDocument"))],
        summary="ReverseDocument",
        description=COMMANDS["ReverseDocument"].__doc__,
        operation_id="reverse",
        status_code=201,
        responses=schemas.of_outcome(200, 201, 202),
        openapi_extra={"x-tieout-command": "ReverseDocument"},
    )
    return routes


def _add(routes: APIRouter, name: str, model: type[Any]) -> None:
    async def post(request: Request, book: BookPath, asked: Annotated[CommandAsked, Query()] = AS_IT_IS) -> Response:
        principal: Principal = request.state.principal
        text = await request.body()
        made = intake.submission(request, principal, name, text)
        if isinstance(made.command, RequestApproval):
            refuse_maker(principal, made.command)
        return await _book(request, made, text, dry_run=asked.dry_run)

    routes.add_api_route(
        f"/commands/{kebab(name)}",
        post,
        methods=["POST"],
        name=kebab(name),
        operation_id=kebab(name),
        dependencies=[permitted(*roles_of(name))],
        summary=name,
        description=model.__doc__,
        status_code=201,
        responses=schemas.of_outcome(200, 201, 202),
        openapi_extra={"x-tieout-command": name},
    )


def refuse_maker(principal: Principal, command: RequestApproval) -> None:
    """Raises ``Problem`` where he may not make what he wants approved."""
    if fault_of(principal, command.book, command) is not None:
        needed = roles_of(command.instruction.command)
        raise Problem(
            ApiCode.ROLE, pointer="/instruction/command", roles=[role.value for role in needed], book=command.book
        )


def shortly(post: Callable[[Request, str], Awaitable[Response]]) -> Short:
    """A command's route for requests that have no query."""

    async def answered(request: Request, book: str) -> Response | None:
        return None if request.scope["query_string"] else await post(request, book)

    return answered


async def reverse(
    request: Request,
    book: BookPath,
    kind: KindPath,
    number: NumberPath,
    asked: Annotated[ReversalAsked, Query()],
) -> Response:
    """Reverse a document, whose account the books know."""
    ref = DocumentRef(kind=kind, series=asked.series, number=number, revision=asked.revision)
    service: Service = request.app.state.service
    named = document_id(kind, asked.series, number, asked.revision)
    account = await service.ask(lambda reader: reader.account_of(book, named))
    if account is None:
        raise Problem(ApiCode.FOUND, parameter="number")
    text = await request.body()
    names = {"customer": account.customer, "currency": account.currency}
    made = intake.reversal(request, request.state.principal, ref, names, text)
    return await _book(request, made, text, dry_run=asked.dry_run)


async def _book(request: Request, made: Submission, text: bytes, *, dry_run: bool) -> Response:
    service: Service = request.app.state.service
    if dry_run:
        return await rehearsed(service, made, text)
    [outcome] = await service.desk.submit([made])
    service.metrics.booked(made.command.command, outcome)
    if outcome.status is Status.DUPLICATE:
        version = await service.ask(lambda reader: version_then(reader, made, outcome))
        return answer(first_answer(outcome, version), hit=True)
    return answer(outcome, None if outcome.code is None else json.loads(text or b"{}"))


def version_then(reader: Reader, made: Submission, outcome: Outcome) -> int | None:
    """The version that the first answer to a command said: of its account, or of its book, as of its position."""
    command = made.command
    assert outcome.position is not None
    if isinstance(command, AccountCommand):
        stream = account_stream(command.book, command.customer, command.currency)
        return reader.version_at(stream, outcome.position)
    if isinstance(command, BookCommand):
        return reader.version_at(f"book:{command.book}", outcome.position)
    return None
