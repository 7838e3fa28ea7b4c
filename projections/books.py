"""A book as its own stream has made it, up to a log position: its state, and the accounts that a role ever meant."""

from domain.book import Book, evolve_book
from domain.documents import book_stream
from domain.events import PostingTemplateChanged
from projections import log
from projections.view import Moment, View


def book_at(view: View, book: str, position: int) -> Book | None:
    """A book as it was at a position; None where it was not open yet."""
    state: Book | None = None
    for logged in log.events_of(view.connection, [book_stream(book)], position):
        state = evolve_book(state, logged.event)
    return state


def accounts_of_role(view: View, book: str, role: str, at: Moment) -> set[str]:
    """The accounts that the book's templates, up to K, name for a role: what was posted stays where it was posted."""
    return {
        logged.event.roles[role]
        for logged in log.events_of(view.connection, [book_stream(book)], at.position)
        if isinstance(logged.event, PostingTemplateChanged) and role in logged.event.roles
    }
