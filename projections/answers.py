"""What the reader answers: frozen records that turn into JSON as they are (``msgspec.json.encode``).

Amounts are integer minor units of the record's currency, base amounts of the book's base currency; positions are
opaque tokens (``"0:123"``); dates are days of the book's calendar, instants are UTC.

Rows of lists that are asked for page by page have a ``key``: it puts them into their order, which is total, and the next
page begins after that of the last row. Of rows of the log that is their position.

Every amount explains itself: ``explain`` maps the name of an amount to the selector that ``Reader.explain`` takes
(``projections/selectors.py``). The base amount beside an amount (``base_open`` beside ``open``) has the same selector.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from domain.events import AllowanceLine, AllowanceMatrix, Posting, RevaluationLine, Side
from domain.fields import (
    AccountCode,
    Actor,
    BookId,
    CausedBy,
    CurrencyCode,
    CustomerId,
    Dimensions,
    DocumentId,
    EffectiveOn,
    EventId,
    EventKind,
    ExchangeRate,
    ItemId,
    KnownAt,
    Minor,
    Origin,
    Position,
    Reason,
    RecordedAt,
    RequestedOn,
    Role,
    Source,
    SourceId,
)
from ledger.outcomes import read_token

Explains = Annotated[dict[str, str], Meta(description="Name of an amount → the selector that explains it.")]


class AsOf(NamedTuple):
    """The two clocks: effective as of a day (None: every day), known as of a log position (None: all followed)."""

    effective_on: date | None = None
    position: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A record of an answer."""


class AccountRow(Answer, frozen=True, kw_only=True):
    """A customer account 客户往来账户, one customer in one currency, and the events that it has."""

    customer: CustomerId
    currency: CurrencyCode
    version: Annotated[
        int, Meta(description="How many events it has: what a command may name as the version it is for.")
    ]
    first_position: Annotated[str, Meta(description="The place in the log of its first event, such as 0:123.")]
    last_position: Annotated[str, Meta(description="The place in the log of its last event, such as 0:123.")]

    @property
    def key(self) -> tuple[str, str]:
        """Its place in lists."""
        return self.customer, self.currency


class Balance(Answer, frozen=True, kw_only=True):
    """What one customer has on one control account: ``amount`` is debit less credit. Explains ``amount``."""

    customer: CustomerId
    currency: CurrencyCode
    role: Role
    account: AccountCode
    amount: Annotated[int, Meta(description="Debit less credit, in minor units of the currency.")]
    base_amount: Annotated[int, Meta(description="Debit less credit, in minor units of the base currency.")]
    explain: Explains

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Its place in lists."""
        return self.customer, self.currency, self.account, self.role


class OpenItem(Answer, frozen=True, kw_only=True):
    """An item 未清项 and what it has open; both amounts are positive on the item's own side.

    ``amount`` is what it was opened with. ``overdue`` counts days from ``due_on`` to the day asked for, negative before
    it; None where no day was asked for. Credit items fall due on the day they take effect. Explains ``amount`` and
    ``open``.
    """

    item: ItemId
    document: DocumentId
    instalment: Annotated[int, Meta(description="Which item of its document, from 1.")]
    side: Annotated[Side, Meta(description="D: it is owed to us. C: it is the customer's.")]
    customer: CustomerId
    currency: CurrencyCode
    role: Role
    account: AccountCode
    dimensions: Dimensions
    due_on: Annotated[date, Meta(description="The day on which it falls due.")]
    effective_on: EffectiveOn
    amount: Annotated[int, Meta(description="What it was opened with, positive, in minor units of the currency.")]
    base_amount: Annotated[
        int, Meta(description="What it was opened with, positive, in minor units of the base currency.")
    ]
    open: Annotated[int, Meta(description="What it has open, positive, in minor units of the currency.")]
    base_open: Annotated[int, Meta(description="What it has open, positive, in minor units of the base currency.")]
    overdue: Annotated[
        int | None,
        Meta(description="Days from due_on to the day asked for, negative before it; null: no day was asked for."),
    ]
    explain: Explains

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Its place in lists."""
        return self.customer, self.currency, self.due_on.isoformat(), self.item


class Bucket(Answer, frozen=True, kw_only=True):
    """Debit items overdue by ``from_days`` to ``to_days`` days (None: or more). Explains ``amount``."""

    from_days: Annotated[int, Meta(description="Overdue by at least so many days.")]
    to_days: Annotated[int | None, Meta(description="Overdue by at most so many days; null: by any more.")]
    amount: Annotated[int, Meta(description="What debit items have open, in minor units of the row's currency.")]
    explain: Explains


