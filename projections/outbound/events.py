"""From a logged event to the CloudEvent that goes out: one public type for each kind of event, field by field.

A stored event is never dumped: it may come to be stored otherwise while what is published stays as it is. The CloudEvent
is the whole value of the message (*structured mode*), so that it survives a copy to a file or a table, and tools that
drop headers.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from domain import events as stored
from domain.documents import item_id
from ledger.codec import TOPIC_OF
from ledger.outcomes import token
from projections.log import Logged
from projections.outbound import types

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"

NOT_PUBLISHED = {
    "control-totals-stated": "what a source says of its own messages, which it knows already",
    "authorities-changed": "who may do how much alone is the concern of the house",
    "rates-stated": "what others say of exchange rates; the rate that applied stands in each event that was valued by one",
}
"""Kinds of events that do not go out, and why."""

T = TypeVar("T")
Fields = dict[str, Any]


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A CloudEvent 1.0 in JSON."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str | UnsetType = UNSET
    time: str
    datacontenttype: str
    position: str
    partitionkey: str
    data: types.Public


class Account(NamedTuple):
    """Whose event it is; without a customer it is the whole book's."""

    book: str
    customer: str = ""
    currency: str = ""

    @property
    def key(self) -> str:
        """The key of its messages."""
        return f"{self.book}:{self.customer}" if self.customer else self.book


encode: Callable[[CloudEvent], bytes] = msgspec.json.Encoder().encode
"""The value of the message."""


def kind_of(event: type[stored.Event]) -> str:
    """What kind of event it is: its topic without the version."""
    return TOPIC_OF[event].rpartition(".")[0]


def cloud_event(logged: Logged, deferred: stored.FactDeferred | None = None) -> CloudEvent | None:
    """An event as it goes out; None for one that does not.

    ``deferred``: the ``FactDeferred`` whose end the event tells, which alone knows the customer.
    """
    event = logged.event
    # A message that names no book was dismissed in nobody's: there is no source to tell it, and no key to tell it under.
    if logged.kind in NOT_PUBLISHED or not logged.book:
        return None
    type_ = TYPE_OF[type(event)]
    if isinstance(event, (stored.DeferredFactApplied, stored.DeferredFactRejected)):
        assert deferred is not None, "it is told with what had waited"
        account = _account(logged, deferred)
        fields = _had_waited(event, deferred, logged.stream)
    else:
        account = _account(logged, event)
        fields = _FIELDS[type(event)](event)
    return CloudEvent(
        specversion="1.0",
        id=logged.event_id,
        # A book's name holds nothing that would have to be escaped in a URI.
        source=f"tieout/{account.book}",
        type=type_,
        subject=fields.get("document", UNSET),
        time=logged.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        datacontenttype="application/json",
        position=token(logged.position),
        partitionkey=account.key,
        data=types.TYPES[type_](**_said(logged, account), **fields),
    )


def _account(logged: Logged, event: stored.Event) -> Account:
    """From the stream, or from the fact that waits in it."""
    if logged.account is not None:
        return Account(*logged.account)
    book = logged.stream.split(":", 2)[1]
    if isinstance(event, (stored.FactDeferred, stored.ApprovalEvent)):
        return Account(book, event.customer or "", event.currency or "")
    return Account(book)


