"""The AsyncAPI 3 document of what Tieout takes from Kafka, made from the same models as everything else.

Each command has three messages on one channel: a structured CloudEvent, a binary one, and the bare command. The schemas
keep to what JSON Schema draft 7 knows, which is what AsyncAPI's own schema language is an extension of.
"""

import json
from typing import Any

from consumers.contracts.examples import EXAMPLES
from consumers.envelope import event_type
from consumers.kafka import topics
from domain.commands import COMMANDS

VERSION = "1.0.0"
"""Of the contract, not of the program: its first number changes when a sender has to."""
BINDING = "0.5.0"
KEYED_BY_BOOK = frozenset(
    {
        "OpenBook",
        "ChangePostingTemplate",
        "ChangeBookPolicies",
        "ClosePeriod",
        "ReopenPeriod",
        "ChangeAllowanceMatrix",
        "PostAllowance",
        "PostRevaluation",
        "StateControlTotals",
        "StateRates",
        "RejectDeferredFact",
        "DismissMessage",
        "ChangeAuthorities",
        "RequestApproval",
        "GiveApproval",
        "RefuseApproval",
    }
)
SAID_BY_ENVELOPE = frozenset({"command", "source", "source_id"})
NUMBERED = "The number of the message, from 1 on without gaps within one book, day and currency; optional."

_COMMANDS_TOPIC = """Commands, in the order of each customer. The topic's name, and which further topics are read, are \
settings.

Key: the customer, as UTF-8 text, the same text as in the command; of commands that concern a whole book, the book. \
Partitioner: murmur2 on the bytes of the key, as the Java client and kafka-python have it by default; with librdkafka \
set `partitioner=murmur2_random`, whose own default differs. Messages of one customer are booked in the order of their \
partition, so one customer must always come under one key. A message without a key is ordered within its partition only.

Send with `acks=all` and idempotence. The same message may be sent again at any time: `source` and `id` (of a bare \
command `source_id`) name it, and it is booked once. A source that numbers its messages (`sequence`) and states control \
totals of each day lets Tieout tell which of them are missing. Aborted transactions are not read. A book must have been opened \
before the first command for it arrives."""
_DEAD_TOPIC = """Copies of messages that came from Kafka and could not be booked, at least once each; nothing reads them \
back. They stand in quarantine, where they are corrected, tried again or dismissed. The value is what came as JSON text; \
what was no JSON is a JSON string."""


def document() -> str:
    """The document as JSON text."""
    schemas, messages = _components()
    channel = {name: {"$ref": f"#/components/messages/{name}"} for name in messages if name != "dead-letter"}
    whole = {
        "asyncapi": "3.0.0",
        "id": "urn:tieout:kafka",
        "info": {
            "title": "Tieout: commands over Kafka",
            "version": VERSION,
            "description": "An accounts-receivable subledger, fed by upstream billing systems.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "commands": {
                "address": topics.COMMANDS,
                "title": "Commands",
                "description": _COMMANDS_TOPIC,
                "messages": channel,
                "bindings": {"kafka": {"topic": topics.COMMANDS, "bindingVersion": BINDING}},
                "x-partitioner": "murmur2",
            },
            "dead-letters": {
                "address": topics.DEAD_LETTERS,
                "title": "Dead letters",
                "description": _DEAD_TOPIC,
                "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
                "bindings": {"kafka": {"topic": topics.DEAD_LETTERS, "bindingVersion": BINDING}},
            },
        },
        "operations": {
            "receive-commands": {"action": "receive", "channel": {"$ref": "#/channels/commands"}},
            "send-dead-letters": {"action": "send", "channel": {"$ref": "#/channels/dead-letters"}},
        },
        "components": {"messages": messages, "schemas": schemas},
    }
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def _components() -> tuple[dict[str, Any], dict[str, Any]]:
    """Schemas and messages."""
    schemas: dict[str, Any] = {
        "cloudevent": _attributes(),
        "binary-headers": _binary_headers(),
    }
    messages: dict[str, Any] = {}
    for name, model in COMMANDS.items():
        _add_schemas(schemas, name, model.model_json_schema())
        messages |= _messages(name)
    messages["dead-letter"] = {
        "name": "dead-letter",
        "title": "A message that stands in quarantine",
        "contentType": "application/json",
        "headers": _dead_headers(),
        "payload": {"description": "What came, as JSON."},
    }
    return schemas, messages


