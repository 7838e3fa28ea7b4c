"""Where log, projections and publishing stand, asked of the store when somebody wants to know; how parts are."""

import threading
from collections.abc import Iterator, Sequence
from time import monotonic

import msgspec
from eventsourcing.persistence import OperationalError, ProgrammingError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.database import Connection, Location, connect
from ledger.errors import LedgerError
from ledger.store import check
from projections import log
from projections.standing import reached
from tieout.worker.supervising import Supervised

FRESH_SECONDS = 1.0
"""So old an answer may be: however many ask, the store is asked once a second."""
PATIENCE_SECONDS = 3.0
"""How long to wait for somebody else who asks the store."""

_PUBLISHED = "SELECT notification_id FROM tracking WHERE application_name = :name"
_QUARANTINE = "SELECT count(*) FROM quarantine WHERE shard = 0 AND status = 'open'"


class Unreachable(Exception):
    """The store does not answer."""


class Positions(msgspec.Struct, frozen=True):
    """Positions in the log, and how many entries are open in quarantine. ``published`` is None without Kafka."""

    log: int
    projection: int
    published: int | None
    quarantine: int


class Standing:
    """Answers any thread, through one connection of its own."""

    def __init__(self, location: Location, events_topic: str | None) -> None:
        self._location, self._topic = location, events_topic
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._last: Positions | None = None
        self._until = 0.0

    def positions(self) -> Positions:
        """Where all stand; raises ``Unreachable``."""
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise Unreachable
        try:
            if self._last is None or monotonic() > self._until:
                self._last = None
                self._last = self._asked()
                self._until = monotonic() + FRESH_SECONDS
            return self._last
        except (OperationalError, ProgrammingError, LedgerError) as error:
            self._close()
            raise Unreachable from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let go of the store."""
        with self._lock:
            self._close()

    def _asked(self) -> Positions:
        if self._connection is None:
            self._connection = connect(check(self._location), read_only=True)
        (quarantine,) = self._connection.execute(_QUARANTINE).fetchone()
        return Positions(
            log=log.head(self._connection),
            projection=reached(self._connection) or 0,
            published=None if self._topic is None else self._published(self._connection, self._topic),
            quarantine=quarantine,
        )

    def _published(self, connection: Connection, topic: str) -> int:
        row = connection.execute(_PUBLISHED, {"name": f"outbound:{topic}"}).fetchone()
        return 0 if row is None else int(row[0])

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Measured(Collector):
    """The same as metrics; those of the store are missing while it does not answer."""

    def __init__(self, standing: Standing, parts: Sequence[Supervised]) -> None:
        self._standing, self._parts = standing, parts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What there is to say now."""
        up = GaugeMetricFamily("tieout_part_up", "Whether a part of this worker does its work.", labels=["part"])
        for part in self._parts:
            up.add_metric([part.name], part.is_working)
        yield up
        try:
            found = self._standing.positions()
        except Unreachable:
            return
        yield GaugeMetricFamily("tieout_log_position", "Position of the last event of the log.", found.log)
        yield GaugeMetricFamily("tieout_projection_position", "Position that projections reached.", found.projection)
        if found.published is not None:
            yield GaugeMetricFamily(
                "tieout_published_position", "Position up to which events are published.", found.published
            )
        yield GaugeMetricFamily("tieout_quarantine_open", "Messages that stand in quarantine.", found.quarantine)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: the store is not asked in order to be registered."""
        yield from ()
