"""How the company's customers pay: in full, in part, late, too much, twice, not at all; and what goes back to them.

An account pays by its customer's habit (``Customer.style``). What is due after the year's end is not paid in this year.
"""

from datetime import date, timedelta
from typing import Any

import msgspec

from domain.money import convert
from tieout.demo.days import FIRST, LAST, after, rate_of, recorded_on, working_day
from tieout.demo.outbox import AGAIN, BANK, CORRECTIONS, DESK, MONEY, Message, Outbox
from tieout.demo.sales import Account, Invoice, reverse, sell

_ROUND = 10_000
"""Minor units: who pays a round sum, pays a multiple of this."""
_CHARGE = {"USD": 1500, "EUR": 1200, "JPY": 1500, "CNY": 1000}
"""What a bank keeps of a transfer from abroad, at least, in minor units."""


class Payment(msgspec.Struct, eq=False):
    """A payment as it was sent, of the revision that is right."""

    account: Account
    number: str
    revision: int
    on: date
    amount: int
    message: Message

    def gives(self, amount: int) -> dict[str, Any]:
        """The fields of a refund that gives back a part of it, and takes it from nothing else."""
        original = {"kind": "payment", "series": "bank", "number": self.number}
        item = f"payment:bank:{self.number}:{self.revision}#1"
        return {
            "original_payment": original | ({"revision": self.revision} if self.revision > 1 else {}),
            "funded_by": [{"item": item, "amount": amount}],
        }


class Due(msgspec.Struct, eq=False):
    """What a customer has to pay on a day for an invoice."""

    invoice: Invoice
    due_on: date
    amount: int


def dues_of(invoice: Invoice) -> list[Due]:
    """The instalments of an invoice that are left to pay: what is settled already is taken from the first ones."""
    settled = invoice.settled
    left = []
    for due_on, amount in invoice.dues:
        taken = min(settled, amount)
        settled -= taken
        if amount > taken:
            left.append(Due(invoice, due_on, amount - taken))
    return left


def pay(
    outbox: Outbox,
    account: Account,
    on: date,
    amount: int,
    pays: list[Due] | None = None,
    recorded: date | None = None,
    deposit_class: str | None = None,
    number: str | None = None,
) -> Payment:
    """A payment in the bank's file; it names what it ``pays`` if that is the customer's habit."""
    rng = outbox.rng
    number = number or outbox.bank_number(on)
    fields: dict[str, Any] = account.named | {"series": "bank", "number": number, "effective_on": on, "amount": amount}
    fields |= _way(outbox, account, amount)
    if deposit_class is not None:
        fields["deposit_class"] = deposit_class
    fields |= _worth(outbox, account.currency, on, amount)
    if pays and (account.customer.references or account.exact):
        fields["remittance"] = [
            {"series": due.invoice.series, "number": due.invoice.number, "amount": due.amount} for due in pays
        ]
    night = recorded if recorded is not None else recorded_on(rng, on)
    if deposit_class is None and not account.exact and rng.randrange(1000) < 9:
        return _keyed_wrong_first(outbox, account, number, on, fields)
    message = outbox.send(BANK, f"BK-{number}", "RecordPayment", fields, night, MONEY)
    message.plain = not account.exact and deposit_class is None
    payment = Payment(account, number, 1, on, amount, message)
    account.payments.append(payment)
    return payment


