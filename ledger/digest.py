"""The digest of a fact: the same document is the same fact whichever way it came.

SHA-256 over the document's own fields, so that Kafka, CSV and HTTP agree. Left out: who sent it, as which number, and why, and every
field that is absent or has its default value, so that a new optional field changes no old digest. A date or cash amount
that only repeats what would be taken for it counts as absent. Lines and tax are sorted by their encoded bytes and kept
with repeats: their order in a file says nothing.
"""

from hashlib import sha256
from typing import Any

import msgspec

from domain.commands import COMMANDS, CommandBase, RecordPayment, RequestApproval

_LEFT_OUT = {"source", "source_id", "actor", "reason", "sequence"}
_REPEATED_DATES = ("document_on", "tax_point_on", "value_on")
_UNSORTED = ("lines", "tax")
_NAMES: dict[type[Any], str] = {command: name for name, command in COMMANDS.items()}

_encode = msgspec.json.Encoder(order="sorted").encode


def digest(command: CommandBase) -> bytes:
    """The 32 bytes that tell a command's content from any other."""
    kind = type(command)
    fields = kind.__pydantic_serializer__.to_python(command, exclude_defaults=True, exclude=_LEFT_OUT)
    fields["command"] = _NAMES[kind]
    effective_on = fields.get("effective_on")
    for name in _REPEATED_DATES:
        if name in fields and fields[name] == effective_on:
            del fields[name]
    if kind is RecordPayment and "cash" in fields:
        deducted = sum(deduction["amount"] for deduction in fields.get("deductions", ()))
        if fields["cash"] + deducted == fields["amount"]:
            del fields["cash"]
    if isinstance(command, RequestApproval):
        # By its own digest, and by whose and under which name it is to be booked.
        inner = command.instruction
        fields["instruction"] = [inner.source, inner.source_id, inner.actor, digest(inner).hex()]
    for name in _UNSORTED:
        entries = fields.get(name)
        if entries and len(entries) > 1:
            fields[name] = [msgspec.Raw(entry) for entry in sorted(map(_encode, entries))]
    return sha256(_encode(fields)).digest()
