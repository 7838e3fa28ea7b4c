"""The public types of our events: what stands in ``data`` of the CloudEvents that go out.

A contract of its own, apart from stored events: those may change their shape without this changing, and what a receiver
does not need is not in here. Fields are only ever added to a type; anything else is a new type (``docs/outbound.md``).
A field without a value is absent, never null; lists and maps are always there. What receivers are not to take for a
closed list (modes, methods, reasons) is text.

The docstrings and descriptions stand in the JSON Schemas, so they are written for whoever reads those.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Minor = Annotated[int, Meta(description="Minor units of `currency` by ISO 4217.")]
BaseMinor = Annotated[int, Meta(description="Minor units of the book's base currency.")]
DocumentId = Annotated[str, Meta(description="A document of the book: kind:series:number:revision.")]
ItemId = Annotated[str, Meta(description="An open item: its document, #, and a number from 1.")]
Rate = Annotated[str, Meta(description="Units of the base currency for one of `currency`, as decimal text.")]
Dimensions = Annotated[dict[str, str], Meta(description="Labels of a posting by name.")]
Text = str
"""A name or words without more rules than the field's own description."""


class Posting(Struct, frozen=True, kw_only=True):
    """One line of the voucher. Each event's postings sum to zero, D less C, in amount and in base amount."""

    role: Annotated[Text, Meta(description="What the account is for: receivable, revenue, cash, ...")]
    account: Annotated[Text, Meta(description="The account's code in the book's chart.")]
    side: Annotated[Literal["D", "C"], Meta(description="Debit or credit. A reversal keeps it and negates the amount.")]
    amount: Minor
    base_amount: BaseMinor
    item: Annotated[str | UnsetType, Meta(description="The open item that this posting changes.")] = UNSET
    dimensions: Dimensions


class Line(Struct, frozen=True, kw_only=True):
    """A line of an invoice or credit note, without tax."""

    net: Annotated[int, Meta(description="Minor units of `currency`; negative for a discount.")]
    role: Annotated[Text, Meta(description="What it is earned as: revenue, ...")]
    dimensions: Dimensions
    service_from: Annotated[date | UnsetType, Meta(description="First day of the service period.")] = UNSET
    service_to: Annotated[date | UnsetType, Meta(description="Last day of the service period.")] = UNSET


class Deferral(Struct, frozen=True, kw_only=True):
    """What of a document is earned over a service period: held on `deferred_account`, moved to `account` as it is earned."""

    role: Annotated[Text, Meta(description="What it is earned as: revenue, ...")]
    account: Annotated[Text, Meta(description="The account that it is earned on.")]
    deferred_account: Annotated[Text, Meta(description="The account that it is held on till then.")]
    amount: Minor
    base_amount: BaseMinor
    service_from: Annotated[date, Meta(description="First day of the service period.")]
    service_to: Annotated[date, Meta(description="Last day of the service period.")]
    method: Annotated[Literal["day", "month"], Meta(description="By the day, or in equal parts by the month.")]
    dimensions: Dimensions


class Tax(Struct, frozen=True, kw_only=True):
    """The tax of one code."""

    code: Annotated[Text, Meta(description="The tax's code, as upstream names it.")]
    rate: Annotated[str, Meta(description="Per cent, as decimal text.")]
    base: Annotated[int, Meta(description="What the tax is of, without it, in minor units of `currency`.")]
    amount: Minor


class Instalment(Struct, frozen=True, kw_only=True):
    """What falls due on a day; it opens one debit item."""

    item: ItemId
    due_on: Annotated[date, Meta(description="The day on which it falls due.")]
    amount: Minor


class Discount(Struct, frozen=True, kw_only=True):
    """Cash discount."""

    percent: Annotated[str, Meta(description="Per cent of the total, as decimal text.")]
    until_on: Annotated[date, Meta(description="The last day on which a payment earns it.")]


class Remittance(Struct, frozen=True, kw_only=True):
    """What is said to be paid, or to have been prepaid by."""

    reference: Annotated[Text, Meta(description="A document of any revision: kind:series:number.")]
    amount: Annotated[
        int | UnsetType,
        Meta(description="How much of it, in minor units of `currency`; absent: as much as it has open."),
    ] = UNSET


