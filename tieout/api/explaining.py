"""The route that explains a number: every posting behind it, each with who, when, why and from which message."""

from itertools import islice
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from msgspec import Meta
from pydantic import ConfigDict, Field

from domain.fields import BaseMinor, CurrencyCode, Minor
from projections.answers import ExplainedPosting
from projections.reader import NotFollowed, Reader
from projections.selectors import parse
from tieout.api import schemas
from tieout.api.asking import NO_CONTROLS, BookPath, Fresh
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
        pattern=NO_CONTROLS,
        description="What stands in `explain` beside a number of another answer.",
        examples=["balance/main/C1/CNY/receivable/1122//0:3"],
    )
    after: int = Field(0, ge=0, le=10**12, description="Postings to leave out: `next` of the page before.")
    limit: int = Field(1_000, ge=1, le=10_000, description="Postings of a page.")


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A number and the postings behind it: their contributions sum to the amounts, over all pages."""

    selector: Annotated[str, Meta(description="What was asked.")]
    currency: CurrencyCode
    amount: Minor
    base_amount: BaseMinor
    postings: Annotated[list[ExplainedPosting], Meta(description="In log order.")]
    next: Annotated[int | None, Meta(description="`after` of the page that follows; null on the last page.")]


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
        responses=schemas.of_record(Explained),
    )
    return routes


async def explain(request: Request, book: BookPath, asked: Annotated[ExplanationAsked, Query()]) -> Response:
    """A selector names its number exactly, both clocks included: what it explains stays the same for ever."""
    service: Service = request.app.state.service
    await service.require_book(book)
    try:
        named = parse(asked.selector)
    except ValueError:
        raise _not_found() from None
    if named.book != book:
        raise _not_found()
    found, position = await service.ask(lambda reader: (_explained(reader, asked), reader.position), asked.min_position)
    return record(found, position)


def _not_found() -> Problem:
    return Problem(ApiCode.FOUND, parameter="selector", rule="a selector must come from an answer of this book")


def _explained(reader: Reader, asked: ExplanationAsked) -> Explained:
    try:
        explanation = reader.explain(asked.selector)
    except ValueError:
        raise _not_found() from None
    except NotFollowed:
        raise Problem(ApiCode.KNOWN, parameter="selector") from None
    postings = list(islice(explanation.postings, asked.after, asked.after + asked.limit + 1))
    has_more = len(postings) > asked.limit
    return Explained(
        selector=explanation.selector,
        currency=explanation.currency,
        amount=explanation.amount,
        base_amount=explanation.base_amount,
        postings=postings[: asked.limit],
        next=asked.after + asked.limit if has_more else None,
    )
