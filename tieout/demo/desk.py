"""What people do by hand, in accounts whose every payment names what it pays, so that each open amount is known.

Short payments whose rest is written off within tolerance, and credit that is allocated to a later invoice.
"""

from datetime import date, timedelta
from typing import Any

import msgspec

from tieout.demo.days import FIRST, LAST, after, recorded_on, working_day
from tieout.demo.outbox import BILLING, DESK, DOCUMENTS, HAND, SERIES, Message, Outbox
from tieout.demo.receipts import Due, dues_of, pay
from tieout.demo.sales import Account, Credit, Invoice, billing_fields

_BAD_FROM = date(FIRST.year, 8, 1)
"""What fell due before this day and was not paid in December is a bad debt."""
_BAD_ON = date(FIRST.year, 12, 8)


class Plan(msgspec.Struct):
    """When each instalment of an invoice is going to be paid."""

    invoice: Invoice
    days: list[date]

    @property
    def first(self) -> date:
        """The day of the first payment."""
        return min(self.days)


def pay_exactly(outbox: Outbox, account: Account) -> None:
    """Everything that an account of this kind is paid, and what the desk does in it."""
    plans = [Plan(invoice, _days(outbox, account, invoice)) for invoice in account.invoices]
    for quarter in (3, 6, 9):
        if outbox.rng.randrange(2):
            _rebate(outbox, account, quarter)
    for credit in account.unused_credit:
        _allocate(outbox, account, credit, plans)
    for plan in plans:
        _pay(outbox, account, plan)


def _days(outbox: Outbox, account: Account, invoice: Invoice) -> list[date]:
    rng = outbox.rng
    late = account.customer.lateness + (30 + rng.randrange(60) if rng.randrange(50) == 0 else 0)
    return [
        working_day(max(due_on + timedelta(late + rng.randrange(8) - 3), invoice.not_before))
        for due_on, _ in invoice.dues
    ]


def _pay(outbox: Outbox, account: Account, plan: Plan) -> None:
    rng = outbox.rng
    invoice = plan.invoice
    dues = dues_of(invoice)
    skipped = len(invoice.dues) - len(dues)
    for due, on in zip(dues, plan.days[skipped:], strict=True):
        if on > LAST:
            continue
        drawn = rng.randrange(100)
        if drawn == 99 and len(invoice.dues) == 1 and due.due_on < _BAD_FROM:
            _give_up(outbox, account, due)
        elif drawn < 6 and len(invoice.dues) == 1 and due.amount > 100_000:
            _pay_short(outbox, account, due, on)
        elif drawn < 10 and due.amount > 100:
            part = due.amount * (30 + rng.randrange(40)) // 100
            pay(outbox, account, on, part, [Due(invoice, due.due_on, part)])
            rest = after(on, 10 + rng.randrange(30))
            if rest <= LAST:
                pay(outbox, account, rest, due.amount - part, [Due(invoice, due.due_on, due.amount - part)])
        else:
            pay(outbox, account, on, due.amount, [due])


def _pay_short(outbox: Outbox, account: Account, due: Due, on: date) -> None:
    """The odd cents are not paid, or somebody's charge was taken off; the desk lets it go."""
    rng = outbox.rng
    small = rng.randrange(2) == 0
    short = due.amount % 100 or 50 if small else 500 + 10 * rng.randrange(100)
    paid = due.amount - short
    payment = pay(outbox, account, on, paid, [Due(due.invoice, due.due_on, paid)])
    on = after(on, 5 + rng.randrange(15))
    if on > LAST:
        return
    number = f"{outbox.number('adjustment'):04d}"
    fields = account.named | {
        "actor": f"clerk-{1 + rng.randrange(4)}",
        "reason": "rest not worth a letter" if small else "charge taken off by the payer's bank",
        "series": "desk",
        "number": number,
        "effective_on": on,
        "item": due.invoice.item,
        "reason_code": "small_balance" if small else "short_payment",
        "amount": short,
    }
    recorded = max(recorded_on(rng, on), due.invoice.message.recorded, payment.message.recorded)
    outbox.send(DESK, f"ADJ-{number}", "PostAdjustment", fields, recorded, HAND)


def _give_up(outbox: Outbox, account: Account, due: Due) -> None:
    """It is never paid, and written off in December; of every other one a part comes in after all."""
    rng = outbox.rng
    on = working_day(_BAD_ON + timedelta(rng.randrange(8)))
    number = f"{outbox.number('write-off'):04d}"
    by = {"actor": f"clerk-{1 + rng.randrange(4)}", "series": "desk"}
    fields = account.named | by | {"reason": "insolvent", "number": number, "effective_on": on}
    fields |= {"items": [{"item": due.invoice.item}]}
    recorded = max(working_day(on), due.invoice.message.recorded)
    outbox.send(DESK, f"WOF-{number}", "WriteOff", fields, recorded, HAND)
    amount = due.amount * (10 + rng.randrange(30)) // 100
    if rng.randrange(2) or not amount:
        return
    found = after(on, 7 + rng.randrange(8))
    fields = (
        account.named
        | by
        | {
            "reason": "the administrator pays a quota",
            "number": number,
            "effective_on": found,
            "write_off": {"kind": "write-off", "series": "desk", "number": number},
            "item": due.invoice.item,
            "amount": amount,
        }
    )
    recorded = max(working_day(found), after(recorded, 1))
    outbox.send(DESK, f"REC-{number}", "RecoverWriteOff", fields, recorded, HAND)
    pay(outbox, account, found, amount, [Due(due.invoice, due.due_on, amount)], after(recorded, 1))


def _rebate(outbox: Outbox, account: Account, quarter: int) -> None:
    """A credit note for no invoice: one per cent of a quarter's sales."""
    sold = sum(invoice.total for invoice in account.invoices if quarter - 3 < invoice.on.month <= quarter)
    net = sold // 100
    if net < 100:
        return
    on = working_day(date(FIRST.year, quarter + 1, 3))
    number = f"{outbox.number('credit-note'):05d}"
    fields: dict[str, Any] = billing_fields(account, number, 1, on) | {
        "lines": [{"net": net, "dimensions": {"goods": "rebate"}}],
        "total": net,
        "reason": f"rebate of quarter {quarter // 3}",
    }
    source_id = f"CRN-{SERIES}-{number}"
    message = outbox.send(BILLING, source_id, "IssueCreditNote", fields, recorded_on(outbox.rng, on), DOCUMENTS)
    account.unused_credit.append(Credit(f"credit-note:{SERIES}:{number}:1#1", net, on, message))


def _allocate(outbox: Outbox, account: Account, credit: Credit, plans: list[Plan]) -> Message | None:
    """The desk settles an invoice with open credit: one that is in the books and not paid yet, nor for some days."""
    rng = outbox.rng
    night = after(credit.message.recorded, 1 + rng.randrange(8))
    if night > LAST:
        return None
    for plan in plans:
        invoice = plan.invoice
        fits = len(invoice.dues) == 1 and invoice.total - invoice.settled > credit.amount
        if fits and not invoice.spoilt and invoice.message.recorded <= night < plan.first:
            invoice.settled += credit.amount
            fields = account.named | {
                "actor": f"clerk-{1 + rng.randrange(4)}",
                "lines": [{"credit_item": credit.item, "debit_item": invoice.item, "amount": credit.amount}],
            }
            return outbox.send(DESK, f"ALC-{outbox.number('allocation'):04d}", "Allocate", fields, night, HAND)
    return None
