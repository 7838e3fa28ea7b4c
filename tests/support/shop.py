"""A small book and short ways to write its commands, for tests that go through a real ledger."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from domain.commands import (
    Allocate,
    DismissMessage,
    DocumentRef,
    Instalment,
    IssueCreditNote,
    IssueInvoice,
    Line,
    OpenBook,
    RecordPayment,
    RecordRefund,
    ReverseDocument,
)
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Submission, Unreadable
from ledger.store import create

NOW_US = int(datetime.fromisoformat("2026-06-30T12:00:00+00:00").timestamp()) * 1_000_000

Meanwhile = Callable[[Ledger, Callable[[], object]], None]
"""``meanwhile(ledger, do)``, a fixture: ``do`` happens once, between the ledger's next decision and its commit."""


@contextmanager
def opened(location: Location, *, base_currency: str = "CNY", **book: Any) -> Iterator[Ledger]:
    """A ledger on a new (or the same) store with the book ``main``."""
    create(location)
    with Ledger.open(location) as ledger:
        command = OpenBook(source="test", source_id="open", book="main", base_currency=base_currency, **book)
        ledger.submit([Submission(command)], now_us=NOW_US)
        yield ledger


def submit(ledger: Ledger, *commands: Any, **options: Any) -> list[Outcome]:
    """The outcomes of commands in one batch, on a fixed clock."""
    return ledger.submit([Submission(command) for command in commands], now_us=NOW_US, **options)


def unreadable(book: str, raw: str, **more: Any) -> Unreadable:
    """A message that is no command, on its way into quarantine."""
    known = {"source": "shop", "source_id": None, "origin": "file:abc:7", "code": "command_must_be_valid"}
    return Unreadable(book, raw=raw, **known | {"field": "", "value": "", "rule": "must be JSON"} | more)


def dismissal(entry: int, reason: str = "sent by mistake", **more: Any) -> DismissMessage:
    """A message in quarantine is given up."""
    given = {"source": "desk", "source_id": f"dismiss-{entry}", "actor": "wang", "book": "main", "reason": reason}
    return DismissMessage(**given | {"entry": entry} | more)


def day(text: str) -> date:
    """A day of 2026 from ``mm-dd``."""
    return date.fromisoformat(f"2026-{text}")


def account(customer: str = "C1", currency: str = "CNY") -> dict[str, Any]:
    """The fields that name a customer account."""
    return {"source": "test", "book": "main", "customer": customer, "currency": currency}


def invoice(number: str, total: int, on: str = "01-05", due: str | None = None, **fields: Any) -> IssueInvoice:
    """An invoice of one line and one instalment."""
    effective_on = day(on)
    due_on = day(due) if due else effective_on
    who = account(fields.pop("customer", "C1"), fields.pop("currency", "CNY"))
    given = {
        "source_id": f"invoice-{number}",
        "lines": [Line(net=total)],
        "instalments": [Instalment(due_on=due_on, amount=total)] if total else [],
    } | fields
    return IssueInvoice(**(who | {"number": number, "effective_on": effective_on, "total": total} | given))


def credit_note(number: str, total: int, on: str = "01-20", **fields: Any) -> IssueCreditNote:
    """A credit note of one line."""
    who = account(fields.pop("customer", "C1"), fields.pop("currency", "CNY"))
    given = {"source_id": f"credit-note-{number}", "lines": [Line(net=total)]} | fields
    return IssueCreditNote(**(who | {"number": number, "effective_on": day(on), "total": total} | given))


def payment(number: str, amount: int, on: str = "02-01", **fields: Any) -> RecordPayment:
    """A payment by bank."""
    who = account(fields.pop("customer", "C1"), fields.pop("currency", "CNY"))
    given = {"source_id": f"payment-{number}"} | fields
    return RecordPayment(**(who | {"number": number, "effective_on": day(on), "amount": amount} | given))


def refund(number: str, amount: int, of: str | None = None, on: str = "03-01", **fields: Any) -> RecordRefund:
    """A refund, of a payment by its number if given."""
    who = account(fields.pop("customer", "C1"), fields.pop("currency", "CNY"))
    original = DocumentRef(kind="payment", number=of) if of else None
    given = {"source_id": f"refund-{number}", "original_payment": original} | fields
    return RecordRefund(**(who | {"number": number, "effective_on": day(on), "amount": amount} | given))


def reversal(kind: str, number: str, **fields: Any) -> ReverseDocument:
    """The reversal of a document as an error."""
    who = account(fields.pop("customer", "C1"), fields.pop("currency", "CNY"))
    document = DocumentRef(kind=kind, number=number)  # type: ignore[arg-type]
    given = {"source_id": f"reverse-{kind}-{number}", "document": document} | fields
    return ReverseDocument(**(who | given))


def allocation(source_id: str, **fields: Any) -> Allocate:
    """An allocation by hand."""
    return Allocate(**(account(fields.pop("customer", "C1")) | {"source_id": source_id} | fields))
