"""How far the reading of Kafka is behind, as figures: asked from outside when somebody wants to know.

A broker that is away or frozen holds nobody up for long: it is asked in a thread beside, which is waited for a little.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.ledger import Ledger
from tieout.brokers import read_topics, servers
from tieout.errors import UserError
from tieout.settings import Settings

if TYPE_CHECKING:
    from consumers.kafka.lag import Lag

FRESH_SECONDS = 15.0
"""However many ask, the brokers are asked once in this time."""
PATIENCE_SECONDS = 3.0
"""How long whoever asks waits for the brokers; what they say later is there for the next."""

log = structlog.get_logger(__name__)

Ask = Callable[[], "Sequence[Lag] | None"]
"""The lag of each partition; None where the brokers do not answer. May raise what the store raises."""


def ask(ledger: Ledger, settings: Settings) -> "Sequence[Lag] | None":
    """How far the topics that are read are behind, None where Kafka does not say; may take half a minute."""
    from kafka.errors import KafkaError  # type: ignore[import-untyped]

    from consumers.kafka.lag import lag

    try:
        return lag(ledger, servers(settings), settings.kafka_cluster, read_topics(settings))
    except (KafkaError, UserError) as error:
        log.warning("kafka_does_not_say_the_lag", error=type(error).__name__)
        return None


class KafkaLag(Collector):
    """The lag by partition, and whether Kafka says it."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._answer: Future[Sequence[Lag] | None] | None = None
        self._until = 0.0

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What there is to say now; nothing while the store does not say what has been read."""
        try:
            found = self._asked().result(PATIENCE_SECONDS)
        except TimeoutError:
            found = None
        except Exception:
            # The figures of the store are missing, too, and health says so.
            return
        yield GaugeMetricFamily("tieout_kafka_up", "Whether Kafka says how far its topics go.", int(found is not None))
        if found is not None:
            lag = GaugeMetricFamily(
                "tieout_consumer_lag", "Messages that are not yet in the ledger.", labels=["topic", "partition"]
            )
            for one in found:
                lag.add_metric([one.topic, str(one.partition)], one.behind)
            yield lag

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: Kafka is not asked in order to be registered."""
        yield from ()

    def _asked(self) -> "Future[Sequence[Lag] | None]":
        """The answer that is fresh, or on its way."""
        with self._lock:
            if self._answer is None or (self._answer.done() and monotonic() >= self._until):
                self._until = monotonic() + FRESH_SECONDS
                self._answer = _beside(self._ask)
            return self._answer


def _beside(ask: Ask) -> "Future[Sequence[Lag] | None]":
    """Ask in a thread that keeps no process from ending."""
    answer: Future[Sequence[Lag] | None] = Future()

    def work() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=work, name="tieout-kafka-lag", daemon=True).start()
    return answer
