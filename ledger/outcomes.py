"""What becomes of one entry: booked, duplicate, conflict, refused or waiting; parked or acknowledged if from a feed;
not booked, if another of its batch was refused and all or nothing was asked for.

An outcome is the ledger's whole answer. A duplicate gives the first answer's position; a conflict and a refusal give
code, field, value and rule; waiting names the awaited document. Positions are log positions of shard 0 inside the
ledger and opaque tokens (``"0:123"``) outside it.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.commands import Command
from domain.fields import Code


class Status(StrEnum):
    """The outcomes. Parked: kept behind an earlier message of its lane that stands in quarantine."""

    BOOKED = "booked"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"
    WAITING = "waiting"
    PARKED = "parked"
    ACKNOWLEDGED = "acknowledged"
    NOT_BOOKED = "not_booked"


FAILED = frozenset({Status.CONFLICT, Status.REFUSED})
"""What was asked for and is not in the books."""


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to one command; ``position`` is that of its last event, ``events`` how many it has.

    What changes nothing has no events, and the position at which that was found. ``version``: of the customer account,
    or of the book, after what was booked now; absent of what was booked before.
    """

    status: Annotated[Status, Meta(description="What became of the command.")]
    position: Annotated[int | None, Meta(description="The place of its last event in the log.")] = None
    events: Annotated[int, Meta(description="How many events it has led to.")] = 0
    document: Annotated[str | None, Meta(description="What it enters, such as kind:series:number:revision.")] = None
    awaited: Annotated[str | None, Meta(description="The document that it waits for.")] = None
    code: Code | None = None
    field: Annotated[str | None, Meta(description="The field at fault.")] = None
    value: Annotated[str | None, Meta(description="What the field has.")] = None
    rule: Annotated[str | None, Meta(description="The rule that was broken.")] = None
    version: Annotated[int | None, Meta(description="Of the account or the book, after what was booked.")] = None


class Submission(msgspec.Struct, frozen=True):
    """A command on its way in, with its origin (file digest and lines, topic:partition:offset, or request id).

    ``quarantine``: if it is refused or in conflict, it is kept in quarantine, in the same commit. ``lane``: whose order
    it is part of (topic and key of a message); while an entry of its lane stands open in quarantine, or is parked
    behind one, it is parked too. ``parked``: the id of its row, if it comes from there; whatever becomes of it but
    parked, the row is taken away in the same commit. ``version``: that of the account, or of the book, which the command
    was made for; it is booked at no other.
    """

    command: Command
    origin: str | None = None
    quarantine: bool = False
    lane: str | None = None
    parked: int | None = None
    version: int | None = None


class Unreadable(msgspec.Struct, frozen=True):
    """What came in and is no command: it goes to quarantine with what is wrong, so that nothing is lost.

    ``raw`` is what came (JSON text); ``source_id`` as far as it could be read; ``lane`` as in ``Submission``.
    """

    book: str
    source: str
    source_id: str | None
    origin: str
    code: str
    field: str
    value: str
    rule: str
    raw: str
    lane: str | None = None


class Acknowledged(msgspec.Struct, frozen=True):
    """What came in and means nothing for receivables: counted by ``kind``, so that it is never dropped silently."""

    book: str
    source: str
    kind: str


Entry = Submission | Unreadable | Acknowledged
"""What a batch is made of."""


def token(position: int, shard: int = 0) -> str:
    """A position as everything outside the ledger sees it: opaque, ``"0:123"``."""
    return f"{shard}:{position}"


def read_token(text: str) -> int:
    """The position of a token; ValueError unless it is one of this store."""
    shard, _, position = text.partition(":")
    if shard != "0" or not position.isdigit():
        raise ValueError(f"not a log position of this store: {text!r} (they look like 0:123)")
    return int(position)
