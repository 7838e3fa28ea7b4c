"""Given links that were made and released, in part or whole, then what is left of each is shown at any (E, K)."""

import json
from collections import defaultdict
from contextlib import closing
from datetime import date

import given
import logs
import pytest

from domain.history import LiveAllocation, Source, fold_all
from ledger.database import Location, connect
from ledger.ledger import Ledger
from projections.answers import AllocationRow, AsOf
from projections.follow import follow
from projections.reader import Reader


def test_what_the_domain_has_as_live_is_what_is_shown(reader: Reader) -> None:
    events = [Source(one.stream, one.version, one.event) for one in reader.events("main")]
    live: dict[tuple[str, str], LiveAllocation] = {}
    for name, history in fold_all(events).items():
        assert name == history.document
        live |= {(history.stream, one.allocation): one for one in history.allocations.values()}
    found = list(reader.allocations("main"))
    assert len(found) > 50
    assert {(row.event.rpartition(":")[0], row.allocation): row for row in found}.keys() == live.keys()
    for row in found:
        own = live[row.event.rpartition(":")[0], row.allocation]
        assert (row.credit_item, row.debit_item, row.amount) == (own.credit_item, own.debit_item, own.amount)
        assert (row.credit_base, row.debit_base) == (own.credit_base, own.debit_base)
        assert (row.effective_on, row.mode, row.event.rpartition(":")[2]) == (
            own.effective_on,
            own.mode,
            str(own.order),
        )


def plain(store: Location, on: date | None, position: int) -> dict[tuple[str, str], int]:
    """Stream and link → what is left of it, read from the stored JSON."""
    left: dict[tuple[str, str], int] = defaultdict(int)
    made = set()
    with closing(connect(store, read_only=True)) as connection:
        rows = connection.execute("SELECT originator_id, topic, state FROM events WHERE position <= ?", (position,))
        for stream, topic, state in rows:
            event = json.loads(state)
            if on is not None and event.get("effective_on", "") > on.isoformat():
                continue
            if topic.startswith("allocated."):
                for line in event["lines"]:
                    left[stream, line["allocation"]] += line["amount"]
                    made.add((stream, line["allocation"]))
            elif topic.startswith("allocation-released."):
                left[stream, event["allocation"]] -= event["amount"]
    return {link: amount for link, amount in left.items() if amount and link in made}


@pytest.mark.parametrize("on", [None, date(2024, 4, 1), date(2024, 8, 1)])
@pytest.mark.parametrize("part", [1, 2, 4])
def test_at_any_moment(year: Location, reader: Reader, on: date | None, part: int) -> None:
    as_of = AsOf(on, reader.position // part)
    found = list(reader.allocations("main", as_of=as_of))
    assert {(row.event.rpartition(":")[0], row.allocation): row.amount for row in found} == plain(
        year, on, reader.position // part
    )
    assert [row.key for row in found] == sorted({row.key for row in found})


def test_by_customer_currency_and_document(reader: Reader) -> None:
    everything = list(reader.allocations("main"))

    def documents(row: AllocationRow) -> set[str]:
        return {item.rpartition("#")[0] for item in (row.credit_item, row.debit_item)}

    assert list(reader.allocations("main", "C:2")) == [row for row in everything if row.customer == "C:2"] != []
    assert list(reader.allocations("main", currency="USD")) == [r for r in everything if r.currency == "USD"] != []
    for row in everything[::9]:
        for document in documents(row):
            found = list(reader.allocations("main", document=document))
            assert found == [other for other in everything if document in documents(other)]
            assert list(reader.allocations("main", row.customer, row.currency, document)) == found
            assert list(reader.allocations("main", "nobody", None, document)) == []


def test_a_link_is_released_in_part_and_at_last(store: Location, ledger: Ledger) -> None:
    logs.book(ledger, [given.invoice("1", 100, "01-10"), given.payment("2", 60, "01-20", pays=["1"])])
    follow(store)
    with Reader(store) as reader:
        [link] = reader.allocations("main")
        assert (link.amount, link.mode, link.customer, link.currency) == (60, "reference", "C1", "CNY")
    logs.book(ledger, [given.release(link.allocation, 25)])
    follow(store)
    with Reader(store) as reader:
        [left] = reader.allocations("main")
        assert (left.amount, left.credit_base, left.debit_base, left.key) == (35, 35, 35, link.key)
        assert list(reader.allocations("main", as_of=AsOf(None, reader.position - 1))) == [link]
    logs.book(ledger, [given.reverse("payment::2:1")])
    follow(store)
    with Reader(store) as reader:
        assert list(reader.allocations("main")) == []
