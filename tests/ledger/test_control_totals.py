"""Control totals are booked once, in a stream of their feed, whoever states them."""

from datetime import date
from typing import Any

import pytest
from shop import invoice, opened, payment, refund, submit

from domain.commands import StateControlTotals
from domain.events import ControlTotalsStated, FactDeferred, RefundPaid
from ledger.codec import decode
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Status


def totals(source_id: str, feed: str = "test", **more: Any) -> StateControlTotals:
    given = {"source": "test", "book": "main", "currency": "CNY", "count": 2, "amount": 170}
    return StateControlTotals(**given | {"source_id": source_id, "feed": feed, "day": date(2026, 1, 5)} | more)


def streams(ledger: Ledger) -> list[tuple[str, int]]:
    rows = ledger.recorder.select_notifications(start=3, limit=100)
    return [(row.originator_id, row.originator_version) for row in rows]


def test_each_statement_is_the_next_event_of_its_feed(ledger: Ledger) -> None:
    outcomes = submit(ledger, totals("1"), totals("2", count=3), totals("1", "shop:1", source="gl"))
    assert [(o.status, o.events, o.document) for o in outcomes] == [(Status.BOOKED, 1, None)] * 3
    assert [o.position for o in outcomes] == [3, 4, 5]
    submit(ledger, totals("3"))
    assert streams(ledger) == [
        ("feed:main:test", 1),
        ("feed:main:test", 2),
        ("feed:main:shop:1", 1),
        ("feed:main:test", 3),
    ]
    [event] = [decode(n.topic, n.state) for n in ledger.recorder.select_notifications(4, 1)]
    assert event == ControlTotalsStated(
        source="test",
        source_id="2",
        actor="system",
        feed="test",
        day=date(2026, 1, 5),
        currency="CNY",
        count=3,
        amount=170,
    )


def test_a_statement_is_booked_once_and_its_id_has_one_content(ledger: Ledger) -> None:
    first, again, other = submit(ledger, totals("1"), totals("1"), totals("1", count=3))
    assert (again.status, again.position) == (Status.DUPLICATE, first.position)
    assert (other.status, other.code) == (Status.CONFLICT, "same_source_id_must_have_same_content")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"book": "nobodys"}, "book_must_exist"),
        ({"day": date(2028, 1, 1)}, "effective_date_must_be_within_horizon"),
    ],
)
def test_what_is_refused(ledger: Ledger, more: dict[str, Any], code: str) -> None:
    assert [o.code for o in submit(ledger, totals("1", **more))] == [code]
    assert ledger.head().position == 2


def test_two_writers_number_one_stream(store: Location) -> None:
    with opened(store) as first, Ledger.open(store) as second:
        submit(first, totals("1"))
        submit(second, totals("2"))
        submit(first, invoice("1", 5), totals("3"))
        assert streams(first) == [
            ("feed:main:test", 1),
            ("feed:main:test", 2),
            ("acct:main:C1:CNY", 1),
            ("feed:main:test", 3),
        ]


def test_two_that_are_decided_at_once_are_both_booked(store: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(store) as first, Ledger.open(store) as second:
        commit = first.recorder.commit
        meanwhile = [totals("2")]

        def late(*arguments: Any) -> Any:
            if meanwhile:
                submit(second, meanwhile.pop())
            return commit(*arguments)

        monkeypatch.setattr(first.recorder, "commit", late)
        assert [o.position for o in submit(first, totals("1"))] == [4]
        assert streams(first) == [("feed:main:test", 1), ("feed:main:test", 2)]


def test_a_number_stands_in_the_events_and_what_waits_hands_it_on(ledger: Ledger) -> None:
    submit(ledger, refund("1", 30, of="1", sequence=2), payment("1", 100, sequence=1))
    events = [decode(n.topic, n.state) for n in ledger.recorder.select_notifications(3, 100)]
    assert isinstance(events[0], FactDeferred)
    assert isinstance(events[2], RefundPaid)
    assert [event.sequence for event in events] == [2, 1, 2, 2]
