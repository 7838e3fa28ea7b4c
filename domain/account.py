"""A customer account 客户往来账户 and how events change it.

The state holds open items only, so that an account with a million settled documents costs no more than an empty one;
whatever an event gives back to a settled item, it carries the item's image. ``evolve`` never refuses: it works on a
private copy, which the caller throws away when something fails. Identity 2: what is open is what the postings say.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import msgspec
from sortedcontainers import SortedList

from domain.documents import account_stream, document_of, is_house, item_id, reference_of
from domain.events import (
    AccountTerms,
    AccountTermsChanged,
    AllocationReleased,
    CreditNoteIssued,
    DocumentReversed,
    Event,
    InvoiceIssued,
    ItemTransferredIn,
    PaymentReceived,
    PaymentReinstated,
    Posting,
    Voucher,
    WriteOffRecovered,
)
from domain.items import OpenItem, from_image
from domain.template import UNAPPLIED

Waiting = tuple[str, int | None]
"""A document of this account that waits for a reference (or the reference), and how much of it does (None: all)."""


class Account:
    """The working state of one customer account, as of ``version`` of its ``stream``.

    ``is_house``: an account of unknown customers, in which nothing is allocated by itself.
    ``debits``: open debit items in due order; ``credits``: open credit items, oldest first; ``spendable``: those of them
    that are unapplied and do not wait, in full, for documents that they name; ``awaiting``: reference → the documents
    that wait for it, in the order of arrival; ``waits``: the same by document, (reference, amount). ``terms``: how its
    payments settle by themselves, and ``terms_version`` the version of the event that said so (0: none did).
    """

    __slots__ = (
        "awaiting",
        "book",
        "credits",
        "currency",
        "customer",
        "debits",
        "is_house",
        "items",
        "live",
        "spendable",
        "stream",
        "terms",
        "terms_version",
        "version",
        "waits",
    )

    def __init__(self, book: str, customer: str, currency: str) -> None:
        self.book = book
        self.customer = customer
        self.currency = currency
        self.stream = account_stream(book, customer, currency)
        self.is_house = is_house(customer)
        self.version = 0
        self.terms = AccountTerms()
        self.terms_version = 0
        self.items: dict[str, OpenItem] = {}
        self.debits: SortedList[tuple[date, date, str]] = SortedList()
        self.credits: SortedList[tuple[date, str]] = SortedList()
        self.spendable: SortedList[tuple[date, str]] = SortedList()
        self.live: dict[str, list[str]] = {}
        self.awaiting: dict[str, list[Waiting]] = {}
        self.waits: dict[str, list[Waiting]] = {}

    def open_items_of(self, reference: str) -> list[str]:
        """The open items of the documents that a reference names, in due order."""
        items = self.live.get(reference, ())
        return sorted(items, key=lambda item: (self.items[item].due_on, item)) if len(items) > 1 else list(items)

    def unreserved(self, credit: OpenItem, fired: str | None = None) -> int:
        """What of a credit item does not wait for a document that it names. ``fired``: a reference just met."""
        left = credit.open
        for reference, amount in self.waits.get(document_of(credit.item), ()):
            if reference != fired:
                left = 0 if amount is None else left - amount
        return max(0, left)

    def set(self, item: OpenItem) -> None:
        """Put an item as it now stands; one with nothing open leaves the state."""
        before = self.items.get(item.item)
        if item.open == 0:
            assert item.open_base == 0, f"identity 4: {item.item} has nothing open and a base of {item.open_base}"
            if before is not None:
                self._drop(before)
            return
        assert item.open > 0, f"identity 3: {item.item} has {item.open} open"
        self.items[item.item] = item
        if before is None:
            if item.side == "D":
                self.debits.add((item.due_on, item.effective_on, item.item))
            else:
                self.credits.add((item.effective_on, item.item))
            self.live.setdefault(reference_of(item.item), []).append(item.item)
        if item.role == UNAPPLIED:
            self._review(item)

    def _review(self, item: OpenItem) -> None:
        key = (item.effective_on, item.item)
        if self.unreserved(item) == 0:
            self.spendable.discard(key)
        elif key not in self.spendable:
            self.spendable.add(key)

    def wait(self, document: str, reference: str, amount: int | None) -> None:
        """A document waits for another one from now on, in full or up to an amount."""
        self.awaiting.setdefault(reference, []).append((document, amount))
        self.waits.setdefault(document, []).append((reference, amount))
        self._review_of(document)

    def arrive(self, document: str) -> None:
        """What waited for a document, by whichever revision, has been met, once."""
        reference = reference_of(document)
        for name, _ in self.awaiting.pop(reference, ()):
            _without(self.waits, name, reference)
            self._review_of(name)

    def forget(self, document: str) -> None:
        """What a reversed document waited for, it waits for no more."""
        for reference, _ in self.waits.pop(document, ()):
            _without(self.awaiting, reference, document)
        self._review_of(document)

    def _review_of(self, document: str) -> None:
        item = self.items.get(item_id(document, 1))
        if item is not None and item.role == UNAPPLIED:
            self._review(item)

    def _drop(self, item: OpenItem) -> None:
        del self.items[item.item]
        if item.side == "D":
            self.debits.remove((item.due_on, item.effective_on, item.item))
        else:
            self.credits.remove((item.effective_on, item.item))
            self.spendable.discard((item.effective_on, item.item))
        reference = reference_of(item.item)
        siblings = self.live[reference]
        siblings.remove(item.item)
        if not siblings:
            del self.live[reference]


def evolve(account: Account, event: Event) -> Account:
    """The account after an event of its stream. Changes the given working copy and returns it; never refuses."""
    if isinstance(event, Voucher):
        for item in changed_items(account.items.get, event):
            account.set(item)
    evolve_beside_items(account, event)
    return account


def evolve_beside_items(account: Account, event: Event) -> None:
    """Version and terms; what the event's document is waited for by, and waits for: references met, new, or void."""
    account.version += 1
    if isinstance(event, AccountTermsChanged):
        account.terms, account.terms_version = event.after, account.version
    elif isinstance(event, (InvoiceIssued, PaymentReceived)):
        account.arrive(event.document)
        for remittance in event.remittance:
            if remittance.waits:
                account.wait(event.document, remittance.reference, remittance.amount)
    elif isinstance(event, CreditNoteIssued):
        account.arrive(event.document)
        if event.against_waits:
            assert event.against is not None
            account.wait(event.document, reference_of(event.against), None)
    elif isinstance(event, DocumentReversed):
        account.forget(event.document)


