"""Numbered events and control totals through a real topic: what is missing, held up, or delivered again is seen."""

import json
from datetime import date
from typing import Any

import pytest
from databases import KINDS
from members import Brokers, Facts, until
from shop import dismissal, submit

from ledger.ledger import Ledger
from projections.answers import Break, FeedDay
from projections.follow import follow
from projections.reader import Reader


class Sender:
    """A producer that numbers what it sends for one day, in binary CloudEvents."""

    def __init__(self, brokers: Brokers, topic: str) -> None:
        self.brokers, self.topic = brokers, topic

    def send(self, name: str, id_: str, data: dict[str, Any], key: str, sequence: int | None = None) -> None:
        said = {"specversion": "1.0", "type": f"tieout.{name}.v1", "source": "billing", "id": id_}
        headers = [(f"ce_{attribute}", text.encode()) for attribute, text in said.items()]
        if sequence is not None:
            headers += [("ce_sequence", str(sequence).encode()), ("ce_sequencetype", b"Integer")]
        self.brokers.send(self.topic, json.dumps({"book": "main", "currency": "EUR"} | data).encode(), key, headers)
        self.brokers.producer.flush()

    def pay(self, sequence: int, customer: str = "C1", **more: Any) -> None:
        """A payment with a number."""
        data = {"customer": customer, "number": f"P{sequence}", "effective_on": "2026-01-01", "amount": 100}
        self.send("record-payment", f"P{sequence}", data | more, customer, sequence)

    def state(self, id_: str, count: int, amount: int, highest: int) -> None:
        """The control totals of the day."""
        data = {"feed": "billing", "day": "2026-01-01", "count": count, "amount": amount, "highest": highest}
        self.send("state-control-totals", id_, data, "main")


def day(facts: Facts) -> FeedDay:
    follow(facts.location)
    with Reader(facts.location) as reader:
        [found] = reader.completeness("main")
    return found


def sequences(broken: Break) -> list[int | None]:
    return [message.sequence for message in broken.messages]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_producer_stated_is_compared_with_what_came_through_its_topic(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=1)
    sender = Sender(brokers, topic)
    sender.pay(1)
    sender.pay(2, "C2", method="pigeon")
    sender.pay(3, "C2")
    sender.pay(5)
    sender.pay(1)
    sender.state("t1", 5, 500, 5)
    member = start(brokers, topic)
    until(lambda: sum(member.outcomes().values()) == 6)
    found = day(facts)
    assert (found.feed, found.day, found.currency) == ("billing", date(2026, 1, 1), "EUR")
    assert (found.booked.count, found.quarantined.count, found.parked.count, found.doubled.count) == (2, 1, 1, 1)
    missing, gap, duplicate = found.breaks
    assert (missing.type, missing.open, missing.count, missing.amount) == ("missing", True, 3, 300)
    assert [(m.sequence, m.status, m.origin) for m in missing.messages] == [
        (2, "quarantined", f"kafka:{topic}:0:1"),
        (3, "parked", f"kafka:{topic}:0:2"),
    ]
    assert (gap.type, gap.sequences) == ("sequence_gap", [(4, 4)])
    assert (duplicate.type, duplicate.open, sequences(duplicate)) == ("duplicate", False, [1])
    assert [(m.first, m.origin) for m in duplicate.messages] == [(f"kafka:{topic}:0:0", f"kafka:{topic}:0:4")]

    with Ledger.open(facts.location) as ledger:
        submit(ledger, dismissal(1, "no such method"))
    sender.pay(4)
    sender.pay(2, "C2", number="P2b")
    until(lambda: facts.booked() == 5)
    found = day(facts)
    assert (found.booked.count, found.refused.count) == (5, 1)
    assert [(b.type, b.open) for b in found.breaks] == [("late", False), ("duplicate", False)]
    assert sorted(map(str, sequences(found.breaks[0]))) == ["2", "3", "4"]
