"""Numbers for operation, in a registry that is handed in; who serves it is another's business."""

from typing import Self

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ledger.outcomes import Outcome


class Metrics(msgspec.Struct, frozen=True):
    """What a loop counts and measures."""

    outcomes: Counter
    batches: Histogram
    lag: Gauge
    trouble: Counter
    stranded: Gauge

    @classmethod
    def registered(cls, registry: CollectorRegistry) -> Self:
        """The metrics under their names in a registry."""
        return cls(
            outcomes=Counter(
                "tieout_kafka_outcomes", "What became of messages from Kafka.", ["status"], registry=registry
            ),
            batches=Histogram(
                "tieout_kafka_batch_seconds",
                "From a poll to its commit.",
                buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
                registry=registry,
            ),
            lag=Gauge(
                "tieout_kafka_lag",
                "Messages of a partition of this member that are not yet in the ledger.",
                ["topic", "partition"],
                registry=registry,
            ),
            trouble=Counter(
                "tieout_kafka_trouble",
                "What kept a loop from its work: database, broker, group, stale (another member was first).",
                ["kind"],
                registry=registry,
            ),
            stranded=Gauge(
                "tieout_kafka_stranded_partitions",
                "Partitions whose next message is gone from the topic.",
                registry=registry,
            ),
        )

    def count(self, outcomes: list[Outcome]) -> None:
        """Count outcomes by their status."""
        counts: dict[str, int] = {}
        for outcome in outcomes:
            counts[outcome.status] = counts.get(outcome.status, 0) + 1
        for status, count in counts.items():
            self.outcomes.labels(status).inc(count)