class AgeingRow(Answer, frozen=True, kw_only=True):
    """Ageing 账龄 of a customer account, or of all in a currency (``customer`` None).

    Asked for by a dimension, a row is of the items with one value of it, the ``group``, or (None) without it.
    Identity 12: ``not_due`` + Σ ``buckets`` − ``unapplied`` = ``net``. ``unapplied`` is what all credit items have open
    (prepayments, credit notes, deposits). Explains ``not_due``, ``unapplied`` and ``net``.
    """

    customer: Annotated[str | None, Meta(description="The customer who pays; null: all of them.")]
    currency: CurrencyCode
    not_due: Annotated[
        int, Meta(description="What debit items have open before they fall due, in minor units of the currency.")
    ]
    buckets: Annotated[list[Bucket], Meta(description="What is overdue, by days.")]
    unapplied: Annotated[
        int, Meta(description="What all credit items have open, positive, in minor units of the currency.")
    ]
    net: Annotated[int, Meta(description="not_due and all buckets less unapplied, in minor units of the currency.")]
    base_net: Annotated[int, Meta(description="The same in minor units of the base currency.")]
    explain: Explains
    group: Annotated[
        str | None,
        Meta(description="The value of the dimension that was asked by; null: items without it, or none was asked by."),
    ] = None

    @property
    def key(self) -> tuple[str, ...]:
        """Its place in lists."""
        return self.customer or "", self.currency, *(() if self.group is None else (self.group,))


class Movement(Answer, frozen=True, kw_only=True):
    """A line of a statement: an event's net effect on what the customer owes. Explains ``amount`` and ``running``."""

    effective_on: EffectiveOn
    position: Position
    event: EventId
    kind: EventKind
    document: DocumentId | None
    amount: Annotated[
        int, Meta(description="What more is owed by it, negative for less, in minor units of the currency.")
    ]
    running: Annotated[int, Meta(description="What is owed after it, in minor units of the currency.")]
    explain: Explains


class Statement(Answer, frozen=True, kw_only=True):
    """A customer account's statement 对账单 over all of its control accounts, from ``from_on`` to ``effective_on``.

    ``opening`` + Σ movements = ``closing`` (identity 11). Made again from the same days and ``position`` it is the same.
    ``from_on`` None: from the beginning. Explains ``opening`` and ``closing``.
    """

    book: BookId
    customer: CustomerId
    currency: CurrencyCode
    from_on: Annotated[date | None, Meta(description="The first day; null: from the beginning.")]
    effective_on: Annotated[date | None, Meta(description="The last day; null: every day.")]
    position: KnownAt
    opening: Annotated[int, Meta(description="What was owed before the first day, in minor units of the currency.")]
    movements: Annotated[list[Movement], Meta(description="By day and place in the log.")]
    closing: Annotated[int, Meta(description="What is owed after the last day, in minor units of the currency.")]
    explain: Explains


class BalanceDay(Answer, frozen=True, kw_only=True):
    """What a customer account has at the end of a day over all of its control accounts. Explains ``net``."""

    effective_on: Annotated[date, Meta(description="The day, of the book's calendar.")]
    net: Annotated[int, Meta(description="Debit less credit, in minor units of the currency.")]
    base_net: Annotated[int, Meta(description="Debit less credit, in minor units of the base currency.")]
    explain: Explains


class BalanceHistory(Answer, frozen=True, kw_only=True):
    """What a customer account had before a day, and at the end of each day up to another on which that changed."""

    book: BookId
    customer: CustomerId
    currency: CurrencyCode
    from_on: Annotated[date, Meta(description="The first day.")]
    to_on: Annotated[date, Meta(description="The last day.")]
    position: KnownAt
    opening: Annotated[BalanceDay, Meta(description="The end of the day before the first.")]
    days: Annotated[list[BalanceDay], Meta(description="The days on which it changed, in order.")]


class JournalEntry(Answer, frozen=True, kw_only=True):
    """An event's postings 凭证. Events that one command booked share ``voucher``, the position of its last event.

    ``customer`` is None for a voucher of the book as a whole.
    """

    position: Position
    voucher: Annotated[str, Meta(description="The position of the last event that the same command booked.")]
    event: EventId
    kind: EventKind
    recorded_at: RecordedAt
    effective_on: EffectiveOn
    requested_effective_on: RequestedOn | None
    customer: Annotated[str | None, Meta(description="The customer who pays; null: a voucher of the whole book.")]
    currency: CurrencyCode
    document: DocumentId | None
    caused_by: CausedBy | None
    source: Source
    source_id: SourceId
    actor: Actor
    reason: Reason | None
    postings: Annotated[list[Posting], Meta(description="They sum to zero, debit less credit.")]


