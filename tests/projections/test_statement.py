"""Identity 11: opening + movements = closing, and the next opening is the last closing."""

import random
from datetime import date, timedelta

import given
import logs
from plain_fold import Plain

from ledger.ledger import Ledger
from projections.answers import AsOf
from projections.follow import follow
from projections.reader import Reader


def test_at_random_moments(reader: Reader, plain: Plain) -> None:
    pick = random.Random(7)
    accounts = [(c, currency) for c in logs.CUSTOMERS for currency in ("CNY", "USD")]
    for _ in range(150):
        customer, currency = pick.choice(accounts)
        first = logs.START + timedelta(days=pick.randrange(200))
        middle = first + timedelta(days=pick.randrange(60))
        last = middle + timedelta(days=pick.randrange(60))
        position = pick.randrange(reader.position + 1)
        one = reader.statement("main", customer, currency, first, AsOf(middle, position))
        two = reader.statement("main", customer, currency, middle + timedelta(days=1), AsOf(last, position))
        for statement in (one, two):
            assert statement.opening + sum(m.amount for m in statement.movements) == statement.closing
            running = statement.opening
            for movement in statement.movements:
                running += movement.amount
                assert movement.running == running
                assert movement.amount
        assert two.opening == one.closing
        assert one.closing == plain.net("main", customer, currency, middle, position)
        assert one.opening == plain.net("main", customer, currency, first - timedelta(days=1), position)


def test_made_again_it_is_the_same(store: logs.Location, ledger: Ledger) -> None:
    logs.book(
        ledger, [given.invoice("1", 100, "01-10"), given.payment("2", 40, "01-20")], logs.noon_us(date(2024, 2, 1))
    )
    follow(store)
    with Reader(store) as reader:
        position = reader.position
        issued = reader.statement("main", "C1", "CNY", None, AsOf(date(2024, 1, 31)))
    logs.book(ledger, [given.invoice("3", 7, "01-15")], logs.noon_us(date(2024, 3, 1)))
    follow(store)
    with Reader(store) as reader:
        assert reader.statement("main", "C1", "CNY", None, AsOf(date(2024, 1, 31), position)) == issued
        assert reader.statement("main", "C1", "CNY", None, AsOf(date(2024, 1, 31))).closing == issued.closing + 7


def test_movements_by_day_then_position_and_allocations_are_none(store: logs.Location, ledger: Ledger) -> None:
    commands = [given.payment("9", 30, "02-01"), given.invoice("8", 100, "01-05"), given.credit_note("7", 10, "02-01")]
    logs.book(ledger, commands, logs.noon_us(date(2024, 2, 2)))
    follow(store)
    with Reader(store) as reader:
        statement = reader.statement("main", "C1", "CNY", date(2024, 1, 1))
    assert [(m.kind, m.document, m.amount, m.running) for m in statement.movements] == [
        ("invoice-issued", "invoice::8:1", 100, 100),
        ("payment-received", "payment::9:1", -30, 70),
        ("credit-note-issued", "credit-note::7:1", -10, 60),
    ]
    assert (statement.opening, statement.closing) == (0, 60)


def test_of_nobody_it_is_empty(reader: Reader) -> None:
    statement = reader.statement("main", "nobody", "CNY", date.min)
    assert (statement.opening, statement.movements, statement.closing) == (0, [], 0)
