"""A moment of a store: one connection in one read transaction, and the two clocks of a question asked of it."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from domain.documents import parse_account_stream
from ledger.database import Connection
from projections import log
from projections.answers import AsOf
from projections.standing import NotFollowed

Parameters = dict[str, Any]


class Moment(NamedTuple):
    """(E, K), resolved: ``effective_on`` None means every day; ``is_last``: ``position`` is all that was followed."""

    effective_on: date | None
    position: int
    is_last: bool

    @property
    def parameters(self) -> Parameters:
        """``:E`` as ISO text and ``:K`` for queries."""
        return {"E": self.effective_on.isoformat() if self.effective_on else None, "K": self.position}

    @property
    def day(self) -> date:
        """E; ValueError where none was asked for."""
        if self.effective_on is None:
            raise ValueError("this needs a day: the answer depends on it")
        return self.effective_on

    def covers(self, effective_on: date) -> bool:
        """Whether a day lies within E."""
        return self.effective_on is None or effective_on <= self.effective_on


class View(NamedTuple):
    """A connection whose read transaction holds the moment at which the projections had reached ``position``."""

    connection: Connection
    position: int

    def at(self, as_of: AsOf) -> Moment:
        """The two clocks of a question; NotFollowed for a position beyond what was followed."""
        position = self.position if as_of.position is None else as_of.position
        if position > self.position:
            raise NotFollowed(f"position {position} is asked for, the projections reach {self.position}: follow first")
        return Moment(as_of.effective_on, position, position == self.position)


class Scope(NamedTuple):
    """Which items: of a book, of some of its customer accounts, of one currency, control account or document.

    ``items``: only these.
    """

    book: str
    streams: Sequence[str] | None = None
    currency: str | None = None
    account: str | None = None
    document: str | None = None
    items: Sequence[str] | None = None

    def condition(self, table: str) -> tuple[str, Parameters]:
        """The scope as a condition on a table with ``stream`` and ``item`` (``account`` as well, if one is given)."""
        words = [f"{table}.shard = 0"]
        values: Parameters = {}
        if self.streams is None:
            words.append(f"{table}.stream > :after AND {table}.stream < :before")
            values |= {"after": f"acct:{self.book}:", "before": f"acct:{self.book};"}
            if self.currency is not None:
                words.append(f"substr({table}.stream, length({table}.stream) - 2) = :currency")
                values["currency"] = self.currency
        else:
            names = {f"stream{n}": stream for n, stream in enumerate(self.streams)}
            words.append(f"{table}.stream IN ({', '.join(f':{name}' for name in names)})" if names else "1 = 0")
            values |= names
        if self.account is not None:
            words.append(f"{table}.account = :account")
            values["account"] = self.account
        if self.document is not None:
            # A document's items are `<document>#<n>`; others in this range are sorted out by the reader of the rows.
            words.append(f"{table}.item > :first AND {table}.item < :last")
            values |= {"first": f"{self.document}#", "last": f"{self.document}$"}
        if self.items is not None:
            named = {f"item{n}": item for n, item in enumerate(self.items)}
            words.append(f"{table}.item IN ({', '.join(f':{name}' for name in named)})")
            values |= named
        return " AND ".join(words), values


def scope(
    view: View,
    book: str,
    customer: str | None = None,
    currency: str | None = None,
    account: str | None = None,
    document: str | None = None,
) -> Scope:
    """The scope of a question; the accounts of a customer, and that of a document, are looked up in the log."""
    if document is not None:
        stream = log.account_stream_of(view.connection, book, document)
        name = parse_account_stream(stream) if stream is not None else None
        asked = name is not None and customer in (None, name.customer) and currency in (None, name.currency)
        return Scope(book, [stream] if stream is not None and asked else [], None, account, document)
    streams = log.account_streams(view.connection, book, customer, currency) if customer is not None else None
    return Scope(book, streams, currency, account)
