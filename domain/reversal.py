"""Reversals 红字冲销: an event with the negated postings of the one that it names. Final.

An error is mirrored on its own date, or on the first open one, if that is closed, or, where a later fact has used the
room, on the first day with room; its own
allocations are released on their own dates, and what is linked to it is reversed with it. A refund that failed comes
back on the bank's date. What an undone refund had released is allocated again, if still open. Identity 6: the account's
net is as if neither had been.
"""

from datetime import date

from domain.account import Account
from domain.book import Book
from domain.checks import check_account, check_accounting_date, check_currency, terms
from domain.commands import ReverseDocument
from domain.documents import document_of, item_id
from domain.draft import Draft, Named
from domain.events import (
    CreditNoteIssued,
    DocumentReversed,
    InvoiceIssued,
    ItemTransferredIn,
    PaymentReinstated,
    Posting,
    ReversalMode,
    Voucher,
    WriteOffRecovered,
)
from domain.history import History, Source, touched_documents
from domain.refusals import Code, Refusal
from domain.settlement import reallocate, release, reversed_posting


def reverse_document(account: Account, named: Named, command: ReverseDocument, book: Book, today: date) -> Draft:
    """Releases, the reversal of what is linked, DocumentReversed, allocations again. The document must be known.

    Refuses a second reversal, a fiscal invoice, a failure of anything but a refund, and a document that others were
    built upon.
    """
    name = command.document.document
    history = named.get(name)
    assert history is not None, f"{name} is unknown: the reversal waits and is not decided"
    own = history.own
    assert own is not None
    check_currency(account, history)
    if command.effective_on is not None:
        check_accounting_date(command.effective_on, book, today)
        if command.effective_on < own.effective_on:
            raise Refusal(Code.DATE_PRECEDES_ITEM, "effective_on", command.effective_on)
    check_account(account, history, "document")
    if history.reversed:
        raise Refusal(Code.REVERSED_TWICE, "document", name)
    if isinstance(own, ItemTransferredIn):
        raise Refusal(Code.TRANSFER_BACK, "document", name)
    if isinstance(own, (InvoiceIssued, CreditNoteIssued)) and own.fiscal_number is not None:
        raise Refusal(Code.FISCAL, "document", name)
    if command.mode == "failed" and not name.startswith("refund:"):
        raise Refusal(Code.REVERSAL_MODE, "mode", command.mode)
    dependants = history.dependants
    raised = raised_item(own)
    if raised is not None:
        dependants += named.histories[document_of(raised[0])].taken_after(raised[0], _version(history))
    if dependants:
        raise Refusal(Code.DEPENDANTS, "document", ", ".join(dependants))
    draft = Draft(account, book, command, name)
    if raised is not None:
        _make_room(draft, named, *raised, _version(history))
    for link in history.newest_first():
        release(draft, named, link, _not_before(link.effective_on, command.effective_on), None, name)
    for source in history.linked.values():
        undo(draft, named, source, command.mode, command.effective_on, caused_by=name)
    whole = Source(history.stream, _version(history), own)
    undo(draft, named, whole, command.mode, command.effective_on, caused_by=None)
    for released in history.caused_releases:
        reallocate(draft, released)
    return draft


def raised_item(own: Voucher | None) -> tuple[str, int] | None:
    """The item of another document that a document has opened again, and by how much."""
    if isinstance(own, WriteOffRecovered):
        return own.item, own.amount
    if isinstance(own, PaymentReinstated) and own.given:
        return item_id(own.payment, 1), own.given
    return None


def _make_room(draft: Draft, named: Named, raised: str, amount: int, version: int) -> None:
    """Release what a raised item has settled since, newest first, as far as what raised it is no more open."""
    for link in named.histories[document_of(raised)].newest_first():
        item = draft.get(raised)
        missing = amount - (item.open if item is not None else 0)
        if missing > 0 and raised in (link.credit_item, link.debit_item) and link.order > version:
            link = draft.link(link)
            release(draft, named, link, link.effective_on, min(missing, link.amount), draft.caused_by)


def _not_before(on: date, failed_on: date | None) -> date:
    """The day of an undoing: its own day for an error, the bank's for a failure, yet never before what is undone."""
    return on if failed_on is None else max(on, failed_on)


def _version(history: History) -> int:
    return int(history.event_id.rpartition(":")[2])


def undo(
    draft: Draft, named: Named, source: Source, mode: ReversalMode, failed_on: date | None, caused_by: str | None
) -> None:
    """DocumentReversed of one event: on its own date or the bank's, or on the first day with room for what it takes."""
    own = source.event
    assert isinstance(own, Voucher)
    document: str = own.document  # type: ignore[attr-defined]
    asked = _not_before(own.effective_on, failed_on)
    on = max(asked, draft.book.open_from)
    postings = [reversed_posting(posting) for posting in own.postings]
    restored = []
    for posting in postings:
        if posting.item is None:
            continue
        item = draft.get_settled(posting.item, named)
        taken = _taken(posting, item.side)
        if item.open == 0 and taken < 0:
            restored.append(item.image())
        if taken > 0:
            on = item.first_day_with_room(taken, on)
    event = DocumentReversed(
        **terms(draft.command, draft.book, caused_by),
        effective_on=on,
        requested_effective_on=asked if asked != on else None,
        postings=postings,
        document=document,
        event=source.event_id,
        named=sorted(touched_documents(own)),
        mode=mode,
        restored=restored,
    )
    draft.emit(event)


def _taken(posting: Posting, side: str) -> int:
    """What a posting takes from its item: positive takes, negative gives back."""
    return -posting.amount if posting.side == side else posting.amount
