"""What a command names is folded from the document's own events: its items, links and what was built upon it.

The state of an account forgets what is settled. A document that a command names (the payment to refund, the invoice to
credit, the document to reverse) is folded here from the events that concern it, in log order: its own first, then the
later ones that the register calls *touches*.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from domain.account import changed_items
from domain.commands import Tax as TaxModel
from domain.documents import document_of
from domain.events import (
    AdjustmentPosted,
    Allocated,
    AllocationReleased,
    CreditNoteIssued,
    DocumentReversed,
    Event,
    FactDeferred,
    InvoiceIssued,
    ItemTransferredIn,
    ItemTransferredOut,
    PaymentReceived,
    PaymentReinstated,
    PaymentReturned,
    RefundPaid,
    RevenueRecognised,
    Tax,
    VatReliefClaimed,
    Voucher,
    WriteOffRecovered,
    WrittenOff,
)
from domain.items import OpenItem

_ENTERING = (
    InvoiceIssued,
    CreditNoteIssued,
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
"""Events that enter a document."""


class LiveAllocation(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one allocation line, and of the base amounts that it took. ``order``: the version of its event."""

    allocation: str
    credit_item: str
    debit_item: str
    amount: int
    credit_base: int
    debit_base: int
    effective_on: date
    mode: str
    order: int

    def reduced(self, amount: int, credit_base: int, debit_base: int) -> "LiveAllocation":
        """The link after a release of a part of it."""
        return msgspec.structs.replace(
            self,
            amount=self.amount - amount,
            credit_base=self.credit_base - credit_base,
            debit_base=self.debit_base - debit_base,
        )


class Source(msgspec.Struct, frozen=True):
    """An event as the log has it: its stream and version beside it."""

    stream: str
    version: int
    event: Event

    @property
    def event_id(self) -> str:
        """``<stream>:<version>``."""
        return f"{self.stream}:{self.version}"


