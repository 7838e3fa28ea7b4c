"""The digest of a fact: the same document is the same fact whichever way it came.

SHA-256 over the document's own fields, so that Kafka, CSV and HTTP agree. Left out: who sent it and why, and every
field that is absent or has its default value, so that a new optional field changes no old digest. A date or cash amount
that only repeats what would be taken for it counts as absent. Lines and tax are sorted by their encoded bytes and kept
with repeats: their order in a file says nothing.
"""

from hashlib import sha256
from typing import Any

import msgspec
from pydantic import BaseModel

from domain.commands import COMMANDS, CommandBase, RecordPayment

_LEFT_OUT = frozenset({"source", "source_id", "actor", "reason"})
_REPEATED_DATES = ("document_on", "tax_point_on", "value_on")
_UNSORTED = ("lines", "tax")
_MISSING = object()


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in model.model_fields.items()
        if not field.is_required()
    }


_DEFAULTS: dict[type[BaseModel], dict[str, Any]] = {}


def _own_fields(model: BaseModel) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    defaults = _DEFAULTS.get(type(model))
    if defaults is None:
        defaults = _DEFAULTS[type(model)] = _defaults(type(model))
    get, values = defaults.get, model.__dict__
    # What was not given has its default: most fields need no comparison.
    return {name: values[name] for name in model.__pydantic_fields_set__ if values[name] != get(name, _MISSING)}


_encode = msgspec.json.Encoder(order="sorted", enc_hook=_own_fields).encode
_NAMES: dict[type[Any], str] = {command: name for name, command in COMMANDS.items()}


def digest(command: CommandBase) -> bytes:
    """The 32 bytes that tell a command's content from any other."""
    kind = type(command)
    fields = _own_fields(command)
    for name in _LEFT_OUT:
        fields.pop(name, None)
    fields["command"] = _NAMES[kind]
    effective_on = fields.get("effective_on")
    for name in _REPEATED_DATES:
        if name in fields and fields[name] == effective_on:
            del fields[name]
    if kind is RecordPayment and "cash" in fields:
        deducted = sum(deduction.amount for deduction in fields.get("deductions", ()))
        if fields["cash"] + deducted == fields["amount"]:
            del fields["cash"]
    for name in _UNSORTED:
        entries = fields.get(name)
        if entries and len(entries) > 1:
            fields[name] = sorted(map(_encode, entries))
            fields[name] = [msgspec.Raw(entry) for entry in fields[name]]
    return sha256(_encode(fields)).digest()
