"""Late facts: what is asked for a day of a closed period, where the book moves it to the first open day.

The day that was asked for stays: in ``requested_effective_on`` of the event, and as the day of the document, of the tax
point and of the money, where the command leaves these to the accounting date. Identity 9: every event that was moved
names where it belonged.
"""

from datetime import date

from domain.book import Book
from domain.commands import AccountCommand

_DAYS_OF_ITS_OWN = ("document_on", "tax_point_on", "value_on")


def belongs_to_closed_period(book: Book, asked: date) -> bool:
    """Whether what is asked for a day is to be moved. Before the book's first day there is no period at all."""
    return book.late_facts == "move" and book.first_on <= asked < book.open_from


def moved_to_open_day(command: AccountCommand, asked: date, book: Book) -> AccountCommand:
    """The command, asked for a closed day, as of the first open one."""
    own = {
        name: asked
        for name in _DAYS_OF_ITS_OWN
        if name in type(command).model_fields and getattr(command, name) is None
    }
    return command.model_copy(update=own | {"effective_on": book.open_from})
