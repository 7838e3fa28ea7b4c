"""Routes whose answer is one record, or a list that is short by its nature."""

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from msgspec import Meta
from pydantic import Field

from domain.book import Book
from domain.documents import account_stream, document_id
from domain.fields import BookId, CurrencyCode
from projections.answers import (
    AccountRow,
    AllowanceAnswer,
    AsOf,
    Changes,
    ClosingFinding,
    ControlRow,
    DeferredMonth,
    DocumentView,
    FeedDay,
    PeriodRow,
    RateRow,
    RevaluationAnswer,
    Statement,
    TrialBalanceRow,
    Unusual,
)
from projections.reader import Reader
from tieout.api import schemas
from tieout.api.asking import (
    NO_CONTROLS,
    TOKEN,
    Asked,
    BookPath,
    Currency,
    CurrencyPath,
    Customer,
    CustomerPath,
    Day,
    Fresh,
    KindPath,
    NumberPath,
    Revision,
    Series,
)
from tieout.api.pages import one, record
from tieout.api.permits import permitted
from tieout.api.roles import Role
from tieout.api.service import Service

Version = Annotated[int, Meta(description="How many events it has: its ETag, for `If-Match`.")]


class BookRow(msgspec.Struct, frozen=True, kw_only=True):
    """A book 账套 in one line."""

    book: BookId
    name: Annotated[str | None, Meta(description="What the legal entity is called.")]
    base_currency: CurrencyCode
    time_zone: Annotated[str, Meta(description="IANA time zone: where its days begin.")]
    version: Version


class BookRecord(BookRow, frozen=True, kw_only=True):
    """A book with its chart, template and policies."""

    standard: Annotated[str, Meta(description="The standard chart that it was opened with: cas, cas-small or ifrs.")]
    calendar: Annotated[str, Meta(description="What its periods are: months.")]
    first_on: Annotated[date, Meta(description="The first day that anything may be dated.")]
    open_from: Annotated[date, Meta(description="The first day that is open: all before it is closed.")]
    allocation: Annotated[str, Meta(description="The policy by which payments settle what no reference names.")]
    settlement: Annotated[str, Meta(description="automatic, or suggested: the policy settles on arrival or not.")]
    tolerances: Annotated[dict[str, int], Meta(description="Currency → minor units that may be rounded off an item.")]
    tolerance_percents: Annotated[dict[str, str], Meta(description="Currency → per cent of an item, as decimal text.")]
    late_facts: Annotated[str, Meta(description="move or refuse: what becomes of what is dated in a closed period.")]
    recognition: Annotated[str, Meta(description="day or month: how revenue over time is earned.")]
    rate_source: Annotated[str, Meta(description="Whose exchange rates apply; empty: nobody's.")]
    template_version: Annotated[int, Meta(description="The version of the posting template.")]
    roles: Annotated[dict[str, str], Meta(description="Role of a posting → account code.")]
    methods: Annotated[dict[str, str], Meta(description="Method of payment → code of the cash account.")]
    reasons: Annotated[dict[str, str], Meta(description="Reason of a deduction or an adjustment → role.")]


class DocumentAsked(Asked):
    """Which document of a number."""

    series: Series = ""
    revision: Revision = 1


class StatementAsked(Asked):
    """Which statement."""

    from_on: Day | None = Field(None, description="From this day on; from the beginning without it.")


class HistoryAsked(Asked):
    """Which days."""

    from_on: Day = Field(description="From this day on.")
    to_on: Day = Field(description="Up to this day.")


class ChangesAsked(Asked):
    """Since which statement."""

    then_on: Day = Field(description="The day of the statement.")
    then_position: str = Field(pattern=TOKEN, description="The position that stands on it.")


class TrialBalanceAsked(Asked):
    """Which turnover."""

    from_on: Day | None = Field(None, description="Turnover from this day on; from the beginning without it.")


class RatesAsked(Asked):
    """Whose rates."""

    rate_source: str | None = Field(None, max_length=200, pattern=NO_CONTROLS, description="Only of this source.")


class RevaluationAsked(Asked):
    """At whose rates; ``as_of`` must be given."""

    as_of: Day = Field(description="The day of the book's calendar as of which it is.")
    rate_source: str | None = Field(
        None, max_length=200, pattern=NO_CONTROLS, description="Of this source; of the book's without it."
    )


class OfDay(Asked):
    """A question that needs a day."""

    as_of: Day = Field(description="The day of the book's calendar as of which it is.")


class UnusualAsked(OfDay):
    """What counts as unusual."""

    times: int = Field(3, ge=2, le=1000, description="A change of so many times the median is a jump.")
    customer: Customer | None = None
    currency: Currency | None = None