def _given(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _said(logged: Logged, account: Account) -> Fields:
    """What every event says; of an account's, also whose it is."""
    event = logged.event
    said = {
        "book": account.book,
        "version": logged.version,
        "source": event.source,
        "source_id": event.source_id,
        "reason": _given(event.reason),
        "approval": _given(event.approval),
    }
    return said | {"customer": account.customer, "currency": account.currency} if account.customer else said


def _voucher(event: stored.Voucher) -> Fields:
    return {
        "effective_on": event.effective_on,
        "requested_effective_on": _given(event.requested_effective_on),
        "template_version": event.template,
        "caused_by": _given(event.caused_by),
        "flags": event.flags,
        "postings": [
            types.Posting(
                role=posting.role,
                account=posting.account,
                side=posting.side,
                amount=posting.amount,
                base_amount=posting.base_amount,
                item=_given(posting.item),
                dimensions=posting.dimensions,
            )
            for posting in event.postings
        ],
    }


def _bill(event: stored.InvoiceIssued | stored.CreditNoteIssued) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "total": event.total,
        "base_total": event.base_total,
        "rate": _given(event.rate),
        "opening": event.opening,
        "fiscal_number": _given(event.fiscal_number),
        "document_on": event.document_on,
        "tax_point_on": event.tax_point_on,
        "lines": [
            types.Line(
                net=line.net,
                role=line.role,
                dimensions=line.dimensions,
                service_from=_given(line.service_from),
                service_to=_given(line.service_to),
            )
            for line in event.lines
        ],
        "lines_digest": _given(event.lines_digest),
        "tax": _tax(event.tax),
        "bill_to": _given(event.bill_to),
        "sold_to": _given(event.sold_to),
        "dimensions": event.dimensions,
        "deferrals": [
            types.Deferral(
                role=one.role,
                account=one.account,
                deferred_account=one.deferred_account,
                amount=one.amount,
                base_amount=one.base_amount,
                service_from=one.service_from,
                service_to=one.service_to,
                method=one.method,
                dimensions=one.dimensions,
            )
            for one in event.deferrals
        ],
    }


def _tax(tax: list[stored.Tax]) -> list[types.Tax]:
    return [types.Tax(code=one.code, rate=one.rate, base=one.base, amount=one.amount) for one in tax]


def _remittance(remittance: list[stored.Remittance]) -> list[types.Remittance]:
    return [types.Remittance(reference=one.reference, amount=_given(one.amount)) for one in remittance]


def _invoice_issued(event: stored.InvoiceIssued) -> Fields:
    discount = event.discount
    return _bill(event) | {
        "instalments": [
            types.Instalment(item=item_id(event.document, number), due_on=one.due_on, amount=one.amount)
            for number, one in enumerate(event.instalments, start=1)
        ],
        "remittance": _remittance(event.remittance),
        "discount": types.Discount(percent=discount.percent, until_on=discount.until_on) if discount else UNSET,
    }


def _credit_note_issued(event: stored.CreditNoteIssued) -> Fields:
    return _bill(event) | {"against": _given(event.against)}


def _payment_received(event: stored.PaymentReceived) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "amount": event.amount,
        "base_amount": event.base_amount,
        "rate": _given(event.rate),
        "opening": event.opening,
        "value_on": event.value_on,
        "method": event.method,
        "cash": event.cash,
        "deductions": [types.Deduction(reason=one.reason, amount=one.amount) for one in event.deductions],
        "deposit_class": event.deposit_class,
        "remittance": _remittance(event.remittance),
        "dimensions": event.dimensions,
    }


def _allocated(event: stored.Allocated) -> Fields:
    return _voucher(event) | {
        "links": [
            types.Link(
                allocation=line.allocation,
                credit_item=line.credit_item,
                debit_item=line.debit_item,
                amount=line.amount,
                credit_base_amount=line.credit_base,
                debit_base_amount=line.debit_base,
            )
            for line in event.lines
        ],
        "mode": event.mode,
        "policy": _given(event.policy),
        "policy_of": UNSET if event.policy is None else event.policy_of,
    }


def _allocation_released(event: stored.AllocationReleased) -> Fields:
    return _voucher(event) | {
        "allocation": event.allocation,
        "credit_item": event.credit_item,
        "debit_item": event.debit_item,
        "amount": event.amount,
        "credit_base_amount": event.credit_base,
        "debit_base_amount": event.debit_base,
        "mode": event.mode,
    }


def _refund_paid(event: stored.RefundPaid) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "amount": event.amount,
        "base_amount": event.base_amount,
        "rate": _given(event.rate),
        "value_on": event.value_on,
        "method": event.method,
        "original_payment": _given(event.original_payment),
        "funded_by": [
            types.Funding(item=one.item, amount=one.amount, base_amount=one.base_amount) for one in event.funded_by
        ],
        "excess": event.excess,
        "dimensions": event.dimensions,
    }


