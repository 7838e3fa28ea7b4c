"""The billing system's side: messages are sent in their order, as a producer does that never gives up."""

from collections.abc import Mapping
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from members import Brokers

from tests.reliability.messages import Business, Content

SECONDS = 60.0
"""In which a message should be acknowledged, whatever happens to the broker."""


class Feed:
    """Sends a business to a topic, a share at a time."""

    def __init__(self, brokers: Brokers, topic: str, business: Business) -> None:
        self._brokers, self._topic, self._business = brokers, topic, business
        self._left = list(reversed(business.order))
        self._sent: list[tuple[int, Any]] = []
        self._producer = self._new_producer()

    @property
    def left(self) -> int:
        """How many are still to be sent."""
        return len(self._left)

    def send(self, count: int) -> None:
        """Send the next so many, without waiting."""
        for _ in range(min(count, len(self._left))):
            n = self._left.pop()
            self._sent.append((n, self._send(n)))

    def settle(self) -> None:
        """Have all of it acknowledged. What fails is sent again by a new producer, in the same order."""
        while True:
            failed = []
            for n, future in self._sent:
                try:
                    future.get(SECONDS)
                except KafkaError:
                    failed.append(n)
            self._sent = []
            if not failed:
                return
            self.close()
            self._producer = self._new_producer()
            self._sent = [(n, self._send(n)) for n in failed]

    def lies_there(self) -> Mapping[int, list[Content]]:
        """Partition → the contents in the topic, from its first offset on."""
        ends = self._brokers.ends(self._topic)
        found: dict[int, list[Content]] = {partition: [] for partition in ends}
        records = self._brokers.read(self._topic, sum(ends.values()))
        for record in sorted(records, key=lambda one: (one.partition, one.offset)):
            assert record.offset == len(found[record.partition]), "no offset is left out"
            found[record.partition].append(self._business.contents[int(dict(record.headers)["n"])])
        return found

    def close(self) -> None:
        """Let go of the broker."""
        self._producer.close(timeout=0)

    def _new_producer(self) -> Any:
        return KafkaProducer(
            bootstrap_servers=self._brokers.bootstrap,
            acks="all",
            enable_idempotence=True,
            reconnect_backoff_max_ms=200,
        )

    def _send(self, n: int) -> Any:
        content = self._business.contents[n]
        headers = [*content.headers, ("n", str(n).encode())]
        return self._producer.send(self._topic, value=content.value, key=content.customer.encode(), headers=headers)
