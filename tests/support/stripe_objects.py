"""Stripe objects that nobody ever sent, in the shape of its API, and the adapter that reads them."""

from typing import Any

import msgspec

from consumers.adapters.adapter import Entry
from consumers.adapters.stripe import Stripe
from consumers.adapters.stripe_message import Settings
from domain.book import Book, evolve_book, open_book
from domain.commands import OpenBook
from ledger.outcomes import Acknowledged, Submission, Unreadable

AT = 1_706_720_400
"""2024-01-31 17:00 UTC: in Shanghai it is February."""
LATER = AT + 86_400


encode = msgspec.json.Encoder(decimal_format="number").encode
"""As JSON, decimals as numbers with a point."""


def book(**settings: Any) -> Book:
    """The open book ``main``, in euro and UTC unless told otherwise."""
    given = {"source": "test", "source_id": "open", "book": "main", "base_currency": "EUR"} | settings
    made: Book | None = None
    for event in open_book(OpenBook(**given)):
        made = evolve_book(made, event)
    assert made is not None
    return made


def stripe(of: Book | None = None, **settings: Any) -> Stripe:
    """The adapter of the Stripe account ``stripe``."""
    return Stripe("stripe", Settings.model_validate(settings), of or book())


def read(
    message: dict[str, Any] | bytes, key: str | None = None, of: Book | None = None, **settings: Any
) -> list[Entry]:
    """What a message becomes."""
    data = message if isinstance(message, bytes) else encode(message)
    return stripe(of, **settings).read(data, origin="stripe:0:7", lane="stripe:C1", key=key)


def one(message: dict[str, Any], **settings: Any) -> Any:
    """The one command that a message becomes."""
    [entry] = read(message, **settings)
    assert isinstance(entry, Submission), entry
    return entry.command


def held(message: dict[str, Any], **settings: Any) -> Unreadable:
    """The one entry for quarantine that a message becomes."""
    [entry] = read(message, **settings)
    assert isinstance(entry, Unreadable), entry
    return entry


def kinds(entries: list[Entry]) -> list[str]:
    """What entries are, each in a few words."""
    said = []
    for entry in entries:
        if isinstance(entry, Submission):
            said.append(f"{type(entry.command).__name__} {entry.command.source_id}")
        elif isinstance(entry, Unreadable):
            said.append(f"{entry.code} {entry.source_id}")
        else:
            assert isinstance(entry, Acknowledged)
            said.append(f"acknowledged {entry.kind}")
    return said


def event(type_: str, of: dict[str, Any], at: int = LATER, **more: Any) -> dict[str, Any]:
    """A webhook event that brings an object."""
    data = {"object": of} | ({"previous_attributes": more.pop("before")} if "before" in more else {})
    named = {"id": f"evt_{type_}_{of.get('id')}", "object": "event", "type": type_, "created": at, "livemode": True}
    return named | {"data": data} | more


def line(amount: Any, **more: Any) -> dict[str, Any]:
    """A line of an invoice or credit note."""
    return {"id": f"il_{amount}", "object": "line_item", "amount": amount, "currency": "eur"} | more


def invoice(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An open invoice of 100.00 EUR, or of these lines."""
    lines = lines or (line(10_000),)
    total = sum(entry["amount"] for entry in lines if isinstance(entry["amount"], int))
    whole = {
        "id": "in_1",
        "object": "invoice",
        "livemode": True,
        "currency": "eur",
        "customer": "cus_1",
        "number": "ABCD-0001",
        "status": "open",
        "created": AT - 600,
        "effective_at": AT,
        "due_date": None,
        "subtotal": total,
        "total": total,
        "amount_due": total,
        "amount_paid": 0,
        "total_taxes": [],
        "total_discount_amounts": [],
        "lines": {"object": "list", "data": list(lines), "has_more": False},
        "status_transitions": {"finalized_at": AT, "paid_at": None, "voided_at": None},
    }
    return whole | more


def tax(amount: int, base: int | None, rate: Any = "txr_19", *, inclusive: bool = False) -> dict[str, Any]:
    """A tax as the current API has it."""
    behaviour = "inclusive" if inclusive else "exclusive"
    details = {"tax_rate": rate}
    return {"amount": amount, "taxable_amount": base, "tax_behavior": behaviour, "tax_rate_details": details}


def credit_note(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An issued credit note of 30.00 EUR against the invoice, or of these lines."""
    lines = lines or (line(3_000),)
    total = sum(entry["amount"] for entry in lines)
    whole = {
        "id": "cn_1",
        "object": "credit_note",
        "livemode": True,
        "currency": "eur",
        "customer": "cus_1",
        "invoice": "in_1",
        "number": "ABCD-0001-CN-01",
        "status": "issued",
        "created": LATER,
        "effective_at": LATER,
        "total": total,
        "lines": {"object": "list", "data": list(lines), "has_more": False},
    }
    return whole | more


def charge(**more: Any) -> dict[str, Any]:
    """A captured charge of 100.00 EUR."""
    amount = more.get("amount", 10_000)
    whole = {
        "id": "ch_1",
        "object": "charge",
        "livemode": True,
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "captured": True,
        "paid": True,
        "status": "succeeded",
        "currency": "eur",
        "customer": "cus_1",
        "created": AT,
        "balance_transaction": "txn_1",
        "billing_details": {"name": "Jenny Rosen", "email": "jenny@example.com"},
    }
    return whole | more


def refund(**more: Any) -> dict[str, Any]:
    """A refund of 30.00 EUR that has succeeded."""
    whole = {
        "id": "re_1",
        "object": "refund",
        "amount": 3_000,
        "charge": "ch_1",
        "currency": "eur",
        "customer": "cus_1",
        "created": LATER,
        "status": "succeeded",
        "balance_transaction": "txn_2",
    }
    return whole | more


def moved(id_: str, amount: int, fee: int = 0, **more: Any) -> dict[str, Any]:
    """A balance transaction."""
    whole = {
        "id": id_,
        "object": "balance_transaction",
        "amount": amount,
        "fee": fee,
        "net": amount - fee,
        "currency": "eur",
        "created": AT,
        "type": "charge" if amount > 0 else "refund",
    }
    return whole | more
