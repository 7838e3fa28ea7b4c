"""What the company sells: invoices of one to three lines and the credit notes that follow some of them.

Amounts are integer minor units; goods are priced in fen and converted by price lists, tax is rounded half up per code.
"""

from datetime import date, timedelta
from typing import Any

import msgspec

from tieout.demo import words
from tieout.demo.company import Customer
from tieout.demo.days import TAKEN_OVER, after, rate_of, recorded_on
from tieout.demo.outbox import AGAIN, BILLING, CORRECTIONS, DESK, DOCUMENTS, SERIES, Message, Outbox

EXPORT = ("EXPORT", "0")
_VALUES = (300, 800, 800, 1500, 1500, 3000, 3000, 6000, 12000, 25000)
"""About what a line is worth, in yuan."""


class Account(msgspec.Struct, eq=False):
    """A customer in one currency: what it was invoiced, what it paid (``receipts.Payment``), and the credit notes that its
    payments do not reckon with."""

    customer: Customer
    currency: str
    invoices: list["Invoice"] = []
    unused_credit: list["Credit"] = []
    payments: list[Any] = []

    @property
    def exact(self) -> bool:
        """Whether what every item has open is known at any time: all is paid by reference, nothing by policy."""
        return self.customer.style == "exact"

    @property
    def named(self) -> dict[str, Any]:
        """The fields of a command that name the account."""
        return {"customer": self.customer.customer, "currency": self.currency}


class Invoice(msgspec.Struct, eq=False):
    """An invoice and what is known of it when it is paid.

    ``settled``: what the customer will not pay, because it has credit or has paid it before. ``not_before``: the day
    from which it may be paid. ``spoilt``: it was keyed wrong first, or was not entered by an ordinary message.
    """

    account: Account
    series: str
    number: str
    revision: int
    on: date
    total: int
    dues: list[tuple[date, int]]
    message: Message
    not_before: date
    settled: int = 0
    spoilt: bool = False

    @property
    def item(self) -> str:
        """The id of its first item."""
        return f"invoice:{self.series}:{self.number}:{self.revision}#1"


class Credit(msgspec.Struct):
    """A credit item with nothing taken from it."""

    item: str
    amount: int
    on: date
    message: Message


