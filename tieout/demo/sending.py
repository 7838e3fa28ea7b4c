"""Sends a made-up billing system's messages to Kafka, each acknowledged by all."""

from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import islice
from typing import Any

from consumers.kafka.client import Servers, producer
from tieout.demo.feed import CONTENT_TYPE, Message

AT_ONCE = 1_000
"""Messages in memory; so many are acknowledged before the next are sent."""
ACKNOWLEDGE_SECONDS = 30.0
_HEADERS = [("content-type", CONTENT_TYPE.encode())]


def send(servers: Servers, topic: str, messages: Iterable[Message], told: Callable[[int], None]) -> int:
    """How many were sent; ``told`` is called with that now and then. Raises ``KafkaError``."""
    sent = 0
    waiting = iter(messages)
    sending: Any = producer(servers)
    with closing(sending):
        while page := list(islice(waiting, AT_ONCE)):
            futures = [sending.send(topic, key=one.key, value=one.value, headers=_HEADERS) for one in page]
            for future in futures:
                future.get(ACKNOWLEDGE_SECONDS)
            sent += len(page)
            told(sent)
    return sent