class TrialBalanceRow(Answer, frozen=True, kw_only=True):
    """科目余额 of an account by currency and dimensions: debit less credit, and turnover of both sides.

    ``opening`` + ``debit`` − ``credit`` = ``closing``. A reversal is a negative amount on its own side. Explains
    ``opening``, ``debit``, ``credit`` and ``closing``.
    """

    account: AccountCode
    currency: CurrencyCode
    dimensions: Dimensions
    opening: Annotated[int, Meta(description="Debit less credit before the first day, in minor units of the currency.")]
    debit: Annotated[int, Meta(description="Debit side of the days, in minor units of the currency.")]
    credit: Annotated[int, Meta(description="Credit side of the days, in minor units of the currency.")]
    closing: Annotated[int, Meta(description="Debit less credit after the last day, in minor units of the currency.")]
    base_opening: Annotated[
        int, Meta(description="Debit less credit before the first day, in minor units of the base currency.")
    ]
    base_debit: Annotated[int, Meta(description="Debit side of the days, in minor units of the base currency.")]
    base_credit: Annotated[int, Meta(description="Credit side of the days, in minor units of the base currency.")]
    base_closing: Annotated[
        int, Meta(description="Debit less credit after the last day, in minor units of the base currency.")
    ]
    explain: Explains


LinkKind = Literal[
    "settles",
    "releases",
    "refunds",
    "returns",
    "reinstates",
    "credits",
    "adjusts",
    "writes_off",
    "recovers",
    "transfers",
    "relieves",
    "reverses",
    "recognises",
]


class Link(Answer, frozen=True, kw_only=True):
    """What one document did to another: ``from_document`` settles, refunds, credits, … ``to_document``.

    ``settles`` and ``releases`` lead from the credit item to the debit item, and the second takes back of the first
    (``allocation`` names the link); ``refunds`` from the refund to what funded it, or with amount 0 to the payment that
    it names; ``returns`` to the payment; ``reinstates`` to the return and to its payment;
    ``credits`` to the invoice a credit note is against; ``adjusts`` to the document of the adjusted item;
    ``writes_off`` to that of each item written off; ``recovers`` to that of the item and to the write-off;
    ``transfers`` from the item that opened to the one of the other account that it came from;
    ``relieves`` from VAT relief to the write-off and the item's document, or, negative, to the recovery that gave it back;
    ``reverses`` from and to the reversed document itself, with the amount that it had; ``recognises`` likewise, with what
    of its deferred revenue was earned.
    """

    kind: Annotated[LinkKind, Meta(description="What the one did to the other.")]
    from_document: Annotated[str, Meta(description="The document that did it: kind:series:number:revision.")]
    from_item: Annotated[str | None, Meta(description="The item that it was done with.")]
    to_document: Annotated[str, Meta(description="The document that it was done to: kind:series:number:revision.")]
    to_item: Annotated[str | None, Meta(description="The item that it was done to.")]
    amount: Minor
    effective_on: EffectiveOn
    event: EventId
    position: Position
    allocation: Annotated[
        str | None, Meta(description="The name of the link between the items, by which it is released.")
    ]


class AllocationRow(Answer, frozen=True, kw_only=True):
    """A link 核销 between two items of a customer account, as far as it was not released."""

    allocation: Annotated[str, Meta(description="The name of the link in its account, by which it is released.")]
    customer: CustomerId
    currency: CurrencyCode
    credit_item: Annotated[str, Meta(description="The item that settles: kind:series:number:revision#instalment.")]
    debit_item: Annotated[str, Meta(description="The item that is settled: kind:series:number:revision#instalment.")]
    amount: Annotated[int, Meta(description="With how much, less what was released, in minor units of the currency.")]
    credit_base: Annotated[
        int, Meta(description="What that took from the credit item, in minor units of the base currency.")
    ]
    debit_base: Annotated[
        int, Meta(description="What that took from the debit item, in minor units of the base currency.")
    ]
    effective_on: EffectiveOn
    mode: Annotated[Literal["hand", "reference", "policy"], Meta(description="How it came about.")]
    event: Annotated[str, Meta(description="The event that made it.")]
    position: Position

    @property
    def key(self) -> tuple[int, int]:
        """Its place in lists: the event's position, and which of its links it is."""
        return read_token(self.position), int(self.allocation.rpartition(".")[2])


class DocumentRow(Answer, frozen=True, kw_only=True):
    """A document 单据 in one line. ``open`` is what its items have open, positive on their own side.

    ``status``: ``open``, ``partly`` (partly settled), ``settled`` (nothing open) or ``reversed``.
    """

    document: DocumentId
    kind: Annotated[str, Meta(description="The document's kind, such as invoice.")]
    customer: CustomerId
    currency: CurrencyCode
    effective_on: EffectiveOn
    amount: Annotated[int, Meta(description="What it amounts to, in minor units of the currency.")]
    base_amount: Annotated[int, Meta(description="What it amounts to, in minor units of the base currency.")]
    open: Annotated[int, Meta(description="What its items have open, positive, in minor units of the currency.")]
    base_open: Annotated[
        int, Meta(description="What its items have open, positive, in minor units of the base currency.")
    ]
    status: Annotated[
        Literal["open", "partly", "settled", "reversed"],
        Meta(description="open, partly settled, settled (nothing is open), or reversed."),
    ]
    event: Annotated[str, Meta(description="The event that entered it.")]
    position: Position
    reversed_on: Annotated[date | None, Meta(description="The accounting date of its reversal.")]
    reversed_by: Annotated[str | None, Meta(description="The event that reversed it.")]


