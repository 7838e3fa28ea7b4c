"""A message in quarantine is dismissed once, under the book that it names; the event tells what was thrown away."""

import pytest
from given import Books, dismiss, given, held, invoice

from domain.account import payload
from domain.dismissal import book_of
from domain.events import MessageDismissed
from domain.refusals import Code, Refusal


def test_the_event_says_what_was_thrown_away_and_why() -> None:
    command = dismiss(1, actor="wang", reason="a test row")
    assert Books().booked(command) == [
        MessageDismissed(
            source=command.source,
            source_id=command.source_id,
            actor="wang",
            reason="a test row",
            entry=1,
            message_source="shop",
            message_source_id="7",
            code="customer_must_be_given",
            digest="00ff",
        )
    ]


def test_what_could_not_be_read_is_left_out() -> None:
    books = Books()
    for source_id in (None, ""):
        books.quarantine[4] = held(source="", source_id=source_id)
        [event] = books.booked(dismiss(4))
        assert (event.message_source, event.message_source_id) == (None, None)


def test_it_changes_no_account_and_no_book() -> None:
    books = given(invoice("I1", 100))
    before = (payload(books.account()), books.book)
    books.booked(dismiss(1))
    assert (payload(books.account()), books.book) == before
    assert books.log[-1].stream == "quar:main:1"


def test_an_entry_is_dismissed_once() -> None:
    books = Books()
    books.booked(dismiss(1))
    assert books.refused(dismiss(1)).code is Code.ENTRY_OPEN
    books.booked(dismiss(2))


@pytest.mark.parametrize(
    ("named", "book", "code"),
    [
        ("main", "main", None),
        ("main", "", Code.ENTRY_EXISTS),
        ("main", "other", Code.BOOK_MUST_EXIST),
        ("other", "other", None),
        ("other", "main", Code.ENTRY_EXISTS),
        ("", "", None),
        ("", "main", Code.ENTRY_EXISTS),
        ("Main", "", None),
        ("main:1", "", None),
        ("main\n", "", None),
        ("main\n", "main", Code.ENTRY_EXISTS),
    ],
)
def test_an_entry_is_of_the_book_that_its_message_names(named: str, book: str, code: Code | None) -> None:
    books = Books()
    books.quarantine[4] = held(book=named)
    outcome = books.when(dismiss(4, book=book))
    assert (outcome.code if isinstance(outcome, Refusal) else None) == code


def test_what_no_book_can_be_called_names_none() -> None:
    assert [book_of(named) for named in ("main", "", "Main", "a" * 33, "-a", "main\n")] == ["main", "", "", "", "", ""]
