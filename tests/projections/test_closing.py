"""Every point of a closing list is found by what speaks against it; what belongs to a prior period is listed once."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from shop import NOW_US, day, invoice, opened, reversal, submit

from domain.commands import (
    ChangePostingTemplate,
    ClosePeriod,
    Line,
    RecogniseRevenue,
    StateControlTotals,
    TransferItem,
)
from domain.periods import CHECKS
from ledger.database import Location, connect
from ledger.ledger import Ledger
from ledger.outcomes import Submission
from projections.answers import MovedFact
from projections.follow import follow
from projections.reader import Reader

OF_BOOK: dict[str, Any] = {"source": "test", "book": "main"}


@pytest.fixture
def shop(store: Location) -> Iterator[Ledger]:
    with opened(store) as ledger:
        yield ledger


def transfer(number: str, item: str) -> TransferItem:
    return TransferItem(
        **OF_BOOK,
        source_id=f"transfer-{number}",
        customer="C1",
        currency="CNY",
        number=number,
        effective_on=day("01-20"),
        item=item,
        to_customer="C2",
    )


def findings(ledger: Ledger, waiting: int = 0) -> dict[str, int]:
    """What speaks against closing January 2026, point by point."""
    follow(ledger.location)
    with Reader(ledger.location) as reader:
        found = reader.closing_list("main", "2026-01", waiting)
    assert [one.check for one in found] == list(CHECKS)
    assert all(one.holds == (one.found == 0) for one in found)
    return {one.check: one.found for one in found if one.found}


def change(ledger: Ledger, statement: str) -> None:
    """A row of the projections made wrong."""
    with closing(connect(ledger.location)) as connection, connection.writing():
        assert connection.execute(statement).rowcount == 1


def test_nothing_speaks_against_a_month_that_is_in_order(shop: Ledger) -> None:
    submit(shop, invoice("1", 100), invoice("2", 50), transfer("1", "invoice::1:1#1"))
    assert findings(shop) == {}
    assert findings(shop, waiting=2) == {"waiting": 2}


def test_what_stands_in_quarantine_or_behind_it_is_counted(shop: Ledger) -> None:
    wrong = invoice("1", 100, lines=[Line(net=99)])
    entries = [Submission(one, f"t:{n}", True, "lane") for n, one in enumerate((wrong, invoice("2", 50)))]
    assert [outcome.status.value for outcome in shop.submit(entries, now_us=NOW_US)] == ["refused", "parked"]
    assert findings(shop) == {"quarantine": 2}


def test_a_message_that_never_came_is_counted_up_to_the_last_day_of_the_period(shop: Ledger) -> None:
    for number, on in enumerate(("01-31", "02-01")):
        totals = {"feed": "test", "day": day(on), "currency": "CNY", "count": 1, "amount": 100}
        submit(shop, StateControlTotals(**OF_BOOK, source_id=f"totals-{number}", **totals))
    assert findings(shop) == {"completeness": 1}


@pytest.mark.parametrize("column", ["debit", "base_debit"])
def test_a_transfer_in_flight_is_found_on_every_account_that_clearing_ever_was(shop: Ledger, column: str) -> None:
    submit(shop, invoice("1", 100), transfer("1", "invoice::1:1#1"))
    submit(shop, ChangePostingTemplate(**OF_BOOK, source_id="t", roles={"transfer_clearing": "112298"}))
    assert findings(shop) == {}
    change(shop, f"UPDATE turnover SET {column} = {column} + 1 WHERE account = '112299'")
    assert findings(shop) == {"clearing": 1}


def test_a_subledger_that_differs_from_its_control_account_is_found(shop: Ledger) -> None:
    submit(shop, invoice("1", 100))
    assert findings(shop) == {}
    change(shop, "UPDATE item SET open_base_now = open_base_now + 1 WHERE item = 'invoice::1:1#1'")
    assert findings(shop) == {"control": 1}


def test_each_late_fact_is_listed_once_with_the_period_that_it_belongs_to(shop: Ledger) -> None:
    served = {"service_from": day("01-01"), "service_to": day("01-31")}
    submit(shop, invoice("1", 100), invoice("2", 310, lines=[Line(net=310, **served)]), invoice("3", 70))
    checks = [{"check": name, "holds": True} for name in CHECKS]
    close = {"source_id": "close", "period": "2026-01", "position": "0:0", "checks": checks}
    recognise = {"source_id": "r", "customer": "C1", "currency": "CNY", "until_on": day("01-31")}
    document = {"kind": "invoice", "number": "2"}
    outcomes = submit(
        shop,
        ClosePeriod.model_validate(OF_BOOK | close),
        transfer("1", "invoice::1:1#1"),
        RecogniseRevenue.model_validate(OF_BOOK | recognise | {"document": document}),
        reversal("invoice", "3"),
    )
    assert [outcome.status.value for outcome in outcomes] == ["booked"] * 4
    follow(shop.location)
    with Reader(shop.location) as reader:
        found = list(reader.moved("main", "2026-01"))
        assert list(reader.moved("main")) == found
        assert list(reader.moved("main", "2026-02")) == []
    assert [said(one) for one in found] == [
        ("item-transferred-in", "transfer::1:1", "C2", "01-20", "02-01", 100),
        ("revenue-recognised", "invoice::2:1", "C1", "01-31", "02-01", 310),
        ("document-reversed", "invoice::3:1", "C1", "01-05", "02-01", -70),
    ]


def said(one: MovedFact) -> tuple[str, str, str, str, str, int]:
    days = (f"{one.requested_effective_on:%m-%d}", f"{one.effective_on:%m-%d}")
    return one.kind, one.document, one.customer, *days, one.amount
