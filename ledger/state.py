"""What the writer remembers of the log, as of one head: books, customer accounts, and who waits for what.

Everything here can be read again from the log; ``forget`` drops it, when another writer has moved the head or a batch
has failed half way. Accounts are working copies: the writer evolves them while it decides, before the commit.
"""

from collections.abc import Iterable, Iterator, Sequence
from sqlite3 import Connection

from domain.account import Account, evolve, from_snapshot, snapshot
from domain.book import Book, evolve_book
from domain.documents import account_stream, book_stream
from domain.events import Event, FactDeferred
from domain.waiting import still_waiting
from ledger.codec import SNAPSHOT_TOPIC, decode, encode
from ledger.head import Head

MAX_ACCOUNTS = 20_000
"""Accounts kept in memory between batches."""
SNAPSHOT_EVERY = 50
"""Versions of an account from one snapshot to the next; as many as it has open items, if those are more."""

_EVENTS = """SELECT originator_version, topic, state FROM events
    WHERE shard = 0 AND originator_id = ? AND originator_version > ? ORDER BY originator_version"""
_SNAPSHOT = """SELECT topic, state FROM snapshots WHERE originator_id = ?
    ORDER BY originator_version DESC LIMIT 1"""
# Streams in which more was deferred than applied.
_WAITING = """SELECT originator_id FROM events WHERE shard = 0 AND originator_id >= 'wait:' AND originator_id < 'wait;'
    GROUP BY originator_id HAVING sum(CASE topic WHEN 'fact-deferred.v1' THEN 1 ELSE -1 END) > 0"""
_BOOKS = """SELECT originator_id FROM events WHERE shard = 0 AND originator_id >= 'book:' AND originator_id < 'book;'
    AND originator_version = 1 ORDER BY rowid"""


class State:
    """Books, accounts and waiting facts as of ``head``; None: nothing is remembered."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.head: Head | None = None
        self.quarantine_open = False
        self._books: dict[str, Book | None] = {}
        self._accounts: dict[tuple[str, str, str], Account] = {}
        self._waiting: dict[str, dict[int, FactDeferred]] = {}
        self._snapshot_at: dict[str, int] = {}

    def forget(self) -> None:
        """Remember nothing."""
        self.head = None
        self._books.clear()
        self._accounts.clear()
        self._waiting.clear()
        self._snapshot_at.clear()

    def catch_up(self, head: Head) -> None:
        """Be at the head; what was remembered of another one is dropped."""
        if self.head == head:
            return
        self.forget()
        for (stream,) in self._connection.execute(_WAITING).fetchall():
            self._waiting[stream] = still_waiting(self.events(stream))
        row = self._connection.execute("SELECT EXISTS (SELECT 1 FROM quarantine WHERE shard = 0 AND status = 'open')")
        self.quarantine_open = bool(row.fetchone()[0])
        self.head = head

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

    def books(self) -> list[str]:
        """The ids of all books, in the order in which they were opened."""
        return [stream[len("book:") :] for (stream,) in self._connection.execute(_BOOKS)]

    def account(self, book: str, customer: str, currency: str) -> Account:
        """The working copy of a customer account."""
        name = (book, customer, currency)
        account = self._accounts.get(name)
        if account is None:
            account = self._accounts[name] = self._load(*name)
        return account

    def _load(self, book: str, customer: str, currency: str) -> Account:
        stream = account_stream(book, customer, currency)
        row = self._connection.execute(_SNAPSHOT, (stream,)).fetchone()
        # A snapshot of an unknown version is ignored: it is never the only place of anything.
        if row is not None and row[0] == SNAPSHOT_TOPIC:
            account = from_snapshot(decode(*row))
            self._snapshot_at[stream] = account.version
        else:
            account = Account(book, customer, currency)
        for _, event in self.events(stream, account.version):
            evolve(account, event)
        return account

    @property
    def anybody_waits(self) -> bool:
        """Whether any fact waits for any document."""
        return bool(self._waiting)

    def all_waiting(self) -> Iterator[tuple[str, FactDeferred]]:
        """Every fact that waits, with its waiting stream."""
        for stream, facts in self._waiting.items():
            for fact in facts.values():
                yield stream, fact

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
            self._save_snapshots(due)
        while len(self._accounts) > MAX_ACCOUNTS:
            del self._accounts[next(iter(self._accounts))]

    def _save_snapshots(self, accounts: Sequence[Account]) -> None:
        """One snapshot an account; older ones are of no use any more. Losing them at a power cut costs nothing."""
        execute, many = self._connection.execute, self._connection.executemany
        execute("PRAGMA synchronous=NORMAL")
        with self._connection:
            execute("BEGIN IMMEDIATE")
            many("DELETE FROM snapshots WHERE originator_id = ?", [(account.stream,) for account in accounts])
            many(
                "INSERT INTO snapshots VALUES (?, ?, ?, ?)",
                [(a.stream, a.version, SNAPSHOT_TOPIC, encode(snapshot(a))) for a in accounts],
            )
        execute("PRAGMA synchronous=FULL")
        self._snapshot_at.update((account.stream, account.version) for account in accounts)
