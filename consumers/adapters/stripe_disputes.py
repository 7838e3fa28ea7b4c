"""Stripe's disputes → commands: what a dispute withdraws is a chargeback, what it gives back a reinstatement.

The facts are a dispute's balance transactions, which it always brings: negative is withdrawn, positive given back. A
dispute that has moved no money, as an inquiry, means nothing for receivables.
"""

from typing import Any

from consumers.adapters.adapter import MessageFault
from consumers.adapters.stripe_message import Message, Reading, with_customer
from consumers.problems import MessageCode, row_fault
from ledger.outcomes import Entry

CATEGORIES = frozenset({"dispute", "dispute_reversal"})
"""What a balance transaction of type ``adjustment`` is of, if it is of a dispute."""


def dispute(message: Message, part: Reading) -> list[Entry]:
    """The return of the charge, and its reinstatement, as far as money has moved."""
    name = part.needed("id")
    if "balance_transactions" not in part.part:
        return [message.unsupported(name, part, "a dispute without its balance transactions")]
    entries: list[Entry] = []
    seen: set[bool] = set()
    for move in part.each("balance_transactions"):
        amount = move.whole("amount") or 0
        if amount == 0:
            entries.append(message.unsupported(move.text("id"), part, "a dispute's fee by itself"))
            continue
        withdrawn = amount < 0
        # The first of each is the dispute's own; another one, which is rare, has its transaction's name.
        number = name if withdrawn not in seen else move.needed("id")
        seen.add(withdrawn)
        if withdrawn:
            entries.append(message.entry(number, part, lambda m=move, n=number: _withdrawn(message, part, m, n)))  # type: ignore[misc]
        else:
            source_id = f"{number}:reinstated"
            entries.append(message.entry(source_id, part, lambda m=move, n=number: _given_back(message, part, m, n)))  # type: ignore[misc]
    return entries or [message.acknowledged("no money has moved")]


def _withdrawn(message: Message, part: Reading, move: Reading, number: str) -> dict[str, Any]:
    charge = part.id("charge")
    if charge is None:
        raise part.fault("charge", "must be given")
    payment = {"kind": "payment", "number": charge}
    command = {"command": "ReturnPayment", "kind": "chargeback", "payment": payment}
    return with_customer(command | _money(message, part, move, number, 1))


def _given_back(message: Message, part: Reading, move: Reading, number: str) -> dict[str, Any]:
    returned = {"kind": "return", "number": part.needed("id")}
    command = {"command": "ReinstatePayment", "returned": returned}
    return with_customer(command | _money(message, part, move, number, -1))


def _money(message: Message, part: Reading, move: Reading, number: str, direction: int) -> dict[str, Any]:
    """Who and how much. ``direction``: 1 for what went out. Where fees are kept apart the fee is not looked at."""
    currency = part.currency()
    charge = part.inner("charge")
    fee = 0
    if move.currency() == currency:
        amount = abs(move.minor("amount", currency))
    elif message.settings.fees == "apart":
        amount = part.minor("amount", currency)
    else:
        detail = f"settled in another currency than {currency}"
        raise MessageFault(row_fault(MessageCode.NOT_SUPPORTED, move.path("currency"), move.currency(), detail))
    if message.settings.fees == "deducted":
        fee = direction * (move.minor_or_none("fee", currency) or 0)
        if fee < 0:
            raise MessageFault(
                row_fault(MessageCode.NOT_SUPPORTED, move.path("fee"), fee, "a fee that goes the other way")
            )
    return {
        "customer": message.customer(part, charge) or message.house(charge),
        "currency": currency,
        "number": number,
        "effective_on": message.day(move, "created"),
        "amount": amount,
        "fee": fee,
    }
