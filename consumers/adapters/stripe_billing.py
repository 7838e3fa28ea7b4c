"""Stripe's invoices and credit notes → commands.

A document's number is Stripe's id (``in_…``, ``cn_…``), since that is what charges and credit notes name it by; the
number that people read is kept as the reason. Only what was fixed when it was finalised goes into the command, so that
every later delivery of the same invoice is the same fact. Stripe's amounts are taken: lines and tax sum to the total
exactly, or the document is held.
"""

from typing import Any

from consumers.adapters.adapter import MessageFault
from consumers.adapters.stripe_message import Message, Reading
from consumers.problems import Fault, MessageCode, invalid, row_fault
from domain.documents import document_id, item_id
from domain.refusals import RULES, Code
from ledger.outcomes import Entry

_ISSUED_AT = ("effective_at", "finalized_at", "date", "created")
_TAXES = ("total_taxes", "total_tax_amounts", "tax_amounts")
"""Where the taxes of a document stand, by version of the API."""
_LINE_TAXES = ("taxes", "tax_amounts")


def invoice(message: Message, part: Reading) -> list[Entry]:
    """A finalised invoice, and what its state says beside: voided, uncollectible, or paid outside Stripe.

    Who has paid it is said by charges.
    """
    status = part.text("status")
    if status == "draft" or message.kind == "invoice.upcoming":
        return [message.acknowledged()]
    name = part.needed("id")
    if status not in ("open", "paid", "uncollectible", "void"):
        return [message.held(name, part, invalid("status", status, "must be draft, open, paid, uncollectible or void"))]
    entries = [message.entry(name, part, lambda: _issued(message, part))]
    if status == "void":
        entries.append(message.entry(f"{name}:voided", part, lambda: _voided(message, part, _kind(part))))
    elif status == "uncollectible":
        entries.append(message.entry(f"{name}:uncollectible", part, lambda: _written_off(message, part)))
    elif status == "paid" and part.flag("paid_out_of_band") and part.whole("amount_paid"):
        entries.append(message.entry(f"{name}:paid", part, lambda: _paid_outside(message, part)))
    return entries


def credit_note(message: Message, part: Reading) -> list[Entry]:
    """A credit note, and its reversal where it was voided. What it refunds is said by refunds."""
    name = part.needed("id")
    status = part.text("status")
    if status not in ("issued", "void"):
        return [message.held(name, part, invalid("status", status, "must be issued or void"))]
    entries = [message.entry(name, part, lambda: _credited(message, part))]
    if status == "void":
        entries.append(message.entry(f"{name}:voided", part, lambda: _voided(message, part, "credit-note")))
    return entries


def _issued(message: Message, part: Reading) -> dict[str, Any]:
    currency = part.currency()
    total = part.minor("total", currency)
    command = _document(message, part, currency, total)
    if total < 0:
        # Stripe adds what a negative invoice is worth to the customer's credit balance: it is a credit note.
        command["command"] = "IssueCreditNote"
    elif total > 0:
        due_on = message.day(part, "due_date") if part.whole("due_date") is not None else command["effective_on"]
        command["instalments"] = [{"due_on": due_on, "amount": total}]
    return command


def _credited(message: Message, part: Reading) -> dict[str, Any]:
    currency = part.currency()
    total = part.minor_or_none("total", currency)
    command = _document(message, part, currency, part.minor("amount", currency) if total is None else total)
    against = part.id("invoice")
    command |= {
        "command": "IssueCreditNote",
        "against": {"kind": "invoice", "number": against} if against else None,
    }
    return command


