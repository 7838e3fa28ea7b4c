"""Routes whose answer is a list, each with its key: the order of its rows, total and stable, and what its pages go on from."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import dropwhile, islice
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field, ValidationError

from domain.documents import KINDS, AccountName
from ledger.outcomes import read_token
from projections.answers import (
    AgeingRow,
    AsOf,
    AuditRow,
    Balance,
    DocumentRow,
    JournalEntry,
    MovedFact,
    OpenItem,
)
from projections.reader import Reader
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
        raise ValueError("must ascend")
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


class DocumentsAsked(OfAccounts):
    """Which documents."""

    kind: Kind | None = Field(None, description="Only of this kind.")


class JournalAsked(Page):
    """Which vouchers."""

    from_on: Day | None = Field(None, description="From this accounting day on.")
    to_on: Day | None = Field(None, description="Up to this accounting day.")
    customer: Customer | None = None
    account: Account | None = Field(None, description="Only events that post to this account, by its code.")


class AuditAsked(Page):
    """Which events of the audit trail."""

    customer: Customer | None = None
    document: Document | None = None


class MovedAsked(Page):
    """Which late facts."""

    period: str | None = Field(
        None, pattern=r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$", description="Only those that belong to this period."
    )


After = Callable[[Reader, str, Any, AsOf, Key | None, int], Sequence[Any]]


class List(NamedTuple):
    """A list: its path within a book, what it may be asked, what its rows are, and their key."""

    path: str
    asked: type[Page]
    type: type[msgspec.Struct]
    key: Callable[[Any], Key]
    after: After
    roles: tuple[Role, ...] = (Role.READER,)


def _sliced(rows: Iterable[Any], key: Callable[[Any], Key], after: Key | None, limit: int) -> Sequence[Any]:
    """The rows after a key, of rows that come in its order."""
    found: Iterator[Any] = iter(rows)
    if after is not None:
        found = dropwhile(lambda row: key(row) <= after, found)
    return list(islice(found, limit))


def _of_balance(row: Balance) -> list[Any]:
    return [row.customer, row.currency, row.account, row.role]


def _position(row: Any) -> list[Any]:
    return [int(row.position.partition(":")[2])]


LISTS: tuple[List, ...] = (
    List(
        "/balances",
        OfAccounts,
        Balance,
        _of_balance,
        lambda reader, book, a, at, after, limit: _sliced(
            reader.balances(book, a.customer, a.currency, at),
            _of_balance,
            after,
            limit,
        ),
    ),
    List(
        "/items",
        ItemsAsked,
        OpenItem,
        lambda row: [row.customer, row.currency, row.due_on.isoformat(), row.item],
        lambda reader, book, a, at, after, limit: _sliced(
            reader.items(book, a.customer, a.currency, at, settled=a.settled, account=a.account, document=a.document),
            lambda row: [row.customer, row.currency, row.due_on.isoformat(), row.item],
            after,
            limit,
        ),
    ),
    List(
        "/ageing",
        AgeingAsked,
        AgeingRow,
        lambda row: [row.customer, row.currency],
        lambda reader, book, a, at, after, limit: _sliced(
            reader.ageing(book, at, _days(a.buckets), a.customer, a.currency),
            lambda row: [row.customer, row.currency],
            after,
            limit,
        ),
    ),
    List(
        "/documents",
        DocumentsAsked,
        DocumentRow,
        _position,
        lambda reader, book, a, at, after, limit: _sliced(
            reader.documents(book, a.customer, a.currency, a.kind, at), _position, after, limit
        ),
    ),
    List(
        "/journal",
        JournalAsked,
        JournalEntry,
        _position,
        lambda reader, book, a, at, after, limit: _sliced(
            reader.journal(book, a.from_on, a.to_on, a.customer, a.account, at), _position, after, limit
        ),
    ),
    List(
        "/audit",
        AuditAsked,
        AuditRow,
        _position,
        lambda reader, book, a, at, after, limit: list(
            reader.audit(book, a.customer, a.document, after[0] if after else 0, limit, at)
        ),
        (Role.AUDITOR,),
    ),
    List(
        "/moved",
        MovedAsked,
        MovedFact,
        _position,
        lambda reader, book, a, at, after, limit: _sliced(reader.moved(book, a.period, at), _position, after, limit),
    ),
)


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
    found: tuple[list[Balance], int] = await service.counter.ask(
        _balances, (book, asked.customer, asked.currency, asked.as_of)
    )
    # Where it has not been reached, the other way waits for it.
    return page_of(request, asked, _of_balance, found[0], found[1]) if found[1] >= wanted else None


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
            return one.after(reader, book, asked, at, key, limit)

        return await listed(request, asked, Rows(one.type, one.key, after))

    routes.add_api_route(
        one.path,
        answered,
        methods=["GET"],
        dependencies=[permitted(*one.roles)],
        name=one.path.strip("/").replace("/", "-"),
        operation_id=f"list-{one.path.strip('/').replace('/', '-')}",
        summary=(one.type.__doc__ or "").split("\n")[0],
        responses=schemas.of_rows(one.type),
    )
