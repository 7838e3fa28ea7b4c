"""Stripe's charges, refunds and balance transactions → commands.

The one fact of a payment is its charge, once captured; of a refund the refund, once it has succeeded. What else tells
of the same money (payment intents, paid invoices, the refunded total of a charge) is acknowledged. A charge's fee
stands in its balance transaction only, which a webhook merely names: so a feed says once for all whether fees are
deducted (then every charge and refund must come with its balance transaction, expanded) or kept apart (then it is never
looked at), and the same charge is the same fact whichever way it comes.
"""

from typing import Any

from consumers.adapters.adapter import MessageFault
from consumers.adapters.stripe_disputes import CATEGORIES, dispute
from consumers.adapters.stripe_message import Message, Reading, with_customer
from consumers.problems import MessageCode, invalid, row_fault
from ledger.outcomes import Acknowledged, Entry, Unreadable

_BY_CHARGE = frozenset({"charge", "payment"})
_BY_REFUND = frozenset({"refund", "payment_refund"})
_FAILED_REFUND = "refund_failure"
_TYPES = """
    advance advance_funding anticipation_repayment application_fee application_fee_refund climate_order_purchase
    climate_order_refund connect_collection_transfer contribution issuing_authorization_hold
    issuing_authorization_release issuing_dispute issuing_transaction obligation_outbound
    obligation_reversal_inbound payment_network_reserve_hold payment_network_reserve_release payout payout_cancel
    payout_failure payout_minimum_balance_hold payout_minimum_balance_release reserve_transaction reserved_funds
    stripe_fee stripe_fx_fee tax_fee topup topup_reversal transfer transfer_cancel transfer_failure transfer_refund
"""
_OWN_MONEY = frozenset(_TYPES.split())
"""Balance transactions that no customer has a part in."""


def charge(message: Message, part: Reading) -> list[Entry]:
    """A captured charge, and those of its refunds that it lists."""
    entries = _paid(message, part)
    if not isinstance(entries[0], Acknowledged):
        entries += _listed_refunds(message, part)
    return entries


def refund(message: Message, part: Reading, of: Reading | None = None) -> list[Entry]:
    """A refund that has succeeded, and its return where it has failed. ``of``: the charge that lists it."""
    entries = _refunded(message, part, of)
    first = entries[0]
    unsupported = isinstance(first, Unreadable) and first.code == MessageCode.NOT_SUPPORTED
    if part.text("status") != "failed" or isinstance(first, Acknowledged) or unsupported:
        return entries
    told_before = message.event is not None and message.changed and "status" not in message.changed and of is None
    if told_before and part.inner("failure_balance_transaction") is None:
        return [*entries, message.acknowledged()]
    return [*entries, _returned(message, part, of)]


def balance_transaction(message: Message, part: Reading) -> list[Entry]:
    """What moved our balance: booked as the one fact that it is of, if it brings it; acknowledged where that is an id."""
    type_ = part.needed("type")
    if type_ in _OWN_MONEY:
        return [message.acknowledged()]
    if type_ == "adjustment" and part.text("reporting_category") in CATEGORIES:
        disputed = part.inner("source")
        # By its id: the dispute itself brings what moved.
        return [message.acknowledged()] if disputed is None else dispute(message, disputed)
    if type_ not in _BY_CHARGE | _BY_REFUND and type_ != _FAILED_REFUND:
        return [message.unsupported(part.needed("id"), part, type_)]
    source = part.inner("source")
    if source is None:
        return [message.acknowledged()]
    field = "failure_balance_transaction" if type_ == _FAILED_REFUND else "balance_transaction"
    # The transaction as Stripe would expand it in there, without the way back.
    moved = {field: part.part | {"source": source.needed("id")}}
    whole = Reading(source.part | moved, source.at)
    if type_ == _FAILED_REFUND:
        return [_returned(message, whole, None)]
    return _paid(message, whole) if type_ in _BY_CHARGE else _refunded(message, whole, None)


def _paid(message: Message, part: Reading) -> list[Entry]:
    """The payment of a charge, if it is one."""
    status = part.text("status")
    if status in ("failed", "pending") or part.flag("paid") is False or part.flag("captured") is False:
        return [message.acknowledged()]
    name = part.needed("id")
    if status not in ("succeeded", None):
        return [message.held(name, part, invalid("status", status, "must be succeeded, pending or failed"))]
    return [message.entry(name, part, lambda: _payment(message, part))]


def _listed_refunds(message: Message, part: Reading) -> list[Entry]:
    """The refunds that a charge lists; it may tell more than these, but only as a sum."""
    captured = part.whole("amount_captured")
    released = 0 if captured is None else (part.whole("amount") or 0) - captured
    entries: list[Entry] = []
    told = 0
    for listed in part.each("refunds"):
        told += listed.whole("amount") or 0
        # What was authorised and never captured is given back as a refund, too; no money moves.
        if released <= 0 or listed.part.get("balance_transaction") is not None:
            entries += refund(message, listed, part)
    if (part.whole("amount_refunded") or 0) > told:
        entries.append(message.acknowledged("refunds come by themselves"))
    return entries