def _add_schemas(schemas: dict[str, Any], name: str, schema: dict[str, Any]) -> None:
    """The command with and without what an envelope says, and the parts that commands share."""
    for part, inner in schema.pop("$defs", {}).items():
        if part in COMMANDS:
            # A command within a command is the component that it is anyway.
            continue
        inner = _moved(inner)
        assert schemas.setdefault(part, inner) == inner, f"two parts are named {part}"
    schema = _moved(schema)
    schema["properties"]["command"].pop("default")
    schema["title"] = f"The data of {event_type(name)}"
    schema["required"] = [field for field in schema["required"] if field not in SAID_BY_ENVELOPE]
    schemas[f"{name}Data"] = schema
    schemas[name] = {
        "title": name,
        "allOf": [_schema(f"{name}Data"), {"type": "object", "required": sorted(SAID_BY_ENVELOPE)}],
    }


def _messages(name: str) -> dict[str, Any]:
    type_ = event_type(name)
    # Not a reference: the published schema of the binding takes none.
    key = {
        "type": "string",
        "description": f"The {'book' if name in KEYED_BY_BOOK else 'customer'}, as in the command.",
    }
    common = {"name": type_, "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}}}
    of_type = {"properties": {"type": {"const": type_}, "data": _schema(f"{name}Data")}}
    return {
        f"{type_}.structured": {
            **common,
            "title": f"{name}, a structured CloudEvent",
            "contentType": "application/cloudevents+json",
            "headers": {
                "type": "object",
                "properties": {"content-type": {"type": "string", "const": "application/cloudevents+json"}},
                "required": ["content-type"],
            },
            "payload": {"allOf": [_schema("cloudevent"), {"type": "object", **of_type}]},
        },
        f"{type_}.binary": {
            **common,
            "title": f"{name}, a binary CloudEvent",
            "contentType": "application/json",
            "headers": {
                "allOf": [_schema("binary-headers"), {"type": "object", "properties": {"ce_type": {"const": type_}}}]
            },
            "payload": _schema(f"{name}Data"),
        },
        f"{type_}.bare": {
            **common,
            "title": f"{name}, without an envelope",
            "contentType": "application/json",
            "payload": _schema(name),
            "examples": [{"payload": EXAMPLES[name]}],
        },
    }


def _attributes() -> dict[str, Any]:
    """A structured CloudEvent, as far as it means something here; further attributes are tolerated."""
    text = {"type": "string"}
    return {
        "title": "CloudEvent",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "type": text,
            "source": {**text, "minLength": 1, "description": "Who sends; with `id` the identity of the message."},
            "id": {**text, "minLength": 1},
            "subject": text,
            "time": {**text, "format": "date-time"},
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": ["string", "integer"], "description": NUMBERED},
            "sequencetype": {**text, "description": "If given and not Integer, the sequence is none of ours."},
            "data": {"type": "object"},
        },
        "required": ["specversion", "type", "source", "id", "data"],
    }


def _binary_headers() -> dict[str, Any]:
    of = _attributes()["properties"]
    names = ("specversion", "type", "source", "id", "subject", "time", "sequence", "sequencetype")
    return {
        "title": "The attributes of a binary CloudEvent, as UTF-8 text",
        "type": "object",
        "properties": {**{f"ce_{name}": of[name] for name in names}, "content-type": {"const": "application/json"}},
        "required": ["ce_specversion", "ce_type", "ce_source", "ce_id"],
    }


def _dead_headers() -> dict[str, Any]:
    said = {
        topics.ORIGINAL_TOPIC: "Where the message came from.",
        topics.ORIGINAL_PARTITION: "A decimal number.",
        topics.ORIGINAL_OFFSET: "A decimal number.",
        topics.ERROR_CODE: "The code of what is wrong, such as command_must_be_valid.",
        topics.ERROR_FIELD: "The field that it is wrong with; may be empty.",
        topics.REASON: "The rule that was broken.",
        topics.ATTEMPTS: "How often the message had come by then, a decimal number.",
        topics.QUARANTINE_ID: "The entry in quarantine: the same number again is a repeat.",
    }
    return {
        "type": "object",
        "properties": {name: {"type": "string", "description": text} for name, text in said.items()},
        "required": list(said),
    }


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _moved(part: Any) -> Any:
    """A schema whose references lead to the components of the document."""
    if isinstance(part, dict):
        return {
            name: inner.replace("#/$defs/", "#/components/schemas/") if name == "$ref" else _moved(inner)
            for name, inner in part.items()
        }
    return [_moved(inner) for inner in part] if isinstance(part, list) else part
