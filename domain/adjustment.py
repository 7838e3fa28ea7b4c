"""Adjustments 往来调整: a part of one item is taken off for a reason, without cash.

A debit item is reduced against the reason's account (and tax), a credit item likewise from the other side. Adjustments
within tolerance are limited per item, all together, by the book's limit for the currency.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, check_each_limit, check_positive, terms
from domain.commands import PostAdjustment
from domain.documents import document_id, document_of
from domain.draft import Draft, Named
from domain.events import AdjustmentPosted, Posting, Side, Tax
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
    _check_tolerance(named, command, book)
    base = share(item.open_base, command.amount, item.open)
    event = AdjustmentPosted(
        **terms(command, book),
        effective_on=command.effective_on,
        postings=_postings(item, role, command, book, base),
        document=document,
        item=item.item,
        reason_code=command.reason_code,
        amount=command.amount,
        base_amount=base,
        tax=[Tax(tax.code, tax.rate, tax.base, tax.amount) for tax in command.tax],
        linked_to=linked_to,
    )
    draft = Draft(account, book, command, document)
    draft.emit(event)
    return draft


def _check_tolerance(named: Named, command: PostAdjustment, book: Book) -> None:
    limit = book.tolerances.get(command.currency)
    if limit is None or command.reason_code not in TOLERANCE_REASONS:
        return
    history = named.get(document_of(command.item))
    used = 0
    for source in history.adjustments.values() if history is not None else ():
        event = source.event
        assert isinstance(event, AdjustmentPosted)
        if event.item == command.item and event.reason_code in TOLERANCE_REASONS:
            used += event.amount
    if used + command.amount > limit:
        raise Refusal(Code.TOLERANCE, "amount", f"{command.amount} (limit: {limit}, used: {used})")


def _postings(item: OpenItem, role: str, command: PostAdjustment, book: Book, base: int) -> list[Posting]:
    """The item's account on its closing side; the reason's account and tax on the other."""
    closing: Side = "C" if item.side == "D" else "D"
    taxed = sum(tax.amount for tax in command.tax)
    net_base, tax_base = apportion(base, [command.amount - taxed, taxed])
    postings = [
        Posting(
            role,
            book.account_of_role(role, "reason_code"),
            item.side,
            command.amount - taxed,
            net_base,
            None,
            item.dimensions,
        ),
        Posting(OUTPUT_TAX, book.account_of_role(OUTPUT_TAX, "tax"), item.side, taxed, tax_base, None, item.dimensions),
    ]
    postings = [posting for posting in postings if posting.amount or posting.base_amount]
    postings.append(Posting(item.role, item.account, closing, command.amount, base, item.item, item.dimensions))
    return postings
