"""Rounding off 尾差: what payments have left open of an item they settle is taken off, if it is little enough.

A run of its own and never a part of booking a payment: what is left over depends on what has arrived, and an adjustment
changes the account's net, so that the order of arrival would change balances (identity 8). What each rule needs comes
from the facts and from what is settled, not from when it was recorded:

- a debit item is rounded off when a payment settles it and nothing in the account could settle the rest;
- as its cash discount, if the payments of the last discount day or before fell short by at most that: ``percent`` of
  the item less what credit notes took;
- else within the book's tolerance, all such adjustments of an item together: a short payment if the last payment named
  the document, a small balance if not;
- a payment's own item when a part of it settles something, nothing is left to settle and no document is waited for.

All that is open is taken, linked to the last payment that settled the item (of a discount: in time), and undone with it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from domain.account import Account
from domain.adjustment import adjust, adjusted, check_tolerance
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency
from domain.commands import RoundOff
from domain.documents import document_id, document_of, reference_of
from domain.draft import Draft, Named
from domain.events import InvoiceIssued, PaymentReceived
from domain.history import History, LiveAllocation
from domain.items import OpenItem
from domain.money import percent_of
from domain.refusals import Code, Refusal
from domain.template import RECEIVABLE, UNAPPLIED

CASH_DISCOUNT = "cash_discount"


class Settled(NamedTuple):
    """What a payment has settled of an item."""

    payment: PaymentReceived
    amount: int


def round_off(account: Account, named: Named, command: RoundOff, book: Book, today: date) -> Draft:
    """AdjustmentPosted. Refuses a day before the item's last movement, and what the rules above do not allow."""
    document = document_id("adjustment", command.series, command.number, command.revision)
    owner = named.get(document_of(command.item))
    check_currency(account, owner)
    check_accounting_date(command.effective_on, book, today)
    item = account.items.get(command.item)
    if item is not None and command.effective_on < item.movements[-1][0]:
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    check_account(account, owner, "item")
    if item is None or owner is None:
        raise Refusal(Code.ITEM_OPEN, "item", command.item)
    links = [link for link in owner.allocations.values() if item.item in (link.credit_item, link.debit_item)]
    payments = sorted(
        _payments(links, named.histories), key=lambda one: (one.payment.effective_on, one.payment.document)
    )
    if not payments or item.role not in (RECEIVABLE, UNAPPLIED):
        raise Refusal(Code.LEFT_BY_PAYMENT, "item", item.item)
    other = _settles_otherwise(account, item)
    if other is not None:
        raise Refusal(Code.SETTLED_OTHERWISE, "item", other)
    last = _discounted(owner, item, links, payments)
    reason = CASH_DISCOUNT
    if last is None:
        last = payments[-1].payment
        reason = _reason(item, last)
        check_tolerance(owner, item, item.open, book.tolerance(command.currency, item.amount) or 0)
    draft = Draft(account, book, command, document)
    role = book.role_of_reason(reason, "reason_code")
    adjust(draft, item, item.open, (reason, role), command.effective_on, linked_to=last.document)
    return draft


def _payments(links: Iterable[LiveAllocation], histories: Mapping[str, History]) -> list[Settled]:
    found = []
    for link in links:
        history = histories.get(document_of(link.credit_item))
        if history is not None and isinstance(history.own, PaymentReceived):
            found.append(Settled(history.own, link.amount))
    return found


def _settles_otherwise(account: Account, item: OpenItem) -> str | None:
    """What is open, and could settle the item or be settled by it."""
    if item.side == "C":
        waits = account.unreserved(item) < item.open
        return item.item if waits else next((key[-1] for key in account.debits), None)
    for _, name in account.credits:
        credit = account.items[name]
        if credit.role in (RECEIVABLE, UNAPPLIED) and account.unreserved(credit):
            return name
    return None


def _discounted(
    owner: History, item: OpenItem, links: Iterable[LiveAllocation], payments: Iterable[Settled]
) -> PaymentReceived | None:
    """The last payment in time, if what was open after it is within the cash discount."""
    own = owner.own
    if not isinstance(own, InvoiceIssued) or own.discount is None:
        return None
    in_time = [one for one in payments if one.payment.value_on <= own.discount.until_on]
    paid = sum(one.amount for one in payments)
    credited = sum(link.amount for link in links) - paid
    late = paid - sum(one.amount for one in in_time)
    used = adjusted(owner, item.item, frozenset({CASH_DISCOUNT}))
    if in_time and item.open + late + used <= percent_of(item.amount - credited, own.discount.percent):
        return in_time[-1].payment
    return None


def _reason(item: OpenItem, last: PaymentReceived) -> str:
    if item.side == "C":
        return "overpayment_kept"
    named = {entry.reference for entry in last.remittance}
    return "short_payment" if reference_of(document_of(item.item)) in named else "small_balance"