def changed_items(find: Callable[[str], OpenItem | None], event: Voucher) -> Iterable[OpenItem]:
    """The items that an event opens or moves, as they stand after it: the movement of an item is its posting.

    ``find`` gives an item as it stands before the event, None where it is unknown or settled.
    """
    on = event.effective_on
    changed: dict[str, OpenItem] = {}
    restored = restored_items(event)
    for posting in event.postings:
        name = posting.item
        if name is None:
            continue
        item = changed.get(name) or find(name) or restored.get(name)
        if item is None:
            changed[name] = opened_item(event, posting)
        else:
            amount, base = posting.amount, posting.base_amount
            if posting.side != item.side:
                amount, base = -amount, -base
            changed[name] = item.moved(on, amount, base)
    return changed.values()


def restored_items(event: Voucher) -> dict[str, OpenItem]:
    """The settled items that an event reopens, from the images it carries."""
    if isinstance(event, (AllocationReleased, DocumentReversed, PaymentReinstated, WriteOffRecovered)):
        return {image.item: from_image(image) for image in event.restored}
    return {}


def opened_item(event: Voucher, posting: Posting) -> OpenItem:
    """The item that an event's posting opens; it must be of the event's own document."""
    name = posting.item
    assert name is not None
    document: str = event.document  # type: ignore[attr-defined]
    assert document == document_of(name), (name, event)
    assert posting.amount > 0, (name, event)
    on = event.effective_on
    due_on = on
    if isinstance(event, ItemTransferredIn):
        due_on = event.due_on
    elif isinstance(event, InvoiceIssued):
        due_on = event.instalments[int(name[len(document) + 1 :]) - 1].due_on
    amount, base = posting.amount, posting.base_amount
    return OpenItem(
        name,
        posting.side,
        posting.role,
        posting.account,
        posting.dimensions,
        due_on,
        on,
        amount,
        base,
        amount,
        base,
        ((on, amount),),
    )


def _without(waiting: dict[str, list[Waiting]], key: str, name: str) -> None:
    left = [entry for entry in waiting.get(key, ()) if entry[0] != name]
    if left:
        waiting[key] = left
    else:
        waiting.pop(key, None)


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of an account (topic ``account-state.v1``): disposable, never the only place of anything."""

    book: str
    customer: str
    currency: str
    version: int
    items: list[OpenItem]
    awaiting: dict[str, list[Waiting]]
    terms: AccountTerms = AccountTerms()
    terms_version: int = 0


def snapshot(account: Account) -> AccountState:
    """The account as a snapshot."""
    return AccountState(
        book=account.book,
        customer=account.customer,
        currency=account.currency,
        version=account.version,
        items=list(account.items.values()),
        awaiting={reference: list(waiting) for reference, waiting in account.awaiting.items()},
        terms=account.terms,
        terms_version=account.terms_version,
    )


def from_snapshot(state: AccountState) -> Account:
    """A working copy from a snapshot."""
    account = Account(state.book, state.customer, state.currency)
    for item in state.items:
        account.set(item)
    account.version = state.version
    account.terms, account.terms_version = state.terms, state.terms_version
    for reference, waiting in state.awaiting.items():
        for document, amount in waiting:
            account.wait(document, reference, amount)
    return account


def payload(account: Account) -> dict[str, Any]:
    """What two equal accounts have equal, for tests and proofs: the snapshot as plain data, in a fixed order."""
    state = msgspec.to_builtins(snapshot(account))
    state["items"].sort()
    return dict(state)
