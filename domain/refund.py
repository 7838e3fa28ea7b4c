"""Refunds 退款: cash out against what the customer has in credit.

Funding, unless the command names it: the original payment's unapplied part; other credit items, oldest first, never a
security deposit; releases of that payment's own allocations, newest first, as far as needed; then excess, which opens a
debit item. An instruction must be funded in full; a fact is booked with its excess and flagged. An original that is
unknown is awaited. Each taking needs room on the refund's date; a release is dated the refund's date, or that of the
allocation, if that is later, and only what makes room is released.
"""

from collections.abc import Sequence
from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import (
    base_total,
    check_account,
    check_accounting_date,
    check_currency,
    check_each_positive,
    check_limit,
    check_positive,
    terms,
)
from domain.commands import RecordRefund
from domain.documents import document_id, document_of, item_id
from domain.draft import Draft, Named
from domain.events import PaymentReceived, Posting, RefundPaid
from domain.funding import CreditTaken
from domain.history import History
from domain.money import share
from domain.refusals import Code, Refusal
from domain.settlement import exchange_posting, settle, spend_unapplied
from domain.template import RECEIVABLE, SECURITY


def record_refund(account: Account, named: Named, command: RecordRefund, book: Book, today: date) -> Draft:
    """The releases that it needs, RefundPaid, and what settles its excess. The original must be known (else it waits).

    Refuses an instruction for more than can be refunded, or that is not funded in full on its date.
    """
    document = document_id("refund", command.series, command.number, command.revision)
    original = _original(named, command)
    sources = [named.get(document_of(part.item)) for part in command.funded_by]
    check_currency(account, original, *sources)
    base = base_total(book, account.currency, command.amount, command.rate, command.base_total)
    check_positive(command.amount, "amount")
    check_each_positive([part.amount for part in command.funded_by], "funded_by")
    check_limit(base, "base_total")
    check_accounting_date(command.effective_on, book, today)
    draft = Draft(account, book, command, document)
    funding = _fund(draft, named, command, original, command.effective_on)
    instruction = command.nature == "instruction"
    # Not funded today, but on the last of days: then it is the date that is wrong.
    if (
        instruction
        and funding.left
        and not _fund(Draft(account, book, command), named, command, original, date.max).left
    ):
        raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    cash = book.account_of_method(command.method)
    _check_sources(account, command, original, sources)
    if instruction:
        _check_refundable(account, command, original)
    if instruction and funding.left:
        raise Refusal(Code.FUNDED, "amount", f"{command.amount} (funded: {command.amount - funding.left})")
    event = _refund_paid(draft, command, document, base, cash, funding)
    draft.emit(event)
    if event.excess and not account.is_house:
        if original is not None:
            settle(draft, item_id(original.document, 1), [item_id(document, 1)], None)
        spend_unapplied(draft)
    return draft


def _refund_paid(
    draft: Draft, command: RecordRefund, document: str, base: int, cash: str, funding: "CreditTaken"
) -> RefundPaid:
    """The excess takes its share of the cash's base; the rest against what is relieved is exchange difference."""
    book, excess = draft.book, funding.left
    excess_base = share(base, excess, command.amount) if excess else 0
    parts, postings = funding.postings()
    if excess:
        receivable = book.account_of_role(RECEIVABLE, "customer")
        item_name = item_id(document, 1)
        postings.append(Posting(RECEIVABLE, receivable, "D", excess, excess_base, item_name, command.dimensions))
    postings.append(Posting("cash", cash, "C", command.amount, base, None, command.dimensions))
    postings.extend(exchange_posting(book, base - excess_base - sum(part.base_amount for part in parts)))
    return RefundPaid(
        **terms(command, book),
        effective_on=command.effective_on,
        flags=["refund_exceeds_funding"] if excess else [],
        postings=postings,
        document=document,
        amount=command.amount,
        base_amount=base,
        rate=command.rate,
        value_on=command.value_on or command.effective_on,
        method=command.method,
        original_payment=command.original_payment.document if command.original_payment else None,
        funded_by=parts,
        excess=excess,
        dimensions=command.dimensions,
    )


def _fund(draft: Draft, named: Named, command: RecordRefund, original: History | None, on: date) -> CreditTaken:
    """Fund a refund on a day, from the items that it names or in the usual order; nothing of other accounts."""
    funding = CreditTaken(draft, named, on, command.amount)
    for part in command.funded_by:
        source = named.get(document_of(part.item))
        if source is None or source.stream != draft.account.stream:
            continue
        wanted = min(part.amount, funding.left)
        wanted -= funding.take(part.item, wanted)
        for link in source.newest_first():
            if link.credit_item == part.item and wanted:
                wanted -= funding.release_and_take(link, wanted)
    if command.funded_by:
        return funding
    if original is not None and original.stream != draft.account.stream:
        original = None
    own = item_id(original.document, 1) if original is not None else None
    if own is not None:
        funding.take(own, funding.left)
    for credit in draft.credits():
        if not funding.left:
            break
        if credit.item != own and credit.role != SECURITY:
            funding.take(credit.item, funding.left)
    for link in original.newest_first() if original is not None else ():
        if funding.left:
            funding.release_and_take(link, funding.left)
    return funding


def _original(named: Named, command: RecordRefund) -> History | None:
    if command.original_payment is None:
        return None
    name = command.original_payment.document
    history = named.get(name)
    assert history is not None, f"{name} is unknown: the refund waits and is not decided"
    return history


def _check_sources(
    account: Account, command: RecordRefund, original: History | None, sources: Sequence[History | None]
) -> None:
    """The original and the items named must be credit items of this account; only a fact may name what is unknown."""
    check_account(account, original, "original_payment")
    for n, source in enumerate(sources):
        check_account(account, source, f"funded_by.{n}.item")
    for n, (part, source) in enumerate(zip(command.funded_by, sources, strict=True)):
        known = source is not None and part.item in source.items and source.items[part.item].side == "C"
        if not known and (source is not None or command.nature == "instruction"):
            raise Refusal(Code.CREDIT_ITEM_OPEN, f"funded_by.{n}.item", part.item)


def _check_refundable(account: Account, command: RecordRefund, original: History | None) -> None:
    """Of the original, what was not refunded yet; with no original, what credit items have open."""
    if original is not None:
        refundable = 0
        if original.booked and isinstance(original.own, PaymentReceived):
            refundable = original.own.amount - original.refunded - original.returned
    elif command.funded_by:
        # Named items are released as far as needed: being funded in full is all that is asked of them.
        return
    else:
        open_credits = (account.items[name] for _, name in account.credits)
        refundable = sum(item.open for item in open_credits if item.role != SECURITY)
    if command.amount > refundable:
        raise Refusal(Code.REFUNDABLE, "amount", f"{command.amount} (refundable: {refundable})")
