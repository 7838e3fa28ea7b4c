"""The one place where the parts are put together: ``build(settings)`` gives the program's ``App``.

Everything is opened when it is first asked for, and what takes long to load is imported there, so that a command pays
only for what it uses.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from tieout.errors import NotFound, UsageFault

if TYPE_CHECKING:
    from domain.book import Book
    from ledger.ledger import Ledger
    from projections.reader import Reader
    from tieout.settings import Settings


class App:
    """The parts over one store; a context manager that lets go of them."""

    def __init__(self, settings: "Settings") -> None:
        self.settings = settings
        self._readers: list[Reader] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @cached_property
    def ledger(self) -> "Ledger":
        """The writer; raises ``StoreMissing`` or ``StoreOutdated``."""
        from ledger.ledger import Ledger

        return Ledger.open(self.settings.location)

    def follow(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Bring the projections to the head of the log; the position reached."""
        from ledger.store import check
        from projections.follow import follow

        return follow(check(self.settings.location), progress)

    def reader(self, progress: Callable[[int, int], None] | None = None) -> "Reader":
        """A reader of the projections, which have followed the log to its head."""
        from projections.reader import Reader

        self.follow(progress)
        reader = Reader(self.settings.location)
        self._readers.append(reader)
        return reader

    def book(self, name: str | None = None) -> "Book":
        """The book of this name, or of the settings, or the only one there is.

        Raises ``NotFound`` where it has not been opened, ``UsageFault`` where several could be meant.
        """
        wanted = name or self.settings.book
        if wanted is not None:
            book = self.ledger.book(wanted)
            if book is None:
                raise NotFound("error.book_missing", book=wanted)
            return book
        books = self.ledger.books()
        if not books:
            raise NotFound("error.no_book", store=self.settings.location_name)
        if len(books) > 1:
            raise UsageFault("error.which_book", books=", ".join(one.book for one in books))
        return books[0]

    def currencies(self, book: str, customer: str) -> list[str]:
        """The currencies that a customer has an account in; none where the book does not know the customer."""
        from tieout.register import currencies

        return currencies(self.settings.location, book, customer)

    def now(self) -> datetime:
        """The instant it is, or the one that the settings stand still at."""
        return self.settings.now or datetime.now(UTC)

    def today(self, book: "Book") -> date:
        """The day it is in a book's time zone."""
        return self.now().astimezone(ZoneInfo(book.time_zone)).date()

    def close(self) -> None:
        """Let go of the store."""
        for reader in self._readers:
            reader.close()
        self._readers.clear()
        if "ledger" in self.__dict__:
            self.ledger.close()
            del self.ledger


def build(settings: "Settings") -> App:
    """The program over the store that the settings name; nothing is opened yet."""
    return App(settings)
