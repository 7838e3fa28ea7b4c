"""Entries of the quarantine tried again: as they are, with fields set, or as a whole corrected command."""

import json
from typing import Any

import pytest

from consumers.retry import retry
from domain.commands import OpenBook, ReverseDocument
from ledger.outcomes import Outcome, Submission

NOW_US = 1_767_225_600_000_000


def again(books: Any, *ids: int, **changes: Any) -> list[tuple[int, Outcome]]:
    return retry(books.ledger, ids or None, changes, now_us=NOW_US)


def one(books: Any, entry: int, changes: dict[str, Any]) -> Outcome:
    [(_, outcome)] = retry(books.ledger, [entry], changes, now_us=NOW_US)
    return outcome


def test_a_customer_is_set_and_the_entry_is_booked(books: Any) -> None:
    books.rows("1,,2025-01-10,1,5", "2,C2,2025-01-10,1,1")
    [(entry, outcome)] = again(books, 1, customer="C1")
    assert (entry, outcome.status, outcome.document) == (1, "booked", "invoice::1:1")
    assert books.balances()["C1"] == 500
    assert books.quarantine() == []
    assert books.quarantine("booked") == [("customer_must_be_given", "invoice::1:1")]
    assert again(books, 1)[0][1].code == "entry_must_be_open"


def test_a_number_given_for_text_is_taken_as_text(books: Any) -> None:
    books.rows("1,,2025-01-10,1,5")
    assert one(books, 1, {"customer": 17850}).status == "booked"
    assert "17850" in books.balances()


def test_text_given_for_a_number_is_taken_as_a_number(books: Any) -> None:
    books.rows("5,C1,2025-01-11,-1,5.55")
    changes = {"lines.0.net": "555", "total": "555", "instalments": '[{"due_on": "2025-02-10", "amount": 555}]'}
    assert one(books, 1, changes).status == "booked"


def test_what_is_still_wrong_is_answered_and_stays_as_it_is(books: Any) -> None:
    books.rows("1,,2025-01-10,1,5")
    outcome = one(books, 1, {"customer": "~x"})
    assert (outcome.status, outcome.code, outcome.field) == ("refused", "command_must_be_valid", "customer")
    outcome = one(books, 1, {})
    assert (outcome.field, outcome.rule) == ("customer", "must be given")
    assert len(books.quarantine(None)) == 1


@pytest.mark.parametrize("path", ["lines.7.net", "lines.x.net", "customer.deep", "total.0"])
def test_a_path_that_leads_nowhere_is_refused(books: Any, path: str) -> None:
    books.rows("1,,2025-01-10,1,5")
    outcome = one(books, 1, {path: "1"} | ({"customer": "C1"} if path != "customer.deep" else {}))
    assert outcome.status == "refused"
    assert not books.documents()


def test_all_open_entries_are_tried_when_none_is_named(books: Any) -> None:
    late = {"command": "RecordPayment", "source": "bank", "book": "later", "customer": "C1", "currency": "EUR"}
    late |= {"effective_on": "2025-01-10", "amount": 100}
    books.book = "later"
    lines = [json.dumps(late | {"source_id": f"{n}", "number": f"{n}"}) for n in range(3)]
    assert books.take(books.file("\n".join(lines), "c.jsonl")).refused == 3
    assert [outcome.code for _, outcome in again(books)] == ["book_must_exist"] * 3
    opening = OpenBook(source="test", source_id="open later", book="later", base_currency="EUR")
    books.ledger.submit([Submission(opening)], now_us=NOW_US)
    assert [(entry, outcome.status) for entry, outcome in again(books)] == [(1, "booked"), (2, "booked"), (3, "booked")]
    assert books.quarantine() == []
    assert again(books) == []


def test_rows_cannot_be_tried_but_a_whole_command_can_take_their_place(books: Any) -> None:
    books.rows("1,C1,2025-01-10,x,5")
    assert one(books, 1, {}).code == "entry_must_hold_a_command"
    assert one(books, 1, {"lines.0.net": 1}).code == "entry_must_hold_a_command"
    whole = {
        "command": "IssueInvoice",
        "customer": "C1",
        "currency": "EUR",
        "number": "1",
        "effective_on": "2025-01-10",
    }
    whole |= {"total": 500, "lines": [{"net": 500}], "instalments": [{"due_on": "2025-02-09", "amount": 500}]}
    assert one(books, 1, whole).status == "booked"
    assert books.quarantine("booked") == [("amount_must_be_a_decimal", "invoice::1:1")]


def test_an_entry_booked_under_another_id_is_dismissed_with_where_it_went(books: Any) -> None:
    books.take(books.file("nonsense\n", "c.jsonl"))
    whole = {"command": "RecordPayment", "source": "desk", "source_id": "7", "customer": "C1", "currency": "EUR"}
    outcome = one(books, 1, whole | {"number": "P", "effective_on": "2025-01-10", "amount": 100})
    assert outcome.status == "booked"
    entry = books.ledger.quarantined_entry(1)
    assert (entry.status, entry.reason) == ("dismissed", f"booked as desk 7 at 0:{outcome.position}")


def test_a_document_that_gained_rows_becomes_the_next_revision_once_the_first_is_reversed(books: Any) -> None:
    books.rows("1,C1,2025-01-10,1,5")
    books.rows("1,C1,2025-01-10,1,5", "1,C1,2025-01-10,1,2")
    assert one(books, 1, {}).status == "conflict"
    assert one(books, 1, {"revision": 2}).code == "previous_revision_must_be_reversed"
    reversal = {"command": "ReverseDocument", "source": "desk", "source_id": "r1", "book": "main", "customer": "C1"}
    reversal |= {"currency": "EUR", "document": {"kind": "invoice", "number": "1"}}
    books.ledger.submit([Submission(ReverseDocument.model_validate(reversal))], now_us=NOW_US)
    outcome = one(books, 1, {"revision": 2})
    assert (outcome.status, outcome.document) == ("booked", "invoice::1:2")
    assert books.balances() == {"C1": 700}
    assert books.quarantine() == []


def test_a_field_is_left_out_where_it_is_set_to_nothing(books: Any) -> None:
    line = {"command": "RecordPayment", "source": "bank", "source_id": "7", "book": "main", "customer": "C1"}
    line |= {"currency": "EUR", "number": "P", "effective_on": "2025-01-10", "amount": 100, "colour": "red"}
    books.take(books.file(json.dumps(line) + "\n", "c.jsonl"))
    assert one(books, 1, {"colour": None}).status == "booked"


def test_a_field_of_an_event_is_set_like_any_other(books: Any) -> None:
    event = {"specversion": "1.0", "type": "tieout.record-payment.v1", "source": "bank", "id": "7", "sequence": "3"}
    event |= {"data": {"customer": "C1", "currency": "EUR", "number": "P", "effective_on": "2025-01-10"}}
    books.take(books.file(json.dumps(event) + "\n", "c.jsonl"))
    assert one(books, 1, {"amount": 100}).status == "booked"
    assert books.documents()["payment::P:1"].sequence == 3
    assert books.quarantine("booked") == [("command_must_be_valid", "7")]


def test_an_entry_that_is_not_there_is_said_so(books: Any) -> None:
    assert one(books, 99, {}).code == "entry_must_be_open"
