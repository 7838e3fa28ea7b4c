"""Books on a real store: every command goes through the ledger, and what it wrote is read back into ``given.Books``.

So all that holds of books in memory is checked of what was really stored; and the store can be asked besides.
"""

from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from given import BOOK, ENTRIES, TODAY, Books
from shop import unreadable

from domain.account import Account, evolve
from domain.book import Book, evolve_book
from domain.commands import COMMAND, Command, OpenBook
from domain.documents import book_stream, parse_account_stream
from domain.events import Event
from domain.refusals import Code, Refusal
from ledger.database import Location, connect
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Status, Submission
from projections.log import logged


class StoredBooks(Books):
    """The book ``main`` of a new store. ``sent``: what was booked or waits, with its outcome, in order."""

    def __init__(self, location: Location, **settings: Any) -> None:
        self.location = location
        self.ledger = Ledger.open(location)
        self._reading = connect(location, read_only=True)
        self._position = 0
        self.log = []
        self.accounts: dict[str, Account] = {}
        self._concerning = {}
        self._by_stream = {}
        self.sent: list[tuple[Command, Outcome]] = []
        fields = {"source": "test", "source_id": "book", "book": BOOK, "base_currency": "CNY"} | settings
        assert isinstance(self.when(OpenBook.model_validate_json(msgspec.json.encode(fields))), list)
        self.ledger.submit([unreadable(BOOK, str(entry)) for entry in ENTRIES])

    def close(self) -> None:
        """Let go of the store."""
        self._reading.close()
        self.ledger.close()

    def submit(self, command: Command, today: date = TODAY) -> Outcome:
        """The ledger's outcome of a command, on a clock that stands at noon of a day."""
        now = datetime.combine(today, time(12), UTC)
        [outcome] = self.ledger.submit([Submission(command)], now_us=int(now.timestamp()) * 1_000_000)
        return outcome

    def when(self, command: Command, today: date = TODAY) -> list[Event] | Refusal:
        """The events that a command led to, as they stand in the log; or why it is refused."""
        # As at the border: what is sent again must be the same.
        command = COMMAND.validate_json(COMMAND.dump_json(command))
        outcome = self.submit(command, today)
        events = self.read()
        if outcome.status in (Status.REFUSED, Status.CONFLICT):
            assert not events, "what is refused writes nothing"
            assert outcome.code is not None
            assert outcome.field is not None
            return Refusal(Code(outcome.code), outcome.field, outcome.value)
        assert outcome.status is not Status.DUPLICATE, command
        self.sent.append((command, outcome))
        return events

    def read(self) -> list[Event]:
        """What is new in the log, taken into these books."""
        before = len(self.log)
        head = self.ledger.head().position
        for one in logged(self._reading, self._position, head):
            name = parse_account_stream(one.stream)
            if name is not None:
                account = self.account(name.customer, name.currency)
                evolve(account, one.event)
            elif one.stream == book_stream(BOOK):
                self.book: Book = evolve_book(getattr(self, "book", None), one.event)
            self._record(one.stream, one.event)
            assert self.log[-1].version == one.version
        self._position = head
        return [source.event for source in self.log[before:]]