class Deduction(Struct, frozen=True, kw_only=True):
    """What was kept back before the money arrived."""

    reason: Annotated[Text, Meta(description="Why, such as bank_charge.")]
    amount: Minor


class Link(Struct, frozen=True, kw_only=True):
    """A part of a debit item that is settled with a part of a credit item."""

    allocation: Annotated[Text, Meta(description="The link's name, by which it is released.")]
    credit_item: ItemId
    debit_item: ItemId
    amount: Minor
    credit_base_amount: Annotated[int, Meta(description="Base amount that the credit item is relieved of.")]
    debit_base_amount: Annotated[int, Meta(description="Base amount that the debit item is relieved of.")]


class Funding(Struct, frozen=True, kw_only=True):
    """What a refund takes from a credit item."""

    item: ItemId
    amount: Minor
    base_amount: BaseMinor


class Public(Struct, frozen=True, kw_only=True):
    """What every event says."""

    book: Annotated[Text, Meta(description="The book: one legal entity's set of accounts.")]
    version: Annotated[
        int,
        Meta(
            ge=1,
            description="The event's number in its account, in its book, or among what awaits one document, of one request.",
        ),
    ]
    source: Annotated[Text, Meta(description="Who asked for it; with `source_id` the name of the command.")]
    source_id: Annotated[Text, Meta(description="The sender's own id of the command.")]
    reason: Annotated[Text | UnsetType, Meta(description="Why it was asked for.")] = UNSET
    approval: Annotated[Text | UnsetType, Meta(description="The request by whose approval it was booked.")] = UNSET


class OfAccount(Public, frozen=True, kw_only=True):
    """An event that concerns a customer account: one customer in one currency in one book."""

    customer: Annotated[Text, Meta(description="The customer who pays.")]
    currency: Annotated[str, Meta(description="ISO 4217.")]


class Voucher(OfAccount, frozen=True, kw_only=True):
    """An event that moves value."""

    effective_on: Annotated[date, Meta(description="The accounting date, a day in the book's time zone.")]
    requested_effective_on: Annotated[
        date | UnsetType, Meta(description="The date asked for, where its period was closed.")
    ] = UNSET
    template_version: Annotated[int, Meta(description="The posting template that it was posted by.")]
    caused_by: Annotated[str | UnsetType, Meta(description="The document whose booking caused this event.")] = UNSET
    flags: Annotated[list[str], Meta(description="What somebody should look at.")]
    postings: Annotated[list[Posting], Meta(description="They sum to zero, D less C.")]


class Bill(Voucher, frozen=True, kw_only=True):
    """What invoices and credit notes have in common."""

    document: DocumentId
    total: Annotated[int, Meta(description="With tax, in minor units of `currency`.")]
    base_total: BaseMinor
    rate: Rate | UnsetType = UNSET
    opening: Annotated[bool, Meta(description="Carried over from another system.")]
    fiscal_number: Annotated[Text | UnsetType, Meta(description="The number that the tax authority knows it by.")] = (
        UNSET
    )
    document_on: Annotated[date, Meta(description="The date on the document.")]
    tax_point_on: Annotated[date, Meta(description="The date that its tax is due by.")]
    lines: Annotated[list[Line], Meta(description="Empty where there is a `lines_digest`.")]
    lines_digest: Annotated[
        str | UnsetType,
        Meta(description="SHA-256, hexadecimal, of the lines where they are too many to be in the event."),
    ] = UNSET
    tax: Annotated[list[Tax], Meta(description="The tax in it, by code.")]
    bill_to: Annotated[Text | UnsetType, Meta(description="Who the bill goes to, if not the customer.")] = UNSET
    sold_to: Annotated[Text | UnsetType, Meta(description="Who was supplied, if not the customer.")] = UNSET
    dimensions: Dimensions
    deferrals: Annotated[list[Deferral], Meta(description="What of the lines is deferred revenue.")]


