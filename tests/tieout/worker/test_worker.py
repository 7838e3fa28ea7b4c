"""The worker as an operator has it: fed by Kafka, stopped and killed in the middle, paused, without its servers."""

import json
import os
import signal
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS
from kafka import KafkaConsumer, TopicPartition
from members import Facts, until
from workers import Worker

from consumers.commands import parse_message
from consumers.kafka import client
from domain.commands import OpenBook
from ledger.ledger import Ledger
from ledger.outcomes import Submission
from ledger.store import create
from tieout import topics
from tieout.demo import feed

Start = Callable[..., Worker]
Environment = dict[str, str]

MESSAGES = 4_000
"""As many as take a worker some batches."""
HEADERS = [("content-type", feed.CONTENT_TYPE.encode())]
SOON = 10.0
"""Seconds in which a worker ends, with room for a busy machine."""


def plain(part: Any) -> Any:
    """An answer without what depends on which of two customers' messages came first."""
    if isinstance(part, list):
        return [plain(one) for one in part]
    if isinstance(part, dict):
        return {name: plain(one) for name, one in part.items() if name not in ("position", "explain")}
    return part


def answers(run: Run, *store: str) -> list[Any]:
    """What the books say."""
    found = []
    for question in ("balance", "items", "trial-balance", "control"):
        ran = run(*store, question, "--json")
        assert ran.code == 0, ran
        found.append(plain(ran.json))
    return found


