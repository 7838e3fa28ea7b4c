"""The demo year folded in plain Python from the stored JSON: shares no code with the projections.

Deliberately naive: every question sums over all postings. Signed amounts are debit less credit, minor units.
"""

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from ledger.database import Location

CONTROL = {"1122", "2203", "2205", "2241"}


class Moved(NamedTuple):
    """What one posting did to one item."""

    position: int
    on: str
    customer: str
    currency: str
    account: str
    item: str
    amount: int
    base: int


_EVENTS = "SELECT position, originator_id, topic, state, recorded_us FROM events ORDER BY position"


def _stored(store: Location) -> list[Any]:
    if isinstance(store, Path):
        with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(_EVENTS).fetchall()
    with psycopg.connect(store) as postgres:
        return postgres.execute(_EVENTS).fetchall()


class Fold:
    """All postings with an item of one store, and what is known of the items."""

    def __init__(self, store: Location) -> None:
        self.moved: list[Moved] = []
        self.due: dict[tuple[str, str], str] = {}
        self.side: dict[tuple[str, str], str] = {}
        self.recorded: list[tuple[int, str]] = []
        for position, stream, topic, state, recorded_us in _stored(store):
            if stream.startswith("acct:demo:"):
                self._take(position, stream, topic, json.loads(state), recorded_us)

    def _take(self, position: int, stream: str, topic: str, body: dict[str, object], recorded_us: int) -> None:
        customer, currency = stream[len("acct:demo:") : -4], stream[-3:]
        on = str(body["effective_on"])
        if topic.split("-")[0] in ("invoice", "credit", "payment", "refund"):
            self.recorded.append((recorded_us, on))
        for posting in body["postings"]:  # type: ignore[attr-defined]
            item = posting.get("item")
            assert (item is not None) == (posting["account"] in CONTROL and posting["role"] != "migration"), posting
            if item is None:
                continue
            sign = 1 if posting["side"] == "D" else -1
            amount, base = sign * posting["amount"], sign * posting["base_amount"]
            self.moved.append(Moved(position, on, customer, currency, posting["account"], item, amount, base))
            key = (customer, item)
            if key not in self.side:
                self.side[key] = posting["side"]
                instalments = body.get("instalments") or []
                self.due[key] = instalments[int(item.rpartition("#")[2]) - 1]["due_on"] if instalments else on  # type: ignore[index]

    def known(self, effective_on: str, position: int) -> list[Moved]:
        """What had moved by a day, as known at a position."""
        return [one for one in self.moved if one.on <= effective_on and one.position <= position]


def balances(known: list[Moved]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(customer, currency, account) → amount and base amount, those with anything."""
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in known:
        entry = sums[one.customer, one.currency, one.account]
        entry[0] += one.amount
        entry[1] += one.base
    return {key: (amount, base) for key, (amount, base) in sums.items() if amount or base}


def ageing(fold: Fold, known: list[Moved], effective_on: str) -> dict[tuple[str, str], dict[str, int]]:
    """(customer, currency) → not_due, buckets 30, 60, 90 and more, unapplied, net; those with any item open."""
    opens: dict[tuple[str, str, str], int] = defaultdict(int)
    for one in known:
        opens[one.customer, one.currency, one.item] += one.amount
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for (customer, currency, item), amount in opens.items():
        if amount == 0:
            continue
        row = rows.setdefault(
            (customer, currency), dict.fromkeys(("not_due", "30", "60", "90", "more", "unapplied", "net"), 0)
        )
        row["net"] += amount
        if fold.side[customer, item] == "C":
            row["unapplied"] -= amount
            continue
        overdue = (date.fromisoformat(effective_on) - date.fromisoformat(fold.due[customer, item])).days
        name = (
            "not_due"
            if overdue <= 0
            else "30"
            if overdue <= 30
            else "60"
            if overdue <= 60
            else "90"
            if overdue <= 90
            else "more"
        )
        row[name] += amount
    return rows
