"""What the writer remembers of the log: books and who waits for what, as of one generation, and customer accounts.

Everything here can be read again from the log. An account may be behind what another writer has booked since: booking
on it then fails, its next version being taken; whether one is behind can be asked. Accounts are working copies: the
writer evolves them while it decides, before the commit, and drops them when that fails.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from eventsourcing.persistence import OperationalError

from domain.account import Account, evolve, from_snapshot, snapshot
from domain.book import Book, evolve_book
from domain.documents import AccountName, account_stream, book_stream, rate_stream
from domain.events import Event, FactDeferred, RatesStated
from domain.rates import Rates
from domain.waiting import still_waiting
from ledger.codec import SNAPSHOT_TOPIC, decode, encode
from ledger.database import Connection, Row

MAX_ACCOUNTS = 20_000
"""Accounts kept in memory between batches."""
SNAPSHOT_EVERY = 50
"""Versions of an account from one snapshot to the next; as many as it has open items, if those are more."""

_EVENTS = """SELECT originator_version, topic, state FROM events
    WHERE shard = 0 AND originator_id = ? AND originator_version > ? ORDER BY originator_version"""
_SNAPSHOTS = "SELECT originator_id, topic, state FROM snapshots WHERE "
# Many accounts in one round trip.
_MANY_EVENTS = """SELECT originator_id, originator_version, topic, state FROM events
    JOIN unnest(:streams::text[], :after::int4[]) u(stream, version)
    ON shard = 0 AND originator_id = stream AND originator_version > version
    ORDER BY originator_id, originator_version"""
_VERSION = """SELECT originator_version FROM events WHERE shard = 0 AND originator_id = ?
    ORDER BY originator_version DESC LIMIT 1"""
# Streams in which more was deferred than applied.
_WAITING = """SELECT originator_id FROM events WHERE shard = 0 AND originator_id >= 'wait:' AND originator_id < 'wait;'
    GROUP BY originator_id HAVING sum(CASE topic WHEN 'fact-deferred.v1' THEN 1 ELSE -1 END) > 0"""
_BOOKS = """SELECT originator_id FROM events WHERE shard = 0 AND originator_id >= 'book:' AND originator_id < 'book;'
    AND originator_version = 1 ORDER BY position"""
SITUATION = """SELECT generation,
    EXISTS (SELECT 1 FROM quarantine WHERE shard = 0 AND status = 'open'),
    EXISTS (SELECT 1 FROM parked WHERE shard = 0) FROM ledger_head WHERE shard = 0"""


class State:
    """Books, accounts and waiting facts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.generation: int | None = None
        self.quarantine_open = False
        self.anything_parked = False
        self._books: dict[str, Book | None] = {}
        self._rates: dict[str, Rates] = {}
        self._accounts: dict[str, Account] = {}
        self._waiting: dict[str, dict[int, FactDeferred]] = {}
        self._snapshot_at: dict[str, int] = {}

    def forget(self, accounts: Iterable[Account] | None = None) -> None:
        """Remember neither books nor waiting facts, nor some accounts, by default none at all."""
        self.generation = None
        self._books.clear()
        self._rates.clear()
        self._waiting.clear()
        if accounts is None:
            self._accounts.clear()
            self._snapshot_at.clear()
        else:
            for account in accounts:
                self._accounts.pop(account.stream, None)

    def catch_up(self) -> int:
        """Be at the generation of the log, which is answered; what was remembered of another one is dropped."""
        return self.caught_up(self._connection.execute(SITUATION).fetchone())

    def caught_up(self, situation: Row) -> int:
        """The same by what ``SITUATION`` has answered."""
        generation, self.quarantine_open, self.anything_parked = situation
        if self.generation != generation:
            self.forget(())
            for (stream,) in self._connection.execute(_WAITING).fetchall():
                self._waiting[stream] = still_waiting(self.events(stream))
            self.generation = generation
        return int(generation)

    def events(self, stream: str, after: int = 0) -> Iterable[tuple[int, Event]]:
        """The events of a stream, with their versions."""
        for version, topic, state in self._connection.execute(_EVENTS, (stream, after)):
            yield version, decode(topic, state)

    def book(self, book: str) -> Book | None:
        """A book, or None where it has not been opened."""
        try:
            return self._books[book]
        except KeyError:
            found: Book | None = None
            for _, event in self.events(book_stream(book)):
                found = evolve_book(found, event)
            self._books[book] = found
            return found

    def put_book(self, book: Book) -> None:
        """A book as it stands after events that are being committed."""
        self._books[book.book] = book

    def rates(self, book: str, source: str) -> Rates:
        """What a source states of exchange rates; whoever states more adds it."""
        stream = rate_stream(book, source)
        found = self._rates.get(stream)
        if found is None:
            stated = (event for _, event in self.events(stream))
            found = self._rates[stream] = Rates(event for event in stated if isinstance(event, RatesStated))
        return found

    def books(self) -> list[str]:
        """The ids of all books, in the order in which they were opened."""
        return [stream[len("book:") :] for (stream,) in self._connection.execute(_BOOKS)]

    def account(self, book: str, customer: str, currency: str) -> Account:
        """The working copy of a customer account."""
        stream = account_stream(book, customer, currency)
        account = self._accounts.get(stream)
        if account is None:
            account = self._accounts[stream] = self._begun(AccountName(book, customer, currency))
            for _, event in self.events(stream, account.version):
                evolve(account, event)
        return account

    def load(self, names: Iterable[AccountName]) -> None:
        """Have these accounts at hand: where a statement is a round trip, two for all of them."""
        if not self._connection.postgres:
            return
        wanted = {account_stream(*name): name for name in names}
        wanted = {stream: name for stream, name in wanted.items() if stream not in self._accounts}
        if not wanted:
            return
        saved = self._connection.execute(
            _SNAPSHOTS + "originator_id = ANY(:streams) ORDER BY originator_version", {"streams": list(wanted)}
        ).fetchall()
        snapshots = {stream: (topic, state) for stream, topic, state in saved}
        begun = {stream: self._begin(name, snapshots.get(stream)) for stream, name in wanted.items()}
        rows = self._connection.execute(
            _MANY_EVENTS, {"streams": list(begun), "after": [account.version for account in begun.values()]}
        )
        for stream, _, topic, state in rows:
            evolve(begun[stream], decode(topic, state))
        self._accounts |= begun

    def _begun(self, name: AccountName) -> Account:
        stream = account_stream(*name)
        rows = self._connection.execute(
            _SNAPSHOTS + "originator_id = :stream ORDER BY originator_version", {"stream": stream}
        ).fetchall()
        return self._begin(name, rows[-1][1:] if rows else None)

    def _begin(self, name: AccountName, saved: tuple[str, bytes] | None) -> Account:
        """An account as its snapshot has it. One of an unknown version is ignored: it is never the only place."""
        if saved is None or saved[0] != SNAPSHOT_TOPIC:
            return Account(*name)
        account: Account = from_snapshot(decode(*saved))
        self._snapshot_at[account.stream] = account.version
        return account

    def version(self, stream: str) -> int:
        """The version of the last event of a stream, 0 where there is none."""
        row = self._connection.execute(_VERSION, (stream,)).fetchone()
        return 0 if row is None else int(row[0])

    def any_behind(self, versions: Iterable[tuple[str, int]]) -> bool:
        """Whether any stream has gone on beyond the version that it was decided at."""
        return any(self.version(stream) > version for stream, version in versions)

    @property
    def anybody_waits(self) -> bool:
        """Whether any fact waits for any document."""
        return bool(self._waiting)

    def all_waiting(self) -> Iterator[tuple[str, int, FactDeferred]]:
        """Every fact that waits, with its waiting stream and version."""
        for stream, facts in self._waiting.items():
            for version, fact in facts.items():
                yield stream, version, fact

    def waiting_as(self, book: str, source: str, source_id: str) -> str:
        """The waiting stream in which a source's message waits; an empty text where it does not."""
        for stream, _, fact in self.all_waiting():
            if stream.split(":", 2)[1] == book and (fact.source, fact.source_id) == (source, source_id):
                return stream
        return ""

    def given_up(self, stream: str, version: int) -> None:
        """A fact that waits no more."""
        left = {at: fact for at, fact in self._waiting.pop(stream).items() if at != version}
        if left:
            self._waiting[stream] = left

    def waiting(self, stream: str) -> dict[int, FactDeferred]:
        """The facts that wait in a waiting stream, by version; whoever books one takes it out."""
        return self._waiting.get(stream, {})

    def add_waiting(self, stream: str, version: int, fact: FactDeferred) -> None:
        """A fact that waits from now on."""
        self._waiting.setdefault(stream, {})[version] = fact

    def arrived(self, stream: str) -> dict[int, FactDeferred]:
        """The facts of a waiting stream, which wait no more."""
        return self._waiting.pop(stream, {})

    def settle_down(self, changed: Iterable[Account]) -> None:
        """After a commit: snapshots of the accounts that are due for one, and no more accounts than memory is for."""
        due = [
            a for a in changed if a.version - self._snapshot_at.get(a.stream, 0) >= max(SNAPSHOT_EVERY, len(a.items))
        ]
        if due:
            # The batch is booked: a database that goes away now is the next one's concern.
            with suppress(OperationalError):
                self._save_snapshots(due)
        while len(self._accounts) > MAX_ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]

    def _save_snapshots(self, accounts: Sequence[Account]) -> None:
        """One snapshot an account; older ones are of no use any more. Losing them at a power cut costs nothing."""
        connection = self._connection
        if not connection.postgres:
            connection.execute("PRAGMA synchronous=NORMAL")
        rows = [(a.stream, a.version, SNAPSHOT_TOPIC, encode(snapshot(a))) for a in accounts]
        with connection.writing():
            if connection.postgres:
                connection.execute("SET LOCAL synchronous_commit = off")
            connection.executemany(
                "DELETE FROM snapshots WHERE originator_id = ? AND originator_version < ?", [row[:2] for row in rows]
            )
            connection.executemany("INSERT INTO snapshots VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)
        if not connection.postgres:
            connection.execute("PRAGMA synchronous=FULL")
        self._snapshot_at.update((account.stream, account.version) for account in accounts)
