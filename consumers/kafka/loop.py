"""Poll, book, again: messages from Kafka into the ledger, each poll one commit with the positions of its partitions.

Whatever the broker thinks of who owns a partition: the positions are the fence. A member that was given up for dead and
woke finds its batch stale, nothing of it is written, and it goes back to what is stored. While the database is away
nothing is read, but the member stays in its group; while a broker is away there is nothing to read. The loop is
synchronous, so no more is in memory than one poll and what the library has fetched ahead.

One thread runs it; ``stop`` may be called from any other, or from a signal's handler.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from eventsourcing.persistence import OperationalError
from kafka import OffsetAndMetadata, TopicPartition  # type: ignore[import-untyped]
from kafka.errors import (  # type: ignore[import-untyped]
    KafkaConfigurationError,
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
)
from kafka.structs import MemberState  # type: ignore[import-untyped]

from consumers.kafka import parked, positions
from consumers.kafka.assignment import ASK_MS, Assignment
from consumers.kafka.backoff import Backoff
from consumers.kafka.client import Group, Servers, member
from consumers.kafka.messages import Feed, Record, entries
from consumers.kafka.metrics import Metrics
from ledger.errors import Contention, StaleTracking
from ledger.outcomes import Entry

if TYPE_CHECKING:
    from ledger.ledger import Ledger
    from ledger.shards import Shards

log = structlog.get_logger(__name__)

DATABASE_AWAY = (OperationalError, Contention)
"""Errors that pass by themselves: nothing of the batch was written, or whether it was will be seen from its position."""
LEAVE_MS = 3_000


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a loop reads. ``cluster`` is part of the names of its positions (``positions``)."""

    cluster: str = "main"
    group: Group = Group()
    max_poll_records: int = 500
    poll_ms: int = 200
    """How long to wait for records; so long a stop, a pause or a new partition may take to be noticed."""
    every_seconds: float = 2.0
    """Between two looks at parked messages, and between two offsets for Kafka's own tools."""
    lag_seconds: float = 10.0
    longest_wait: float = 30.0
    """Between two tries while the database or the brokers are away."""


