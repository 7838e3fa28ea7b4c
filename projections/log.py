"""Reading the log: pages in order, pages by account, events decoded whole, and from an instant to a position.

Positions are dense, and ``recorded_us`` never goes backwards along them (rule 7). A page never cuts a commit in two: all
events of a commit have one ``recorded_us``, and no two commits share it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from domain.documents import (
    AccountName,
    account_stream,
    approval_stream,
    book_stream,
    feed_stream,
    parse_account_stream,
    rate_stream,
)
from domain.events import BookVoucher, Event, FactDeferred
from ledger.codec import TOPIC_OF, decode
from ledger.database import Connection

Stored = tuple[int, str, str, bytes]
"""A stored event: position, stream, topic, body."""

_AT_ONCE = 256
"""Events that are looked up by their positions in one go."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Logged(NamedTuple):
    """An event at its place in the log."""

    position: int
    stream: str
    version: int
    recorded_us: int
    event: Event

    @property
    def event_id(self) -> str:
        """``<stream>:<version>``."""
        return f"{self.stream}:{self.version}"

    @property
    def kind(self) -> str:
        """What kind of event it is: its topic without the version, ``invoice-issued``."""
        return TOPIC_OF[type(self.event)].rpartition(".")[0]

    @property
    def document(self) -> str | None:
        """The document that the event enters, reverses or is about; None for one that has none, as an allocation."""
        found: str | None = getattr(self.event, "document", None)
        return found

    @property
    def recorded_at(self) -> datetime:
        """The instant of the commit."""
        return instant(self.recorded_us)

    @property
    def book(self) -> str:
        """The book whose event this is: the second part of every stream's name."""
        return self.stream.split(":", 2)[1]

    @property
    def account(self) -> AccountName | None:
        """The customer account whose event this is; None for a stream of another kind."""
        return parse_account_stream(self.stream)

    @property
    def currency(self) -> str | None:
        """The currency of the event's postings: the customer account's or, of a book's voucher, its own."""
        name = self.account
        if name is not None:
            return name.currency
        return self.event.currency if isinstance(self.event, BookVoucher) else None


def instant(recorded_us: int) -> datetime:
    """Microseconds since 1970 as an instant in UTC; exact, where a float would not be."""
    return _EPOCH + timedelta(microseconds=recorded_us)


