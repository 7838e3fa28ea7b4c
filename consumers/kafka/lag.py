"""How far behind the ledger is, asked from outside: no member of the group is needed, or disturbed."""

from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
from kafka import TopicPartition  # type: ignore[import-untyped]

from consumers.kafka import positions
from consumers.kafka.client import Servers, onlooker

if TYPE_CHECKING:
    from ledger.ledger import Ledger

ASK_MS = 10_000


class Lag(msgspec.Struct, frozen=True):
    """One partition: the offset that the next message to come will have, and that of the next one to read."""

    topic: str
    partition: int
    end: int
    next: int

    @property
    def behind(self) -> int:
        """Offsets between them; the marks that end transactions are among them."""
        return max(0, self.end - self.next)


def lag(ledger: "Ledger", servers: Servers, cluster: str, topics: Iterable[str]) -> list[Lag]:
    """The lag of every partition of some topics, those of unknown topics left out. Raises ``KafkaError``."""
    stored = positions.stored(ledger, cluster)
    with closing(onlooker(servers)) as consumer:
        partitions = [
            TopicPartition(topic, partition)
            for topic in sorted(set(topics))
            for partition in sorted(consumer.partitions_for_topic(topic))
        ]
        ends = consumer.end_offsets(partitions, timeout_ms=ASK_MS)
        unread = [partition for partition in partitions if partition not in stored]
        starts = consumer.beginning_offsets(unread, timeout_ms=ASK_MS) if unread else {}
    return [
        Lag(one.topic, one.partition, end=ends[one], next=stored[one] if one in stored else starts[one])
        for one in partitions
    ]
