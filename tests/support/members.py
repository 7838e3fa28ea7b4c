"""Topics and messages on a real Kafka, loops that run beside a test, and what their store holds."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from consumers.kafka import positions
from consumers.kafka.client import Servers
from consumers.kafka.loop import Loop
from ledger.codec import decode
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.store import connect

NOW_US = 1_767_225_600_000_000
"""2026-01-01, UTC."""


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What a condition answers once it is true; fails when it does not become so."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.02)
    return found


def payment(number: str, customer: str, amount: Any = 100, **fields: Any) -> dict[str, Any]:
    """The data of a payment."""
    who = {"book": "main", "customer": customer, "currency": "EUR"}
    return who | {"number": number, "effective_on": "2026-01-01", "amount": amount} | fields


def bare(number: str, customer: str, amount: Any = 100, **fields: Any) -> bytes:
    """A payment as a bare command."""
    named = {"command": "RecordPayment", "source": "billing", "source_id": number}
    return json.dumps(named | payment(number, customer, amount, **fields)).encode()


class Brokers:
    """Topics and messages on one Kafka."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.servers = Servers(bootstrap)
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5)

    def topic(self, partitions: int = 3, **configs: str) -> str:
        """A new topic."""
        name = f"test-{uuid4().hex[:12]}"
        made = {name: {"num_partitions": partitions, "replication_factor": 1, "configs": configs}}
        self.admin.create_topics(made, wait_for_metadata=True)
        return name

    def send(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | str | None = None,
        headers: Any = None,
        producer: Any = None,
        **more: Any,
    ) -> Any:
        """Send a message, without waiting."""
        as_bytes = key.encode() if isinstance(key, str) else key
        return (producer or self.producer).send(topic, value=value, key=as_bytes, headers=headers, **more)

    def ends(self, topic: str) -> dict[int, int]:
        """Partition → the offset that the next message will have."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap)
        try:
            partitions = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
            return {one.partition: end for one, end in consumer.end_offsets(partitions).items()}
        finally:
            consumer.close()

    def pay(self, topic: str, numbers: range, customers: int = 10, way: str = "bare", producer: Any = None) -> None:
        """Send payments, number n of customer n % customers; returns when they are acknowledged."""
        for n in numbers:
            number, customer = f"P{n}", f"C{n % customers}"
            headers: list[tuple[str, bytes]] = []
            value = bare(number, customer)
            if way != "bare":
                data = payment(number, customer)
                named = {"specversion": "1.0", "type": "tieout.record-payment.v1", "source": "billing", "id": number}
                if way == "structured":
                    headers = [("content-type", b"application/cloudevents+json")]
                    value = json.dumps(named | {"data": data}).encode()
                else:
                    headers = [(f"ce_{name}", text.encode()) for name, text in named.items()]
                    headers.append(("content-type", b"application/json"))
                    value = json.dumps(data).encode()
            self.send(topic, value, customer, headers, producer)
        (producer or self.producer).flush()

    def read(self, topic: str, count: int) -> list[Any]:
        """So many messages from the beginning of a topic."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest", group_id=None)
        try:
            consumer.assign([TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))])
            found: list[Any] = []

            def more() -> bool:
                for records in consumer.poll(timeout_ms=100).values():
                    found.extend(records)
                return len(found) >= count

            until(more)
            return found
        finally:
            consumer.close()

    def close(self) -> None:
        self.producer.close(timeout=1)
        self.admin.close()


class Facts:
    """What a store holds, read beside whoever writes to it."""

    def __init__(self, location: Location) -> None:
        self.location = location

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        connection = connect(self.location, read_only=True)
        try:
            return connection.execute(statement, parameters).fetchall()
        finally:
            connection.close()

    def numbers(self) -> dict[str, list[int]]:
        """Customer → the numbers of its payments, in the order of the log."""
        found: dict[str, list[int]] = defaultdict(list)
        for stream, topic, state in self.rows("SELECT originator_id, topic, state FROM events ORDER BY position"):
            if topic.startswith("payment-received."):
                found[stream.split(":")[2]].append(int(decode(topic, bytes(state)).document.split(":")[2][1:]))
        return dict(found)

    def booked(self) -> int:
        """How many payments."""
        [(count,)] = self.rows("SELECT count(*) FROM events WHERE topic LIKE 'payment-received.%'")
        return int(count)

    def parked(self) -> int:
        [(count,)] = self.rows("SELECT count(*) FROM parked")
        return int(count)

    def quarantined(self, status: str = "open") -> list[tuple[Any, ...]]:
        """Code, origin and lane of what stands in quarantine."""
        statement = "SELECT code, origin, lane FROM quarantine WHERE status = :status ORDER BY id"
        return [tuple(row) for row in self.rows(statement, status=status)]

    def positions(self) -> dict[str, int]:
        """Topic/partition → the offset of the next record to read."""
        statement = "SELECT application_name, notification_id FROM tracking WHERE application_name LIKE 'kafka:main:%'"
        return {name.removeprefix("kafka:main:").replace(":", "/"): at for name, at in self.rows(statement)}


def in_order(count: int, customers: int = 10) -> dict[str, list[int]]:
    """What ``Facts.numbers`` is when so many payments were booked once each, in order."""
    return {f"C{c}": list(range(c, count, customers)) for c in range(customers)}


class Member:
    """A loop that runs in a thread, on a ledger of its own."""

    def __init__(self, loop: Loop, ledger: Ledger, registry: CollectorRegistry) -> None:
        self.loop, self.ledger, self._registry = loop, ledger, registry
        self.error: BaseException | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.loop.run()
        except BaseException as error:
            self.error = error

    def count(self, name: str, **labels: str) -> float:
        """A metric."""
        return self._registry.get_sample_value(f"tieout_kafka_{name}", labels) or 0.0

    def outcomes(self) -> dict[str, int]:
        """Status → how many outcomes had it."""
        return {
            sample.labels["status"]: int(sample.value)
            for metric in self._registry.collect()
            for sample in metric.samples
            if sample.name == "tieout_kafka_outcomes_total"
        }

    def stop(self) -> None:
        """Stop it and wait; its error is ours. It may be said twice."""
        if self._stopped:
            return
        self._stopped = True
        self.loop.stop()
        self._thread.join(20)
        assert not self._thread.is_alive(), "the loop did not stop"
        self.ledger.close()
        if self.error is not None:
            raise self.error


def position(topic: str, partition: int) -> str:
    """The name of a position."""
    return positions.reached("main", TopicPartition(topic, partition), 1).application_name