def microseconds(at: datetime) -> int:
    """An instant (with a time zone) as microseconds since 1970; exact. ValueError without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"an instant needs a time zone: {at.isoformat()}")
    return (at - _EPOCH) // timedelta(microseconds=1)


_WHOLE = "SELECT position, originator_id, originator_version, recorded_us, topic, state FROM events "


def head(connection: Connection) -> int:
    """The position of the last event."""
    (position,) = connection.execute("SELECT position FROM ledger_head WHERE shard = 0").fetchone()
    return int(position)


def position_at(connection: Connection, recorded_us: int, upto: int) -> int:
    """The greatest position up to ``upto`` that was recorded at that instant or before; 0 where there is none."""
    low, high = 0, upto
    while low < high:
        middle = (low + high + 1) // 2
        (at,) = connection.execute("SELECT recorded_us FROM events WHERE position = ?", (middle,)).fetchone()
        if at <= recorded_us:
            low = middle
        else:
            high = middle - 1
    return low


def page_end(connection: Connection, after: int, size: int, upto: int) -> int:
    """The last position of a page of about ``size`` events that ends with a commit."""
    return upto if after + size >= upto else commit_end(connection, after + size, upto)


_NEXT_COMMIT = """SELECT position FROM events WHERE position > :position AND position <= :upto
    AND recorded_us > (SELECT recorded_us FROM events WHERE position = :position) ORDER BY position LIMIT 1"""


def commit_end(connection: Connection, position: int, upto: int) -> int:
    """The last position of the commit that holds a position; ``upto`` is the end of a commit too."""
    row = connection.execute(_NEXT_COMMIT, {"position": position, "upto": upto}).fetchone()
    return upto if row is None else int(row[0]) - 1


def page(connection: Connection, after: int, upto: int) -> Iterable[Stored]:
    """The stored events after a position up to another: (position, stream, topic, body), in log order."""
    return connection.fetch(
        "SELECT position, originator_id, topic, state FROM events WHERE position > ? AND position <= ? ORDER BY position",
        (after, upto),
    )


def logged(connection: Connection, after: int, upto: int) -> Iterator[Logged]:
    """The events after a position up to another, whole, in log order; all of them are in memory at once."""
    return map(
        _logged, connection.fetch(f"{_WHOLE}WHERE position > ? AND position <= ? ORDER BY position", (after, upto))
    )


ACCOUNTS = ("acct:", "book;")
"""All customer accounts and books, whose events have postings: the streams from the first name on, up to the second."""
_BY_ACCOUNT = """SELECT position, originator_id, topic, state FROM events
    WHERE shard = 0 AND (originator_id, originator_version) > (?, ?) AND originator_id < ? AND position <= ?
    ORDER BY shard, originator_id, originator_version LIMIT ?"""
_VERSION = "SELECT originator_version FROM events WHERE position = ?"


def pages_by_account(
    connection: Connection, upto: int, size: int, accounts: tuple[str, str] = ACCOUNTS
) -> Iterator[list[Stored]]:
    """All stored events of customer accounts and books up to a position, stream by stream, in pages."""
    (stream, end), version = accounts, 0
    while rows := connection.fetch(_BY_ACCOUNT, (stream, version, end, upto, size)):
        yield rows
        position, stream = rows[-1][:2]
        (version,) = connection.execute(_VERSION, (position,)).fetchone()


def _logged(row: tuple[int, str, int, int, str, bytes]) -> Logged:
    position, stream, version, recorded_us, topic, state = row
    return Logged(position, stream, version, recorded_us, decode(topic, state))


# Searched by the database: a row that is not wanted costs a tenth of one that is handed over.
_OF_BOOK = """WHERE position > :after AND position <= :upto
    AND (substr(originator_id, 1, length(:account)) IN (:account, :waiting, :feed, :rate, :approval, :quarantine)
        OR originator_id = :own)"""
_ENDING = """ AND (substr(originator_id, length(originator_id) - length(:ending) + 1) = :ending
    OR originator_id = :own)"""
_HOLDING = {False: " AND instr(state, :holding) > 0", True: " AND position(:holding IN state) > 0"}


def events(
    connection: Connection, book: str, upto: int, after: int = 0, holding: bytes = b"", ending: str = ""
) -> Iterator[Logged]:
    """A book's events after a position up to another, in log order.

    ``holding``: only those with these bytes in their body, which is searched before it is decoded; a hit may be a
    chance one. ``ending``: only those of streams that end so, and the book's own.
    """
    statement = _WHOLE + _OF_BOOK
    if ending:
        statement += _ENDING
    if holding:
        statement += _HOLDING[connection.postgres]
    rows = connection.stream(
        statement + " ORDER BY position",
        {
            "after": after,
            "upto": upto,
            "own": book_stream(book),
            # All prefixes are as long.
            "account": f"acct:{book}:",
            "waiting": f"wait:{book}:",
            "feed": f"feed:{book}:",
            "approval": approval_stream(book, ""),
            "rate": f"rate:{book}:",
            "quarantine": f"quar:{book}:",
            "holding": holding,
            "ending": ending,
        },
    )
    for row in rows:
        yield _logged(row)


# After an event of the stream itself no others are looked at.
_OF_STREAM = f"""{_WHOLE}WHERE shard = 0 AND originator_id = :stream AND position > :after AND position <= :upto
    AND originator_version > coalesce(
        (SELECT originator_version FROM events WHERE position = :after AND originator_id = :stream), 0)
    ORDER BY originator_version"""
_POSITIONS = "SELECT position FROM events WHERE shard = 0 AND originator_id = ? AND position > ? AND position <= ?"


def events_of(
    connection: Connection, streams: Iterable[str], upto: int, after: int = 0, holding: bytes = b""
) -> Iterator[Logged]:
    """The events of some streams after a position up to another, in log order; ``holding`` as in ``events``."""
    names = list(streams)
    if len(names) != 1:
        found = [row[0] for name in names for row in connection.execute(_POSITIONS, (name, after, upto))]
        yield from events_at(connection, sorted(found))
        return
    # One stream's events lie in log order in its index: nothing is to be sorted.
    rows = connection.stream(_OF_STREAM, {"stream": names[0], "after": after, "upto": upto})
    for row in rows:
        if holding in row[5]:
            yield _logged(row)


def events_at(connection: Connection, positions: Iterable[int]) -> Iterator[Logged]:
    """The events at some positions, in the order given."""
    rest, size = iter(positions), 1
    # Few at first: who asks for one, or stops early, pays for no more.
    while wanted := list(islice(rest, size)):
        statement = f"{_WHOLE}WHERE {connection.among('position', 'wanted')}"
        rows = connection.fetch(statement, {"wanted": connection.values(wanted)})
        found = {row[0]: row for row in rows}
        for position in wanted:
            yield _logged(found[position])
        size = min(size * 4, _AT_ONCE)


def event_at_version(connection: Connection, stream: str, version: int) -> Logged | None:
    """One event of a stream."""
    row = connection.execute(
        _WHOLE + "WHERE shard = 0 AND originator_id = ? AND originator_version = ?", (stream, version)
    ).fetchone()
    return _logged(row) if row is not None else None


_VERSION_AT = """SELECT originator_version FROM events WHERE shard = 0 AND originator_id = ? AND position <= ?
    ORDER BY originator_version DESC LIMIT 1"""


def version_at(connection: Connection, stream: str, position: int) -> int:
    """The version that a stream had at a position, 0 before its first event."""
    row = connection.execute(_VERSION_AT, (stream, position)).fetchone()
    return 0 if row is None else int(row[0])


def account_streams(connection: Connection, book: str, customer: str, currency: str | None = None) -> list[str]:
    """The streams of a customer's accounts, one a currency, that have events."""
    if currency is not None:
        return [account_stream(book, customer, currency)]
    prefix = account_stream(book, customer, "")
    return [stream for stream in _streams(connection, prefix) if len(stream) == len(prefix) + 3]


