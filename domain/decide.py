"""From a command to events, or a refusal, or waiting: the one door into the rules.

``decide`` is pure: the account, the histories of what the command names, the book and today's date come in; events go
out. It may raise ``Refusal``; nothing it was given is changed.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec.structs import replace

from domain.account import Account
from domain.adjustment import post_adjustment
from domain.authority import Approval, under_control
from domain.billing import issue_credit_note, issue_invoice
from domain.book import Book
from domain.commands import (
    AccountCommand,
    Allocate,
    ChangeAccountTerms,
    ClaimVatRelief,
    IssueCreditNote,
    IssueInvoice,
    PostAdjustment,
    RecogniseRevenue,
    RecordPayment,
    RecordRefund,
    RecoverWriteOff,
    ReinstatePayment,
    ReleaseAllocation,
    Resettle,
    ReturnPayment,
    ReverseDocument,
    RoundOff,
    SetCreditLimit,
    TransferItem,
    WriteOff,
)
from domain.credit_limit import set_credit_limit
from domain.documents import document_id, document_of, reference_of
from domain.draft import Draft, Named
from domain.events import Event, ItemTransferredOut, Voucher
from domain.history import History, touched_documents
from domain.late import belongs_to_closed_period, moved_to_open_day
from domain.manual import allocate_by_hand, release_by_hand
from domain.payment import record_payment
from domain.recognition import recognise_revenue
from domain.refund import record_refund
from domain.refusals import Code, Refusal
from domain.resettle import resettle, unmet_references
from domain.returned import reinstate_payment, return_payment
from domain.reversal import raised_item, reverse_document
from domain.round_off import round_off
from domain.terms import change_terms
from domain.transfer import receive_item, transfer_item
from domain.vat_relief import claim_vat_relief
from domain.write_off import recover_write_off, write_off

_HANDLERS: dict[type[Any], Callable[[Account, Named, Any, Book, date], Draft]] = {
    IssueInvoice: issue_invoice,
    IssueCreditNote: issue_credit_note,
    RecordPayment: record_payment,
    RecordRefund: record_refund,
    ReturnPayment: return_payment,
    ReinstatePayment: reinstate_payment,
    PostAdjustment: post_adjustment,
    RoundOff: round_off,
    WriteOff: write_off,
    RecoverWriteOff: recover_write_off,
    TransferItem: transfer_item,
    ClaimVatRelief: claim_vat_relief,
    Allocate: allocate_by_hand,
    ReleaseAllocation: release_by_hand,
    Resettle: resettle,
    ChangeAccountTerms: change_terms,
    ReverseDocument: reverse_document,
    RecogniseRevenue: recognise_revenue,
    SetCreditLimit: set_credit_limit,
}


def decide(
    account: Account, named: Named, command: AccountCommand, book: Book, today: date, approval: Approval | None = None
) -> list[Event]:
    """The events of a command for a customer account, in order; raises ``Refusal``. ``today`` is the book's day.

    ``approval``: what it is to be booked by; one that is not given yet says what would be booked if it were.
    """
    return _draft(account, named, command, book, today, approval).events


def decide_and_evolve(
    account: Account, named: Named, command: AccountCommand, book: Book, today: date, approval: Approval | None = None
) -> list[Event]:
    """``decide``, and the account as ``evolve`` would leave it after each of the events; changed only if not refused.

    Cheaper than the two: a decision knows already how the items stand after its events.
    """
    draft = _draft(account, named, command, book, today, approval)
    draft.apply()
    return draft.events


def receive_and_evolve(account: Account, given: Sequence[Event], command: TransferItem, book: Book) -> list[Event]:
    """The events of the account that a transfer goes to, from those of the account that it comes from."""
    [out] = given
    assert isinstance(out, ItemTransferredOut)
    draft = receive_item(account, out, command, book)
    if out.approval is not None:
        draft.events = [replace(event, approval=out.approval) for event in draft.events]
    draft.apply()
    return draft.events


def _draft(
    account: Account, named: Named, command: AccountCommand, book: Book, today: date, approval: Approval | None
) -> Draft:
    if named.rate is None:
        return _dated(account, named, command, book, today, approval)
    draft = _dated(account, named, command.model_copy(update={"rate": named.rate}), book, today, approval)
    # It is the command's own event that is converted; what it causes follows.
    draft.events = [replace(e, rate_source=book.rate_source) if hasattr(e, "rate_source") else e for e in draft.events]
    return draft


def _dated(
    account: Account, named: Named, command: AccountCommand, book: Book, today: date, approval: Approval | None
) -> Draft:
    revision = getattr(command, "revision", 1)
    if revision > 1:
        _check_revision(named, command, revision)
    asked: date | None = getattr(command, "effective_on", None) or getattr(command, "until_on", None)
    if asked is None or not belongs_to_closed_period(book, asked):
        draft = _HANDLERS[type(command)](account, named, command, book, today)
    else:
        draft = _HANDLERS[type(command)](account, named, moved_to_open_day(command, asked, book), book, today)
        # Of all its events the one that nothing else has caused is the command's own.
        draft.events = [
            replace(e, requested_effective_on=asked) if isinstance(e, Voucher) and e.caused_by is None else e
            for e in draft.events
        ]
    draft.events = under_control(book, command, draft.events, approval)
    return draft


def awaited_document(command: AccountCommand, named: Named) -> str | None:
    """The document that a refund, return, reinstatement or reversal has to wait for, because it is not in the books; None if it need not."""
    if isinstance(command, RecordRefund) and command.original_payment is not None:
        document = command.original_payment.document
    elif isinstance(command, ReturnPayment):
        document = command.payment.document
    elif isinstance(command, ReinstatePayment):
        document = command.returned.document
    elif isinstance(command, ReverseDocument):
        document = command.document.document
    else:
        return None
    return document if named.get(document) is None else None


def entered_document(command: Any) -> str | None:
    """The document that a command enters, None for one that enters none."""
    kind = KIND_OF.get(type(command))
    if kind is None:
        return None
    return document_id(kind or command.kind, command.series, command.number, command.revision)


KIND_OF: dict[type[Any], str] = {
    IssueInvoice: "",
    IssueCreditNote: "credit-note",
    RecordPayment: "payment",
    RecordRefund: "refund",
    ReturnPayment: "return",
    ReinstatePayment: "reinstatement",
    PostAdjustment: "adjustment",
    RoundOff: "adjustment",
    WriteOff: "write-off",
    RecoverWriteOff: "recovery",
    TransferItem: "transfer",
    ClaimVatRelief: "vat-relief",
}
"""Command → the kind of document that it enters; an invoice's is in the command (invoice or debit note)."""


