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

from domain.documents import account_stream, document_of, is_house, reference_of
from domain.events import (
    AdjustmentPosted,
    AllocationReleased,
    CreditNoteIssued,
    DocumentReversed,
    Event,
    InvoiceIssued,
    ItemImage,
    PaymentReceived,
    Posting,
    Voucher,
)
from domain.items import OpenItem, from_image

Waiting = tuple[str, int | None]
"""A document of this account that waits for a referenced one, and the amount of it that does (None: all)."""


class Account:
    """The working state of one customer account, as of ``version``.

    ``debits``: open debit items in due order; ``credits``: open credit items, oldest first; ``awaiting``: reference →
    the documents that wait for it, in the order of arrival.
    """

    __slots__ = ("awaiting", "book", "credits", "currency", "customer", "debits", "items", "live", "version")

    def __init__(self, book: str, customer: str, currency: str) -> None:
        self.book = book
        self.customer = customer
        self.currency = currency
        self.version = 0
        self.items: dict[str, OpenItem] = {}
        self.debits: SortedList[tuple[date, date, str]] = SortedList()
        self.credits: SortedList[tuple[date, str]] = SortedList()
        self.live: dict[str, list[str]] = {}
        self.awaiting: dict[str, tuple[Waiting, ...]] = {}

    @property
    def stream(self) -> str:
        """The account's event stream."""
        return account_stream(self.book, self.customer, self.currency)

    @property
    def is_house(self) -> bool:
        """Whether this is a house account of unknown customers: nothing is allocated in it automatically."""
        return is_house(self.customer)

    def open_items_of(self, reference: str) -> list[str]:
        """The open items of the documents that a reference names, in due order."""
        items = self.live.get(reference, ())
        return sorted(items, key=lambda item: (self.items[item].due_on, item)) if len(items) > 1 else list(items)

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
            self.live.setdefault(reference_of(document_of(item.item)), []).append(item.item)

    def _drop(self, item: OpenItem) -> None:
        del self.items[item.item]
        if item.side == "D":
            self.debits.remove((item.due_on, item.effective_on, item.item))
        else:
            self.credits.remove((item.effective_on, item.item))
        reference = reference_of(document_of(item.item))
        siblings = self.live[reference]
        siblings.remove(item.item)
        if not siblings:
            del self.live[reference]


def evolve(account: Account, event: Event) -> Account:
    """The account after an event of its stream. Changes the given working copy and returns it; never refuses."""
    assert isinstance(event, Voucher)
    account.version += 1
    for item in changed_items(account.items.get, event):
        account.set(item)
    if isinstance(event, (InvoiceIssued, PaymentReceived, CreditNoteIssued)):
        account.awaiting.pop(reference_of(event.document), None)
    if isinstance(event, (InvoiceIssued, PaymentReceived)):
        for remittance in event.remittance:
            if remittance.waits:
                _await(account, remittance.reference, event.document, remittance.amount)
    elif isinstance(event, CreditNoteIssued) and event.against_waits:
        assert event.against is not None
        _await(account, reference_of(event.against), event.document, None)
    elif isinstance(event, DocumentReversed):
        _forget(account, event.document)
    return account


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
    images: list[ItemImage] = event.restored if isinstance(event, (AllocationReleased, DocumentReversed)) else []
    return {image.item: from_image(image) for image in images}


def opened_item(event: Voucher, posting: Posting) -> OpenItem:
    """The item that an event's posting opens; it must be of the event's own document."""
    name = posting.item
    assert name is not None
    document = getattr(event, "document", None)
    assert document == document_of(name), (name, event)
    assert not isinstance(event, (AdjustmentPosted, DocumentReversed)), (name, event)
    on = event.effective_on
    due_on = on
    if isinstance(event, InvoiceIssued):
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


def _await(account: Account, reference: str, document: str, amount: int | None) -> None:
    account.awaiting[reference] = (*account.awaiting.get(reference, ()), (document, amount))


def _forget(account: Account, document: str) -> None:
    """What a reversed document waited for, it waits for no more."""
    for reference, waiting in list(account.awaiting.items()):
        left = tuple(entry for entry in waiting if entry[0] != document)
        if left:
            account.awaiting[reference] = left
        else:
            del account.awaiting[reference]


class AccountState(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of an account (topic ``account-state.v1``): disposable, never the only place of anything."""

    book: str
    customer: str
    currency: str
    version: int
    items: list[OpenItem]
    awaiting: dict[str, list[Waiting]]


def snapshot(account: Account) -> AccountState:
    """The account as a snapshot."""
    return AccountState(
        book=account.book,
        customer=account.customer,
        currency=account.currency,
        version=account.version,
        items=list(account.items.values()),
        awaiting={reference: list(waiting) for reference, waiting in account.awaiting.items()},
    )


def from_snapshot(state: AccountState) -> Account:
    """A working copy from a snapshot."""
    account = Account(state.book, state.customer, state.currency)
    for item in state.items:
        account.set(item)
    account.version = state.version
    account.awaiting = {reference: tuple(waiting) for reference, waiting in state.awaiting.items()}
    return account


def payload(account: Account) -> dict[str, Any]:
    """What two equal accounts have equal, for tests and proofs: the snapshot as plain data, in a fixed order."""
    state = msgspec.to_builtins(snapshot(account))
    state["items"].sort()
    return dict(state)
