"""Stored events as JSON under explicit topics: an auditor or DuckDB can read the log without our code.

Every topic that was ever written stays readable. ``Recorded`` is an event with its place in a stream; that is what the
``eventsourcing`` library calls a domain event, so that the domain's own events know nothing of streams and versions.
"""

from typing import Any

import msgspec

from domain.account import AccountState
from domain.events import TOPICS, Event

SNAPSHOT_TOPIC = "account-state.v1"

_ENCODE = msgspec.json.Encoder().encode
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    topic: msgspec.json.Decoder(type_) for topic, type_ in (TOPICS | {SNAPSHOT_TOPIC: AccountState}).items()
}
TOPIC_OF: dict[type[Any], str] = {type_: topic for topic, type_ in TOPICS.items()} | {AccountState: SNAPSHOT_TOPIC}
"""Class → the topic that it is written under."""


class Recorded(msgspec.Struct, frozen=True):
    """An event (or a snapshot) at its place: stream and version."""

    originator_id: str
    originator_version: int
    event: Any


def encode(event: Event | AccountState) -> bytes:
    """The stored body of an event."""
    return _ENCODE(event)


def decode(topic: str, state: bytes) -> Any:
    """The event of a stored body; KeyError for a topic that was never written."""
    return _DECODERS[topic].decode(state)
