"""The topics that Tieout reads and writes, made where they are missing. What is there is left as it is.

Positions are in our database: after an outage reading goes on where it stopped, if the messages are still there. So
they are kept for longer than the longest outage, and than the age of a backup that might have to be restored.
"""

from contextlib import closing
from typing import Any

import msgspec
from kafka import KafkaAdminClient  # type: ignore[import-untyped]
from kafka.errors import TopicAlreadyExistsError  # type: ignore[import-untyped]

from consumers.kafka.client import BOOTSTRAP_MS, Servers

PARTITIONS = 12
BROKERS_CHOICE = -1
_DAY_MS = 24 * 3600 * 1000
_KEPT_DAYS, _DEAD_KEPT_DAYS = 14, 30
_DEAD_PARTITIONS = 3
"""Nothing of ours reads dead letters, and few are hoped for."""


class Made(msgspec.Struct, frozen=True):
    """A topic, how many partitions it has, and whether it was made just now."""

    topic: str
    partitions: int
    made: bool


def make(
    servers: Servers, read: list[str], events: str, dead_letters: str, *, partitions: int, replication: int
) -> list[Made]:
    """Make those that are missing. Raises ``KafkaError``.

    ``replication``: copies of each message; −1 leaves it to the brokers.
    """
    wanted = {topic: _topic(partitions, replication, _KEPT_DAYS) for topic in (*read, events)}
    wanted[dead_letters] = _topic(min(partitions, _DEAD_PARTITIONS), replication, _DEAD_KEPT_DAYS)
    with closing(KafkaAdminClient(**_admin(servers))) as admin:
        there = set(admin.list_topics())
        made = set()
        for topic in [topic for topic in wanted if topic not in there]:
            try:
                admin.create_topics({topic: wanted[topic]}, wait_for_metadata=True)
            except TopicAlreadyExistsError:
                # Somebody else was first.
                continue
            made.add(topic)
        found = admin.describe_topics(list(wanted))
    counts = {one["name"]: len(one["partitions"]) for one in found}
    return [Made(topic, counts[topic], topic in made) for topic in wanted]


def _topic(partitions: int, replication: int, days: int) -> dict[str, Any]:
    configs = {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}
    if replication >= 3:
        # What was acknowledged by all is then on two brokers at least.
        configs["min.insync.replicas"] = "2"
    return {"num_partitions": partitions, "replication_factor": replication, "configs": configs}


def _admin(servers: Servers) -> dict[str, Any]:
    given = {
        "bootstrap_servers": servers.bootstrap.split(","),
        "client_id": servers.client_id,
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
    }
    return given | dict(servers.options)