def waiting_streams(connection: Connection, book: str) -> list[str]:
    """The streams of the facts that await or awaited a document of a book."""
    return list(_streams(connection, f"wait:{book}:"))


def approval_streams(connection: Connection, book: str) -> list[str]:
    """The streams of the requests for approval of a book."""
    return list(_streams(connection, approval_stream(book, "")))


def feed_streams(connection: Connection, book: str) -> list[str]:
    """The streams of what sources state of the messages that they send for a book."""
    return list(_streams(connection, feed_stream(book, "")))


def rate_streams(connection: Connection, book: str) -> list[str]:
    """The streams of the exchange rates that sources state for a book."""
    return list(_streams(connection, rate_stream(book, "")))


_NEXT = "SELECT min(originator_id) FROM events WHERE shard = 0 AND originator_id > ?"


def _streams(connection: Connection, prefix: str) -> Iterator[str]:
    """The streams whose name begins so, one look-up each."""
    (stream,) = connection.execute(_NEXT, (prefix,)).fetchone()
    while stream is not None and stream.startswith(prefix):
        yield stream
        (stream,) = connection.execute(_NEXT, (stream,)).fetchone()


_CONCERNING = """SELECT position FROM documents
    WHERE shard = 0 AND book = :book AND document = :document AND position > :after AND position <= :upto
    UNION SELECT position FROM touches
    WHERE shard = 0 AND book = :book AND document = :document AND position > :after AND position <= :upto
    ORDER BY position"""


def events_concerning(connection: Connection, book: str, document: str, upto: int, after: int = 0) -> Iterator[Logged]:
    """The events that concern a document, by the ledger's register, after a position up to another, in log order."""
    parameters = {"book": book, "document": document, "upto": upto, "after": after}
    found = connection.execute(_CONCERNING, parameters).fetchall()
    yield from events_at(connection, (position for (position,) in found))


_ENTERED = """SELECT originator_id, topic, state FROM events
    WHERE position = (SELECT position FROM documents WHERE shard = 0 AND book = ? AND document = ?)"""


def account_stream_of(connection: Connection, book: str, document: str) -> str | None:
    """The customer account that a document is in, or will be in once it waits no more; None for an unknown one."""
    row = connection.execute(_ENTERED, (book, document)).fetchone()
    if row is None:
        return None
    stream, topic, state = row
    event = decode(topic, state)
    return account_stream(book, event.customer, event.currency) if isinstance(event, FactDeferred) else str(stream)


_CONCERNING_ANY = """SELECT DISTINCT t.position FROM touches t JOIN events e ON e.position = t.position
    WHERE t.shard = 0 AND t.book = :book AND {among} AND t.position <= :upto AND e.topic LIKE :topics
    ORDER BY t.position"""


def events_concerning_any(
    connection: Connection, book: str, documents: Sequence[str], kind: str, upto: int
) -> Iterator[Logged]:
    """The events of a kind (``document-reversed``) that concern any of some documents, which they did not enter."""
    statement = _CONCERNING_ANY.format(among=connection.among("t.document", "documents"))
    parameters = {"book": book, "documents": connection.values(documents), "upto": upto, "topics": f"{kind}.%"}
    found = connection.execute(statement, parameters).fetchall()
    yield from events_at(connection, (position for (position,) in found))


_ORIGIN = "SELECT origin FROM receipts WHERE shard = 0 AND source = ? AND source_id = ?"


def origin(connection: Connection, event: Event) -> str | None:
    """Where the message of an event came from: the origin in its receipt."""
    return origin_of(connection, event.source, event.source_id)


def origin_of(connection: Connection, source: str, source_id: str) -> str | None:
    """Where a message came from."""
    row = connection.execute(_ORIGIN, (source, source_id)).fetchone()
    found: str | None = row[0] if row is not None else None
    return found
