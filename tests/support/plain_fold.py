"""An independent fold in plain Python: what the books say, by reading every posting and adding up.

It shares nothing with the projections: it reads the stored JSON itself, keeps a list of all lines and answers each
question by going through all of it. Slow on purpose, so that it can be checked by eye. Amounts are debit less credit.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from contextlib import closing
from datetime import date, timedelta
from typing import Any, NamedTuple

from ledger.database import Location, connect


class Line(NamedTuple):
    """A posting with what it takes to add it up."""

    position: int
    on: date
    book: str
    customer: str
    currency: str
    account: str
    role: str
    side: str
    amount: int
    base: int
    item: str | None
    dimensions: str
    due_on: date | None

    @property
    def signed(self) -> int:
        return self.amount if self.side == "D" else -self.amount

    @property
    def signed_base(self) -> int:
        return self.base if self.side == "D" else -self.base


class Plain:
    """All lines of a store's log."""

    def __init__(self, store: Location) -> None:
        with closing(connect(store, read_only=True)) as connection:
            rows = connection.execute(
                "SELECT position, originator_id, topic, state FROM events ORDER BY position"
            ).fetchall()
        self.lines = [line for row in rows for line in _lines(*row)]
        self.opened: dict[tuple[str, str], Line] = {}
        for line in self.lines:
            # What names an item first is what opens it.
            if line.item is not None:
                self.opened.setdefault((line.book, line.item), line)

    def known(self, on: date | None, position: int) -> list[Line]:
        """The lines effective by a day and known as of a position."""
        return [line for line in self.lines if line.position <= position and (on is None or line.on <= on)]

    def open_items(self, book: str, on: date | None, position: int) -> dict[str, tuple[Line, int, int]]:
        """Item → its opening line, and what it has open on its own side, in amount and base; settled ones too."""
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for line in self.known(on, position):
            if line.item is not None and line.book == book:
                sums[line.item][0] += line.signed
                sums[line.item][1] += line.signed_base
        found = {}
        for item, (amount, base) in sums.items():
            opening = self.opened[book, item]
            sign = 1 if opening.side == "D" else -1
            found[item] = (opening, sign * amount, sign * base)
        return found

    def balances(self, book: str, on: date | None, position: int) -> dict[Hashable, tuple[int, int]]:
        """(customer, currency, role, account) → amount and base amount, of control accounts."""
        lines = (line for line in self.known(on, position) if line.book == book and line.item is not None)
        return _summed(lines, lambda line: (line.customer, line.currency, line.role, line.account))

    def ageing(
        self, book: str, on: date, position: int, buckets: Iterable[int], customer: bool
    ) -> dict[Hashable, tuple[int, list[int], int, int, int]]:
        """(customer or None, currency) → not due, buckets, unapplied, net, net in base."""
        bounds = list(buckets)
        found: dict[Hashable, list[Any]] = {}
        for opening, amount, base in self.open_items(book, on, position).values():
            if amount == 0 and base == 0:
                continue
            key = (opening.customer if customer else None, opening.currency)
            row = found.setdefault(key, [0, [0] * (len(bounds) + 1), 0, 0, 0])
            sign = 1 if opening.side == "D" else -1
            row[3] += sign * amount
            row[4] += sign * base
            assert opening.due_on is not None
            late = (on - opening.due_on).days
            if opening.side == "C":
                row[2] += amount
            elif late <= 0:
                row[0] += amount
            else:
                row[1][sum(late > bound for bound in bounds)] += amount
        return {key: (row[0], row[1], row[2], row[3], row[4]) for key, row in found.items()}

    def trial_balance(
        self, book: str, from_on: date | None, on: date | None, position: int
    ) -> dict[Hashable, tuple[int, ...]]:
        """(account, currency, dimensions) → opening, debit, credit, and the same in base."""
        sums: dict[Hashable, list[int]] = defaultdict(lambda: [0] * 6)
        for line in self.known(on, position):
            if line.book == book:
                row = sums[line.account, line.currency, line.dimensions]
                if from_on is not None and line.on < from_on:
                    row[0] += line.signed
                    row[3] += line.signed_base
                else:
                    at = 1 if line.side == "D" else 2
                    row[at] += line.amount
                    row[at + 3] += line.base
        return {key: tuple(row) for key, row in sums.items() if any(row)}

    def net(self, book: str, customer: str, currency: str, on: date | None, position: int) -> int:
        """What a customer owes over all control accounts."""
        return sum(
            line.signed
            for line in self.known(on, position)
            if line.item is not None and (line.book, line.customer, line.currency) == (book, customer, currency)
        )


def _summed(lines: Iterable[Line], key: Callable[[Line], Hashable]) -> dict[Hashable, tuple[int, int]]:
    sums: dict[Hashable, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        sums[key(line)][0] += line.signed
        sums[key(line)][1] += line.signed_base
    return {name: (amount, base) for name, (amount, base) in sums.items() if amount or base}


def _lines(position: int, stream: str, topic: str, state: bytes) -> Iterable[Line]:
    event = json.loads(state)
    if "postings" not in event:
        return
    if stream.startswith("book:"):
        book, customer, currency = stream[5:], "", event["currency"]
    else:
        _, book, rest = stream.split(":", 2)
        customer, currency = rest[:-4], rest[-3:]
    on = date.fromisoformat(event["effective_on"])
    for posting in event["postings"]:
        item = posting.get("item")
        due_on = on if item is not None else None
        if item is not None and topic.startswith("invoice-issued.") and item.startswith(event["document"] + "#"):
            due_on = date.fromisoformat(event["instalments"][int(item.rsplit("#", 1)[1]) - 1]["due_on"])
        yield Line(
            position,
            on,
            book,
            customer,
            currency,
            posting["account"],
            posting["role"],
            posting["side"],
            posting["amount"],
            posting["base_amount"],
            item,
            json.dumps(posting.get("dimensions", {}), sort_keys=True, ensure_ascii=False),
            due_on,
        )


def days_of(first: date, last: date) -> list[date]:
    """All days from one to another."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
