"""What a receiver makes of a topic of our events, and what it is to find there: the log of the store."""

import json
from collections import defaultdict
from contextlib import closing
from typing import Any

from members import Brokers

from ledger.database import Location, connect


def position(store: Location, topic: str) -> int | None:
    """Where publishing has got to."""
    with closing(connect(store, read_only=True)) as connection:
        statement = "SELECT notification_id FROM tracking WHERE application_name = ?"
        row = connection.execute(statement, (f"outbound:{topic}",)).fetchone()
    return None if row is None else int(row[0])


def logged(store: Location) -> dict[str, int]:
    """Id → position of every event of the log, in log order."""
    with closing(connect(store, read_only=True)) as connection:
        statement = "SELECT originator_id, originator_version, position FROM events ORDER BY position"
        return {f"{stream}:{version}": at for stream, version, at in connection.execute(statement)}


class Received:
    """A topic as somebody has it who drops repeats by id: of each key the events in the order of their first arrival."""

    def __init__(self, brokers: Brokers, topic: str) -> None:
        messages = brokers.read(topic, sum(brokers.ends(topic).values()))
        self.messages = len(messages)
        self.content_types = {dict(message.headers)["content-type"].decode() for message in messages}
        self.partitions: dict[str, set[int]] = defaultdict(set)
        self.events: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, list[str]] = defaultdict(list)
        for message in messages:
            event = json.loads(message.value)
            key = message.key.decode()
            self.partitions[key].add(message.partition)
            if event["id"] not in self.events:
                self.by_key[key].append(event["id"])
            assert self.events.setdefault(event["id"], event) == event, "a repeat says the same"

    @property
    def repeats(self) -> int:
        """Messages that the receiver has dropped."""
        return self.messages - len(self.events)

    def assert_whole_and_in_order(self, store: Location) -> None:
        """All that is in the log, each key in the order of the log and in one partition."""
        log = logged(store)
        assert self.events.keys() == log.keys()
        assert {one: event["position"] for one, event in self.events.items()} == {
            one: f"0:{at}" for one, at in log.items()
        }
        for key, ids in self.by_key.items():
            assert ids == sorted(ids, key=log.__getitem__), f"the events of {key} are out of order"
            assert {self.events[one]["partitionkey"] for one in ids} == {key}
            assert len(self.partitions[key]) == 1
