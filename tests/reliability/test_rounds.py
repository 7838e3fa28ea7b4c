"""Five rounds with fixed seeds, in which between them everything is injected that can be.

The full run is ``python -m tests.reliability``.
"""

import os
from collections.abc import Iterator

import pytest
from broker import Broker, kafka_of_our_own

from tests.reliability.injecting import INJECTIONS
from tests.reliability.rounds import Servers, run

__all__ = ["kafka_of_our_own"]

SCRIPTS = {
    1: ("consume killed at a statement", "connections cut", "project killed", "publish killed at a statement"),
    2: ("commits cut, done and not told", "consume frozen past its session", "publish killed", "database killed"),
    3: ("project killed at a statement", "database killed over commits", "consume killed", "commits cut, not done"),
    4: ("broker killed", "consume killed at a statement"),
    5: ("consume frozen in a commit", "commits cut, done and not told", "project killed at a statement"),
}
"""Seed → injections."""


@pytest.fixture(scope="module")
def servers(kafka_of_our_own: Broker) -> Iterator[Servers]:
    try:
        made = Servers(kafka_of_our_own)
    except (ImportError, OSError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL of our own can be had: {error}")
    yield made
    made.close()


@pytest.mark.parametrize("seed", SCRIPTS)
def test_a_round_loses_doubles_and_reorders_nothing(servers: Servers, seed: int) -> None:
    found = run(servers, seed, SCRIPTS[seed])
    assert all(found[name] for name in SCRIPTS[seed]), "what the script says was done"
    assert found["poison"]
    assert found["conflicts"]
    assert found["messages sent again"]
    assert found["messages before one they name"]
    assert found["messages without a value"]


def test_every_kind_of_injection_is_in_some_round() -> None:
    assert {name for script in SCRIPTS.values() for name in script} == set(INJECTIONS)