def _document(message: Message, part: Reading, currency: str, total: int) -> dict[str, Any]:
    """What invoices and credit notes have in common, with positive amounts; held unless everything sums."""
    sign = -1 if total < 0 else 1
    tax = _tax(message, part, currency)
    taxed = sum(entry["amount"] for entry in tax)
    lines = [{"net": total - taxed}] if message.settings.lines == "one" else _lines(message, part, currency)
    number = part.text("number")
    command = {
        "command": "IssueInvoice",
        "customer": message.customer(part) or message.house(part),
        "currency": currency,
        "number": part.needed("id"),
        "effective_on": message.day(*_issued_at(part)),
        "reason": f"number {number}" if number else None,
        "lines": [line | {"net": sign * line["net"]} for line in lines],
        "tax": [entry | {"base": sign * entry["base"], "amount": sign * entry["amount"]} for entry in tax],
        "total": sign * total,
    }
    net = sum(line["net"] for line in lines)
    if net + taxed != total:
        raise MessageFault(_no_sum("total", total, f"lines and tax: {net + taxed}"), command)
    untaxed = part.minor_or_none("total_excluding_tax", currency)
    if untaxed is not None and untaxed != net:
        raise MessageFault(_no_sum("total_excluding_tax", untaxed, f"lines: {net}"), command)
    return command


def _no_sum(field: str, value: int, found: str) -> Fault:
    return Fault(Code.LINES_AND_TAX.value, field, f"{value} ({found})", RULES[Code.LINES_AND_TAX])


def _issued_at(part: Reading) -> tuple[Reading, str]:
    """Where the instant stands from which a document is in effect."""
    transitions = part.inner("status_transitions")
    for name in _ISSUED_AT:
        for place in (part, transitions):
            if place is not None and place.whole(name) is not None:
                return place, name
    return part, "created"


def _lines(message: Message, part: Reading, currency: str) -> list[dict[str, Any]]:
    """Lines without tax and after discounts, each with the days of its service; shipping, and what no line tells."""
    listed = part.inner("lines")
    found = part.each("lines")
    if listed is None or listed.flag("has_more") or (listed.whole("total_count") or 0) > len(found):
        raise MessageFault(row_fault(MessageCode.LINES, "lines", "", f"there are more than these {len(found)}"))
    lines = []
    discounted = included = 0
    for line in found:
        discount = sum(entry.minor("amount", currency) for entry in line.each("discount_amounts"))
        inclusive = _inclusive(_first(line, _LINE_TAXES), currency)
        net = line.minor("amount", currency) - discount - inclusive
        lines.append({"net": net} | _service(message, line.inner("period")))
        discounted += discount
        included += inclusive
    shipping = part.inner("shipping_cost")
    if shipping is not None and part.whole("amount_shipping"):
        lines.append({"net": shipping.minor("amount_subtotal", currency)})
    # Older messages tell discounts and inclusive taxes of the whole document only.
    total_discount = sum(entry.minor("amount", currency) for entry in part.each("total_discount_amounts"))
    shipped_tax = shipping is not None and bool(part.whole("amount_shipping"))
    rest = max(0, total_discount - discounted)
    if not shipped_tax:
        rest += max(0, _inclusive(_first(part, _TAXES), currency) - included)
    return [*lines, {"net": -rest}] if rest else lines


def _service(message: Message, period: Reading | None) -> dict[str, Any]:
    """The days in which a line is earned: a period ends before its last instant, which is the next one's first.

    What is sold once has a period that ends where it begins: it is earned at once, not over time.
    """
    if period is None or period.whole("start") is None or period.whole("end") is None:
        return {}
    start, end = period.instant("start"), period.instant("end")
    if end <= start:
        return {}
    last = Reading({"end": end - 1}, period.at)
    return {"service_from": message.day(period, "start"), "service_to": message.day(last, "end")}


def _first(part: Reading, names: tuple[str, ...]) -> list[Reading]:
    """The first of several lists that is there."""
    return next((part.each(name) for name in names if part.part.get(name) is not None), [])


def _inclusive(taxes: list[Reading], currency: str) -> int:
    """What of an amount is tax already."""
    return sum(
        tax.minor("amount", currency)
        for tax in taxes
        if tax.flag("inclusive") or tax.text("tax_behavior") == "inclusive"
    )