class InvoiceIssued(Bill, frozen=True, kw_only=True):
    """An invoice or debit note was issued; each instalment opens a debit item."""

    instalments: Annotated[list[Instalment], Meta(description="What falls due when; they sum to `total`.")]
    remittance: Annotated[list[Remittance], Meta(description="Payments and credit notes that it was prepaid by.")]
    discount: Annotated[Discount | UnsetType, Meta(description="What may be taken off by whoever pays early.")] = UNSET


class CreditNoteIssued(Bill, frozen=True, kw_only=True):
    """A credit note was issued; it opens a credit item."""

    against: Annotated[str | UnsetType, Meta(description="The invoice that it credits.")] = UNSET


class PaymentReceived(Voucher, frozen=True, kw_only=True):
    """Money was received; it opens one credit item."""

    document: DocumentId
    amount: Annotated[int, Meta(description="Gross: `cash` and deductions, in minor units of `currency`.")]
    base_amount: BaseMinor
    rate: Rate | UnsetType = UNSET
    opening: Annotated[bool, Meta(description="Carried over from another system.")]
    value_on: Annotated[date, Meta(description="The bank's value date.")]
    method: Annotated[Text, Meta(description="How it was paid: bank, cash, ...")]
    cash: Annotated[int, Meta(description="What reached us, in minor units of `currency`.")]
    deductions: Annotated[list[Deduction], Meta(description="What was kept back before the money reached us.")]
    deposit_class: Annotated[
        Text, Meta(description="What the money is until it is applied: unapplied, contract, unidentified or security.")
    ]
    remittance: Annotated[list[Remittance], Meta(description="The invoices and debit notes that it is said to pay.")]
    dimensions: Dimensions


class Allocated(Voucher, frozen=True, kw_only=True):
    """Debit items were settled with credit items."""

    links: Annotated[list[Link], Meta(description="What was settled with what.")]
    mode: Annotated[Text, Meta(description="By hand, by reference, or by policy.")]
    policy: Annotated[Text | UnsetType, Meta(description="The policy that was followed, such as oldest_due_first.")] = (
        UNSET
    )
    policy_of: Annotated[Text | UnsetType, Meta(description="Whose policy it is: the book's, or the account's.")] = (
        UNSET
    )


class AllocationReleased(Voucher, frozen=True, kw_only=True):
    """A link, or a part of it, was undone; both items are open again by as much."""

    allocation: Annotated[Text, Meta(description="The link's name.")]
    credit_item: ItemId
    debit_item: ItemId
    amount: Minor
    credit_base_amount: Annotated[int, Meta(description="Base amount that the credit item gets back.")]
    debit_base_amount: Annotated[int, Meta(description="Base amount that the debit item gets back.")]
    mode: Annotated[Text, Meta(description="How the link had been made.")]


class RefundPaid(Voucher, frozen=True, kw_only=True):
    """Money was paid back; what exceeds the customer's credit opens a debit item."""

    document: DocumentId
    amount: Annotated[int, Meta(description="What was paid back, in minor units of `currency`.")]
    base_amount: BaseMinor
    rate: Rate | UnsetType = UNSET
    value_on: Annotated[date, Meta(description="The bank's value date.")]
    method: Annotated[Text, Meta(description="How it was paid: bank, cash, ...")]
    original_payment: Annotated[str | UnsetType, Meta(description="The payment that is given back.")] = UNSET
    funded_by: Annotated[list[Funding], Meta(description="The credit items that it is taken from.")]
    excess: Annotated[
        int, Meta(description="What exceeds the customer's credit, a debit item, in minor units of `currency`.")
    ]
    dimensions: Dimensions


class CashBack(Voucher, frozen=True, kw_only=True):
    """What a return and a reinstatement have in common."""

    document: DocumentId
    payment: Annotated[str, Meta(description="The payment that it is about.")]
    amount: Annotated[int, Meta(description="Gross: `cash` and deductions less `fee`, in minor units of `currency`.")]
    base_amount: BaseMinor
    rate: Rate | UnsetType = UNSET
    value_on: Annotated[date, Meta(description="The bank's value date.")]
    cash: Annotated[int, Meta(description="What moved, in minor units of `currency`.")]
    deductions: Annotated[list[Deduction], Meta(description="What had been kept back and went the other way.")]
    fee: Annotated[int, Meta(description="What it cost, in minor units of `currency`.")]
    dimensions: Dimensions


