"""What the company's three systems send: commands as lines, each with the night in which it is delivered.

``billing`` sends invoices and credit notes, ``bank`` payments and refunds, ``ar-desk`` what people do by hand. Each
message knows what should become of it, so that a test can hold the ledger to it.
"""

from datetime import date
from random import Random
from typing import Any

import msgspec

BILLING, BANK, DESK = "billing", "bank", "ar-desk"
SERIES = "2025"
"""The series of invoices and credit notes of the year."""

_ENCODE = msgspec.json.Encoder().encode

OPENING, DOCUMENTS, MONEY, CORRECTIONS, AGAIN, HAND, REPEATS = range(7)
"""The order within one night: what is entered again follows its reversal, what is done by hand what it is done to."""


class Message(msgspec.Struct, eq=False):
    """A line on its way: the night of its delivery, its place in it, and the outcome that it should have.

    ``awaits``: the message of the document that it waits for, if it comes first. ``plain``: nothing was built upon
    it that would fail if it came later.
    """

    recorded: date
    stage: int
    source: str
    line: bytes
    outcome: str = "booked"
    code: str | None = None
    awaits: "Message | None" = None
    plain: bool = False


class Outbox:
    """Everything that was sent, and the numbers that were given out."""

    def __init__(self, rng: Random, book: str) -> None:
        self.rng = rng
        self.book = book
        self.messages: list[Message] = []
        self._counters: dict[str, int] = {}

    def send(
        self,
        source: str,
        source_id: str,
        command: str,
        fields: dict[str, Any],
        recorded: date,
        stage: int,
        outcome: str = "booked",
    ) -> Message:
        """Put a command into a night's delivery."""
        content = {"command": command, "source": source, "source_id": source_id, "book": self.book} | fields
        message = Message(recorded, stage, source, _ENCODE(content), outcome)
        self.messages.append(message)
        return message

    def repeat(self, line: bytes, source: str, recorded: date, outcome: str, code: str | None = None) -> None:
        """Put a line into a delivery as it is."""
        self.messages.append(Message(recorded, REPEATS, source, line, outcome, code))

    def number(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        self._counters[kind] = number = self._counters.get(kind, 0) + 1
        return number

    def bank_number(self, on: date) -> str:
        """The bank's own number of an entry: the day and a running number."""
        day = on.strftime("%Y%m%d")
        return f"{day}-{self.number(day):03d}"


def changed(line: bytes, **fields: Any) -> bytes:
    """A line with some fields of its command set; None takes a field out."""
    content = msgspec.json.decode(line) | fields
    return _ENCODE({name: value for name, value in content.items() if value is not None})
