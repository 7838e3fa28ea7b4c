"""The year put together: everything that was sent, in the order in which it is recorded, a delivery a night.

The same seed gives the same bytes on any machine: every choice is drawn from one ``random.Random`` in a fixed order,
and amounts are integers throughout.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import accumulate, groupby
from pathlib import Path
from random import Random

import msgspec

from tieout.demo import company, desk, mishaps, receipts, setbacks, showcase, words
from tieout.demo.days import TAKEN_OVER, after, night_us, working_day, working_days
from tieout.demo.outbox import BILLING, OPENING, Message, Outbox
from tieout.demo.sales import Account, Invoice, opening_fields, sell

_SEASON = (90, 75, 110, 100, 100, 105, 95, 100, 115, 90, 120, 110)
"""Per cent of an ordinary month's sales."""
_INVOICES_A_DAY = 45
"""In an ordinary month, of 200 customers."""


class Delivery(msgspec.Struct, frozen=True):
    """What came in a night: ``now_us`` is when it is recorded, ``lines`` are commands as JSON."""

    on: date
    now_us: int
    lines: list[bytes]


def deliveries(seed: int = 1, customers: int = 200, book: str = "demo") -> Iterator[Delivery]:
    """The year's deliveries, in the order of recording; the last ones bring in January what belongs into the old year."""
    for night, messages in groupby(messages_of(seed, customers, book), key=lambda message: message.recorded):
        yield Delivery(night, night_us(night), [message.line for message in messages])


def write_deliveries(
    directory: Path, seed: int = 1, customers: int = 200, book: str = "demo"
) -> list[tuple[Path, int]]:
    """Write each delivery as a file of JSON lines; the files with the microseconds at which each is recorded."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for delivery in deliveries(seed, customers, book):
        path = directory / f"{delivery.on.isoformat()}.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in delivery.lines))
        written.append((path, delivery.now_us))
    return written


def messages_of(seed: int, customers: int, book: str) -> list[Message]:
    """Every message of the year with the outcome that it should have, in the order of recording."""
    roster = company.roster(Random(seed), customers)
    outbox = Outbox(Random(seed + 2**32), book)
    showcase.tell(outbox, roster[0])
    accounts = _accounts(roster[1:])
    for account in accounts:
        _take_over(outbox, account)
    if accounts:
        _sell(outbox, accounts)
    for account in accounts:
        _collect(outbox, account)
    strangers = mishaps.receive_from_nobody(outbox, max(1, customers // 18))
    receipts.take_deposits(outbox, accounts)
    setbacks.turn_out(outbox, Random(seed + 2**33), accounts, strangers)
    mishaps.spoil(outbox)
    mishaps.contradict(outbox, max(1, customers // 33))
    mishaps.redeliver(outbox)
    return _in_order(outbox.messages)


def _accounts(roster: list[company.Customer]) -> list[Account]:
    """The account of each customer, and one more for those that buy in a second currency now and then."""
    accounts = []
    for customer in roster:
        accounts.append(Account(customer, customer.currency))
        if customer.second is not None:
            accounts.append(Account(customer, customer.second))
    return accounts


def _take_over(outbox: Outbox, account: Account) -> None:
    """What was open in the earlier system when the year began: invoices without lines, as of the day before."""
    rng = outbox.rng
    if account.currency != account.customer.currency:
        return
    night = working_day(TAKEN_OVER + timedelta(1))
    numerator, denominator = words.PRICE_IN[account.currency]
    for _ in range(rng.randrange(1 + min(4, 1 + account.customer.weight // 6))):
        number = f"{outbox.number('taken over'):06d}"
        document_on = TAKEN_OVER - timedelta(rng.randrange(account.customer.terms + 25))
        total = 100 * (200 + rng.randrange(30_000)) * numerator // denominator
        due_on = document_on + timedelta(account.customer.terms)
        fields = opening_fields(account, number, document_on, due_on, total)
        message = outbox.send(BILLING, f"OPN-{number}", "IssueInvoice", fields, night, OPENING)
        # What was long due by then was paid early in the year.
        settled_by = max(due_on, after(TAKEN_OVER, 3 + rng.randrange(40)))
        invoice = Invoice(
            account, "2024", number, 1, TAKEN_OVER, total, [(settled_by, total)], message, not_before=after(night, 1)
        )
        invoice.spoilt = True
        account.invoices.append(invoice)


def _sell(outbox: Outbox, accounts: list[Account]) -> None:
    """Every working day's invoices, the larger buyers oftener."""
    rng = outbox.rng
    first = [account for account in accounts if account.currency == account.customer.currency]
    second = {account.customer.customer: account for account in accounts if account.currency == account.customer.second}
    ends = list(accumulate(account.customer.weight for account in first))
    for day in working_days():
        usual = _INVOICES_A_DAY * _SEASON[day.month - 1] * len(first) // (100 * 200)
        for _ in range(max(1, usual * (80 + rng.randrange(41)) // 100)):
            account = first[bisect_right(ends, rng.randrange(ends[-1]))]
            other = second.get(account.customer.customer)
            if other is not None and rng.randrange(100) < 15:
                account = other
            wrong = None
            if rng.randrange(1000) < 9:
                wrong = _mistaken_for(outbox, account, first)
            if wrong is None and not account.exact and rng.randrange(1000) < 5:
                receipts.prepaid(outbox, account, day)
            else:
                sell(outbox, account, day, wrong)


def _mistaken_for(outbox: Outbox, account: Account, others: list[Account]) -> Account:
    """Whose invoice this is keyed as: mostly its own, with a wrong amount; else that of another in the same currency."""
    other = outbox.rng.choice(others)
    return other if other.currency == account.currency and not other.exact else account


def _collect(outbox: Outbox, account: Account) -> None:
    if account.exact:
        desk.pay_exactly(outbox, account)
    elif account.customer.style == "monthly":
        receipts.pay_monthly(outbox, account)
    else:
        receipts.pay_each(outbox, account)


def _in_order(messages: list[Message]) -> list[Message]:
    """In the order of recording; what comes before that which it awaits, waits."""
    ordered = sorted(messages, key=lambda message: (message.recorded, message.stage))
    place = {id(message): position for position, message in enumerate(ordered)}
    for position, message in enumerate(ordered):
        if message.awaits is not None and place[id(message.awaits)] > position:
            message.outcome = "waiting"
    return ordered