class PaymentReturned(CashBack, frozen=True, kw_only=True):
    """A payment, or a part of it, was taken back by the bank or the payer."""

    kind: Annotated[Text, Meta(description="returned or chargeback.")]
    taken: Annotated[int, Meta(description="What the payment's own item gave, in minor units of `currency`.")]
    taken_base_amount: BaseMinor
    excess: Annotated[int, Meta(description="The rest, a debit item.")]


class PaymentReinstated(CashBack, frozen=True, kw_only=True):
    """What was returned came back."""

    returned: Annotated[str, Meta(description="The return that was undone.")]
    given: Annotated[int, Meta(description="What the payment's own item got back, in minor units of `currency`.")]
    given_base_amount: BaseMinor
    excess: Annotated[int, Meta(description="The rest, a credit item.")]


class AdjustmentPosted(Voucher, frozen=True, kw_only=True):
    """An amount, with its tax, was taken from an item for a reason of the posting template."""

    document: DocumentId
    item: ItemId
    reason_code: Annotated[Text, Meta(description="Why, such as short_payment.")]
    amount: Annotated[int, Meta(description="With tax, in minor units of `currency`.")]
    base_amount: BaseMinor
    tax: Annotated[list[Tax], Meta(description="The tax in it, by code.")]
    linked_to: Annotated[str | UnsetType, Meta(description="The document that it goes with, such as a payment.")] = (
        UNSET
    )


class WriteOffLine(Struct, frozen=True, kw_only=True):
    """What a write-off takes from a debit item."""

    item: ItemId
    amount: Minor
    base_amount: BaseMinor


class WrittenOff(Voucher, frozen=True, kw_only=True):
    """Debit items, or parts of them, were written off against the allowance for bad debts."""

    document: DocumentId
    lines: Annotated[list[WriteOffLine], Meta(description="What it takes from each item.")]
    amount: Annotated[int, Meta(description="Sum of the lines, in minor units of `currency`.")]
    base_amount: BaseMinor


class ReliefReturned(Struct, frozen=True, kw_only=True):
    """What of a claim of VAT relief is output tax again."""

    relief: Annotated[str, Meta(description="The claim of VAT relief.")]
    amount: Minor
    base_amount: BaseMinor


class WriteOffRecovered(Voucher, frozen=True, kw_only=True):
    """What was written off of an item, or a part of it, is owed again."""

    document: DocumentId
    write_off: Annotated[str, Meta(description="The write-off.")]
    item: ItemId
    amount: Minor
    base_amount: BaseMinor
    relief: Annotated[list[ReliefReturned], Meta(description="VAT relief that is given back with it.")]


class VatReliefClaimed(Voucher, frozen=True, kw_only=True):
    """The tax in what was written off of an item, or a part of it, was taken back from output tax."""

    document: DocumentId
    write_off: Annotated[str, Meta(description="The write-off.")]
    item: ItemId
    amount: Minor
    base_amount: BaseMinor


class ItemTransferredOut(Voucher, frozen=True, kw_only=True):
    """What an item had open, or a part of it, went to another customer's account."""

    transfer: Annotated[Text, Meta(description="The transfer's document, which the other account enters.")]
    item: ItemId
    amount: Minor
    base_amount: BaseMinor
    to_customer: Annotated[Text, Meta(description="The customer who got it.")]


class ItemTransferredIn(Voucher, frozen=True, kw_only=True):
    """What came from another customer's account: an item that falls due when the other one did."""

    document: DocumentId
    item: Annotated[str, Meta(description="The item of the other account that it came from.")]
    amount: Minor
    base_amount: BaseMinor
    from_customer: Annotated[Text, Meta(description="The customer whose it was.")]
    due_on: Annotated[date, Meta(description="The day on which it falls due.")]


class DocumentReversed(Voucher, frozen=True, kw_only=True):
    """An event was undone by its postings with negated amounts. Final."""

    document: DocumentId
    event: Annotated[Text, Meta(description="The id of the event that is undone.")]
    concerned: Annotated[list[DocumentId], Meta(description="Other documents that the undone event concerned.")]
    mode: Annotated[Text, Meta(description="error: keyed in wrongly; failed: the bank sent it back.")]


