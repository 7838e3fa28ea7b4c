"""The AsyncAPI 3 document of what Tieout sends to Kafka, made from the public types.

The schemas keep to what JSON Schema draft 7 knows, which is what AsyncAPI's own schema language is an extension of.
"""

import json
from typing import Any

import msgspec

from projections.outbound.events import CONTENT_TYPE
from projections.outbound.publisher import TOPIC
from projections.outbound.types import TYPES, Approval, OfAccount, Public

VERSION = "1.0.0"
"""Of the contract, not of the program: its first number changes when a receiver has to."""
BINDING = "0.5.0"

_EVENTS_TOPIC = """Everything that was booked, in the order of each key. The topic's name is a setting.

Key: `<book>:<customer>` as UTF-8 text for what concerns a customer, in whatever currency; `<book>` for what concerns a \
whole book. It stands in `partitionkey` too. Partitioner: murmur2 on the bytes of the key. While the topic keeps its \
number of partitions, the events of one key are in the order in which they were booked; keys are not ordered among each \
other.

At least once: a message may come again, alone or with those that followed it. `id` names the event for ever: what has \
been taken under it is to be dropped. After that the order of a key holds. Messages are sent with `acks=all`.

The value is the whole CloudEvent (structured mode). Fields may be added to a type at any time: ignore those that you \
do not know. Whatever else changes gets a new type, such as `tieout.invoice-issued.v2`. A type that you do not know is \
something that was booked all the same: whatever moves value has `postings` of one and the same form."""


def envelope() -> dict[str, Any]:
    """The schema of the CloudEvent around all types."""
    text = {"type": "string", "minLength": 1}
    return {
        "title": "CloudEvent",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {**text, "description": "The event's own for ever: the same id again is a repeat."},
            "source": {**text, "description": "tieout/<book>."},
            "type": {"enum": list(TYPES)},
            "subject": {
                **text,
                "description": "The document that the event enters, reverses or is about, if it has one.",
            },
            "time": {
                **text,
                "format": "date-time",
                "description": "When it was booked, UTC; never back within a source.",
            },
            "datacontenttype": {"const": "application/json"},
            "position": {
                **text,
                "description": "The event's place in the log: an opaque token, which Tieout's queries take as the state"
                " of knowledge to answer from.",
            },
            "partitionkey": {**text, "description": "The key of the message: <book>:<customer>, or <book>."},
            "data": {"type": "object", "description": "By the schema that type names."},
        },
        "required": [
            *("specversion", "id", "source", "type", "time", "datacontenttype", "position", "partitionkey", "data")
        ],
    }


def document() -> str:
    """The document as JSON text."""
    _, schemas = msgspec.json.schema_components(TYPES.values(), ref_template="#/components/schemas/{name}")
    whole = {
        "asyncapi": "3.0.0",
        "id": "urn:tieout:kafka:events",
        "info": {
            "title": "Tieout: events over Kafka",
            "version": VERSION,
            "description": "What an accounts-receivable subledger has booked.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {
            "events": {
                "address": TOPIC,
                "title": "Events",
                "description": _EVENTS_TOPIC,
                "messages": {type_: {"$ref": f"#/components/messages/{type_}"} for type_ in TYPES},
                "bindings": {"kafka": {"topic": TOPIC, "bindingVersion": BINDING}},
                "x-partitioner": "murmur2",
            }
        },
        "operations": {"send-events": {"action": "send", "channel": {"$ref": "#/channels/events"}}},
        "components": {
            "messages": {type_: _message(type_, model) for type_, model in TYPES.items()},
            "schemas": {"CloudEvent": envelope(), **schemas},
        },
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _message(type_: str, model: type[Public]) -> dict[str, Any]:
    of_type = {"type": {"const": type_}, "data": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if issubclass(model, Approval):
        key = "<book>:<customer>, or <book> where it concerns no customer"
    else:
        key = "<book>:<customer>" if issubclass(model, OfAccount) else "<book>"
    return {
        "name": type_,
        "title": model.__name__,
        "contentType": CONTENT_TYPE,
        "headers": {
            "type": "object",
            "properties": {"content-type": {"type": "string", "const": CONTENT_TYPE}},
            "required": ["content-type"],
        },
        "payload": {
            "allOf": [{"$ref": "#/components/schemas/CloudEvent"}, {"type": "object", "properties": of_type}],
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": BINDING}},
    }
