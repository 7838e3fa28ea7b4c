"""What the books must hold, worked out from the topic alone: message by message, each customer for itself.

It knows four rules: the first content of an id is booked and the same one again is a double; what cannot be booked goes
to quarantine; what follows that in the same customer's order is parked until an operator has dismissed it; what has no
value is counted. The topic is read as it lies there, so that whatever a producer did with a broken connection is part of
the case.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.reliability.messages import Content


class Delivery(NamedTuple):
    """A message in the topic. ``origin`` is its place, as the register writes it."""

    content: Content
    origin: str


class Expected:
    """What is to be found: before an operator has dismissed anything, or when everything is dismissed."""

    def __init__(self) -> None:
        self.booked: dict[str, dict[str, Delivery]] = defaultdict(dict)
        """Customer → id → the delivery that counts, in order."""
        self.doubles: set[tuple[str, str]] = set()
        """Id and place of what was delivered again."""
        self.quarantine: dict[str, str] = {}
        """Place → lane."""
        self.attempts: Counter[str] = Counter()
        """Place → how often what stands there in quarantine has come."""
        self.parked: dict[str, list[str]] = defaultdict(list)
        """Lane → places, in order."""
        self.counted = 0
        """How many without a value. Nothing else tells so surely that a batch was done twice: a fact is known again."""

    @property
    def owed(self) -> dict[str, int]:
        """Customer → what it owes, other than nothing."""
        sums = {customer: sum(d.content.owed for d in ids.values()) for customer, ids in self.booked.items()}
        return {customer: amount for customer, amount in sums.items() if amount}


def expected(topic: str, partitions: Mapping[int, Sequence[Content]], *, dismissed: bool) -> Expected:
    """``partitions``: what lies in each, from its first offset on."""
    found = Expected()
    lanes: dict[str, list[Delivery]] = defaultdict(list)
    for partition, contents in partitions.items():
        for offset, content in enumerate(contents):
            lanes[content.customer].append(Delivery(content, f"kafka:{topic}:{partition}:{offset}"))
    for customer, deliveries in lanes.items():
        _one_lane(found, customer, f"{topic}:{customer}", deliveries, dismissed)
    return found


def _one_lane(found: Expected, customer: str, lane: str, deliveries: Iterable[Delivery], dismissed: bool) -> None:
    kept: dict[bytes | None, str] = {}
    blocked = False
    for content, origin in deliveries:
        first = found.booked[customer].get(content.source_id)
        if content.fate == "counted":
            found.counted += 1
        elif blocked and content.fate != "unreadable":
            found.parked[lane].append(origin)
        elif content.fate != "fact" or (first is not None and first.content.owed != content.owed):
            # The same message again makes no second entry. What is not unreadable is looked at again only when the first
            # is dismissed, which then counts no more.
            place = kept.setdefault(content.value, origin)
            found.quarantine[place] = lane
            found.attempts[place] += place == origin or content.fate == "unreadable"
            blocked = not dismissed
        elif first is not None:
            found.doubles.add((content.source_id, origin))
        else:
            found.booked[customer][content.source_id] = Delivery(content, origin)
