"""What the reader answers: frozen records that turn into JSON as they are (``msgspec.json.encode``).

Amounts are integer minor units of the record's currency, base amounts of the book's base currency; positions are
opaque tokens (``"0:123"``); dates are days of the book's calendar, instants are UTC.

Every amount explains itself: ``explain`` maps the name of an amount to the selector that ``Reader.explain`` takes
(``projections/selectors.py``). The base amount beside an amount (``base_open`` beside ``open``) has the same selector.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal, NamedTuple

import msgspec

from domain.events import AllowanceLine, AllowanceMatrix, Posting, RevaluationLine, Side


class AsOf(NamedTuple):
    """The two clocks: effective as of a day (None: every day), known as of a log position (None: all followed)."""

    effective_on: date | None = None
    position: int | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A record of an answer."""


class Balance(Answer, frozen=True, kw_only=True):
    """What one customer has on one control account: ``amount`` is debit less credit. Explains ``amount``."""

    customer: str
    currency: str
    role: str
    account: str
    amount: int
    base_amount: int
    explain: dict[str, str]


class OpenItem(Answer, frozen=True, kw_only=True):
    """An item 未清项 and what it has open; both amounts are positive on the item's own side.

    ``amount`` is what it was opened with. ``overdue`` counts days from ``due_on`` to the day asked for, negative before
    it; None where no day was asked for. Credit items fall due on the day they take effect. Explains ``amount`` and
    ``open``.
    """

    item: str
    document: str
    instalment: int
    side: Side
    customer: str
    currency: str
    role: str
    account: str
    dimensions: dict[str, str]
    due_on: date
    effective_on: date
    amount: int
    base_amount: int
    open: int
    base_open: int
    overdue: int | None
    explain: dict[str, str]


class Bucket(Answer, frozen=True, kw_only=True):
    """Debit items overdue by ``from_days`` to ``to_days`` days (None: or more). Explains ``amount``."""

    from_days: int
    to_days: int | None
    amount: int
    explain: dict[str, str]


class AgeingRow(Answer, frozen=True, kw_only=True):
    """Ageing 账龄 of a customer account, or of all in a currency (``customer`` None).

    Identity 12: ``not_due`` + Σ ``buckets`` − ``unapplied`` = ``net``. ``unapplied`` is what all credit items have open
    (prepayments, credit notes, deposits). Explains ``not_due``, ``unapplied`` and ``net``.
    """

    customer: str | None
    currency: str
    not_due: int
    buckets: list[Bucket]
    unapplied: int
    net: int
    base_net: int
    explain: dict[str, str]


class Movement(Answer, frozen=True, kw_only=True):
    """A line of a statement: an event's net effect on what the customer owes. Explains ``amount`` and ``running``."""

    effective_on: date
    position: str
    event: str
    kind: str
    document: str | None
    amount: int
    running: int
    explain: dict[str, str]


class Statement(Answer, frozen=True, kw_only=True):
    """A customer account's statement 对账单 over all of its control accounts, from ``from_on`` to ``effective_on``.

    ``opening`` + Σ movements = ``closing`` (identity 11). Made again from the same days and ``position`` it is the same.
    ``from_on`` None: from the beginning. Explains ``opening`` and ``closing``.
    """

    book: str
    customer: str
    currency: str
    from_on: date | None
    effective_on: date | None
    position: str
    opening: int
    movements: list[Movement]
    closing: int
    explain: dict[str, str]


class JournalEntry(Answer, frozen=True, kw_only=True):
    """An event's postings 凭证. Events that one command booked share ``voucher``, the position of its last event.

    ``customer`` is None for a voucher of the book as a whole.
    """

    position: str
    voucher: str
    event: str
    kind: str
    recorded_at: datetime
    effective_on: date
    requested_effective_on: date | None
    customer: str | None
    currency: str
    document: str | None
    caused_by: str | None
    source: str
    source_id: str
    actor: str
    reason: str | None
    postings: list[Posting]