class DocumentView(Answer, frozen=True, kw_only=True):
    """A document with its own facts, its items, its links both ways and the events that concern it, in log order."""

    row: Annotated[DocumentRow, Meta(description="The document in one line.")]
    items: Annotated[list[OpenItem], Meta(description="Its items.")]
    links: Annotated[list[Link], Meta(description="What it did to others and others to it.")]
    history: Annotated[list["AuditRow"], Meta(description="The events that concern it, in the order of the log.")]


class Approved(Answer, frozen=True, kw_only=True):
    """The approval of an event: which request, who gave it and when; the event's own actor is the maker."""

    request: Annotated[str, Meta(description="The number of the request.")]
    by: Annotated[str, Meta(description="Who approved it.")]
    at: Annotated[datetime, Meta(description="When, UTC.")]
    reason: Annotated[str | None, Meta(description="What he said to it.")]


class AuditRow(Answer, frozen=True, kw_only=True):
    """审计轨迹: who booked an event, when, why, and from which message.

    ``origin`` is that of the receipt (file digest and lines, topic:partition:offset, request id).
    """

    position: Position
    event: EventId
    kind: EventKind
    recorded_at: RecordedAt
    effective_on: EffectiveOn | None
    requested_effective_on: RequestedOn | None
    customer: CustomerId | None
    currency: CurrencyCode | None
    document: DocumentId | None
    caused_by: CausedBy | None
    actor: Annotated[str, Meta(description="Who asked for it: the maker.")]
    reason: Reason | None
    source: Source
    source_id: SourceId
    origin: Origin | None
    approved: Annotated[Approved | None, Meta(description="Its approval, if it needed one.")]


class ExplainedPosting(Answer, frozen=True, kw_only=True):
    """A posting behind a number: ``contribution`` is what it adds to it, ``base_contribution`` to its base amount."""

    position: Position
    event: EventId
    kind: EventKind
    recorded_at: RecordedAt
    effective_on: EffectiveOn
    customer: CustomerId | None
    currency: CurrencyCode
    document: DocumentId | None
    actor: Actor
    source: Source
    source_id: SourceId
    origin: Origin | None
    posting: Annotated[Posting, Meta(description="The posting.")]
    contribution: Annotated[int, Meta(description="What it adds to the number, in minor units of the currency.")]
    base_contribution: Annotated[
        int, Meta(description="What it adds to the base amount, in minor units of the base currency.")
    ]


class Explanation(Answer, frozen=True, kw_only=True):
    """A number and every posting behind it, in log order, read from the log as they are asked for.

    ``amount`` and ``base_amount`` come from the projections, ``postings`` from the log: that their contributions sum to
    the amounts is the tie-out. ``currency`` is that of ``amount``. ``postings`` can be walked once, while the reader is
    open.
    """

    selector: Annotated[str, Meta(description="The number that is explained.")]
    currency: CurrencyCode
    amount: Annotated[int, Meta(description="The number, in minor units of the currency, as the projections have it.")]
    base_amount: Annotated[int, Meta(description="Its base amount, in minor units of the base currency.")]
    postings: Annotated[
        Iterator[ExplainedPosting], Meta(description="What is behind it, from the log and in its order.")
    ]


class AllowanceAnswer(Answer, frozen=True, kw_only=True):
    """What a provision matrix requires on a day, and what the allowance has; all but line amounts in base currency.

    ``book_version``: the book's at ``position``, as of which this is known. ``difference`` = ``required`` − ``before``.
    """

    effective_on: Annotated[date, Meta(description="The day whose open items are provided for.")]
    position: KnownAt
    book_version: Annotated[int, Meta(description="The book's version at that position.")]
    matrix: Annotated[AllowanceMatrix, Meta(description="The rates.")]
    lines: Annotated[
        list[AllowanceLine], Meta(description="What is open by currency, bucket and group, and what it requires.")
    ]
    required: Annotated[
        int, Meta(description="The allowance that the lines require, in minor units of the base currency.")
    ]
    before: Annotated[
        int, Meta(description="What the allowance account has, credit less debit, in minor units of the base currency.")
    ]
    difference: Annotated[int, Meta(description="required less before, in minor units of the base currency.")]


class SupersededRate(Answer, frozen=True, kw_only=True):
    """What a source had said before."""

    rate: ExchangeRate
    position: Position


class RateRow(Answer, frozen=True, kw_only=True):
    """What a source said last of a currency for the latest day up to the one asked for; and what it had said before."""

    rate_source: Annotated[str, Meta(description="Whose rate it is.")]
    currency: CurrencyCode
    day: Annotated[date, Meta(description="The day that the rate is of.")]
    rate: ExchangeRate
    position: Position
    superseded: Annotated[list[SupersededRate], Meta(description="What the source had said of that day before.")]


