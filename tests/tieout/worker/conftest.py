"""Workers over a store of either kind, on a real Kafka with topics of each test's own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from commandline import Run
from databases import store_of
from members import Facts
from workers import Worker

from ledger.database import Location

Start = Callable[..., Worker]
Environment = dict[str, str]


@pytest.fixture
def location(kind: str, empty_folder: Path) -> Iterator[Location]:
    """Where the store is."""
    with store_of(kind, empty_folder) as made:
        yield made


@pytest.fixture
def environment(location: Location) -> Environment:
    """The settings of a worker without Kafka."""
    name = "TIEOUT_STORE" if isinstance(location, Path) else "TIEOUT_DATABASE_URL"
    return {name: str(location)}


@pytest.fixture
def on_kafka(environment: Environment, kafka: str) -> Environment:
    """The same with Kafka; the topics, made by ``tieout topics``, and the group are the test's own."""
    mark = f"test-{uuid4().hex[:12]}"
    environment |= {
        "TIEOUT_KAFKA_BOOTSTRAP_SERVERS": kafka,
        "TIEOUT_KAFKA_COMMANDS_TOPIC": f"{mark}.commands",
        "TIEOUT_KAFKA_EVENTS_TOPIC": f"{mark}.events",
        "TIEOUT_KAFKA_DEAD_LETTERS_TOPIC": f"{mark}.dead",
        "TIEOUT_KAFKA_GROUP": mark,
    }
    return environment


@pytest.fixture
def run(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Command lines over the same store; settings that a test adds to ``environment`` by then count for them too."""
    from commandline import run as run_here

    monkeypatch.delenv("TIEOUT_NOW")

    def ran(*arguments: str) -> object:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return run_here(*arguments)

    return ran  # type: ignore[return-value]


@pytest.fixture
def facts(run: Run, location: Location) -> Facts:
    """The store, with the book ``main``."""
    assert run("book", "open", "main", "--currency", "CNY").code == 0
    return Facts(location)


@pytest.fixture
def start(environment: Environment, empty_folder: Path) -> Iterator[Start]:
    """``start("project")`` starts a worker; all of them are ended."""
    with ExitStack() as stack:

        def started(*parts: str, **settings: str) -> Worker:
            worker = Worker(empty_folder, environment | settings, *parts)
            stack.callback(worker.kill)
            return worker

        yield started
