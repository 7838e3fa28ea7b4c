"""Messages from a real Kafka into a real ledger: once each, in order, from where the database says."""

from typing import Any

import pytest
from databases import KINDS
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from members import Brokers, Facts, Member, bare, in_order, position, until

from consumers.kafka.lag import Lag, lag
from consumers.kafka.positions import skip_to
from ledger.ledger import Ledger

WAYS = ("bare", "structured", "binary")


def lags(member: Member) -> int:
    """All lag that a member sees."""
    return sum(
        int(member.count("lag", topic=one.topic, partition=str(one.partition))) for one in member.loop.partitions
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_is_booked_once_in_the_order_of_its_customer(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=3)
    for first, way in enumerate(WAYS):
        brokers.pay(topic, range(first * 200, first * 200 + 200), way=way)
    member = start(brokers, topic)
    until(lambda: facts.booked() == 600)
    assert facts.numbers() == in_order(600)
    assert member.outcomes() == {"booked": 600}
    ends = brokers.ends(topic)
    assert facts.positions() == {f"{topic}/{n}": end for n, end in ends.items() if end}
    assert member.count("batch_seconds_count") >= 2


def test_an_origin_says_where_a_message_stands(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=1)
    brokers.pay(topic, range(5))
    start(brokers, topic)
    until(lambda: facts.booked() == 5)
    rows = facts.rows("SELECT source_id, origin FROM receipts WHERE source = 'billing' ORDER BY source_id")
    assert [tuple(row) for row in rows] == [(f"P{n}", f"kafka:{topic}:0:{n}") for n in range(5)]


def test_a_consumer_that_starts_again_goes_on_at_the_stored_position(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=2)
    brokers.pay(topic, range(100))
    first = start(brokers, topic)
    until(lambda: facts.booked() == 100)
    first.stop()
    assert first.outcomes() == {"booked": 100}
    # What the group's own offsets say is of no meaning: here they say that all is to be read again.
    partitions = [TopicPartition(topic, n) for n in range(2)]
    meddler = KafkaConsumer(bootstrap_servers=brokers.bootstrap, group_id=f"group-{topic}", enable_auto_commit=False)
    meddler.assign(partitions)
    assert [meddler.committed(partition) for partition in partitions] == list(brokers.ends(topic).values())
    meddler.commit({partition: OffsetAndMetadata(0, "", -1) for partition in partitions})
    meddler.close()
    brokers.pay(topic, range(100, 150))
    second = start(brokers, topic)
    until(lambda: facts.booked() == 150)
    second.stop()
    assert second.outcomes() == {"booked": 50}
    assert facts.numbers() == in_order(150)


def test_members_share_the_partitions_and_take_over_from_one_that_leaves(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=4)
    members = [start(brokers, topic), start(brokers, topic)]
    until(lambda: all(len(member.loop.partitions) == 2 for member in members))
    brokers.pay(topic, range(400), customers=40)
    until(lambda: facts.booked() == 400)
    assert all(member.outcomes()["booked"] > 0 for member in members)
    members[0].stop()
    brokers.pay(topic, range(400, 600), customers=40)
    until(lambda: facts.booked() == 600)
    assert facts.numbers() == in_order(600, customers=40)
    assert sum(member.outcomes()["booked"] for member in members) == 600
    assert "duplicate" not in members[0].outcomes() | members[1].outcomes()


def test_lag_is_the_end_less_the_stored_position(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=1)
    brokers.pay(topic, range(30))
    with Ledger.open(facts.location) as ledger:
        assert lag(ledger, brokers.servers, "main", [topic]) == [Lag(topic, 0, end=30, next=0)]
        skip_to(ledger, "main", TopicPartition(topic, 0), 10)
        [found] = lag(ledger, brokers.servers, "main", [topic])
        assert (found.next, found.behind) == (10, 20)
        stopped = {"operator": True}
        member = start(brokers, topic, paused=lambda: stopped["operator"])
        until(lambda: member.loop.state == "paused")
        stopped["operator"] = False
        until(lambda: facts.booked() == 20)
        until(lambda: member.count("batch_seconds_count") and member.count("lag", topic=topic, partition="0") == 0)
        assert lag(ledger, brokers.servers, "main", [topic])[0].behind == 0


def test_an_operator_pauses_and_resumes(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=2)
    switch = {"paused": False}
    member = start(brokers, topic, paused=lambda: switch["paused"])
    brokers.pay(topic, range(50))
    until(lambda: facts.booked() == 50)
    switch["paused"] = True
    until(lambda: member.loop.state == "paused")
    brokers.pay(topic, range(50, 80))
    until(lambda: lags(member) == 30)
    assert facts.booked() == 50
    switch["paused"] = False
    until(lambda: facts.booked() == 80)
    assert facts.numbers() == in_order(80)


def test_who_joins_during_a_pause_is_paused_too(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=2)
    switch = {"paused": True}
    member = start(brokers, topic, paused=lambda: switch["paused"])
    brokers.pay(topic, range(30))
    other = start(brokers, topic, paused=lambda: switch["paused"])
    until(lambda: len(member.loop.partitions) == len(other.loop.partitions) == 1)
    until(lambda: lags(member) + lags(other) == 30)
    assert facts.booked() == 0
    other.stop()
    switch["paused"] = False
    until(lambda: facts.booked() == 30)
    assert facts.numbers() == in_order(30)


def test_aborted_transactions_are_not_read_and_their_marks_are_no_lag(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=1)
    producer = KafkaProducer(bootstrap_servers=brokers.bootstrap, transactional_id=topic)
    producer.init_transactions()
    for n, commit in enumerate((True, False, True)):
        producer.begin_transaction()
        brokers.pay(topic, range(n * 10, n * 10 + 10), producer=producer)
        (producer.commit_transaction if commit else producer.abort_transaction)()
    producer.close()
    member = start(brokers, topic)
    until(lambda: facts.booked() == 20)
    assert facts.numbers()["C1"] == [1, 21]
    until(lambda: member.count("batch_seconds_count") and member.count("lag", topic=topic, partition="0") == 0)


def test_a_partition_that_is_added_is_read_from_its_beginning(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=1)
    brokers.pay(topic, range(20))
    member = start(brokers, topic, library={"metadata_max_age_ms": 300})
    until(lambda: facts.booked() == 20)
    brokers.admin.create_partitions({topic: 3})
    until(lambda: len(brokers.ends(topic)) == 3)
    # A new producer, which knows of them.
    later = KafkaProducer(bootstrap_servers=brokers.bootstrap)
    for n in range(20, 50):
        brokers.send(topic, bare(f"P{n}", f"C{n % 10}"), f"C{n % 10}", producer=later, partition=n % 3)
    later.close()
    until(lambda: facts.booked() == 50)
    assert len(member.loop.partitions) == 3


def test_messages_that_are_gone_are_never_skipped_in_silence(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=2)
    for n in range(20):
        brokers.send(topic, bare(f"P{n}", f"C{n % 10}"), f"C{n % 10}", partition=n % 2)
    brokers.producer.flush()
    with Ledger.open(facts.location) as ledger:
        skip_to(ledger, "main", TopicPartition(topic, 0), 3)
        brokers.admin.delete_records({TopicPartition(topic, 0): 6})
        member = start(brokers, topic)
        until(lambda: member.loop.stranded == {TopicPartition(topic, 0)})
        # The others go on.
        until(lambda: facts.booked() == 10)
        until(lambda: member.count("stranded_partitions") == 1)
        assert facts.rows("SELECT notification_id FROM tracking WHERE application_name = :n", n=position(topic, 0)) == [
            (3,)
        ]
        member.stop()
        skip_to(ledger, "main", TopicPartition(topic, 0), 6)
    start(brokers, topic)
    until(lambda: facts.booked() == 14)
