"""Whatever goes away and comes back, and whoever believes to own a partition: nothing is lost, doubled or reordered."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any, Literal

import pytest
from broker import GIVEN, Broker
from databases import KINDS
from eventsourcing.persistence import OperationalError
from kafka import KafkaConsumer, TopicPartition
from members import NOW_US, Brokers, Facts, in_order, until
from structlog.testing import capture_logs

from ledger.ledger import Ledger

SESSION_MS = 6_000 if GIVEN else 1_500
"""The least that a broker of its default settings allows, or ours."""

PROGRAM = """
import json, os, signal, sys
from prometheus_client import CollectorRegistry
from consumers.kafka.client import Group, Servers
from consumers.kafka.loop import Loop, Options
from consumers.kafka.messages import Feed
from consumers.kafka.metrics import Metrics
from ledger.ledger import Ledger

location, bootstrap, topic, session_ms, now_us, freezes = sys.argv[1:]

class Freezing(Ledger):
    def submit(self, batch, **options):
        if batch and freezes == "once":
            globals()["freezes"] = "no more"
            os.kill(os.getpid(), signal.SIGSTOP)
        return super().submit(batch, **options)

registry = CollectorRegistry()
group = Group(name=f"group-{topic}", session_timeout_ms=int(session_ms), heartbeat_interval_ms=200)
options = Options(group=group, poll_ms=50, every_seconds=0.1, max_poll_records=20)
metrics = Metrics.registered(registry)
with Freezing.open(location) as ledger:
    feeds = {topic: Feed()}
    loop = Loop(ledger, Servers(bootstrap), feeds, options, metrics=metrics, now_us=int(now_us))
    signal.signal(signal.SIGTERM, lambda *_: loop.stop())
    loop.run()
