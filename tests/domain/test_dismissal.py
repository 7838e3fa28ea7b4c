"""A message in quarantine is dismissed once, under the book that it names; the event tells what was thrown away."""

from typing import Any

import pytest
from given import Books, dismiss, given, held, invoice

from domain.account import payload
from domain.dismissal import book_of
from domain.events import MessageDismissed
from domain.refusals import Code


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
    ("named", "more", "is_there"),
    [
        ("main", {}, True),
        ("main", {"book": "other"}, False),
        ("other", {"book": "other"}, True),
        ("", {"book": ""}, True),
        ("", {}, False),
        ("Main", {"book": ""}, True),
        ("main:1", {"book": ""}, True),
        ("main\n", {"book": ""}, True),
        ("main\n", {}, False),
    ],
)
def test_an_entry_is_of_the_book_that_its_message_names(named: str, more: dict[str, Any], is_there: bool) -> None:
    books = Books()
    books.quarantine[4] = held(book=named)
    outcome = books.when(dismiss(4, **more))
    assert (getattr(outcome, "code", None) is not Code.ENTRY_EXISTS) == is_there


def test_what_no_book_can_be_called_names_none() -> None:
    assert [book_of(named) for named in ("main", "", "Main", "a" * 33, "-a", "main\n")] == ["main", "", "", "", "", ""]
