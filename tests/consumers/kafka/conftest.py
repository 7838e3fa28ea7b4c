"""A real Kafka with topics of each test's own, a real ledger, and loops that run beside the test."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from broker import Broker
from databases import store_of
from members import NOW_US, Brokers, Facts, Member
from prometheus_client import CollectorRegistry

from consumers.kafka.client import Group, Servers
from consumers.kafka.loop import Loop, Options
from consumers.kafka.messages import Feed
from consumers.kafka.metrics import Metrics
from domain.commands import OpenBook
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Submission

QUICK: dict[str, Any] = {"poll_ms": 50, "every_seconds": 0.1, "lag_seconds": 0.1, "longest_wait": 1.0}


@pytest.fixture
def brokers(kafka: str) -> Iterator[Brokers]:
    made = Brokers(kafka)
    yield made
    made.close()


@pytest.fixture
def kind() -> str:
    """The kind of database, unless a test is run on both."""
    return "sqlite"


@pytest.fixture
def location(kind: str, tmp_path: Path) -> Iterator[Location]:
    """Where the store is."""
    with store_of(kind, tmp_path) as made:
        yield made


@pytest.fixture
def facts(location: Location) -> Facts:
    """A store with the book ``main`` in euro."""
    with Ledger.open(location) as ledger:
        opening = OpenBook(source="test", source_id="open", book="main", base_currency="EUR")
        ledger.submit([Submission(opening)], now_us=NOW_US)
    return Facts(location)


def quick_group(topics: str, **more: Any) -> Group:
    """A group that notices soon who comes and goes."""
    return Group(**{"name": f"group-{topics}", "session_timeout_ms": 6_000, "heartbeat_interval_ms": 300, **more})


Start = Callable[..., Member]


@pytest.fixture
def start(facts: Facts) -> Iterator[Start]:
    """``start(brokers, topic)`` makes another member; all of them are stopped in the end.

    ``library``: options of the Kafka library; ``options``: of the loop.
    """
    with ExitStack() as stack:

        def started(
            brokers: Brokers | Broker | None,
            *topics: str,
            feeds: Mapping[str, Feed] | None = None,
            ledger: Ledger | None = None,
            paused: Callable[[], bool] = lambda: False,
            bootstrap: str = "",
            library: Mapping[str, Any] = {},
            group_options: Mapping[str, Any] = {},
            **options: Any,
        ) -> Member:
            registry = CollectorRegistry()
            used = Ledger.open(facts.location) if ledger is None else ledger
            loop = Loop(
                used,
                Servers(brokers.bootstrap if brokers else bootstrap, library),
                feeds or {topic: Feed() for topic in topics},
                # The group is the topics': another test's must not be disturbed.
                Options(**{"group": quick_group("-".join(feeds or topics), **group_options), **QUICK, **options}),
                paused=paused,
                metrics=Metrics.registered(registry),
                now_us=NOW_US,
            )
            member = Member(loop, used, registry)
            stack.callback(member.stop)
            return member

        yield started
