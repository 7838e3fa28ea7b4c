"""All that is booked is in the topic, each key in order, whatever goes away and whoever else publishes."""

import threading
from collections import defaultdict
from random import Random
from typing import Any

import given
import logs
import pytest
from broker import Broker
from eventsourcing.persistence import OperationalError
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from members import Brokers, until
from receiver import Received, logged, position
from structlog.testing import capture_logs

from ledger.database import Location, connect
from projections.outbound.events import CONTENT_TYPE


class Watched:
    """A producer that keeps what came of each message."""

    def __init__(self, producer: Any) -> None:
        self._producer = producer
        self.sent: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def send(self, *arguments: Any, **named: Any) -> Any:
        self.sent.append(self._producer.send(*arguments, **named))
        return self.sent[-1]


def test_everything_arrives_once_in_the_order_of_each_key(
    business: Location, brokers: Brokers, publishing: Any
) -> None:
    topic = brokers.topic(partitions=3)
    publisher = publishing(business, brokers.bootstrap, topic, page=50)
    count = len(logged(business))
    assert publisher.publish_new() == count > 200
    assert publisher.publish_new() == 0
    found = Received(brokers, topic)
    assert found.repeats == 0
    found.assert_whole_and_in_order(business)
    assert found.content_types == {CONTENT_TYPE}
    assert position(business, topic) == count
    assert found.by_key.keys() == {"main", *(f"main:{customer}" for customer in logs.CUSTOMERS)}
    waited = {one for one in found.events if one.startswith("wait:")}
    assert {found.events[one]["type"] for one in waited} >= {
        "tieout.fact-deferred.v1",
        "tieout.deferred-fact-applied.v1",
    }
    assert not waited & set(found.by_key["main"]), "the customer's, like what becomes of them"
    versions: dict[str, list[int]] = defaultdict(list)
    for one in found.events:
        versions[one.rpartition(":")[0]].append(found.events[one]["data"]["version"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in versions.values())


def test_what_is_booked_later_is_all_that_is_sent_later(store: Location, brokers: Brokers, publishing: Any) -> None:
    topic = brokers.topic(partitions=1)
    publisher = publishing(store, brokers.bootstrap, topic)
    with logs.opened(store) as ledger:
        assert publisher.publish_new() == 2
        for n in range(3):
            logs.book(ledger, [given.payment(f"P{n}", 100, logs.START)])
            assert publisher.publish_new() == 1
    found = Received(brokers, topic)
    assert found.repeats == 0
    found.assert_whole_and_in_order(store)


def test_an_empty_log_is_published_without_a_broker(store: Location, publishing: Any) -> None:
    assert publishing(store, "127.0.0.1:1", "nowhere").publish_new() == 0


def test_no_more_than_a_page_is_on_its_way_whatever_the_backlog(
    business: Location, brokers: Brokers, publishing: Any
) -> None:
    topic = brokers.topic()
    most = 0

    class Counted(Watched):
        def send(self, *arguments: Any, **named: Any) -> Any:
            nonlocal most
            future = super().send(*arguments, **named)
            most = max(most, sum(not future.is_done for future in self.sent))
            return future

    publisher = publishing(business, brokers.bootstrap, topic, wrap=Counted, page=20)
    assert publisher.publish_new() > 200
    assert 1 < most <= 20


def test_publishing_stops_between_two_pages_when_it_is_told_to(
    business: Location, brokers: Brokers, publishing: Any
) -> None:
    topic = brokers.topic()
    answers = iter([False, False, True])
    publisher = publishing(business, brokers.bootstrap, topic, stopped=lambda: next(answers), page=20)
    assert publisher.publish_new() == 40
    assert position(business, topic) == 40


def test_a_topic_that_is_missing_is_named_and_once_it_is_there_published_to(
    business: Location, brokers: Brokers, publishing: Any
) -> None:
    publisher = publishing(business, brokers.bootstrap, "not-there", library={"max_block_ms": 1_000})
    with pytest.raises(UnknownTopicOrPartitionError, match="no topic not-there"):
        publisher.publish_new()
    assert position(business, "not-there") is None
    topic = brokers.topic()
    publisher = publishing(business, brokers.bootstrap, topic)
    assert publisher.publish_new() == len(logged(business))


def test_brokers_that_are_not_there_are_an_error_and_nothing_is_taken_for_published(
    business: Location, publishing: Any
) -> None:
    publisher = publishing(business, "127.0.0.1:1", "nowhere", library={"bootstrap_timeout_ms": 300})
    with pytest.raises(KafkaError):
        publisher.publish_new()
    assert position(business, "nowhere") is None


def test_one_that_was_overtaken_moves_nothing_back_and_goes_on_from_what_is_stored(
    business: Location, brokers: Brokers, publishing: Any
) -> None:
    topic = brokers.topic()
    head = len(logged(business))
    other = publishing(business, brokers.bootstrap, topic, page=70)

    def overtaken(producer: Any) -> Any:
        # It has read its page, and sends nothing of it before the other one has sent all.
        other.publish_new()
        return producer

    publisher = publishing(business, brokers.bootstrap, topic, wrap=overtaken, page=50)
    with capture_logs() as said:
        assert publisher.publish_new() == 50
    assert [(one["before"], one["after"]) for one in said if one["event"] == "outbound_position_stale"] == [(None, 50)]
    assert position(business, topic) == head
    found = Received(brokers, topic)
    assert found.repeats == 50
    found.assert_whole_and_in_order(business)


def test_two_at_once_lose_and_reorder_nothing(business: Location, brokers: Brokers, publishing: Any) -> None:
    topic = brokers.topic()
    head = len(logged(business))
    publishers = [publishing(business, brokers.bootstrap, topic, page=page) for page in (7, 11)]
    threads = [threading.Thread(target=publisher.publish_new) for publisher in publishers]
    seen = [0]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        seen.append(position(business, topic) or 0)
    for thread in threads:
        thread.join()
    assert seen == sorted(seen), "it never moves back"
    assert position(business, topic) == head
    Received(brokers, topic).assert_whole_and_in_order(business)


@pytest.mark.parametrize("kind", ["postgresql"], scope="session")
def test_a_connection_that_is_cut_is_an_error_once(business: Location, brokers: Brokers, publishing: Any) -> None:
    topic = brokers.topic()
    cuts = 0

    def cut() -> bool:
        nonlocal cuts
        if cuts % 2 == 0:
            connection = connect(business)
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.close()
        cuts += 1
        return False

    publisher = publishing(business, brokers.bootstrap, topic, stopped=cut, page=50)
    errors = 0
    while position(business, topic) != len(logged(business)):
        try:
            publisher.publish_new()
        except OperationalError:
            errors += 1
    assert errors >= 2
    Received(brokers, topic).assert_whole_and_in_order(business)


def test_what_the_brokers_refuse_is_not_overtaken_by_later_events_of_its_key(
    store: Location, brokers: Brokers, publishing: Any
) -> None:
    topic = brokers.topic(partitions=1, **{"max.message.bytes": "20000"})
    random = Random(4)
    lines = [{"net": 1, "dimensions": {"lot": f"{random.getrandbits(700):x}"}} for _ in range(180)]
    with logs.opened(store) as ledger:
        logs.book(ledger, [given.payment(f"before-{n}", 100, logs.START) for n in range(20)])
        before = len(logged(store))
        logs.book(ledger, [given.invoice("large", 180, logs.START, lines=lines)])
        logs.book(ledger, [given.payment(f"after-{n}", 100, logs.START) for n in range(200)])

    publisher = publishing(store, brokers.bootstrap, topic)
    for _ in range(2):
        with pytest.raises(MessageSizeTooLargeError):
            publisher.publish_new()
    assert position(store, topic) is None
    sent = Received(brokers, topic).events
    assert set(sent) <= set(list(logged(store))[:before])
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"max.message.bytes": "1000000"})
    brokers.admin.alter_configs([resource])
    assert publisher.publish_new() == len(logged(store))
    found = Received(brokers, topic)
    found.assert_whole_and_in_order(store)
    assert found.repeats >= len(sent)


