"""Deferred and recognised revenue by month ties to the accounts, at any (E, K); and what is due is what is left."""

from datetime import date, timedelta

import given
import logs

from ledger.database import Location
from ledger.ledger import Ledger
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import Reader

YEAR = given.service(1200, "2024-01-01", "2024-12-31")
INVOICE = "invoice::1:1"


def test_months_open_with_what_the_last_one_closed_with(store: Location) -> None:
    with logs.opened(store, recognition="month") as ledger:
        logs.book(ledger, [given.invoice("1", 1200, "01-10", **YEAR), given.invoice("2", 50, "01-10")])
        logs.book(ledger, [given.recognise(INVOICE, until) for until in ("01-31", "02-29")])
        note = given.credit_note("C", 600, "03-05", INVOICE, **given.service(600, "07-01", "12-31"))
        logs.book(ledger, [note, given.recognise(INVOICE, "04-30")])
    follow(store)
    with Reader(store) as reader:
        rows = reader.deferred("main")
        assert [(r.period, r.opening, r.deferred, r.recognised, r.closing) for r in rows] == [
            ("2024-01", 0, 1200, 100, 1100),
            ("2024-02", 1100, 0, 100, 1000),
            ("2024-03", 1000, -600, 0, 400),
            ("2024-04", 400, 0, 200, 200),
        ]
        assert all(row.holds for row in rows)
        assert [row.closing for row in reader.deferred("main", AsOf(date(2024, 2, 29)))] == [1100, 1000]
        assert [row.closing for row in reader.deferred("main", AsOf(None, 4))] == [1200]


def test_what_is_due_is_found_and_after_a_run_nothing_is(store: Location) -> None:
    with logs.opened(store, recognition="month") as ledger:
        later = given.invoice("L", 1200, "2024-03-01", **YEAR)
        other = given.invoice("O", 120, "01-01", customer="C:2", **given.service(120, "02-01", "03-31"))
        logs.book(ledger, [given.invoice("1", 1200, "01-10", **YEAR), later, other, given.invoice("2", 50, "01-10")])
        note = given.credit_note("C", 600, "02-05", INVOICE, **given.service(600, "01-01", "12-31"))
        logs.book(ledger, [note, given.invoice("X", 10, "01-01", **YEAR | {"lines": YEAR["lines"]}, opening=True)])
        assert due(store, "01-31") == {INVOICE: 100}
        expected = {INVOICE: 200, "credit-note::C:1": -100, "invoice::O:1": 60}
        assert due(store, "02-29") == expected
        assert due(store, "02-29", "C:2") == {"invoice::O:1": 60}
        run(ledger, store, "02-29")
        assert due(store, "02-29") == due(store, "01-31") == {}
        run(ledger, store, "2024-12-31")
        assert due(store, "2025-06-30") == {}


def test_a_reversed_document_is_not_due(store: Location) -> None:
    with logs.opened(store) as ledger:
        logs.book(ledger, [given.invoice("1", 1200, "01-10", **YEAR), given.recognise(INVOICE, "01-31")])
        logs.book(ledger, [given.reverse(INVOICE)])
    assert due(store, "12-31") == {}
    with Reader(store) as reader:
        [row] = reader.deferred("main")
    assert (row.deferred, row.recognised, row.closing, row.holds) == (0, 0, 0, True)


def test_the_schedules_of_a_random_year_tie_to_the_accounts(reader: Reader) -> None:
    for n in range(40):
        at = AsOf(logs.START + timedelta(days=9 * n), reader.position * (n % 7 + 1) // 7)
        assert all(row.holds for row in reader.deferred("main", at)), at
    last = {row.currency: (row.closing, row.base_closing) for row in reader.deferred("main")}
    assert all(any(closing) for closing in last.values())
    # What is left to recognise, to the end of time, is what the accounts have now.
    left = dict.fromkeys(last, (0, 0))
    for one in reader.due_recognitions("main", date(2199, 12, 31)):
        amount, base_amount = left[one.currency]
        left[one.currency] = (amount + one.amount, base_amount + one.base_amount)
    assert left == last


def due(store: Location, until: str, customer: str | None = None) -> dict[str, int]:
    follow(store)
    with Reader(store) as reader:
        return {one.document: one.amount for one in reader.due_recognitions("main", given.day(until), customer)}


def run(ledger: Ledger, store: Location, until: str) -> None:
    follow(store)
    with Reader(store) as reader:
        found = list(reader.due_recognitions("main", given.day(until)))
    commands = [given.recognise(one.document, until, customer=one.customer) for one in found]
    assert all(outcome.status == "booked" for outcome in logs.book(ledger, commands))
