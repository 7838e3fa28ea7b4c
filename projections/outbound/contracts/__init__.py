"""The outbound contracts: a JSON Schema for the data of each type of event, one for the CloudEvent around it, and an
AsyncAPI document of how they come over Kafka; all made from the code.

``python -m projections.outbound.contracts`` writes them again. They are published, so a difference is a change for every
receiver.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from projections.outbound.contracts import asyncapi
from projections.outbound.types import TYPES, Public

FOLDER = Path(__file__).parent
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def contracts() -> dict[str, str]:
    """File name → its text, JSON Schemas and the AsyncAPI document."""
    schemas = {f"{type_}.json": _data(type_, model) for type_, model in TYPES.items()}
    schemas["cloudevent.json"] = {"$schema": DRAFT, "$id": "urn:tieout:outbound:cloudevent", **asyncapi.envelope()}
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


def _data(type_: str, model: type[Public]) -> dict[str, Any]:
    schema = msgspec.json.schema(model)
    parts = schema.pop("$defs")
    whole = parts.pop(model.__name__)
    return {"$schema": DRAFT, "$id": f"urn:tieout:{type_}", **whole} | ({"$defs": parts} if parts else {})