class RevaluationAnswer(Answer, frozen=True, kw_only=True):
    """What open foreign items are worth at the rates of a day. ``missing``: currencies without a rate.

    ``book_version``: the book's at ``position``, as of which this is known.
    """

    effective_on: Annotated[date, Meta(description="The day whose open items are valued.")]
    position: KnownAt
    book_version: Annotated[int, Meta(description="The book's version at that position.")]
    rate_source: Annotated[str, Meta(description="Whose rates were taken.")]
    lines: Annotated[
        list[RevaluationLine], Meta(description="What is open by currency and control account, and what it is worth.")
    ]
    missing: Annotated[list[str], Meta(description="Currencies without a rate.")]
    difference: Annotated[int, Meta(description="The sum of the lines', in minor units of the base currency.")]


class ClosingFinding(Answer, frozen=True, kw_only=True):
    """One point of a closing list: whether it holds, and how many findings speak against it."""

    check: Annotated[str, Meta(description="Name of the check.")]
    holds: Annotated[bool, Meta(description="Whether nothing speaks against closing.")]
    found: Annotated[int, Meta(description="How many findings speak against it.")]


class PeriodRow(Answer, frozen=True, kw_only=True):
    """A period: open, closed, or reopened after it was closed; who did that last, when and why.

    ``accepted``: points of the closing list that did not hold and were accepted.
    """

    period: Annotated[str, Meta(description="The month, yyyy-mm.")]
    first_on: Annotated[date, Meta(description="Its first day.")]
    last_on: Annotated[date, Meta(description="Its last day.")]
    status: Annotated[str, Meta(description="open, closed or reopened.")]
    actor: Annotated[str | None, Meta(description="Who closed or reopened it last.")] = None
    reason: Annotated[str | None, Meta(description="Why.")] = None
    position: Annotated[str | None, Meta(description="The place in the log at which that was recorded.")] = None
    recorded_at: Annotated[datetime | None, Meta(description="When it was recorded, UTC.")] = None
    accepted: Annotated[list[str], Meta(description="Checks that did not hold and were accepted.")] = []


class SmallDifference(Answer, frozen=True, kw_only=True):
    """A posting for a small difference, debit positive: why, of which item, and the payment that it is linked to.

    ``document``: the adjustment, or the payment that it was deducted from; of a reversal the document that it undoes.
    ``reason_code`` is that of the adjustment, else the role. ``event`` explains it.
    """

    customer: CustomerId
    currency: CurrencyCode
    reason_code: Annotated[str, Meta(description="The reason of the adjustment, else the role.")]
    role: Role
    account: AccountCode
    period: Annotated[str, Meta(description="The month of the accounting date, yyyy-mm.")]
    effective_on: EffectiveOn
    kind: EventKind
    document: DocumentId | None
    item: ItemId | None
    linked_to: Annotated[str | None, Meta(description="The payment that it goes with: kind:series:number:revision.")]
    amount: Annotated[int, Meta(description="Debit positive, in minor units of the currency.")]
    base_amount: Annotated[int, Meta(description="Debit positive, in minor units of the base currency.")]
    event: EventId
    position: Position
    posting: Annotated[int, Meta(description="Which posting of the event, from 1.")]

    @property
    def key(self) -> tuple[str, int, int]:
        """Its place in lists."""
        return self.role, read_token(self.position), self.posting


class MovedFact(Answer, frozen=True, kw_only=True):
    """What belongs to a prior period: asked for a day that was closed, booked on the first open one.

    ``amount``: of its voucher, in minor units, negative for a reversal.
    """

    period: Annotated[str, Meta(description="The month that it belongs to, yyyy-mm.")]
    requested_effective_on: RequestedOn
    effective_on: EffectiveOn
    customer: CustomerId
    currency: CurrencyCode
    kind: EventKind
    document: DocumentId
    amount: Annotated[
        int, Meta(description="What its voucher amounts to, in minor units of the currency, negative for a reversal.")
    ]
    event: EventId
    position: Position


class ControlRow(Answer, frozen=True, kw_only=True):
    """Subledger = control (identity 2) for one control account: ``items`` − ``postings`` must be zero, in base too."""

    account: AccountCode
    currency: CurrencyCode
    dimensions: Dimensions
    items: Annotated[
        int, Meta(description="What the items have open, debit less credit, in minor units of the currency.")
    ]
    postings: Annotated[int, Meta(description="What was posted, debit less credit, in minor units of the currency.")]
    base_items: Annotated[int, Meta(description="As items, in minor units of the base currency.")]
    base_postings: Annotated[int, Meta(description="As postings, in minor units of the base currency.")]

    @property
    def holds(self) -> bool:
        """Whether both sides agree, in amount and in base amount."""
        return self.items == self.postings and self.base_items == self.base_postings


