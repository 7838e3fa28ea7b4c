"""From Kafka: poll → decided → committed on PostgreSQL in polls of 500, against raw binary COPY of all the same rows.

One worker process a core, and one alone. The topic is filled beforehand; members join first and begin together. The
floor (``copying``) writes what they wrote, in the same commits, on one connection, into a store of its own.
"""

from collections.abc import Iterator
from itertools import count
from statistics import median

from kafka import KafkaConsumer, TopicPartition

from benchmarks.measure import Measure, median_ratio
from benchmarks.servers import copying, feed
from benchmarks.servers.member import Member, Result, Task
from benchmarks.servers.running import Servers
from tieout.demo.bulk import documents

PARTITIONS = 4
_groups = count(1)


def run(servers: Servers, quick: bool) -> Iterator[Measure]:
    """The ratios, and the processor time a message."""
    messages, turns = (5_000, 1) if quick else (60_000, 3)
    topic = servers.topic(PARTITIONS)
    feed.send(servers.bootstrap, topic, documents(1, messages))
    two: list[tuple[float, float]] = []
    one: list[tuple[float, float]] = []
    processor: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(turns):
        for workers, ratios in ((2, two), (1, one)):
            with servers.store() as store, servers.store() as beside:
                results = read(servers, store, topic, workers)
                assert sum(r.messages for r in results) == messages
                floor = copying.write(beside, copying.rows_of(store, copying.last_position(beside)))
                ratios.append((floor, wall(results)))
                processor[workers].append(sum(r.processor for r in results) / messages * 1e6)
    for name, ratios, goal in (("kafka_two_workers", two, 0.5), ("kafka_one_worker", one, None)):
        yield Measure(
            name=name,
            ratio=median_ratio(ratios),
            goal=goal,
            bound="least",
            detail=f"{messages} messages, {median(w for _, w in ratios) / messages * 1e6:.0f} us a message,"
            f" floor {median(f for f, _ in ratios) / messages * 1e6:.0f} us",
        )
    yield Measure(
        name="client_us_a_message",
        ratio=median(processor[1]),
        goal=45,
        detail=f"one worker; two workers {median(processor[2]):.0f} us",
    )
    yield from _ways(servers, messages // 3, topic)


def _ways(servers: Servers, messages: int, structured: str) -> Iterator[Measure]:
    """Processor time by the way that a command comes, and by layer of the first of them."""
    for way in feed.WAYS:
        topic = servers.topic(PARTITIONS)
        feed.send(servers.bootstrap, topic, documents(1, messages), way)
        with servers.store() as store:
            (result,) = read(servers, store, topic, 1)
        yield Measure(name=f"client_us_{way}", ratio=result.processor / messages * 1e6, detail=f"{messages} messages")
    with servers.store() as store:
        (result,) = read(servers, store, structured, 1, layers=True)
    for layer, spent in sorted(result.layers.items(), key=lambda one: -one[1]):
        name = f"client_us_of_{layer}".replace(": ", ":").replace(" ", "_")
        share = f"{100 * spent / sum(result.layers.values()):.0f} %"
        yield Measure(name=name, ratio=spent / result.messages * 1e6, detail=share)


def read(servers: Servers, store: str, topic: str, workers: int, *, layers: bool = False) -> list[Result]:
    """Read a topic to its end into a store by so many processes; what each measured."""
    ends = _ends(servers.bootstrap, topic)
    group = f"bench-{next(_groups)}"
    task = Task(
        store=store,
        bootstrap=servers.bootstrap,
        topic=topic,
        ends=ends,
        share=len(ends) // workers,
        group=group,
        layers=layers,
    )
    members = [Member(task) for _ in range(workers)]
    try:
        for member in members:
            member.wait_until_ready()
        for member in members:
            member.begin()
        return [member.result() for member in members]
    finally:
        for member in members:
            member.__exit__()


def wall(results: list[Result]) -> float:
    """From the first that began to the last commit."""
    return max(r.ended for r in results) - min(r.started for r in results)


def _ends(bootstrap: str, topic: str) -> dict[int, int]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    try:
        found = consumer.end_offsets([TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)])
        return {one.partition: end for one, end in found.items()}
    finally:
        consumer.close()
