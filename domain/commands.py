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
Why = Annotated[Text, StringConstraints(min_length=1), Field(description="Why. It must be said.")]
Series = Annotated[
    str,
    StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f:]*$"),
    Field(description="What the number counts within, such as a year or a till; empty where there is one series only."),
]
Number = Annotated[
    str,
    StringConstraints(min_length=1, max_length=90, pattern=_NO_CONTROLS),
    Field(description="The document's number, within its kind and series."),
]
BOOK_ID = r"^[a-z0-9][a-z0-9-]{0,31}$"
"""What a book may be called."""
BookId = Annotated[
    str,
    StringConstraints(pattern=BOOK_ID),
    Field(description="The book 账套: one legal entity's set of accounts."),
]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
AccountCode = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"),
    Field(description="The code of an account in the book's chart."),
]
Minor = Annotated[int, Field(ge=-LIMIT, le=LIMIT, description="Minor units of the currency.")]
NotNegative = Annotated[int, Field(ge=0, le=LIMIT)]
BaseTotal = Annotated[
    NotNegative,
    Field(description="The whole in minor units of the book's base currency; where given, it wins over the rate."),
]
Revision = Annotated[
    int,
    Field(
        ge=1, le=9999, description="From 1; the next is entered under the same number when this one has been reversed."
    ),
]
Sequence = Annotated[
    int,
    Field(ge=1, le=LIMIT, description="Number of the message: from 1 without gaps within one book, day and currency."),
]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31), description="A day of the book's calendar.")]
DIMENSIONS_BYTES = 1_000
"""Of all dimensions of a document, or of a line, as JSON: so those of both are part of one key in the projections, and
PostgreSQL's keys hold 2,700 bytes."""


def _dimensions(dimensions: dict[str, str]) -> dict[str, str]:
    if len(msgspec.json.encode(dimensions)) > DIMENSIONS_BYTES:
        raise ValueError(f"must not have more than {DIMENSIONS_BYTES} bytes as JSON, all together")
    return dimensions


Dimensions = Annotated[
    dict[Word, Id],
    AfterValidator(_dimensions),
    Field(description="Labels 辅助核算 by name, such as a shop or a project; the postings carry them."),
]


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


CurrencyCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_currency), Field(description="ISO 4217 code.")
]
Rate = Annotated[
    str,
    StringConstraints(max_length=40, pattern=r"^[0-9]+(\.[0-9]+)?$"),
    AfterValidator(_rate),
    Field(description="Units of the book's base currency for one unit of the currency, as decimal text."),
]
Percent = Annotated[
    str,
    StringConstraints(max_length=20, pattern=r"^[0-9]+(\.[0-9]+)?$"),
    AfterValidator(_plain),
    Field(description="Per cent, as decimal text."),
]
LossRate = Annotated[
    Percent, AfterValidator(_loss_rate), Field(description="Expected loss in per cent, at most 100, as decimal text.")
]
Customer = Annotated[Id, AfterValidator(_customer)]
ItemId = Annotated[
    str,
    StringConstraints(max_length=220),
    AfterValidator(_item),
    Field(description="An open item 未清项: kind:series:number:revision#instalment."),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Nature = Annotated[
    Literal["fact", "instruction"],
    Field(description="fact: it has happened. instruction: it is asked for, and may be refused for its amount."),
]
DepositClass = Literal["unapplied", "contract", "unidentified", "security"]
Policy = Annotated[
    Literal["none", "oldest_due_first", "proportional", "largest_first", "exact_amount_first"],
    Field(description="What references leave of payments and credit notes settles by it; none: nothing by itself."),
]
LateFacts = Annotated[
    Literal["refuse", "move"],
    Field(description="What is asked for a closed period is refused, or moved to the first open day."),
]
Settlement = Annotated[
    Literal["automatic", "suggested"],
    Field(description="Whether the policy settles on arrival, or its result is only suggested."),
]
Recognition = Annotated[
    Literal["day", "month"],
    Field(description="Revenue over time is earned by the day, or by the month where the period is whole months."),
]
Tolerances = Annotated[
    dict[CurrencyCode, NotNegative],
    Field(description="Currency → minor units of it that may be rounded off of an item."),
]
TolerancePercents = Annotated[
    dict[CurrencyCode, Percent],
    Field(description="Currency → per cent of an item's amount that may be rounded off; the lesser of both holds."),
]
Roles = Annotated[dict[Word, AccountCode], Field(description="Role of a posting → account code.")]
Methods = Annotated[dict[Word, AccountCode], Field(description="Method of payment → code of the cash account.")]
Reasons = Annotated[dict[Word, Word], Field(description="Reason of a deduction or an adjustment → role.")]
Period = Annotated[
    str,
    StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"),
    Field(description="A month of the book's calendar, yyyy-mm."),
]
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
NAME = Field(description="Which command it is.")
assert Kind.__args__ == KINDS  # type: ignore[attr-defined]


class Model(BaseModel):
    """Strict, closed, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Line(Model):
    """A line of an invoice or credit note. What has a service period is deferred and earned over it."""

    net: Minor = Field(description="Without tax, in minor units of the document's currency; negative for a discount.")
    role: Word = Field("revenue", description="What it is earned as: a role of the posting template.")
    dimensions: Dimensions = Field(default_factory=dict)
    service_from: Day | None = Field(None, description="First day of the service period; given with its last day.")
    service_to: Day | None = Field(None, description="Last day of the service period.")


class Tax(Model):
    """Tax of one code, as upstream computed it."""

    code: Id = Field(description="The tax's code, as upstream names it.")
    rate: Percent
    base: Minor = Field(description="What the tax is of, without it, in minor units of the document's currency.")
    amount: Minor = Field(description="The tax, in minor units of the document's currency.")


class Instalment(Model):
    """What falls due on a day."""

    due_on: Day = Field(description="The day on which it falls due.")
    amount: Minor = Field(description="In minor units of the document's currency.")


class DiscountTerms(Model):
    """Cash discount 现金折扣: so much off if paid in time."""

    percent: Percent = Field(description="Per cent of the total that may be taken off, as decimal text.")
    until_on: Day = Field(description="The last day on which a payment earns it.")


class Deduction(Model):
    """What was kept back before the money reached us."""

    reason: Word = Field(description="A reason of the posting template, such as bank_charge.")
    amount: Minor = Field(description="In minor units of the document's currency.")


class DocumentRef(Model):
    """A document of the same book, of one revision."""

    kind: Kind = Field(description="Kind of the document.")
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

    kind: Literal["invoice", "debit-note", "credit-note", "payment"] = Field(
        "invoice", description="Kind of the document."
    )
    series: Series = ""
    number: Number
    amount: Minor | None = Field(
        None, description="How much of it, in minor units of the currency; not given: as much as it has open."
    )

    @property
    def reference(self) -> str:
        """The reference, ``kind:series:number``."""
        return reference(self.kind, self.series, self.number)


class FundingItem(Model):
    """A credit item that a refund is taken from."""

    item: ItemId
    amount: Minor = Field(description="What is taken from it, in minor units of the currency.")


class AllocateLine(Model):
    """One explicit link; without an amount, as much as both items have open."""

    credit_item: ItemId = Field(description="What settles: kind:series:number:revision#instalment.")
    debit_item: ItemId = Field(description="What is settled: kind:series:number:revision#instalment.")
    amount: Minor | None = Field(
        None, description="In minor units of the currency; not given: as much as both items have open."
    )


class CommandBase(Model):
    """What every command has."""

    source: Id = Field(description="Who sends the command, such as the name of a billing system.")
    source_id: Id = Field(description="The sender's own id of the command: with the same source it is booked once.")
    actor: Id = Field("system", description="Who asks for it: a person or a program.")
    reason: Text | None = Field(None, description="Why it is asked for.")
    sequence: Sequence | None = None
    book: BookId


class OpenBook(CommandBase):
    """Open a book 账套. The template's entries are set over the defaults of the standard chart."""

    command: Annotated[Literal["OpenBook"], NAME] = "OpenBook"
    name: Text | None = Field(None, description="The name of the legal entity.")
    standard: Literal["cas", "cas-small", "ifrs"] = Field(
        "cas", description="企业会计准则, 小企业会计准则 or IFRS; its chart is what the posting template begins with."
    )
    base_currency: CurrencyCode = Field(description="The currency that the books are kept in, by ISO 4217.")
    time_zone: TimeZone = Field(
        "UTC", description="Where its days begin and end: an IANA time zone, such as Asia/Shanghai."
    )
    calendar: Literal["month"] = Field("month", description="What a period is: a month.")
    first_on: Day = Field(date(1900, 1, 1), description="Nothing is booked before this day.")
    allocation: Policy = "oldest_due_first"
    settlement: Settlement = "automatic"
    tolerances: Tolerances = {}
    tolerance_percents: TolerancePercents = {}
    late_facts: LateFacts = "move"
    recognition: Recognition = "day"
    roles: Roles = Field(default_factory=dict)
    methods: Methods = Field(default_factory=dict)
    reasons: Reasons = Field(default_factory=dict)


class ChangePostingTemplate(CommandBase):
    """Set entries of the posting template; those not named stay."""

    command: Annotated[Literal["ChangePostingTemplate"], NAME] = "ChangePostingTemplate"
    roles: Roles = Field(default_factory=dict)
    methods: Methods = Field(default_factory=dict)
    reasons: Reasons = Field(default_factory=dict)


class ChangeBookPolicies(CommandBase):
    """Set how payments settle from now on, how much may be rounded off, what becomes of late facts, or how revenue over
    time is earned.

    What is not named stays.
    """

    command: Annotated[Literal["ChangeBookPolicies"], NAME] = "ChangeBookPolicies"
    allocation: Policy | None = None
    settlement: Settlement | None = None
    tolerances: Tolerances | None = Field(
        None, description="Currency → minor units of it that may be rounded off of an item; the whole table."
    )
    tolerance_percents: TolerancePercents | None = Field(
        None, description="Currency → per cent of an item's amount that may be rounded off; the whole table."
    )
    late_facts: LateFacts | None = None
    recognition: Recognition | None = None
    rate_source: Annotated[str, StringConstraints(max_length=ID_LENGTH, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = Field(
        None, description="Whose exchange rates apply to documents that bring none; empty: nobody's."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        policies = (self.allocation, self.settlement, self.tolerances, self.tolerance_percents, self.late_facts)
        if all(policy is None for policy in (*policies, self.recognition, self.rate_source)):
            raise ValueError("must set at least one policy")
        return self


class ClosingCheck(Model):
    """One point of the closing list: whether it holds, and how many findings speak against it."""

    check: Word = Field(description="Name of the check.")
    holds: bool = Field(description="Whether nothing speaks against closing.")
    found: NotNegative = Field(0, description="How many findings speak against it.")
    accepted: bool = Field(
        False, description="The period is closed although it does not hold; the command's reason says why."
    )


class ClosePeriod(CommandBase):
    """结账: nothing is booked into the period any more.

    The first period that is closed takes all before it with it.
    """

    command: Annotated[Literal["ClosePeriod"], NAME] = "ClosePeriod"
    period: Period
    position: Id = Field(description="Position of the log at which the checks were made, such as 0:123.")
    checks: list[ClosingCheck] = Field(description="The closing list, each check once.")

    @model_validator(mode="after")
    def _accepted_for_a_reason(self) -> Self:
        if len({check.check for check in self.checks}) < len(self.checks):
            raise ValueError("checks must each be named once")
        if any(check.accepted for check in self.checks) and not self.reason:
            raise ValueError("a check is accepted for a reason only")
        return self


class ReopenPeriod(CommandBase):
    """反结账: the period that was closed last is open again."""

    command: Annotated[Literal["ReopenPeriod"], NAME] = "ReopenPeriod"
    reason: Why
    period: Period


class AllowanceBucket(Model):
    """What is overdue by at most ``to_days``, and by more than the bucket before; the last one has no end."""

    to_days: Annotated[int, Field(ge=0, le=36_500)] | None = Field(
        None, description="Overdue by at most so many days; none: by any more. Only the last bucket has none."
    )
    rate: LossRate
    groups: dict[Id, LossRate] = Field(
        default_factory=dict, description="Value of the matrix' dimension → its own expected loss in per cent."
    )


class ChangeAllowanceMatrix(CommandBase):
    """Set the provision matrix 账龄分析法 of the book, whole; it holds for allowances that are posted later."""

    command: Annotated[Literal["ChangeAllowanceMatrix"], NAME] = "ChangeAllowanceMatrix"
    buckets: Annotated[list[AllowanceBucket], Field(min_length=1, max_length=100)] = Field(
        description="By ever more days past due."
    )
    dimension: Word | None = Field(None, description="The label of receivables whose values have rates of their own.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        *ends, last = [bucket.to_days for bucket in self.buckets]
        if last is not None or None in ends or any(a >= b for a, b in pairwise(ends)):  # type: ignore[operator]
            raise ValueError("buckets must end after ever more days, and the last one must have no end")
        if self.dimension is None and any(bucket.groups for bucket in self.buckets):
            raise ValueError("groups need a dimension")
        return self


class AllowanceEvidence(Model):
    """Open debit items of a currency in a bucket of the matrix."""

    currency: CurrencyCode = Field(description="Of the items: ISO 4217 code.")
    bucket: Annotated[int, Field(ge=1, le=100)] = Field(description="Which bucket of the matrix, counted from 1.")
    group: Annotated[str, StringConstraints(max_length=ID_LENGTH)] = Field(
        "", description="The value of the matrix' dimension, if it has a rate of its own."
    )
    amount: NotNegative = Field(description="What they have open, in minor units of their currency.")
    base_amount: NotNegative = Field(description="What they have open, in minor units of the book's base currency.")


class PostAllowance(CommandBase):
    """坏账准备: bring the allowance to what the book's matrix requires on a day, by posting the difference.

    The evidence is that of one moment: what was open on that day and what the allowance account had, as known at a
    position of the log.
    """

    command: Annotated[Literal["PostAllowance"], NAME] = "PostAllowance"
    effective_on: Day = Field(description="The accounting date; what was open at its end is provided for.")
    position: Id = Field(description="Position of the log as of which the evidence is known, such as 0:123.")
    book_version: Annotated[int, Field(ge=1, le=LIMIT)] = Field(
        description="The book's version at that position: its number of events."
    )
    lines: list[AllowanceEvidence] = Field(
        default_factory=list, description="What was open, by currency, bucket and group."
    )
    before: Minor = Field(
        description="What the allowance account had, credit less debit, in minor units of the base currency."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(line.currency, line.bucket, line.group) for line in self.lines}) < len(self.lines):
            raise ValueError("lines must each be of another currency, bucket or group")
        return self


class StatedRate(Model):
    """One unit of the currency in base units, on a day."""

    day: Day = Field(description="The day that the rate is of.")
    currency: CurrencyCode
    rate: Rate


class StateRates(CommandBase):
    """Exchange rates 汇率 of a source, such as a central bank. A later statement for a day and currency holds."""

    command: Annotated[Literal["StateRates"], NAME] = "StateRates"
    rate_source: Id = Field(description="Whose rates they are, such as a central bank.")
    rates: Annotated[list[StatedRate], Field(min_length=1, max_length=500)] = Field(
        description="Each of another day or currency."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(one.day, one.currency) for one in self.rates}) < len(self.rates):
            raise ValueError("rates must each be of another day or currency")
        return self


class RevaluationEvidence(Model):
    """Open monetary items of a currency on a control account, debit less credit, and the rate that applies."""

    currency: CurrencyCode = Field(description="Of the items: ISO 4217 code.")
    account: AccountCode = Field(description="Code of the control account that they are on.")
    amount: Minor = Field(description="What is open, debit less credit, in minor units of the items' currency.")
    base_amount: Minor = Field(description="What is open, debit less credit, in minor units of the base currency.")
    rate: Rate
    rate_on: Day = Field(description="The day that the rate is of.")
    before: Minor = Field(
        0, description="Revalued for the same day already, debit less credit, in minor units of the base currency."
    )


class PostRevaluation(CommandBase):
    """期末调汇: value open foreign items at the rates of a day, and take it back on the next; items keep their base.

    The evidence is that of one moment, as in PostAllowance.
    """

    command: Annotated[Literal["PostRevaluation"], NAME] = "PostRevaluation"
    effective_on: Day = Field(description="The accounting date; it is taken back on the next day.")
    position: Id = Field(description="Position of the log as of which the evidence is known, such as 0:123.")
    book_version: Annotated[int, Field(ge=1, le=LIMIT)] = Field(
        description="The book's version at that position: its number of events."
    )
    rate_source: Id = Field(description="Whose rates were taken.")
    lines: list[RevaluationEvidence] = Field(
        default_factory=list, description="What was open, by currency and control account."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({(line.currency, line.account) for line in self.lines}) < len(self.lines):
            raise ValueError("lines must each be of another currency or account")
        return self


class AccountCommand(CommandBase):
    """A command for one customer account: the customer (the payer) in one currency.

    Only house accounts of unknown customers begin with ``~``: ``~<source>:<yyyy-mm>``.
    """

    customer: Customer = Field(description="Who pays. A house account of unknown payers is ~<source>:<yyyy-mm>.")
    currency: CurrencyCode = Field(description="Of the customer's account and of all amounts: ISO 4217 code.")


class DocumentCommand(AccountCommand):
    """A command that enters a document."""

    series: Series = ""
    number: Number
    revision: Revision = 1
    effective_on: Day = Field(description="The accounting date 入账日期, a day of the book's calendar.")


class Billing(DocumentCommand):
    """What invoices and credit notes have in common."""

    nature: Nature = "fact"
    opening: bool = Field(False, description="Taken over as an open item from an earlier system.")
    fiscal_number: Id | None = Field(None, description="The number that the tax authority knows it by.")
    document_on: Day | None = Field(None, description="The date on the document; not given: the accounting date.")
    tax_point_on: Day | None = Field(
        None, description="The date that its tax is due by; not given: the accounting date."
    )
    lines: list[Line] = Field(
        default_factory=list,
        description="What is charged or credited; with the tax they sum to the total. An opening item needs none.",
    )
    tax: list[Tax] = Field(default_factory=list, description="Tax, by code, as upstream computed it.")
    total: Minor = Field(description="With tax, in minor units of the currency.")
    rate: Rate | None = None
    base_total: BaseTotal | None = None
    bill_to: Id | None = Field(None, description="Who the bill goes to, if not the customer.")
    sold_to: Id | None = Field(None, description="Who was supplied, if not the customer.")
    dimensions: Dimensions = Field(default_factory=dict)


class IssueInvoice(Billing):
    """应收单, or a debit note; instalments sum to the total."""

    command: Annotated[Literal["IssueInvoice"], NAME] = "IssueInvoice"
    kind: Literal["invoice", "debit-note"] = Field("invoice", description="An invoice, or a debit note.")
    instalments: list[Instalment] = Field(
        default_factory=list, description="What falls due when; they sum to the total."
    )
    remittance: list[PaidDocument] = Field(
        default_factory=list, description="Payments and credit notes that it was prepaid by."
    )
    discount: DiscountTerms | None = Field(None, description="What may be taken off by whoever pays early.")

    @model_validator(mode="after")
    def _prepaid_by_credits(self) -> Self:
        if any(paid.kind not in ("payment", "credit-note") for paid in self.remittance):
            raise ValueError("the remittance of an invoice must name payments and credit notes")
        return self


class IssueCreditNote(Billing):
    """红字发票: a credit note, against an invoice or by itself."""

    command: Annotated[Literal["IssueCreditNote"], NAME] = "IssueCreditNote"
    against: DocumentRef | None = Field(
        None, description="The invoice or debit note that it credits, which may still be unknown."
    )

    @model_validator(mode="after")
    def _against_an_invoice(self) -> Self:
        if self.against is not None and self.against.kind not in ("invoice", "debit-note"):
            raise ValueError("against must be an invoice or a debit note")
        return self


class RecordPayment(DocumentCommand):
    """收款: a payment, gross of what was kept back before it reached us."""

    command: Annotated[Literal["RecordPayment"], NAME] = "RecordPayment"
    nature: Nature = "fact"
    opening: bool = Field(False, description="Taken over from an earlier system.")
    value_on: Day | None = Field(None, description="The bank's value date; not given: the accounting date.")
    method: Word = Field("bank", description="How it was paid: a method of the posting template.")
    amount: Minor = Field(description="Gross, deductions included, in minor units of the currency.")
    cash: NotNegative | None = Field(
        None, description="What reached us, in minor units of the currency; not given: amount less deductions."
    )
    deductions: list[Deduction] = Field(
        default_factory=list, description="What was kept back before the money reached us."
    )
    deposit_class: DepositClass = Field(
        "unapplied", description="What the money is until it is applied; a security deposit never is."
    )
    rate: Rate | None = None
    base_total: BaseTotal | None = None
    remittance: list[PaidDocument] = Field(
        default_factory=list, description="The invoices and debit notes that it is said to pay."
    )
    dimensions: Dimensions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _pays_debits(self) -> Self:
        if any(paid.kind not in ("invoice", "debit-note") for paid in self.remittance):
            raise ValueError("the remittance of a payment must name invoices and debit notes")
        return self


class RecordRefund(DocumentCommand):
    """退款 of an original payment, of named credit items, or of whatever the customer has in credit."""

    command: Annotated[Literal["RecordRefund"], NAME] = "RecordRefund"
    nature: Nature = "instruction"
    value_on: Day | None = Field(None, description="The bank's value date; not given: the accounting date.")
    method: Word = Field("bank", description="How it was paid: a method of the posting template.")
    amount: Minor = Field(description="What was paid back, in minor units of the currency.")
    rate: Rate | None = None
    base_total: BaseTotal | None = None
    original_payment: DocumentRef | None = Field(None, description="The payment that is given back.")
    funded_by: list[FundingItem] = Field(
        default_factory=list,
        description="The credit items that it is taken from; none: of whatever the customer has in credit.",
    )
    dimensions: Dimensions = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_a_payment(self) -> Self:
        if self.original_payment is not None and self.original_payment.kind != "payment":
            raise ValueError("original_payment must be a payment")
        return self


class CashBack(DocumentCommand):
    """What returns and reinstatements have in common."""

    value_on: Day | None = Field(None, description="The bank's value date; not given: the accounting date.")
    amount: Minor = Field(description="Gross, in minor units of the currency; cash is amount less deductions plus fee.")
    deductions: list[Deduction] = Field(
        default_factory=list, description="What had been kept back and goes the other way now."
    )
    fee: NotNegative = Field(0, description="In minor units of the currency.")
    rate: Rate | None = None
    base_total: BaseTotal | None = None
    dimensions: Dimensions = Field(default_factory=dict)


class ReturnPayment(CashBack):
    """退票/拒付: the bank took a payment back, or a part of it; a fact, whatever the payment still has.

    ``deductions``: what had been kept back from the payment and is given back to us; ``fee``: what the bank takes
    besides.
    """

    command: Annotated[Literal["ReturnPayment"], NAME] = "ReturnPayment"
    kind: Literal["returned", "chargeback"] = Field(
        description="returned: by the bank. chargeback: disputed by the payer."
    )
    payment: DocumentRef = Field(description="The payment that was taken back.")
    allocations: list[Id] = Field(
        default_factory=list, description="Links of the payment to release first; else the newest."
    )

    @model_validator(mode="after")
    def _of_a_payment(self) -> Self:
        if self.payment.kind != "payment":
            raise ValueError("payment must be a payment")
        return self


class ReinstatePayment(CashBack):
    """拒付胜诉: what was returned came back, as when a dispute was won.

    ``deductions``: kept back again; ``fee``: given back to us.
    """

    command: Annotated[Literal["ReinstatePayment"], NAME] = "ReinstatePayment"
    nature: Nature = "fact"
    returned: DocumentRef = Field(description="The return that was undone.")

    @model_validator(mode="after")
    def _of_a_return(self) -> Self:
        if self.returned.kind != "return":
            raise ValueError("returned must be a return")
        return self


class PostAdjustment(DocumentCommand):
    """往来调整: take an amount, with its tax, from an item, for a reason of the template."""

    command: Annotated[Literal["PostAdjustment"], NAME] = "PostAdjustment"
    item: ItemId
    reason_code: Word = Field(description="A reason of the posting template, such as short_payment.")
    amount: Minor = Field(description="What is taken from the item, with tax, in minor units of the currency.")
    tax: list[Tax] = Field(default_factory=list, description="The tax in it, by code.")
    linked_to: DocumentRef | None = Field(
        None, description="The document that it goes with, and is undone with, such as a payment."
    )

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

    command: Annotated[Literal["RoundOff"], NAME] = "RoundOff"
    item: ItemId


class WriteOffItem(Model):
    """A debit item that is written off; without an amount, all that it has open."""

    item: ItemId
    amount: Minor | None = Field(None, description="In minor units of the currency; not given: all that it has open.")


class WriteOff(DocumentCommand):
    """坏账核销: take bad debts out of the books, against the allowance."""

    command: Annotated[Literal["WriteOff"], NAME] = "WriteOff"
    items: Annotated[list[WriteOffItem], Field(min_length=1)] = Field(description="Debit items, each once.")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len({one.item for one in self.items}) < len(self.items):
            raise ValueError("items must each be named once")
        return self


class RecoverWriteOff(DocumentCommand):
    """坏账收回: open again what a write-off took from an item, or a part of it, since it is paid after all."""

    command: Annotated[Literal["RecoverWriteOff"], NAME] = "RecoverWriteOff"
    write_off: DocumentRef = Field(description="The write-off.")
    item: ItemId
    amount: Minor = Field(description="What is owed again, in minor units of the currency.")

    @model_validator(mode="after")
    def _of_a_write_off(self) -> Self:
        if self.write_off.kind != "write-off":
            raise ValueError("write_off must be a write-off")
        return self


class TransferItem(DocumentCommand):
    """往来转移: what an item has open, or a part of it, goes to another customer's account in the same currency."""

    command: Annotated[Literal["TransferItem"], NAME] = "TransferItem"
    item: ItemId
    amount: Minor | None = Field(None, description="In minor units of the currency; not given: all that it has open.")
    to_customer: Customer = Field(description="The customer who gets it.")
    deposit_class: DepositClass | None = Field(
        None,
        description="Of money: what it is for the other customer; not given: as it was, but unidentified is unapplied.",
    )


class ClaimVatRelief(DocumentCommand):
    """坏账税额抵减: take the tax in what was written off of an item back from output tax, where the law grants it."""

    command: Annotated[Literal["ClaimVatRelief"], NAME] = "ClaimVatRelief"
    write_off: DocumentRef = Field(description="The write-off.")
    item: ItemId
    amount: Minor = Field(description="The tax that is taken back, in minor units of the currency.")

    @model_validator(mode="after")
    def _of_a_write_off(self) -> Self:
        if self.write_off.kind != "write-off":
            raise ValueError("write_off must be a write-off")
        return self


class Allocate(AccountCommand):
    """核销 by hand: explicit ``lines``, or a ``policy`` that spreads ``credit_items``.

    With none named, all open ones but security deposits, as far as they do not wait for a document that they name.
    """

    command: Annotated[Literal["Allocate"], NAME] = "Allocate"
    lines: list[AllocateLine] = Field(default_factory=list, description="Explicit links.")
    policy: Literal["oldest_due_first", "proportional", "largest_first", "exact_amount_first"] | None = Field(
        None, description="How to spread credit items, in place of explicit links."
    )
    credit_items: list[ItemId] = Field(
        default_factory=list, description="What the policy spreads; none: all open ones but security deposits."
    )

    @model_validator(mode="after")
    def _lines_or_policy(self) -> Self:
        if bool(self.lines) == bool(self.policy):
            raise ValueError("must have either lines or a policy")
        if self.lines and self.credit_items:
            raise ValueError("credit_items go with a policy, not with lines")
        return self


class ReleaseAllocation(AccountCommand):
    """反核销 of one allocation line, or of a part of it."""

    command: Annotated[Literal["ReleaseAllocation"], NAME] = "ReleaseAllocation"
    allocation: Id = Field(description="The link's name, such as 3.1.")
    amount: Minor | None = Field(None, description="In minor units of the currency; not given: all of it.")


class ChangeAccountTerms(AccountCommand):
    """Set how the payments of this account settle from now on; what is not named is as the book has it."""

    command: Annotated[Literal["ChangeAccountTerms"], NAME] = "ChangeAccountTerms"
    allocation: Policy | None = None
    settlement: Settlement | None = None


class Resettle(AccountCommand):
    """重新核销: release all live allocations of the account but those by hand, and allocate again in canonical order.

    So the items depend on what happened, and not on the order in which it arrived. What is as it must be stays.
    """

    command: Annotated[Literal["Resettle"], NAME] = "Resettle"


class ReverseDocument(AccountCommand):
    """红字冲销 of a document: an error is mirrored on its own day; a failed refund comes back on ``effective_on``."""

    command: Annotated[Literal["ReverseDocument"], NAME] = "ReverseDocument"
    document: DocumentRef = Field(description="The document that is undone.")
    mode: Literal["error", "failed"] = Field(
        "error", description="error: keyed in wrongly, undone on its own day. failed: a refund that the bank sent back."
    )
    effective_on: Day | None = Field(None, description="The bank's day of a failed refund; of an error there is none.")

    @model_validator(mode="after")
    def _day_of_failure(self) -> Self:
        if (self.mode == "failed") != (self.effective_on is not None):
            raise ValueError("effective_on is the bank's day of a failed refund, and of nothing else")
        return self


class RecogniseRevenue(AccountCommand):
    """收入确认 of a document: what its schedule says up to a day, less what was recognised before."""

    command: Annotated[Literal["RecogniseRevenue"], NAME] = "RecogniseRevenue"
    document: DocumentRef = Field(description="The document whose deferred revenue is earned.")
    until_on: Day = Field(description="The last day that is earned.")
    effective_on: Day | None = Field(None, description="The accounting date; not given: until_on.")

    @model_validator(mode="after")
    def _earned(self) -> Self:
        if self.effective_on is not None and self.effective_on < self.until_on:
            raise ValueError("effective_on must not be before until_on")
        return self


class SetCreditLimit(AccountCommand):
    """信用额度: what the customer may owe in this currency.

    Nothing is refused by it: who is beyond it is held by the answer (``tieout exposure``), and facts are booked.
    """

    command: Annotated[Literal["SetCreditLimit"], NAME] = "SetCreditLimit"
    reason: Why
    limit: NotNegative | None = Field(
        None, description="What the customer may owe, in minor units of the currency; not given: any amount."
    )


class StateControlTotals(CommandBase):
    """Control totals 控制总数: what the source named ``feed`` says that it sent for a day in a currency.

    Counted are IssueInvoice, IssueCreditNote, RecordPayment, RecordRefund, ReturnPayment, ReinstatePayment,
    PostAdjustment, RoundOff, WriteOff, RecoverWriteOff, TransferItem and ClaimVatRelief with the amount of their
    document, and ReverseDocument with an amount of 0; nothing else is. A message sent twice counts once. The day is the
    effective day that the message asks for, of a reversal in error that of the document it reverses. ``amount`` is the
    sum of the amounts, which are all positive; ``highest`` the highest ``sequence`` among them. Of two statements for
    one feed, day and currency the later booked one holds.
    """

    command: Annotated[Literal["StateControlTotals"], NAME] = "StateControlTotals"
    feed: Id = Field(description="The source whose messages are counted.")
    day: Day = Field(description="The accounting date that the messages ask for.")
    currency: CurrencyCode = Field(description="Of the messages: ISO 4217 code.")
    count: NotNegative = Field(description="How many messages there are.")
    amount: NotNegative = Field(description="The sum of their amounts, in minor units of the currency.")
    highest: Sequence | None = Field(None, description="The highest sequence among them.")


class RejectDeferredFact(CommandBase):
    """Let a fact wait no more for its document, without booking it: the message of a source by its id.

    Its own document keeps its number. Sent again, it is a duplicate.
    """

    command: Annotated[Literal["RejectDeferredFact"], NAME] = "RejectDeferredFact"
    reason: Why
    fact_source: Id = Field(description="The source of the message that waits.")
    fact_source_id: Id = Field(description="Its id, as its source named it.")


class DismissMessage(CommandBase):
    """Never book a message that stands in quarantine, by the number of its entry. It is kept there, and whole.

    What is parked behind it goes on. Sent again, the message stays dismissed. The book need not have been opened.
    """

    command: Annotated[Literal["DismissMessage"], NAME] = "DismissMessage"
    reason: Why
    book: Annotated[str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9-]{0,31})?$")] = Field(
        description="The book 账套 that the message names; empty where it names none, or what no book can be called."
    )
    entry: Annotated[int, Field(ge=1, le=LIMIT)] = Field(description="The number of its entry in quarantine.")


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
    """What those of a ``role``, or everybody, may do with a command alone, and what of others they may approve."""

    command: Controlled = Field(description="The command that is limited.")
    role: Word | None = Field(None, description="Of those who have this role; not given: of everybody.")
    kind: Kind | None = Field(None, description="Of a ReverseDocument, only for documents of this kind.")
    currency: CurrencyCode | None = Field(
        None, description="Of the amounts: ISO 4217 code; not given: the book's base currency."
    )
    alone: NotNegative | None = Field(
        None, description="Up to so many minor units without an approval; not given: not at all."
    )
    approves: NotNegative | None = Field(
        None, description="Up to so many minor units of what others made; not given: not at all."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.alone is None and self.approves is None:
            raise ValueError("a limit must set alone or approves")
        if self.kind is not None and self.command != "ReverseDocument":
            raise ValueError("the kind of a document goes with ReverseDocument only")
        return self


class ChangeAuthorities(CommandBase):
    """授权: who may do what alone, and who may approve what others made. What is not named stays.

    Once a limit names a command, whatever no limit lets its maker do alone needs approval. Without any limit
    nothing does.
    """

    command: Annotated[Literal["ChangeAuthorities"], NAME] = "ChangeAuthorities"
    roles: dict[Actor, list[Word]] | None = Field(None, description="Actor → roles; the whole table.")
    limits: list[Limit] | None = Field(None, description="Who may do what; the whole table.")
    reason_required: list[Controlled] | None = Field(None, description="Commands that must say why; the whole table.")

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
    """提请审批: have somebody else approve a whole command, which is booked as it stands when he does."""

    command: Annotated[Literal["RequestApproval"], NAME] = "RequestApproval"
    request: Number = Field(description="The request's number.")
    instruction: Annotated[Instruction, Field(discriminator="command", json_schema_extra=_without_discriminator)] = (
        Field(description="The command that is to be approved, with source, source_id and actor of its own: its maker.")
    )

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

    command: Annotated[Literal["GiveApproval"], NAME] = "GiveApproval"
    request: Number = Field(description="The request's number.")


class RefuseApproval(CommandBase):
    """驳回: a request comes to nothing. Whoever made it may take it back so, too."""

    command: Annotated[Literal["RefuseApproval"], NAME] = "RefuseApproval"
    reason: Why
    request: Number = Field(description="The request's number.")


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
    | DismissMessage
    | RequestApproval
    | GiveApproval
    | RefuseApproval
)
COMMAND: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="command")])
"""Reads and writes any command; JSON names it in ``command``."""
COMMANDS: dict[str, type[Any]] = {c.__name__: c for c in Command.__args__}
