"""Generated documents as messages in a topic, keyed by customer, the three ways that our contract allows."""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing

from consumers.envelope import event_type
from consumers.kafka.client import Servers as Brokers
from consumers.kafka.client import producer

WAYS = ("bare", "structured", "binary")
Message = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, value and headers."""

_HEAD = re.compile(rb'\{"command":"(\w+)","source":"(\w+)","source_id":"([^"]+)",')
_CUSTOMER = re.compile(rb'"customer":"([^"]+)"')
_STRUCTURED = [("content-type", b"application/cloudevents+json")]


def message(command: bytes, way: str) -> Message:
    """A command, as ``tieout.demo.bulk`` makes them, as a message."""
    customer = _CUSTOMER.search(command)
    assert customer is not None
    if way == "bare":
        return customer[1], command, []
    head = _HEAD.match(command)
    assert head is not None
    kind = event_type(head[1].decode())
    data = b"{" + command[head.end() :]
    if way == "structured":
        envelope = (
            f'{{"specversion":"1.0","type":"{kind}","source":"{head[2].decode()}","id":"{head[3].decode()}",'
            f'"time":"2026-01-01T00:00:00Z","datacontenttype":"application/json","data":'
        )
        return customer[1], envelope.encode() + data + b"}", _STRUCTURED
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", kind.encode()),
        ("ce_source", head[2]),
        ("ce_id", head[3]),
        ("ce_time", b"2026-01-01T00:00:00Z"),
        ("content-type", b"application/json"),
    ]
    return customer[1], data, headers


def send(bootstrap: str, topic: str, commands: Iterable[bytes], way: str = "structured") -> None:
    """Send commands; returns when all are acknowledged."""
    with closing(producer(Brokers(bootstrap))) as sending:
        for key, value, headers in _messages(commands, way):
            sending.send(topic, key=key, value=value, headers=headers)
        sending.flush()


def _messages(commands: Iterable[bytes], way: str) -> Iterator[Message]:
    return (message(command, way) for command in commands)
