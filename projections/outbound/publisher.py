"""Our own events to Kafka: pages in log order, each acknowledged by all before the position after it is stored.

A crash in between sends a page again (at least once): ids let receivers drop repeats, and the order of a key holds across
them, since whoever starts starts where everything before was acknowledged. So it does with several publishers at once;
the position moves only from where a page began (the *fence*), so none of them moves it back, and one that has been
overtaken goes on from what is stored.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import structlog

from ledger.database import Location, connect
from ledger.store import check
from projections import log
from projections.outbound.events import CONTENT_TYPE, encode
from projections.outbound.outgoing import outgoing
from projections.outbound.sending import Sender

logger = structlog.get_logger(__name__)

TOPIC = "tieout.events"
PAGE = 500
"""Events in memory at a time, each of 60,000 bytes at most."""
_HEADERS = [("content-type", CONTENT_TYPE.encode())]

_REACHED = "SELECT notification_id FROM tracking WHERE application_name = ?"
_FIRST = "INSERT INTO tracking VALUES (:name, :after) ON CONFLICT DO NOTHING"
_MOVE = """UPDATE tracking SET notification_id = :after WHERE application_name = :name
    AND notification_id = :before"""


class Publisher:
    """Publishes the events of a store to a topic; of one thread.

    A topic that nothing was published to gets the whole log.
    """

    def __init__(
        self,
        location: Location,
        producer: Callable[[], Any],
        topic: str = TOPIC,
        *,
        stopped: Callable[[], bool] = lambda: False,
        page: int = PAGE,
    ) -> None:
        """``producer`` makes one with acks=all and idempotence; ``stopped`` is asked between two pages.

        Raises ``StoreMissing`` or ``StoreOutdated``, or the database's error.
        """
        self._connection = connect(check(location))
        self._producer, self._topic, self._stopped, self._page = producer, topic, stopped, page
        self._sender: Sender | None = None

    @property
    def tracking(self) -> str:
        """The name of the position."""
        return f"outbound:{self._topic}"

    def publish_new(self) -> int:
        """Publish what is new in the log; how many events were sent. Raises the errors of brokers and database."""
        sent = 0
        while not self._stopped():
            before = self._reached()
            after = min((before or 0) + self._page, log.head(self._connection))
            if after <= (before or 0):
                break
            sent += self._send(before or 0, after)
            if not self._move(before, after):
                logger.warning("outbound_position_stale", topic=self._topic, before=before, after=after)
        return sent

    def close(self) -> None:
        """Let go of brokers and store."""
        self._abandon()
        self._connection.close()

    def _reached(self) -> int | None:
        row = self._connection.execute(_REACHED, (self.tracking,)).fetchone()
        return None if row is None else int(row[0])

    def _move(self, before: int | None, after: int) -> bool:
        """Store the position, if it is still where the page began."""
        statement = _FIRST if before is None else _MOVE
        return (
            self._connection.execute(statement, {"name": self.tracking, "before": before, "after": after}).rowcount == 1
        )

    def _send(self, after: int, upto: int) -> int:
        messages = list(self._messages(after, upto))
        if not messages:
            return 0
        try:
            if self._sender is None:
                self._sender = Sender(self._producer(), self._topic)
            return self._sender.send(messages, _HEADERS)
        except BaseException:
            self._abandon()
            raise

    def _messages(self, after: int, upto: int) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values."""
        event_at = partial(log.event_at_version, self._connection)
        for _, event in outgoing(log.logged(self._connection, after, upto), event_at):
            if event is not None:
                yield event.partitionkey.encode(), encode(event)

    def _abandon(self) -> None:
        if self._sender is not None:
            self._sender.close()
            self._sender = None
