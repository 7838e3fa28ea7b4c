"""Given these messages and totals, then these breaks: opening and closing as facts arrive, in whatever order."""

import json
from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Any

import pytest
from databases import store_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import NOW_US, credit_note, dismissal, invoice, opened, payment, refund, reversal

from domain.commands import PostAdjustment, StateControlTotals
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome, Submission, Unreadable
from projections.answers import AsOf, Break, FeedDay
from projections.follow import follow
from projections.reader import Reader

JAN_5 = date(2026, 1, 5)


class Feed:
    """A feed named ``test`` into the book ``main``, and what is said of its completeness."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._offsets = count(1)
        self._statements = count(1)

    def send(self, *commands: Any, lane: str | None = None) -> list[Outcome]:
        """Messages, each under an offset and, by default, in a lane of its own."""
        entries: list[Entry] = []
        for command in commands:
            offset = next(self._offsets)
            entries.append(Submission(command, f"kafka:t:0:{offset}", True, lane or f"t:{offset}"))
        return self.ledger.submit(entries, now_us=NOW_US)

    def state(self, number: int, amount: int, highest: int | None = None, **more: Any) -> None:
        """Control totals of a day."""
        given: dict[str, Any] = {"source": "test", "book": "main", "feed": "test", "day": JAN_5, "currency": "CNY"}
        given |= {"source_id": f"totals-{next(self._statements)}", "count": number, "amount": amount}
        assert [o.status.value for o in self.send(StateControlTotals(**given | {"highest": highest} | more))] == [
            "booked"
        ]

    def days(self, feed: str | None = "test", **asked: Any) -> list[FeedDay]:
        """The answer."""
        follow(self.ledger.location)
        with Reader(self.ledger.location) as reader:
            return reader.completeness("main", feed, **asked)

    def day(self, **asked: Any) -> FeedDay:
        """That of the only day."""
        [found] = self.days(**asked)
        return found


@pytest.fixture
def feed(store: Location) -> Iterator[Feed]:
    with opened(store) as ledger:
        yield Feed(ledger)


def breaks(found: FeedDay) -> list[tuple[str, bool, int, int]]:
    """Type, whether it is open, count and amount of each break."""
    return [(one.type, one.open, one.count, one.amount) for one in found.breaks]


def only(found: FeedDay, type_: str) -> Break:
    """The one break of a type."""
    [one] = [one for one in found.breaks if one.type == type_]
    return one


def one(number: int, total: int = 100, **fields: Any) -> Any:
    """The invoice with this number among the messages of the day."""
    return invoice(str(number), total, sequence=number, **fields)


# --- what is counted


def test_a_day_is_complete_when_all_that_was_stated_is_booked(feed: Feed) -> None:
    feed.send(one(1), one(2, 50))
    feed.state(2, 150, 2)
    found = feed.day()
    assert (found.feed, found.day, found.currency, found.breaks, found.open) == ("test", JAN_5, "CNY", [], False)
    assert (found.booked.count, found.booked.amount) == (2, 150)
    assert found.stated is not None
    assert (found.stated.count, found.stated.amount, found.stated.highest, found.stated.position) == (2, 150, 2, "0:5")


def test_documents_count_with_their_amounts_and_reversals_with_none(feed: Feed) -> None:
    adjusted = PostAdjustment(
        source="test", source_id="a", book="main", customer="C1", currency="CNY", number="A", effective_on=JAN_5,
        item="invoice::1:1#1", reason_code="small_balance", amount=5, linked_to={"kind": "invoice", "number": "1"},
    )  # fmt: skip
    sent = [
        one(1),
        adjusted,
        credit_note("1", 20, on="01-05"),
        payment("1", 30, on="01-05", customer="C2"),
        refund("1", 10, of="1", on="01-05", customer="C2"),
        # With it goes the adjustment that is linked to it, by the same message.
        reversal("invoice", "1"),
    ]
    assert {o.status.value for o in feed.send(*sent)} == {"booked"}
    feed.state(6, 100 + 5 + 20 + 30 + 10)
    assert feed.day().breaks == []


def test_what_a_waiting_fact_is_counts_once_it_is_booked(feed: Feed) -> None:
    feed.send(refund("1", 10, of="1", on="01-05", sequence=1))
    feed.state(2, 40, 2)
    found = feed.day()
    assert (found.waiting.count, found.waiting.amount) == (1, 10)
    assert breaks(found) == [("missing", True, 2, 40), ("sequence_gap", True, 1, 0)]
    [waits] = only(found, "missing").messages
    assert (waits.status, waits.source_id, waits.sequence, waits.origin) == ("waiting", "refund-1", 1, "kafka:t:0:1")
    feed.send(payment("1", 30, on="01-05", sequence=2))
    assert breaks(feed.day()) == [("late", False, 2, 40)]


def test_a_fact_that_waited_and_was_refused_is_missing_and_says_why(feed: Feed) -> None:
    feed.send(refund("1", 70, of="1", on="01-05", sequence=1), payment("1", 30, on="01-05", sequence=2))
    feed.state(2, 100, 2)
    found = feed.day()
    assert breaks(found) == [("missing", True, 1, 70)]
    [message] = only(found, "missing").messages
    assert (message.status, message.code) == ("refused", "refund_must_not_exceed_refundable")
    assert (found.refused.count, found.waiting.count) == (1, 0)


# --- breaks


def test_missing_messages_are_named_by_their_numbers_until_they_come(feed: Feed) -> None:
    feed.send(one(1), one(4))
    feed.state(5, 500, 5)
    found = feed.day()
    assert breaks(found) == [("missing", True, 3, 300), ("sequence_gap", True, 3, 0)]
    assert [broken.sequences for broken in found.breaks] == [[(2, 3), (5, 5)]] * 2
    feed.send(one(3), one(5), one(2))
    found = feed.day()
    assert breaks(found) == [("late", False, 3, 300)]
    assert [message.sequence for message in found.breaks[0].messages] == [3, 5, 2]
    assert [message.origin for message in found.breaks[0].messages] == ["kafka:t:0:4", "kafka:t:0:5", "kafka:t:0:6"]


def test_without_numbers_only_the_count_is_missing(feed: Feed) -> None:
    feed.send(invoice("1", 100))
    feed.state(3, 300)
    assert breaks(feed.day()) == [("missing", True, 2, 200)]
    assert only(feed.day(), "missing").sequences == []


def test_a_day_of_which_nothing_came(feed: Feed) -> None:
    feed.state(2, 300, 2)
    assert breaks(feed.day()) == [("missing", True, 2, 300), ("sequence_gap", True, 2, 0)]


def test_a_day_on_which_nothing_was_sent(feed: Feed) -> None:
    feed.state(0, 0)
    assert (feed.day().breaks, feed.day().booked.count) == ([], 0)


def test_a_gap_is_seen_before_anything_is_stated(feed: Feed) -> None:
    feed.send(one(1), one(3))
    found = feed.day()
    assert found.stated is None
    assert breaks(found) == [("sequence_gap", True, 1, 0)]
    feed.send(one(2))
    assert feed.day().breaks == []


def test_an_amount_that_differs(feed: Feed) -> None:
    feed.send(one(1), one(2))
    feed.state(2, 170, 2)
    assert breaks(feed.day()) == [("amount_differs", True, 0, -30)]


def test_what_comes_late_is_beyond_the_totals_until_they_are_stated_anew(feed: Feed) -> None:
    feed.send(one(1))
    feed.state(2, 200, 2)
    feed.send(one(2), one(3), one(4))
    found = feed.day()
    assert breaks(found) == [("late", True, 2, 200), ("late", False, 1, 100)]
    assert [message.sequence for message in found.breaks[0].messages] == [3, 4]
    feed.state(4, 400, 4)
    assert feed.day().breaks == []


def test_without_numbers_the_last_ones_are_beyond(feed: Feed) -> None:
    feed.send(invoice("1", 100))
    feed.state(2, 200)
    feed.send(invoice("2", 100), invoice("3", 70))
    found = feed.day()
    assert breaks(found) == [("late", True, 1, 70), ("late", False, 1, 100)]
    assert [message.document for message in found.breaks[0].messages] == ["invoice::3:1"]


def test_more_than_was_stated_and_in_time(feed: Feed) -> None:
    feed.send(one(1), one(2), one(3))
    feed.state(1, 100, 1)
    assert breaks(feed.day()) == [("excess", True, -2, -200)]
    feed.send(one(4))
    assert breaks(feed.day()) == [("excess", True, -2, -200), ("late", True, 1, 100)]


def test_what_stands_in_quarantine_and_what_is_parked_behind_it(feed: Feed) -> None:
    foreign = one(1, currency="USD")
    feed.send(foreign, one(2, currency="USD", rate="7"), lane="t:C1")
    feed.state(2, 200, 2, currency="USD")
    found = feed.day()
    assert (found.quarantined.count, found.quarantined.amount, found.parked.count) == (1, 100, 1)
    assert breaks(found) == [("missing", True, 2, 200)]
    held, parked = only(found, "missing").messages
    assert (held.status, held.quarantine, held.code) == ("quarantined", 1, "rate_must_be_given")
    assert (parked.status, parked.sequence, parked.origin) == ("parked", 2, "kafka:t:0:2")
    feed.send(dismissal(1))
    found = feed.day()
    assert (found.quarantined.count, found.refused.count) == (0, 1)
    assert only(found, "missing").messages[0].status == "dismissed"


def test_what_cannot_be_read_is_counted_under_its_feed_without_a_day(feed: Feed) -> None:
    feed.send(one(1))
    feed.state(2, 200, 2)
    events = [
        {"specversion": "1.0", "type": "tieout.issue-invoice.v1", "source": "test", "id": "x", "sequence": "2",
         "data": {"effective_on": "2026-01-05", "currency": "CNY", "total": 100, "colour": "red"}},
        {"specversion": "1.0", "type": "tieout.record-payment.v1", "data": {"amount": 7, "effective_on": "5/1/26"}},
        {"specversion": "1.0", "type": "tieout.allocate.v1", "data": {}},
        {"command": "RecordPayment", "effective_on": 5, "currency": ["CNY"], "sequence": True, "amount": "1e3"},
        {"object": "charge", "amount": 100, "currency": "cny"},
        "no JSON object",
    ]  # fmt: skip
    feed.ledger.submit(
        [
            Unreadable(
                "main", "test", f"u{n}", f"kafka:u:0:{n}", "command_must_be_valid", "", "", "", json.dumps(event)
            )
            for n, event in enumerate(events)
        ],
        now_us=NOW_US,
    )
    placed, unplaced = feed.days()
    assert breaks(placed) == [("missing", True, 1, 100)]
    assert (placed.quarantined.count, placed.quarantined.amount) == (1, 100)
    assert (unplaced.day, unplaced.currency, unplaced.quarantined.count, unplaced.quarantined.amount) == (
        None,
        None,
        4,
        7,
    )
    assert unplaced.breaks == []


def test_a_conflict_is_open_until_it_is_dismissed(feed: Feed) -> None:
    feed.send(one(1))
    feed.state(1, 100, 1)
    feed.send(one(1, 170))
    found = feed.day()
    assert breaks(found) == [("conflicting", True, 1, 170)]
    [message] = found.breaks[0].messages
    assert (message.quarantine, message.code) == (1, "same_source_id_must_have_same_content")
    feed.send(dismissal(1, "the first is right"))
    assert breaks(feed.day()) == [("conflicting", False, 1, 170)]


def test_a_number_on_two_messages_conflicts(feed: Feed) -> None:
    feed.send(one(1), one(2), invoice("3", 100, sequence=2))
    found = feed.day()
    assert breaks(found) == [("conflicting", True, 2, 200)]
    assert [message.document for message in found.breaks[0].messages] == ["invoice::2:1", "invoice::3:1"]


def test_what_is_delivered_again_is_a_duplicate_and_booked_once(feed: Feed) -> None:
    feed.send(one(1))
    feed.state(1, 100, 1)
    feed.send(one(1))
    found = feed.day()
    assert breaks(found) == [("duplicate", False, 1, 100)]
    [message] = found.breaks[0].messages
    assert (message.status, message.origin, message.first) == ("doubled", "kafka:t:0:3", "kafka:t:0:1")
    assert (found.booked.count, found.doubled.count) == (1, 1)


def test_a_document_that_came_under_two_names_counts_as_its_producer_counts_it(feed: Feed) -> None:
    feed.send(one(1), one(1).model_copy(update={"source_id": "again", "sequence": 2}))
    feed.state(2, 200, 2)
    assert breaks(feed.day()) == [("duplicate", False, 1, 100)]


def test_a_double_of_what_waits_is_of_its_day(feed: Feed) -> None:
    waits = refund("1", 10, of="1", on="01-05", sequence=1)
    feed.send(waits, waits)
    assert breaks(feed.day()) == [("duplicate", False, 1, 10)]


# --- which days, as of when


def test_days_and_currencies_are_apart(feed: Feed) -> None:
    feed.send(one(1), one(1, on="01-06", source_id="b").model_copy(update={"number": "7"}))
    feed.send(invoice("8", 5, currency="USD", rate="7", sequence=1))
    assert [(found.day, found.currency) for found in feed.days()] == [
        (JAN_5, "CNY"),
        (JAN_5, "USD"),
        (date(2026, 1, 6), "CNY"),
    ]
    assert [found.day for found in feed.days(from_on=date(2026, 1, 6))] == [date(2026, 1, 6)]
    assert {found.day for found in feed.days(to_on=JAN_5)} == {JAN_5}


def test_feeds_that_say_nothing_are_left_out_unless_asked_for(feed: Feed) -> None:
    feed.send(invoice("1", 100), invoice("2", 5, source="till").model_copy(update={"sequence": 1}))
    feed.state(1, 0, None, feed="bank:7")
    assert [found.feed for found in feed.days(None)] == ["bank:7", "till"]
    assert [found.booked.count for found in feed.days("test")] == [1]
    assert feed.days("nobody") == []


def test_only_open_breaks(feed: Feed) -> None:
    feed.send(one(1))
    feed.state(1, 100, 1)
    assert feed.days(open_only=True) == []
    feed.send(one(2))
    assert breaks(feed.day(open_only=True)) == [("late", True, 1, 100)]
    feed.state(2, 200, 2)
    assert feed.days(open_only=True) == []


def test_as_known_at_every_position(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer as of K is the answer that was given when the log ended at K."""
    for name in ("rows", "arrivals"):
        monkeypatch.setattr(f"projections.{name}.BLOCK", 4)
    given: dict[int, list[FeedDay]] = {}
    for step in (one(1), one(3), "state", refund("1", 10, of="1", on="01-05", sequence=2), one(5), "again", one(4)):
        if isinstance(step, str):
            feed.state(*((3, 210, 3) if step == "state" else (5, 310, 5)))
        else:
            feed.send(step)
        given[feed.ledger.head().position] = feed.days()
    feed.send(payment("1", 10, on="01-05", sequence=6))
    follow(feed.ledger.location)
    with Reader(feed.ledger.location) as reader:
        for position, answer in given.items():
            assert reader.completeness("main", "test", as_of=AsOf(None, position)) == answer, position


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.permutations(range(9)), st.integers(1, 4))
def test_whatever_the_order_of_a_complete_day_no_break_is_open_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], batch: int
) -> None:
    messages: list[Any] = [
        one(1),
        one(2, 40),
        payment("1", 60, on="01-05", sequence=3),
        refund("1", 25, of="1", on="01-05", sequence=4),
        credit_note("1", 15, on="01-05", sequence=5, customer="C2"),
        invoice("6", 30, sequence=6, customer="C2"),
        one(2, 40),
        invoice("7", 9, sequence=7, customer="C3"),
    ]
    with store_of("sqlite", tmp_path_factory.mktemp("order")) as store, opened(store) as ledger:
        feed = Feed(ledger)
        for start in range(0, len(order), batch):
            for n in order[start : start + batch]:
                if n == len(messages):
                    feed.state(7, 100 + 40 + 60 + 25 + 15 + 30 + 9, 7)
            feed.send(*(messages[n] for n in order[start : start + batch] if n < len(messages)))
        found = feed.day()
        assert not found.open, breaks(found)
        assert found.booked.count == 7
        assert breaks(found)[-1] == ("duplicate", False, 1, 40)


def test_what_was_stated_stands_in_the_audit_trail(feed: Feed) -> None:
    feed.state(0, 0)
    follow(feed.ledger.location)
    with Reader(feed.ledger.location) as reader:
        last = list(reader.audit("main"))[-1]
    assert (last.kind, last.source_id, last.origin) == ("control-totals-stated", "totals-1", "kafka:t:0:1")