found = {s.name + "".join(s.labels.values()): s.value for m in registry.collect() for s in m.samples}
print(json.dumps(found))
"""


class Program:
    """A member in a process of its own."""

    def __init__(self, brokers: Brokers, facts: Facts, topic: str, freezes: str = "never") -> None:
        arguments = [str(facts.location), brokers.bootstrap, topic, str(SESSION_MS), str(NOW_US), freezes]
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], stdout=subprocess.PIPE)

    def until_frozen(self) -> None:
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)

    def stop(self) -> dict[str, float]:
        """Its metrics."""
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        assert self.process.returncode == 0
        found: dict[str, float] = json.loads(out.splitlines()[-1])
        return found

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


class Unsteady(Ledger):
    """A real ledger whose connection is lost on demand, before a commit or after it, when nobody knows."""

    lost: Literal["", "before", "after"] = ""
    times = 0

    def submit(self, batch: Any, **options: Any) -> Any:
        if self.lost and batch:
            self.times += 1
            if self.lost == "after":
                super().submit(batch, **options)
            raise OperationalError("the connection was lost")
        return super().submit(batch, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_that_was_given_up_for_dead_books_nothing_when_it_wakes(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=2)
    brokers.pay(topic, range(200))
    zombie = Program(brokers, facts, topic, freezes="once")
    try:
        zombie.until_frozen()
        assert facts.booked() == 0
        heir = start(brokers, topic, group_options={"session_timeout_ms": SESSION_MS})
        until(lambda: facts.booked() == 200)
        # It wakes with a batch in hand that it read when the partitions were its own.
        zombie.process.send_signal(signal.SIGCONT)
        until(lambda: len(heir.loop.partitions) == 1)
        brokers.pay(topic, range(200, 300))
        until(lambda: facts.booked() == 300)
        found = zombie.stop()
    finally:
        zombie.kill()
    assert found["tieout_kafka_trouble_totalstale"] >= 1
    assert heir.outcomes()["booked"] + found["tieout_kafka_outcomes_totalbooked"] == 300
    assert not any("duplicate" in name for name in (*found, *heir.outcomes()))
    assert facts.numbers() == in_order(300)


@pytest.mark.parametrize("kind", KINDS)
def test_members_that_are_killed_lose_and_double_nothing(brokers: Brokers, facts: Facts) -> None:
    topic = brokers.topic(partitions=2)
    brokers.pay(topic, range(300))
    for done in (1, 100, 200):
        member = Program(brokers, facts, topic)
        try:
            until(lambda done=done: facts.booked() >= done)
        finally:
            member.kill()
    brokers.pay(topic, range(300, 330))
    last = Program(brokers, facts, topic)
    try:
        until(lambda: facts.booked() == 330)
        assert "tieout_kafka_outcomes_totalduplicate" not in last.stop()
    finally:
        last.kill()
    assert facts.numbers() == in_order(330)


def test_while_the_database_is_away_the_member_stays_and_loses_nothing(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=2)
    ledger = Unsteady.open(facts.location)
    with capture_logs() as logs:
        member = start(brokers, topic, ledger=ledger, group_options={"max_poll_interval_ms": 1_000})
        brokers.pay(topic, range(40))
        until(lambda: facts.booked() == 40)
        ledger.lost = "before"
        brokers.pay(topic, range(40, 80))
        # Longer than a member may go without a poll.
        away = time.monotonic() + 1.5
        until(lambda: ledger.times >= 2 and time.monotonic() > away)
        assert member.loop.state == "waiting"
        assert facts.booked() == 40
        until(lambda: sum(member.count("lag", topic=topic, partition=str(n)) for n in range(2)) == 40)
        ledger.lost = ""
        brokers.pay(topic, range(80, 100))
        until(lambda: facts.booked() == 100)
        member.stop()
    assert facts.numbers() == in_order(100)
    assert member.outcomes() == {"booked": 100}
    assert not [entry for entry in logs[:-1] if entry["event"] == "kafka_partitions_revoked"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_commit_of_which_nobody_knows_is_settled_by_its_position(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=1)
    ledger = Unsteady.open(facts.location)
    member = start(brokers, topic, ledger=ledger)
    ledger.lost = "after"
    for n in range(4):
        brokers.pay(topic, range(n * 10, n * 10 + 10))
        until(lambda n=n: facts.booked() == n * 10 + 10)
    assert ledger.times >= 4
    ledger.lost = ""
    brokers.pay(topic, range(40, 50))
    until(lambda: facts.booked() == 50)
    assert facts.numbers() == in_order(50)
    # Nothing of what was booked was sent to the ledger a second time.
    assert member.outcomes() == {"booked": 10}


CUT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@pytest.mark.parametrize("kind", ["postgresql"])
def test_connections_that_are_cut_again_and_again_lose_and_double_nothing(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=2)
    member = start(brokers, topic, max_poll_records=20, longest_wait=0.2)
    cut = 0
    for n in range(8):
        brokers.pay(topic, range(n * 40, n * 40 + 40))
        until(lambda n=n: facts.booked() > n * 40)
        # In the middle of the rest.
        [(killed,)] = facts.rows(CUT)
        cut += killed
    until(lambda: facts.booked() == 320)
    assert cut >= 8
    assert member.count("trouble_total", kind="database") >= 3
    assert facts.numbers() == in_order(320)
    assert "duplicate" not in member.outcomes()


def test_a_loop_outlives_its_brokers(kafka_of_our_own: Broker, facts: Facts, start: Any) -> None:
    brokers = Brokers(kafka_of_our_own.bootstrap)
    topic = brokers.topic(partitions=2)
    brokers.pay(topic, range(100))
    member = start(brokers, topic, library={"reconnect_backoff_max_ms": 500})
    until(lambda: facts.booked() == 100)
    kafka_of_our_own.kill()
    late = start(brokers, topic, library={"reconnect_backoff_max_ms": 500, "bootstrap_timeout_ms": 500})
    until(lambda: late.loop.state == "waiting")
    kafka_of_our_own.start()
    brokers.pay(topic, range(100, 200))
    until(lambda: facts.booked() == 200)
    until(lambda: len(late.loop.partitions) == 1)
    kafka_of_our_own.freeze()
    try:
        time.sleep(0.5)
    finally:
        kafka_of_our_own.thaw()
    brokers.pay(topic, range(200, 250))
    until(lambda: facts.booked() == 250)
    assert facts.numbers() == in_order(250)
    assert not any("duplicate" in one.outcomes() for one in (member, late))
    brokers.close()


def test_a_member_that_the_group_never_takes_in_begins_again(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=2)
    # It is alive and never polls, so that the group cannot assemble without it.
    idle = KafkaConsumer(
        bootstrap_servers=brokers.bootstrap,
        group_id=f"group-{topic}",
        enable_auto_commit=False,
        # It meets with what it is about, too: without the partitions at hand it takes none, for as long as this.
        metadata_max_age_ms=1_000,
    )
    idle.subscribe([topic])
    idle.beginning_offsets([TopicPartition(topic, 0)])
    until(lambda: idle.poll(timeout_ms=100) is not None and len(idle.assignment()) == 2)
    member = start(brokers, topic, group_options={"join_seconds": 1.0})
    until(lambda: member.count("trouble_total", kind="group") >= 1)
    assert not member.loop.partitions
    idle.close()
    brokers.pay(topic, range(20))
    until(lambda: facts.booked() == 20)


def test_a_stop_is_prompt_though_no_broker_is_there(facts: Facts, start: Any) -> None:
    member = start(None, "nowhere", bootstrap="127.0.0.1:1", library={"bootstrap_timeout_ms": 300})
    until(lambda: member.loop.state == "waiting")
    assert member.count("trouble_total", kind="broker") >= 1
    member.stop()
    assert member.loop.state == "stopped"
