"""The commands: what somebody asks to be booked. The only definition; contracts, files and HTTP bodies reuse it.

Strict: no coercion (``1.0`` is not an integer), unknown fields refused, integers within ± 2⁶³⁻¹, ids of 1 to 200
characters without control characters. Amounts are positive integer minor units of the command's currency, base amounts
of the book's base currency; dates are accounting days in the book's calendar. Rates are decimal text, kept without
idle zeros (7.10 is 7.1).

``nature`` says whether it happened anyway (a fact: never refused for amount) or is asked for (an instruction: may be
refused); commands without it are instructions. ``source`` and ``source_id`` are the caller's own name for the command:
the same pair is booked once. ``sequence`` is its number, where the source numbers what it sends: from 1 on without
gaps within one book, day and currency. With it a gap is seen, and what is missing can be named.
"""

import re
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, model_validator

from domain.documents import HOUSE_PREFIX, KINDS, document_id, parse_document, reference
from domain.money import LIMIT, is_currency, parse_rate

_NO_CONTROLS = r"^[^\x00-\x1f\x7f]+$"
ID_LENGTH = 200
Id = Annotated[str, StringConstraints(min_length=1, max_length=ID_LENGTH, pattern=_NO_CONTROLS)]
Actor = Annotated[str, StringConstraints(pattern=_NO_CONTROLS)]
Text = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Series = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f:]*$")]
Number = Annotated[str, StringConstraints(min_length=1, max_length=90, pattern=_NO_CONTROLS)]
BookId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
AccountCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
Minor = Annotated[int, Field(ge=-LIMIT, le=LIMIT)]
Revision = Annotated[int, Field(ge=1, le=9999)]
Sequence = Annotated[int, Field(ge=1, le=LIMIT)]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
DIMENSIONS_BYTES = 1_000
"""Of all dimensions of a document, or of a line, as JSON: so those of both are part of one key in the projections, and
PostgreSQL's keys hold 2,700 bytes."""


def _dimensions(dimensions: dict[str, str]) -> dict[str, str]:
    if len(msgspec.json.encode(dimensions)) > DIMENSIONS_BYTES:
        raise ValueError(f"must not have more than {DIMENSIONS_BYTES} bytes as JSON, all together")
    return dimensions


Dimensions = Annotated[dict[Word, Id], AfterValidator(_dimensions)]


def _currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("must be the code of an ISO 4217 currency")
    return code


def _plain(text: str) -> str:
    """Decimal text without idle zeros, so that 7.1 and 7.10 are the same fact."""
    return format(Decimal(text).normalize(), "f")


def _rate(text: str) -> str:
    parse_rate(text)
    return _plain(text)


def _loss_rate(text: str) -> str:
    if Decimal(text) > 100:
        raise ValueError("must be at most 100 per cent")
    return text


def _customer(customer: str) -> str:
    if customer.startswith(HOUSE_PREFIX) and not re.fullmatch(r"~.+:\d{4}-\d{2}", customer):
        raise ValueError("must not begin with ~, unless it is a house account, ~<source>:<yyyy-mm>")
    return customer


def _item(item: str) -> str:
    document, mark, instalment = item.rpartition("#")
    if not mark or not re.fullmatch("[1-9][0-9]*", instalment):
        raise ValueError("must be an item id, kind:series:number:revision#instalment")
    parse_document(document)
    return item


