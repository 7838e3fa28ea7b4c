"""A CloudEvent is the same command as the bare one; its attributes are read tolerantly, its data strictly."""

import json
from typing import Any

import pytest

from consumers.commands import parse_command
from consumers.envelope import COMMAND_OF, event_type, kebab
from domain.commands import COMMANDS
from ledger.outcomes import Submission, Unreadable

DATA: dict[str, Any] = {
    "book": "main",
    "customer": "C1",
    "currency": "EUR",
    "number": "P1",
    "effective_on": "2025-01-31",
    "amount": 200,
}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "tieout.record-payment.v1",
    "source": "bank",
    "id": "evt-7",
    "data": DATA,
}
BARE = {"command": "RecordPayment", "source": "bank", "source_id": "evt-7", **DATA}


def parse(event: Any) -> Submission | Unreadable:
    return parse_command(event if isinstance(event, str) else json.dumps(event), origin="topic:0:1")


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EVENT.items() if key != name}


def test_an_event_is_the_command_with_the_envelopes_source_and_id() -> None:
    assert parse(EVENT) == parse(BARE)


@pytest.mark.parametrize(
    "more",
    [
        {"subject": "P1", "time": "2025-01-31T10:00:00Z", "datacontenttype": "application/json"},
        {"datacontenttype": "application/json; charset=utf-8"},
        {"traceparent": "00-1", "partitionkey": "C1", "anything": {"deep": [1]}, "dataschema": "urn:x"},
        {"data": {**DATA, "source": "bank", "command": "RecordPayment", "source_id": "evt-7"}},
    ],
    ids=["optional", "with a charset", "unknown", "said twice"],
)
def test_more_attributes_change_nothing(more: dict[str, Any]) -> None:
    assert parse(EVENT | more) == parse(BARE)


@pytest.mark.parametrize(
    ("event", "field", "rule"),
    [
        (without("id"), "id", "must be given"),
        (without("source"), "source", "must be given"),
        (without("type"), "type", "must be given"),
        (without("data"), "data", "must be given"),
        (EVENT | {"specversion": "0.3"}, "specversion", "must be 1.0"),
        (EVENT | {"id": ""}, "id", "must be right: "),
        (EVENT | {"id": 7}, "id", "must be right: expected `str`, got `int`"),
        (EVENT | {"type": "com.example.paid"}, "type", "must be one of tieout.open-book.v1"),
        (EVENT | {"datacontenttype": "text/xml"}, "datacontenttype", "must be application/json"),
        (EVENT | {"data": [1]}, "data", "must be an object"),
        (EVENT | {"data": DATA | {"source": "till"}}, "data.source", "must say the same as the envelope"),
        (EVENT | {"data": DATA | {"amount": 2.0}}, "amount", "must be a whole number"),
        (EVENT | {"data": DATA | {"colour": "red"}}, "colour", "is not a field here"),
        (json.dumps(EVENT).replace('"amount"', '"amount": 1, "amount"'), "amount", "must stand only once"),
        (json.dumps(EVENT).replace('"id"', '"id": "x", "id"'), "id", "must stand only once"),
    ],
)
def test_what_is_wrong_with_an_event_is_said(event: Any, field: str, rule: str) -> None:
    found = parse(event)
    assert isinstance(found, Unreadable)
    assert (found.code, found.field) == ("command_must_be_valid", field)
    assert rule in found.rule


def test_an_unreadable_event_keeps_its_source_and_id() -> None:
    found = parse(EVENT | {"data": DATA | {"amount": 2.0}})
    assert isinstance(found, Unreadable)
    assert (found.book, found.source, found.source_id) == ("main", "bank", "evt-7")


def test_a_command_that_merely_says_specversion_is_no_event() -> None:
    found = parse(BARE | {"reason": "specversion"})
    assert isinstance(found, Submission)


def test_every_command_has_a_type() -> None:
    assert sorted(COMMAND_OF.values()) == sorted(COMMANDS)
    assert event_type("IssueInvoice") == "tieout.issue-invoice.v1"
    assert kebab("ChangePostingTemplate") == "change-posting-template"
