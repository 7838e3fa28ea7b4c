"""What cannot be booked goes to quarantine, and only its own customer's later messages wait behind it, in order."""

import json
from random import Random
from typing import Any

import pytest
from databases import KINDS
from members import Brokers, Facts, bare, in_order, until
from shop import dismissal, submit

from consumers.retry import retry
from ledger.ledger import Ledger

TOO_LATE = "2150-01-01"
LONG = "".join(map(chr, Random(7).sample(range(0x4E00, 0x9FA0), 5_000)))


def send_with_poison(brokers: Brokers, topic: str, bad: dict[int, dict[str, Any]], numbers: range) -> None:
    """Payments number n of customer n % 10; some of them with fields that make them bad."""
    for n in numbers:
        brokers.send(topic, bare(f"P{n}", f"C{n % 10}", **bad.get(n, {})), f"C{n % 10}")
    brokers.producer.flush()


def lane_ids(ledger: Ledger) -> dict[str, int]:
    """Customer → its open entry in quarantine."""
    return {(entry.lane or "").split(":")[-1]: entry.id for entry in ledger.quarantined()}


@pytest.mark.parametrize("kind", KINDS)
def test_poison_parks_its_own_lane_until_it_is_corrected_or_dismissed(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=2)
    # One cannot be read, the other is refused.
    send_with_poison(brokers, topic, {11: {"amount": 2.0}, 12: {"effective_on": TOO_LATE}}, range(60))
    member = start(brokers, topic)
    until(lambda: sum(member.outcomes().values()) == 60)
    assert member.outcomes() == {"booked": 50, "refused": 2, "parked": 8}
    expected = in_order(60) | {"C1": [1], "C2": [2]}
    assert facts.numbers() == expected
    assert {(code, lane) for code, _, lane in facts.quarantined()} == {
        ("command_must_be_valid", f"{topic}:C1"),
        ("effective_date_must_be_within_horizon", f"{topic}:C2"),
    }
    assert all(origin.startswith(f"kafka:{topic}:") for _, origin, _ in facts.quarantined())

    with Ledger.open(facts.location) as ledger:
        entries = lane_ids(ledger)
        [(_, outcome)] = retry(ledger, [entries["C1"]], {"amount": 200})
        assert outcome.status == "booked"
        until(lambda: facts.parked() == 4)
        assert facts.numbers() == expected | {"C1": [1, 11, 21, 31, 41, 51]}
        # What comes meanwhile waits too.
        send_with_poison(brokers, topic, {}, range(60, 70))
        until(lambda: facts.parked() == 5)
        submit(ledger, dismissal(entries["C2"]))
    until(lambda: facts.parked() == 0)
    assert facts.numbers() == in_order(70) | {"C2": [2, 22, 32, 42, 52, 62]}
    member.stop()


def test_a_parked_message_that_is_bad_itself_holds_up_the_rest_again(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=1)
    bad = {3: {"effective_on": TOO_LATE}, 23: {"effective_on": TOO_LATE}}
    send_with_poison(brokers, topic, bad, range(50))
    member = start(brokers, topic)
    until(lambda: facts.parked() == 4)
    with Ledger.open(facts.location) as ledger:
        submit(ledger, dismissal(lane_ids(ledger)["C3"]))
        until(lambda: facts.parked() == 2)
        assert facts.numbers()["C3"] == [13]
        # Two were tried once again, and stay.
        until(lambda: member.outcomes()["parked"] == 6)
        submit(ledger, dismissal(lane_ids(ledger)["C3"]))
    until(lambda: facts.parked() == 0)
    assert facts.numbers()["C3"] == [13, 33, 43]
    assert member.outcomes()["parked"] == 6


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_parked_is_booked_by_any_member_also_after_a_restart(
    brokers: Brokers, facts: Facts, start: Any
) -> None:
    topic = brokers.topic(partitions=1)
    send_with_poison(brokers, topic, {1: {"amount": 2.0}}, range(30))
    first = start(brokers, topic)
    until(lambda: facts.parked() == 2)
    first.stop()
    with Ledger.open(facts.location) as ledger:
        submit(ledger, dismissal(lane_ids(ledger)["C1"]))
    # Two at once: one of them is first, the other finds nothing left to do.
    members = [start(brokers, topic), start(brokers, topic)]
    until(lambda: facts.parked() == 0)
    assert facts.numbers()["C1"] == [11, 21]
    assert sum(member.outcomes().get("booked", 0) for member in members) == 2


def test_messages_without_a_key_are_in_order_within_their_partition(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=2)
    for n in range(10):
        brokers.send(topic, bare(f"P{n}", "C1", 2.0 if n == 2 else 100), partition=n % 2)
    brokers.producer.flush()
    member = start(brokers, topic)
    until(lambda: sum(member.outcomes().values()) == 10)
    assert [lane for _, _, lane in facts.quarantined()] == [f"{topic}/0"]
    assert sorted(facts.numbers()["C1"]) == [0, 1, 3, 5, 7, 9]
    assert facts.parked() == 3


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_and_no_key_stops_the_loop(brokers: Brokers, facts: Facts, start: Any) -> None:
    topic = brokers.topic(partitions=1)
    odd: list[tuple[bytes | None, bytes | None]] = [
        (None, b"C1"),
        (None, b""),
        (b"", b"C2"),
        (b"\xff\xfe\0", b"\xff\xfe"),
        (b'{"source": "a\\u0000b", "source_id": "\\ud800"}', b"a\0b"),
        (b"[" * 2_000, b"k" * 5_000),
        (json.dumps({"specversion": "1.0"}).encode(), b""),
        (b"null", "C3\N{SNOWMAN}".encode()),
        # Longer than an entry of an index may be, and not to be compressed.
        (json.dumps({"source": LONG, "source_id": LONG, "book": LONG}).encode(), b"long"),
        (
            json.dumps(json.loads(bare("P3", "C7")) | {"dimensions": {f"d{n}": LONG[:200] for n in range(9)}}).encode(),
            b"C7",
        ),
    ]
    for value, key in odd:
        brokers.send(topic, value, key)
    brokers.send(topic, None, b"C4", headers=[("ce_specversion", b"1.0"), ("ce_id", b"\xff")])
    # A key that is no text is a lane like any other.
    brokers.send(topic, bare("P1", "C9"), b"\xff\xfe")
    brokers.send(topic, bare("P2", "C8"), b"\xfe\xff")
    brokers.producer.flush()
    member = start(brokers, topic)
    until(lambda: sum(member.outcomes().values()) == 13)
    assert member.outcomes() == {"acknowledged": 2, "refused": 9, "parked": 1, "booked": 1}
    assert facts.numbers() == {"C8": [2]}
    assert [tuple(row) for row in facts.rows("SELECT source, kind, count FROM acknowledgements")] == [
        (topic, "tombstone", 2)
    ]
    for (raw,) in facts.rows("SELECT raw FROM quarantine"):
        json.loads(raw)
    assert len({lane for _, _, lane in facts.quarantined()}) == 9
