"""Vouchers of a book as a whole: what they share, and that their evidence is of the book as it stands.

They stand in the book's stream and post in its base currency, to accounts that have no open items. Their evidence is
collected from the projections and given in the command; each changes the book's version, so that the same evidence is
never posted twice, whoever posts at the same time.
"""

from typing import Any

from domain.book import Book
from domain.commands import CommandBase
from domain.events import Posting, Side
from domain.refusals import Code, Refusal


def check_evidence(book: Book, version: int) -> None:
    """Refuses evidence that was collected before the book's last event: it would be posted twice, or by other rules."""
    if version != book.version:
        raise Refusal(Code.EVIDENCE, "book_version", f"{version} (book: {book.version})")


def transfer(
    accounts: dict[str, str], debit: str, credit: str, amount: int, dimensions: dict[str, str] | None = None
) -> list[Posting]:
    """An amount from the credited role to the debited one, in base currency; the other way round, if it is negative."""
    sides: tuple[tuple[str, Side], ...] = ((debit, "D"), (credit, "C"))
    if amount < 0:
        sides = ((credit, "D"), (debit, "C"))
    size = abs(amount)
    return [Posting(role, accounts[role], side, size, size, None, dimensions or {}) for role, side in sides]


def book_terms(command: CommandBase, book: Book) -> dict[str, Any]:
    """What the vouchers of a command for a book as a whole share."""
    return {
        "source": command.source,
        "source_id": command.source_id,
        "actor": command.actor,
        "reason": command.reason,
        "sequence": command.sequence,
        "template": book.template.version,
        "currency": book.base_currency,
    }