class DeferredMonth(Answer, frozen=True, kw_only=True):
    """Deferred revenue of one currency in one month: what documents deferred and what was recognised, credit less debit.

    ``account``: what the accounts of deferred revenue have at the end of the month; it must be ``closing``, in base too.
    """

    period: Annotated[str, Meta(description="The month, yyyy-mm.")]
    currency: CurrencyCode
    opening: Annotated[int, Meta(description="Deferred before the month, in minor units of the currency.")]
    deferred: Annotated[int, Meta(description="Deferred by documents in the month, in minor units of the currency.")]
    recognised: Annotated[int, Meta(description="Earned in the month, in minor units of the currency.")]
    closing: Annotated[int, Meta(description="Deferred after the month, in minor units of the currency.")]
    account: Annotated[
        int,
        Meta(description="What the accounts have after the month, credit less debit, in minor units of the currency."),
    ]
    base_opening: Annotated[int, Meta(description="Deferred before the month, in minor units of the base currency.")]
    base_deferred: Annotated[
        int, Meta(description="Deferred by documents in the month, in minor units of the base currency.")
    ]
    base_recognised: Annotated[int, Meta(description="Earned in the month, in minor units of the base currency.")]
    base_closing: Annotated[int, Meta(description="Deferred after the month, in minor units of the base currency.")]
    base_account: Annotated[
        int,
        Meta(
            description="What the accounts have after the month, credit less debit, in minor units of the base currency."
        ),
    ]

    @property
    def holds(self) -> bool:
        """Whether the schedules agree with the accounts, in amount and in base amount."""
        return self.closing == self.account and self.base_closing == self.base_account


class DueRecognition(Answer, frozen=True, kw_only=True):
    """What of a document's deferred revenue is earned and not recognised yet; negative for a credit note's."""

    customer: CustomerId
    currency: CurrencyCode
    document: DocumentId
    amount: Annotated[int, Meta(description="Earned and not recognised, in minor units of the currency.")]
    base_amount: Annotated[int, Meta(description="Earned and not recognised, in minor units of the base currency.")]

    @property
    def key(self) -> tuple[str, str, str]:
        """Its place in lists."""
        return self.customer, self.currency, self.document


class Difference(Answer, frozen=True, kw_only=True):
    """A stored row that replay does not confirm. ``stored`` is None where it is missing, ``replayed`` where it is too much.

    ``column`` is None when the whole row is missing or too much.
    """

    table: Annotated[str, Meta(description="Which table the row is of.")]
    key: Annotated[dict[str, str | int], Meta(description="The row's key by column.")]
    column: Annotated[str | None, Meta(description="The column that differs; null: the whole row.")]
    stored: Annotated[str | int | None, Meta(description="What is stored; null: nothing.")]
    replayed: Annotated[str | int | None, Meta(description="What replay says; null: nothing.")]


class ReplayReport(Answer, frozen=True, kw_only=True):
    """What a replay found: ``rows`` compared by table, how many ``differences``, and the first of them by name."""

    position: Annotated[str, Meta(description="The log's position up to which it was replayed, such as 0:123.")]
    events: Annotated[int, Meta(description="How many events were replayed.")]
    rows: Annotated[dict[str, int], Meta(description="Table → how many rows were compared.")]
    differences: Annotated[int, Meta(description="How many were found.")]
    first: Annotated[list[Difference], Meta(description="The first of them.")]

    @property
    def identical(self) -> bool:
        """Whether the stored projections are what the log says."""
        return self.differences == 0


class Sums(Answer, frozen=True, kw_only=True):
    """How many messages there are, and the sum of their documents' amounts, as far as those could be read."""

    count: Annotated[int, Meta(description="How many messages.")] = 0
    amount: Annotated[int, Meta(description="The sum of their documents' amounts, in minor units of the currency.")] = 0


class Message(Answer, frozen=True, kw_only=True):
    """A message of a feed, and where it stands.

    ``position`` is its log position if it is in the log, ``first`` of a double the origin of its first delivery,
    ``quarantine`` its entry there, ``code`` why it is not in the books. What could not be read is None.
    """

    status: Annotated[
        Literal["booked", "waiting", "quarantined", "dismissed", "refused", "parked", "doubled"],
        Meta(description="Where it stands."),
    ]
    source: Annotated[str, Meta(description="Who sent it.")]
    source_id: Annotated[str | None, Meta(description="The sender's own id of it.")]
    sequence: Annotated[int | None, Meta(description="The number that its sender gave it.")] = None
    day: Annotated[date | None, Meta(description="The accounting date that it asks for.")] = None
    currency: CurrencyCode | None = None
    amount: Annotated[int | None, Meta(description="The amount of its document, in minor units of the currency.")] = (
        None
    )
    document: DocumentId | None = None
    origin: Origin | None = None
    first: Annotated[str | None, Meta(description="Of a double: where the first delivery came in.")] = None
    position: Annotated[
        str | None, Meta(description="Its place in the log, if it is there: an opaque token, such as 0:123.")
    ] = None
    quarantine: Annotated[int | None, Meta(description="Its entry in quarantine.")] = None
    code: Annotated[str | None, Meta(description="Why it is not in the books.")] = None


