"""A real Kafka for the tests: the one that ``TIEOUT_TEST_KAFKA`` names (bootstrap servers), else one of our own.

It is started by the first test that needs it and serves the whole session; each test has topics of its own. Where there
can be none the tests are skipped with the reason, on a build server (``CI=true``) they fail.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.local_broker import Broker, BrokerUnavailable

__all__ = ["Broker", "kafka", "kafka_of_our_own", "started"]

# Tests of the command line clear the environment.
GIVEN = os.environ.get("TIEOUT_TEST_KAFKA")
ON_BUILD_SERVER = os.environ.get("CI", "").lower() == "true"


def started(folder: Path) -> Broker:
    """A broker that runs; where there can be none, the test that asks is skipped or fails."""
    broker = Broker(folder)
    try:
        broker.start()
    except BrokerUnavailable as error:
        reason = f"no Kafka: {error}"
        if ON_BUILD_SERVER:
            pytest.fail(reason)
        pytest.skip(reason)
    return broker


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a Kafka that stays up."""
    if GIVEN:
        yield GIVEN
        return
    broker = started(tmp_path_factory.mktemp("kafka"))
    yield broker.bootstrap
    broker.stop()


@pytest.fixture(scope="session")
def kafka_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that a test may kill, freeze and restart; it leaves it running."""
    broker = started(tmp_path_factory.mktemp("kafka-of-our-own"))
    yield broker
    broker.stop()
