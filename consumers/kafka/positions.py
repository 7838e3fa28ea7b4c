"""Where reading has got to: one tracking row a partition, in the transaction of what was read.

The name is ``kafka:<cluster>:<topic>:<partition>``. The position is the offset of the last record taken + 1: that of
the next record to read. It is at least 1 once anything was read, it grows with every record, and it is what Kafka's own
tools mean by an offset, so the two can be compared. ``cluster`` is a name of ours: a topic that was made anew, or moved
to another cluster, starts at 0 again, and needs another name, since a position never goes back.
"""

import re
from typing import TYPE_CHECKING

from eventsourcing.persistence import Tracking
from kafka import TopicPartition  # type: ignore[import-untyped]

from ledger.commit import Advance

if TYPE_CHECKING:
    from ledger.ledger import Ledger
    from ledger.shards import Shards

CLUSTER = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def prefix(cluster: str) -> str:
    """How the names of all tracking of a cluster begin."""
    assert CLUSTER.fullmatch(cluster), cluster
    return f"kafka:{cluster}:"


def reached(cluster: str, partition: TopicPartition, next_offset: int) -> Tracking:
    """The tracking row that says which offset is the next to read."""
    return Tracking(_name(cluster, partition), next_offset)


def advanced(cluster: str, partition: TopicPartition, before: int, next_offset: int) -> Advance:
    """The same, from exactly where it stood; 0 where nothing was stored."""
    return Advance(_name(cluster, partition), next_offset, before)


def _name(cluster: str, partition: TopicPartition) -> str:
    return f"{prefix(cluster)}{partition.topic}:{partition.partition}"


def stored(ledger: "Ledger | Shards", cluster: str) -> dict[TopicPartition, int]:
    """The next offset to read of each partition of which anything was read."""
    start = prefix(cluster)
    found = {}
    for name, position in ledger.tracked(start).items():
        # A topic's name has no colon.
        topic, _, partition = name[len(start) :].rpartition(":")
        found[TopicPartition(topic, int(partition))] = position
    return found


def skip_to(ledger: "Ledger", cluster: str, partition: TopicPartition, offset: int) -> None:
    """Go on at a later offset, leaving out what lies before it: the operator's way past messages that are gone.

    Raises ``StaleTracking`` where reading has got that far already. Members take it up when their partitions are given
    to them anew, after a restart at the latest.
    """
    ledger.submit([], tracking=(reached(cluster, partition, offset),))
