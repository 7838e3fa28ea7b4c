"""Documents 单据, their links and their history, from the log.

No table of documents or links is kept: the ledger's register already says which event entered a document and which
later ones concern it, so these lead to the events, and the events say the rest. What a document has open comes from its
items; all as of (E, K), as if nothing later had been.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple

from domain.documents import document_of, item_id, parse_document
from domain.events import (
    AdjustmentPosted,
    Allocated,
    AllocationReleased,
    CreditNoteIssued,
    DocumentReversed,
    Event,
    InvoiceIssued,
    ItemTransferredIn,
    PaymentReceived,
    PaymentReinstated,
    PaymentReturned,
    RefundPaid,
    RevenueRecognised,
    VatReliefClaimed,
    Voucher,
    WriteOffRecovered,
    WrittenOff,
)
from domain.history import enters
from ledger.outcomes import token
from projections import log
from projections.accounts import account_of
from projections.answers import DocumentRow, DocumentView, Link, LinkKind, OpenItem
from projections.items import items
from projections.journal import audit_row
from projections.log import Logged
from projections.view import Moment, Scope, View

_AT_ONCE = 64
"""Documents in memory at a time."""


def document(view: View, book: str, name: str, at: Moment) -> DocumentView | None:
    """A document with its items, links and history; None where nothing entered it by (E, K)."""
    concerning = [
        found for found in log.events_concerning(view.connection, book, name, at.position) if _known(found, at)
    ]
    own = next((found for found in concerning if enters(found.event) == name), None)
    if own is None:
        return None
    found_items = _items_of(view, own.stream, name, at)
    links = [link for found in concerning for link in _links(view, found) if _shown(link, name)]
    return DocumentView(
        row=_row(own, found_items, _reversal(concerning, name)),
        items=found_items,
        links=links,
        history=[audit_row(view, found) for found in concerning],
    )


def documents(
    view: View,
    book: str,
    customer: str | None,
    currency: str | None,
    kind: str | None,
    at: Moment,
    after: int = 0,
    limit: int | None = None,
) -> Iterator[DocumentRow]:
    """Documents of a kind (``invoice``, ``payment``, …), in log order, from after a position."""
    connection = view.connection
    found: Iterable[Logged]
    if customer is None:
        found = log.events(connection, book, at.position, after, ending=f":{currency}" if currency else "")
    else:
        streams = log.account_streams(connection, book, customer, currency)
        found = log.events_of(connection, streams, at.position, after)
    wanted = islice((own for own in found if _is_wanted(own, kind, at)), limit)
    # What they have open is looked up for some at once.
    while some := list(islice(wanted, _AT_ONCE)):
        yield from _rows(view, book, some, at)


def _is_wanted(logged: Logged, kind: str | None, at: Moment) -> bool:
    name = enters(logged.event)
    return name is not None and _known(logged, at) and kind in (None, parse_document(name).kind)


def _rows(view: View, book: str, some: list[Logged], at: Moment) -> Iterator[DocumentRow]:
    """The lines of the documents that some events entered."""
    opened = {item for own in some for item in _opened(own)}
    wanted = Scope(book, sorted({own.stream for own in some}), items=sorted(opened))
    found: dict[str, list[OpenItem]] = defaultdict(list)
    for item in items(view, wanted, at, settled=True) if opened else ():
        found[item.document].append(item)
    names = {own.position: enters(own.event) or "" for own in some}
    settled = sorted(name for name in names.values() if not any(item.open for item in found[name]))
    reversals = log.events_concerning_any(view.connection, book, settled, "document-reversed", at.position)
    undone = [one for one in reversals if _known(one, at)]
    for own in some:
        name = names[own.position]
        yield _row(own, found[name], _reversal(undone, name) if not any(i.open for i in found[name]) else None)


def _opened(own: Logged) -> Iterator[str]:
    """The items of the document that an event enters: no later event opens one."""
    assert isinstance(own.event, Voucher)
    for posting in own.event.postings:
        if posting.item is not None and document_of(posting.item) == enters(own.event):
            yield posting.item


def _known(logged: Logged, at: Moment) -> bool:
    return not isinstance(logged.event, Voucher) or at.covers(logged.event.effective_on)


def _items_of(view: View, stream: str, name: str, at: Moment) -> list[OpenItem]:
    scope = Scope(account_of(stream).book, [stream], document=name)
    return list(items(view, scope, at, settled=True))


class _Reversal(NamedTuple):
    logged: Logged
    event: DocumentReversed


def _reversal(concerning: Iterable[Logged], name: str) -> _Reversal | None:
    """The event that reverses a document; there is at most one."""
    for logged in concerning:
        if isinstance(logged.event, DocumentReversed) and logged.event.document == name:
            return _Reversal(logged, logged.event)
    return None


def _row(own: Logged, found_items: list[OpenItem], reversal: _Reversal | None) -> DocumentRow:
    event = own.event
    assert isinstance(event, Voucher)
    name = enters(event)
    assert name is not None
    account = account_of(own.stream)
    amount, base_amount = _amounts(event)
    left = sum(item.open for item in found_items)
    status: Literal["open", "partly", "settled", "reversed"] = "settled"
    if reversal is not None:
        status = "reversed"
    elif left:
        status = "partly" if left < sum(item.amount for item in found_items) else "open"
    return DocumentRow(
        document=name,
        kind=parse_document(name).kind,
        customer=account.customer,
        currency=account.currency,
        effective_on=event.effective_on,
        amount=amount,
        base_amount=base_amount,
        open=left,
        base_open=sum(item.base_open for item in found_items),
        status=status,
        event=own.event_id,
        position=token(own.position),
        reversed_on=reversal.event.effective_on if reversal is not None else None,
        reversed_by=reversal.logged.event_id if reversal is not None else None,
    )


_WITH_AMOUNT = (
    PaymentReceived,
    RefundPaid,
    PaymentReturned,
    PaymentReinstated,
    AdjustmentPosted,
    WrittenOff,
    WriteOffRecovered,
    ItemTransferredIn,
    VatReliefClaimed,
)


def _amounts(event: Event) -> tuple[int, int]:
    """What a document is worth, in amount and base amount."""
    if isinstance(event, (InvoiceIssued, CreditNoteIssued)):
        return event.total, event.base_total
    assert isinstance(event, _WITH_AMOUNT)
    return event.amount, event.base_amount


class _Tie(NamedTuple):
    """A link, but for the event that made it."""

    kind: LinkKind
    from_document: str
    from_item: str | None
    to_document: str
    to_item: str | None
    amount: int
    allocation: str | None = None


def _links(view: View, logged: Logged) -> Iterator[Link]:
    event = logged.event
    for tie in _ties(view, event):
        assert isinstance(event, Voucher)
        yield Link(
            **tie._asdict(), effective_on=event.effective_on, event=logged.event_id, position=token(logged.position)
        )


def _ties(view: View, event: Event) -> Iterator[_Tie]:
    if isinstance(event, Allocated):
        for line in event.lines:
            yield _settling("settles", line.credit_item, line.debit_item, line.amount, line.allocation)
    elif isinstance(event, AllocationReleased):
        yield _settling("releases", event.credit_item, event.debit_item, event.amount, event.allocation)
    elif isinstance(event, RefundPaid):
        for part in event.funded_by:
            yield _Tie("refunds", event.document, None, document_of(part.item), part.item, part.amount)
        original = event.original_payment
        if original is not None and all(document_of(part.item) != original for part in event.funded_by):
            yield _Tie("refunds", event.document, None, original, None, 0)
    elif isinstance(event, CreditNoteIssued) and event.against is not None:
        yield _Tie("credits", event.document, None, event.against, None, event.total)
    elif isinstance(event, AdjustmentPosted):
        yield _Tie("adjusts", event.document, None, document_of(event.item), event.item, event.amount)
    elif isinstance(event, PaymentReturned):
        yield _Tie("returns", event.document, None, event.payment, None, event.amount)
    elif isinstance(event, PaymentReinstated):
        yield _Tie("reinstates", event.document, None, event.returned, None, event.amount)
        yield _Tie("reinstates", event.document, None, event.payment, None, event.amount)
    elif isinstance(event, WrittenOff):
        for bad in event.lines:
            yield _Tie("writes_off", event.document, None, document_of(bad.item), bad.item, bad.amount)
    elif isinstance(event, ItemTransferredIn):
        yield _Tie(
            "transfers", event.document, item_id(event.document, 1), document_of(event.item), event.item, event.amount
        )
    elif isinstance(event, WriteOffRecovered):
        yield _Tie("recovers", event.document, None, event.write_off, None, event.amount)
        yield _Tie("recovers", event.document, None, document_of(event.item), event.item, event.amount)
        for given_back in event.relief:
            yield _Tie("relieves", given_back.relief, None, event.document, None, -given_back.amount)
    elif isinstance(event, VatReliefClaimed):
        yield _Tie("relieves", event.document, None, event.write_off, None, event.amount)
        yield _Tie("relieves", event.document, None, document_of(event.item), event.item, event.amount)
    elif isinstance(event, RevenueRecognised):
        yield _Tie("recognises", event.document, None, event.document, None, event.amount)
    elif isinstance(event, DocumentReversed):
        stream, _, version = event.event.rpartition(":")
        reversed_event = log.event_at_version(view.connection, stream, int(version))
        assert reversed_event is not None, event.event
        amount, _ = _amounts(reversed_event.event)
        yield _Tie("reverses", event.document, None, event.document, None, amount)


def _settling(kind: LinkKind, credit_item: str, debit_item: str, amount: int, allocation: str) -> _Tie:
    return _Tie(kind, document_of(credit_item), credit_item, document_of(debit_item), debit_item, amount, allocation)


def _shown(link: Link, name: str) -> bool:
    """Whether a link is one of a document: from it or to it, or the undoing of what was linked to it."""
    return name in (link.from_document, link.to_document) or link.kind == "reverses"