def _refunded(message: Message, part: Reading, of: Reading | None) -> list[Entry]:
    """The money of a refund that has gone out, if it has."""
    name = part.needed("id")
    status = part.text("status")
    paid = of or part.inner("charge")
    named = "balance_transaction" in part.part
    moved = part.part.get("balance_transaction") is not None
    if status in ("pending", "requires_action", "canceled") or (status == "failed" and named and not moved):
        return [message.acknowledged()]
    if status not in ("succeeded", "failed", None):
        rule = "must be succeeded, pending, requires_action, canceled or failed"
        return [message.held(name, part, invalid("status", status, rule))]
    if named and not moved:
        return [message.held(name, part, row_fault(MessageCode.MOVED, "balance_transaction", ""))]
    original = paid.needed("id") if paid is not None else part.text("charge")
    if original is None:
        return [message.unsupported(name, part, "a refund of no charge")]
    return [message.entry(name, part, lambda: _refund(message, part, paid, original))]


def _returned(message: Message, part: Reading, of: Reading | None) -> Entry:
    """The money of a failed refund that has come back."""
    paid = of or part.inner("charge")
    return message.entry(f"{part.needed('id')}:failed", part, lambda: _failed(message, part, paid, of))


def _payment(message: Message, part: Reading) -> dict[str, Any]:
    currency = part.currency()
    captured = part.minor_or_none("amount_captured", currency)
    amount = part.minor("amount", currency) if captured is None else captured
    moved = _moved(message, part, "balance_transaction", currency, amount)
    fee = moved.minor("fee", currency) if moved is not None else 0
    paid = part.id("invoice")
    return {
        "command": "RecordPayment",
        "customer": message.customer(part) or message.house(part),
        "currency": currency,
        "number": part.needed("id"),
        "effective_on": message.day(moved or part, "created"),
        "method": message.settings.method,
        "amount": amount,
        "deductions": [{"reason": message.settings.fee_reason, "amount": fee}] if fee else [],
        "remittance": [{"number": paid}] if paid else [],
    }


def _refund(message: Message, part: Reading, paid: Reading | None, original: str) -> dict[str, Any]:
    currency = part.currency()
    amount = part.minor("amount", currency)
    moved = _moved(message, part, "balance_transaction", currency, -amount)
    _check_no_fee(moved, currency)
    command = {
        "command": "RecordRefund",
        "nature": "fact",
        "customer": message.customer(part, paid) or message.house(paid),
        "currency": currency,
        "number": part.needed("id"),
        "effective_on": message.day(moved or part, "created"),
        "method": message.settings.method,
        "amount": amount,
        "original_payment": {"kind": "payment", "number": original},
    }
    return with_customer(command)


def _failed(message: Message, part: Reading, paid: Reading | None, of: Reading | None) -> dict[str, Any]:
    """The money of a refund has come back, on the day of its balance transaction, or on which we were told."""
    currency = part.currency()
    moved = _moved(message, part, "failure_balance_transaction", currency, part.minor("amount", currency))
    _check_no_fee(moved, currency)
    moved = moved or part.inner("failure_balance_transaction")
    if moved is not None:
        failed_on = message.day(moved, "created")
    elif message.told_at is not None and of is None:
        failed_on = message.day(Reading({"created": message.told_at}), "created")
    else:
        value = part.id("failure_balance_transaction")
        raise MessageFault(row_fault(MessageCode.FAILED_ON, part.path("failure_balance_transaction"), value))
    command = {
        "command": "ReverseDocument",
        "customer": message.customer(part, paid) or message.house(paid),
        "currency": currency,
        "document": {"kind": "refund", "number": part.needed("id")},
        "mode": "failed",
        "effective_on": failed_on,
    }
    return with_customer(command)


def _moved(message: Message, part: Reading, field: str, currency: str, amount: int) -> Reading | None:
    """The balance transaction by which ``amount`` came, where fees are deducted; it must agree with what it is of."""
    if message.settings.fees == "apart":
        return None
    moved = part.inner(field)
    if moved is None:
        raise MessageFault(row_fault(MessageCode.FEE, part.path(field), part.text(field)))
    if moved.currency() != currency:
        detail = f"settled in another currency than {currency}"
        path = moved.path("currency")
        raise MessageFault(row_fault(MessageCode.NOT_SUPPORTED, path, moved.currency(), detail))
    if moved.minor("amount", currency) != amount:
        raise moved.fault("amount", f"must be {amount}, the amount that it is of")
    net = moved.minor_or_none("net", currency)
    if net is not None and net != amount - moved.minor("fee", currency):
        raise moved.fault("net", "must be the amount less the fee")
    return moved


def _check_no_fee(moved: Reading | None, currency: str) -> None:
    if moved is not None and moved.minor("fee", currency):
        detail = "a refund with a fee of its own"
        raise MessageFault(
            row_fault(MessageCode.NOT_SUPPORTED, moved.path("fee"), moved.minor("fee", currency), detail)
        )
