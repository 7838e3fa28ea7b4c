"""What an adapter is: one message of another system → entries of a batch.

    Submission    what the message says is a fact, and this is its command
    Unreadable    it may matter and no command could be made of it: kept in quarantine, with the first thing wrong
    Acknowledged  it means nothing for receivables: counted by its kind

Every message becomes at least one entry, so that nothing is dropped silently. An adapter is pure: the same message
gives the same entries, whenever and however often it comes. It reads tolerantly, since the message is not ours: fields
that it does not know are ignored. With money it is strict: whole numbers are integers, decimals are exact, and neither
ever is a binary fraction. What it keeps for the quarantine names no people.
"""

import json
from decimal import Decimal
from typing import Any, Protocol

from consumers.problems import Fault, invalid
from ledger.outcomes import Entry


class Adapter(Protocol):
    """Reads the messages of one source for one book."""

    def read(self, data: bytes, *, origin: str, lane: str | None = None, key: str | None = None) -> list[Entry]:
        """What a message becomes; never empty, never an exception.

        ``key`` is what the message was sent under, for sources whose key is the customer.
        """
        ...


class MessageFault(Exception):
    """Something is wrong with a message; carries the fault, and the command as far as it could be made."""

    def __init__(self, fault: Fault, command: dict[str, Any] | None = None) -> None:
        super().__init__(fault.code)
        self.fault = fault
        self.command = command


def decode(data: bytes) -> dict[str, Any]:
    """The JSON object of a message, fractions as ``Decimal``; raises ``MessageFault``."""
    try:
        found = json.loads(
            data.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_each_once
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise MessageFault(invalid("", "", f"must be JSON: {error}")) from None
    if not isinstance(found, dict):
        raise MessageFault(invalid("", "", "must be a JSON object"))
    if b"\\ud" in data.lower():
        _refuse_half_characters(found)
    return found


def as_json(part: Any) -> str:
    """A part of a message, or a command in the making, as JSON text; decimals and dates as text."""
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"), default=str)


def unread(data: bytes) -> str:
    """A message that could not be read, as JSON text: whoever looks into the quarantine can rely on JSON."""
    return as_json(data.decode("utf-8", "replace"))


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Which of two amounts is meant cannot be known.
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MessageFault(invalid(twice, "", "must stand only once in an object"))
    return found


def _refuse_half_characters(found: Any) -> None:
    """JSON can write half of a character outside the basic plane; no text can hold it."""
    try:
        as_json(found).encode()
    except UnicodeEncodeError:
        raise MessageFault(invalid("", "", "must be text in UTF-8")) from None


def _no_number(text: str) -> Any:
    raise MessageFault(invalid("", text, "must be a number"))