@pytest.mark.parametrize("kind", ["sqlite"], scope="session")
class TestBrokersThatGoAway:
    """(One kind of store is enough: it has no part in this.)"""

    def test_a_restart_loses_and_reorders_nothing(
        self, business: Location, kafka_of_our_own: Broker, publishing: Any
    ) -> None:
        brokers = Brokers(kafka_of_our_own.bootstrap)
        topic = brokers.topic(partitions=2)
        pages = 0
        restarts = []

        def killed() -> bool:
            nonlocal pages
            pages += 1
            if pages in (2, 4):
                kafka_of_our_own.kill()
                restarts.append(threading.Thread(target=kafka_of_our_own.start))
                restarts[-1].start()
            return False

        publisher = publishing(business, brokers.bootstrap, topic, stopped=killed, page=60)
        try:
            until(lambda: self.published(publisher) and position(business, topic) == len(logged(business)), 60)
        finally:
            for restart in restarts:
                restart.join()
        assert len(restarts) == 2
        Received(brokers, topic).assert_whole_and_in_order(business)
        brokers.close()

    def test_what_the_library_gives_up_is_not_overtaken_by_what_follows_it(
        self, business: Location, kafka_of_our_own: Broker, publishing: Any
    ) -> None:
        brokers = Brokers(kafka_of_our_own.bootstrap)
        topic = brokers.topic(partitions=1)

        class Late(Watched):
            """Takes a half of a page while there is no broker, and the rest when that is given up and there is one."""

            def send(self, *arguments: Any, **named: Any) -> Any:
                if len(self.sent) == 0:
                    kafka_of_our_own.kill()
                if len(self.sent) in (50, 99):
                    until(lambda: all(future.is_done for future in self.sent))
                if len(self.sent) == 50:
                    kafka_of_our_own.start()
                return super().send(*arguments, **named)

        wraps = iter([Late])
        library = {"delivery_timeout_ms": 1_500, "request_timeout_ms": 1_000}
        publisher = publishing(
            business,
            brokers.bootstrap,
            topic,
            library=library,
            wrap=lambda producer: next(wraps, Watched)(producer),
            page=100,
        )
        assert not self.published(publisher)
        until(lambda: self.published(publisher))
        Received(brokers, topic).assert_whole_and_in_order(business)
        brokers.close()

    @staticmethod
    def published(publisher: Any) -> bool:
        try:
            publisher.publish_new()
        except KafkaError:
            return False
        return True