class Stated(Answer, frozen=True, kw_only=True):
    """Control totals 控制总数 as a feed's producer states them, and who said so, at which log position."""

    count: Annotated[int, Meta(description="How many messages.")]
    amount: Annotated[int, Meta(description="The sum of their amounts, in minor units of the currency.")]
    highest: Annotated[int | None, Meta(description="The highest sequence among them.")]
    source: Annotated[str, Meta(description="Who stated it; with source_id the name of the command.")]
    source_id: SourceId
    position: Position


BreakType = Literal["missing", "excess", "amount_differs", "sequence_gap", "late", "conflicting", "duplicate"]


class Break(Answer, frozen=True, kw_only=True):
    """A difference 差异 between what was sent and what is in the books; closed once it is made good.

    ``count`` and ``amount``: of *missing*, *excess* and *amount_differs* what was stated less what is booked; of the others of
    the numbers or messages that it is about. ``sequences``: ranges of numbers, first and last.
    """

    type: Annotated[BreakType, Meta(description="What is wrong.")]
    open: Annotated[bool, Meta(description="Whether it has not been made good yet.")]
    count: Annotated[
        int, Meta(description="How many messages too few or too many were booked, or how many it is about.")
    ]
    amount: Annotated[
        int,
        Meta(description="What was stated less what is booked, or what it is about, in minor units of the currency."),
    ] = 0
    sequences: Annotated[list[tuple[int, int]], Meta(description="Ranges of numbers, first and last.")] = []
    messages: Annotated[list[Message], Meta(description="The messages that it is about.")] = []


class FeedDay(Answer, frozen=True, kw_only=True):
    """What a feed sent for a day in a currency, and where it is; day and currency None: of messages that do not say.

    ``refused`` are the messages that were dismissed from quarantine, and those that waited and were refused at last.
    ``doubled`` are the deliveries of what was in the books already.
    """

    feed: Annotated[str, Meta(description="The source whose messages are counted.")]
    day: Annotated[
        date | None, Meta(description="The accounting date that the messages ask for; null: they do not say.")
    ]
    currency: Annotated[str | None, Meta(description="ISO 4217 code; null: the messages do not say.")]
    stated: Annotated[Stated | None, Meta(description="What the producer says that it sent; null: nothing.")]
    booked: Annotated[Sums, Meta(description="What is in the books.")]
    waiting: Annotated[Sums, Meta(description="What waits for a document.")]
    quarantined: Annotated[Sums, Meta(description="What stands in quarantine.")]
    parked: Annotated[Sums, Meta(description="What is kept behind a message in quarantine.")]
    refused: Annotated[Sums, Meta(description="What was dismissed, or refused after it had waited.")]
    doubled: Annotated[Sums, Meta(description="Deliveries of what was in the books already.")]
    breaks: Annotated[list[Break], Meta(description="The differences.")]

    @property
    def open(self) -> bool:
        """Whether any of its breaks is open."""
        return any(found.open for found in self.breaks)


class Dso(Answer, frozen=True, kw_only=True):
    """Days sales outstanding 应收账款周转天数 of a customer account, or of all in a currency (``customer`` None).

    ``receivable`` is what debit items have open, ``overdue`` the part of it past its due day, ``sales`` the credit sales
    of the last ``days`` days. The rest are days, as decimal text with one digit: ``dso`` = ``best_possible`` +
    ``delinquent`` before they are rounded; None where there were no sales. ``count_back`` is None where all sales there
    ever were do not come to the receivable; ``uncovered`` is what they leave. Explains ``receivable`` and ``overdue``.
    """

    customer: Annotated[str | None, Meta(description="The customer who pays; null: all of them.")]
    currency: CurrencyCode
    days: Annotated[int, Meta(description="How many days of sales are looked at.")]
    receivable: Annotated[int, Meta(description="What debit items have open, in minor units of the currency.")]
    overdue: Annotated[
        int, Meta(description="The part of it that is past its due day, in minor units of the currency.")
    ]
    sales: Annotated[int, Meta(description="Credit sales of the days, in minor units of the currency.")]
    dso: Annotated[str | None, Meta(description="Days sales outstanding, decimal text; null: there were no sales.")]
    best_possible: Annotated[
        str | None, Meta(description="What it would be if nothing were overdue, in days, decimal text.")
    ]
    delinquent: Annotated[str | None, Meta(description="What is overdue, in days of sales, decimal text.")]
    count_back: Annotated[
        str | None,
        Meta(description="Days by the count-back method, decimal text; null: sales do not come to the receivable."),
    ]
    uncovered: Annotated[
        int, Meta(description="What all sales leave of the receivable, in minor units of the currency.")
    ]
    explain: Explains

    @property
    def key(self) -> tuple[str, str]:
        """Its place in lists."""
        return self.customer or "", self.currency


