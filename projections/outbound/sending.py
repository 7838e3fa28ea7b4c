"""Sending pages of messages so that each key's stay in order, whatever fails.

The library goes on with later messages of a partition when it has given up on an earlier one (its time ran out, or the
broker lost count). They would then stand before it, and a receiver that drops repeats would have them in that order for
good. So the first failure stops the producer, from within the thread that sends and before that sends anything else; the
page is sent again by a new one. What was sent of it by then is a prefix of each partition's part: the brokers take the
messages of one idempotent producer in sequence.
"""

from collections.abc import Iterable
from contextlib import suppress
from time import monotonic
from typing import Any

from kafka.errors import (  # type: ignore[import-untyped]
    KafkaError,
    KafkaTimeoutError,
    UnknownTopicOrPartitionError,
)

ACKNOWLEDGE_SECONDS = 10.0
CLOSE_SECONDS = 1.0
Headers = list[tuple[str, bytes]]


class Sender:
    """A producer of our own, until something fails."""

    def __init__(self, producer: Any, topic: str) -> None:
        """``producer``: with acks=all and idempotence, ours to close. Raises ``KafkaError``."""
        self._producer, self._topic = producer, topic
        self._failures: list[Exception] = []
        try:
            producer.partitions_for(topic)
        except BaseException as error:
            self.close()
            if not isinstance(error, KafkaTimeoutError):
                raise
            raise UnknownTopicOrPartitionError(
                f"the brokers told of no topic {topic}: make it (tieout topics), or name another one in the settings"
            ) from error

    def send(self, messages: Iterable[tuple[bytes, bytes]], headers: Headers) -> int:
        """Send messages (key, value) and wait until all of them are acknowledged; how many.

        Raises ``KafkaError``; then this one is of no more use.
        """
        try:
            sent = []
            for key, value in messages:
                # No timestamp: retention counts from it, and what is published late is not to be deleted at once.
                future = self._producer.send(self._topic, key=key, value=value, headers=headers)
                future.add_errback(self._stop)
                sent.append(future)
            until = monotonic() + ACKNOWLEDGE_SECONDS
            for future in sent:
                future.get(max(0.0, until - monotonic()))
        except KafkaError:
            # What came first is the reason; after it the library says that it is closed.
            if self._failures:
                raise self._failures[0] from None
            raise
        return len(sent)

    def _stop(self, error: Exception) -> None:
        self._failures.append(error)
        # Not close(), which insists on sending what is left first.
        self._producer._sender.force_close()

    def close(self) -> None:
        """Let go of the brokers; what is not sent is not sent."""
        self._producer._sender.force_close()
        with suppress(KafkaError):
            self._producer.close(timeout=CLOSE_SECONDS)
