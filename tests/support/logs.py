"""Logs to project: a random year of business through a real ledger, and long logs written event by event.

``trade`` books facts out of order and late, in two currencies, with customers whose ids are as odd as ids may be; what
the ledger refuses is left out. The same seed gives the same log.
"""

import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import Any

import given
import msgspec
from eventsourcing.application import AggregateNotFoundError

from domain.documents import account_stream
from domain.events import Event, InvoiceIssued, PaymentReceived
from domain.history import enters
from ledger.codec import TOPIC_OF, encode
from ledger.database import Location, connect
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Submission
from ledger.store import create
from projections.follow import follow

CUSTOMERS = ("C1", "C:2", "C:2:x", "客户 三/|%'\"", "~pos:2024-03")
START = date(2024, 1, 2)
DAYS = 340


def noon_us(day: date) -> int:
    """Noon UTC of a day in microseconds."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()) * 1_000_000


NOW_US = noon_us(date(2024, 12, 31))


def book(ledger: Ledger, commands: Iterable[Any], now_us: int = NOW_US, origin: str = "test") -> list[Outcome]:
    """Outcomes of commands in one commit."""
    return ledger.submit([Submission(command, origin) for command in commands], now_us=now_us)


def opened(path: Location, **settings: Any) -> Ledger:
    """A ledger on a new store with the book ``main`` in CNY."""
    create(path)
    ledger = Ledger.open(path)
    fields = {"source": "test", "source_id": f"open-{given.BOOK}", "book": given.BOOK, "base_currency": "CNY"}
    book(ledger, [given.OpenBook(**(fields | settings))], noon_us(START) - 1)
    return ledger


class Trade:
    """Random commands. Amounts are small, so that parts, rests and roundings meet often."""

    def __init__(self, ledger: Ledger, seed: int) -> None:
        self.random = random.Random(seed)
        self.ledger = ledger
        self.today = START
        self.count = 0
        self.payments: list[tuple[str, str, str]] = []
        self.documents: list[tuple[str, str, str]] = []
        self.deferring: list[tuple[str, str, str]] = []

    def command(self) -> Any:
        """A command of some kind for some account, effective on a day up to two months back."""
        pick = self.random
        self.count += 1
        back = pick.choice([0, 0, 0, 1, 2, 5, 9, 20, 60])
        on = max(START, self.today - timedelta(days=back))
        customer, currency = pick.choice(CUSTOMERS), pick.choice(["CNY", "CNY", "USD"])
        whose: dict[str, Any] = {"customer": customer, "currency": currency, "source_id": f"t{self.count}"}
        rate = {"rate": pick.choice(["7.1", "7.2345", "6.99"])} if currency == "USD" else {}
        made = pick.choices(
            [
                self.invoice, self.payment, self.credit_note, self.refund, self.adjustment,
                self.allocation, self.release, self.reversal, self.waiting_reversal, self.recognition,
            ],
            [30, 24, 8, 8, 6, 4, 6, 10, 2, 8],
        )[0]  # fmt: skip
        return made(on, whose, rate)

    def invoice(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        pick = self.random
        number = pick.choice([f"A:{self.count}", f"A#{self.count}", f"{self.count}"])
        nets = [pick.randrange(-20, 400) for _ in range(pick.choice([1, 1, 2, 3]))]
        if sum(nets) < 0:
            nets = [pick.randrange(1, 400)]
        lines = [{"net": net, "dimensions": {"dept": pick.choice("ab")}} for net in nets]
        served = pick.random() < 0.3
        if served:
            lines[0] |= {"service_from": on, "service_to": on + timedelta(days=pick.choice([0, 30, 364]))}
        tax = [{"code": "V13", "rate": "13", "base": sum(nets), "amount": round(sum(nets) * 13 / 100)}]
        total = sum(nets) + tax[0]["amount"]
        parts = [total] if pick.random() < 0.7 or total < 3 else [total // 3, total - total // 3]
        instalments = [
            {"due_on": on + timedelta(days=pick.choice([0, 14, 30]) + 30 * n), "amount": part}
            for n, part in enumerate(parts)
            if part
        ]
        dimensions = {"dimensions": {"project": "p/1|=,"}} if pick.random() < 0.3 else {}
        kind = {"kind": "debit-note"} if pick.random() < 0.1 else {}
        more = whose | rate | dimensions | kind | {"lines": lines, "tax": tax, "instalments": instalments}
        self.documents.append((f"{kind.get('kind', 'invoice')}::{number}:1", whose["customer"], whose["currency"]))
        self.deferring += self.documents[-1:] if served else []
        return given.invoice(number, total, on, **more)

    def payment(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        pick = self.random
        number = f"P{self.count}"
        self.payments.append((f"payment::{number}:1", whose["customer"], whose["currency"]))
        self.documents.append(self.payments[-1])
        # Some pay by reference to what comes later, or never.
        pays = [f"{self.count + pick.randrange(-9, 9)}"] if pick.random() < 0.2 else []
        deposit = {"deposit_class": pick.choice(["contract", "security"])} if pick.random() < 0.1 else {}
        fee = {"deductions": [{"reason": "bank_charge", "amount": 1}]} if pick.random() < 0.2 else {}
        return given.payment(number, pick.randrange(2, 600), on, pays, **(whose | rate | deposit | fee))

    def credit_note(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        number = f"N{self.count}"
        self.documents.append((f"credit-note::{number}:1", whose["customer"], whose["currency"]))
        against = None
        if self.documents and self.random.random() < 0.7:
            name, customer, currency = self.random.choice(self.documents)
            if name.startswith("invoice"):
                against = name
                whose |= {"customer": customer, "currency": currency}
                rate = {"rate": "7.3"} if currency == "USD" else {}
        total = self.random.randrange(1, 200)
        served = given.service(total, on, on + timedelta(days=90)) if self.random.random() < 0.3 else {}
        self.deferring += [(f"credit-note::{number}:1", whose["customer"], whose["currency"])] if served else []
        return given.credit_note(number, total, on, against, **(whose | rate | served))

    def refund(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        number = f"R{self.count}"
        of = None
        if self.payments and self.random.random() < 0.7:
            of, customer, currency = self.random.choice(self.payments)
            whose |= {"customer": customer, "currency": currency}
            rate = {"rate": "7"} if currency == "USD" else {}
        self.documents.append((f"refund::{number}:1", whose["customer"], whose["currency"]))
        return given.refund(number, self.random.randrange(1, 300), on, of, nature="fact", **(whose | rate))

    def _open_items(self, whose: dict[str, Any], side: str) -> list[Any]:
        try:
            account = self.ledger.account(given.BOOK, whose["customer"], whose["currency"])
        except AggregateNotFoundError:
            return []
        return [item for item in account.items.values() if item.side == side]

    def adjustment(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        items = self._open_items(whose, self.random.choice("DC"))
        if not items:
            return self.invoice(on, whose, rate)
        item = self.random.choice(items)
        number = f"J{self.count}"
        self.documents.append((f"adjustment::{number}:1", whose["customer"], whose["currency"]))
        return given.adjustment(number, item.item, self.random.randrange(1, item.open + 1), self.today, **whose)

    def allocation(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        ours, theirs = self._open_items(whose, "C"), self._open_items(whose, "D")
        if not ours or not theirs:
            return self.payment(on, whose, rate)
        return given.allocate((self.random.choice(ours).item, self.random.choice(theirs).item), **whose)

    def release(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        return given.release(f"{self.random.randrange(2, 60)}.1", self.random.choice([None, 1]), **whose)

    def reversal(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        if not self.documents:
            return self.invoice(on, whose, rate)
        name, customer, currency = self.random.choice(self.documents[-40:])
        failed = {"failed_on": self.today} if name.startswith("refund") and self.random.random() < 0.5 else {}
        return given.reverse(name, **(whose | {"customer": customer, "currency": currency}), **failed)

    def recognition(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        if not self.deferring:
            return self.invoice(on, whose, rate)
        name, customer, currency = self.random.choice(self.deferring)
        return given.recognise(name, self.today, **(whose | {"customer": customer, "currency": currency}))

    def waiting_reversal(self, on: date, whose: dict[str, Any], rate: dict[str, str]) -> Any:
        """The reversal of a payment that comes later, or never."""
        return given.reverse(f"payment::P{self.count + self.random.randrange(1, 9)}:1", **whose)


def trade(path: Location, seed: int = 1, commits: int = 300) -> Location:
    """A store with a random year in it; commits hold one to eight commands each."""
    with opened(path) as ledger:
        business = Trade(ledger, seed)
        for n in range(commits):
            business.today = START + timedelta(days=DAYS * n // commits)
            commands = [business.command() for _ in range(business.random.choice([1, 1, 2, 3, 8]))]
            if n % 15 == 0:
                whose = {"customer": CUSTOMERS[n % 4], "currency": "CNY", "source_id": f"limit{n}"}
                commands.append(given.limit(None if n % 4 == 3 else 40 * n, **whose))
            book(ledger, commands, noon_us(business.today) + n, origin=f"file:abc:{n}")
    return path


_EVENT = "INSERT INTO events VALUES (?, 0, ?, ?, ?, ?, ?)"


def write(path: Location, events: Sequence[tuple[str, Event]], recorded_us: int = 1) -> Location:
    """A store whose log is just these events, each (stream, event) a commit of its own."""
    create(path)
    versions: dict[str, int] = {}
    rows, documents = [], []
    for position, (stream, event) in enumerate(events, 1):
        versions[stream] = versions.get(stream, 0) + 1
        rows.append((position, stream, versions[stream], TOPIC_OF[type(event)], encode(event), recorded_us + position))
        if (document := enters(event)) is not None:
            documents.append((stream.split(":")[1], document, b"", position, position))
    with closing(connect(path)) as connection, connection.writing():
        connection.executemany(_EVENT, rows)
        connection.executemany("INSERT INTO documents VALUES (0, ?, ?, ?, ?, ?, 1, NULL)", documents)
        connection.execute(
            "UPDATE ledger_head SET position = ?, recorded_us = ?", (len(events), recorded_us + len(events))
        )
    return path


def long_log(count: int, seed: int = 1) -> list[tuple[str, Event]]:
    """A book with many small invoices and payments of a few accounts; ``count`` events."""
    pick = random.Random(seed)
    books = given.given(allocation="none")
    shapes = []
    for n in range(8):
        command = given.invoice if n % 2 else given.payment
        outcome = books.when(command(f"{n}", pick.randrange(1, 900), START + timedelta(days=n)))
        shapes.append(outcome[0])
    opening = [(source.stream, source.event) for source in books.log if source.stream.startswith("book:")]
    rest = range(count - len(opening))
    return opening + [_renamed(pick.choice(shapes), n, pick.choice(["C1", "C2", "C3"])) for n in rest]


def _renamed(shape: Event, n: int, customer: str) -> tuple[str, Event]:
    assert isinstance(shape, (InvoiceIssued, PaymentReceived))
    document = f"{shape.document.split(':')[0]}::L{n}:1"
    postings = [
        msgspec.structs.replace(posting, item=f"{document}#1") if posting.item else posting
        for posting in shape.postings
    ]
    event = msgspec.structs.replace(shape, document=document, postings=postings, source_id=f"L{n}")
    return account_stream(given.BOOK, customer, "CNY"), event


def cut(store: Location, position: int, into: Location) -> Location:
    """A copy, in an empty store, of one as it was when its log ended at a position; without projections."""
    with closing(connect(store, read_only=True)) as source, closing(connect(into)) as target, target.writing():
        for table in ("events", "documents", "touches", "receipts"):
            rows = source.execute(f"SELECT * FROM {table} WHERE position <= ?", (position,)).fetchall()
            marks = ", ".join("?" * len(rows[0])) if rows else ""
            target.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        (us,) = target.execute("SELECT max(recorded_us) FROM events").fetchone()
        target.execute("UPDATE ledger_head SET position = ?, recorded_us = ?", (position, us))
    return into


def set_back(store: Location) -> Location:
    """Empty the projections, as they are while the log is: following goes through all of it."""
    follow(store)
    with closing(connect(store)) as connection, connection.writing():
        for name in ("item", "movement", "turnover", "arrival", "deferral", "credit_limit"):
            connection.execute(f"DELETE FROM {name}")
        connection.execute("UPDATE tracking SET notification_id = 0 WHERE application_name = 'projections'")
    return store


def commit_ends(store: Location) -> list[int]:
    """The position of the last event of each commit, in order."""
    with closing(connect(store, read_only=True)) as connection:
        return [
            end for (end,) in connection.execute("SELECT max(position) FROM events GROUP BY recorded_us ORDER BY 1")
        ]
