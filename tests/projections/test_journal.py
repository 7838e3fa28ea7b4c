"""The journal, the audit trail and the clock, read from the log."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import given
import logs
import pytest

from ledger.database import Location
from ledger.ledger import Ledger
from projections.answers import AsOf, JournalEntry
from projections.follow import follow
from projections.reader import Reader


def test_events_of_one_command_are_one_voucher(store: Location, ledger: Ledger) -> None:
    commands = [given.invoice("1", 100, "01-10"), given.payment("2", 60, "01-20"), given.payment("3", 7, "01-21")]
    logs.book(ledger, commands)
    follow(store)
    with Reader(store) as reader:
        entries = list(reader.journal("main"))
        assert [(e.position, e.voucher, e.kind) for e in entries] == [
            ("0:3", "0:3", "invoice-issued"),
            ("0:4", "0:5", "payment-received"),
            ("0:5", "0:5", "allocated"),
            ("0:6", "0:7", "payment-received"),
            ("0:7", "0:7", "allocated"),
        ]
        cash = list(reader.journal("main", account="1002"))
        assert [e.position for e in cash] == ["0:4", "0:5", "0:6", "0:7"]
        assert [e.position for e in reader.journal("main", account="1002", to_on=date(2024, 1, 20))] == ["0:4", "0:5"]
        assert [e.position for e in reader.journal("main", from_on=date(2024, 1, 21))] == ["0:6", "0:7"]
        assert [e.position for e in reader.journal("main", as_of=AsOf(date(2024, 1, 10)))] == ["0:3"]
    payment = entries[1]
    assert (payment.event, payment.document, payment.caused_by) == ("acct:main:C1:CNY:2", "payment::2:1", None)
    assert entries[2].caused_by == "payment::2:1"


def test_the_journal_of_a_customer_is_a_part_of_the_books(reader: Reader) -> None:
    def amounts(entries: list[JournalEntry]) -> int:
        return sum(p.base_amount if p.side == "D" else -p.base_amount for e in entries for p in e.postings)

    everything = list(reader.journal("main"))
    assert amounts(everything) == 0
    found = []
    for customer in logs.CUSTOMERS:
        own = list(reader.journal("main", customer=customer))
        assert own == [entry for entry in everything if entry.customer == customer] != []
        found += own
    assert len(found) == len(everything)
    positions = [int(entry.position[2:]) for entry in everything]
    assert positions == sorted(positions)


def test_the_audit_trail_has_every_event(reader: Reader) -> None:
    rows = list(reader.audit("main"))
    assert [row.position for row in rows] == [f"0:{n}" for n in range(1, reader.position + 1)]
    assert [row.kind for row in rows[:2]] == ["book-opened", "posting-template-changed"]
    assert rows[0].customer is None
    assert all(row.origin for row in rows[2:])
    assert list(reader.audit("main", after=100, limit=7)) == rows[100:107]
    assert list(reader.audit("main", as_of=AsOf(None, 50))) == rows[:50]
    on = date(2024, 6, 1)
    assert list(reader.audit("main", as_of=AsOf(on))) == [r for r in rows if not r.effective_on or r.effective_on <= on]


def test_the_audit_trail_of_a_customer_and_of_a_document(reader: Reader) -> None:
    rows = list(reader.audit("main"))
    for customer in logs.CUSTOMERS:
        own = [row for row in rows if row.customer == customer]
        assert list(reader.audit("main", customer=customer)) == own
        assert (
            list(reader.audit("main", customer=customer, after=300, limit=5))
            == [row for row in own if int(row.position[2:]) > 300][:5]
        )
    assert {"fact-deferred", "deferred-fact-applied"} <= {row.kind for row in rows if row.customer}
    for document in {row.document for row in rows[::40] if row.document and row.kind != "fact-deferred"}:
        found = list(reader.audit("main", document=document))
        view = reader.document("main", document)
        assert view is not None
        assert found == view.history
        assert all(row in rows for row in found)
        assert not list(reader.audit("main", customer="nobody", document=document))


def test_from_an_instant_to_a_position(store: Location, ledger: Ledger) -> None:
    first = datetime(2025, 3, 1, 12, tzinfo=UTC)
    ends = []
    for day in range(4):
        at = first + timedelta(days=day)
        outcomes = logs.book(
            ledger, [given.invoice(f"{day}a", 1), given.invoice(f"{day}b", 1)], int(at.timestamp()) * 10**6
        )
        ends.append(outcomes[-1].position)
    follow(store)
    second = timedelta(seconds=1)
    with Reader(store) as reader:
        for day, end in enumerate(ends):
            at = first + timedelta(days=day)
            assert reader.position_at(at) == end
            assert reader.position_at(at + second) == end
            assert reader.position_at(at - second) == (ends[day - 1] if day else 2)
        assert reader.position_at(datetime(1970, 1, 1, tzinfo=UTC)) == 0
        assert reader.position_at(datetime(2999, 1, 1, tzinfo=UTC)) == reader.position
        east = first.astimezone(ZoneInfo("Asia/Shanghai"))
        assert reader.position_at(east) == ends[0]
        with pytest.raises(ValueError, match="time zone"):
            reader.position_at(datetime(2025, 3, 1))  # noqa: DTZ001
    logs.book(ledger, [given.invoice("unfollowed", 1)])
    with Reader(store) as reader:
        assert reader.position_at(datetime(2999, 1, 1, tzinfo=UTC)) == ends[-1]


def test_books_of_one_store_do_not_meet(store: Location, ledger: Ledger) -> None:
    logs.book(ledger, [given.OpenBook(source="test", source_id="two", book="main-2", base_currency="CNY")])
    logs.book(
        ledger, [given.invoice("1", 100), given.invoice("1", 7, book="main-2"), given.payment("9", 3, book="main-2")]
    )
    follow(store)
    with Reader(store) as reader:
        assert [i.open for i in reader.items("main")] == [100]
        assert [i.open for i in reader.items("main-2")] == [4]
        assert [b.amount for b in reader.balances("main-2")] == [4]
        assert {r.account: r.closing for r in reader.trial_balance("main")} == {"1122": 100, "6001": -100}
        assert len(list(reader.journal("main-2"))) == 3
        assert all(row.holds for book in ("main", "main-2") for row in reader.control(book))
        for balance in reader.balances("main-2"):
            assert sum(p.contribution for p in reader.explain(balance.explain["amount"]).postings) == 4