class Payer(Answer, frozen=True, kw_only=True):
    """How a customer pays: ``amount`` of invoices was settled with payments, on average so many days after the date of
    the invoice (``days_to_pay``) and after the due day (``days_late``, negative before it); decimal text, one digit.
    """

    customer: CustomerId
    currency: CurrencyCode
    amount: Annotated[
        int, Meta(description="What of invoices was settled with payments, in minor units of the currency.")
    ]
    days_to_pay: Annotated[str, Meta(description="Days after the date of the invoice, on average, decimal text.")]
    days_late: Annotated[str, Meta(description="Days after the due day, on average, negative before it, decimal text.")]

    @property
    def key(self) -> tuple[str, str]:
        """Its place in lists."""
        return self.customer, self.currency


HoldReason = Literal["over_limit", "overdue"]


class Exposure(Answer, frozen=True, kw_only=True):
    """What a customer account is exposed for 信用敞口: ``open`` less ``unapplied`` = ``exposure``.

    ``limit`` None: none was set. ``headroom`` is the limit less the exposure, negative beyond it. ``overdue`` counts the
    days of the item that is longest overdue. ``hold`` is an answer, with its reasons; it blocks nothing. Explains
    ``open``, ``unapplied`` and ``exposure``.
    """

    customer: CustomerId
    currency: CurrencyCode
    limit: Annotated[
        int | None, Meta(description="What the customer may owe, in minor units of the currency; null: any amount.")
    ]
    open: Annotated[int, Meta(description="What debit items have open, in minor units of the currency.")]
    unapplied: Annotated[
        int, Meta(description="What credit items have open, positive, in minor units of the currency.")
    ]
    exposure: Annotated[int, Meta(description="open less unapplied, in minor units of the currency.")]
    headroom: Annotated[
        int | None,
        Meta(description="limit less exposure, negative beyond it, in minor units of the currency; null: no limit."),
    ]
    overdue: Annotated[int, Meta(description="Days past due of the item that is longest overdue.")]
    hold: Annotated[bool, Meta(description="Whether to hold deliveries; it blocks nothing.")]
    reasons: Annotated[list[HoldReason], Meta(description="Why to hold them.")]
    explain: Explains

    @property
    def key(self) -> tuple[str, str]:
        """Its place in lists."""
        return self.customer, self.currency


class Unusual(Answer, frozen=True, kw_only=True):
    """Something to look at, with its evidence: the documents and the events that make it up, the weightiest first.

    ``credit_balance``: ``amount`` is what the customer has in credit, negative. ``jump``: ``amount`` is how much the
    balance changed in the month, ``usual`` the median of what it had changed, rounded.
    ``flag``: ``flags`` says what is odd about an event, ``amount`` is that of its voucher.
    """

    kind: Annotated[Literal["credit_balance", "jump", "flag"], Meta(description="What is unusual.")]
    customer: CustomerId
    currency: CurrencyCode
    amount: Annotated[
        int, Meta(description="The credit, the change, or the voucher's amount, in minor units of the currency.")
    ]
    effective_on: EffectiveOn
    usual: Annotated[int | None, Meta(description="Of a jump: the median change, in minor units of the currency.")] = (
        None
    )
    flags: Annotated[list[str], Meta(description="What is odd about the event.")] = []
    documents: Annotated[list[str], Meta(description="The documents behind it, the weightiest first.")]
    events: Annotated[list[str], Meta(description="The events behind it, the weightiest first.")]


class Change(Answer, frozen=True, kw_only=True):
    """What a statement did not know: an event's net effect on what the customer owes.

    ``prior``: it belongs to the days of that statement; the others are later. Explains ``amount``.
    """

    prior: Annotated[bool, Meta(description="Whether it belongs to the days of the statement.")]
    effective_on: EffectiveOn
    recorded_at: RecordedAt
    position: Position
    event: EventId
    kind: EventKind
    document: DocumentId | None
    amount: Annotated[
        int, Meta(description="What more is owed by it, negative for less, in minor units of the currency.")
    ]
    explain: Explains


class Changes(Answer, frozen=True, kw_only=True):
    """What changed since a statement, of the day ``on`` as known at ``since``: ``before`` + Σ changes = ``after``.

    ``before`` is that statement's closing, ``after`` the closing at ``effective_on`` and ``position`` (identity 11).
    Explains both.
    """

    book: BookId
    customer: CustomerId
    currency: CurrencyCode
    on: Annotated[date, Meta(description="The statement's day.")]
    since: Annotated[str, Meta(description="The log's position at which the statement was made, such as 0:123.")]
    effective_on: Annotated[date | None, Meta(description="The day that was asked for; null: every day.")]
    position: KnownAt
    before: Annotated[int, Meta(description="The statement's closing, in minor units of the currency.")]
    changes: Annotated[list[Change], Meta(description="What the statement did not know.")]
    after: Annotated[int, Meta(description="The closing now, in minor units of the currency.")]
    explain: Explains
