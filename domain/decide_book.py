"""From a command for a book as a whole to its events, or a refusal: the door beside ``decide``."""

from collections.abc import Sequence
from datetime import date

from domain.allowance import change_matrix, post_allowance
from domain.authority import Approval, change_authorities, under_control
from domain.book import Book, change_policies, change_template, open_book
from domain.commands import (
    ChangeAllowanceMatrix,
    ChangeAuthorities,
    ChangeBookPolicies,
    ChangePostingTemplate,
    ClosePeriod,
    OpenBook,
    PostAllowance,
    PostRevaluation,
    ReopenPeriod,
)
from domain.events import Event, FactDeferred
from domain.periods import close_period, reopen_period
from domain.revaluation import post_revaluation

BookCommand = (
    OpenBook
    | ChangePostingTemplate
    | ChangeBookPolicies
    | ChangeAuthorities
    | ClosePeriod
    | ReopenPeriod
    | ChangeAllowanceMatrix
    | PostAllowance
    | PostRevaluation
)
"""A command for a book as a whole."""


def decide_book(
    book: Book | None,
    command: BookCommand,
    today: date,
    waiting: Sequence[FactDeferred] = (),
    approval: Approval | None = None,
) -> list[Event]:
    """The events of a command for a book, which is None where it is to be opened; raises ``Refusal``.

    ``today`` is the book's day, ``waiting`` its facts that wait for a document, ``approval`` what it is booked by.
    """
    if isinstance(command, OpenBook):
        return open_book(command)
    assert book is not None
    return under_control(book, command, _events(book, command, today, waiting), approval)


def _events(book: Book, command: BookCommand, today: date, waiting: Sequence[FactDeferred]) -> list[Event]:
    if isinstance(command, ChangePostingTemplate):
        return change_template(book, command)
    if isinstance(command, ChangeAuthorities):
        return [change_authorities(book, command)]
    if isinstance(command, ClosePeriod):
        return [close_period(book, command, today, waiting)]
    if isinstance(command, ReopenPeriod):
        return [reopen_period(book, command)]
    if isinstance(command, ChangeAllowanceMatrix):
        return [change_matrix(book, command)]
    if isinstance(command, PostAllowance):
        return [post_allowance(book, command, today)]
    if isinstance(command, PostRevaluation):
        return list(post_revaluation(book, command, today))
    assert isinstance(command, ChangeBookPolicies)
    return change_policies(book, command)
