"""Routes whose answer is a list, each with its key: the order of its rows, total and stable, and what its pages go on from."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field, ValidationError

from domain.documents import KINDS, AccountName
from ledger.outcomes import read_token
from projections.answers import (
    AccountRow,
    AgeingRow,
    AllocationRow,
    AsOf,
    AuditRow,
    Balance,
    DocumentRow,
    Dso,
    DueRecognition,
    Exposure,
    JournalEntry,
    MovedFact,
    OpenItem,
    Payer,
    SmallDifference,
)
from projections.reader import NotFollowed, Reader
from tieout.api import schemas
from tieout.api.asking import Account, BookPath, Currency, Customer, Day, Document, Page
from tieout.api.forms import accepts_json
from tieout.api.pages import Key, Rows, listed, page_of
from tieout.api.permits import permitted
from tieout.api.roles import Role
from tieout.api.service import Service

Kind = Literal[KINDS]  # type: ignore[valid-type]


class OfAccounts(Page):
    """Of some customer accounts."""

    customer: Customer | None = None
    currency: Currency | None = None


class ItemsAsked(OfAccounts):
    """Which open items."""

    settled: bool = Field(False, description="Also those that have nothing open.")
    account: Account | None = Field(None, description="Only on this control account, by its code.")
    document: Document | None = None


def _ascending(buckets: str) -> str:
    days = _days(buckets)
    if days != sorted(set(days)):
        raise ValueError("must be ascending")
    return buckets


def _days(buckets: str) -> list[int]:
    return [int(days) for days in buckets.split(",")]


class AgeingAsked(OfAccounts):
    """Which ageing; ``as_of`` must be given."""

    as_of: Day = Field(description="The day of the book's calendar as of which it is.")
    buckets: Annotated[str, AfterValidator(_ascending)] = Field(
        "30,60,90",
        pattern=r"^[1-9][0-9]{0,4}(,[1-9][0-9]{0,4}){0,11}$",
        description="Upper ends of the buckets in days overdue, ascending, with commas.",
    )
    by: str = Field(
        "customer",
        pattern=r"^(customer|currency|dimension:[a-z][a-z0-9_]{0,63})$",
        description="By customer account, by currency, or by the value of a dimension: dimension:<name>.",
        examples=["customer"],
    )


class DocumentsAsked(OfAccounts):
    """Which documents."""

    kind: Kind | None = Field(None, description="Only of this kind.")


class JournalAsked(Page):
    """Which vouchers."""

    from_on: Day | None = Field(None, description="From this accounting day on.")
    to_on: Day | None = Field(None, description="Up to this accounting day.")
    customer: Customer | None = None
    account: Account | None = Field(None, description="Only events that post to this account, by its code.")


class AllocationsAsked(OfAccounts):
    """Which links."""

    document: Document | None = None


class AuditAsked(Page):
    """Which events of the audit trail."""

    customer: Customer | None = None
    document: Document | None = None


class OfDay(OfAccounts):
    """A question that needs a day."""

    as_of: Day = Field(description="The day of the book's calendar as of which it is.")


class DsoAsked(OfDay):
    """Which days sales outstanding."""

    days: int = Field(90, ge=1, le=3660, description="Sales of so many days.")


class PayersAsked(OfDay):
    """Whose habits of paying."""

    from_on: Day = Field(description="Of what was paid from this day on.")


class ExposuresAsked(OfDay):
    """Whose exposure."""

    overdue_days: int = Field(
        30, ge=0, le=3660, description="An item that is overdue for more days is a reason to hold."
    )


class DifferencesAsked(OfAccounts):
    """Which small differences."""

    from_on: Day | None = Field(None, description="From this accounting day on.")


class DueAsked(Page):
    """Which revenue is due to be recognised."""

    until_on: Day = Field(description="What is earned up to this day.")
    customer: Customer | None = None


class MovedAsked(Page):
    """Which late facts."""

    period: str | None = Field(
        None, pattern=r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$", description="Only those that belong to this period."
    )


After = Callable[[Reader, str, Any, AsOf, Any, int], Iterable[Any]]
"""(reader, book, question, clocks, key of the last row, how many) → the rows after it."""


class List(NamedTuple):
    """A list: its path within a book, what it may be asked, what its rows are, and those after a key."""

    path: str
    asked: type[Page]
    type: type[msgspec.Struct]
    after: After
    summary: str
    roles: tuple[Role, ...] = (Role.READER,)


def _ageing(reader: Reader, book: str, a: Any, at: AsOf, after: Key, limit: int) -> Iterable[AgeingRow]:
    return reader.ageing(book, at, _days(a.buckets), a.customer, a.currency, after, limit, by=a.by)


def _audit(reader: Reader, book: str, a: Any, at: AsOf, after: Key, limit: int) -> Iterable[AuditRow]:
    return reader.audit(book, a.customer, a.document, after or 0, limit, at)


def _differences(reader: Reader, book: str, a: Any, at: AsOf, after: Key, limit: int) -> Iterable[SmallDifference]:
    state = reader.book(book)
    # The projections may not have followed the log that far.
    if state is None:
        return ()
    return reader.differences(state, a.customer, a.currency, a.from_on, at, after and tuple(after), limit)


LISTS: tuple[List, ...] = (
    List(
        "/balances",
        OfAccounts,
        Balance,
        lambda r, book, a, at, after, limit: r.balances(book, a.customer, a.currency, at, after, limit),
        "What customers have on each control account",
    ),
    List(
        "/accounts",
        OfAccounts,
        AccountRow,
        lambda r, book, a, at, after, limit: r.accounts(book, a.customer, a.currency, at, after, limit),
        "Customer accounts: who has them, in which currency, at which version",
    ),
    List(
        "/items",
        ItemsAsked,
        OpenItem,
        lambda r, book, a, at, after, limit: r.items(
            book,
            a.customer,
            a.currency,
            at,
            settled=a.settled,
            account=a.account,
            document=a.document,
            after=after,
            limit=limit,
        ),
        "Open items, by customer, currency, due day",
    ),
    List("/ageing", AgeingAsked, AgeingRow, _ageing, "What is overdue for how long"),
    List(
        "/documents",
        DocumentsAsked,
        DocumentRow,
        lambda r, book, a, at, after, limit: r.documents(book, a.customer, a.currency, a.kind, at, after or 0, limit),
        "Documents, in log order",
    ),
    List(
        "/journal",
        JournalAsked,
        JournalEntry,
        lambda r, book, a, at, after, limit: r.journal(
            book, a.from_on, a.to_on, a.customer, a.account, at, after or 0, limit
        ),
        "Vouchers: events with their postings, in log order",
    ),
    List(
        "/allocations",
        AllocationsAsked,
        AllocationRow,
        lambda r, book, a, at, after, limit: r.allocations(
            book, a.customer, a.currency, a.document, at, after and tuple(after), limit
        ),
        "Which items settle which",
    ),
    List("/audit", AuditAsked, AuditRow, _audit, "Who booked what, when, why, from which message", (Role.AUDITOR,)),
    List(
        "/moved",
        MovedAsked,
        MovedFact,
        lambda r, book, a, at, after, limit: r.moved(book, a.period, at, after or 0, limit),
        "What belongs to a prior period",
    ),
    List("/differences", DifferencesAsked, SmallDifference, _differences, "Where every cent of tolerance went"),
    List(
        "/due-recognitions",
        DueAsked,
        DueRecognition,
        lambda r, book, a, at, after, limit: r.due_recognitions(book, a.until_on, a.customer, at, after, limit),
        "Revenue that is earned and not recognised",
    ),
    List(
        "/dso",
        DsoAsked,
        Dso,
        lambda r, book, a, at, after, limit: r.dso(book, at, a.days, a.customer, a.currency, after, limit),
        "Days sales outstanding, simple and count-back",
    ),
    List(
        "/payers",
        PayersAsked,
        Payer,
        lambda r, book, a, at, after, limit: r.payers(book, a.from_on, at, a.customer, a.currency, after, limit),
        "How customers pay: average days to pay, and days late",
    ),
    List(
        "/exposures",
        ExposuresAsked,
        Exposure,
        lambda r, book, a, at, after, limit: r.exposures(
            book, at, a.overdue_days, a.customer, a.currency, after, limit
        ),
        "Limits, exposures, and whom to hold; to hold is an answer, it blocks nothing",
    ),
)


def key_of(row: Any) -> Key:
    """What puts a row into its order: a key of its own or, of rows of the log, their position."""
    found = getattr(row, "key", None)
    return read_token(row.position) if found is None else list(found)


async def short_balances(request: Request, book: str) -> Response | None:
    """The balances of one customer account as they are known now, which many may ask for; None for another question."""
    query = request.query_params
    if not {"customer", "currency"} <= query.keys() <= _SHORT or len(query.multi_items()) > len(query):
        return None
    if request.scope["headers"] and not accepts_json(request):
        return None
    try:
        asked = OfAccounts.model_validate(dict(query))
    except ValidationError:
        return None
    service: Service = request.app.state.service
    await service.require_book(book)
    wanted = 0 if asked.min_position is None else read_token(asked.min_position)
    try:
        found: tuple[list[Balance], int] = await service.counter.ask(
            _balances, (book, asked.customer, asked.currency, asked.as_of)
        )
    except NotFollowed:
        return None
    # Where it has not been reached, the other way waits for it.
    return page_of(request, asked, key_of, found[0], found[1]) if found[1] >= wanted else None


_SHORT = {"customer", "currency", "as_of", "min_position"}


def _balances(reader: Reader, asked: Sequence[Any]) -> Sequence[Any]:
    """Those of many accounts by one statement, as far as they are of one book and day."""
    alike: dict[Any, list[AccountName]] = {}
    for book, customer, currency, as_of in asked:
        alike.setdefault((book, as_of), []).append(AccountName(book, customer, currency))
    found = {(book, as_of): reader.balances_of(book, names, AsOf(as_of)) for (book, as_of), names in alike.items()}
    return [
        (found[book, as_of][AccountName(book, customer, currency)], reader.position)
        for book, customer, currency, as_of in asked
    ]


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(prefix="/v1/books/{book}", tags=["answers"])
    for one in LISTS:
        _add(routes, one)
    return routes


def _add(routes: APIRouter, one: List) -> None:
    async def answered(request: Request, book: BookPath, asked: Annotated[one.asked, Query()]) -> Response:  # type: ignore[name-defined]
        service: Service = request.app.state.service
        await service.require_book(book)

        def after(reader: Reader, at: AsOf, key: Key | None, limit: int) -> Sequence[Any]:
            return list(one.after(reader, book, asked, at, key, limit))

        return await listed(request, asked, Rows(one.type, key_of, after))

    name = one.path.strip("/")
    routes.add_api_route(
        one.path,
        answered,
        methods=["GET"],
        dependencies=[permitted(*one.roles)],
        name=name,
        operation_id=f"list-{name}",
        summary=one.summary,
        description=f"{(one.type.__doc__ or '').splitlines()[0]} By the page as JSON; whole in another form.",
        responses=schemas.of_rows(one.type),
    )
