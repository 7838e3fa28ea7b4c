"""The events: what happened, each with its own balanced postings. Frozen, stored as JSON for ever.

An event that moves value carries postings that are a function of its own fields and sum to zero in amount and in base
amount (identity 1). Stream, version, position and ``recorded_at`` are not in the body: they are columns of its row.
Amounts are integer minor units of the account's currency, base amounts of the book's base currency; dates are days in
the book's calendar. An item's movement is the posting that names it: nothing else changes what is open.

Topics are explicit and versioned (``TOPICS``). An added optional field keeps the version; a changed shape is a new
version and an upcaster; a changed meaning is a new name. Stored events are read strictly: a field that this program
does not know is an error, never dropped.
"""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from domain.fields import AccountCode, BaseMinor, CurrencyCode, Dimensions, ExchangeRate, ItemId, Minor, Role

Side = Literal["D", "C"]
ReversalMode = Literal["error", "failed"]
"""Of a reversal: an error, undone on its own day; or what failed later, undone on that day."""
Settlement = Literal["automatic", "suggested"]
"""Whether the policy settles on arrival, or only says what it would settle."""


class Posting(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One line of a voucher 分录. ``side`` stands beside the sign: a reversal keeps the side and negates the amount.

    ``item`` names the open item that the posting moves; postings to control accounts always have one, others never.
    """

    role: Role
    account: AccountCode
    side: Annotated[Side, Meta(description="D: debit. C: credit. A reversal keeps it and negates the amount.")]
    amount: Minor
    base_amount: BaseMinor
    item: ItemId | None = None
    dimensions: Dimensions = {}


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line of an invoice or credit note: net amount of a role, with the period it is earned in, if it has one."""

    net: int
    role: str = "revenue"
    dimensions: dict[str, str] = {}
    service_from: date | None = None
    service_to: date | None = None


class Deferral(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What of a document is earned over a service period: held on ``deferred_account``, moved to ``account`` as it is earned.

    ``method``: by the day, or in equal parts by the month. All lines of one role, dimensions and period are one.
    """

    role: str
    account: str
    deferred_account: str
    amount: int
    base_amount: int
    service_from: date
    service_to: date
    method: Literal["day", "month"] = "day"
    dimensions: dict[str, str] = {}


class Tax(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Tax of one code: ``base`` taxed at ``rate`` (decimal text, per cent) is ``amount``, as upstream computed it."""

    code: str
    rate: str
    base: int
    amount: int


class Instalment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of an invoice that falls due on a day; it opens one debit item."""

    due_on: date
    amount: int


class DiscountTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cash discount: ``percent`` (decimal text) off if paid by ``until_on``."""

    percent: str
    until_on: date


class Remittance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a payment says it pays (or an invoice, by what it was prepaid): a reference and, if given, an amount.

    ``waits``: the document was unknown when this was booked; the reference fires, once, when it arrives.
    """

    reference: str
    amount: int | None = None
    waits: bool = False


class Deduction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was kept back from a payment before it reached us: a reason of the template and an amount."""

    reason: str
    amount: int


class ItemImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An open item as it stands before something is given back to it.

    Carried by events that reopen an item which had nothing open, since the state of an account holds open items only.
    ``movements``: (day, change of the open amount), netted per day, in order of days; they sum to zero.
    """

    item: str
    side: Side
    role: str
    account: str
    due_on: date
    effective_on: date
    amount: int
    base_amount: int
    movements: list[tuple[date, int]]
    dimensions: dict[str, str] = {}


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What every event has: where it came from, who asked for it and why.

    ``sequence``: the number that its source gave to the message, within book, day and currency. ``approval``: the
    request by whose approval it was booked; ``actor`` is the maker then.
    """

    source: str
    source_id: str
    actor: str
    reason: str | None = None
    sequence: int | None = None
    approval: str | None = None


class Voucher(Event, frozen=True, kw_only=True, omit_defaults=True):
    """An event that moves value.

    ``effective_on`` is the accounting date; ``requested_effective_on`` the one asked for, where a closed period or an
    item without room made us move it; ``template`` the version posted by; ``caused_by`` the document whose command
    caused this event.
    """

    effective_on: date
    requested_effective_on: date | None = None
    template: int
    caused_by: str | None = None
    flags: list[str] = []
    postings: list[Posting]


class BookVoucher(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """A voucher of a book as a whole, in its stream. ``currency`` is the book's base currency: amounts are base amounts."""

    currency: str


class InvoiceIssued(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """应收单: D receivable, an item an instalment; C revenue and tax (an opening item: C migration).

    ``deferrals``: what of its lines is credited to deferred revenue, and how it is earned.
    ``rate_source``: whose rate it is, where the document brought none.
    """

    document: str
    total: int
    base_total: int
    rate: str | None = None
    rate_source: str | None = None
    opening: bool = False
    fiscal_number: str | None = None
    document_on: date
    tax_point_on: date
    lines: list[Line] = []
    lines_digest: str | None = None
    tax: list[Tax] = []
    instalments: list[Instalment] = []
    remittance: list[Remittance] = []
    discount: DiscountTerms | None = None
    bill_to: str | None = None
    sold_to: str | None = None
    dimensions: dict[str, str] = {}
    deferrals: list[Deferral] = []


class CreditNoteIssued(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """红字发票: D revenue and tax (opening: D migration); C receivable, one credit item.

    ``deferrals``: what of its lines is taken from deferred revenue; a schedule of its own, beside its invoice's.
    ``against_waits``: the credited invoice was unknown; the reference fires, once, when it arrives.
    """

    document: str
    total: int
    base_total: int
    rate: str | None = None
    rate_source: str | None = None
    opening: bool = False
    fiscal_number: str | None = None
    document_on: date
    tax_point_on: date
    lines: list[Line] = []
    lines_digest: str | None = None
    tax: list[Tax] = []
    against: str | None = None
    against_waits: bool = False
    bill_to: str | None = None
    sold_to: str | None = None
    dimensions: dict[str, str] = {}
    deferrals: list[Deferral] = []


class PaymentReceived(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """收款: D cash and deductions (opening: D migration); C deposit by its class, one credit item."""

    document: str
    amount: int
    base_amount: int
    rate: str | None = None
    rate_source: str | None = None
    opening: bool = False
    value_on: date
    method: str
    cash: int
    deductions: list[Deduction] = []
    deposit_class: str = "unapplied"
    remittance: list[Remittance] = []
    dimensions: dict[str, str] = {}


class AllocationLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One link 核销: ``amount`` of a debit item settled with a credit item; what each is relieved of in base."""

    allocation: str
    credit_item: str
    debit_item: str
    amount: int
    credit_base: int
    debit_base: int


class Allocated(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """核销: D the credit items' accounts, C the debit items' accounts, ± exchange difference.

    ``mode``: hand, reference or policy. ``policy`` names the policy followed and ``policy_version`` the event that set
    it, of the book's stream or of the account's own (``policy_of``).
    """

    lines: list[AllocationLine]
    mode: Literal["hand", "reference", "policy"]
    policy: str | None = None
    policy_version: int | None = None
    policy_of: Literal["book", "account"] = "book"


class AllocationReleased(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """反核销: the exact inverse of (a part of) one allocation line; reopens both items. ``mode`` is the allocation's."""

    mode: Literal["hand", "reference", "policy"]
    allocation: str
    credit_item: str
    debit_item: str
    amount: int
    credit_base: int
    debit_base: int
    restored: list[ItemImage] = []


class Funding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a refund takes from one credit item."""

    item: str
    amount: int
    base_amount: int


class RefundPaid(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """退款: D the funding items' accounts, D receivable (the excess, a debit item); C cash, ± exchange difference."""

    document: str
    amount: int
    base_amount: int
    rate: str | None = None
    rate_source: str | None = None
    value_on: date
    method: str
    original_payment: str | None = None
    funded_by: list[Funding] = []
    excess: int = 0
    dimensions: dict[str, str] = {}


class PaymentReturned(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """退票/拒付: D the payment item's account, D receivable (the excess, a debit item), D fee; C deductions, C cash.

    ``cash`` left us: amount − deductions that were given back + fee. ``taken`` is what the payment's own item gave.
    """

    document: str
    payment: str
    kind: Literal["returned", "chargeback"]
    amount: int
    base_amount: int
    rate: str | None = None
    rate_source: str | None = None
    value_on: date
    cash: int
    deductions: list[Deduction] = []
    fee: int = 0
    taken: int
    taken_base: int
    excess: int = 0
    dimensions: dict[str, str] = {}


class PaymentReinstated(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """拒付胜诉: D cash, D deductions; C the payment item's account, C unapplied (the excess, a credit item), C fee.

    ``given``: what the payment's own item gets back, at most what the return took from it. ``fee``: given back to us.
    """

    document: str
    returned: str
    payment: str
    amount: int
    base_amount: int
    rate: str | None = None
    rate_source: str | None = None
    value_on: date
    cash: int
    deductions: list[Deduction] = []
    fee: int = 0
    given: int
    given_base: int
    excess: int = 0
    dimensions: dict[str, str] = {}
    restored: list[ItemImage] = []


class AdjustmentPosted(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """往来调整: takes ``amount`` (with tax) from one item; the other side goes to the reason's account, and to tax."""

    document: str
    item: str
    reason_code: str
    amount: int
    base_amount: int
    tax: list[Tax] = []
    linked_to: str | None = None


class WriteOffLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a write-off takes from one debit item."""

    item: str
    amount: int
    base_amount: int


class WrittenOff(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """坏账发生: D allowance; C the items' accounts. ``amount`` and ``base_amount`` are the sums of the lines."""

    document: str
    lines: list[WriteOffLine]
    amount: int
    base_amount: int


class ReliefReturned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a recovery gives back of one claim of VAT relief."""

    relief: str
    amount: int
    base_amount: int


class WriteOffRecovered(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """坏账收回: D the item's account; C allowance. The item is open again; what is paid then settles it as usual.

    D allowance, C output tax by what of the VAT relief is owed again (``relief``).
    """

    document: str
    write_off: str
    item: str
    amount: int
    base_amount: int
    relief: list[ReliefReturned] = []
    restored: list[ItemImage] = []


class ItemTransferredOut(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """应收冲应收, the half of who gives: the item's account against transfer clearing.

    ``transfer``: the document, which ItemTransferredIn enters in the other customer's account. ``received_role`` and
    ``received_account`` are those of the item that opens there, ``due_on`` its day.
    """

    transfer: str
    item: str
    amount: int
    base_amount: int
    to_customer: str
    due_on: date
    received_role: str
    received_account: str


class ItemTransferredIn(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """应收冲应收, the half of who receives: transfer clearing against the item that opens, due when the other one was.

    ``item``: the one that it came from.
    """

    document: str
    item: str
    amount: int
    base_amount: int
    from_customer: str
    due_on: date


class VatReliefClaimed(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """坏账税额抵减: D output tax; C allowance, by the tax in what a write-off took from an item."""

    document: str
    write_off: str
    item: str
    amount: int
    base_amount: int


class DocumentReversed(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """红字冲销: the same accounts and sides as the event it names, negative amounts. Final.

    ``named``: the documents that the undone event concerned, so that each of them shows its undoing.
    """

    document: str
    event: str
    named: list[str] = []
    mode: ReversalMode
    restored: list[ItemImage] = []


class AccountTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the payments of one account settle by themselves: by which policy, and whether that is done or suggested.

    None: as the book has it.
    """

    allocation: str | None = None
    settlement: Settlement | None = None


class AccountTermsChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The terms of a customer account as they were, and as they are from here on; in the account's own stream."""

    before: AccountTerms
    after: AccountTerms


class RecognisedPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of one deferral of a document, counted from 1, is recognised; negative for a credit note's."""

    deferral: int
    amount: int
    base_amount: int


class RevenueRecognised(Voucher, frozen=True, kw_only=True, omit_defaults=True):
    """收入确认: D deferred revenue, C the deferrals' own accounts; moves no item. Negative for a credit note.

    What the schedule of ``document`` says up to ``until_on``, less what was recognised before. ``amount`` and
    ``base_amount`` are the sums of the parts. ``reverses``: the recognition that is undone with its document, in red.
    """

    document: str
    until_on: date
    parts: list[RecognisedPart]
    amount: int
    base_amount: int
    reverses: str | None = None


class CreditLimitSet(Event, frozen=True, kw_only=True, omit_defaults=True):
    """信用额度: what the customer may owe from here on, in minor units, and before; None: no limit. It moves no value."""

    before: int | None = None
    after: int | None = None


class BookOpened(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A book 账套 is opened. ``allocation`` is the policy for payments; ``tolerances`` currency → minor units an item.

    ``tolerance_percents``: currency → per cent of an item's amount (decimal text); where both are set, the lesser holds.
    ``recognition``: how what is invoiced from now on for a service period is earned.
    """

    book: str
    name: str | None = None
    standard: str
    base_currency: str
    time_zone: str
    calendar: str
    first_on: date
    allocation: str
    settlement: Settlement = "automatic"
    tolerances: dict[str, int] = {}
    tolerance_percents: dict[str, str] = {}
    late_facts: Literal["refuse", "move"] = "move"
    recognition: Literal["day", "month"] = "day"


class PostingTemplateChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The whole posting template, as of a version from 1 on."""

    version: int
    roles: dict[str, str]
    methods: dict[str, str]
    reasons: dict[str, str]


class BookPolicies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How payments settle by themselves, how much of an item may be rounded off, by currency (minor units, and per cent
    as decimal text), what becomes of what is asked for a closed period, how revenue over time is earned, and whose
    exchange rates apply to documents that bring none (empty: nobody's)."""

    allocation: str
    tolerances: dict[str, int]
    late_facts: Literal["refuse", "move"] = "move"
    settlement: Settlement = "automatic"
    tolerance_percents: dict[str, str] = {}
    recognition: Literal["day", "month"] = "day"
    rate_source: str = ""


class BookPoliciesChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The policies of a book as they were, and as they are from here on."""

    before: BookPolicies
    after: BookPolicies


class ClosingCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One point of the closing list, as it stood: ``found`` speaks against it; ``accepted`` all the same."""

    check: str
    holds: bool
    found: int = 0
    accepted: bool = False


class PeriodClosed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """结账: nothing effective on or before ``last_on`` is recorded after this event, unless it is opened again.

    ``position``: of the log, at which the ``checks`` were made.
    """

    period: str
    first_on: date
    last_on: date
    position: str
    checks: list[ClosingCheck]


class PeriodReopened(Event, frozen=True, kw_only=True, omit_defaults=True):
    """反结账: what is effective from ``first_on`` on may be recorded again."""

    period: str
    first_on: date
    last_on: date


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One rule of the authorities: what those of a ``role``, or everybody, may do with a command.

    ``alone``: up to how much without an approval; ``approves``: up to how much of what somebody else made; none: not at
    all. Both are minor units of ``currency``, or without one of the base currency.
    """

    command: str
    role: str | None = None
    kind: str | None = None
    currency: str | None = None
    alone: int | None = None
    approves: int | None = None


class Authorities(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who has which roles, what these may do, and which commands must say why. Empty: everybody may do everything."""

    roles: dict[str, list[str]] = {}
    limits: list[Limit] = []
    reason_required: list[str] = []


class AuthoritiesChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """授权变更: the authorities of a book as they were, and as they are from here on."""

    before: Authorities
    after: Authorities


class ApprovalEvent(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What all events of an approval say: which request, what is asked for, and whose account it concerns, if any."""

    request: str
    instruction: str
    customer: str | None = None
    currency: str | None = None


class ApprovalRequested(ApprovalEvent, frozen=True, kw_only=True, omit_defaults=True):
    """提请审批: a whole command waits for somebody else to approve it. ``maker`` is its own actor.

    ``amount`` and ``base_amount``: what it would have posted then; none of what has to wait for another document.
    ``document``: the one that it enters or reverses, if any; ``command`` as JSON would give it.
    """

    maker: str
    document: str | None = None
    amount: int | None = None
    base_amount: int | None = None
    digest: str
    command: dict[str, Any]


class ApprovalGiven(ApprovalEvent, frozen=True, kw_only=True, omit_defaults=True):
    """审批通过: ``actor`` is the checker; the events of the command stand in the same commit, and name the request."""


class ApprovalRefused(ApprovalEvent, frozen=True, kw_only=True, omit_defaults=True):
    """审批驳回: the command is not booked; ``reason`` says why."""


class AllowanceBucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is overdue by at most ``to_days`` (None: by any more) and by more than the bucket before.

    ``rate``: expected loss in per cent, as decimal text; ``groups``: value of the matrix' dimension → another rate.
    """

    to_days: Annotated[int | None, Meta(description="Overdue by at most so many days; null: by any more.")]
    rate: Annotated[str, Meta(description="Expected loss in per cent, as decimal text.")]
    groups: Annotated[
        dict[str, str], Meta(description="Value of the matrix' dimension → its own expected loss in per cent.")
    ] = {}


class AllowanceMatrix(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A provision matrix 账龄分析法: rates by days past due, and by the values of a dimension, where it names one."""

    buckets: Annotated[list[AllowanceBucket], Meta(description="By ever more days past due.")]
    dimension: Annotated[
        str | None, Meta(description="The label of receivables whose values have rates of their own.")
    ] = None


class AllowanceMatrixChanged(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The provision matrix of a book as it was (None: there was none), and as it is from here on."""

    before: AllowanceMatrix | None = None
    after: AllowanceMatrix


class AllowanceLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Open debit items of a currency that fall into a bucket (counted from 1), and what is required for them.

    ``group``: the value of the matrix' dimension that has a rate of its own; none for all others. ``amount`` is in minor
    units of the currency; ``required`` is ``base_amount`` × the rate.
    """

    currency: CurrencyCode
    bucket: Annotated[int, Meta(description="Which bucket of the matrix, counted from 1.")]
    amount: Annotated[int, Meta(description="What is open, in minor units of the currency.")]
    base_amount: Annotated[int, Meta(description="What is open, in minor units of the base currency.")]
    required: Annotated[int, Meta(description="The allowance for it, in minor units of the base currency.")]
    group: Annotated[str, Meta(description="The value of the matrix' dimension, if it has a rate of its own.")] = ""


class AllowancePosted(BookVoucher, frozen=True, kw_only=True, omit_defaults=True):
    """坏账准备计提或转回: D impairment, C allowance by the ``difference``; the other way round, if it is negative.

    ``difference`` = ``required`` − ``before``: what ``lines`` require by ``matrix``, less what the allowance account
    had on ``effective_on``, as known at the log's ``position``.
    """

    position: str
    matrix: AllowanceMatrix
    lines: list[AllowanceLine]
    required: int
    before: int
    difference: int


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source says that one unit of a currency was worth on a day: base units, as decimal text."""

    day: date
    currency: str
    rate: str


class RatesStated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Exchange rates 汇率 of a source. Of two for one day and currency the one with the greater log position holds."""

    rate_source: str
    rates: list[Rate]


class RevaluationLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open monetary items of a currency on a control account, and what they are worth at the closing rate.

    ``amount`` and ``base_amount`` are debit less credit; ``rate`` is that of ``rate_on``. ``difference`` = ``value`` −
    ``base_amount`` − ``before``: what was revalued for the same day already.
    """

    currency: CurrencyCode
    account: AccountCode
    amount: Annotated[int, Meta(description="What is open, debit less credit, in minor units of the currency.")]
    base_amount: Annotated[
        int, Meta(description="What is open, debit less credit, in minor units of the base currency.")
    ]
    rate: ExchangeRate
    rate_on: Annotated[date, Meta(description="The day that the rate is of.")]
    value: Annotated[int, Meta(description="What it is worth at the rate, in minor units of the base currency.")]
    before: Annotated[
        int, Meta(description="What was revalued for the same day already, in minor units of the base currency.")
    ]
    difference: Annotated[
        int, Meta(description="value less base_amount less before, in minor units of the base currency.")
    ]


class RevaluationPosted(BookVoucher, frozen=True, kw_only=True, omit_defaults=True):
    """期末调汇: D revaluation, C unrealised exchange by each line's difference; the other way round, if negative.

    ``mirrors``: the event of the day before, whose postings this one takes back in red.
    """

    position: str
    rate_source: str
    lines: list[RevaluationLine]
    difference: int
    mirrors: str | None = None


class FactDeferred(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A refund or reversal whose original is unknown waits, whole, in the stream of the document it awaits.

    ``document`` is its own document id, if it has one; ``command`` the command as JSON would give it.
    """

    awaited: str
    document: str | None = None
    customer: str
    currency: str
    digest: str
    command: dict[str, Any]


class DeferredFactApplied(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What had waited was decided when the awaited document arrived.

    ``fact`` is the version of its FactDeferred in this stream; ``outcome`` booked, or refused with the code, field and
    value of the refusal.
    """

    fact: int
    outcome: Literal["booked", "refused"]
    code: str | None = None
    field: str | None = None
    value: str | None = None


class DeferredFactRejected(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody decided that a fact shall wait no more and not be booked; ``reason`` says why.

    ``fact`` is the version of its FactDeferred in this stream.
    """

    fact: int


class MessageDismissed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody decided that a message in quarantine is never to be booked; ``reason`` says why.

    ``entry`` is its number there, ``code`` why it stood there. ``message_source`` and ``message_source_id`` are as far as
    they could be read; ``digest`` (SHA-256, hex) is that of the book and source that it stood under and of what came.
    """

    entry: int
    message_source: str | None = None
    message_source_id: str | None = None
    code: str
    digest: str


class ControlTotalsStated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """控制总数: how many messages ``feed`` says that it sent for a day in a currency, and the sum of their amounts.

    ``highest``: the highest number that it gave. The statement with the greatest log position holds.
    """

    feed: str
    day: date
    currency: str
    count: int
    amount: int
    highest: int | None = None


FLAGS = {
    "tax_differs_from_rate": "an invoice's or credit note's tax is off from rate × base by more than a minor unit a line",
    "credit_exceeds_invoice": "a credit note takes its invoice, all credit notes together, below zero for a tax code",
    "credited_invoice_is_of_other_account": "a credit note is against an invoice of another customer account",
    "return_exceeds_payment": "more was returned than the payment had left; the excess is a debit item",
    "reinstatement_exceeds_return": "more was reinstated than was returned; the excess is a credit item",
    "refund_exceeds_funding": "more was paid out than the customer had in credit; the excess is a debit item",
}
"""Flag → what it says about the event that carries it."""

TOPICS: dict[str, type[Event]] = {
    "invoice-issued.v1": InvoiceIssued,
    "credit-note-issued.v1": CreditNoteIssued,
    "payment-received.v1": PaymentReceived,
    "allocated.v1": Allocated,
    "allocation-released.v1": AllocationReleased,
    "refund-paid.v1": RefundPaid,
    "payment-returned.v1": PaymentReturned,
    "payment-reinstated.v1": PaymentReinstated,
    "adjustment-posted.v1": AdjustmentPosted,
    "written-off.v1": WrittenOff,
    "write-off-recovered.v1": WriteOffRecovered,
    "item-transferred-out.v1": ItemTransferredOut,
    "item-transferred-in.v1": ItemTransferredIn,
    "vat-relief-claimed.v1": VatReliefClaimed,
    "document-reversed.v1": DocumentReversed,
    "account-terms-changed.v1": AccountTermsChanged,
    "revenue-recognised.v1": RevenueRecognised,
    "credit-limit-set.v1": CreditLimitSet,
    "book-opened.v1": BookOpened,
    "posting-template-changed.v1": PostingTemplateChanged,
    "book-policies-changed.v1": BookPoliciesChanged,
    "period-closed.v1": PeriodClosed,
    "period-reopened.v1": PeriodReopened,
    "authorities-changed.v1": AuthoritiesChanged,
    "approval-requested.v1": ApprovalRequested,
    "approval-given.v1": ApprovalGiven,
    "approval-refused.v1": ApprovalRefused,
    "allowance-matrix-changed.v1": AllowanceMatrixChanged,
    "allowance-posted.v1": AllowancePosted,
    "rates-stated.v1": RatesStated,
    "revaluation-posted.v1": RevaluationPosted,
    "fact-deferred.v1": FactDeferred,
    "deferred-fact-applied.v1": DeferredFactApplied,
    "deferred-fact-rejected.v1": DeferredFactRejected,
    "message-dismissed.v1": MessageDismissed,
    "control-totals-stated.v1": ControlTotalsStated,
}
"""Stored topic → event. A topic once written stays readable for ever."""