class TrialBalanceRow(Answer, frozen=True, kw_only=True):
    """科目余额 of an account by currency and dimensions: debit less credit, and turnover of both sides.

    ``opening`` + ``debit`` − ``credit`` = ``closing``. A reversal is a negative amount on its own side. Explains
    ``opening``, ``debit``, ``credit`` and ``closing``.
    """

    account: str
    currency: str
    dimensions: dict[str, str]
    opening: int
    debit: int
    credit: int
    closing: int
    base_opening: int
    base_debit: int
    base_credit: int
    base_closing: int
    explain: dict[str, str]


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
    ``reverses`` from and to the reversed document itself, with the amount that it had.
    ``reverses`` from and to the reversed document itself, with the amount that it had; ``recognises`` likewise, with what
    of its deferred revenue was earned.
    """

    kind: LinkKind
    from_document: str
    from_item: str | None
    to_document: str
    to_item: str | None
    amount: int
    effective_on: date
    event: str
    position: str
    allocation: str | None


class DocumentRow(Answer, frozen=True, kw_only=True):
    """A document 单据 in one line. ``open`` is what its items have open, positive on their own side.

    ``status``: ``open``, ``partly`` (partly settled), ``settled`` (nothing open) or ``reversed``.
    """

    document: str
    kind: str
    customer: str
    currency: str
    effective_on: date
    amount: int
    base_amount: int
    open: int
    base_open: int
    status: Literal["open", "partly", "settled", "reversed"]
    event: str
    position: str
    reversed_on: date | None
    reversed_by: str | None


class DocumentView(Answer, frozen=True, kw_only=True):
    """A document with its own facts, its items, its links both ways and the events that concern it, in log order."""

    row: DocumentRow
    items: list[OpenItem]
    links: list[Link]
    history: list["AuditRow"]


class Approved(Answer, frozen=True, kw_only=True):
    """The approval of an event: which request, who gave it and when; the event's own actor is the maker."""

    request: str
    by: str
    at: datetime
    reason: str | None


class AuditRow(Answer, frozen=True, kw_only=True):
    """审计轨迹: who booked an event, when, why, and from which message.

    ``origin`` is that of the receipt (file digest and lines, topic:partition:offset, request id).
    """

    position: str
    event: str
    kind: str
    recorded_at: datetime
    effective_on: date | None
    requested_effective_on: date | None
    customer: str | None
    currency: str | None
    document: str | None
    caused_by: str | None
    actor: str
    reason: str | None
    source: str
    source_id: str
    origin: str | None
    approved: Approved | None


class ExplainedPosting(Answer, frozen=True, kw_only=True):
    """A posting behind a number: ``contribution`` is what it adds to it, ``base_contribution`` to its base amount."""

    position: str
    event: str
    kind: str
    recorded_at: datetime
    effective_on: date
    customer: str | None
    currency: str
    document: str | None
    actor: str
    source: str
    source_id: str
    origin: str | None
    posting: Posting
    contribution: int
    base_contribution: int


class Explanation(Answer, frozen=True, kw_only=True):
    """A number and every posting behind it, in log order, read from the log as they are asked for.

    ``amount`` and ``base_amount`` come from the projections, ``postings`` from the log: that their contributions sum to
    the amounts is the tie-out. ``currency`` is that of ``amount``. ``postings`` can be walked once, while the reader is
    open.
    """

    selector: str
    currency: str
    amount: int
    base_amount: int
    postings: Iterator[ExplainedPosting]


class AllowanceAnswer(Answer, frozen=True, kw_only=True):
    """What a provision matrix requires on a day, and what the allowance has; all but line amounts in base currency.

    ``book_version``: the book's at ``position``, as of which this is known. ``difference`` = ``required`` − ``before``.
    """

    effective_on: date
    position: str
    book_version: int
    matrix: AllowanceMatrix
    lines: list[AllowanceLine]
    required: int
    before: int
    difference: int


class SupersededRate(Answer, frozen=True, kw_only=True):
    """What a source had said before."""

    rate: str
    position: str


class RateRow(Answer, frozen=True, kw_only=True):
    """What a source said last of a currency for the latest day up to the one asked for; and what it had said before."""

    rate_source: str
    currency: str
    day: date
    rate: str
    position: str
    superseded: list[SupersededRate]


class RevaluationAnswer(Answer, frozen=True, kw_only=True):
    """What open foreign items are worth at the rates of a day. ``missing``: currencies without a rate.

    ``book_version``: the book's at ``position``, as of which this is known.
    """

    effective_on: date
    position: str
    book_version: int
    rate_source: str
    lines: list[RevaluationLine]
    missing: list[str]
    difference: int


