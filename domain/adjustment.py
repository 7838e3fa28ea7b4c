"""Adjustments 往来调整: a part of one item is taken off for a reason, without cash.

A debit item is reduced against the reason's account (and tax), a credit item likewise from the other side. Adjustments
within tolerance are limited per item, all together, by the book's limit for the currency.
"""

from collections.abc import Sequence
from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, check_each_limit, check_positive, terms
from domain.commands import PostAdjustment
from domain.documents import document_id, document_of
from domain.draft import Draft, Named
from domain.events import AdjustmentPosted, Posting, Side, Tax
from domain.history import History
from domain.items import OpenItem
from domain.money import apportion, share
from domain.refusals import Code, Refusal
from domain.template import OUTPUT_TAX

TOLERANCE_REASONS = frozenset({"short_payment", "small_balance", "overpayment_kept"})
"""Reasons that a book's tolerance limits, where it has one for the currency."""


def post_adjustment(account: Account, named: Named, command: PostAdjustment, book: Book, today: date) -> Draft:
    """AdjustmentPosted. Refuses an unknown reason, an item that is not open, more than is open, or beyond tolerance."""
    document = document_id("adjustment", command.series, command.number, command.revision)
    owner = named.get(document_of(command.item))
    linked = named.get(command.linked_to.document) if command.linked_to else None
    check_currency(account, owner, linked)
    check_positive(command.amount, "amount")
    check_each_limit([tax.base for tax in command.tax], "tax", "base")
    check_each_limit([tax.amount for tax in command.tax], "tax")
    check_accounting_date(command.effective_on, book, today)
    item = account.items.get(command.item)
    if item is not None and item.open >= command.amount > item.room(command.effective_on):
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    taxed = sum(tax.amount for tax in command.tax)
    if not 0 <= taxed <= command.amount:
        raise Refusal(Code.LINES_AND_TAX, "tax", taxed)
    role = book.role_of_reason(command.reason_code, "reason_code")
    check_account(account, owner, "item")
    linked_to = command.linked_to.document if command.linked_to else None
    if linked_to is not None and (linked is None or not linked.booked or linked.stream != account.stream):
        raise Refusal(Code.ITEMS_SHARE_ACCOUNT, "linked_to", linked_to)
    if item is None:
        raise Refusal(Code.ITEM_OPEN, "item", command.item)
    if command.amount > item.open:
        raise Refusal(Code.ADJUSTMENT, "amount", f"{command.amount} (open: {item.open})")
    limit = book.tolerance(command.currency, item.amount)
    if limit is not None and command.reason_code in TOLERANCE_REASONS:
        check_tolerance(owner, item, command.amount, limit)
    tax = [Tax(one.code, one.rate, one.base, one.amount) for one in command.tax]
    draft = Draft(account, book, command, document)
    adjust(draft, item, command.amount, (command.reason_code, role), command.effective_on, tax, linked_to)
    return draft


def adjust(
    draft: Draft,
    item: OpenItem,
    amount: int,
    reason: tuple[str, str],
    on: date,
    tax: Sequence[Tax] = (),
    linked_to: str | None = None,
) -> None:
    """The AdjustmentPosted by which the draft's document takes an amount from an item; ``reason`` with its role."""
    assert draft.caused_by is not None
    base = share(item.open_base, amount, item.open)
    draft.emit(
        AdjustmentPosted(
            **terms(draft.command, draft.book),
            effective_on=on,
            postings=_postings(item, reason[1], amount, base, tax, draft.book),
            document=draft.caused_by,
            item=item.item,
            reason_code=reason[0],
            amount=amount,
            base_amount=base,
            tax=list(tax),
            linked_to=linked_to,
        )
    )


def check_tolerance(history: History | None, item: OpenItem, amount: int, limit: int) -> None:
    """Refuses what is beyond the limit of an item, all adjustments within tolerance taken together."""
    used = 0 if history is None else adjusted(history, item.item, TOLERANCE_REASONS)
    if used + amount > limit:
        raise Refusal(Code.TOLERANCE, "amount", f"{amount} (limit: {limit}, used: {used})")


def adjusted(history: History, item: str, reasons: frozenset[str]) -> int:
    """What live adjustments have taken from an item for these reasons."""
    events = [source.event for source in history.adjustments.values()]
    return sum(
        one.amount
        for one in events
        if isinstance(one, AdjustmentPosted) and one.item == item and one.reason_code in reasons
    )


def _postings(item: OpenItem, role: str, amount: int, base: int, tax: Sequence[Tax], book: Book) -> list[Posting]:
    """The item's account on its closing side; the reason's account and tax on the other."""
    closing: Side = "C" if item.side == "D" else "D"
    taxed = sum(one.amount for one in tax)
    net_base, tax_base = apportion(base, [amount - taxed, taxed])
    account, tax_account = book.account_of_role(role, "reason_code"), book.account_of_role(OUTPUT_TAX, "tax")
    postings = [
        Posting(role, account, item.side, amount - taxed, net_base, None, item.dimensions),
        Posting(OUTPUT_TAX, tax_account, item.side, taxed, tax_base, None, item.dimensions),
    ]
    postings = [posting for posting in postings if posting.amount or posting.base_amount]
    postings.append(Posting(item.role, item.account, closing, amount, base, item.item, item.dimensions))
    return postings