def _way(outbox: Outbox, account: Account, amount: int) -> dict[str, Any]:
    """How the money came, and what was kept back from it on the way."""
    rng = outbox.rng
    customer = account.customer
    if account.currency == "CNY":
        if customer.method == "provider":
            fee = amount * 6 // 1000
            kept = {"deductions": [{"reason": "provider_fee", "amount": fee}]} if fee else {}
            return {"method": "provider", **kept}
        return {"method": "bill"} if customer.method == "bill" and rng.randrange(3) else {}
    kept_back: list[dict[str, Any]] = []
    if customer.withholds and amount >= 100:
        kept_back.append({"reason": "withholding", "amount": amount // 10})
    charge = _CHARGE[account.currency] + 100 * rng.randrange(20)
    if rng.randrange(4) == 0 and amount > 10 * charge:
        kept_back.append({"reason": "bank_charge", "amount": charge})
    if not kept_back:
        return {}
    return {"cash": amount - sum(part["amount"] for part in kept_back), "deductions": kept_back}


def _worth(outbox: Outbox, currency: str, on: date, amount: int) -> dict[str, Any]:
    """The month's rate, or, where the bank changed the money at once, what it was worth in base currency."""
    rate = rate_of(currency, on)
    if rate is None:
        return {}
    if outbox.rng.randrange(10) < 7:
        return {"rate": rate}
    worth = convert(amount, currency, "CNY", rate)
    return {"base_total": worth * (9990 + outbox.rng.randrange(21)) // 10000}


def _keyed_wrong_first(outbox: Outbox, account: Account, number: str, on: date, fields: dict[str, Any]) -> Payment:
    """Revision 1 with an amount ten times too small or large; some days later its reversal, then revision 2."""
    rng = outbox.rng
    amount: int = fields["amount"]
    mistaken = {name: value for name, value in fields.items() if name not in ("cash", "deductions", "base_total")}
    mistaken["amount"] = amount * 10 if rng.randrange(2) or amount < 10 else amount // 10
    if "base_total" in fields:
        mistaken["rate"] = rate_of(account.currency, on)
    first = after(on, rng.randrange(2))
    found = after(first, 1 + rng.randrange(5))
    sent = outbox.send(BANK, f"BK-{number}", "RecordPayment", mistaken, first, MONEY)
    reverse(outbox, account, "payment", "bank", number, sent, found, "amount keyed wrong")
    again = fields | {"revision": 2}
    message = outbox.send(BANK, f"BK-{number}-R2", "RecordPayment", again, found, AGAIN)
    return Payment(account, number, 2, on, amount, message)


def prepaid(outbox: Outbox, account: Account, on: date) -> None:
    """An order paid in part in advance: money of the class contract, which only its own invoice may use."""
    paid_on = working_day(on - timedelta(5 + outbox.rng.randrange(12)))
    if paid_on < FIRST:
        return
    number = outbox.bank_number(paid_on)
    prepayment = {"remittance": [{"kind": "payment", "series": "bank", "number": number}]}
    invoice = sell(outbox, account, on, extra=prepayment)
    amount = (invoice.total - invoice.settled) * (30, 50, 100)[outbox.rng.randrange(3)] // 100
    pay(outbox, account, paid_on, amount, deposit_class="contract", number=number)
    invoice.settled += amount


def take_deposits(outbox: Outbox, accounts: list[Account]) -> None:
    """A few customers leave a security deposit, which is no payment of anything; some get it back in autumn."""
    rng = outbox.rng
    for account in rng.sample(accounts, -(-len(accounts) // 35)):
        on = working_day(FIRST + timedelta(5 + rng.randrange(80)))
        deposit = pay(outbox, account, on, 100_000 * (1 + rng.randrange(10)), deposit_class="security")
        if rng.randrange(2):
            refund(outbox, deposit, working_day(FIRST.replace(month=10, day=9 + rng.randrange(20))), deposit.amount)


def pay_each(outbox: Outbox, account: Account) -> None:
    """Instalment by instalment, some days around or after it falls due."""
    rng = outbox.rng
    for invoice in account.invoices:
        for due in dues_of(invoice):
            on = _pay_day(outbox, account, due)
            drawn = rng.randrange(1000)
            if on > LAST or drawn < 12:
                continue
            if drawn < 72:
                part = due.amount * (40 + rng.randrange(31)) // 100 or due.amount
                pay(outbox, account, on, part, [Due(invoice, due.due_on, part)])
                rest = after(on, 10 + rng.randrange(36))
                if part < due.amount and rest <= LAST and rng.randrange(10) < 8:
                    pay(outbox, account, rest, due.amount - part, [Due(invoice, due.due_on, due.amount - part)])
            elif drawn < 88:
                _pay_too_much(outbox, account, on, due)
            else:
                pay(outbox, account, on, due.amount, [due])


def _pay_day(outbox: Outbox, account: Account, due: Due) -> date:
    rng = outbox.rng
    days = account.customer.lateness + rng.randrange(10) - 3
    if rng.randrange(1000) < 40:
        days += 30 + rng.randrange(110)
    return working_day(max(due.due_on + timedelta(days), due.invoice.not_before))


def _pay_too_much(outbox: Outbox, account: Account, on: date, due: Due) -> None:
    """Twice, or a round sum; most of it goes back to the customer."""
    rng = outbox.rng
    if rng.randrange(2):
        pay(outbox, account, on, due.amount, [due])
        on = after(on, 1 + rng.randrange(6))
        over = due.amount
        payment = pay(outbox, account, on, over, [due])
    else:
        over = _ROUND - due.amount % _ROUND
        payment = pay(outbox, account, on, due.amount + over, [due])
    on = after(on, 4 + rng.randrange(20))
    if on <= LAST and rng.randrange(10) < 8:
        refund(outbox, payment, on, over)


def refund(outbox: Outbox, payment: Payment, on: date, amount: int) -> None:
    """The bank pays back a part of a payment; sometimes that is delivered before the payment itself, and waits for it."""
    rng = outbox.rng
    waits = rng.randrange(100) < 14 and payment.revision == 1
    if waits:
        payment.message.recorded = max(payment.message.recorded, after(on, 2 + rng.randrange(8)))
        recorded = working_day(on)
    else:
        recorded = max(recorded_on(rng, on), payment.message.recorded)
    sent, number = give_back(outbox, payment, on, amount, recorded)
    sent.awaits = payment.message
    payment.message.plain = False
    if not waits:
        _go_wrong(outbox, payment, amount, number, after(on, 3 + rng.randrange(5)), recorded)


def _go_wrong(outbox: Outbox, payment: Payment, amount: int, number: str, on: date, recorded: date) -> None:
    """A few refunds come back and are sent again later; fewer still are paid twice, which leaves the customer owing us."""
    rng = outbox.rng
    drawn = rng.randrange(100)
    if on > LAST or drawn > 10:
        return
    night = max(recorded_on(rng, on), recorded)
    if drawn > 7:
        give_back(outbox, payment, on, amount, night)
        return
    _fail(outbox, payment.account, number, on, night)
    again = after(on, 6 + rng.randrange(6))
    if again <= LAST:
        give_back(outbox, payment, again, amount, max(recorded_on(rng, again), after(night, 1)))


def give_back(outbox: Outbox, payment: Payment, on: date, amount: int, recorded: date) -> tuple[Message, str]:
    """A refund in the bank's file; the message and its number."""
    account = payment.account
    number = outbox.bank_number(on)
    fields = account.named | {"nature": "fact", "series": "bank", "number": number, "effective_on": on}
    fields |= {"amount": amount} | _worth(outbox, account.currency, on, amount) | payment.gives(amount)
    return outbox.send(BANK, f"BK-{number}", "RecordRefund", fields, recorded, MONEY), number


def _fail(outbox: Outbox, account: Account, number: str, on: date, recorded: date) -> None:
    """The bank sends a refund back: the customer's account is closed."""
    fields = account.named | {
        "actor": f"clerk-{1 + outbox.rng.randrange(4)}",
        "reason": "account of the payee is closed",
        "document": {"kind": "refund", "series": "bank", "number": number},
        "mode": "failed",
        "effective_on": on,
    }
    outbox.send(DESK, f"REV-{outbox.number('reversal'):04d}", "ReverseDocument", fields, recorded, CORRECTIONS)


def pay_monthly(outbox: Outbox, account: Account) -> None:
    """Once a month whatever is due, late payers what was due some time ago; what is not paid in full comes next month."""
    rng = outbox.rng
    # What the customer disputes, it never pays.
    owed = [due for one in account.invoices for due in dues_of(one) if rng.randrange(100)]
    waiting = sorted(owed, key=lambda due: due.due_on)
    for month in range(1, 13):
        on = working_day(date(FIRST.year, month, account.customer.payday))
        if on > LAST or rng.randrange(100) < 3:
            continue
        limit = on - timedelta(account.customer.lateness)
        pays = [due for due in waiting if due.due_on <= limit and due.invoice.not_before <= on and rng.randrange(60)]
        amount = sum(due.amount for due in pays)
        if not amount:
            continue
        drawn = rng.randrange(1000)
        if drawn < 60 and amount > 2 * _ROUND:
            # A round part of it: the newest wait for the rest.
            amount = amount * (60 + rng.randrange(35)) // 100 // _ROUND * _ROUND
            pays = _as_far_as(pays, amount)
        waiting = _left(waiting, pays)
        if drawn < 985:
            pay(outbox, account, on, amount, pays)
            continue
        over = _ROUND - amount % _ROUND
        payment = pay(outbox, account, on, amount + over, pays)
        back = after(on, 4 + rng.randrange(20))
        if back <= LAST and rng.randrange(10) < 8:
            refund(outbox, payment, back, over)


def _as_far_as(pays: list[Due], amount: int) -> list[Due]:
    paid = []
    for due in pays:
        part = min(due.amount, amount)
        if part:
            paid.append(Due(due.invoice, due.due_on, part))
        amount -= part
    return paid


def _left(waiting: list[Due], paid: list[Due]) -> list[Due]:
    """What waits on, when these parts of it are paid."""
    parts = {(id(due.invoice), due.due_on): due.amount for due in paid}
    left = []
    for due in waiting:
        amount = due.amount - parts.get((id(due.invoice), due.due_on), 0)
        if amount:
            left.append(Due(due.invoice, due.due_on, amount))
    return left
