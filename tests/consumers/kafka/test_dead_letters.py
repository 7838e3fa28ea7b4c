"""The dead-letter topic is fed from the quarantine, and says where each message came from and what is wrong with it."""

import json
import threading
from typing import Any

import pytest
from databases import KINDS
from members import Brokers, Facts, bare, until

from consumers.kafka.dead_letters import DeadLetters
from ledger.ledger import Ledger
from ledger.outcomes import Unreadable


def headers(letter: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in letter.headers}


def poison(brokers: Brokers, topic: str, *customers: str) -> None:
    for n, customer in enumerate(customers):
        brokers.send(topic, bare(f"{customer}-{n}", customer, 2.5), customer or None)
    brokers.producer.flush()


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_from_kafka_and_is_in_quarantine_is_sent_once_with_its_reason(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic, dead = brokers.topic(partitions=1), brokers.topic(partitions=1)
    with Ledger.open(facts.location) as ledger:
        elsewhere = Unreadable("main", "s", "i", "file:abc:1", "command_must_be_valid", "", "", "must be JSON", '"x"')
        ledger.submit([elsewhere])
        poison(brokers, topic, "C1", "C2", "")
        start(brokers, topic)
        until(lambda: len(facts.quarantined()) == 4)
        letters = DeadLetters(ledger, brokers.servers, dead)
        assert letters.send_new() == 3
        assert letters.send_new() == 0
        assert ledger.tracked(letters.tracking) == {f"dead-letter:{dead}": 4}
        found = brokers.read(dead, 3)
        assert [letter.key for letter in found] == [b"C1", b"C2", None]
        said = headers(found[1])
        assert said.pop("tieout-reason").startswith("must be a whole number")
        assert said == {
            "tieout-original-topic": topic,
            "tieout-original-partition": "0",
            "tieout-original-offset": "1",
            "tieout-error-code": "command_must_be_valid",
            "tieout-error-field": "amount",
            "tieout-attempts": "1",
            "tieout-quarantine-id": "3",
        }
        assert json.loads(found[0].value)["amount"] == 2.5
        # Another one that starts later, as after a crash, goes on where the first has stopped.
        poison(brokers, topic, "C4")
        until(lambda: len(facts.quarantined()) == 5)
        assert DeadLetters(ledger, brokers.servers, dead).send_new() == 1
        assert headers(brokers.read(dead, 4)[3])["tieout-quarantine-id"] == "5"


def test_letters_wait_for_a_topic_and_are_sent_when_it_is_there(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=1)
    poison(brokers, topic, "C1")
    start(brokers, topic)
    until(lambda: len(facts.quarantined()) == 1)
    with Ledger.open(facts.location) as ledger:
        gone = "127.0.0.1:1"
        servers = type(brokers.servers)(gone, {"bootstrap_timeout_ms": 200})
        letters = DeadLetters(ledger, servers, "dead", every_seconds=0.1, longest_wait=0.3)
        thread = threading.Thread(target=letters.run)
        thread.start()
        until(lambda: letters.failures >= 2)
        assert ledger.tracked("dead-letter:") == {}
        letters.stop()
        thread.join(10)
        assert not thread.is_alive()
        dead = brokers.topic(partitions=1)
        letters = DeadLetters(ledger, brokers.servers, dead, every_seconds=0.1)
        thread = threading.Thread(target=letters.run)
        thread.start()
        assert headers(brokers.read(dead, 1)[0])["tieout-original-topic"] == topic
        letters.stop()
        thread.join(10)
        assert ledger.tracked("dead-letter:") == {f"dead-letter:{dead}": 1}