def goods_of(outbox: Outbox, currency: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Lines, tax lines and total of what a customer buys at once."""
    rng = outbox.rng
    numerator, denominator = words.PRICE_IN[currency]
    lines: list[dict[str, Any]] = []
    bases: dict[tuple[str, str], int] = {}
    for _ in range((1, 1, 1, 1, 2, 2, 2, 3, 3, 3)[rng.randrange(10)]):
        product = rng.choice(words.PRODUCTS)
        price = max(1, product.price * numerator // denominator)
        worth = rng.choice(_VALUES) * (50 + rng.randrange(100))
        net = max(1, worth // product.price) * price
        lines.append({"net": net, "dimensions": {"goods": product.goods}})
        code = (product.tax_code, product.tax_rate) if currency == "CNY" else EXPORT
        bases[code] = bases.get(code, 0) + net
    if rng.randrange(100) < 3:
        code, net = next(iter(bases)), lines[0]["net"]
        lines.append({"net": -(net // 20), "dimensions": {"goods": "discount"}})
        bases[code] -= net // 20
    tax: list[dict[str, Any]] = [
        {"code": code, "rate": rate, "base": base, "amount": (base * int(rate) + 50) // 100}
        for (code, rate), base in bases.items()
    ]
    return lines, tax, sum(line["net"] for line in lines) + sum(line["amount"] for line in tax)


def instalments_of(outbox: Outbox, on: date, total: int, terms: int) -> list[tuple[date, int]]:
    """When an invoice falls due: mostly at once after the customer's terms, sometimes in two or three parts."""
    count = (2, 3)[outbox.rng.randrange(2)] if outbox.rng.randrange(100) < 8 and total > 100 else 1
    part = total // count
    return [(on + timedelta(terms + 30 * n), total - part * (count - 1) if n == 0 else part) for n in range(count)]


def billing_fields(account: Account, number: str, revision: int, on: date) -> dict[str, Any]:
    """The fields that an invoice and a credit note have in common."""
    fields: dict[str, Any] = account.named | {"series": SERIES, "number": number}
    if revision > 1:
        fields["revision"] = revision
    fields["effective_on"] = on
    rate = rate_of(account.currency, on)
    if rate is not None:
        fields["rate"] = rate
    if account.customer.dimensions:
        fields["dimensions"] = account.customer.dimensions
    return fields


def opening_fields(account: Account, number: str, document_on: date, due_on: date, total: int) -> dict[str, Any]:
    """An invoice of the earlier system that is open when its items are taken over: no lines, posted to migration."""
    fields = billing_fields(account, number, 1, TAKEN_OVER)
    return fields | {
        "series": "2024",
        "opening": True,
        "document_on": document_on,
        "total": total,
        "instalments": [{"due_on": due_on, "amount": total}],
    }


def sell(
    outbox: Outbox,
    account: Account,
    on: date,
    wrong_account: Account | None = None,
    extra: dict[str, Any] | None = None,
) -> Invoice:
    """An invoice; now and then it is keyed wrong first (``wrong_account``: of somebody else), reversed, entered again."""
    rng = outbox.rng
    number = f"{outbox.number('invoice'):06d}"
    lines, tax, total = goods_of(outbox, account.currency)
    dues = instalments_of(outbox, on, total, account.customer.terms)
    content: dict[str, Any] = {"lines": lines, "tax": tax, "total": total, "instalments": _instalments(dues)}
    if wrong_account is not None:
        return _keyed_wrong_first(outbox, account, wrong_account, number, on, content, dues)
    fields = billing_fields(account, number, 1, on) | content | (extra or {})
    if account.currency == "CNY" and rng.randrange(10) < 4:
        fields["fiscal_number"] = f"25{rng.randrange(10**10):010d}{number}"
    message = outbox.send(BILLING, f"INV-{SERIES}-{number}", "IssueInvoice", fields, recorded_on(rng, on), DOCUMENTS)
    message.plain = not account.exact
    invoice = Invoice(account, SERIES, number, 1, on, total, dues, message, not_before=on + timedelta(1))
    account.invoices.append(invoice)
    if rng.randrange(1000) < 45:
        give_credit(outbox, invoice, lines, tax)
    return invoice


def _instalments(dues: list[tuple[date, int]]) -> list[dict[str, Any]]:
    return [{"due_on": due_on, "amount": amount} for due_on, amount in dues]


def _keyed_wrong_first(
    outbox: Outbox,
    account: Account,
    wrong: Account,
    number: str,
    on: date,
    content: dict[str, Any],
    dues: list[tuple[date, int]],
) -> Invoice:
    """Revision 1 under another customer or ten times as much; some days later its reversal, then revision 2."""
    rng = outbox.rng
    mistaken = content
    if wrong is account:
        lines = [line | {"net": line["net"] * 10} for line in content["lines"]]
        tax = [line | {"base": line["base"] * 10, "amount": line["amount"] * 10} for line in content["tax"]]
        tenfold = [(due_on, amount * 10) for due_on, amount in dues]
        mistaken = {"lines": lines, "tax": tax, "total": content["total"] * 10, "instalments": _instalments(tenfold)}
    first = after(on, rng.randrange(2))
    found = after(first, 1 + rng.randrange(4))
    again = found
    if not account.exact and rng.randrange(12) == 0:
        # The desk was told before billing's own message came: the reversal waits for it.
        first, again = after(found, 2), after(found, 3)
    sent = outbox.send(
        BILLING,
        f"INV-{SERIES}-{number}",
        "IssueInvoice",
        billing_fields(wrong, number, 1, on) | mistaken,
        first,
        DOCUMENTS,
    )
    reverse(outbox, wrong, "invoice", SERIES, number, sent, found, "keyed wrong")
    fields = billing_fields(account, number, 2, on) | content
    message = outbox.send(BILLING, f"INV-{SERIES}-{number}-R2", "IssueInvoice", fields, again, AGAIN)
    invoice = Invoice(account, SERIES, number, 2, on, content["total"], dues, message, not_before=after(again, 1))
    invoice.spoilt = True
    account.invoices.append(invoice)
    return invoice


def reverse(
    outbox: Outbox, account: Account, kind: str, series: str, number: str, sent: Message, found: date, reason: str
) -> Message:
    """The desk reverses a document that was keyed wrong; if it knows of it before the ledger does, that waits."""
    fields = account.named | {
        "actor": f"clerk-{1 + outbox.rng.randrange(4)}",
        "reason": reason,
        "document": {"kind": kind, "series": series, "number": number},
    }
    source_id = f"REV-{outbox.number('reversal'):04d}"
    message = outbox.send(DESK, source_id, "ReverseDocument", fields, found, CORRECTIONS)
    message.awaits = sent
    return message


def give_credit(outbox: Outbox, invoice: Invoice, lines: list[dict[str, Any]], tax: list[dict[str, Any]]) -> None:
    """A part of the first line comes back: mostly soon, sometimes only after the invoice was paid."""
    rng = outbox.rng
    account = invoice.account
    if account.exact and len(invoice.dues) > 1:
        return
    late = rng.randrange(100) < 15
    on = after(invoice.dues[-1][0], 20 + rng.randrange(35)) if late else after(invoice.on, 2 + rng.randrange(10))
    net = max(1, lines[0]["net"] // (2, 4, 10)[rng.randrange(3)])
    code = tax[0]
    amount = (net * int(code["rate"]) + 50) // 100
    if on.year > invoice.on.year or net + amount >= invoice.total:
        return
    number = f"{outbox.number('credit-note'):05d}"
    fields = billing_fields(account, number, 1, on) | {
        "lines": [{"net": net, "dimensions": lines[0]["dimensions"]}],
        "tax": [{"code": code["code"], "rate": code["rate"], "base": net, "amount": amount}],
        "total": net + amount,
        "reason": rng.choice(("goods returned", "damaged in transit", "price corrected")),
    }
    if not (late and account.exact):
        # Where each open amount must be known, late credit names no invoice: whether that is paid yet is not.
        fields["against"] = {"kind": "invoice", "series": invoice.series, "number": invoice.number}
    source_id = f"CRN-{SERIES}-{number}"
    message = outbox.send(BILLING, source_id, "IssueCreditNote", fields, recorded_on(rng, on), DOCUMENTS)
    message.plain = not account.exact
    if late:
        account.unused_credit.append(Credit(f"credit-note:{SERIES}:{number}:1#1", net + amount, on, message))
    else:
        invoice.settled += net + amount
