"""Receivable analytics recomputed in plain Python from the stored JSON, question by question, through all of it.

It shares nothing with the queries: sales come from the issuing events themselves, what was paid from the lines of
allocations less their releases, limits from their events. Slow on purpose.
"""

import json
from calendar import monthrange
from collections import defaultdict
from contextlib import closing
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from plain_fold import Plain

from ledger.database import Location, connect

Key = tuple[str | None, str]


class Raw(NamedTuple):
    """An event of a customer account of the book ``main`` as it is stored."""

    position: int
    stream: str
    version: int
    kind: str
    event: dict[str, Any]

    @property
    def owner(self) -> Key:
        """Customer and currency."""
        return self.stream.split(":", 2)[2][:-4], self.stream[-3:]

    def known(self, on: date, position: int) -> bool:
        """Whether it is effective by a day and known at a position."""
        return self.position <= position and self.event["effective_on"] <= on.isoformat()


class PlainAnalytics:
    """All events of the customer accounts of a store."""

    def __init__(self, store: Location) -> None:
        self.plain = Plain(store)
        with closing(connect(store, read_only=True)) as connection:
            rows = connection.execute(
                "SELECT position, originator_id, originator_version, topic, state FROM events ORDER BY position"
            ).fetchall()
        self.events = [
            Raw(position, stream, version, topic.split(".")[0], json.loads(state))
            for position, stream, version, topic, state in rows
            if stream.startswith("acct:main:")
        ]
        self.vouchers = [raw for raw in self.events if "postings" in raw.event]

    def sales(self, on: date, position: int) -> dict[tuple[str, str], dict[date, int]]:
        """Owner → day → net credit sales."""
        reversed_ = {
            raw.event["document"]
            for raw in self.vouchers
            if raw.kind == "document-reversed" and raw.known(on, position)
        }
        sold: dict[Any, dict[date, int]] = defaultdict(lambda: defaultdict(int))
        for raw in self.vouchers:
            sign = {"invoice-issued": 1, "credit-note-issued": -1}.get(raw.kind)
            if sign and raw.known(on, position) and raw.event["document"] not in reversed_:
                day = min(on, date.fromisoformat(raw.event["document_on"]))
                sold[raw.owner][day] += sign * raw.event["total"]
        return sold

    def dso(self, on: date, position: int, days: int, by_customer: bool) -> dict[Key, tuple[Any, ...]]:
        """(customer or None, currency) → receivable, overdue, sales, DSO, best possible, delinquent, count-back, rest."""
        owed: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
        for opening, amount, _ in self.plain.open_items("main", on, position).values():
            if opening.side == "D":
                assert opening.due_on is not None
                row = owed[opening.customer if by_customer else None, opening.currency]
                row[0] += amount
                row[1] += amount if opening.due_on < on else 0
        sold: dict[Key, dict[date, int]] = defaultdict(lambda: defaultdict(int))
        for (customer, currency), by_day in self.sales(on, position).items():
            for day, amount in by_day.items():
                sold[customer if by_customer else None, currency][day] += amount
        found = {}
        for key in {*owed, *sold}:
            (receivable, overdue), by_day = owed[key], sold[key]
            sales = sum(amount for day, amount in by_day.items() if on - timedelta(days=days) < day)
            if receivable or sales:
                parts = [receivable, receivable - overdue, overdue]
                shown = [Fraction(part * days, sales) if sales > 0 else None for part in parts]
                found[key] = (receivable, overdue, sales, *shown, *_count_back(receivable, by_day, on))
        return found

    def payers(self, first: date, on: date, position: int) -> dict[Key, tuple[int, Fraction, Fraction]]:
        """Owner → what was paid, and the weighted days after the document's date and after the due day."""
        dates = {}
        for raw in self.vouchers:
            if raw.kind == "invoice-issued":
                for n, instalment in enumerate(raw.event.get("instalments", []), 1):
                    dates[f"{raw.event['document']}#{n}"] = (raw.event["document_on"], instalment["due_on"])
        left: dict[tuple[str, str], list[Any]] = {}
        for raw in self.vouchers:
            if raw.kind == "allocated" and raw.known(on, position):
                for line in raw.event["lines"]:
                    left[raw.stream, line["allocation"]] = [raw, line, line["amount"]]
            elif raw.kind == "allocation-released" and raw.known(on, position):
                left[raw.stream, raw.event["allocation"]][2] -= raw.event["amount"]
        sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0])
        for raw, line, amount in left.values():
            day = date.fromisoformat(raw.event["effective_on"])
            if day >= first and line["credit_item"].startswith("payment:") and line["debit_item"] in dates:
                row = sums[raw.owner]
                document_on, due_on = map(date.fromisoformat, dates[line["debit_item"]])
                row[0] += amount
                row[1] += amount * (day - document_on).days
                row[2] += amount * (day - due_on).days
        return {key: (a, Fraction(b, a), Fraction(c, a)) for key, (a, b, c) in sums.items() if a}

    def exposures(self, on: date, position: int) -> dict[Key, tuple[int | None, int, int, int]]:
        """Owner → limit, open debit items, open credit items, days overdue."""
        rows: dict[Key, list[Any]] = defaultdict(lambda: [None, 0, 0, 0])
        for opening, amount, _ in self.plain.open_items("main", on, position).values():
            row = rows[opening.customer, opening.currency]
            row[1 if opening.side == "D" else 2] += amount
            assert opening.due_on is not None
            if opening.side == "D" and amount:
                row[3] = max(row[3], (on - opening.due_on).days)
        for raw in self.events:
            if raw.kind == "credit-limit-set" and raw.position <= position:
                rows[raw.owner][0] = raw.event.get("after")
        return {
            key: (row[0], row[1], row[2], row[3]) for key, row in rows.items() if row[0] is not None or any(row[1:])
        }

    def nets(self, on: date, position: int) -> dict[Key, int]:
        """Owner → what is owed over all control accounts."""
        sums: dict[Key, int] = defaultdict(int)
        for line in self.plain.known(on, position):
            if line.item is not None and line.book == "main":
                sums[line.customer, line.currency] += line.signed
        return sums

    def jumps(self, on: date, position: int, times: int) -> dict[Key, tuple[int, Fraction]]:
        """Owner → this month's change and the usual one, where it is beyond."""
        ends = [on]
        for _ in range(13):
            ends.append(ends[-1].replace(day=1) - timedelta(days=1))
        nets = [self.nets(end, position) for end in ends]
        found = {}
        for owner in nets[0]:
            begun = min(
                line.on
                for line in self.plain.known(on, position)
                if line.item is not None and (line.customer, line.currency) == owner
            )
            changes = [a.get(owner, 0) - b.get(owner, 0) for a, b in pairwise(nets)]
            compared = sorted(abs(change) for change, end in zip(changes[1:], ends[1:], strict=False) if begun <= end)
            if len(compared) >= 3:
                half = len(compared) // 2
                usual = Fraction(compared[half] + compared[-1 - half], 2)
                if abs(changes[0]) > times * usual:
                    found[owner] = (changes[0], usual)
        return found


def _count_back(receivable: int, by_day: dict[date, int], on: date) -> tuple[Fraction | None, int]:
    left, days, month = receivable, 0, (on.year, on.month)
    while left > 0:
        if not by_day or month < min((day.year, day.month) for day in by_day):
            return None, left
        sold = sum(amount for day, amount in by_day.items() if (day.year, day.month) == month)
        length = on.day if month == (on.year, on.month) else monthrange(*month)[1]
        if sold >= left:
            return days + Fraction(left, sold) * length, 0
        left, days = left - sold, days + length
        month = (month[0], month[1] - 1) if month[1] > 1 else (month[0] - 1, 12)
    return Fraction(days), 0