class History:
    """One document, as all events that concern it make it.

    ``own`` is the event that entered it (None while it only waits, or is only named); ``stream`` that event's stream.
    ``items`` holds its items, settled ones too; ``allocations`` the live links of those items, oldest first;
    ``recognised`` what of its deferrals, counted from 1, has become revenue: amount and base amount.
    """

    def __init__(self, document: str) -> None:
        self.document = document
        self.own: Voucher | None = None
        self.stream = ""
        self.event_id = ""
        self.reversed = False
        self.items: dict[str, OpenItem] = {}
        self.allocations: dict[str, LiveAllocation] = {}
        self.refunds: dict[str, Source] = {}
        self.returns: dict[str, Source] = {}
        self.reinstatements: dict[str, PaymentReinstated] = {}
        self.adjustments: dict[str, Source] = {}
        self.linked: dict[str, Source] = {}
        self.credits: dict[str, CreditNoteIssued] = {}
        self.write_offs: dict[str, Source] = {}
        self.transfers: dict[str, Source] = {}
        self.recoveries: dict[str, WriteOffRecovered] = {}
        self.reliefs: dict[str, VatReliefClaimed] = {}
        self.caused_releases: list[AllocationReleased] = []
        self.recognitions: list[Source] = []
        self.recognised: dict[int, tuple[int, int]] = {}

    def add(self, source: Source) -> None:
        """The next event that concerns the document."""
        event = source.event
        if not isinstance(event, Voucher):
            return
        if enters(event) == self.document:
            self.own, self.stream, self.event_id = event, source.stream, source.event_id
        for item in changed_items(self.items.get, _only(self.document, event)):
            self.items[item.item] = item
        if isinstance(event, Allocated):
            self._allocated(source, event)
        elif isinstance(event, AllocationReleased):
            self._released(event)
        elif isinstance(event, DocumentReversed):
            self._reversed(event)
        elif isinstance(event, RefundPaid):
            self.refunds[event.document] = source
        elif isinstance(event, AdjustmentPosted):
            if document_of(event.item) == self.document:
                self.adjustments[event.document] = source
            if event.linked_to == self.document:
                self.linked[event.document] = source
        elif isinstance(event, CreditNoteIssued) and event.against == self.document:
            self.credits[event.document] = event
        elif isinstance(event, PaymentReturned):
            self.returns[event.document] = source
        elif isinstance(event, PaymentReinstated):
            self.reinstatements[event.document] = event
        elif isinstance(event, WrittenOff):
            self.write_offs[event.document] = source
        elif isinstance(event, ItemTransferredOut) and document_of(event.item) == self.document:
            self.transfers[event.transfer] = source
        elif isinstance(event, RevenueRecognised):
            self._recognised(source, event)
        elif isinstance(event, WriteOffRecovered):
            if self.document in (event.write_off, *(one.relief for one in event.relief)):
                self.recoveries[event.document] = event
        elif isinstance(event, VatReliefClaimed) and event.write_off == self.document:
            self.reliefs[event.document] = event

    def _allocated(self, source: Source, event: Allocated) -> None:
        for line in event.lines:
            if self.document in (document_of(line.credit_item), document_of(line.debit_item)):
                self.allocations[line.allocation] = LiveAllocation(
                    allocation=line.allocation,
                    credit_item=line.credit_item,
                    debit_item=line.debit_item,
                    amount=line.amount,
                    credit_base=line.credit_base,
                    debit_base=line.debit_base,
                    effective_on=event.effective_on,
                    mode=event.mode,
                    order=source.version,
                )

    def _released(self, event: AllocationReleased) -> None:
        if event.caused_by == self.document:
            self.caused_releases.append(event)
        link = self.allocations.get(event.allocation)
        if link is None:
            return
        link = link.reduced(event.amount, event.credit_base, event.debit_base)
        if link.amount:
            self.allocations[event.allocation] = link
        else:
            del self.allocations[event.allocation]

    def _recognised(self, source: Source, event: RevenueRecognised) -> None:
        if event.reverses is None:
            self.recognitions.append(source)
        for part in event.parts:
            amount, base = self.recognised.get(part.deferral, (0, 0))
            self.recognised[part.deferral] = (amount + part.amount, base + part.base_amount)

    def _reversed(self, event: DocumentReversed) -> None:
        if event.document == self.document:
            self.reversed = True
        built_upon: tuple[dict[str, Any], ...] = (self.refunds, self.adjustments, self.linked, self.credits)
        for built in (*built_upon, self.returns, self.reinstatements, self.write_offs, self.recoveries, self.reliefs):
            built.pop(event.document, None)

    @property
    def booked(self) -> bool:
        """Whether the document is in the books and not reversed."""
        return self.own is not None and not self.reversed

    @property
    def refunded(self) -> int:
        """What was refunded of this payment by live refunds: those that name it, and what others took from it."""
        total = 0
        for source in self.refunds.values():
            refund = source.event
            assert isinstance(refund, RefundPaid)
            if refund.original_payment == self.document:
                total += refund.amount
            else:
                total += sum(part.amount for part in refund.funded_by if document_of(part.item) == self.document)
        return total

    @property
    def returned(self) -> int:
        """What was taken from this payment by live returns, less what reinstatements gave back."""
        taken = [one.event for one in self.returns.values()]
        total = sum(one.taken for one in taken if isinstance(one, PaymentReturned))
        return total - sum(one.given for one in self.reinstatements.values())

    @property
    def dependants(self) -> list[str]:
        """The documents that were built upon this one and must be undone before it."""
        own_adjustments = [
            name
            for name, source in self.adjustments.items()
            if isinstance(source.event, AdjustmentPosted) and source.event.linked_to != self.document
        ]
        taken = [
            name for name in (*self.refunds, *self.returns, *self.write_offs, *self.transfers) if name != self.document
        ]
        again = self.reinstatements if isinstance(self.own, PaymentReturned) else ()
        return sorted({*own_adjustments, *taken, *self.credits, *self.recoveries, *self.reliefs, *again})

    def taken_after(self, item: str, version: int) -> list[str]:
        """The live documents that took from an item after a version of its account; allocations are none."""
        found = []
        taking = {**self.refunds, **self.adjustments, **self.returns, **self.write_offs, **self.transfers}
        for name, source in taking.items():
            event = source.event
            assert isinstance(event, Voucher)
            if source.version > version and any(posting.item == item for posting in event.postings):
                found.append(name)
        return sorted(found)

    def newest_first(self) -> list[LiveAllocation]:
        """The live links of the document's items, newest first."""
        return sorted(
            self.allocations.values(),
            key=lambda link: (link.order, int(link.allocation.rpartition(".")[2])),
            reverse=True,
        )