class CompletenessAsked(Asked):
    """Of which feeds and days."""

    feed: str | None = Field(None, max_length=200, pattern=NO_CONTROLS, description="Only of this feed.")
    from_on: Day | None = Field(None, description="From this day on.")
    to_on: Day | None = Field(None, description="Up to this day.")
    open_only: bool = Field(False, description="Only what has an open break.")


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/books", tags=["answers"])

    def add(
        path: str, endpoint: Any, answers: Any, summary: str, *, roles: tuple[Role, ...] = (Role.READER,), **how: Any
    ) -> None:
        routes.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            dependencies=[permitted(*roles, **how)],
            operation_id=endpoint.__name__.replace("_", "-"),
            summary=summary,
            responses=schemas.of_record(answers),
        )

    add("", list_books, list[BookRow], "The books that the credential may read", somewhere=True)
    add("/{book}", get_book, BookRecord, "A book with its chart, template and policies")
    add("/{book}/periods", list_periods, list[PeriodRow], "Periods, open and closed")
    add(
        "/{book}/periods/{period}/closing-list",
        closing_list,
        list[ClosingFinding],
        "Each point of the closing list of a period",
    )
    add("/{book}/documents/{kind}/{number}", get_document, DocumentView, "A document with its items, links and history")
    add(
        "/{book}/customers/{customer}/accounts/{currency}/statement",
        get_statement,
        Statement,
        "A customer account's statement",
    )
    add(
        "/{book}/customers/{customer}/accounts/{currency}/changes",
        get_changes,
        Changes,
        "What changed since a statement",
    )
    add(
        "/{book}/trial-balance",
        trial_balance,
        list[TrialBalanceRow],
        "Opening, turnover and closing by account, currency and dimensions",
    )
    add("/{book}/control", control, list[ControlRow], "Open items against postings, by control account")
    add("/{book}/unusual", unusual, list[Unusual], "Credit balances, jumps and odd events")
    add("/{book}/rates", rates, list[RateRow], "Exchange rates as sources stated them")
    add("/{book}/allowance", allowance, AllowanceAnswer, "What the provision matrix requires")
    add("/{book}/revaluation", revaluation, RevaluationAnswer, "What open foreign items are worth")
    add("/{book}/deferred", deferred, list[DeferredMonth], "Deferred revenue by month")
    add(
        "/{book}/completeness",
        completeness,
        list[FeedDay],
        "What was sent against what is in the books",
        roles=(Role.AUDITOR,),
    )
    return routes


async def list_books(request: Request, asked: Annotated[Fresh, Query()]) -> Response:
    """In the order in which they were opened."""
    service: Service = request.app.state.service
    allowed = request.state.principal.books(Role.READER)
    books, position = await service.in_thread(service.books)
    rows = [
        BookRow(
            book=one.book, name=one.name, base_currency=one.base_currency, time_zone=one.time_zone, version=one.version
        )
        for one in books
        if allowed is None or one.book in allowed
    ]
    return record(rows, position)


async def get_book(request: Request, book: BookPath) -> Response:
    """As it stands; its version is its ETag, for ``If-Match`` of the commands that change it."""
    service: Service = request.app.state.service
    await service.require_book(book)
    found, position = await service.in_thread(lambda: service.book(book))
    return record(_book(found), position, {"ETag": f'"{found.version}"'})


def _book(book: Book) -> BookRecord:
    template = book.template
    of_template = {name: getattr(template, name) for name in ("roles", "methods", "reasons")}
    own = {name: getattr(book, name) for name in BookRecord.__struct_fields__ if hasattr(book, name)}
    return BookRecord(**own, **of_template, template_version=template.version)


async def list_periods(request: Request, book: BookPath, asked: Annotated[Fresh, Query()]) -> Response:
    """Those that were ever closed, in order, and the open ones after them up to today's."""
    service: Service = request.app.state.service
    await service.require_book(book)
    found, _ = await service.in_thread(lambda: service.book(book))
    today = service.now().astimezone(ZoneInfo(found.time_zone)).date()
    return await _now(request, asked, lambda reader: reader.periods(book, today))