class ClosingFinding(Answer, frozen=True, kw_only=True):
    """One point of a closing list: whether it holds, and how many findings speak against it."""

    check: str
    holds: bool
    found: int


class PeriodRow(Answer, frozen=True, kw_only=True):
    """A period: open, closed, or reopened after it was closed; who did that last, when and why.

    ``accepted``: points of the closing list that did not hold and were accepted.
    """

    period: str
    first_on: date
    last_on: date
    status: str
    actor: str | None = None
    reason: str | None = None
    position: str | None = None
    recorded_at: datetime | None = None
    accepted: list[str] = []


class SmallDifference(Answer, frozen=True, kw_only=True):
    """A posting for a small difference, debit positive: why, of which item, and the payment that it is linked to.

    ``document``: the adjustment, or the payment that it was deducted from; of a reversal the document that it undoes.
    ``reason_code`` is that of the adjustment, else the role. ``event`` explains it.
    """

    customer: str
    currency: str
    reason_code: str
    role: str
    account: str
    period: str
    effective_on: date
    kind: str
    document: str | None
    item: str | None
    linked_to: str | None
    amount: int
    base_amount: int
    event: str
    position: str


class MovedFact(Answer, frozen=True, kw_only=True):
    """What belongs to a prior period: asked for a day that was closed, booked on the first open one.

    ``amount``: of its voucher, in minor units, negative for a reversal.
    """

    period: str
    requested_effective_on: date
    effective_on: date
    customer: str
    currency: str
    kind: str
    document: str
    amount: int
    event: str
    position: str


class ControlRow(Answer, frozen=True, kw_only=True):
    """Subledger = control (identity 2) for one control account: ``items`` − ``postings`` must be zero, in base too."""

    account: str
    currency: str
    dimensions: dict[str, str]
    items: int
    postings: int
    base_items: int
    base_postings: int

    @property
    def holds(self) -> bool:
        """Whether both sides agree, in amount and in base amount."""
        return self.items == self.postings and self.base_items == self.base_postings


class DeferredMonth(Answer, frozen=True, kw_only=True):
    """Deferred revenue of one currency in one month: what documents deferred and what was recognised, credit less debit.

    ``account``: what the accounts of deferred revenue have at the end of the month; it must be ``closing``, in base too.
    """

    period: str
    currency: str
    opening: int
    deferred: int
    recognised: int
    closing: int
    account: int
    base_opening: int
    base_deferred: int
    base_recognised: int
    base_closing: int
    base_account: int

    @property
    def holds(self) -> bool:
        """Whether the schedules agree with the accounts, in amount and in base amount."""
        return self.closing == self.account and self.base_closing == self.base_account


class DueRecognition(Answer, frozen=True, kw_only=True):
    """What of a document's deferred revenue is earned and not recognised yet; negative for a credit note's."""

    customer: str
    currency: str
    document: str
    amount: int
    base_amount: int


class Difference(Answer, frozen=True, kw_only=True):
    """A stored row that replay does not confirm. ``stored`` is None where it is missing, ``replayed`` where it is too much.

    ``column`` is None when the whole row is missing or too much.
    """

    table: str
    key: dict[str, str | int]
    column: str | None
    stored: str | int | None
    replayed: str | int | None


class ReplayReport(Answer, frozen=True, kw_only=True):
    """What a replay found: ``rows`` compared by table, how many ``differences``, and the first of them by name."""

    position: str
    events: int
    rows: dict[str, int]
    differences: int
    first: list[Difference]

    @property
    def identical(self) -> bool:
        """Whether the stored projections are what the log says."""
        return self.differences == 0


class Sums(Answer, frozen=True, kw_only=True):
    """How many messages there are, and the sum of their documents' amounts, as far as those could be read."""

    count: int = 0
    amount: int = 0


class Message(Answer, frozen=True, kw_only=True):
    """A message of a feed, and where it stands.

    ``position`` is its log position if it is in the log, ``first`` of a double the origin of its first delivery,
    ``quarantine`` its entry there, ``code`` why it is not in the books. What could not be read is None.
    """

    status: Literal["booked", "waiting", "quarantined", "dismissed", "refused", "parked", "doubled"]
    source: str
    source_id: str | None
    sequence: int | None = None
    day: date | None = None
    currency: str | None = None
    amount: int | None = None
    document: str | None = None
    origin: str | None = None
    first: str | None = None
    position: str | None = None
    quarantine: int | None = None
    code: str | None = None