class Loop:
    """One member of the group, reading ``feeds`` (topic → how its messages are read)."""

    def __init__(
        self,
        ledger: "Ledger | Shards",
        servers: Servers,
        feeds: Mapping[str, Feed],
        options: Options = Options(),
        *,
        paused: Callable[[], bool] = lambda: False,
        metrics: Metrics | None = None,
        now_us: int | None = None,
    ) -> None:
        self._ledger, self._servers, self._feeds, self._options = ledger, servers, feeds, options
        self._paused, self._metrics, self._now_us = paused, metrics, now_us
        self._stop = threading.Event()
        self._consumer: Any = None
        self._assignment: Assignment | None = None
        self._by_operator = False
        self._database = Backoff(longest=options.longest_wait)
        self._brokers = Backoff(longest=options.longest_wait)
        self._not_before = self._member_at = 0.0
        self._parked_at = self._offsets_at = self._lag_at = 0.0
        self._told: dict[TopicPartition, Any] = {}
        self._state = "starting"

    # --- from outside

    def run(self) -> None:
        """Read until ``stop``; then finish the batch and leave the group. Raises only what is an error of ours."""
        try:
            while not self._stop.is_set():
                if self._consumer is None:
                    self._join()
                else:
                    self._turn()
        finally:
            self._state = "stopped"
            self._leave()

    def stop(self) -> None:
        """Stop soon."""
        self._stop.set()

    @property
    def state(self) -> str:
        """``starting``, ``reading``, ``paused`` (by an operator), ``waiting`` (something is away), or ``stopped``."""
        return self._state

    @property
    def partitions(self) -> set[TopicPartition]:
        """What is ours now."""
        return set() if self._assignment is None else set(self._assignment.partitions)

    @property
    def stranded(self) -> set[TopicPartition]:
        """Partitions of ours whose next message is gone from the topic."""
        return set() if self._assignment is None else set(self._assignment.stranded)

    def lag(self) -> dict[TopicPartition, int]:
        """How far each partition of ours is behind; of the thread that runs the loop. Raises ``KafkaError``."""
        return {} if self._assignment is None else self._assignment.lag()

    # --- one turn

    def _turn(self) -> None:
        try:
            if self._may_read():
                self._place()
                polled = self._poll()
                if polled:
                    self._book(polled)
                self._now_and_then()
            else:
                # All is paused: this only says that we are still here.
                polled = self._poll()
                assert not polled, "what is read is booked"
        except DATABASE_AWAY as error:
            self._database_away(error)
        self._measure()

    def _may_read(self) -> bool:
        """Whether neither an operator nor a wait keeps us from reading. Partitions are paused as long as they do."""
        if monotonic() < self._not_before:
            return False
        assert self._assignment is not None
        by_operator = self._paused()
        if by_operator:
            self._assignment.unplace()
            if not self._assignment.is_located:
                self._locate()
        if by_operator != self._by_operator:
            log.warning("kafka_paused" if by_operator else "kafka_resumed")
            self._by_operator = by_operator
        self._state = "paused" if by_operator else "reading"
        return not by_operator

    def _place(self) -> None:
        assert self._assignment is not None
        if self._assignment.unplaced and self._locate():
            self._assignment.place()

    def _locate(self) -> bool:
        assert self._assignment is not None
        stored = positions.stored(self._ledger, self._options.cluster)
        try:
            self._assignment.locate(stored)
        except KafkaError as error:
            self._broker_away(error)
            return False
        return True

    def _poll(self) -> dict[TopicPartition, list[Record]]:
        """What the brokers have for us; nothing if they are away."""
        try:
            polled: dict[TopicPartition, list[Record]] = self._consumer.poll(
                timeout_ms=self._options.poll_ms, max_records=self._options.max_poll_records
            )
        except OffsetOutOfRangeError as error:
            self._strand(error.args[0])
        except LogTruncationError as error:
            self._strand(error.divergent_offsets)
        except KafkaError as error:
            # After some errors the library's next poll never returns, so it is not asked again.
            self._broker_away(error)
            self._leave()
        else:
            self._watch_membership()
            return polled
        return {}

    def _watch_membership(self) -> None:
        """Begin again as another member, where the group never takes us in.

        The library (3.0.12) loses its own assignment where a topic gets partitions and the answer to that comes between
        two polls: then it is no member, sends no heartbeat, and would poll for ever without getting anything.
        """
        if self._consumer.group_metadata().state == MemberState.STABLE:
            self._member_at = monotonic()
        elif monotonic() - self._member_at > self._options.group.join_seconds:
            log.warning("kafka_group_not_joined", seconds=round(monotonic() - self._member_at, 1))
            self._trouble("group")
            self._leave()

    def _book(self, polled: dict[TopicPartition, list[Record]]) -> None:
        started = monotonic()
        batch: list[Entry] = []
        reached: dict[TopicPartition, int] = {}
        for partition, records in polled.items():
            feed = self._feeds[partition.topic]
            for record in records:
                batch += entries(record, feed)
            reached[partition] = records[-1].offset + 1
        assert self._assignment is not None
        stored = dict(self._assignment.stored)
        try:
            if not stored.keys() >= reached.keys():
                raise StaleTracking("a partition was taken from us while it was read")
            tracking = tuple(
                positions.advanced(self._options.cluster, partition, stored[partition], offset)
                for partition, offset in reached.items()
            )
            outcomes = self._ledger.submit(batch, tracking=tracking, now_us=self._now_us)
        except StaleTracking as error:
            log.warning("kafka_position_stale", reason=str(error))
            self._trouble("stale")
            # Of all of them, not only these: if one was given to somebody else, the others may have been too.
            self._assignment.unplace()
            return
        self._database.reset()
        self._brokers.reset()
        for partition, offset in reached.items():
            self._assignment.went_on(partition, offset)
        if self._metrics is not None:
            self._metrics.count(outcomes)
            self._metrics.batches.observe(monotonic() - started)

    def _now_and_then(self) -> None:
        if monotonic() >= self._parked_at:
            for ledger in self._ledger.ledgers:
                outcomes = parked.take_up(ledger, now_us=self._now_us)
                if self._metrics is not None:
                    self._metrics.count(outcomes)
            self._parked_at = monotonic() + self._options.every_seconds
        if monotonic() >= self._offsets_at:
            self._tell_offsets()
            self._offsets_at = monotonic() + self._options.every_seconds

    def _tell_offsets(self) -> None:
        """Tell the brokers how far we are, for tools that show it; nobody reads on from there."""
        if self._assignment is None:
            return
        offsets = {partition: OffsetAndMetadata(offset, "", -1) for partition, offset in self._assignment.next.items()}
        if offsets and offsets != self._told:
            self._told = offsets
            with suppress(KafkaError):
                self._consumer.commit_async(offsets)

    def _measure(self) -> None:
        """The lag as a metric, which matters most while we do not read."""
        metrics = self._metrics
        if metrics is None or monotonic() < self._lag_at:
            return
        with suppress(KafkaError):
            lag = self.lag()
            metrics.lag.clear()
            for partition, behind in lag.items():
                metrics.lag.labels(partition.topic, partition.partition).set(behind)
        metrics.stranded.set(len(self.stranded))
        self._lag_at = monotonic() + self._options.lag_seconds

    # --- in and out of the group

    def _join(self) -> None:
        if self._stop.wait(max(0.0, self._not_before - monotonic())):
            return
        try:
            self._consumer = member(self._servers, self._options.group)
        except KafkaConfigurationError:
            raise
        except KafkaError as error:
            self._broker_away(error)
            return
        self._assignment = Assignment(self._consumer)
        self._consumer.subscribe(list(self._feeds), listener=self._assignment)
        self._member_at = monotonic()
        self._told = {}
        # Have the partitions at hand: a group that learns of them while it assembles assembles again at once.
        with suppress(KafkaError):
            self._consumer.beginning_offsets([TopicPartition(topic, 0) for topic in self._feeds], timeout_ms=ASK_MS)

    def _leave(self) -> None:
        if self._consumer is None:
            return
        with suppress(KafkaError):
            self._tell_offsets()
        # Not waited for longer: the brokers may be away, and give us up for dead by themselves.
        with suppress(KafkaError):
            self._consumer.close(timeout_ms=LEAVE_MS)
        self._consumer = self._assignment = None

    # --- trouble

    def _database_away(self, error: Exception) -> None:
        self._wait("database", self._database.next(), error)

    def _broker_away(self, error: Exception) -> None:
        self._wait("broker", self._brokers.next(), error)

    def _wait(self, kind: str, seconds: float, error: Exception) -> None:
        """Read nothing for a while. What was read and not booked is forgotten, and read again."""
        if self._assignment is not None:
            self._assignment.unplace()
        self._state = "waiting"
        self._not_before = monotonic() + seconds
        self._trouble(kind)
        reason = (str(error).splitlines() or [""])[0]
        log.warning(f"kafka_{kind}_away", error=type(error).__name__, reason=reason, seconds=round(seconds, 3))

    def _strand(self, partitions: Sequence[TopicPartition] | Mapping[TopicPartition, Any]) -> None:
        assert self._assignment is not None
        self._assignment.strand(partitions)

    def _trouble(self, kind: str) -> None:
        if self._metrics is not None:
            self._metrics.trouble.labels(kind).inc()
