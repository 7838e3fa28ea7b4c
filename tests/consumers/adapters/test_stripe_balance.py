"""A month at Stripe of a company that does not exist: the books have what Stripe says that it holds for us."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from stripe_objects import AT, charge, encode, event, moved, refund, stripe

CUSTOMERS = 7
CHARGES = 60


def fee_of(amount: int) -> int:
    """2.9 % and 30 cents, half a cent up."""
    return (amount * 29 + 500) // 1000 + 30


class Month:
    """Charges, of which some are refunded in parts, and some of those refunds come back; with every movement's row."""

    def __init__(self, random: Random) -> None:
        self.messages: list[dict[str, Any]] = []
        self.movements: list[dict[str, Any]] = []
        self.owed: Counter[str] = Counter()
        for n in range(CHARGES):
            self._charge(n, random)

    def _moved(self, amount: int, fee: int, at: int, **more: Any) -> dict[str, Any]:
        made = moved(f"txn_{len(self.movements)}", amount, fee, created=at, **more)
        self.movements.append(made)
        return made

    def _charge(self, n: int, random: Random) -> None:
        amount, at, customer = random.randrange(50, 500_000), AT + n * 3_600, f"cus_{n % CUSTOMERS}"
        paid = charge(id=f"ch_{n}", amount=amount, created=at, customer=customer)
        whole = paid | {"balance_transaction": self._moved(amount, fee_of(amount), at, source=paid["id"])}
        # As a retrieved charge, by the event of an endpoint that expands, or as its balance transaction.
        brought = whole["balance_transaction"] | {"source": paid}
        self.messages.append(random.choice([whole, event("charge.succeeded", whole), brought]))
        self.owed[customer] += amount
        for part in range(random.choice((0, 0, 1, 2))):
            self._refund(whole, part, amount // 3, at + 600, random)

    def _refund(self, paid: dict[str, Any], part: int, amount: int, at: int, random: Random) -> None:
        if not amount:
            return
        given = refund(id=f"re_{paid['id']}_{part}", charge=paid["id"], customer=paid["customer"], amount=amount)
        given |= {"created": at, "balance_transaction": self._moved(-amount, 0, at)}
        if random.random() < 0.25:
            back = self._moved(amount, 0, at + 86_400, type="refund_failure")
            given |= {"status": "failed", "failure_balance_transaction": back}
        else:
            self.owed[paid["customer"]] -= amount
        self.messages.append(given)


def by_day(books: Any) -> Counter[date]:
    """Accounting day → what came to the account of the provider."""
    found: Counter[date] = Counter()
    for _, event_ in books.events():
        for posting in getattr(event_, "postings", ()):
            if posting.account == "1012":
                found[event_.effective_on] += posting.amount if posting.side == "D" else -posting.amount
    return found


def by_day_at_stripe(month: Month) -> Counter[date]:
    found: Counter[date] = Counter()
    for movement in month.movements:
        found[datetime.fromtimestamp(movement["created"], UTC).date()] += movement["net"]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_cash_at_the_provider_is_the_sum_of_its_balance_transactions(
    books: Any, post: Callable[..., Any], balance: Callable[[Any], Counter[str]], seed: int
) -> None:
    random = Random(seed)
    month = Month(random)
    assert len(month.movements) > CHARGES + 10
    messages = [encode(message) for message in month.messages]
    # Each at least once, some more often, in any order.
    messages += random.sample(messages, len(messages) // 2)
    random.shuffle(messages)

    outcomes = post(books, stripe(fees="deducted"), *messages)

    assert {outcome.status.value for outcome in outcomes} == {"booked", "waiting", "duplicate"}
    assert books.ledger.waiting() == []
    assert books.quarantine() == []
    net = sum(movement["net"] for movement in month.movements)
    fees = sum(movement["fee"] for movement in month.movements)
    gross = sum(month.owed.values())
    assert net == gross - fees
    assert balance(books) == {"1012": net, "6603": fees, "2203": -gross}
    assert by_day(books) == by_day_at_stripe(month)
    in_credit = {customer: -amount for customer, amount in books.balances("unapplied").items()}
    assert in_credit == dict(month.owed)


def test_with_fees_apart_the_books_have_the_gross_amounts(
    books: Any, post: Callable[..., Any], balance: Callable[[Any], Counter[str]]
) -> None:
    month = Month(Random(9))
    post(books, stripe(), *map(encode, month.messages))
    gross = sum(movement["amount"] for movement in month.movements)
    assert balance(books) == {"1012": gross, "2203": -gross}
