"""Which partitions are ours, and which of them stand where our database says.

A partition that is given to us is paused at once and is *unplaced*, until the loop has read its position from the
database and sought to it. So is every partition again after an error: what was read and not booked is read once more,
from where the database says, which also settles whether a commit that was cut off was done.

The library calls the listener on its I/O thread, within ``poll``, where it must not block. So it asks nobody: it seeks
to 0, or ``poll`` would start at the group's committed offset without a word, and pauses, so that nothing is read there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from kafka import ConsumerRebalanceListener, TopicPartition  # type: ignore[import-untyped]

log = structlog.get_logger(__name__)

ASK_MS = 5_000
LAG_MS = 2_000


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]
    """The partitions of one consumer; ``next`` says of each which offset comes next, once that is known.

    ``stored``: what is stored of that; 0 where nothing was read yet.
    """

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self.partitions: set[TopicPartition] = set()
        self.unplaced: set[TopicPartition] = set()
        self.stranded: set[TopicPartition] = set()
        self.next: dict[TopicPartition, int] = {}
        self.stored: dict[TopicPartition, int] = {}

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Given to us."""
        partitions = set(assigned)
        for partition in partitions:
            self._consumer.seek(partition, 0)
            self._consumer.pause(partition)
        self.partitions |= partitions
        self.unplaced |= partitions
        log.info("kafka_partitions_assigned", partitions=_shown(partitions))

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Taken from us."""
        partitions = set(revoked)
        for ours in (self.partitions, self.unplaced, self.stranded):
            ours -= partitions
        for partition in partitions:
            self.next.pop(partition, None)
            self.stored.pop(partition, None)
        if partitions:
            log.info("kafka_partitions_revoked", partitions=_shown(partitions))

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Taken from us long ago, while we were not heard of."""
        self.on_partitions_revoked(lost)

    def unplace(self) -> None:
        """Read no more from any, until they are placed again."""
        self._consumer.pause(*self.partitions)
        self.unplaced |= self.partitions - self.stranded

    def strand(self, partitions: Iterable[TopicPartition]) -> None:
        """Read no more from these as long as they are ours: their next record is gone, and nobody may skip it but an
        operator.
        """
        chosen = set(partitions)
        self._consumer.pause(*chosen)
        self.unplaced -= chosen
        self.stranded |= chosen
        for partition in chosen:
            log.error(
                "kafka_position_lost",
                topic=partition.topic,
                partition=partition.partition,
                position=self.next.get(partition),
            )

    @property
    def is_located(self) -> bool:
        """Whether it is known of every partition which offset comes next, be it read from or not."""
        return self.next.keys() >= self.partitions

    def locate(self, stored: Mapping[TopicPartition, int]) -> None:
        """Learn from the database which offset comes next of those that are unplaced; of a partition that was never read
        it is its first. Raises ``KafkaError``.
        """
        unknown = [partition for partition in self.unplaced if partition not in stored]
        starts = self._consumer.beginning_offsets(unknown, timeout_ms=ASK_MS) if unknown else {}
        for partition in self.unplaced:
            self.next[partition] = stored[partition] if partition in stored else starts[partition]
            self.stored[partition] = stored.get(partition, 0)

    def place(self) -> None:
        """Read on where the database says."""
        for partition in list(self.unplaced):
            self._consumer.seek(partition, self.next[partition])
            self._consumer.resume(partition)
            self.unplaced.discard(partition)

    def went_on(self, partition: TopicPartition, offset: int) -> None:
        """What lies before an offset is booked."""
        self.next[partition] = self.stored[partition] = offset

    def lag(self) -> dict[TopicPartition, int]:
        """How many offsets of each partition are not yet booked, as far as that is known. Raises ``KafkaError``."""
        located = list(self.next)
        ends = self._consumer.end_offsets(located, timeout_ms=LAG_MS) if located else {}
        return {partition: max(0, ends[partition] - self._position(partition)) for partition in located}

    def _position(self, partition: TopicPartition) -> int:
        """The next offset: the consumer's, if it has gone on over the marks of transactions, which are no records."""
        if partition in self.unplaced or partition in self.stranded:
            return self.next[partition]
        return max(self.next[partition], self._consumer.position(partition, timeout_ms=0) or 0)


def _shown(partitions: Iterable[TopicPartition]) -> list[str]:
    return sorted(f"{partition.topic}/{partition.partition}" for partition in partitions)