def _cash_back(event: stored.PaymentReturned | stored.PaymentReinstated) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "payment": event.payment,
        "amount": event.amount,
        "base_amount": event.base_amount,
        "rate": _given(event.rate),
        "value_on": event.value_on,
        "cash": event.cash,
        "deductions": [types.Deduction(reason=one.reason, amount=one.amount) for one in event.deductions],
        "fee": event.fee,
        "excess": event.excess,
        "dimensions": event.dimensions,
    }


def _payment_returned(event: stored.PaymentReturned) -> Fields:
    return _cash_back(event) | {
        "kind": event.kind,
        "taken": event.taken,
        "taken_base_amount": event.taken_base,
    }


def _payment_reinstated(event: stored.PaymentReinstated) -> Fields:
    return _cash_back(event) | {
        "returned": event.returned,
        "given": event.given,
        "given_base_amount": event.given_base,
    }


def _adjustment_posted(event: stored.AdjustmentPosted) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "item": event.item,
        "reason_code": event.reason_code,
        "amount": event.amount,
        "base_amount": event.base_amount,
        "tax": _tax(event.tax),
        "linked_to": _given(event.linked_to),
    }


def _written_off(event: stored.WrittenOff) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "lines": [
            types.WriteOffLine(item=one.item, amount=one.amount, base_amount=one.base_amount) for one in event.lines
        ],
        "amount": event.amount,
        "base_amount": event.base_amount,
    }


def _write_off_recovered(event: stored.WriteOffRecovered) -> Fields:
    relief = [
        types.ReliefReturned(relief=one.relief, amount=one.amount, base_amount=one.base_amount) for one in event.relief
    ]
    return _vat_relief_claimed(event) | {"relief": relief}


def _vat_relief_claimed(event: stored.WriteOffRecovered | stored.VatReliefClaimed) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "write_off": event.write_off,
        "item": event.item,
        "amount": event.amount,
        "base_amount": event.base_amount,
    }


def _item_transferred_out(event: stored.ItemTransferredOut) -> Fields:
    return _voucher(event) | {
        "transfer": event.transfer,
        "item": event.item,
        "amount": event.amount,
        "base_amount": event.base_amount,
        "to_customer": event.to_customer,
    }


def _item_transferred_in(event: stored.ItemTransferredIn) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "item": event.item,
        "amount": event.amount,
        "base_amount": event.base_amount,
        "from_customer": event.from_customer,
        "due_on": event.due_on,
    }


def _document_reversed(event: stored.DocumentReversed) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "event": event.event,
        "concerned": event.named,
        "mode": event.mode,
    }


def _account_terms_changed(event: stored.AccountTermsChanged) -> Fields:
    return {
        name: types.Terms(allocation_policy=_given(terms.allocation), settlement=_given(terms.settlement))
        for name, terms in (("before", event.before), ("after", event.after))
    }


def _revenue_recognised(event: stored.RevenueRecognised) -> Fields:
    return _voucher(event) | {
        "document": event.document,
        "until_on": event.until_on,
        "parts": [
            types.RecognisedPart(deferral=one.deferral, amount=one.amount, base_amount=one.base_amount)
            for one in event.parts
        ],
        "amount": event.amount,
        "base_amount": event.base_amount,
        "reverses": _given(event.reverses),
    }


def _credit_limit_set(event: stored.CreditLimitSet) -> Fields:
    return {"before": _given(event.before), "after": _given(event.after)}


def _book_opened(event: stored.BookOpened) -> Fields:
    return {
        "name": _given(event.name),
        "standard": event.standard,
        "base_currency": event.base_currency,
        "time_zone": event.time_zone,
        "calendar": event.calendar,
        "first_on": event.first_on,
        "allocation_policy": event.allocation,
        "tolerances": event.tolerances,
        "settlement": event.settlement,
        "tolerance_percents": event.tolerance_percents,
        "late_facts": event.late_facts,
        "recognition": event.recognition,
    }


def _posting_template_changed(event: stored.PostingTemplateChanged) -> Fields:
    return {
        "template_version": event.version,
        "roles": event.roles,
        "methods": event.methods,
        "reasons": event.reasons,
    }


