"""A CloudEvent is the same command as the bare one; its attributes are read tolerantly, its data strictly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.commands import parse_command, parse_message
from consumers.envelope import COMMAND_OF, event_type, kebab
from domain.commands import COMMANDS
from ledger.digest import digest
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
BINARY: dict[str, bytes | None] = {
    "ce_specversion": b"1.0",
    "ce_type": b"tieout.record-payment.v1",
    "ce_source": b"bank",
    "ce_id": b"evt-7",
    "content-type": b"application/json",
}
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def parse(event: Any) -> Submission | Unreadable:
    return parse_command(event if isinstance(event, str) else json.dumps(event), origin="topic:0:1")


def message(data: Any, headers: Any = BINARY) -> Submission | Unreadable:
    value = data if isinstance(data, bytes) else json.dumps(data).encode()
    return parse_message(value, list(headers.items()), origin="topic:0:1", lane="topic:C1")


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
        {"sequence": "0000-b", "sequencetype": "com.example.hash"},
        {"sequence": None},
    ],
    ids=["optional", "with a charset", "unknown", "said twice", "another sequence", "no sequence"],
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
        (EVENT | {"sequence": "7a"}, "sequence", "must be a whole number"),
        (EVENT | {"sequence": "0"}, "sequence", "must not be less than 1"),
        (EVENT | {"sequence": "7", "data": DATA | {"sequence": 8}}, "data.sequence", "must say the same as the"),
        (EVENT | {"data": DATA | {"amount": 2.0}}, "amount", "must be a whole number"),
        (EVENT | {"data": DATA | {"colour": "red"}}, "colour", "is not a field here"),
        (json.dumps(EVENT).replace('"amount"', '"amount": 1, "amount"'), "amount", "must stand only once"),
        (json.dumps(EVENT).replace('"id"', '"id": "x", "id"'), "id", "must stand only once"),
        (json.dumps(EVENT).replace('"id"', '"\\u0069d": "x", "id"'), "id", "must stand only once"),
        (json.dumps(EVENT).replace('"id"', '"id": 7, "id"'), "id", "must stand only once"),
        (json.dumps(EVENT).replace('"id"', '"id" : "x", "id"'), "id", "must stand only once"),
        (json.dumps(EVENT).replace('"id"', '"more": {"a": 1, "a": 2}, "id"'), "a", "must stand only once"),
        (json.dumps(EVENT)[:-1] + ', "data": {}}', "data", "must stand only once"),
        (json.dumps(EVENT)[:-1] + ', "more": ' + "[" * 5_000 + "]" * 5_000 + "}", "", "must"),
        (json.dumps(EVENT)[:-1] + ', "more": ' + '{"a":' * 5_000 + "1" + "}" * 5_001, "", "must"),
    ],
)
def test_what_is_wrong_with_an_event_is_said(event: Any, field: str, rule: str) -> None:
    found = parse(event)
    assert isinstance(found, Unreadable)
    assert (found.code, found.field) == ("command_must_be_valid", field)
    assert rule in found.rule


NUMBERED = parse(BARE | {"sequence": 17})


@pytest.mark.parametrize(
    "more",
    [
        {"sequence": "17"},
        {"sequence": 17},
        {"sequence": "17", "sequencetype": "Integer"},
        {"sequence": "00017", "data": {**DATA, "sequence": 17}},
        {"data": {**DATA, "sequence": 17}},
    ],
    ids=["text", "number", "with its type", "said twice", "in data"],
)
def test_the_sequence_of_an_event_is_the_commands_number(more: dict[str, Any]) -> None:
    assert parse(EVENT | more) == NUMBERED != parse(BARE)


def test_the_sequence_may_be_a_header() -> None:
    found = message(DATA, BINARY | {"ce_sequence": b"17", "ce_sequencetype": b"Integer"})
    assert isinstance(found, Submission)
    assert isinstance(NUMBERED, Submission)
    assert found.command == NUMBERED.command


def test_an_event_in_headers_is_the_same_command_and_the_same_fact() -> None:
    found = message(DATA)
    assert isinstance(found, Submission)
    structured = parse_message(json.dumps(EVENT).encode(), STRUCTURED, origin="topic:0:1", lane="topic:C1")
    bare = parse_message(json.dumps(BARE).encode(), [], origin="topic:0:1", lane="topic:C1")
    assert found == structured == bare
    assert (found.origin, found.quarantine, found.lane) == ("topic:0:1", True, "topic:C1")
    assert found.command == parse(BARE).command  # type: ignore[union-attr]
    assert len({digest(one.command) for one in (found, structured, bare)}) == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "headers",
    [
        {"ce_subject": b"C1", "ce_time": b"2025-01-31T10:00:00Z", "ce_traceparent": b"00-1", "other": b"\xff"},
        {"content-type": None},
        {"content-type": b"Application/JSON; charset=utf-8"},
        {"ce_dataschema": None},
    ],
    ids=["more attributes", "no content type", "with a charset", "null"],
)
def test_more_headers_change_nothing(headers: dict[str, bytes | None]) -> None:
    assert message(DATA, BINARY | headers) == message(DATA)


def test_data_in_binary_mode_may_say_its_identity_again() -> None:
    assert message(BARE) == message(DATA)
    # However it is spelt.
    assert message(json.dumps(BARE).replace('"bank"', '"\\u0062ank"').encode()) == message(DATA)


@pytest.mark.parametrize(
    ("headers", "data", "field", "rule"),
    [
        ({"ce_id": None}, DATA, "id", "must be given"),
        ({"ce_id": b""}, DATA, "id", "must be right: "),
        ({"ce_type": b"com.example.paid"}, DATA, "type", "must be one of tieout.open-book.v1"),
        ({"ce_specversion": b"0.3"}, DATA, "specversion", "must be 1.0"),
        ({"ce_source": b"\xff"}, DATA, "source", "must be UTF-8"),
        ({"ce_datacontenttype": b"application/json"}, DATA, "datacontenttype", "must stand only once"),
        ({"content-type": b"application/avro"}, DATA, "datacontenttype", "must be application/json"),
        ({}, [1], "data", "must be an object"),
        ({}, DATA | {"source": "till"}, "data.source", "must say the same as the envelope"),
        ({}, DATA | {"source": {"a": 1}}, "data.source", "must say the same as the envelope"),
        ({}, DATA | {"colour": "red"}, "colour", "is not a field here"),
        ({}, DATA | {"specversion": "1.0"}, "specversion", "is not a field here"),
        ({}, json.dumps(DATA).replace('"amount"', '"amount": 1, "amount"').encode(), "amount", "must stand only once"),
        ({}, b'{"source": \xff', "", "must be"),
        ({}, b'{"source": "\xff"}', "", "must be"),
        ({}, b"", "data", "must be an object"),
    ],
)
def test_what_is_wrong_with_an_event_in_headers_is_said(headers: Any, data: Any, field: str, rule: str) -> None:
    found = message(data, BINARY | headers)
    assert isinstance(found, Unreadable)
    assert (found.code, found.field, found.lane) == ("command_must_be_valid", field, "topic:C1")
    assert rule in found.rule


def test_what_is_kept_of_an_event_in_headers_can_be_tried_again() -> None:
    found = message(DATA | {"amount": 2.0})
    assert isinstance(found, Unreadable)
    assert (found.book, found.source, found.source_id) == ("main", "bank", "evt-7")
    mended = json.loads(found.raw)
    mended["data"]["amount"] = 200
    assert parse(mended) == parse(BARE)


def test_what_says_that_it_is_structured_must_be() -> None:
    found = parse_message(json.dumps(BARE).encode(), STRUCTURED, origin="topic:0:1")
    assert isinstance(found, Unreadable)
    assert (found.field, found.rule) == ("specversion", "must be given")


EXTENSIONS = st.dictionaries(
    st.text("abcdefghij", min_size=1, max_size=6).filter(lambda name: name not in EVENT),
    st.recursive(st.text('ab:" \\', max_size=6), lambda inner: st.dictionaries(st.text("ab:", max_size=3), inner)),
    max_size=3,
)


def written(event: Any, separators: tuple[str, str], twice: tuple[str, ...] = ()) -> str:
    """An event as JSON; the key at the end of the path ``twice`` stands twice."""
    if not isinstance(event, dict):
        return json.dumps(event)
    comma, colon = separators
    parts = [json.dumps(key) + colon + written(inner, separators, twice[1:]) for key, inner in event.items()]
    if len(twice) == 1:
        parts.insert(0, json.dumps(twice[0]) + colon + "1")
    return "{" + comma.join(parts) + "}"


@given(
    extensions=EXTENSIONS,
    separators=st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " : "), (",", "\t:")]),
    twice=st.sampled_from([None, *((key,) for key in EVENT), *(("data", key) for key in DATA)]),
)
def test_a_key_that_stands_twice_is_found_whatever_stands_beside_it(
    extensions: dict[str, Any], separators: tuple[str, str], twice: tuple[str, ...] | None
) -> None:
    found = parse(written(extensions | EVENT, separators, twice or ()))
    if twice is None:
        assert found == parse(BARE)
    else:
        assert isinstance(found, Unreadable)
        assert (found.field, found.rule) == (twice[-1], "must stand only once in an object")


@given(
    value=st.binary(max_size=60)
    | st.sampled_from(
        [b"null", b'{"a":', b'{"specversion":"1.0"}', b'"\\ud800"', b'{"specversion":"1.0","id":"\xff"}']
    ),
    headers=st.lists(
        st.tuples(
            st.sampled_from([*BINARY, "ce_", "ce_data", "ce_time", "Content-Type"]),
            st.none()
            | st.binary(max_size=8)
            | st.sampled_from([b"1.0", b"bank", b"tieout.allocate.v1", STRUCTURED[0][1]]),
        ),
        max_size=7,
    ),
)
def test_no_message_makes_it_fail(value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
    found = parse_message(value, headers, origin="topic:0:1", lane="topic:C1")
    assert isinstance(found, Unreadable)
    json.loads(found.raw)
    assert "\0" not in "".join((found.book, found.source, found.source_id or "", found.field, found.value, found.rule))


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
