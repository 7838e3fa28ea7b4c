"""What becomes of one command: booked, duplicate, conflict, refused or waiting.

An outcome is the ledger's whole answer. A duplicate gives the first answer's position; a conflict and a refusal give
code, field, value and rule; waiting names the awaited document. Positions are log positions of shard 0 inside the
ledger and opaque tokens (``"0:123"``) outside it.
"""

from enum import StrEnum

import msgspec

from domain.commands import Command


class Status(StrEnum):
    """The five outcomes."""

    BOOKED = "booked"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"
    WAITING = "waiting"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to one command; ``position`` is that of its last event, ``events`` how many it has."""

    status: Status
    position: int | None = None
    events: int = 0
    document: str | None = None
    awaited: str | None = None
    code: str | None = None
    field: str | None = None
    value: str | None = None
    rule: str | None = None


class Submission(msgspec.Struct, frozen=True):
    """A command on its way in, with its origin (file digest and lines, topic:partition:offset, or request id).

    ``quarantine``: if it is refused or in conflict, it is kept in quarantine, in the same commit.
    """

    command: Command
    origin: str | None = None
    quarantine: bool = False


class Unreadable(msgspec.Struct, frozen=True):
    """What came in and is no command: it goes to quarantine with what is wrong, so that nothing is lost.

    ``raw`` is what came (JSON text); ``source_id`` as far as it could be read.
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


def token(position: int, shard: int = 0) -> str:
    """A position as everything outside the ledger sees it: opaque, ``"0:123"``."""
    return f"{shard}:{position}"


def read_token(text: str) -> int:
    """The position of a token; ValueError unless it is one of this store."""
    shard, _, position = text.partition(":")
    if shard != "0" or not position.isdigit():
        raise ValueError(f"not a log position of this store: {text!r} (they look like 0:123)")
    return int(position)