async def closing_list(
    request: Request,
    book: BookPath,
    period: Annotated[
        str,
        Path(pattern=r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$", description="The period, yyyy-mm.", examples=["2026-01"]),
    ],
    asked: Annotated[Fresh, Query()],
) -> Response:
    """As ``tieout close --check``: the checks that ClosePeriod records, as they are now."""
    service: Service = request.app.state.service
    await service.require_book(book)
    waiting = await service.in_thread(lambda: service.waiting_within(book, period))
    return await _now(request, asked, lambda reader: reader.closing_list(book, period, waiting))


async def get_document(
    request: Request,
    book: BookPath,
    kind: KindPath,
    number: NumberPath,
    asked: Annotated[DocumentAsked, Query()],
) -> Response:
    """By its number; the first revision unless another is asked for."""
    named = document_id(kind, asked.series, number, asked.revision)
    return await _of_book(request, book, asked, lambda reader, at: reader.document(book, named, at))


async def get_statement(
    request: Request,
    book: BookPath,
    customer: CustomerPath,
    currency: CurrencyPath,
    asked: Annotated[StatementAsked, Query()],
) -> Response:
    """Opening, movements, closing; from the same days and position it is the same for ever."""
    return await _of_book(
        request,
        book,
        asked,
        lambda reader, at: (
            _known(reader, book, customer, currency) and reader.statement(book, customer, currency, asked.from_on, at)
        ),
    )


async def get_account(
    request: Request, book: BookPath, customer: CustomerPath, currency: CurrencyPath, asked: Annotated[Asked, Query()]
) -> Response:
    """As known then: the commands that are for it may name its version in ``If-Match``."""

    def account(reader: Reader, at: AsOf) -> AccountRow | None:
        return next(iter(reader.accounts(book, customer, currency, at)), None)

    return await _of_book(request, book, asked, account, lambda found: {"ETag": f'"{found.version}"'})


async def get_history(
    request: Request,
    book: BookPath,
    customer: CustomerPath,
    currency: CurrencyPath,
    asked: Annotated[HistoryAsked, Query()],
) -> Response:
    """Between two days, both of them included."""
    return await _of_book(
        request,
        book,
        asked,
        lambda reader, at: (
            _known(reader, book, customer, currency)
            and reader.balance_history(book, customer, currency, asked.from_on, asked.to_on, at)
        ),
    )


async def get_changes(
    request: Request,
    book: BookPath,
    customer: CustomerPath,
    currency: CurrencyPath,
    asked: Annotated[ChangesAsked, Query()],
) -> Response:
    """What the customer was not told by the statement of a day, as known at a position."""

    def changes(reader: Reader, at: AsOf) -> Any:
        then = Asked(as_of=asked.then_on, known_as_of=asked.then_position).moment(reader)
        return _known(reader, book, customer, currency) and reader.changes(book, customer, currency, then, at)

    return await _of_book(request, book, asked, changes)


def _known(reader: Reader, book: BookPath, customer: str, currency: str) -> bool | None:
    """Whether there is such an account; None where there is not."""
    stream = account_stream(book, customer, currency)
    return reader.version_at(stream, reader.position) > 0 or None


async def trial_balance(request: Request, book: BookPath, asked: Annotated[TrialBalanceAsked, Query()]) -> Response:
    """Debit less credit."""
    return await _of_book(request, book, asked, lambda reader, at: reader.trial_balance(book, asked.from_on, at))


async def control(request: Request, book: BookPath, asked: Annotated[Asked, Query()]) -> Response:
    """Subledger = control: both columns of each row agree, always."""
    return await _of_book(request, book, asked, lambda reader, at: reader.control(book, at))


async def unusual(request: Request, book: BookPath, asked: Annotated[UnusualAsked, Query()]) -> Response:
    """Each with its evidence."""
    return await _of_book(
        request, book, asked, lambda reader, at: reader.unusual(book, at, asked.times, asked.customer, asked.currency)
    )


async def rates(request: Request, book: BookPath, asked: Annotated[RatesAsked, Query()]) -> Response:
    """The latest by source and currency, and what it superseded."""
    return await _of_book(request, book, asked, lambda reader, at: reader.rates(book, asked.rate_source, at))


async def allowance(request: Request, book: BookPath, asked: Annotated[OfDay, Query()]) -> Response:
    """What a PostAllowance of the day would post; 404 where the book has no matrix."""
    return await _of_book(request, book, asked, lambda reader, at: reader.allowance(book, None, at))


async def revaluation(request: Request, book: BookPath, asked: Annotated[RevaluationAsked, Query()]) -> Response:
    """What a PostRevaluation of the day would post."""
    service: Service = request.app.state.service
    await service.require_book(book)
    source = asked.rate_source or (await service.in_thread(lambda: service.book(book)))[0].rate_source
    return await one(request, asked, lambda reader, at: reader.revaluation(book, source, at))


async def deferred(request: Request, book: BookPath, asked: Annotated[Asked, Query()]) -> Response:
    """Against the accounts that it is held on."""
    return await _of_book(request, book, asked, lambda reader, at: reader.deferred(book, at))


async def completeness(request: Request, book: BookPath, asked: Annotated[CompletenessAsked, Query()]) -> Response:
    """By feed, day and currency."""
    return await _of_book(
        request,
        book,
        asked,
        lambda reader, at: reader.completeness(
            book, asked.feed, asked.from_on, asked.to_on, at, open_only=asked.open_only
        ),
    )


async def _of_book(request: Request, book: str, asked: Asked, question: Any, headers: Any = None) -> Response:
    service: Service = request.app.state.service
    await service.require_book(book)
    return await one(request, asked, question, headers)


async def _now(request: Request, asked: Fresh, question: Any) -> Response:
    """The answer to a question that is of now."""
    return await one(request, Asked(min_position=asked.min_position), lambda reader, _: question(reader))
