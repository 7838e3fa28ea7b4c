"""The lag of Kafka among the figures of the API: by the ledger, from real brokers, and without waiting for those that are away."""

import re
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from databases import KINDS, store_of
from kafka import TopicPartition  # type: ignore[import-untyped]
from members import Brokers
from prometheus_client import CollectorRegistry, generate_latest
from served import free_port, served

from consumers.kafka.lag import Lag
from consumers.kafka.positions import skip_to
from ledger.database import Location
from ledger.errors import StoreMissing
from ledger.ledger import Ledger
from tieout.api import kafka_lag
from tieout.api.kafka_lag import KafkaLag

MESSAGES, READ = 20, 4


@pytest.fixture
def brokers(kafka: str) -> Iterator[Brokers]:
    with closing(Brokers(kafka)) as found:
        yield found


def lag_of(text: str) -> dict[tuple[str, int], float]:
    """(topic, partition) → lag, as the figures say it."""
    found = re.findall(r'^tieout_consumer_lag\{partition="(\d+)",topic="([^"]+)"\} (\S+)', text, re.M)
    return {(topic, int(partition)): float(behind) for partition, topic, behind in found}


@contextmanager
def figures(store: Location, bootstrap: str, **settings: str) -> Iterator[httpx2.Client]:
    """A client of a server that knows a Kafka."""
    with served(store, TIEOUT_KAFKA_BOOTSTRAP_SERVERS=bootstrap, **settings) as server, server.client() as client:
        yield client


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_in_the_ledger_is_counted_by_partition(kind: str, brokers: Brokers, tmp_path: Path) -> None:
    commands, feed = brokers.topic(3), brokers.topic(1)
    brokers.pay(commands, range(MESSAGES))
    ends = brokers.ends(commands)
    longest = max(ends, key=ends.__getitem__)
    assert ends[longest] > READ
    settings = {
        "TIEOUT_KAFKA_COMMANDS_TOPIC": commands,
        "TIEOUT_FEEDS": f'{{"{feed}": {{"book": "main"}}}}',
    }
    with store_of(kind, tmp_path) as store:
        with closing(Ledger.open(store)) as ledger:
            skip_to(ledger, "main", TopicPartition(commands, longest), READ)
        with figures(store, brokers.bootstrap, **settings) as client:
            text = client.get("/metrics").text
    behind = {(commands, one): float(end) for one, end in ends.items()} | {(feed, 0): 0.0}
    behind[commands, longest] -= READ
    assert lag_of(text) == behind
    assert "\ntieout_kafka_up 1.0\n" in text


def test_brokers_that_are_away_hold_nobody_up(tmp_path: Path) -> None:
    with store_of("sqlite", tmp_path) as store, figures(store, f"127.0.0.1:{free_port()}") as client:
        for _ in range(2):
            began = monotonic()
            text = client.get("/metrics").text
            assert monotonic() - began < kafka_lag.PATIENCE_SECONDS + 2
            assert "\ntieout_kafka_up 0.0\n" in text
            assert "\ntieout_log_position " in text
            assert not lag_of(text)


def test_without_kafka_nothing_is_said_of_it(admin: httpx2.Client) -> None:
    text = admin.get("/metrics").text
    assert "kafka" not in text
    assert "lag" not in text


def text_of(lag: KafkaLag) -> str:
    registry = CollectorRegistry()
    registry.register(lag)
    return generate_latest(registry).decode()


def test_who_is_slow_is_asked_once_and_heard_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_lag, "PATIENCE_SECONDS", 0.05)
    answers, asked = threading.Event(), 0

    def ask() -> list[Lag]:
        nonlocal asked
        asked += 1
        answers.wait()
        return [Lag("t", 0, end=9, next=4)]

    lag = KafkaLag(ask)
    for _ in range(2):
        assert "tieout_kafka_up 0.0" in text_of(lag)
    answers.set()
    monkeypatch.setattr(kafka_lag, "PATIENCE_SECONDS", 10)
    for _ in range(2):
        assert lag_of(text_of(lag)) == {("t", 0): 5.0}
    assert asked == 1
    monkeypatch.setattr(kafka_lag, "monotonic", lambda: monotonic() + kafka_lag.FRESH_SECONDS)
    assert "tieout_kafka_up 1.0" in text_of(lag)
    assert asked == 2


def test_a_store_that_is_away_is_not_taken_for_kafka() -> None:
    def ask() -> list[Lag]:
        raise StoreMissing("t")

    assert text_of(KafkaLag(ask)) == ""
