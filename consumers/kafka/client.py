"""How a consumer and a producer of the Kafka library are made. (Traps of the library are told where they are met.)"""

from collections.abc import Mapping
from typing import Any

import msgspec
from kafka import KafkaConsumer, KafkaProducer  # type: ignore[import-untyped]
from kafka.net.compat import KafkaNetClient  # type: ignore[import-untyped]

BOOTSTRAP_MS = 5_000
RECONNECT_MS = 2_000
"""The longest wait between two tries to reach a broker (30 s by the library's default)."""
FETCH_BYTES = 16 << 20
BATCH_BYTES = 1 << 18
"""One batch a partition is in flight at a time, so a small one would be waited for again and again."""
BLOCK_MS = 10_000
METADATA_MS = 60_000
"""How long a new topic or partition may stay unnoticed (5 minutes by the library's default)."""
PARTITION_BYTES = 1 << 20
"""Of one fetch, before it is unpacked. A single larger message is fetched all the same."""


class Servers(msgspec.Struct, frozen=True):
    """The brokers. ``options``: security, in the words of the library, such as ``security_protocol``."""

    bootstrap: str
    options: Mapping[str, Any] = {}
    client_id: str = "tieout"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group, and what the brokers allow its members before they take their partitions from them.

    ``join_seconds``: how long it may take to assemble; longer than a dead member is waited for.
    """

    name: str = "tieout"
    session_timeout_ms: int = 45_000
    heartbeat_interval_ms: int = 3_000
    max_poll_interval_ms: int = 300_000
    join_seconds: float = 60.0


def member(servers: Servers, group: Group) -> Any:
    """A member of the group, which reads nothing until it is told where. Raises ``KafkaError``."""
    return _consumer(
        servers,
        group_id=group.name,
        session_timeout_ms=group.session_timeout_ms,
        heartbeat_interval_ms=group.heartbeat_interval_ms,
        max_poll_interval_ms=group.max_poll_interval_ms,
        # What a message becomes is decided by us: an error in a deserialiser makes the next poll never return.
        max_partition_fetch_bytes=PARTITION_BYTES,
        fetch_max_bytes=FETCH_BYTES,
    )


def onlooker(servers: Servers) -> Any:
    """A consumer that only asks how far topics go. Raises ``KafkaError``."""
    return _consumer(servers)


def producer(servers: Servers) -> Any:
    """A producer whose messages are acknowledged by all replicas, in order, once each. Raises ``KafkaError``."""
    options: dict[str, Any] = {
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": 5,
        "compression_type": "lz4",
        "batch_size": BATCH_BYTES,
        # A topic that is missing is said soon, and is not made by being written to.
        "max_block_ms": BLOCK_MS,
        "allow_auto_create_topics": False,
    }
    return KafkaProducer(**options | _common(servers))


def _consumer(servers: Servers, **options: Any) -> Any:
    made: list[Any] = []

    def client(**config: Any) -> Any:
        made.append(KafkaNetClient(**config))
        return made[-1]

    try:
        return KafkaConsumer(
            **_common(servers),
            kafka_client=client,
            enable_auto_commit=False,
            # Where reading starts is in our database and nowhere else.
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            **options,
        )
    except BaseException:
        # A consumer that could not reach its brokers leaves a thread behind, which goes on trying.
        for one in made:
            one.close()
        raise


def _common(servers: Servers) -> dict[str, Any]:
    given = {
        "bootstrap_servers": servers.bootstrap.split(","),
        "client_id": servers.client_id,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "reconnect_backoff_max_ms": RECONNECT_MS,
        "metadata_max_age_ms": METADATA_MS,
    }
    return given | dict(servers.options)
