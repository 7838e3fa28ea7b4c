"""The balance along the calendar is what balances say of each day, and each of its numbers explains itself."""

from datetime import date, timedelta

import given
import logs
import pytest

from ledger.database import Location
from ledger.ledger import Ledger
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import Reader

ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


def net(reader: Reader, customer: str, currency: str, on: date, as_of: AsOf) -> tuple[int, int]:
    if as_of.effective_on is not None:
        on = min(on, as_of.effective_on)
    found = reader.balances("main", customer, currency, AsOf(on, as_of.position))
    return sum(balance.amount for balance in found), sum(balance.base_amount for balance in found)


@pytest.mark.parametrize("currency", ["CNY", "USD"])
@pytest.mark.parametrize("customer", logs.CUSTOMERS)
def test_each_day_has_the_balance_of_that_day(reader: Reader, customer: str, currency: str) -> None:
    early = reader.position // 2
    for as_of in (AsOf(), AsOf(date(2024, 8, 1)), AsOf(None, early), AsOf(date(2024, 8, 1), early)):
        for first, last in (ALWAYS, (date(2024, 5, 1), date(2024, 6, 15))):
            history = reader.balance_history("main", customer, currency, first, last, as_of)
            known = {one.effective_on: (one.net, one.base_net) for one in history.days}
            assert list(known) == sorted(known)
            before = net(reader, customer, currency, first - timedelta(days=1), as_of)
            assert (history.opening.net, history.opening.base_net) == before
            changed = []
            for n in range((min(last, date(2025, 1, 31)) - max(first, logs.START)).days + 1):
                on = max(first, logs.START) + timedelta(days=n)
                now = net(reader, customer, currency, on, as_of)
                if now != before:
                    changed.append(on)
                    assert known.get(on) == now, on
                before = now
            assert list(known) == changed
            for day in (history.opening, *history.days[::7]):
                explanation = reader.explain(day.explain["net"])
                assert (explanation.amount, explanation.base_amount) == (day.net, day.base_net)
                assert sum(posting.contribution for posting in explanation.postings) == day.net


def test_days_that_change_nothing_are_none(store: Location, ledger: Ledger) -> None:
    logs.book(
        ledger,
        [
            given.invoice("1", 100, "01-10"),
            given.invoice("2", 30, "01-12"),
            given.payment("3", 30, "01-12"),
            given.payment("4", 60, "01-20"),
        ],
    )
    follow(store)
    with Reader(store) as reader:
        history = reader.balance_history("main", "C1", "CNY", date(2024, 1, 11), date(2024, 1, 20))
        assert (history.opening.effective_on, history.opening.net) == (date(2024, 1, 10), 100)
        assert [(day.effective_on, day.net) for day in history.days] == [(date(2024, 1, 20), 40)]
        none = reader.balance_history("main", "nobody", "CNY", *ALWAYS)
        assert (none.opening.net, none.days) == (0, [])
