"""The inbound contracts: a JSON Schema for each command, with an example, one for the envelope, and an AsyncAPI document
of how they come over Kafka; all made from the code.

``python -m consumers.contracts`` writes them again. They are published, so a difference is a change for every sender.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from consumers.contracts import asyncapi
from consumers.contracts.examples import EXAMPLES
from consumers.envelope import Envelope, event_type
from domain.commands import COMMANDS

FOLDER = Path(__file__).parent
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def contracts() -> dict[str, str]:
    """File name → its text, JSON Schemas and the AsyncAPI document."""
    schemas = {f"{event_type(name)}.json": _command(name, model) for name, model in COMMANDS.items()}
    schemas["cloudevent.json"] = _envelope()
    texts = {name: json.dumps(schema, ensure_ascii=False, indent=2) + "\n" for name, schema in schemas.items()}
    return texts | {"asyncapi.json": asyncapi.document()}


def write(folder: Path = FOLDER) -> list[str]:
    """Write the contracts that differ from what stands in the folder; their names."""
    changed = []
    for name, text in contracts().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed.append(name)
    return changed


def _command(name: str, model: type[Any]) -> dict[str, Any]:
    schema = model.model_json_schema()
    within = [inner for part, inner in schema.get("$defs", {}).items() if part in COMMANDS]
    for command in (schema, *within):
        command["required"] = ["command", *command["required"]]
        command["properties"]["command"].pop("default")
    return {"$schema": DRAFT, "$id": f"urn:tieout:{event_type(name)}", **schema, "examples": [EXAMPLES[name]]}


def _envelope() -> dict[str, Any]:
    schema = msgspec.json.schema(Envelope)
    properties = schema.pop("$defs")["Envelope"]
    properties["properties"]["specversion"] = {"const": "1.0"}
    properties["properties"]["type"] = {"enum": [event_type(name) for name in COMMANDS]}
    properties["properties"]["data"] = {
        "type": "object",
        "description": "The command, by the contract that type names; command, source and source_id may be left out.",
    }
    return {"$schema": DRAFT, "$id": "urn:tieout:cloudevent", **properties}