def _book_policies_changed(event: stored.BookPoliciesChanged) -> Fields:
    return {
        name: types.Policies(
            allocation_policy=policies.allocation,
            settlement=policies.settlement,
            tolerances=policies.tolerances,
            tolerance_percents=policies.tolerance_percents,
            late_facts=policies.late_facts,
            recognition=policies.recognition,
            rate_source=policies.rate_source,
        )
        for name, policies in (("before", event.before), ("after", event.after))
    }


def _period_closed(event: stored.PeriodClosed) -> Fields:
    checks = [
        types.ClosingCheck(check=one.check, holds=one.holds, found=one.found, accepted=one.accepted)
        for one in event.checks
    ]
    return _period(event) | {"checked_at": event.position, "checks": checks}


def _period(event: stored.PeriodClosed | stored.PeriodReopened) -> Fields:
    return {"period": event.period, "first_on": event.first_on, "last_on": event.last_on}


def _approval(event: stored.ApprovalEvent) -> Fields:
    return {"request": event.request, "command": event.instruction}


def _approval_requested(event: stored.ApprovalRequested) -> Fields:
    return _approval(event) | {
        "document": _given(event.document),
        "amount": _given(event.amount),
        "base_amount": _given(event.base_amount),
    }


def _allowance_matrix_changed(event: stored.AllowanceMatrixChanged) -> Fields:
    return {
        "before": UNSET if event.before is None else _matrix(event.before),
        "after": _matrix(event.after),
    }


def _matrix(matrix: stored.AllowanceMatrix) -> types.AllowanceMatrix:
    buckets = [
        types.AllowanceBucket(to_days=_given(one.to_days), rate=one.rate, groups=one.groups) for one in matrix.buckets
    ]
    return types.AllowanceMatrix(buckets=buckets, dimension=_given(matrix.dimension))


def _allowance_posted(event: stored.AllowancePosted) -> Fields:
    lines = [
        types.AllowanceLine(
            currency=one.currency,
            bucket=one.bucket,
            group=one.group or UNSET,
            amount=one.amount,
            base_amount=one.base_amount,
            required=one.required,
        )
        for one in event.lines
    ]
    return _book_voucher(event) | {
        "evidence_at": event.position,
        "matrix": _matrix(event.matrix),
        "lines": lines,
        "required": event.required,
        "before": event.before,
        "difference": event.difference,
    }


def _revaluation_posted(event: stored.RevaluationPosted) -> Fields:
    lines = [types.RevaluationLine(**msgspec.structs.asdict(one)) for one in event.lines]
    return _book_voucher(event) | {
        "evidence_at": event.position,
        "rate_source": event.rate_source,
        "lines": lines,
        "difference": event.difference,
        "mirrors": _given(event.mirrors),
    }


def _book_voucher(event: stored.BookVoucher) -> Fields:
    shared = _voucher(event)
    return {name: shared[name] for name in ("effective_on", "template_version", "postings")} | {
        "currency": event.currency
    }


def _fact_deferred(event: stored.FactDeferred) -> Fields:
    return {
        "awaited": event.awaited,
        "document": _given(event.document),
        "command": _given(event.command.get("command")),
    }


def _message_dismissed(event: stored.MessageDismissed) -> Fields:
    return {
        "entry": event.entry,
        "message_source": _given(event.message_source),
        "message_source_id": _given(event.message_source_id),
        "code": event.code,
    }


def _had_waited(
    event: stored.DeferredFactApplied | stored.DeferredFactRejected, deferred: stored.FactDeferred, stream: str
) -> Fields:
    fields: Fields = {
        "awaited": deferred.awaited,
        "document": _given(deferred.document),
        "deferred": f"{stream}:{event.fact}",
    }
    if isinstance(event, stored.DeferredFactApplied):
        fields |= {
            "outcome": event.outcome,
            "code": _given(event.code),
            "field": _given(event.field),
            "value": _given(event.value),
        }
    return fields