class Terms(Struct, frozen=True, kw_only=True):
    """How the payments of an account settle by themselves; what is absent is as the book has it."""

    allocation_policy: Annotated[
        Text | UnsetType, Meta(description="By which policy what references leave settles, such as oldest_due_first.")
    ] = UNSET
    settlement: Annotated[Text | UnsetType, Meta(description="automatic: on arrival. suggested: by hand only.")] = UNSET


class AccountTermsChanged(OfAccount, frozen=True, kw_only=True):
    """The terms of a customer account were changed; they hold for what is booked later."""

    before: Annotated[Terms, Meta(description="The terms as they were.")]
    after: Annotated[Terms, Meta(description="The terms from now on.")]


class RecognisedPart(Struct, frozen=True, kw_only=True):
    """What of one deferral became revenue."""

    deferral: Annotated[int, Meta(ge=1, description="Which of the document's deferrals, counted from 1.")]
    amount: Minor
    base_amount: BaseMinor


class RevenueRecognised(Voucher, frozen=True, kw_only=True):
    """Deferred revenue of a document was earned; negative for a credit note's, or where it is undone."""

    document: DocumentId
    until_on: Annotated[date, Meta(description="The day up to which the document's schedule was followed.")]
    parts: Annotated[list[RecognisedPart], Meta(description="By deferral.")]
    amount: Annotated[int, Meta(description="Sum of the parts, in minor units of `currency`.")]
    base_amount: Annotated[int, Meta(description="Sum of the parts, in minor units of the book's base currency.")]
    reverses: Annotated[str | UnsetType, Meta(description="The id of the recognition that is undone.")] = UNSET


class CreditLimitSet(OfAccount, frozen=True, kw_only=True):
    """What a customer may owe was set; it blocks nothing. An absent limit is no limit."""

    before: Annotated[int | UnsetType, Meta(description="What it was, in minor units of `currency`.")] = UNSET
    after: Annotated[int | UnsetType, Meta(description="What it is from now on, in minor units of `currency`.")] = UNSET


class BookOpened(Public, frozen=True, kw_only=True):
    """A book was opened: one legal entity's set of accounts."""

    name: Annotated[Text | UnsetType, Meta(description="The name of the legal entity.")] = UNSET
    standard: Annotated[Text, Meta(description="The accounting standard.")]
    base_currency: Annotated[str, Meta(description="ISO 4217.")]
    time_zone: Annotated[Text, Meta(description="IANA name.")]
    calendar: Annotated[Text, Meta(description="What a period is: month.")]
    first_on: Annotated[date, Meta(description="Nothing is booked before this day.")]
    allocation_policy: Annotated[
        Text, Meta(description="By which policy what references leave settles, such as oldest_due_first.")
    ]
    settlement: Annotated[Text, Meta(description="Whether the policy settles by itself, or is only suggested.")]
    tolerances: Annotated[dict[str, int], Meta(description="Currency to minor units an item.")]
    tolerance_percents: Annotated[dict[str, str], Meta(description="Currency to per cent of an item, decimal text.")]
    late_facts: Annotated[
        Literal["refuse", "move"],
        Meta(description="What is asked for a closed period is refused, or moved to the first open day."),
    ]
    recognition: Annotated[
        Literal["day", "month"], Meta(description="Revenue over time is earned by the day, or by the month.")
    ]


class PostingTemplateChanged(Public, frozen=True, kw_only=True):
    """The whole posting template of a book, as of a version of it."""

    template_version: Annotated[int, Meta(ge=1, description="From 1.")]
    roles: Annotated[dict[str, str], Meta(description="Role to account.")]
    methods: Annotated[dict[str, str], Meta(description="Method of payment to account.")]
    reasons: Annotated[dict[str, str], Meta(description="Reason to role.")]