class Stated(Answer, frozen=True, kw_only=True):
    """Control totals 控制总数 as a feed's producer states them, and who said so, at which log position."""

    count: int
    amount: int
    highest: int | None
    source: str
    source_id: str
    position: str


BreakType = Literal["missing", "excess", "amount_differs", "sequence_gap", "late", "conflicting", "duplicate"]


class Break(Answer, frozen=True, kw_only=True):
    """A difference 差异 between what was sent and what is in the books; closed once it is made good.

    ``count`` and ``amount``: of *missing*, *excess* and *amount_differs* what was stated less what is booked; of the others of
    the numbers or messages that it is about. ``sequences``: ranges of numbers, first and last.
    """

    type: BreakType
    open: bool
    count: int
    amount: int = 0
    sequences: list[tuple[int, int]] = []
    messages: list[Message] = []


class FeedDay(Answer, frozen=True, kw_only=True):
    """What a feed sent for a day in a currency, and where it is; day and currency None: of messages that do not say.

    ``refused`` are the messages that were dismissed from quarantine, and those that waited and were refused at last.
    ``doubled`` are the deliveries of what was in the books already.
    """

    feed: str
    day: date | None
    currency: str | None
    stated: Stated | None
    booked: Sums
    waiting: Sums
    quarantined: Sums
    parked: Sums
    refused: Sums
    doubled: Sums
    breaks: list[Break]

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

    customer: str | None
    currency: str
    days: int
    receivable: int
    overdue: int
    sales: int
    dso: str | None
    best_possible: str | None
    delinquent: str | None
    count_back: str | None
    uncovered: int
    explain: dict[str, str]


class Payer(Answer, frozen=True, kw_only=True):
    """How a customer pays: ``amount`` of invoices was settled with payments, on average so many days after the date of
    the invoice (``days_to_pay``) and after the due day (``days_late``, negative before it); decimal text, one digit.
    """

    customer: str
    currency: str
    amount: int
    days_to_pay: str
    days_late: str


HoldReason = Literal["over_limit", "overdue"]


class Exposure(Answer, frozen=True, kw_only=True):
    """What a customer account is exposed for 信用敞口: ``open`` less ``unapplied`` = ``exposure``.

    ``limit`` None: none was set. ``headroom`` is the limit less the exposure, negative beyond it. ``overdue`` counts the
    days of the item that is longest overdue. ``hold`` is an answer, with its reasons; it blocks nothing. Explains
    ``open``, ``unapplied`` and ``exposure``.
    """

    customer: str
    currency: str
    limit: int | None
    open: int
    unapplied: int
    exposure: int
    headroom: int | None
    overdue: int
    hold: bool
    reasons: list[HoldReason]
    explain: dict[str, str]


class Unusual(Answer, frozen=True, kw_only=True):
    """Something to look at, with its evidence: the documents and the events that make it up, the weightiest first.

    ``credit_balance``: ``amount`` is what the customer has in credit, negative. ``jump``: ``amount`` is how much the
    balance changed in the month, ``usual`` the median of what it had changed, rounded.
    ``flag``: ``flags`` says what is odd about an event, ``amount`` is that of its voucher.
    """

    kind: Literal["credit_balance", "jump", "flag"]
    customer: str
    currency: str
    amount: int
    effective_on: date
    usual: int | None = None
    flags: list[str] = []
    documents: list[str]
    events: list[str]


class Change(Answer, frozen=True, kw_only=True):
    """What a statement did not know: an event's net effect on what the customer owes.

    ``prior``: it belongs to the days of that statement; the others are later. Explains ``amount``.
    """

    prior: bool
    effective_on: date
    recorded_at: datetime
    position: str
    event: str
    kind: str
    document: str | None
    amount: int
    explain: dict[str, str]


class Changes(Answer, frozen=True, kw_only=True):
    """What changed since a statement, of the day ``on`` as known at ``since``: ``before`` + Σ changes = ``after``.

    ``before`` is that statement's closing, ``after`` the closing at ``effective_on`` and ``position`` (identity 11).
    Explains both.
    """

    book: str
    customer: str
    currency: str
    on: date
    since: str
    effective_on: date | None
    position: str
    before: int
    changes: list[Change]
    after: int
    explain: dict[str, str]