def named_documents(command: Any) -> list[str]:
    """The documents whose histories ``decide`` needs for a command, as far as the command itself tells."""
    names: list[str] = []
    if getattr(command, "revision", 1) > 1:
        names.append(_previous(command))
    if isinstance(command, IssueCreditNote) and command.against is not None:
        names.append(command.against.document)
    elif isinstance(command, RecordRefund):
        if command.original_payment is not None:
            names.append(command.original_payment.document)
        names.extend(document_of(part.item) for part in command.funded_by)
    elif isinstance(command, PostAdjustment):
        names.append(document_of(command.item))
        if command.linked_to is not None:
            names.append(command.linked_to.document)
    elif isinstance(command, RoundOff):
        names.append(document_of(command.item))
    elif isinstance(command, ReturnPayment):
        names.append(command.payment.document)
    elif isinstance(command, ReinstatePayment):
        names.append(command.returned.document)
    elif isinstance(command, WriteOff):
        names.extend(document_of(one.item) for one in command.items)
    elif isinstance(command, TransferItem):
        names.append(document_of(command.item))
    elif isinstance(command, (RecoverWriteOff, ClaimVatRelief)):
        names.extend((command.write_off.document, document_of(command.item)))
    elif isinstance(command, Allocate):
        for line in command.lines:
            names.extend((document_of(line.credit_item), document_of(line.debit_item)))
        names.extend(document_of(item) for item in command.credit_items)
    elif isinstance(command, (ReverseDocument, RecogniseRevenue)):
        names.append(command.document.document)
    return names


def named_references(command: Any) -> list[str]:
    """The references by which a command settles: decide must know of which of them a live document is in the books."""
    if isinstance(command, (IssueInvoice, RecordPayment)):
        return [paid.reference for paid in command.remittance]
    if isinstance(command, IssueCreditNote) and command.against is not None:
        return [reference_of(command.against.document)]
    return []


def named_allocation(command: Any) -> int | None:
    """The version of the ``Allocated`` in the account's stream that a command names a line of; None for none."""
    if isinstance(command, ReleaseAllocation):
        named = re.fullmatch(r"([1-9][0-9]{0,17})\.[1-9][0-9]{0,17}", command.allocation)
        return int(named[1]) if named else None
    return None


def reads_whole_account(command: Any) -> bool:
    """Whether ``decide`` needs the histories of all documents of the account: the cost is that of its past."""
    return isinstance(command, Resettle)


def references_beyond(histories: Mapping[str, History]) -> set[str]:
    """The references of a whole account of which decide must know whether a live document is in the books elsewhere."""
    return unmet_references(histories)


_GIVING_BACK = (RecordRefund, ReturnPayment, ReinstatePayment, ReverseDocument)


def further_documents(command: Any, history: History) -> set[str]:
    """The documents whose histories ``decide`` needs beside a named one: those whose settled items it may reopen.

    What is refunded or reversed may give back to the items that its own event, the events linked to it and its live
    allocations have moved. What is rounded off is looked at together with what has settled it.
    """
    if not isinstance(command, (*_GIVING_BACK, RoundOff)) or history.own is None:
        return set()
    further = touched_documents(history.own)
    for source in history.linked.values():
        further |= touched_documents(source.event)
    for link in history.allocations.values():
        further.update((document_of(link.credit_item), document_of(link.debit_item)))
    further.discard(history.document)
    return further


def documents_beyond(command: Any, histories: Mapping[str, History]) -> set[str]:
    """The documents, beside all those, that have settled the item which an undone document had raised."""
    if not isinstance(command, ReverseDocument):
        return set()
    raised = raised_item(histories[command.document.document].own)
    if raised is None:
        return set()
    beyond = set()
    for link in histories[document_of(raised[0])].allocations.values():
        beyond |= {document_of(link.credit_item), document_of(link.debit_item)}
    return beyond - histories.keys()


def _previous(command: Any) -> str:
    return document_id(KIND_OF[type(command)] or command.kind, command.series, command.number, command.revision - 1)


def _check_revision(named: Named, command: Any, revision: int) -> None:
    previous = named.get(_previous(command))
    if previous is None or not previous.reversed:
        raise Refusal(Code.REVISION, "revision", revision)