def _time_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be an IANA time zone, such as Asia/Shanghai")
    return name


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency)]
Rate = Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$"), AfterValidator(_rate)]
Percent = Annotated[str, StringConstraints(max_length=20, pattern=r"^[0-9]+(\.[0-9]+)?$"), AfterValidator(_plain)]
LossRate = Annotated[Percent, AfterValidator(_loss_rate)]
Customer = Annotated[Id, AfterValidator(_customer)]
ItemId = Annotated[str, StringConstraints(max_length=220), AfterValidator(_item)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Policy = Literal["none", "oldest_due_first", "proportional", "largest_first", "exact_amount_first"]
LateFacts = Literal["refuse", "move"]
Settlement = Literal["automatic", "suggested"]
Recognition = Literal["day", "month"]
Period = Annotated[str, StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]
Kind = Literal[
    "invoice",
    "debit-note",
    "credit-note",
    "payment",
    "refund",
    "return",
    "reinstatement",
    "adjustment",
    "write-off",
    "recovery",
    "transfer",
    "vat-relief",
]
assert Kind.__args__ == KINDS  # type: ignore[attr-defined]


class Model(BaseModel):
    """Strict, closed, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Line(Model):
    """A line of an invoice or credit note; ``net`` without tax, negative for a discount.

    What has a service period, with both its days, is deferred and earned over it.
    """

    net: Minor
    role: Word = "revenue"
    dimensions: Dimensions = Field(default_factory=dict)
    service_from: Day | None = None
    service_to: Day | None = None


class Tax(Model):
    """Tax of one code, as upstream computed it; ``rate`` in per cent."""

    code: Id
    rate: Percent
    base: Minor
    amount: Minor


class Instalment(Model):
    """What falls due on a day."""

    due_on: Day
    amount: Minor


class DiscountTerms(Model):
    """Cash discount: ``percent`` off if paid by ``until_on``."""

    percent: Percent
    until_on: Day


class Deduction(Model):
    """What was kept back before the money reached us."""

    reason: Word
    amount: Minor


class DocumentRef(Model):
    """A document of the same book, of one revision."""

    kind: Kind
    series: Series = ""
    number: Number
    revision: Revision = 1

    @property
    def document(self) -> str:
        """The document id."""
        return document_id(self.kind, self.series, self.number, self.revision)


class PaidDocument(Model):
    """A document that is settled by reference, of whichever revision is live; ``amount`` if only so much of it.

    A payment names invoices and debit notes; an invoice names the payments and credit notes that prepaid it.
    """

    kind: Literal["invoice", "debit-note", "credit-note", "payment"] = "invoice"
    series: Series = ""
    number: Number
    amount: Minor | None = None

    @property
    def reference(self) -> str:
        """The reference, ``kind:series:number``."""
        return reference(self.kind, self.series, self.number)


class FundingItem(Model):
    """A credit item that a refund is taken from."""

    item: ItemId
    amount: Minor


class AllocateLine(Model):
    """One explicit link; without an amount, as much as both items have open."""

    credit_item: ItemId
    debit_item: ItemId
    amount: Minor | None = None


class CommandBase(Model):
    """What every command has."""

    source: Id
    source_id: Id
    actor: Id = "system"
    reason: Text | None = None
    sequence: Sequence | None = None
    book: BookId


class OpenBook(CommandBase):
    """Open a book 账套. The template's entries are set over the defaults of the standard chart.

    ``settlement``: what payments have left settles by the policy on arrival, or that is only suggested. ``tolerances``:
    currency → minor units an item; ``tolerance_percents``: currency → per cent of its amount; the lesser holds.
    ``late_facts``: what is asked for a closed period is moved to the first open day, or refused. ``recognition``: lines
    with a service period are earned by the day, or in equal parts by the month where the period is whole months.
    """

    command: Literal["OpenBook"] = "OpenBook"
    name: Text | None = None
    standard: Literal["cas", "cas-small", "ifrs"] = "cas"
    base_currency: CurrencyCode
    time_zone: TimeZone = "UTC"
    calendar: Literal["month"] = "month"
    first_on: Day = date(1900, 1, 1)
    allocation: Policy = "oldest_due_first"
    settlement: Settlement = "automatic"
    tolerances: dict[CurrencyCode, Annotated[int, Field(ge=0, le=LIMIT)]] = {}
    tolerance_percents: dict[CurrencyCode, Percent] = {}
    late_facts: LateFacts = "move"
    recognition: Recognition = "day"
    roles: dict[Word, AccountCode] = Field(default_factory=dict)
    methods: dict[Word, AccountCode] = Field(default_factory=dict)
    reasons: dict[Word, Word] = Field(default_factory=dict)


class ChangePostingTemplate(CommandBase):
    """Set entries of the posting template; those not named stay."""

    command: Literal["ChangePostingTemplate"] = "ChangePostingTemplate"
    roles: dict[Word, AccountCode] = Field(default_factory=dict)
    methods: dict[Word, AccountCode] = Field(default_factory=dict)
    reasons: dict[Word, Word] = Field(default_factory=dict)


class ChangeBookPolicies(CommandBase):
    """Set how payments settle from now on, how much may be rounded off, what becomes of late facts, or how revenue over
    time is earned.

    What is not named stays.

    ``tolerances`` replaces the whole table: currency → minor units an item; so does ``tolerance_percents``: currency →
    per cent of its amount. ``rate_source``: whose exchange rates apply to documents that bring none; empty: nobody's.
    """

    command: Literal["ChangeBookPolicies"] = "ChangeBookPolicies"
    allocation: Policy | None = None
    settlement: Settlement | None = None
    tolerances: dict[CurrencyCode, Annotated[int, Field(ge=0, le=LIMIT)]] | None = None
    tolerance_percents: dict[CurrencyCode, Percent] | None = None
    late_facts: LateFacts | None = None
    recognition: Recognition | None = None
    rate_source: Annotated[str, StringConstraints(max_length=ID_LENGTH, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        policies = (self.allocation, self.settlement, self.tolerances, self.tolerance_percents, self.late_facts)
        if all(policy is None for policy in (*policies, self.recognition, self.rate_source)):
            raise ValueError("must set at least one policy")
        return self


class ClosingCheck(Model):
    """One point of the closing list: whether it holds, and how many findings speak against it.

    ``accepted``: the period is closed although it does not hold; the command's reason says why.
    """

    check: Word
    holds: bool
    found: Annotated[int, Field(ge=0, le=LIMIT)] = 0
    accepted: bool = False


class ClosePeriod(CommandBase):
    """结账: nothing is booked into the period any more. ``position``: of the log, at which the checks were made.

    The first period that is closed takes all before it with it.
    """

    command: Literal["ClosePeriod"] = "ClosePeriod"
    period: Period
    position: Id
    checks: list[ClosingCheck]

    @model_validator(mode="after")
    def _accepted_for_a_reason(self) -> Self:
        if len({check.check for check in self.checks}) < len(self.checks):
            raise ValueError("checks must each be named once")
        if any(check.accepted for check in self.checks) and not self.reason:
            raise ValueError("a check is accepted for a reason only")
        return self


class ReopenPeriod(CommandBase):
    """反结账: the period that was closed last is open again."""

    command: Literal["ReopenPeriod"] = "ReopenPeriod"
    reason: Annotated[Text, StringConstraints(min_length=1)]
    period: Period


class AllowanceBucket(Model):
    """What is overdue by at most ``to_days``, and by more than the bucket before; the last one has no end.

    ``rate``: expected loss in per cent; ``groups``: value of the matrix' dimension → another rate.
    """

    to_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    rate: LossRate
    groups: dict[Id, LossRate] = Field(default_factory=dict)


class ChangeAllowanceMatrix(CommandBase):
    """Set the provision matrix 账龄分析法 of the book, whole; it holds for allowances that are posted later.

    ``dimension``: the label of receivables whose values have rates of their own in the buckets' ``groups``.
    """

    command: Literal["ChangeAllowanceMatrix"] = "ChangeAllowanceMatrix"
    buckets: Annotated[list[AllowanceBucket], Field(min_length=1, max_length=100)]
    dimension: Word | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        *ends, last = [bucket.to_days for bucket in self.buckets]
        if last is not None or None in ends or any(a >= b for a, b in pairwise(ends)):  # type: ignore[operator]
            raise ValueError("buckets must end after ever more days, and the last one must have no end")
        if self.dimension is None and any(bucket.groups for bucket in self.buckets):
            raise ValueError("groups need a dimension")
        return self


class AllowanceEvidence(Model):
    """Open debit items of a currency in a bucket of the matrix, counted from 1; ``group``: with a rate of its own."""

    currency: CurrencyCode
    bucket: Annotated[int, Field(ge=1, le=100)]
    group: Annotated[str, StringConstraints(max_length=ID_LENGTH)] = ""
    amount: Annotated[int, Field(ge=0, le=LIMIT)]
    base_amount: Annotated[int, Field(ge=0, le=LIMIT)]


class PostAllowance(CommandBase):
    """坏账准备: bring the allowance to what the book's matrix requires on a day, by posting the difference.

    The evidence is that of one moment: what was open on ``effective_on`` (``lines``) and what the allowance account had
    then, debit less credit turned round (``before``), as known at the log's ``position``, when the book had
    ``book_version``.
    """

    command: Literal["PostAllowance"] = "PostAllowance"
    effective_on: Day
    position: Id
    book_version: Annotated[int, Field(ge=1, le=LIMIT)]
    lines: list[AllowanceEvidence] = Field(default_factory=list)
    before: Minor

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(line.currency, line.bucket, line.group) for line in self.lines}) < len(self.lines):
            raise ValueError("lines must each be of another currency, bucket or group")
        return self


class StatedRate(Model):
    """One unit of the currency in base units, on a day."""

    day: Day
    currency: CurrencyCode
    rate: Rate


class StateRates(CommandBase):
    """Exchange rates 汇率 of a source, such as a central bank. A later statement for a day and currency holds."""

    command: Literal["StateRates"] = "StateRates"
    rate_source: Id
    rates: Annotated[list[StatedRate], Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(one.day, one.currency) for one in self.rates}) < len(self.rates):
            raise ValueError("rates must each be of another day or currency")
        return self


class RevaluationEvidence(Model):
    """Open monetary items of a currency on a control account, debit less credit, and the rate that applies.

    ``before``: what the revaluation account has for them on the day, debit less credit.
    """

    currency: CurrencyCode
    account: AccountCode
    amount: Minor
    base_amount: Minor
    rate: Rate
    rate_on: Day
    before: Minor = 0


class PostRevaluation(CommandBase):
    """期末调汇: value open foreign items at the rates of a day, and take it back on the next; items keep their base.

    The evidence is that of one moment, as in PostAllowance.
    """

    command: Literal["PostRevaluation"] = "PostRevaluation"
    effective_on: Day
    position: Id
    book_version: Annotated[int, Field(ge=1, le=LIMIT)]
    rate_source: Id
    lines: list[RevaluationEvidence] = Field(default_factory=list)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(line.currency, line.account) for line in self.lines}) < len(self.lines):
            raise ValueError("lines must each be of another currency or account")
        return self


class AccountCommand(CommandBase):
    """A command for one customer account: the customer (the payer) in one currency.

    Only house accounts of unknown customers begin with ``~``: ``~<source>:<yyyy-mm>``.
    """

    customer: Customer
    currency: CurrencyCode


class DocumentCommand(AccountCommand):
    """A command that enters a document; ``rate`` is base units for one unit of the currency, ``base_total`` wins."""

    series: Series = ""
    number: Number
    revision: Revision = 1
    effective_on: Day


class Billing(DocumentCommand):
    """What invoices and credit notes have in common."""

    nature: Literal["fact", "instruction"] = "fact"
    opening: bool = False
    fiscal_number: Id | None = None
    document_on: Day | None = None
    tax_point_on: Day | None = None
    lines: list[Line] = Field(default_factory=list)
    tax: list[Tax] = Field(default_factory=list)
    total: Minor
    rate: Rate | None = None
    base_total: Annotated[int, Field(ge=0, le=LIMIT)] | None = None
    bill_to: Id | None = None
    sold_to: Id | None = None
    dimensions: Dimensions = Field(default_factory=dict)


class IssueInvoice(Billing):
    """应收单, or a debit note; instalments sum to the total. ``opening``: taken over from an earlier system."""

    command: Literal["IssueInvoice"] = "IssueInvoice"
    kind: Literal["invoice", "debit-note"] = "invoice"
    instalments: list[Instalment] = Field(default_factory=list)
    remittance: list[PaidDocument] = Field(default_factory=list)
    discount: DiscountTerms | None = None

    @model_validator(mode="after")
    def _prepaid_by_credits(self) -> Self:
        if any(paid.kind not in ("payment", "credit-note") for paid in self.remittance):
            raise ValueError("the remittance of an invoice must name payments and credit notes")
        return self


class IssueCreditNote(Billing):
    """红字发票; ``against`` the invoice it credits, which may still be unknown."""

    command: Literal["IssueCreditNote"] = "IssueCreditNote"
    against: DocumentRef | None = None

    @model_validator(mode="after")
    def _against_an_invoice(self) -> Self:
        if self.against is not None and self.against.kind not in ("invoice", "debit-note"):
            raise ValueError("against must be an invoice or a debit note")
        return self


class RecordPayment(DocumentCommand):
    """收款: ``amount`` is gross; ``cash`` (amount less deductions, if not given) is what reached us."""

    command: Literal["RecordPayment"] = "RecordPayment"
    nature: Literal["fact", "instruction"] = "fact"
    opening: bool = False
    value_on: Day | None = None
    method: Word = "bank"
    amount: Minor
    cash: Annotated[int, Field(ge=0, le=LIMIT)] | None = None
    deductions: list[Deduction] = Field(default_factory=list)
    deposit_class: Literal["unapplied", "contract", "unidentified", "security"] = "unapplied"
    rate: Rate | None = None
    base_total: Annotated[int, Field(ge=0, le=LIMIT)] | None = None
    remittance: list[PaidDocument] = Field(default_factory=list)
    dimensions: Dimensions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _pays_debits(self) -> Self:
        if any(paid.kind not in ("invoice", "debit-note") for paid in self.remittance):
            raise ValueError("the remittance of a payment must name invoices and debit notes")
        return self


class RecordRefund(DocumentCommand):
    """退款 of an original payment, of named credit items, or of whatever the customer has in credit."""

    command: Literal["RecordRefund"] = "RecordRefund"
    nature: Literal["fact", "instruction"] = "instruction"
    value_on: Day | None = None
    method: Word = "bank"
    amount: Minor
    rate: Rate | None = None
    base_total: Annotated[int, Field(ge=0, le=LIMIT)] | None = None
    original_payment: DocumentRef | None = None
    funded_by: list[FundingItem] = Field(default_factory=list)
    dimensions: Dimensions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_a_payment(self) -> Self:
        if self.original_payment is not None and self.original_payment.kind != "payment":
            raise ValueError("original_payment must be a payment")
        return self


class CashBack(DocumentCommand):
    """What returns and reinstatements have in common: ``amount`` is gross, cash is amount less deductions plus fee."""

    value_on: Day | None = None
    amount: Minor
    deductions: list[Deduction] = Field(default_factory=list)
    fee: Annotated[int, Field(ge=0, le=LIMIT)] = 0
    rate: Rate | None = None
    base_total: Annotated[int, Field(ge=0, le=LIMIT)] | None = None
    dimensions: Dimensions = Field(default_factory=dict)


class ReturnPayment(CashBack):
    """退票/拒付: the bank took a payment back, or a part of it; a fact, whatever the payment still has.

    ``deductions``: what had been kept back from the payment and is given back to us; ``fee``: what the bank takes
    besides. ``allocations``: links of the payment to release first; else the newest.
    """

    command: Literal["ReturnPayment"] = "ReturnPayment"
    kind: Literal["returned", "chargeback"]
    payment: DocumentRef
    allocations: list[Id] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_a_payment(self) -> Self:
        if self.payment.kind != "payment":
            raise ValueError("payment must be a payment")
        return self


class ReinstatePayment(CashBack):
    """拒付胜诉: what was returned came back, as when a dispute was won.

    ``deductions``: kept back again; ``fee``: given back to us.
    """

    command: Literal["ReinstatePayment"] = "ReinstatePayment"
    nature: Literal["fact", "instruction"] = "fact"
    returned: DocumentRef

    @model_validator(mode="after")
    def _of_a_return(self) -> Self:
        if self.returned.kind != "return":
            raise ValueError("returned must be a return")
        return self


class PostAdjustment(DocumentCommand):
    """往来调整: take ``amount`` (with ``tax``) from an item, for a reason of the template."""

    command: Literal["PostAdjustment"] = "PostAdjustment"
    item: ItemId
    reason_code: Word
    amount: Minor
    tax: list[Tax] = Field(default_factory=list)
    linked_to: DocumentRef | None = None

    @model_validator(mode="after")
    def _links_no_further(self) -> Self:
        if self.linked_to is not None and self.linked_to.kind == "adjustment":
            raise ValueError("linked_to must not be an adjustment: link to what that one is linked to")
        return self


class RoundOff(DocumentCommand):
    """尾差核销: take off what a payment left open of an item, by the book's rules, which say the reason and the amount.

    Within the cash discount of an invoice that was paid in time it is that; else it must be within the tolerance. All
    that is open is taken, or nothing.
    """

    command: Literal["RoundOff"] = "RoundOff"
    item: ItemId


class WriteOffItem(Model):
    """A debit item that is written off; without an amount, all that it has open."""

    item: ItemId
    amount: Minor | None = None


class WriteOff(DocumentCommand):
    """坏账核销: take bad debts out of the books, against the allowance."""

    command: Literal["WriteOff"] = "WriteOff"
    items: Annotated[list[WriteOffItem], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.item for one in self.items}) < len(self.items):
            raise ValueError("items must each be named once")
        return self


class RecoverWriteOff(DocumentCommand):
    """坏账收回: open again what a write-off took from an item, or a part of it, since it is paid after all."""

    command: Literal["RecoverWriteOff"] = "RecoverWriteOff"
    write_off: DocumentRef
    item: ItemId
    amount: Minor

    @model_validator(mode="after")
    def _of_a_write_off(self) -> Self:
        if self.write_off.kind != "write-off":
            raise ValueError("write_off must be a write-off")
        return self


class TransferItem(DocumentCommand):
    """往来转移: what an item has open, or a part of it, goes to another customer's account in the same currency.

    ``deposit_class``: of money that was received, what it is for the other customer; else as it was, but what was
    unidentified is unapplied.
    """

    command: Literal["TransferItem"] = "TransferItem"
    item: ItemId
    amount: Minor | None = None
    to_customer: Customer
    deposit_class: Literal["unapplied", "contract", "unidentified", "security"] | None = None


class ClaimVatRelief(DocumentCommand):
    """坏账税额抵减: take the tax in what was written off of an item back from output tax, where the law grants it."""

    command: Literal["ClaimVatRelief"] = "ClaimVatRelief"
    write_off: DocumentRef
    item: ItemId
    amount: Minor

    @model_validator(mode="after")
    def _of_a_write_off(self) -> Self:
        if self.write_off.kind != "write-off":
            raise ValueError("write_off must be a write-off")
        return self


class Allocate(AccountCommand):
    """核销 by hand: explicit ``lines``, or a ``policy`` that spreads ``credit_items``.

    With none named, all open ones but security deposits, as far as they do not wait for a document that they name.
    """

    command: Literal["Allocate"] = "Allocate"
    lines: list[AllocateLine] = Field(default_factory=list)
    policy: Literal["oldest_due_first", "proportional", "largest_first", "exact_amount_first"] | None = None
    credit_items: list[ItemId] = Field(default_factory=list)

    @model_validator(mode="after")
    def _lines_or_policy(self) -> Self:
        if bool(self.lines) == bool(self.policy):
            raise ValueError("must have either lines or a policy")
        if self.lines and self.credit_items:
            raise ValueError("credit_items go with a policy, not with lines")
        return self


class ReleaseAllocation(AccountCommand):
    """反核销 of one allocation line, or of a part of it."""

    command: Literal["ReleaseAllocation"] = "ReleaseAllocation"
    allocation: Id
    amount: Minor | None = None


class ChangeAccountTerms(AccountCommand):
    """Set how the payments of this account settle from now on; what is not named is as the book has it."""

    command: Literal["ChangeAccountTerms"] = "ChangeAccountTerms"
    allocation: Policy | None = None
    settlement: Settlement | None = None


class Resettle(AccountCommand):
    """重新核销: release all live allocations of the account but those by hand, and allocate again in canonical order.

    So the items depend on what happened, and not on the order in which it arrived. What is as it must be stays.
    """

    command: Literal["Resettle"] = "Resettle"


class ReverseDocument(AccountCommand):
    """红字冲销 of a document: an error is mirrored on its own day; a failed refund comes back on ``effective_on``."""

    command: Literal["ReverseDocument"] = "ReverseDocument"
    document: DocumentRef
    mode: Literal["error", "failed"] = "error"
    effective_on: Day | None = None

    @model_validator(mode="after")
    def _day_of_failure(self) -> Self:
        if (self.mode == "failed") != (self.effective_on is not None):
            raise ValueError("effective_on is the bank's day of a failed refund, and of nothing else")
        return self


class RecogniseRevenue(AccountCommand):
    """收入确认 of a document: what its schedule says up to ``until_on``, less what was recognised before.

    Booked on ``effective_on``, or on ``until_on`` if that is not given.
    """

    command: Literal["RecogniseRevenue"] = "RecogniseRevenue"
    document: DocumentRef
    until_on: Day
    effective_on: Day | None = None

    @model_validator(mode="after")
    def _earned(self) -> Self:
        if self.effective_on is not None and self.effective_on < self.until_on:
            raise ValueError("effective_on must not be before until_on")
        return self


class SetCreditLimit(AccountCommand):
    """信用额度: what the customer may owe in this currency, in minor units; without one any amount.

    Nothing is refused by it: who is beyond it is held by the answer (``tieout exposure``), and facts are booked.
    """

    command: Literal["SetCreditLimit"] = "SetCreditLimit"
    reason: Annotated[Text, StringConstraints(min_length=1)]
    limit: Annotated[int, Field(ge=0, le=LIMIT)] | None = None


class StateControlTotals(CommandBase):
    """Control totals 控制总数: what the source named ``feed`` says that it sent for a day in a currency.

    Counted are IssueInvoice, IssueCreditNote, RecordPayment, RecordRefund, ReturnPayment, ReinstatePayment,
    PostAdjustment, RoundOff, WriteOff, RecoverWriteOff, TransferItem and ClaimVatRelief with the amount of their
    document, and ReverseDocument with an amount of 0; nothing else is. A message sent twice counts once. The day is the
    effective day that the message asks for, of a reversal in error that of the document it reverses. ``amount`` is the
    sum of the amounts, which are all positive; ``highest`` the highest ``sequence`` among them. Of two statements for
    one feed, day and currency the later booked one holds.
    """

    command: Literal["StateControlTotals"] = "StateControlTotals"
    feed: Id
    day: Day
    currency: CurrencyCode
    count: Annotated[int, Field(ge=0, le=LIMIT)]
    amount: Annotated[int, Field(ge=0, le=LIMIT)]
    highest: Sequence | None = None


class RejectDeferredFact(CommandBase):
    """Let a fact wait no more for its document, without booking it: the message of a source by its id.

    Its own document keeps its number. Sent again, it is a duplicate.
    """

    command: Literal["RejectDeferredFact"] = "RejectDeferredFact"
    reason: Annotated[Text, StringConstraints(min_length=1)]
    fact_source: Id
    fact_source_id: Id


Controlled = Literal[
    "RecordRefund",
    "IssueCreditNote",
    "PostAdjustment",
    "WriteOff",
    "RecoverWriteOff",
    "ClaimVatRelief",
    "TransferItem",
    "Allocate",
    "ReleaseAllocation",
    "ReverseDocument",
    "ChangeAccountTerms",
    "SetCreditLimit",
    "ChangePostingTemplate",
    "ChangeBookPolicies",
    "ChangeAllowanceMatrix",
    "PostAllowance",
    "PostRevaluation",
    "ChangeAuthorities",
    "ReopenPeriod",
]
"""The names of the commands that may need an approval."""


class Limit(Model):
    """What those of a ``role``, or everybody, may do with a command: ``alone``, and what of others they may approve.

    Amounts are minor units of ``currency``, or without one of the book's base currency; not given: not at all.
    ``kind``: of a ReverseDocument, only for documents of this kind.
    """

    command: Controlled
    role: Word | None = None
    kind: Kind | None = None
    currency: CurrencyCode | None = None
    alone: Annotated[int, Field(ge=0, le=LIMIT)] | None = None
    approves: Annotated[int, Field(ge=0, le=LIMIT)] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.alone is None and self.approves is None:
            raise ValueError("a limit must set alone or approves")
        if self.kind is not None and self.command != "ReverseDocument":
            raise ValueError("the kind of a document goes with ReverseDocument only")
        return self


class ChangeAuthorities(CommandBase):
    """授权: who may do what alone, and who may approve what others made. What is not named stays.

    Each replaces the whole table: ``roles``: actor → roles; ``limits``; ``reason_required``: commands that must say
    why. Once a limit names a command, whatever no limit lets its maker do alone needs approval. Without any limit
    nothing does.
    """

    command: Literal["ChangeAuthorities"] = "ChangeAuthorities"
    roles: dict[Actor, list[Word]] | None = None
    limits: list[Limit] | None = None
    reason_required: list[Controlled] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.roles is None and self.limits is None and self.reason_required is None:
            raise ValueError("must set roles, limits or reason_required")
        return self


Instruction = (
    RecordRefund
    | IssueCreditNote
    | PostAdjustment
    | WriteOff
    | RecoverWriteOff
    | ClaimVatRelief
    | TransferItem
    | Allocate
    | ReleaseAllocation
    | ReverseDocument
    | ChangeAccountTerms
    | SetCreditLimit
    | ChangePostingTemplate
    | ChangeBookPolicies
    | ChangeAllowanceMatrix
    | PostAllowance
    | PostRevaluation
    | ChangeAuthorities
    | ReopenPeriod
)
"""The commands that may need an approval. Facts among them never do: they happened anyway."""
assert Controlled.__args__ == tuple(one.__name__ for one in Instruction.__args__)  # type: ignore[attr-defined]
INSTRUCTION_BYTES = 50_000
"""Of an instruction that is to be approved, as JSON: it is kept whole in one event."""


def _without_discriminator(schema: dict[str, Any]) -> None:
    """Takes out of a JSON Schema what only OpenAPI knows: each command names itself in ``command``."""
    del schema["discriminator"]


class RequestApproval(CommandBase):
    """提请审批: have somebody else approve a whole command, which is booked as it stands when he does.

    ``instruction``: the command, with source, source id and actor of its own; its actor is the maker.
    """

    command: Literal["RequestApproval"] = "RequestApproval"
    request: Number
    instruction: Annotated[Instruction, Field(discriminator="command", json_schema_extra=_without_discriminator)]

    @model_validator(mode="after")
    def _for_this_book(self) -> Self:
        if self.instruction.book != self.book:
            raise ValueError("the instruction must be for the same book")
        if (self.instruction.source, self.instruction.source_id) == (self.source, self.source_id):
            raise ValueError("the instruction must have a source id of its own")
        if len(self.instruction.model_dump_json(exclude_none=True).encode()) > INSTRUCTION_BYTES:
            raise ValueError("the instruction must not have more than 50000 bytes as JSON")
        return self


class GiveApproval(CommandBase):
    """审批: approve what another one has made; its events are booked in the same commit. The actor is the checker."""

    command: Literal["GiveApproval"] = "GiveApproval"
    request: Number


class RefuseApproval(CommandBase):
    """驳回: a request comes to nothing. Whoever made it may take it back so, too."""

    command: Literal["RefuseApproval"] = "RefuseApproval"
    reason: Annotated[Text, StringConstraints(min_length=1)]
    request: Number


Command = (
    OpenBook
    | ChangePostingTemplate
    | ChangeBookPolicies
    | ChangeAuthorities
    | ClosePeriod
    | ReopenPeriod
    | ChangeAllowanceMatrix
    | PostAllowance
    | PostRevaluation
    | IssueInvoice
    | IssueCreditNote
    | RecordPayment
    | RecordRefund
    | ReturnPayment
    | ReinstatePayment
    | PostAdjustment
    | RoundOff
    | WriteOff
    | RecoverWriteOff
    | TransferItem
    | ClaimVatRelief
    | Allocate
    | ReleaseAllocation
    | Resettle
    | ChangeAccountTerms
    | ReverseDocument
    | RecogniseRevenue
    | SetCreditLimit
    | StateControlTotals
    | StateRates
    | RejectDeferredFact
    | RequestApproval
    | GiveApproval
    | RefuseApproval
)
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
"""Reads and writes any command; JSON names it in ``command``."""
COMMANDS: dict[str, type[Any]] = {c.__name__: c for c in Command.__args__}
