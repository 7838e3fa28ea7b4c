"""Copies of what came from Kafka and stands in quarantine, for whoever sent it, in a topic of their own.

The quarantine is the source, and the position in it is stored when the copies are acknowledged: never a second write
beside the first. A crash in between sends some of them again (at least once); ``tieout-quarantine-id`` lets receivers
drop repeats.
"""

import threading
from contextlib import suppress
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog
from eventsourcing.persistence import Tracking
from kafka.errors import KafkaConfigurationError, KafkaError  # type: ignore[import-untyped]

from consumers.kafka import topics
from consumers.kafka.backoff import Backoff
from consumers.kafka.client import Servers, producer
from consumers.kafka.loop import DATABASE_AWAY
from consumers.kafka.messages import place_of
from ledger.errors import StaleTracking
from ledger.quarantine import Quarantined

if TYPE_CHECKING:
    from ledger.ledger import Ledger

log = structlog.get_logger(__name__)

PAGE = 200
ACKNOWLEDGE_SECONDS = 30.0


class DeadLetters:
    """Sends what is new in quarantine to a topic."""

    def __init__(
        self,
        ledger: "Ledger",
        servers: Servers,
        topic: str = topics.DEAD_LETTERS,
        *,
        every_seconds: float = 2.0,
        longest_wait: float = 30.0,
    ) -> None:
        self._ledger, self._servers, self._topic = ledger, servers, topic
        self._every = every_seconds
        self._away = Backoff(longest=longest_wait)
        self._stop = threading.Event()
        self._producer: Any = None
        self.failures = 0

    @property
    def tracking(self) -> str:
        """The name of the position."""
        return f"dead-letter:{self._topic}"

    def run(self) -> None:
        """Send until ``stop``. Raises only what is an error of ours."""
        try:
            while not self._stop.is_set():
                started = monotonic()
                try:
                    self.send_new()
                    self._away.reset()
                    wait = self._every
                except KafkaConfigurationError:
                    raise
                except (*DATABASE_AWAY, KafkaError) as error:
                    self.failures += 1
                    wait = self._away.next()
                    log.warning("dead_letters_wait", error=type(error).__name__, seconds=round(wait, 3))
                    self._close()
                self._stop.wait(max(0.0, started + wait - monotonic()))
        finally:
            self._close()

    def stop(self) -> None:
        """Stop soon; of any thread."""
        self._stop.set()

    def send_new(self) -> int:
        """Send what has come into quarantine since; how many. Raises the errors of the brokers and of the database."""
        sent = 0
        while True:
            after = self._ledger.tracked(self.tracking).get(self.tracking, 0)
            page = list(islice(self._ledger.quarantined(status=None, after=after), PAGE))
            if not page:
                return sent
            sent += self._send(page)
            try:
                self._ledger.submit([], tracking=(Tracking(self.tracking, page[-1].id),))
            except StaleTracking:
                # Another process sends too: what it has sent is sent.
                continue

    def _send(self, page: list[Quarantined]) -> int:
        letters = [(entry, place) for entry in page if (place := place_of(entry.origin)) is not None]
        if not letters:
            return 0
        if self._producer is None:
            self._producer = producer(self._servers)
        sent = [
            self._producer.send(
                self._topic,
                key=_key(entry, place[0]),
                value=entry.raw.encode("utf-8"),
                headers=_headers(entry, place),
            )
            for entry, place in letters
        ]
        for future in sent:
            future.get(ACKNOWLEDGE_SECONDS)
        log.info("dead_letters_sent", count=len(sent), topic=self._topic)
        return len(sent)

    def _close(self) -> None:
        if self._producer is None:
            return
        gone, self._producer = self._producer, None
        # Nothing is waited for: what is not acknowledged is sent again. Brokers that are away would be waited for, for ever.
        gone._sender.force_close()
        with suppress(KafkaError):
            gone.close(timeout=1)


def _key(entry: Quarantined, topic: str) -> bytes | None:
    """The key that the message had."""
    start = f"{topic}:"
    if entry.lane is None or not entry.lane.startswith(start):
        return None
    return entry.lane[len(start) :].encode("utf-8")


def _headers(entry: Quarantined, place: tuple[str, int, int]) -> list[tuple[str, bytes]]:
    topic, partition, offset = place
    said = {
        topics.ORIGINAL_TOPIC: topic,
        topics.ORIGINAL_PARTITION: str(partition),
        topics.ORIGINAL_OFFSET: str(offset),
        topics.ERROR_CODE: entry.code,
        topics.ERROR_FIELD: entry.field,
        topics.REASON: entry.rule,
        topics.ATTEMPTS: str(entry.attempts),
        topics.QUARANTINE_ID: str(entry.id),
    }
    return [(name, text.encode("utf-8")) for name, text in said.items()]
