"""The customer accounts of a book by customer and currency, found some at a time: what pages of answers go through.

Tables have accounts by the name of their stream, which sorts otherwise: ``acct:main:C10:CNY`` comes before
``acct:main:C1:CNY``, since a digit is less than a colon. So streams are looked up in their own order, one look-up each
however many rows an account has, and put into order then. An account that comes before one that was found, but whose
stream comes after the stream that was found last, has a customer whose id that stream's name goes on from: there are few
such, and they are looked up as well.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import dropwhile, groupby, islice
from typing import NamedTuple, Protocol, TypeVar

from domain.documents import AccountName, parse_account_stream
from ledger.database import Connection
from ledger.outcomes import token
from projections.answers import AccountRow
from projections.view import Moment, Scope, View


class Keyed(Protocol):
    """A row of a list, with what its place in there is: customer and currency, and what else there is to it."""

    @property
    def key(self) -> tuple[str, ...]:
        """After which the next page begins."""


Row = TypeVar("Row", bound=Keyed)

FIRST, MOST = 64, 2_000
"""Accounts that are asked about in one go: at first, and at most."""
_RECENT = 4_096
"""Events that are looked through for the accounts that they are of."""
_LAST = "\U0010ffff"


class Where(NamedTuple):
    """A table with rows of accounts, its column for their streams, and which rows count."""

    table: str
    column: str
    condition: str = ""


LOG = Where("events", "originator_id")
ITEMS = Where("item", "stream")
OPEN = Where("item", "stream", " AND (open_now != 0 OR open_base_now != 0)")


class _Range(NamedTuple):
    """The streams after one and before another. ``cut``: one of each that begin with the same so many characters."""

    after: str
    before: str
    cut: int = 0


# Each stream is looked up from the one before it.
_NEXT = "(SELECT min({column}) FROM {table} WHERE shard = 0 AND {column} > {after} AND {column} < {before}{condition})"
_WALK = """WITH RECURSIVE found(stream, before, cut, n) AS (
    SELECT {first}, column2, column3, 1 FROM (VALUES {ranges}) r
    UNION ALL
    SELECT {next}, before, cut, n + 1 FROM found WHERE stream IS NOT NULL AND n < :most
    ) SELECT stream FROM found WHERE stream IS NOT NULL"""
_PASSED = f"CASE cut WHEN 0 THEN found.stream ELSE substr(found.stream, 1, cut) || '{_LAST}' END"


def _walk(connection: Connection, where: Where, ranges: Sequence[_Range], most: int) -> list[str]:
    """The first streams of each range."""
    values: dict[str, str | int] = {"most": most}
    for n, one in enumerate(ranges):
        values |= {f"after{n}": one.after, f"before{n}": one.before}
    statement = _WALK.format(
        first=_NEXT.format(**where._asdict(), after="r.column1", before="r.column2"),
        next=_NEXT.format(**where._asdict(), after=_PASSED, before="found.before"),
        ranges=", ".join(f"(:after{n}, :before{n}, {one.cut})" for n, one in enumerate(ranges)),
    )
    return [stream for (stream,) in connection.execute(statement, values)]


def account_of(stream: str) -> AccountName:
    """Book, customer and currency of a row's stream."""
    name = parse_account_stream(stream)
    assert name is not None, stream
    return name


def by_account(book: str) -> str:
    """Customer and currency of a ``stream``, to order rows by: the customer lies between the prefix and the currency."""
    start = len(f"acct:{book}:") + 1
    return f"substr(stream, {start}, length(stream) - {start + 3}), substr(stream, length(stream) - 2)"


def _name(stream: str) -> tuple[str, str]:
    _, customer, currency = account_of(stream)
    return customer, currency


def in_order(
    connection: Connection, where: Where, book: str, since: tuple[str, str] = ("", ""), size: int = FIRST
) -> Iterator[str]:
    """The streams of a book's accounts by customer and currency, from one on; at first so many are looked up at once."""
    prefix = f"acct:{book}:"
    last, early = prefix + since[0], set[str]()
    while found := _walk(connection, where, [_Range(last, f"acct:{book};")], size):
        last = max(found)
        late = _late(connection, where, prefix, last) if len(found) == size else []
        yield from sorted((one for one in {*found, *late} - early if _name(one) >= since), key=_name)
        early = set(late)
        size = min(size * 4, MOST)


