"""A book 账套 is opened with its whole template; a change of it applies to what comes later."""

from typing import Any

import pytest
from given import BOOK, given, invoice, payment, postings

from domain.book import change_template, evolve_book, open_book
from domain.commands import ChangeBookPolicies, ChangePostingTemplate, OpenBook
from domain.events import Allocated, BookOpened, BookPolicies, BookPoliciesChanged, PostingTemplateChanged
from domain.refusals import Code, Refusal


def opening(**more: Any) -> OpenBook:
    return OpenBook(source="test", source_id="1", book=BOOK, base_currency="CNY", **more)


def change(**more: Any) -> ChangePostingTemplate:
    return ChangePostingTemplate(source="test", source_id="2", book=BOOK, **more)


def test_opening_stores_the_policies_and_the_whole_template_as_version_1() -> None:
    opened, changed = open_book(opening(roles={"revenue": "6051"}, tolerances={"CNY": 100}))
    assert isinstance(opened, BookOpened)
    assert (opened.allocation, opened.tolerances, opened.time_zone) == ("oldest_due_first", {"CNY": 100}, "UTC")
    assert isinstance(changed, PostingTemplateChanged)
    assert (changed.version, changed.roles["revenue"], changed.roles["receivable"]) == (1, "6051", "1122")
    book = evolve_book(evolve_book(None, opened), changed)
    assert (book.version, book.template.version, book.policy_version) == (2, 1, 1)


def test_a_change_sets_what_it_names_and_keeps_the_rest() -> None:
    books = given(invoice("1", 100), change(roles={"receivable": "1122.01"}))
    assert books.book.template.version == 2
    [event] = books.booked(invoice("2", 100))
    assert postings(event) == [("1122.01", "D", 100, 100), ("6001", "C", 100, 100)]
    assert event.template == 2


def test_what_settles_an_item_uses_the_items_account_not_todays() -> None:
    books = given(invoice("1", 100), change(roles={"receivable": "1122.01", "unapplied": "2204"}))
    outcome = books.booked(payment("P", 100))
    assert postings(outcome[1]) == [("2204", "D", 100, 100), ("1122", "C", 100, 100)]


def test_a_reason_must_mean_a_role_that_has_an_account() -> None:
    with pytest.raises(Refusal) as refused:
        open_book(opening(reasons={"toll": "tolls"}))
    assert (refused.value.code, refused.value.field, refused.value.value) == (Code.ROLE, "reasons.toll", "tolls")
    with pytest.raises(Refusal):
        change_template(given().book, change(reasons={"toll": "tolls"}))


def test_methods_and_reasons_can_be_added() -> None:
    books = given(change(roles={"tolls": "6602"}, methods={"pigeon": "1009"}, reasons={"toll": "tolls"}))
    [event] = books.booked(payment("P", 100, method="pigeon", deductions=[{"reason": "toll", "amount": 1}]))
    assert [account for account, *_ in postings(event)] == ["1009", "6602", "2203"]


def test_dates_are_taken_from_the_books_first_day_on() -> None:
    books = given(first_on="2024-01-10")
    books.booked(invoice("1", 100, "01-10"))
    refused = books.refused(invoice("2", 100, "01-09"))
    assert refused.code == Code.DATE_WITHIN_HORIZON


def policies(**more: Any) -> ChangeBookPolicies:
    return ChangeBookPolicies(source="test", source_id="3", book=BOOK, **more)


def test_a_change_of_policy_is_stored_with_what_was_before_and_holds_from_then_on() -> None:
    books = given(invoice("1", 50), invoice("2", 100, "01-11"), tolerances={"CNY": 7})
    [event] = books.booked(policies(allocation="largest_first"))
    assert isinstance(event, BookPoliciesChanged)
    assert (event.before, event.after) == (
        BookPolicies("oldest_due_first", {"CNY": 7}),
        BookPolicies("largest_first", {"CNY": 7}),
    )
    allocated = books.booked(payment("P", 100))[1]
    assert isinstance(allocated, Allocated)
    assert (allocated.policy, allocated.policy_version) == ("largest_first", 3)
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (50, 0)


def test_tolerances_are_replaced_as_a_whole_and_leave_the_policy_as_it_was() -> None:
    books = given(tolerances={"CNY": 7, "USD": 1})
    books.booked(policies(tolerances={"CNY": 9}))
    assert (books.book.tolerances, books.book.policy_version, books.book.version) == ({"CNY": 9}, 1, 3)
