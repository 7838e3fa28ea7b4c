"""The AsyncAPI document: whole in itself, and of the same contracts as the JSON Schemas. (Current: test_contracts.)"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from consumers.contracts import asyncapi, contracts
from consumers.envelope import event_type
from consumers.kafka import topics
from domain.commands import COMMANDS

DOCUMENT: dict[str, Any] = json.loads(asyncapi.document())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
KNOWN = {
    *("$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "description", "enum", "format", "items"),
    "oneOf",
    *(
        "maximum",
        "maxLength",
        "maxItems",
        "minimum",
        "minLength",
        "minItems",
        "pattern",
        "patternProperties",
        "properties",
    ),
    *("propertyNames", "required", "title", "type"),
}
"""The words of JSON Schema draft 7 that are used; AsyncAPI's schema language knows them all."""


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


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > len(MESSAGES)
    for reference in found:
        assert isinstance(at(reference), dict)
    unused = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} - found
    assert not unused


def test_what_the_specification_requires_is_there() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert at(operation["channel"]["$ref"])["address"]
    for channel in DOCUMENT["channels"].values():
        assert channel["address"] == channel["bindings"]["kafka"]["topic"]
        assert all(at(message["$ref"]) in MESSAGES.values() for message in channel["messages"].values())


def test_schemas_keep_to_the_words_that_asyncapi_knows() -> None:
    def words(schema: dict[str, Any]) -> Iterator[str]:
        yield from schema
        for name in ("properties", "patternProperties"):
            for inner in schema.get(name, {}).values():
                yield from words(inner)
        for inner in [
            *schema.get("anyOf", ()),
            *schema.get("allOf", ()),
            *schema.get("oneOf", ()),
            schema.get("items"),
        ]:
            if inner is not None:
                yield from words(inner)

    for schema in DOCUMENT["components"]["schemas"].values():
        assert set(words(schema)) <= KNOWN


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_comes_in_three_ways_with_a_key(command: str) -> None:
    type_ = event_type(command)
    ways = {way: MESSAGES[f"{type_}.{way}"] for way in ("structured", "binary", "bare")}
    channel = DOCUMENT["channels"]["commands"]["messages"]
    assert {f"{type_}.{way}" for way in ways} <= channel.keys()
    for message in ways.values():
        key = message["bindings"]["kafka"]["key"]["description"]
        assert ("customer" in key) == ("customer" in COMMANDS[command].model_fields)
    assert ways["structured"]["payload"]["allOf"][1]["properties"]["type"] == {"const": type_}
    assert ways["binary"]["headers"]["allOf"][1]["properties"]["ce_type"] == {"const": type_}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_fields_of_its_own_contract(command: str) -> None:
    contract = json.loads(contracts()[f"{event_type(command)}.json"])
    data = DOCUMENT["components"]["schemas"][f"{command}Data"]
    assert data["properties"].keys() == contract["properties"].keys()
    assert data["additionalProperties"] is False
    assert set(data["required"]) | {"command", "source", "source_id"} == set(contract["required"])


def test_the_key_and_the_partitioner_are_stated() -> None:
    channel = DOCUMENT["channels"]["commands"]
    assert channel["address"] == topics.COMMANDS
    assert channel["x-partitioner"] == "murmur2"
    assert "Key: the customer" in channel["description"]
    assert "partitioner=murmur2_random" in channel["description"]
