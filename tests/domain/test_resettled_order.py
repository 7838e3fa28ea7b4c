"""Identity 8, whole: any order of the same facts leaves the same net on every day, and after Resettle the same items.

Random sets of facts, each in twenty random orders with duplicates. Within the conditions of the identity: refunds and
returns name their payment and stay within it, nothing is released by hand, and where a refund or return released an
allocation the items agree from the last such day on. In the middle of each set the accounts are resettled and a debt is
written off, since an instruction is no fact: it may depend on what it finds. ``TIEOUT_ORDER_SETS`` makes more sets.
"""

import os
from collections import defaultdict
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from given import Books, credit_note, invoice, payment, refund, reinstated, resettle, returned, reverse, write_off

from domain.commands import AccountCommand, Command, ReverseDocument
from domain.events import AllocationReleased, DocumentReversed, Voucher
from domain.refusals import Refusal
from domain.template import CONTROL_ROLES

SETS = int(os.environ.get("TIEOUT_ORDER_SETS", "100"))
ORDERS = 20
FIRST = date(2024, 1, 1)
LAST = FIRST + timedelta(20)
POLICIES = ("oldest_due_first", "proportional", "largest_first", "exact_amount_first", "none")
PLACES: tuple[dict[str, str], ...] = ({}, {}, {}, {}, {"currency": "USD", "rate": "7.0823"}, {"customer": "C2"})
Rows = list[tuple[date, int, int]]


