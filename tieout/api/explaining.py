"""The route that explains a number: every posting behind it, each with who, when, why and from which message."""

from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, Field

from projections.reader import Reader
from projections.selectors import parse
from tieout.api.asking import Fresh
from tieout.api.pages import record
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Role
from tieout.api.service import Service


class ExplanationAsked(Fresh):
    """Which number, and which of its postings."""

    model_config = ConfigDict(extra="forbid")

    selector: str = Field(
        max_length=1_000,
        description="What stands in `explain` beside a number of another answer.",
        examples=["balance/main/C1/CNY/receivable/1122//0:3"],
    )
    after: int = Field(0, ge=0, description="Postings to leave out: `next` of the page before.")
    limit: int = Field(1_000, ge=1, le=10_000, description="Postings of a page.")


def router() -> APIRouter:
    """The route."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["answers"])
    routes.add_api_route(
        "/explanation",
        explain,
        methods=["GET"],
        dependencies=[permitted(Role.READER)],
        operation_id="explain",
        summary="A number, and every posting behind it",
    )
    return routes


async def explain(request: Request, book: str, asked: Annotated[ExplanationAsked, Query()]) -> Response:
    """A selector names its number exactly, both clocks included: what it explains stays the same for ever."""
    service: Service = request.app.state.service
    await service.require_book(book)
    try:
        named = parse(asked.selector)
    except ValueError:
        raise Problem(ApiCode.PARAMETER, parameter="selector", rule="selector: must be one of an answer") from None
    if named.book != book:
        raise Problem(ApiCode.PARAMETER, parameter="selector", rule="selector: must be of the book in the path")
    found, position = await service.ask(lambda reader: (_explained(reader, asked), reader.position), asked.min_position)
    return record(found, position)


def _explained(reader: Reader, asked: ExplanationAsked) -> dict[str, Any]:
    try:
        explanation = reader.explain(asked.selector)
    except ValueError:
        raise Problem(ApiCode.PARAMETER, parameter="selector", rule="selector: must be one of an answer") from None
    postings = list(islice(explanation.postings, asked.after, asked.after + asked.limit + 1))
    has_more = len(postings) > asked.limit
    said = {name: getattr(explanation, name) for name in explanation.__struct_fields__ if name != "postings"}
    return {
        **said,
        "postings": msgspec.to_builtins(postings[: asked.limit]),
        "next": asked.after + asked.limit if has_more else None,
    }
