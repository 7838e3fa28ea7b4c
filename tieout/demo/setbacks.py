"""What turns out otherwise after it was booked: payments that the bank takes back, bad debts, money whose payer is found.

Drawn from a source of its own, so that the rest of the year stays as it is whatever happens here.
"""

from datetime import date
from random import Random

import msgspec

from tieout.demo.days import LAST, after, rate_of, recorded_on
from tieout.demo.outbox import BANK, DESK, HAND, MONEY, Message, Outbox
from tieout.demo.receipts import Payment
from tieout.demo.sales import Account

_ONE_IN = 250
"""Of so many payments one is taken back."""
_FEE = 1_000
"""What the bank charges for that, in minor units."""


class Stranger(msgspec.Struct):
    """A payment of nobody known, in a house account."""

    customer: str
    currency: str
    number: str
    on: date
    message: Message


def turn_out(outbox: Outbox, rng: Random, accounts: list[Account], strangers: list[Stranger]) -> None:
    """All of it. Only accounts in which nobody reckons with each open amount are touched."""
    loose = [account for account in accounts if not account.exact]
    for stranger in strangers:
        _identify(outbox, rng, stranger, [one for one in loose if one.currency == stranger.currency])
    for account in loose:
        for payment in list(account.payments):
            if payment.message.plain and rng.randrange(_ONE_IN) == 0:
                _take_back(outbox, rng, payment)


def _identify(outbox: Outbox, rng: Random, stranger: Stranger, accounts: list[Account]) -> None:
    """Most payers are found some weeks later, and the money becomes the customer's."""
    on = after(stranger.on, 4 + rng.randrange(40))
    if not accounts or on > LAST or rng.randrange(10) < 3:
        return
    number = f"{outbox.number('transfer'):04d}"
    fields = {
        "actor": f"clerk-{1 + rng.randrange(4)}",
        "reason": "the customer sent the bank's advice",
        "customer": stranger.customer,
        "currency": stranger.currency,
        "series": "desk",
        "number": number,
        "effective_on": on,
        "item": f"payment:bank:{stranger.number}:1#1",
        "to_customer": rng.choice(accounts).customer.customer,
    }
    recorded = max(recorded_on(rng, on), stranger.message.recorded)
    outbox.send(DESK, f"TRF-{number}", "TransferItem", fields, recorded, HAND)


def _take_back(outbox: Outbox, rng: Random, payment: Payment) -> None:
    """A bounced payment or a chargeback; a third of them come back, of the others most customers pay again."""
    account = payment.account
    on = after(payment.on, 3 + rng.randrange(25))
    if on > LAST:
        return
    payment.message.plain = False
    charged = account.customer.method == "provider"
    number = outbox.bank_number(on)
    original = {"kind": "payment", "series": "bank", "number": payment.number, "revision": payment.revision}
    fields = account.named | {
        "series": "bank",
        "number": number,
        "effective_on": on,
        "amount": payment.amount,
        "fee": _FEE if account.currency == "CNY" else 0,
        "kind": "chargeback" if charged else "returned",
        "payment": original,
    }
    fields |= _worth(account.currency, on)
    night = max(recorded_on(rng, on), payment.message.recorded)
    sent = outbox.send(BANK, f"BK-{number}", "ReturnPayment", fields, night, MONEY)
    sent.awaits = payment.message
    again = after(on, 5 + rng.randrange(30))
    if again > LAST:
        return
    drawn = rng.randrange(6)
    night = max(recorded_on(rng, again), night)
    if drawn < 2:
        _win(outbox, account, payment, number, again, night)
    elif drawn < 5:
        _pay_again(outbox, account, payment, again, night)


def _win(outbox: Outbox, account: Account, payment: Payment, returned: str, on: date, night: date) -> None:
    number = outbox.bank_number(on)
    fields = account.named | {
        "series": "bank",
        "number": number,
        "effective_on": on,
        "amount": payment.amount,
        "returned": {"kind": "return", "series": "bank", "number": returned},
    }
    outbox.send(BANK, f"BK-{number}", "ReinstatePayment", fields | _worth(account.currency, on), night, MONEY)


def _pay_again(outbox: Outbox, account: Account, payment: Payment, on: date, night: date) -> None:
    number = outbox.bank_number(on)
    fields = account.named | {"series": "bank", "number": number, "effective_on": on, "amount": payment.amount}
    outbox.send(BANK, f"BK-{number}", "RecordPayment", fields | _worth(account.currency, on), night, MONEY)


def _worth(currency: str, on: date) -> dict[str, str]:
    rate = rate_of(currency, on)
    return {} if rate is None else {"rate": rate}