class Facts:
    """A random set of facts: ``early`` ones, and those that come after the debt was written off."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.found: list[Command] = []
        self.numbers = [str(n) for n in range(1, random.randint(3, 10))]
        self.invoices = {number: self.place() for number in self.numbers if random.random() < 0.8}
        self.payments = {number: self.place() for number in self.numbers if random.random() < 0.8}
        self.credited: set[str] = set()
        for number, place in self.invoices.items():
            self.invoice(number, place)
        for number, place in self.payments.items():
            self.payment(number, place)
        for number in self.numbers[:4]:
            if random.random() < 0.4:
                self.credit_note(number)
        before = len(self.found)
        if random.random() < 0.4:
            self.errors()
        else:
            for number, place in self.payments.items():
                self.money_back(number, place)
        errors = any(isinstance(command, ReverseDocument) for command in self.found[before:])
        random.shuffle(self.found)
        # What is written off cannot be reversed.
        at = len(self.found) if errors else random.randint(0, len(self.found))
        self.early, self.late = self.found[:at], self.found[at:]

    def place(self) -> dict[str, str]:
        return self.random.choice(PLACES)

    def day(self, after: date = FIRST) -> date:
        return after + timedelta(self.random.randint(0, (LAST - after).days))

    def some(self, numbers: list[str]) -> list[dict[str, Any]]:
        chosen = self.random.sample(numbers, min(len(numbers), self.random.choice((0, 0, 1, 1, 2))))
        return [
            {"number": n} | ({"amount": self.random.randint(1, 40)} if self.random.random() < 0.4 else {})
            for n in chosen
        ]

    def invoice(self, number: str, place: dict[str, str]) -> None:
        parts = [self.random.randint(1, 60) for _ in range(self.random.choice((1, 1, 2, 3)))]
        on = self.day()
        self.found.append(
            invoice(
                number,
                sum(parts),
                on,
                instalments=[{"due_on": str(self.day(on)), "amount": part} for part in parts],
                remittance=[{"kind": "payment"} | one for one in self.some(self.numbers)]
                if self.random.random() < 0.3
                else [],
                **place,
            )
        )

    def payment(self, number: str, place: dict[str, str]) -> None:
        classes = ("unapplied",) * 6 + ("contract", "security")
        self.found.append(
            payment(
                number,
                self.random.randint(1, 120),
                self.day(),
                remittance=self.some(self.numbers),
                deposit_class=self.random.choice(classes),
                **place,
            )
        )

    def credit_note(self, number: str) -> None:
        against = self.random.choice([None, *self.numbers])
        place = self.invoices.get(against, {}) if against and self.random.random() < 0.8 else self.place()
        if against:
            self.credited.add(against)
        name = f"invoice::{against}:1" if against else None
        self.found.append(credit_note(number, self.random.randint(1, 60), self.day(), name, **place))

    def money_back(self, number: str, place: dict[str, str]) -> None:
        """Refunds and returns of a payment, all together at most all of it; some returns are reinstated."""
        paid = next(c for c in self.found if type(c).__name__ == "RecordPayment" and c.number == number)  # type: ignore[union-attr]
        left: int = paid.amount  # type: ignore[union-attr]
        for n in range(self.random.choice((0, 1, 2))):
            if left == 0:
                return
            amount, on = self.random.randint(1, left), self.day(paid.effective_on)  # type: ignore[union-attr]
            left -= amount
            own, of = f"{number}-{n}", f"payment::{number}:1"
            if self.random.random() < 0.5:
                funding = [{"item": f"{of}#1", "amount": amount}]
                self.found.append(refund(own, amount, on, of, nature="fact", funded_by=funding, **place))
                continue
            self.found.append(returned(own, of, amount, on, **place))
            if self.random.random() < 0.5:
                back = self.random.randint(1, amount)
                self.found.append(reinstated(own, f"return::{own}:1", back, self.day(on), **place))

    def errors(self) -> None:
        """Documents keyed in error, and reversed. Not beside refunds: what those reopen is reversed on a later day."""
        for kind, places in (("invoice", self.invoices), ("payment", self.payments)):
            for number, place in places.items():
                if self.random.random() < 0.25 and not (kind == "invoice" and number in self.credited):
                    of = {key: value for key, value in place.items() if key != "rate"}
                    self.found.append(reverse(f"{kind}::{number}:1", **of))


class Played:
    """A set of facts in one order, and what it leads to."""

    def __init__(self, facts: Facts, policy: str, random: Random) -> None:
        self.books = Books(allocation=policy)
        self.seen: set[str] = set()
        self.released_on = date.min
        self.deliver(facts.early, random)
        self.resettle()
        self.write_off()
        self.deliver(facts.late, random)
        self.net = self.summed()
        self.resettle()
        assert self.net == self.summed(), "resettling moves nothing between accounts or days"
        self.items = self.rows()

    def deliver(self, facts: list[Command], random: Random) -> None:
        again = random.sample(facts, len(facts) // 3)
        order = [*facts, *again]
        random.shuffle(order)
        for command in order:
            assert isinstance(command, AccountCommand)
            if command.source_id not in self.seen:
                self.seen.add(command.source_id)
                outcome = self.books.when(command)
                assert not isinstance(outcome, Refusal), outcome

    def resettle(self) -> None:
        for account in list(self.books.accounts.values()):
            place = {"customer": account.customer, "currency": account.currency}
            self.books.booked(resettle(**place))
            assert self.books.booked(resettle(**place)) == [], "a second time there is nothing to do"

    def write_off(self) -> None:
        """An instruction that finds the same, as the accounts have just been resettled: what is open first, a half of it."""
        for account in sorted(self.books.accounts.values(), key=lambda account: account.stream):
            if account.debits:
                item = account.items[account.debits[0][-1]]
                place = {"customer": account.customer, "currency": account.currency}
                self.books.booked(write_off(account.stream, (item.item, (item.open + 1) // 2), on=LAST, **place))
                return

    def summed(self) -> dict[tuple[str, date], int]:
        found: dict[tuple[str, date], int] = defaultdict(int)
        for source in self.books.log:
            if isinstance(source.event, Voucher):
                for posting in source.event.postings:
                    if posting.role in CONTROL_ROLES:
                        amount = posting.amount if posting.side == "D" else -posting.amount
                        found[source.stream, source.event.effective_on] += amount
        return {key: amount for key, amount in found.items() if amount}

    def rows(self) -> dict[str, Rows]:
        """Item → its movements, amount and base (debit positive); and the last day on which a fact released anything."""
        found: dict[str, Rows] = defaultdict(list)
        undone = {source.event.document for source in self.books.log if isinstance(source.event, DocumentReversed)}
        for source in self.books.log:
            event = source.event
            if not isinstance(event, Voucher):
                continue
            if isinstance(event, AllocationReleased) and event.caused_by is not None and event.caused_by not in undone:
                self.released_on = max(self.released_on, event.effective_on)
            for posting in event.postings:
                if posting.item is not None:
                    sign = 1 if posting.side == "D" else -1
                    found[posting.item].append((event.effective_on, sign * posting.amount, sign * posting.base_amount))
        return found


def as_of(rows: Rows, on: date) -> tuple[int, int]:
    return sum(amount for day, amount, _ in rows if day <= on), sum(base for day, _, base in rows if day <= on)


@pytest.mark.parametrize("seed", range(SETS))
def test_any_order_of_the_same_facts_leaves_the_same_net_and_once_resettled_the_same_items(seed: int) -> None:
    random = Random(seed)
    facts, policy = Facts(random), random.choice(POLICIES)
    played = [Played(facts, policy, random) for _ in range(ORDERS)]
    first = played[0]
    days = [FIRST + timedelta(n) for n in range(22)]
    since = max(one.released_on for one in played)
    for other in played[1:]:
        assert other.net == first.net
        assert other.items.keys() == first.items.keys()
        for item, rows in first.items.items():
            for on in days:
                if on >= since:
                    (amount, base), (other_amount, other_base) = as_of(rows, on), as_of(other.items[item], on)
                    assert amount == other_amount, (item, on)
                    assert abs(base - other_base) <= len(rows) + len(other.items[item]), (item, on)
