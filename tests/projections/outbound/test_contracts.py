"""The committed outbound contracts are those of the code, and the AsyncAPI document is whole in itself."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.outbound.contracts import FOLDER, asyncapi, contracts, write
from projections.outbound.publisher import TOPIC
from projections.outbound.types import TYPES

DOCUMENT: dict[str, Any] = json.loads(asyncapi.document())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
OF_BOOK = {
    "tieout.book-opened.v1",
    "tieout.posting-template-changed.v1",
    "tieout.book-policies-changed.v1",
    "tieout.period-closed.v1",
    "tieout.period-reopened.v1",
    "tieout.allowance-matrix-changed.v1",
    "tieout.allowance-posted.v1",
    "tieout.revaluation-posted.v1",
    "tieout.message-dismissed.v1",
}
OF_EITHER = {"tieout.approval-requested.v1", "tieout.approval-given.v1", "tieout.approval-refused.v1"}
KNOWN = {
    *("$ref", "additionalProperties", "const", "description", "enum", "format", "items", "minimum", "minLength"),
    *("properties", "required", "title", "type"),
}
"""The words of JSON Schema that are used; draft 7, and with it AsyncAPI's schema language, has them all."""


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def at(reference: str) -> Any:
    found: Any = DOCUMENT
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        found = found[step]
    return found


def words(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema
    for inner in schema.get("properties", {}).values():
        yield from words(inner)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from words(schema[name])


def test_the_committed_contracts_are_current(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-snapshots"):
        write()
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert committed == contracts(), "a contract has changed: read the difference, then make update-snapshots"


def test_writing_them_again_changes_nothing(tmp_path: Path) -> None:
    assert set(write(tmp_path)) == set(contracts())
    assert write(tmp_path) == []


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    found = set(references(DOCUMENT))
    for reference in found:
        assert isinstance(at(reference), dict)
    unused = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} - found
    assert not unused


def test_what_the_specification_requires_is_there() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    channel = DOCUMENT["channels"]["events"]
    assert channel["address"] == channel["bindings"]["kafka"]["topic"] == TOPIC
    assert {at(message["$ref"])["name"] for message in channel["messages"].values()} == set(TYPES)
    [operation] = DOCUMENT["operations"].values()
    assert operation["action"] == "send"
    assert at(operation["channel"]["$ref"]) == channel


def test_schemas_are_in_words_that_both_languages_know() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        assert set(words(schema)) <= KNOWN


def test_the_key_the_order_and_the_repeats_are_stated() -> None:
    said = DOCUMENT["channels"]["events"]["description"]
    assert all(word in said for word in ("<book>:<customer>", "murmur2", "in the order", "At least once"))
    for type_ in TYPES:
        key = MESSAGES[type_]["bindings"]["kafka"]["key"]["description"]
        if type_ in OF_EITHER:
            assert key == "<book>:<customer>, or <book> where it concerns no customer"
        else:
            assert key == ("<book>" if type_ in OF_BOOK else "<book>:<customer>")


@pytest.mark.parametrize("type_", TYPES)
def test_a_message_has_the_fields_of_its_own_contract_and_tolerates_more(type_: str) -> None:
    contract = json.loads(contracts()[f"{type_}.json"])
    payload = MESSAGES[type_]["payload"]["allOf"][1]["properties"]
    assert payload["type"] == {"const": type_}
    data = at(payload["data"]["$ref"])
    assert (data["properties"].keys(), data["required"]) == (contract["properties"].keys(), contract["required"])
    assert "additionalProperties" not in contract
