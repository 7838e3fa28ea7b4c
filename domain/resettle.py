"""Resettle 重新核销: an account's items as the facts alone make them, in whatever order these have arrived.

All live allocations but those by hand are released, each on its own day, and the credit items allocated again in
canonical order (day, item): first what refers to a document, then by the policy. A payment refers to what its
remittance names, a credit note to its invoice, an invoice to what prepaid it, an excess to its payment or return.
Within a document the oldest due instalment is settled first. What comes out as it was is left alone, so that a second
run finds nothing to do. Domain rule 5, identity 8.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from domain.account import Account
from domain.book import Book
from domain.commands import Resettle
from domain.documents import document_of, item_id, reference_of
from domain.draft import Draft, Named
from domain.events import (
    Allocated,
    CreditNoteIssued,
    InvoiceIssued,
    PaymentReceived,
    PaymentReinstated,
    PaymentReturned,
    RefundPaid,
    Remittance,
)
from domain.history import History, LiveAllocation
from domain.items import OpenItem
from domain.settlement import allocate, pay_by_reference, release, settle, spend_unapplied
from domain.template import SECURITY

MOST_LINES = 200
"""Of one ``Allocated``: it stays well within what an event may hold."""

Key = tuple[str, str, date]
"""Credit item, debit item, and the day on which the one settles the other; of a closed day the first open one."""


def resettle(account: Account, named: Named, command: Resettle, book: Book, today: date) -> Draft:
    """AllocationReleased of what changes, then Allocated; nothing at all where nothing does."""
    del today  # its dates are derived from the items
    draft = Draft(account, book, command)
    links = _by_rule(named.histories)
    plan = _planned(account, named, links, command, book)
    kept = _kept(links, plan, book)
    for link in reversed(links):
        if _key(link, book) not in kept:
            release(draft, named, link, link.effective_on)
    for event in plan:
        lines = [
            (line.credit_item, line.debit_item, line.amount)
            for line in event.lines
            if (line.credit_item, line.debit_item, event.effective_on) not in kept
        ]
        for at in range(0, len(lines), MOST_LINES):
            not_before = event.requested_effective_on or event.effective_on
            allocate(draft, lines[at : at + MOST_LINES], event.mode, event.policy, not_before)
    return draft


def unmet_references(histories: Mapping[str, History]) -> set[str]:
    """What payments of the account refer to and the account has no live document of."""
    met = {reference_of(name) for name, history in histories.items() if history.booked}
    return {
        entry.reference
        for history in histories.values()
        if history.booked and isinstance(history.own, PaymentReceived)
        for entry in history.own.remittance
        if entry.reference not in met
    }


def _by_rule(histories: Mapping[str, History]) -> list[LiveAllocation]:
    """The live links of an account that nobody made by hand, oldest first."""
    links = {
        link.allocation: link
        for history in histories.values()
        for link in history.allocations.values()
        if link.mode != "hand"
    }
    return sorted(links.values(), key=lambda link: (link.order, int(link.allocation.rpartition(".")[2])))


def _planned(
    account: Account, named: Named, links: Iterable[LiveAllocation], command: Resettle, book: Book
) -> list[Allocated]:
    """What would settle what, were nothing settled but by hand."""
    opened = Draft(account, book, command)
    for link in links:
        release(opened, named, link, link.effective_on)
    bare = Account(account.book, account.customer, account.currency)
    bare.terms = account.terms
    for item in (account.items | opened.items).values():
        bare.set(item)
    unmet = unmet_references(named.histories) - named.live_references
    draft = Draft(bare, book, command)
    if not account.is_house:
        by_hand = _by_hand(named.histories)
        prepaid = _prepaid(bare, named.histories)
        for credit in [bare.items[name] for _, name in bare.credits]:
            if credit.role != SECURITY:
                _settle_by_reference(draft, credit, named.histories, by_hand, prepaid, unmet)
        spend_unapplied(draft)
    return [event for event in draft.events if isinstance(event, Allocated)]


def _settle_by_reference(
    draft: Draft,
    credit: OpenItem,
    histories: Mapping[str, History],
    by_hand: Mapping[tuple[str, str], int],
    prepaid: Mapping[str, list[tuple[list[str], int | None]]],
    unmet: set[str],
) -> None:
    """What a credit item refers to, then what refers to it. What it refers to in vain, it waits for."""
    document = document_of(credit.item)
    account, own = draft.account, histories[document].own
    if isinstance(own, PaymentReceived):
        remittance = [_less_by_hand(entry, by_hand.get((credit.item, entry.reference), 0)) for entry in own.remittance]
        pay_by_reference(draft, credit.item, [entry for entry in remittance if entry.amount != 0])
        for entry in own.remittance:
            if entry.reference in unmet:
                account.wait(document, entry.reference, entry.amount)
    elif isinstance(own, CreditNoteIssued) and own.against is not None:
        settle(draft, credit.item, account.open_items_of(reference_of(own.against)), None)
    elif isinstance(own, PaymentReinstated):
        settle(draft, credit.item, [item_id(own.returned, 1)], None)
    for items, amount in prepaid.get(reference_of(document), ()):
        settle(draft, credit.item, items, amount)


def _less_by_hand(entry: Remittance, by_hand: int) -> Remittance:
    amount = None if entry.amount is None else max(0, entry.amount - by_hand)
    return Remittance(entry.reference, amount)


def _by_hand(histories: Mapping[str, History]) -> dict[tuple[str, str], int]:
    """What credit items have settled by hand of the documents of a reference."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    for document, history in histories.items():
        for link in history.allocations.values():
            # A link stands in the histories of both its documents.
            if link.mode == "hand" and document_of(link.credit_item) == document:
                found[link.credit_item, reference_of(link.debit_item)] += link.amount
    return found


def _prepaid(account: Account, histories: Mapping[str, History]) -> dict[str, list[tuple[list[str], int | None]]]:
    """Reference → the open debit items (in due order) of each document that it prepaid, and up to which amount."""
    found: dict[str, list[tuple[list[str], int | None]]] = defaultdict(list)
    items: dict[str, list[str]] = defaultdict(list)
    for _, _, name in account.debits:
        items[document_of(name)].append(name)
    for document in sorted(items, key=lambda document: (account.items[items[document][0]].effective_on, document)):
        for reference, amount in _referred(histories[document]):
            found[reference].append((items[document], amount))
    return found


def _referred(history: History) -> Iterator[tuple[str, int | None]]:
    """What a document with debit items says that it is settled with."""
    own = history.own
    if isinstance(own, InvoiceIssued):
        yield from ((entry.reference, entry.amount) for entry in own.remittance)
    elif isinstance(own, RefundPaid) and own.original_payment is not None:
        yield reference_of(own.original_payment), None
    elif isinstance(own, PaymentReturned):
        yield reference_of(own.payment), None


def _key(link: LiveAllocation, book: Book) -> Key:
    return link.credit_item, link.debit_item, max(link.effective_on, book.open_from)


def _kept(links: Iterable[LiveAllocation], plan: Iterable[Allocated], book: Book) -> set[Key]:
    """What is settled, all together, as it is planned."""
    is_: dict[Key, int] = defaultdict(int)
    shall_be: dict[Key, int] = defaultdict(int)
    for link in links:
        is_[_key(link, book)] += link.amount
    for event in plan:
        for line in event.lines:
            shall_be[line.credit_item, line.debit_item, event.effective_on] += line.amount
    return {key for key, amount in is_.items() if shall_be.get(key) == amount}
