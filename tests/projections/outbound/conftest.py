"""A real Kafka, stores of both kinds with some business in them, and publishers."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import logs
import pytest
from members import Brokers

from consumers.kafka.client import Servers, producer
from ledger.database import Location
from projections.outbound.publisher import Publisher


@pytest.fixture
def brokers(kafka: str) -> Iterator[Brokers]:
    made = Brokers(kafka)
    yield made
    made.close()


@pytest.fixture
def business(store: Location) -> Location:
    """A store with some business in it, in several currencies, with odd customers and facts that wait."""
    return logs.trade(store, seed=5, commits=60)


Publishing = Callable[..., Publisher]


@pytest.fixture
def publishing() -> Iterator[Publishing]:
    """``publishing(store, bootstrap, topic)`` makes a publisher; all of them are closed in the end.

    ``library``: options of the Kafka library; ``wrap``: what is made of a producer.
    """
    made: list[Publisher] = []

    def publisher(
        store: Location,
        bootstrap: str,
        topic: str,
        library: Mapping[str, Any] = MappingProxyType({}),
        wrap: Callable[[Any], Any] = lambda one: one,
        **options: Any,
    ) -> Publisher:
        servers = Servers(bootstrap, {"reconnect_backoff_max_ms": 500, **library})
        made.append(Publisher(store, lambda: wrap(producer(servers)), topic, **options))
        return made[-1]

    yield publisher
    for one in made:
        one.close()
