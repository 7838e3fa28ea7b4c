"""What the store says at once, beside the projections: counts of documents, a customer's currencies, how feeds stand.

Read-only, and not as of any day: for what a command has to know before it asks, and for ``status``.
"""

from contextlib import closing

import msgspec

from ledger.database import Location, connect
from projections.log import account_streams

# The register also has the opening of the book itself, and requests for approval: they are of no kind.
_COUNTS = """SELECT {kind} AS kind, count(*) FROM documents
    WHERE shard = 0 AND book = :book AND document LIKE '%:%' AND document NOT LIKE 'approval:%'
    GROUP BY 1 ORDER BY 1"""
_KIND = "substr(document, 1, instr(document, ':') - 1)"
_KIND_ON_POSTGRES = "split_part(document, ':', 1)"
_KAFKA = "SELECT application_name, notification_id FROM tracking WHERE application_name LIKE 'kafka:%' ORDER BY 1"
_PAUSED = "SELECT name, since_us, reason FROM paused ORDER BY name"
_PARKED = "SELECT count(*) FROM parked WHERE shard = 0"


class Position(msgspec.Struct, frozen=True):
    """The offset of the next message to read, of a partition of which anything was read."""

    cluster: str
    topic: str
    partition: int
    next: int


class Paused(msgspec.Struct, frozen=True):
    """A part that an operator has paused, since an instant in microseconds since 1970 UTC."""

    part: str
    since_us: int
    reason: str


class Feeds(msgspec.Struct, frozen=True):
    """How far feeds have been read, what is paused, and how many messages are parked behind others."""

    positions: list[Position]
    paused: list[Paused]
    parked: int


def document_counts(location: Location, book: str) -> dict[str, int]:
    """Kind of document → how many there are, those that wait included."""
    with closing(connect(location, read_only=True)) as connection:
        kind = _KIND_ON_POSTGRES if connection.postgres else _KIND
        return dict(connection.execute(_COUNTS.format(kind=kind), {"book": book}).fetchall())


def currencies(location: Location, book: str, customer: str) -> list[str]:
    """The currencies that a customer has an account in; none where the book does not know the customer."""
    with closing(connect(location, read_only=True)) as connection:
        return sorted(stream[-3:] for stream in account_streams(connection, book, customer))


def feeds(location: Location) -> Feeds:
    """How the feeds of a store stand."""
    with closing(connect(location, read_only=True)) as connection:
        (parked,) = connection.execute(_PARKED).fetchone()
        return Feeds(
            positions=sorted(
                (_position(name, reached) for name, reached in connection.execute(_KAFKA)),
                key=lambda one: (one.cluster, one.topic, one.partition),
            ),
            paused=[Paused(*row) for row in connection.execute(_PAUSED)],
            parked=parked,
        )


def _position(name: str, reached: int) -> Position:
    _, cluster, topic, partition = name.split(":")
    return Position(cluster, topic, int(partition), reached)
