"""Two stores on two PostgreSQL servers, three members of one group: the same balances as one store alone.

Each book is in a store of its own, whatever partition its messages are in; a member that dies between the commits of two
stores leaves the next one nothing to repair.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from random import Random
from typing import Any

import pytest
from databases import postgres_store, store_on_another_server
from eventsourcing.persistence import OperationalError, Tracking
from members import NOW_US, Brokers, Member, bare, until

from domain.commands import OpenBook, RecordPayment
from ledger.database import Location
from ledger.errors import StaleTracking
from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission
from ledger.shards import Shards
from projections.follow import follow
from projections.reader import Reader

BOOKS = {"north": 0, "south": 1}
MESSAGES = 900


@pytest.fixture
def two() -> Iterator[list[Location]]:
    """Two stores, each with a book of its own."""
    with postgres_store() as one, store_on_another_server() as other:
        open_books(one, "north")
        open_books(other, "south")
        yield [one, other]


def open_books(location: Location, *books: str) -> None:
    with Ledger.open(location) as ledger:
        for book in books:
            opening = OpenBook(source="test", source_id=f"open-{book}", book=book, base_currency="EUR")
            ledger.submit([Submission(opening)], now_us=NOW_US)


def shards(locations: list[Location]) -> Shards:
    return Shards([Ledger.open(location) for location in locations], BOOKS)


def balances(locations: list[Location]) -> dict[str, Any]:
    """Book → its balances, from whichever store has it."""
    found = {}
    for location in locations:
        follow(location)
        with Ledger.open(location) as ledger, Reader(location) as reader:
            for book in ledger.books():
                assert all(row.holds for row in reader.control(book.book))
                found[book.book] = [
                    (row.customer, row.currency, row.account, row.amount) for row in reader.balances(book.book)
                ]
    return found


def pay(brokers: Brokers, topic: str, numbers: range) -> None:
    pick = Random(7)
    for n in numbers:
        book, customer = pick.choice(list(BOOKS)), f"C{pick.randrange(40)}"
        brokers.send(topic, bare(f"P{n}", customer, pick.randrange(1, 900), book=book), customer)
    brokers.producer.flush()


def test_two_stores_and_three_members_show_the_balances_of_one(
    brokers: Brokers, two: list[Location], start: Callable[..., Member]
) -> None:
    topic = brokers.topic(partitions=6)
    pay(brokers, topic, range(MESSAGES))
    members = [start(brokers, topic, ledger=shards(two)) for _ in range(3)]

    def booked() -> int:
        with ExitStack() as stack:
            ledgers = [stack.enter_context(Ledger.open(location)) for location in two]
            return sum(ledger.head().position - 2 for ledger in ledgers)

    until(lambda: booked() == MESSAGES, 60)
    assert sum(len(member.loop.partitions) for member in members) == 6
    for member in members:
        member.stop()
    with postgres_store() as one:
        open_books(one, *BOOKS)
        ledger = Ledger.open(one)
        member = start(brokers, topic, ledger=ledger, group_options={"name": f"one-{topic}"})
        until(lambda: ledger.head().position == MESSAGES + 4, 60)
        member.stop()
        assert balances(two) == balances([one])
    assert set(balances(two)) == set(BOOKS)


def batch(*numbers: int) -> list[Submission]:
    return [
        Submission(
            RecordPayment(
                source="billing",
                source_id=f"{book}{n}",
                book=book,
                customer="C1",
                currency="EUR",
                number=f"{n}",
                effective_on=date(2026, 1, 1),
                amount=100,
            )
        )
        for n in numbers
        for book in BOOKS
    ]


def test_what_died_between_two_stores_is_finished_by_whoever_comes_next(
    two: list[Location], monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(position: int) -> tuple[Tracking, ...]:
        return (Tracking("kafka:main:t:0", position),)

    with shards(two) as dying:
        dying.submit(batch(1), now_us=NOW_US, tracking=at(10))
        with monkeypatch.context() as broken:

            def away(*arguments: object, **named: object) -> Any:
                raise OperationalError("gone")

            broken.setattr(dying.ledgers[1], "submit", away)
            with pytest.raises(OperationalError):
                dying.submit(batch(2), now_us=NOW_US, tracking=at(20))
        assert dying.tracked("kafka:") == {"kafka:main:t:0": 10}
    with shards(two) as next_one:
        # It reads from where all are, and may find more than was in the batch before.
        outcomes = next_one.submit(batch(2, 3), now_us=NOW_US, tracking=at(30))
        assert [outcome.status for outcome in outcomes] == [Status.DUPLICATE, *[Status.BOOKED] * 3]
        assert next_one.tracked("kafka:") == {"kafka:main:t:0": 30}
        with pytest.raises(StaleTracking):
            next_one.submit(batch(2, 3), now_us=NOW_US, tracking=at(30))
    found = balances(two)
    assert {book: [row[-1] for row in rows] for book, rows in found.items()} == {book: [-300] for book in BOOKS}