def _late(connection: Connection, where: Where, prefix: str, last: str) -> list[str]:
    """The streams after one, of customers whose ids its name goes on from."""
    ranges = []
    for end in range(len(prefix) + 1, len(last)):
        # A currency is three capital letters; what follows other letters is another customer's stream.
        after, before = max(last, f"{last[:end]}:@"), f"{last[:end]}:["
        if after < before:
            ranges.append(_Range(after, before, cut=end + 4))
    found = _walk(connection, where, ranges, MOST**2) if ranges else []
    return [one for one in found if last.startswith(one[:-4])]


def _moved_since(view: View, book: str, position: int, since: tuple[str, str]) -> list[str]:
    """The accounts of the events after a position, in order."""
    rows = view.connection.execute(
        "SELECT DISTINCT originator_id FROM events WHERE position > :after AND position <= :upto"
        " AND originator_id > :first AND originator_id < :last",
        {"after": position, "upto": view.position, "first": f"acct:{book}:", "last": f"acct:{book};"},
    )
    return sorted((one for (one,) in rows if _name(one) >= since), key=_name)


def _with_items(
    view: View, book: str, at: Moment, since: tuple[str, str], size: int, *, settled: bool
) -> Iterator[str]:
    """The accounts of which items may be shown, in order: where it can be told, those with something open then."""
    connection = view.connection
    if settled or at.effective_on is not None or view.position - at.position > _RECENT:
        return in_order(connection, ITEMS, book, since, size)
    found = in_order(connection, OPEN, book, since, size)
    if at.is_last:
        return found
    return (one for one, _ in groupby(merge(found, _moved_since(view, book, at.position, since), key=_name)))


def paged(
    view: View,
    scope: Scope,
    at: Moment,
    answer: Callable[[Scope], Iterable[Row]],
    after: Sequence[str] | None,
    limit: int | None,
    *,
    among: Where | None = None,
    settled: bool = False,
) -> Iterator[Row]:
    """Rows by customer and currency, from after a key on, so many at most: asked for some accounts at a time.

    ``among``: where those accounts are that may have rows; without it they are those that have items.
    """
    if after is None and limit is None:
        yield from answer(scope)
        return
    key = tuple(after or ())
    since = (key[0], key[1]) if key else ("", "")
    # The account of the last row is asked for again.
    size = FIRST if limit is None else min(limit + 1, MOST)
    streams: Iterator[str]
    if scope.streams is not None:
        streams = iter(sorted((one for one in scope.streams if _name(one) >= since), key=_name))
    elif among is not None:
        streams = in_order(view.connection, among, scope.book, since, size)
    else:
        streams = _with_items(view, scope.book, at, since, size, settled=settled)
    rows = _rows(scope, streams, answer, size)
    yield from islice(dropwhile(lambda row: row.key <= key, rows) if key else rows, limit)


def _rows(scope: Scope, streams: Iterator[str], answer: Callable[[Scope], Iterable[Row]], size: int) -> Iterator[Row]:
    while some := list(islice(streams, size)):
        wanted = [one for one in some if scope.currency in (None, _name(one)[1])]
        if wanted:
            yield from answer(scope._replace(streams=wanted))
        size = min(size * 4, MOST)


_EVENTS = """SELECT a.column1, l.originator_version, f.position, l.position FROM (VALUES {streams}) a
    JOIN events f ON f.shard = 0 AND f.originator_id = a.column1 AND f.originator_version = 1
    JOIN events l ON l.shard = 0 AND l.originator_id = a.column1 AND l.originator_version = (
        SELECT originator_version FROM events e WHERE e.shard = 0 AND e.originator_id = a.column1 AND e.position <= :K
        ORDER BY originator_version DESC LIMIT 1)"""


def accounts(
    view: View, scope: Scope, at: Moment, after: Sequence[str] | None = None, limit: int | None = None
) -> Iterator[AccountRow]:
    """The accounts that have events, by customer and currency, as known at K: of each the first and the last event."""

    def answer(some: Scope) -> list[AccountRow]:
        values = {f"stream{n}": stream for n, stream in enumerate(some.streams or ())}
        statement = _EVENTS.format(streams=", ".join(f"(:{name})" for name in values))
        rows = view.connection.execute(statement, values | {"K": at.position})
        return sorted((_account(*row) for row in rows), key=lambda row: row.key)

    return paged(view, scope, at, answer, after or ("", ""), limit, among=LOG)


def _account(stream: str, version: int, first: int, last: int) -> AccountRow:
    customer, currency = _name(stream)
    return AccountRow(
        customer=customer,
        currency=currency,
        version=version,
        first_position=token(first),
        last_position=token(last),
    )