def fold(document: str, sources: Iterable[Source]) -> History:
    """The history of a document from the events that concern it, in log order."""
    history = History(document)
    for source in sources:
        history.add(source)
    return history


def fold_all(sources: Iterable[Source]) -> dict[str, History]:
    """The histories of all documents that some events concern, the events in log order."""
    histories: dict[str, History] = {}
    for source in sources:
        for document in {enters(source.event), *touched_documents(source.event)}:
            if document is not None:
                histories.setdefault(document, History(document)).add(source)
    return histories


def gross_by_code(tax: Iterable[Tax | TaxModel], total: int) -> dict[str, int]:
    """A document's total split by tax code (base and tax); what no tax stands on has the code ``""``."""
    gross: dict[str, int] = {}
    for line in tax:
        gross[line.code] = gross.get(line.code, 0) + line.base + line.amount
    gross[""] = total - sum(gross.values())
    return gross


def touched_documents(event: Event) -> set[str]:
    """The documents, other than the one it enters, that an event concerns: what the register's touches name."""
    if isinstance(event, FactDeferred):
        return {event.awaited}
    if not isinstance(event, Voucher):
        return set()
    touched = {document_of(posting.item) for posting in event.postings if posting.item is not None}
    if event.caused_by is not None:
        touched.add(event.caused_by)
    if isinstance(event, CreditNoteIssued) and event.against is not None:
        touched.add(event.against)
    elif isinstance(event, RefundPaid) and event.original_payment is not None:
        touched.add(event.original_payment)
    elif isinstance(event, AdjustmentPosted) and event.linked_to is not None:
        touched.add(event.linked_to)
    elif isinstance(event, PaymentReturned):
        touched.add(event.payment)
    elif isinstance(event, PaymentReinstated):
        touched |= {event.returned, event.payment}
    elif isinstance(event, WriteOffRecovered):
        touched |= {event.write_off, *(one.relief for one in event.relief)}
    elif isinstance(event, VatReliefClaimed):
        touched |= {event.write_off, document_of(event.item)}
    elif isinstance(event, ItemTransferredOut):
        touched.add(event.transfer)
    elif isinstance(event, ItemTransferredIn):
        touched.add(document_of(event.item))
    elif isinstance(event, RevenueRecognised):
        touched.add(event.document)
    elif isinstance(event, DocumentReversed):
        touched.add(event.document)
        touched.update(event.named)
    touched.discard(enters(event) or "")
    return touched


def allocated_documents(event: Event, allocation: str) -> set[str]:
    """The two documents that one line of an ``Allocated`` links; none where the event has no such line."""
    lines = event.lines if isinstance(event, Allocated) else []
    return {
        document_of(item)
        for line in lines
        if line.allocation == allocation
        for item in (line.credit_item, line.debit_item)
    }


def enters(event: Event) -> str | None:
    """The document that an event enters into the books, if it enters one."""
    if isinstance(event, _ENTERING):
        return event.document
    return None


def _only(document: str, event: Voucher) -> Voucher:
    """The event with those postings alone that move the document's items."""
    postings = [p for p in event.postings if p.item is not None and document_of(p.item) == document]
    return msgspec.structs.replace(event, postings=postings)
