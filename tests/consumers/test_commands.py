"""One command from JSON: what is taken, what is refused, and in which words."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from consumers.commands import parse_command, read_lines
from domain.commands import COMMAND, IssueInvoice
from ledger.outcomes import Submission, Unreadable

GIVEN: dict[str, Any] = {
    "command": "IssueInvoice",
    "source": "billing",
    "source_id": "evt-1",
    "book": "main",
    "customer": "C1",
    "currency": "EUR",
    "number": "1",
    "effective_on": "2025-01-31",
    "lines": [{"net": 100, "dimensions": {"region": "north"}}, {"net": 100, "dimensions": {"region": "north"}}],
    "total": 200,
    "instalments": [{"due_on": "2025-02-28", "amount": 200}],
}


def text(**changes: Any) -> str:
    return json.dumps({name: value for name, value in (GIVEN | changes).items() if value is not ...})


def parse(data: Any, **options: Any) -> Submission | Unreadable:
    return parse_command(data, origin="test:1", **options)


def refused(data: Any, **options: Any) -> tuple[str, str, str]:
    found = parse(data, **options)
    assert isinstance(found, Unreadable)
    assert found.code == "command_must_be_valid"
    return found.field, found.value, found.rule


@pytest.mark.parametrize("data", [text(), text().encode(), GIVEN], ids=["text", "bytes", "object"])
def test_the_same_command_comes_out_of_text_bytes_and_an_object(data: Any) -> None:
    found = parse(data, quarantine=True)
    assert found == Submission(COMMAND.validate_json(text()), "test:1", True)


def test_a_book_is_given_to_commands_that_name_none() -> None:
    found = parse(text(book=...), book="retail")
    assert isinstance(found, Submission)
    assert found.command.book == "retail"


def test_a_command_for_another_book_is_refused() -> None:
    assert refused(text(book="other"), book="retail") == ("book", "other", "must be retail, the book that this is for")


@pytest.mark.parametrize(
    ("changes", "field", "value", "rule"),
    [
        ({"total": ...}, "total", "", "must be given"),
        ({"total": 1.5}, "total", "1.5", "must be a whole number"),
        ({"total": 200.0}, "total", "200.0", "must be a whole number"),
        ({"total": "200"}, "total", "200", "must be a whole number"),
        ({"total": 2**63}, "total", "9223372036854775808", "must not be more than 9223372036854775807"),
        ({"number": 1}, "number", "1", "must be text in quotes"),
        ({"number": ""}, "number", "", "must have at least 1 character"),
        ({"number": "a\u0000b"}, "number", "a\ufffdb", "no control characters"),
        ({"colour": "red"}, "colour", "red", "is not a field here"),
        ({"currency": "XXX"}, "currency", "XXX", "must be the code of an ISO 4217 currency"),
        ({"currency": "eur"}, "currency", "eur", "three capital letters"),
        ({"effective_on": "2025-02-30"}, "effective_on", "2025-02-30", "must be a date that exists"),
        ({"effective_on": "31.01.2025"}, "effective_on", "31.01.2025", "YYYY-MM-DD"),
        ({"effective_on": "1850-01-01"}, "effective_on", "1850-01-01", "must not be less than 1900-01-01"),
        ({"customer": "~x"}, "customer", "~x", "must not begin with ~"),
        ({"command": "Pay"}, "command", "Pay", "must name a command: one of 'OpenBook'"),
        ({"command": ...}, "command", "", "must name the command"),
        ({"lines": [{"net": "1"}]}, "lines.0.net", "1", "must be a whole number"),
        ({"lines": {}}, "lines", "", "must be a list"),
        ({"kind": "bill"}, "kind", "bill", "must be one of 'invoice' or 'debit-note'"),
        ({"opening": 1}, "opening", "1", "must be true or false"),
        ({"rate": "0"}, "rate", "0", "not a positive finite decimal"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(changes: dict[str, Any], field: str, value: str, rule: str) -> None:
    found = refused(text(**changes))
    assert found[:2] == (field, value)
    assert rule in found[2]


def test_no_rule_speaks_of_the_validator() -> None:
    for changes in ({"total": ...}, {"total": 1.5}, {"command": "X"}, {"lines": [1]}, {"dimensions": 1}, {"tax": [1]}):
        assert not any(word in refused(text(**changes))[2] for word in ("pydantic", "http", "Input", "str"))


@pytest.mark.parametrize(
    ("broken", "key"),
    [
        (lambda t: t.replace('"total": 200', '"total": 100, "total": 200'), "total"),
        (lambda t: t.replace('"total": 200', '"total" : 100, "total": 200'), "total"),
        (lambda t: t.replace('"total": 200', '"total"\n:100,"total":200'), "total"),
        (lambda t: t.replace('"net": 100', '"net": 1, "net": 100', 1), "net"),
        (lambda t: t.replace('"region": "north"', '"region": "a", "region": "b"', 1), "region"),
        (lambda t: t.replace('"total": 200', '"total": "x", "total": 200'), "total"),
        # A key that is spelt with an escape is the same key.
        (lambda t: t.replace('"total": 200', '"\\u0074otal": 100, "total": 200'), "total"),
        # Colons and quotes in values do not hide it.
        (lambda t: t.replace('"evt-1"', '"a\\":b"').replace('"total": 200', '"total":1,"total" :200'), "total"),
    ],
)
def test_a_key_that_stands_twice_is_refused(broken: Callable[[str], str], key: str) -> None:
    assert refused(broken(text())) == (key, "", "must stand only once in an object")


def test_a_key_that_stands_twice_in_a_command_within_a_command_is_refused() -> None:
    whole = json.dumps(
        {
            "command": "RequestApproval",
            "source": "desk",
            "source_id": "q",
            "book": "main",
            "request": "7",
            "instruction": {
                "command": "WriteOff",
                "source": "desk",
                "source_id": "w",
                "book": "main",
                "customer": "C1",
                "currency": "CNY",
                "number": "W",
                "effective_on": "2026-01-31",
                "items": [{"item": "invoice::1:1#1", "amount": 5}],
            },
        }
    )
    assert isinstance(parse_command(whole, origin="test"), Submission)
    assert refused(whole.replace('"amount": 5', '"amount": 5, "amount": 6')) == (
        "amount",
        "",
        "must stand only once in an object",
    )


@pytest.mark.parametrize("source_id", ["a:b", 'a":b', "a : b", 'say ":" twice', "\\"])
def test_colons_and_quotes_in_values_are_no_keys(source_id: str) -> None:
    found = parse(text(source_id=source_id))
    assert isinstance(found, Submission)
    assert found.command.source_id == source_id


def test_a_pretty_printed_command_is_taken() -> None:
    assert isinstance(parse(json.dumps(GIVEN, indent=2)), Submission)


@pytest.mark.parametrize("nothing", [b"", b"{", b"nonsense", b"[1]", b"3", b"\xff\xfe", b'{"a": 1} x', b"NaN"])
def test_what_is_no_command_is_kept_whole_as_json(nothing: bytes) -> None:
    found = parse(nothing, book="main")
    assert isinstance(found, Unreadable)
    assert (found.book, found.source, found.source_id, found.origin) == ("main", "", None, "test:1")
    json.loads(found.raw)


@pytest.mark.parametrize("half", ["\\ud800", "\\u0000"])
def test_what_no_database_can_hold_is_kept_in_another_form(half: str) -> None:
    found = parse(text(source="SOURCE").replace("SOURCE", f"bill{half}ing"))
    assert isinstance(found, Unreadable)
    assert found.source.encode().decode() in ("bill?ing", "bill\ufffding")
    assert half in found.raw


def test_what_can_be_made_out_of_an_invalid_command_is_kept() -> None:
    found = parse(text(total=1.5))
    assert isinstance(found, Unreadable)
    assert (found.book, found.source, found.source_id) == ("main", "billing", "evt-1")
    assert json.loads(found.raw)["total"] == 1.5


def test_lines_of_a_stream_are_numbered_as_they_stand() -> None:
    stream = io.BytesIO(b'\xef\xbb\xbf{"a": 1}\n\n  {"b": 2}\r\nnonsense\n')
    assert list(read_lines(stream)) == [(1, b'{"a": 1}'), (3, b'{"b": 2}'), (4, b"nonsense")]


def test_a_single_command_may_take_many_lines() -> None:
    pretty = json.dumps(GIVEN, indent=2).encode()
    assert list(read_lines(io.BytesIO(b"\n" + pretty + b"\n"))) == [(2, pretty)]


def test_a_bad_first_line_does_not_swallow_the_others() -> None:
    assert [line for line, _ in read_lines(io.BytesIO(b'{"a" 1}\n{"b": 2}\n'))] == [1, 2]


def test_every_command_and_every_nested_object_is_counted() -> None:
    for command in (
        {"command": "OpenBook", "base_currency": "EUR", "roles": {"fee": "1"}, "tolerances": {"EUR": 1}},
        {"command": "IssueCreditNote", **_billing(), "against": {"kind": "invoice", "number": "1"}},
        {
            "command": "Allocate",
            **_account(),
            "lines": [{"credit_item": "payment::1:1#1", "debit_item": "invoice::1:1#1"}],
        },
        {"command": "Allocate", **_account(), "policy": "proportional", "credit_items": ["payment::1:1#1"]},
        {"command": "ReverseDocument", **_account(), "document": {"kind": "invoice", "number": "1"}},
    ):
        given = {"source": "s", "source_id": "i", "book": "main"} | command
        found = parse(json.dumps(given))
        assert isinstance(found, Submission), found
        last = json.dumps(given)[:-1] + ', "source": "s"}'
        assert refused(last) == ("source", "", "must stand only once in an object")


def _account() -> dict[str, Any]:
    return {"customer": "C1", "currency": "EUR"}


def _billing() -> dict[str, Any]:
    return {**_account(), "number": "1", "effective_on": "2025-01-31", "total": 0}


def test_the_kind_of_command_is_the_one_named() -> None:
    found = parse(text())
    assert isinstance(found, Submission)
    assert isinstance(found.command, IssueInvoice)


def test_dimensions_are_bounded_all_together() -> None:
    # Braces, and of each quotes, colon and comma; three bytes a character: 1,000, and one more.
    assert isinstance(parse(text(dimensions={"region": "北" * 150, "channels": "北" * 171, "y": "x" * 3})), Submission)
    field, value, rule = refused(text(dimensions={"region": "北" * 150, "channels": "北" * 171, "y": "x" * 4}))
    assert (field, value) == ("dimensions", "")
    assert "1000 bytes" in rule