def _tax(message: Message, part: Reading, currency: str) -> list[dict[str, Any]]:
    """Tax as Stripe computed it, by its rates; in the oldest messages one amount and one percentage."""
    taxes = _first(part, _TAXES)
    single = part.minor_or_none("tax", currency)
    total = part.minor_or_none("total", currency) or 0
    if not taxes and single:
        percent = part.percent("tax_percent")
        if percent is None:
            raise MessageFault(row_fault(MessageCode.TAX_RATE, "tax_percent", ""))
        return [{"code": "tax", "rate": percent, "base": total - single, "amount": single}]
    known = _known_rates(part)
    entries = []
    for tax in taxes:
        amount = tax.minor("amount", currency)
        base = tax.minor_or_none("taxable_amount", currency)
        if base is None and len(taxes) > 1:
            raise tax.fault("taxable_amount", "must be given, since there are several taxes")
        code, rate = _rate(message, tax, known, amount)
        entries.append({"code": code, "rate": rate, "base": total - amount if base is None else base, "amount": amount})
    return entries


def _rate(message: Message, tax: Reading, known: dict[str, str], amount: int) -> tuple[str, str]:
    """Code and percentage of a tax. The settings come first, so that a rate is the same however much was expanded."""
    at = tax.inner("tax_rate_details") or tax
    name = at.id("tax_rate")
    expanded = at.inner("tax_rate")
    percent = message.settings.tax_rates.get(name or "") or known.get(name or "")
    if percent is None and expanded is not None:
        percent = _percentage(expanded)
    if percent is None and amount == 0:
        percent = "0"
    if percent is None:
        raise MessageFault(row_fault(MessageCode.TAX_RATE, at.path("tax_rate"), name))
    return name or tax.text("taxability_reason") or "tax", percent


def _known_rates(part: Reading) -> dict[str, str]:
    """The rates that a document holds whole, by id."""
    rates = [*part.each("default_tax_rates"), *(rate for line in part.each("lines") for rate in line.each("tax_rates"))]
    found = {rate.text("id") or "": _percentage(rate) for rate in rates}
    return {name: percent for name, percent in found.items() if percent is not None}


def _percentage(rate: Reading) -> str | None:
    return rate.percent("effective_percentage") or rate.percent("percentage")


def _kind(part: Reading) -> str:
    """The kind of document that an invoice has become."""
    return "credit-note" if part.minor("total", part.currency()) < 0 else "invoice"


def _voided(message: Message, part: Reading, kind: str) -> dict[str, Any]:
    return {
        "command": "ReverseDocument",
        "customer": message.customer(part) or message.house(part),
        "currency": part.currency(),
        "reason": "voided",
        "document": {"kind": kind, "number": part.needed("id")},
    }


def _written_off(message: Message, part: Reading) -> dict[str, Any]:
    """All that the invoice has open when this is booked; it has one instalment."""
    told = part.inner("status_transitions") or part
    number = part.needed("id")
    return {
        "command": "WriteOff",
        "customer": message.customer(part) or message.house(part),
        "currency": part.currency(),
        "number": number,
        "effective_on": message.day(told, "marked_uncollectible_at"),
        "reason": "uncollectible",
        "items": [{"item": item_id(document_id(_kind(part), "", number, 1), 1)}],
    }


def _paid_outside(message: Message, part: Reading) -> dict[str, Any]:
    """Money that never came to Stripe: somebody told it that an invoice is paid."""
    currency = part.currency()
    paid_at = part.inner("status_transitions") or part
    command = {
        "command": "RecordPayment",
        "customer": message.customer(part) or message.house(part),
        "currency": currency,
        "number": part.needed("id"),
        "effective_on": message.day(paid_at, "paid_at"),
        "method": message.settings.out_of_band,
        "amount": part.minor("amount_paid", currency),
        "remittance": [{"number": part.needed("id")}],
    }
    if message.settings.out_of_band is None or part.id("charge"):
        raise MessageFault(row_fault(MessageCode.METHOD, "paid_out_of_band", "true"))
    return command