class Policies(Struct, frozen=True, kw_only=True):
    """How payments settle by themselves, how much of an item may be rounded off, by currency, what becomes of what is
    asked for a closed period, and how revenue over time is earned."""

    allocation_policy: Annotated[
        Text, Meta(description="By which policy what references leave settles, such as oldest_due_first.")
    ]
    settlement: Annotated[Text, Meta(description="automatic: on arrival. suggested: by hand only.")]
    tolerances: Annotated[dict[str, int], Meta(description="Currency to minor units an item.")]
    tolerance_percents: Annotated[dict[str, str], Meta(description="Currency to per cent of an item, decimal text.")]
    late_facts: Annotated[
        Literal["refuse", "move"],
        Meta(description="What is asked for a closed period is refused, or moved to the first open day."),
    ]
    recognition: Annotated[
        Literal["day", "month"], Meta(description="Revenue over time is earned by the day, or by the month.")
    ]
    rate_source: Annotated[Text, Meta(description="Whose rates apply to documents that bring none; empty: nobody's.")]


class BookPoliciesChanged(Public, frozen=True, kw_only=True):
    """The policies of a book were changed; they hold for what is booked later."""

    before: Annotated[Policies, Meta(description="The policies as they were.")]
    after: Annotated[Policies, Meta(description="The policies from now on.")]


class ClosingCheck(Struct, frozen=True, kw_only=True):
    """One point of the closing list."""

    check: Annotated[Text, Meta(description="Name of the check.")]
    holds: Annotated[bool, Meta(description="Whether nothing speaks against closing.")]
    found: Annotated[int, Meta(ge=0, description="How many findings speak against it.")]
    accepted: Annotated[bool, Meta(description="The period was closed although it does not hold.")]


class PeriodClosed(Public, frozen=True, kw_only=True):
    """A period was closed: until it is opened again, no event of the book is effective on or before its last day."""

    period: Annotated[Text, Meta(description="The month, yyyy-mm.")]
    first_on: Annotated[date, Meta(description="Its first day.")]
    last_on: Annotated[date, Meta(description="Its last day.")]
    checked_at: Annotated[str, Meta(description="The position at which the checks were made.")]
    checks: Annotated[list[ClosingCheck], Meta(description="The closing list as it stood.")]


class PeriodReopened(Public, frozen=True, kw_only=True):
    """The period that had been closed last is open again; `reason` says why."""

    period: Annotated[Text, Meta(description="The month, yyyy-mm.")]
    first_on: Annotated[date, Meta(description="Its first day.")]
    last_on: Annotated[date, Meta(description="Its last day.")]


class Approval(Public, frozen=True, kw_only=True):
    """What is said of a request for approval; without a customer it concerns the whole book."""

    customer: Annotated[Text | UnsetType, Meta(description="The customer who pays.")] = UNSET
    currency: Annotated[str | UnsetType, Meta(description="ISO 4217.")] = UNSET
    request: Annotated[Text, Meta(description="The number of the request.")]
    command: Annotated[Text, Meta(description="What is to be approved, such as RecordRefund.")]


class ApprovalRequested(Approval, frozen=True, kw_only=True):
    """What goes beyond its maker's limit waits for somebody else to approve it. Nothing is booked so far."""

    document: Annotated[str | UnsetType, Meta(description="The document that it enters or reverses, if any.")] = UNSET
    amount: Annotated[int | UnsetType, Meta(description="What it would have posted, in minor units of `currency`.")] = (
        UNSET
    )
    base_amount: Annotated[
        int | UnsetType, Meta(description="What it would have posted, in minor units of the book's base currency.")
    ] = UNSET


class ApprovalGiven(Approval, frozen=True, kw_only=True):
    """It was approved, and is booked by the events that name the request in `approval`."""


class ApprovalRefused(Approval, frozen=True, kw_only=True):
    """It was refused or taken back, and is not booked; `reason` says why."""


class AllowanceBucket(Struct, frozen=True, kw_only=True):
    """Receivables that are overdue by more than the bucket before and by at most `to_days`; the last has no end."""

    to_days: Annotated[int | UnsetType, Meta(description="Overdue by at most so many days; absent: by any more.")] = (
        UNSET
    )
    rate: Annotated[str, Meta(description="Expected loss in per cent, as decimal text.")]
    groups: Annotated[dict[str, str], Meta(description="Value of the matrix' dimension to another rate.")]