_FIELDS: dict[type[stored.Event], Callable[[Any], Fields]] = {
    stored.InvoiceIssued: _invoice_issued,
    stored.CreditNoteIssued: _credit_note_issued,
    stored.PaymentReceived: _payment_received,
    stored.Allocated: _allocated,
    stored.AllocationReleased: _allocation_released,
    stored.RefundPaid: _refund_paid,
    stored.PaymentReturned: _payment_returned,
    stored.PaymentReinstated: _payment_reinstated,
    stored.AdjustmentPosted: _adjustment_posted,
    stored.WrittenOff: _written_off,
    stored.WriteOffRecovered: _write_off_recovered,
    stored.ItemTransferredOut: _item_transferred_out,
    stored.ItemTransferredIn: _item_transferred_in,
    stored.VatReliefClaimed: _vat_relief_claimed,
    stored.DocumentReversed: _document_reversed,
    stored.AccountTermsChanged: _account_terms_changed,
    stored.RevenueRecognised: _revenue_recognised,
    stored.CreditLimitSet: _credit_limit_set,
    stored.BookOpened: _book_opened,
    stored.PostingTemplateChanged: _posting_template_changed,
    stored.BookPoliciesChanged: _book_policies_changed,
    stored.PeriodClosed: _period_closed,
    stored.PeriodReopened: _period,
    stored.ApprovalRequested: _approval_requested,
    stored.ApprovalGiven: _approval,
    stored.ApprovalRefused: _approval,
    stored.AllowanceMatrixChanged: _allowance_matrix_changed,
    stored.AllowancePosted: _allowance_posted,
    stored.RevaluationPosted: _revaluation_posted,
    stored.FactDeferred: _fact_deferred,
    stored.MessageDismissed: _message_dismissed,
}

TYPE_OF: dict[type[stored.Event], str] = {
    stored.InvoiceIssued: "tieout.invoice-issued.v1",
    stored.CreditNoteIssued: "tieout.credit-note-issued.v1",
    stored.PaymentReceived: "tieout.payment-received.v1",
    stored.Allocated: "tieout.allocated.v1",
    stored.AllocationReleased: "tieout.allocation-released.v1",
    stored.RefundPaid: "tieout.refund-paid.v1",
    stored.PaymentReturned: "tieout.payment-returned.v1",
    stored.PaymentReinstated: "tieout.payment-reinstated.v1",
    stored.AdjustmentPosted: "tieout.adjustment-posted.v1",
    stored.WrittenOff: "tieout.written-off.v1",
    stored.WriteOffRecovered: "tieout.write-off-recovered.v1",
    stored.ItemTransferredOut: "tieout.item-transferred-out.v1",
    stored.ItemTransferredIn: "tieout.item-transferred-in.v1",
    stored.VatReliefClaimed: "tieout.vat-relief-claimed.v1",
    stored.DocumentReversed: "tieout.document-reversed.v1",
    stored.AccountTermsChanged: "tieout.account-terms-changed.v1",
    stored.RevenueRecognised: "tieout.revenue-recognised.v1",
    stored.CreditLimitSet: "tieout.credit-limit-set.v1",
    stored.BookOpened: "tieout.book-opened.v1",
    stored.PostingTemplateChanged: "tieout.posting-template-changed.v1",
    stored.BookPoliciesChanged: "tieout.book-policies-changed.v1",
    stored.PeriodClosed: "tieout.period-closed.v1",
    stored.PeriodReopened: "tieout.period-reopened.v1",
    stored.ApprovalRequested: "tieout.approval-requested.v1",
    stored.ApprovalGiven: "tieout.approval-given.v1",
    stored.ApprovalRefused: "tieout.approval-refused.v1",
    stored.AllowanceMatrixChanged: "tieout.allowance-matrix-changed.v1",
    stored.AllowancePosted: "tieout.allowance-posted.v1",
    stored.RevaluationPosted: "tieout.revaluation-posted.v1",
    stored.FactDeferred: "tieout.fact-deferred.v1",
    stored.DeferredFactApplied: "tieout.deferred-fact-applied.v1",
    stored.DeferredFactRejected: "tieout.deferred-fact-rejected.v1",
    stored.MessageDismissed: "tieout.message-dismissed.v1",
}
"""Event → the ``type`` that it goes out under, which has nothing to do with the version that it is stored under."""