@pytest.fixture(scope="module")
def booked_at_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which the same messages went without Kafka and without an interruption."""
    path = tmp_path_factory.mktemp("reference") / "reference.sqlite"
    create(path)
    with Ledger.open(path) as ledger:
        ledger.submit([Submission(OpenBook(source="test", source_id="open", book="main", base_currency="CNY"))])
        messages = feed.messages(1, MESSAGES, book="main")
        outcomes = ledger.submit([parse_message(one.value, HEADERS, origin="test") for one in messages])
        assert {outcome.status for outcome in outcomes} == {"booked"}
    return path


def published(environment: Environment) -> list[str]:
    """The ids of our own events in their topic."""
    consumer = KafkaConsumer(
        bootstrap_servers=environment["TIEOUT_KAFKA_BOOTSTRAP_SERVERS"],
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    with closing(consumer):
        topic = environment["TIEOUT_KAFKA_EVENTS_TOPIC"]
        partitions = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        ids: list[str] = []

        def read_on() -> bool:
            for records in consumer.poll(timeout_ms=200, max_records=5_000).values():
                ids.extend(json.loads(record.value)["id"] for record in records)
            return all(consumer.position(one) >= ends[one] for one in partitions)

        until(read_on, 60)
    return ids


def has_done_all(facts: Facts) -> bool:
    [(documents,)] = facts.rows("SELECT count(*) FROM documents WHERE document LIKE '%:%'")
    [(head,)] = facts.rows("SELECT position FROM ledger_head WHERE shard = 0")
    tracked = dict(facts.rows("SELECT application_name, notification_id FROM tracking"))
    behind = [at for name, at in tracked.items() if name.startswith(("projections", "outbound:")) and at < head]
    return documents == MESSAGES and not behind and any(name.startswith("outbound:") for name in tracked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["undisturbed", "stopped", "killed"])
def test_what_the_feed_sends_is_booked_projected_and_published_whatever_happens(
    way: str, on_kafka: Environment, run: Run, facts: Facts, start: Start, booked_at_once: Path
) -> None:
    assert "3 partitions" in run("topics", "--partitions", "3").out
    assert run("demo-feed", "--messages", str(MESSAGES)).code == 0
    assert sum(one["behind"] for one in run("lag", "--json").json["partitions"]) == MESSAGES
    worker = start()
    if way != "undisturbed":
        for again in range(2):
            before = facts.rows("SELECT position FROM ledger_head")[0][0]
            until(lambda before=before: facts.rows("SELECT position FROM ledger_head")[0][0] > before, 60)
            if way == "stopped":
                assert worker.stop() == 0
                assert worker.logged("worker_parts_left") == []
                worker = start()
            else:
                worker.kill()
                # The group waits for its dead member as long as its session lasts; positions are the store's.
                worker = start(TIEOUT_KAFKA_GROUP=f"{on_kafka['TIEOUT_KAFKA_GROUP']}-{again}")
    until(lambda: has_done_all(facts), 120)
    assert worker.stop() == 0
    assert answers(run) == answers(run, "--store", str(booked_at_once))
    assert run("replay").code == 0
    assert {one["behind"] for one in run("lag", "--json").json["partitions"]} == {0}
    ids = published(on_kafka)
    rows = facts.rows("SELECT originator_id, originator_version FROM events")
    assert set(ids) == {f"{stream}:{version}" for stream, version in rows}
    if way == "undisturbed":
        assert len(ids) == len(set(ids))
    said = run("status", "--json").json
    assert sum(one["next"] for one in said["kafka"]) == MESSAGES
    assert (said["parked"], said["paused"], said["books"][0]["quarantine"]["open"]) == (0, [], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_says_how_it_is_and_what_it_measures(
    on_kafka: Environment, run: Run, facts: Facts, start: Start
) -> None:
    run("topics", "--partitions", "2")
    worker = start()
    until(worker.is_ready)
    assert worker.parts() == dict.fromkeys(("consume", "dead-letters", "project", "publish"), "running")
    run("demo-feed", "--messages", "50")
    until(lambda: worker.metric("tieout_kafka_outcomes_total", status="booked") == 50)
    head = facts.rows("SELECT position FROM ledger_head")[0][0]
    for name in ("log", "projection", "published"):
        until(lambda name=name: worker.metric(f"tieout_{name}_position") == head)
    assert worker.metric("tieout_quarantine_open") == 0
    assert worker.metric("tieout_part_up", part="consume") == 1
    assert worker.metric("tieout_part_restarts_total", part="consume") == 0
    assert worker.get("/nothing")[0] == 404
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_message_that_cannot_be_booked_is_quarantined_copied_and_counted(
    on_kafka: Environment, run: Run, facts: Facts, start: Start
) -> None:
    run("topics", "--partitions", "1")
    # The book does not have this currency.
    run("demo-feed", "--messages", "3", "--currency", "EUR")
    worker = start("consume")
    until(lambda: worker.metric("tieout_quarantine_open"))
    until(lambda: worker.logged("dead_letters_sent"))
    assert "quarantine" in run("status").out
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_pauses_and_goes_on_by_command(kind: str, run: Run, facts: Facts, start: Start) -> None:
    assert run("pause", "project", "--reason", "month end").code == 0
    worker = start()
    until(lambda: worker.parts() == {"project": "paused"})
    assert worker.is_ready()
    [paused] = run("status", "--json").json["paused"]
    assert (paused["part"], paused["reason"]) == ("project", "month end")
    assert "month end" in run("status").out
    assert "was paused before" in run("pause", "project", "--reason", "again").out
    assert "goes on" in run("resume", "project").out
    until(lambda: worker.parts() == {"project": "running"})
    assert "was not paused" in run("resume", "project").out
    assert run("status", "--json").json["paused"] == []
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_paused_feed_is_not_read(on_kafka: Environment, run: Run, facts: Facts, start: Start) -> None:
    run("topics", "--partitions", "1")
    run("demo-feed", "--messages", "20")
    run("pause", "consume", "--reason", "test")
    worker = start()
    until(lambda: worker.parts()["consume"] == "paused")
    assert [one["behind"] for one in run("lag", "--json").json["partitions"]] == [20]
    assert facts.rows("SELECT count(*) FROM documents WHERE document LIKE '%:%'") == [(0,)]
    run("resume", "consume")
    until(lambda: facts.rows("SELECT count(*) FROM documents WHERE document LIKE '%:%'") == [(20,)])
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_part_that_fails_is_started_again_until_it_can_work(
    on_kafka: Environment, run: Run, facts: Facts, start: Start, empty_folder: Path
) -> None:
    (empty_folder / "tieout.toml").write_text(
        f'[feeds."{on_kafka["TIEOUT_KAFKA_GROUP"]}"]\nbook="shop"\nadapter="stripe"\n'
    )
    run("topics", "--partitions", "1")
    worker = start()
    until(lambda: worker.metric("tieout_part_restarts_total", part="consume"))
    assert worker.logged("part_failed")[0]["reason"].startswith("there is no book shop")
    status, body = worker.get("/readyz")
    assert (status, json.loads(body)["store"]) == (503, "reachable")
    # Nothing is wrong with the process, and the other parts work.
    assert worker.get("/healthz")[0] == 200
    until(lambda: worker.parts()["project"] == worker.parts()["publish"] == "running")
    assert worker.metric("tieout_part_up", part="project") == 1
    run("book", "open", "shop", "--currency", "EUR")
    until(worker.is_ready, 60)
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_database_that_is_away_is_waited_for(kind: str, start: Start, environment: Environment) -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        environment.pop("TIEOUT_STORE")
        worker = start(TIEOUT_DATABASE_URL=f"postgresql://tieout:s3cret@127.0.0.1:{port}/books")
        until(lambda: worker.logged("part_failed"))
        assert worker.get("/healthz")[0] == 200
        status, body = worker.get("/readyz")
        assert (status, json.loads(body)["store"]) == (503, "unreachable")
        assert worker.metric("tieout_log_position") is None
        assert worker.metric("tieout_part_up", part="project") == 0
        assert worker.stop() == 0
    assert f"postgresql://127.0.0.1:{port}/books" in worker.text
    assert "s3cret" not in worker.text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_store_that_is_not_made_yet_is_waited_for(kind: str, start: Start, empty_folder: Path, run: Run) -> None:
    worker = start(TIEOUT_STORE="later.sqlite")
    until(lambda: worker.logged("part_failed"))
    assert not worker.is_ready()
    assert run("--store", "later.sqlite", "init").code == 0
    until(worker.is_ready, 60)
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_second_signal_ends_it_at_once(kind: str, start: Start, environment: Environment) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        # Takes connections and says nothing, so that a part hangs in getting one.
        environment.pop("TIEOUT_STORE")
        port = silent.getsockname()[1]
        worker = start(TIEOUT_DATABASE_URL=f"postgresql://127.0.0.1:{port}/books?connect_timeout=60")
        silent.settimeout(30)
        connection, _ = silent.accept()
        with closing(connection):
            worker.signal(signal.SIGINT)
            until(lambda: worker.logged("worker_stopping"))
            worker.signal(signal.SIGTERM)
            assert worker.ended() == -signal.SIGTERM


@pytest.mark.parametrize("kind", ["sqlite"])
def test_an_address_that_is_taken_is_an_error_that_says_so(kind: str, start: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        worker = start(TIEOUT_WORKER_LISTEN=listen)
        assert worker.ended() == 1
    assert f"cannot listen at {listen}" in worker.text
    assert "Traceback" not in worker.text


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_worker_that_listens_nowhere_works(kind: str, start: Start, facts: Facts) -> None:
    worker = start(TIEOUT_WORKER_LISTEN="")
    assert worker.address == ""
    until(lambda: facts.rows("SELECT 1 FROM tracking WHERE application_name = 'projections'"))
    assert worker.stop() == 0


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["worker", "consume"], 2, "the settings name no Kafka"),
        (["worker", "publish"], 2, "the settings name no Kafka"),
        (["worker", "sleep"], 2, "no part sleep"),
        (["pause", "sleep", "--reason", "x"], 2, "no part sleep"),
        (["pause", "project"], 2, "--reason is missing"),
        (["topics"], 2, "the settings name no Kafka"),
        (["lag"], 2, "the settings name no Kafka"),
        (["demo-feed"], 2, "the settings name no Kafka"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_what_cannot_be_done_is_said_at_once(kind: str, arguments: list[str], code: int, said: str, run: Run) -> None:
    ran = run(*arguments)
    assert ran.code == code
    assert said in ran.err


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("command", ["topics", "lag", "demo-feed"])
def test_brokers_that_are_away_are_named_without_a_traceback(
    kind: str, command: str, run: Run, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (client, topics):
        monkeypatch.setattr(module, "BOOTSTRAP_MS", 300)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        environment["TIEOUT_KAFKA_BOOTSTRAP_SERVERS"] = f"127.0.0.1:{free.getsockname()[1]}"
        ran = run(command)
    assert ran.code == 1
    assert f"the Kafka brokers {environment['TIEOUT_KAFKA_BOOTSTRAP_SERVERS']} cannot be used" in ran.err
    assert ran.err.count("\n") == 2


@pytest.mark.parametrize("kind", ["sqlite"])
def test_topics_that_are_there_are_left_as_they_are(on_kafka: Environment, run: Run) -> None:
    assert "There are no such topics yet" in run("lag").out
    made = run("topics", "--partitions", "4", "--replication", "1", "--json").json["topics"]
    assert {one["topic"]: one["partitions"] for one in made} == {
        on_kafka["TIEOUT_KAFKA_COMMANDS_TOPIC"]: 4,
        on_kafka["TIEOUT_KAFKA_EVENTS_TOPIC"]: 4,
        on_kafka["TIEOUT_KAFKA_DEAD_LETTERS_TOPIC"]: 3,
    }
    assert all(one["made"] for one in made)
    again = run("topics", "--partitions", "9", "--json").json["topics"]
    assert again == [one | {"made": False} for one in made]
    assert os.environ["TIEOUT_KAFKA_BOOTSTRAP_SERVERS"] not in run("topics").err
