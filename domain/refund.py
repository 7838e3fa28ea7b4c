"""Refunds 退款: cash out against what the customer has in credit.

Funding, unless the command names it: the original payment's unapplied part; other credit items, oldest first, never a
security deposit; releases of that payment's own allocations, newest first, as far as needed; then excess, which opens a
debit item. An instruction must be funded in full; a fact is booked with its excess and flagged. An original that is
unknown is awaited. Each taking needs room on the refund's date; a release is dated the refund's date, or that of the
allocation, if that is later.
"""

from datetime import date

from domain.account import Account
from domain.billing import spend_unapplied
from domain.book import Book
from domain.checks import base_total, check_horizon, check_positive, terms
from domain.commands import RecordRefund
from domain.documents import document_id, document_of, item_id
from domain.draft import Draft, Named
from domain.events import Funding, PaymentReceived, Posting, RefundPaid, Voucher
from domain.history import History
from domain.items import OpenItem
from domain.money import share
from domain.refusals import Code, Refusal
from domain.settlement import exchange_posting, release
from domain.template import RECEIVABLE


def record_refund(account: Account, named: Named, command: RecordRefund, book: Book, today: date) -> list[Voucher]:
    """The releases that it needs, RefundPaid, and what settles its excess. The original must be known (else it waits).

    Refuses an instruction for more than can be refunded, or that is not funded in full on its date.
    """
    document = document_id("refund", command.series, command.number, command.revision)
    original = _original(account, named, command)
    base = base_total(book, account.currency, command.amount, command.rate, command.base_total)
    check_positive(command.amount, "amount")
    for n, part in enumerate(command.funded_by):
        check_positive(part.amount, f"funded_by.{n}.amount")
    check_horizon(command.effective_on, book, today)
    cash = book.account_of_method(command.method)
    draft = Draft(account, book, command, document)
    funding = _Funding(draft, named, command, document)
    if command.nature == "instruction":
        refundable = _refundable(draft, original)
        if command.amount > refundable and not command.funded_by:
            raise Refusal(Code.REFUNDABLE, "amount", f"{command.amount} (refundable: {refundable})")
    if command.funded_by:
        funding.take_named()
    else:
        funding.take_default(original)
    if funding.left and command.nature == "instruction":
        later = command.amount - funding.left + funding.short_on_date >= command.amount
        raise Refusal(Code.DATE_PRECEDES_ITEM if later else Code.FUNDED, "amount", command.amount)
    excess = funding.left
    relieved = sum(part.base_amount for part in funding.parts)
    excess_base = share(base, excess, command.amount) if excess else 0
    postings = list(funding.postings)
    if excess:
        receivable = book.account_of_role(RECEIVABLE, "customer")
        item = item_id(document, 1)
        postings.append(Posting(RECEIVABLE, receivable, "D", excess, excess_base, item, command.dimensions))
    postings.append(Posting("cash", cash, "C", command.amount, base, None, command.dimensions))
    postings.extend(exchange_posting(book, base - excess_base - relieved))
    event = RefundPaid(
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
        funded_by=funding.parts,
        excess=excess,
        dimensions=command.dimensions,
    )
    if excess:
        draft.emit(event)
        if not account.is_house and book.allocation != "none":
            spend_unapplied(draft)
    else:
        draft.add(event)
    return draft.events


class _Funding:
    """Taking the refund's amount from credit items, releasing where needed; ``left`` is what is not funded yet."""

    def __init__(self, draft: Draft, named: Named, command: RecordRefund, document: str) -> None:
        self.draft = draft
        self.named = named
        self.command = command
        self.document = document
        self.on = command.effective_on
        self.left = command.amount
        self.short_on_date = 0
        self.parts: list[Funding] = []
        self.postings: list[Posting] = []

    def take_named(self) -> None:
        """From the items that the command names, each from its own releases if need be."""
        for n, part in enumerate(self.command.funded_by):
            history = self.named.get(document_of(part.item))
            if history is None or part.item not in history.items or history.items[part.item].side != "C":
                raise Refusal(Code.CREDIT_ITEM_OPEN, f"funded_by.{n}.item", part.item)
            if history.stream != self.draft.account.stream:
                raise Refusal(Code.ITEMS_SHARE_ACCOUNT, f"funded_by.{n}.item", part.item)
            wanted = min(part.amount, self.left)
            self._release_for(history, part.item, wanted)
            self._take(part.item, wanted)

    def take_default(self, original: History | None) -> None:
        """The original's unapplied part, other credit items, the original's allocations."""
        own = item_id(original.document, 1) if original is not None and original.booked else None
        if own is not None:
            self._take(own, self.left)
        others = [item.item for item in self.draft.credits() if item.role != "security" and item.item != own]
        for name in others:
            if not self.left:
                return
            self._take(name, self.left)
        if own is not None and original is not None and self.left:
            for link in original.newest_first():
                if not self.left:
                    return
                release(
                    self.draft,
                    self.named,
                    link,
                    max(self.on, link.effective_on),
                    min(link.amount, self.left),
                    self.document,
                )
                self._take(own, self.left)

    def _release_for(self, history: History, name: str, wanted: int) -> None:
        for link in history.newest_first():
            item = self.draft.get(name)
            missing = wanted - (item.room(self.on) if item is not None else 0)
            if missing <= 0:
                return
            if link.credit_item == name:
                on = max(self.on, link.effective_on)
                release(self.draft, self.named, link, on, min(link.amount, missing), self.document)

    def _take(self, name: str, wanted: int) -> None:
        item = self.draft.get(name)
        if item is None:
            return
        amount = min(wanted, item.room(self.on))
        self.short_on_date += min(wanted, item.open) - amount
        if amount == 0:
            return
        base = share(item.open_base, amount, item.open)
        self.draft.put(item.moved(self.on, -amount, -base))
        self._add(item, amount, base)
        self.left -= amount

    def _add(self, item: OpenItem, amount: int, base: int) -> None:
        """One part and one posting an item, however often it was taken from."""
        for n, part in enumerate(self.parts):
            if part.item == item.item:
                amount, base = part.amount + amount, part.base_amount + base
                self.parts[n] = Funding(item.item, amount, base)
                self.postings[n] = _debit(item, amount, base)
                return
        self.parts.append(Funding(item.item, amount, base))
        self.postings.append(_debit(item, amount, base))


def _debit(item: OpenItem, amount: int, base: int) -> Posting:
    return Posting(item.role, item.account, "D", amount, base, item.item, item.dimensions)


def _original(account: Account, named: Named, command: RecordRefund) -> History | None:
    """The original payment's history; it must be of the account that the refund is of."""
    if command.original_payment is None:
        return None
    name = command.original_payment.document
    history = named.get(name)
    assert history is not None, f"{name} is unknown: the refund waits and is not decided"
    if history.stream != account.stream:
        if history.stream.rpartition(":")[0] == account.stream.rpartition(":")[0]:
            raise Refusal(Code.CURRENCY_MUST_MATCH, "currency", account.currency)
        raise Refusal(Code.ITEMS_SHARE_ACCOUNT, "original_payment", name)
    return history


def _refundable(draft: Draft, original: History | None) -> int:
    """What can be refunded: of the original, what was not refunded yet; else what credit items have open."""
    if original is None:
        return sum(item.open for item in draft.credits() if item.role != "security")
    if not original.booked or not isinstance(original.own, PaymentReceived):
        return 0
    return original.own.amount - original.refunded