class AllowanceMatrix(Struct, frozen=True, kw_only=True):
    """Expected losses by days past due."""

    buckets: Annotated[list[AllowanceBucket], Meta(description="By ever more days past due.")]
    dimension: Annotated[Text | UnsetType, Meta(description="The label whose values have rates of their own.")] = UNSET


class AllowanceMatrixChanged(Public, frozen=True, kw_only=True):
    """The provision matrix of a book was changed; it holds for allowances that are posted later."""

    before: Annotated[
        AllowanceMatrix | UnsetType, Meta(description="The matrix as it was; absent: there was none.")
    ] = UNSET
    after: Annotated[AllowanceMatrix, Meta(description="The matrix from now on.")]


class BookVoucher(Public, frozen=True, kw_only=True):
    """An event that moves value of a book as a whole, in its base currency."""

    currency: Annotated[str, Meta(description="ISO 4217: the book's base currency.")]
    effective_on: Annotated[date, Meta(description="The accounting date, a day in the book's time zone.")]
    template_version: Annotated[int, Meta(description="The posting template that it was posted by.")]
    postings: Annotated[list[Posting], Meta(description="They sum to zero, D less C.")]


class AllowanceLine(Struct, frozen=True, kw_only=True):
    """What is open of a currency in a bucket, and the allowance that it requires."""

    currency: Annotated[str, Meta(description="ISO 4217.")]
    bucket: Annotated[int, Meta(ge=1, description="Which bucket of the matrix, counted from 1.")]
    group: Annotated[Text | UnsetType, Meta(description="The value of the dimension, if it has a rate of its own.")] = (
        UNSET
    )
    amount: Minor
    base_amount: BaseMinor
    required: BaseMinor


class AllowancePosted(BookVoucher, frozen=True, kw_only=True):
    """The allowance for bad debts was brought to what the provision matrix requires, by the difference."""

    evidence_at: Annotated[str, Meta(description="The position as of which the evidence was collected.")]
    matrix: Annotated[AllowanceMatrix, Meta(description="The rates.")]
    lines: Annotated[list[AllowanceLine], Meta(description="What was open, and what it requires.")]
    required: Annotated[int, Meta(description="What the lines require, in minor units of the base currency.")]
    before: Annotated[int, Meta(description="What the allowance had, in minor units of the base currency.")]
    difference: Annotated[int, Meta(description="required less before, in minor units of the base currency.")]


class RevaluationLine(Struct, frozen=True, kw_only=True):
    """Open items of a currency on a control account, debit less credit, and what they are worth at the closing rate."""

    currency: Annotated[str, Meta(description="ISO 4217.")]
    account: Annotated[Text, Meta(description="Code of the control account.")]
    amount: Annotated[int, Meta(description="What is open, in minor units of the line's `currency`.")]
    base_amount: Annotated[int, Meta(description="What is open, in minor units of the base currency.")]
    rate: Rate
    rate_on: Annotated[date, Meta(description="The day that the rate is of.")]
    value: Annotated[int, Meta(description="What it is worth at the rate, in minor units of the base currency.")]
    before: Annotated[
        int, Meta(description="What was posted for the same day before, in minor units of the base currency.")
    ]
    difference: Annotated[
        int, Meta(description="value less base_amount less before, in minor units of the base currency.")
    ]


class RevaluationPosted(BookVoucher, frozen=True, kw_only=True):
    """Open foreign items were valued at the rates of a day, or this was taken back on the next."""

    evidence_at: Annotated[str, Meta(description="The position as of which the evidence was collected.")]
    rate_source: Annotated[Text, Meta(description="Whose rates were taken.")]
    lines: Annotated[list[RevaluationLine], Meta(description="What was open, and what it is worth.")]
    difference: Annotated[int, Meta(description="Sum of the lines', in minor units of the base currency.")]
    mirrors: Annotated[Text | UnsetType, Meta(description="The id of the event that is taken back.")] = UNSET


class FactDeferred(OfAccount, frozen=True, kw_only=True):
    """A refund or reversal waits for a document that is not in the book yet."""

    awaited: Annotated[str, Meta(description="The document that it waits for.")]
    document: Annotated[str | UnsetType, Meta(description="The document that it will be, if it is one.")] = UNSET
    command: Annotated[Text | UnsetType, Meta(description="What was asked for, such as RecordRefund.")] = UNSET


class DeferredFactRejected(OfAccount, frozen=True, kw_only=True):
    """What had waited was given up by somebody, and is not booked; `reason` says why."""

    awaited: Annotated[str, Meta(description="The document that it waited for.")]
    document: Annotated[str | UnsetType, Meta(description="The document that it would have been, if it was one.")] = (
        UNSET
    )
    deferred: Annotated[Text, Meta(description="The id of the event by which it waited.")]


class MessageDismissed(Public, frozen=True, kw_only=True):
    """A message that could not be booked was given up by somebody; `reason` says why. It is kept in quarantine."""

    entry: Annotated[int, Meta(ge=1, description="The number of its entry in quarantine.")]
    message_source: Annotated[Text | UnsetType, Meta(description="Who sent it, as far as it could be read.")] = UNSET
    message_source_id: Annotated[
        Text | UnsetType, Meta(description="The sender's own id of it, as far as it could be read.")
    ] = UNSET
    code: Annotated[Text, Meta(description="Why it was not booked: the code of the refusal.")]


class DeferredFactApplied(OfAccount, frozen=True, kw_only=True):
    """What had waited was decided: booked, by the events with the same source and source_id, or refused."""

    awaited: Annotated[str, Meta(description="The document that it waited for.")]
    document: Annotated[str | UnsetType, Meta(description="The document that it is, if it is one.")] = UNSET
    deferred: Annotated[Text, Meta(description="The id of the event by which it waited.")]
    outcome: Annotated[Literal["booked", "refused"], Meta(description="What became of it.")]
    code: Annotated[Text | UnsetType, Meta(description="Why it was refused.")] = UNSET
    field: Annotated[Text | UnsetType, Meta(description="The field at fault.")] = UNSET
    value: Annotated[Text | UnsetType, Meta(description="What that field has.")] = UNSET


TYPES: dict[str, type[Public]] = {
    "tieout.invoice-issued.v1": InvoiceIssued,
    "tieout.credit-note-issued.v1": CreditNoteIssued,
    "tieout.payment-received.v1": PaymentReceived,
    "tieout.allocated.v1": Allocated,
    "tieout.allocation-released.v1": AllocationReleased,
    "tieout.refund-paid.v1": RefundPaid,
    "tieout.payment-returned.v1": PaymentReturned,
    "tieout.payment-reinstated.v1": PaymentReinstated,
    "tieout.adjustment-posted.v1": AdjustmentPosted,
    "tieout.written-off.v1": WrittenOff,
    "tieout.write-off-recovered.v1": WriteOffRecovered,
    "tieout.item-transferred-out.v1": ItemTransferredOut,
    "tieout.item-transferred-in.v1": ItemTransferredIn,
    "tieout.vat-relief-claimed.v1": VatReliefClaimed,
    "tieout.document-reversed.v1": DocumentReversed,
    "tieout.account-terms-changed.v1": AccountTermsChanged,
    "tieout.revenue-recognised.v1": RevenueRecognised,
    "tieout.credit-limit-set.v1": CreditLimitSet,
    "tieout.book-opened.v1": BookOpened,
    "tieout.posting-template-changed.v1": PostingTemplateChanged,
    "tieout.book-policies-changed.v1": BookPoliciesChanged,
    "tieout.period-closed.v1": PeriodClosed,
    "tieout.period-reopened.v1": PeriodReopened,
    "tieout.approval-requested.v1": ApprovalRequested,
    "tieout.approval-given.v1": ApprovalGiven,
    "tieout.approval-refused.v1": ApprovalRefused,
    "tieout.allowance-matrix-changed.v1": AllowanceMatrixChanged,
    "tieout.allowance-posted.v1": AllowancePosted,
    "tieout.revaluation-posted.v1": RevaluationPosted,
    "tieout.fact-deferred.v1": FactDeferred,
    "tieout.deferred-fact-applied.v1": DeferredFactApplied,
    "tieout.deferred-fact-rejected.v1": DeferredFactRejected,
    "tieout.message-dismissed.v1": MessageDismissed,
}
"""``type`` of the CloudEvent → what its data are."""
