"""Random histories of a book, and the identities of the domain after every step of one.

All commands, what needs an approval asked for and decided, three currencies with 0, 2 and 3 decimals, periods closing and
opening, dates in any order.

1: each event sums to zero, in amount and base. 2: per control account and dimensions, open items are what the postings
say, as of any day and as known at any position. 3: no item is ever below zero, or above what it began with. 4: nothing
open means no base left. 5: a payment is open, allocated, refunded, adjusted or reversed. 6: an event and its reversal
net to nothing. 9: nothing is recorded into a closed period, and what is moved names where it belonged. What the order of
facts changes (8) is in tests/domain/test_order.py; what a store adds (7, 10, 11, 12) in ``stored_histories``.
"""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import msgspec
from given import (
    BOOK,
    ENTRIES,
    Books,
    adjustment,
    allocate,
    approve,
    authorities,
    close,
    credit_note,
    disapprove,
    dismiss,
    invoice,
    limit,
    matrix,
    payment,
    policies,
    post_allowance,
    recognise,
    recover,
    refund,
    reinstated,
    reject,
    release,
    relieve,
    reopen,
    request,
    resettle,
    returned,
    revalue,
    reverse,
    round_off,
    terms,
    transfer,
    write_off,
)
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.account import Account, AccountState, evolve, from_snapshot, payload, snapshot
from domain.allocation import POLICIES
from domain.authority import SENSITIVE
from domain.commands import ChangePostingTemplate, Command, StateControlTotals, StateRates
from domain.documents import document_id, document_of, parse_document
from domain.events import (
    FLAGS,
    AdjustmentPosted,
    Allocated,
    AllocationReleased,
    AllowancePosted,
    CreditNoteIssued,
    DocumentReversed,
    Event,
    InvoiceIssued,
    ItemTransferredIn,
    ItemTransferredOut,
    PaymentReceived,
    PaymentReinstated,
    PaymentReturned,
    PeriodClosed,
    PeriodReopened,
    RefundPaid,
    RevaluationPosted,
    RevenueRecognised,
    VatReliefClaimed,
    Voucher,
    WriteOffRecovered,
    WrittenOff,
)
from domain.history import enters
from domain.items import OpenItem
from domain.money import LIMIT
from domain.refusals import Code, Refusal
from domain.template import ALLOWANCE, CLEARING, CONTROL_ROLES, DEFERRED_REVENUE, REVALUATION
from domain.waiting import deferred_command

FIRST = date(2024, 1, 1)
LAST = date(2024, 2, 29)
AMOUNT_CODES = {Code.REFUNDABLE, Code.FUNDED, Code.CREDIT_CAP, Code.DATE_PRECEDES_ITEM, Code.CREDITED_INVOICE}
"""What no fact may be refused for: what came before it."""


def signed(side: str, amount: int) -> int:
    return amount if side == "D" else -amount


class Checks:
    """What every step must leave true, computed from the log's postings alone and compared with the account's state."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.seen = 0
        self.closes: list[date] = []
        self.revalued = 0
        self.opened: dict[str, int] = {}
        self.by_item: dict[str, list[tuple[date, int, int]]] = defaultdict(list)

    def step(self, data: st.DataObject) -> None:
        for source in self.books.log[self.seen :]:
            self.closed(source.event)
            self.valued(source.event)
            if isinstance(source.event, Voucher):
                self.balanced(source.event)
                self.items(source.event)
        self.seen = len(self.books.log)
        for account in self.books.accounts.values():
            self.settled(account)
            self.indexed(account)
            self.round_trip(account)
            self.control(account, data)
        self.cleared()
        self.payments()
        self.deferred(data)
        self.reversals()

    def closed(self, event: Event) -> None:
        """Identity 9: no event is recorded into a period while it is closed."""
        if isinstance(event, PeriodClosed):
            self.closes.append(event.last_on)
        elif isinstance(event, PeriodReopened):
            assert self.closes.pop() == event.last_on
        elif isinstance(event, Voucher) and self.closes:
            assert event.effective_on > self.closes[-1], event

    def valued(self, event: Event) -> None:
        """What the book as a whole posts can be computed again from its evidence; a revaluation is taken back in full."""
        if isinstance(event, AllowancePosted):
            assert event.required == sum(line.required for line in event.lines)
            assert event.difference == event.required - event.before
            assert self.posted(event, ALLOWANCE) == -event.difference
        elif isinstance(event, RevaluationPosted):
            sign = -1 if event.mirrors is not None else 1
            assert self.posted(event, REVALUATION) == event.difference == sign * sum(n.difference for n in event.lines)
            self.revalued += event.difference
            assert event.mirrors is None or self.revalued == 0

    def posted(self, event: Voucher, role: str) -> int:
        return sum(signed(p.side, p.base_amount) for p in event.postings if p.role == role)

    def balanced(self, event: Voucher) -> None:
        """Identity 1; and only control accounts have items, always."""
        assert sum(signed(p.side, p.amount) for p in event.postings) == 0, event
        assert sum(signed(p.side, p.base_amount) for p in event.postings) == 0, event
        assert set(event.flags) <= set(FLAGS)
        for posting in event.postings:
            assert (posting.item is not None) == (posting.role in CONTROL_ROLES), posting
            assert posting.amount or posting.base_amount, posting
        expected = recomputed(event)
        if expected is not None:
            found: dict[str, int] = defaultdict(int)
            for posting in event.postings:
                if posting.item is None:
                    found["other"] += signed(posting.side, posting.amount)
                else:
                    found[posting.item] += signed(posting.side, posting.amount)
            assert {k: v for k, v in found.items() if v} == {k: v for k, v in expected.items() if v}, event

    def items(self, event: Voucher) -> None:
        """Identity 3: as of no day, and never along the log, has an item less than nothing or more than it began with."""
        touched: dict[str, str] = {}
        for posting in event.postings:
            if posting.item is None:
                continue
            if posting.item not in self.opened:
                self.opened[posting.item] = signed(posting.side, posting.amount)
            row = (event.effective_on, signed(posting.side, posting.amount), signed(posting.side, posting.base_amount))
            self.by_item[posting.item].append(row)
            touched[posting.item] = posting.side
        for item in touched:
            direction = 1 if self.opened[item] > 0 else -1
            running = 0
            by_day: dict[date, int] = defaultdict(int)
            for on, amount, _ in self.by_item[item]:
                by_day[on] += amount
            for on in sorted(by_day):
                running += by_day[on] * direction
                assert 0 <= running <= abs(self.opened[item]), (item, on, running, event)

    def settled(self, account: Account) -> None:
        """Identity 4, and the state holds exactly what is open."""
        mine = {item: rows for item, rows in self.by_item.items() if self.owner(item) == account.stream}
        for item, rows in mine.items():
            amount, base = sum(row[1] for row in rows), sum(row[2] for row in rows)
            state = account.items.get(item)
            if amount == 0:
                assert base == 0, (item, base)
                assert state is None, item
            else:
                assert state is not None, item
                assert (abs(amount), abs(base)) == (state.open, state.open_base), item
                assert base * amount >= 0, (item, amount, base)
        assert len(mine) >= len(account.items)

    def owner(self, item: str) -> str:
        return self.books.history(document_of(item)).stream

    def round_trip(self, account: Account) -> None:
        """A snapshot, through JSON, is the account."""
        stored = msgspec.json.encode(snapshot(account))
        again = from_snapshot(msgspec.json.decode(stored, type=AccountState))
        assert payload(again) == payload(account)
        names = ("items", "debits", "credits", "spendable", "awaiting", "version")
        for name in (*names, "terms", "terms_version", "credit_limit"):
            assert getattr(again, name) == getattr(account, name), name
        assert {k: set(v) for k, v in again.live.items()} == {k: set(v) for k, v in account.live.items()}
        assert {k: set(v) for k, v in again.waits.items()} == {k: set(v) for k, v in account.waits.items()}

    def indexed(self, account: Account) -> None:
        """What the account keeps in order is what its items say."""
        items = account.items.values()
        credit_items = [item for item in items if item.side == "C"]
        spendable = [item for item in credit_items if item.role == "unapplied" and account.unreserved(item)]
        assert list(account.debits) == sorted((i.due_on, i.effective_on, i.item) for i in items if i.side == "D")
        assert list(account.credits) == sorted((i.effective_on, i.item) for i in credit_items)
        assert list(account.spendable) == sorted((i.effective_on, i.item) for i in spendable)
        by_reference = {(reference, name) for reference, waiting in account.awaiting.items() for name, _ in waiting}
        assert by_reference == {(reference, name) for name, waits in account.waits.items() for reference, _ in waits}

    def control(self, account: Account, data: st.DataObject) -> None:
        """Identity 2 at a random (E, K): per control account and dimensions, open items are what the postings say."""
        on = data.draw(st.dates(FIRST, LAST), label="E")
        known = data.draw(st.integers(0, len(self.books.log)), label="K")
        then = Account(account.book, account.customer, account.currency)
        posted: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
        base_posted: dict[Any, int] = defaultdict(int)
        for source in self.books.log[:known]:
            if source.stream != account.stream or not isinstance(source.event, Voucher):
                continue
            evolve(then, source.event)
            for posting in source.event.postings:
                if posting.role in CONTROL_ROLES:
                    key = (posting.account, *sorted(posting.dimensions.items()))
                    base_posted[key] += signed(posting.side, posting.base_amount)
                    if source.event.effective_on <= on:
                        posted[key][0] += signed(posting.side, posting.amount)
        opened: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
        base_open: dict[Any, int] = defaultdict(int)
        for item in then.items.values():
            key = (item.account, *sorted(item.dimensions.items()))
            base_open[key] += signed(item.side, item.open_base)
            opened[key][0] += signed(item.side, as_of(item, on))
        # Settled items are not in the state; as of an earlier day they may be open: take those from the movements.
        settled_then: dict[str, list[tuple[str, Any, date, int]]] = defaultdict(list)
        for source in self.books.log[:known]:
            if source.stream == account.stream and isinstance(source.event, Voucher):
                for posting in source.event.postings:
                    if posting.item is not None and posting.item not in then.items:
                        key = (posting.account, *sorted(posting.dimensions.items()))
                        settled_then[posting.item].append(
                            (posting.item, key, source.event.effective_on, signed(posting.side, posting.amount))
                        )
        for rows in settled_then.values():
            assert len({key for _, key, _, _ in rows}) == 1, "an item's movements are all on its own account"
            assert sum(amount for _, _, _, amount in rows) == 0
            opened[rows[0][1]][0] += sum(amount for _, _, day, amount in rows if day <= on)
        assert {k: v for k, v in opened.items() if any(v)} == {k: v for k, v in posted.items() if any(v)}
        assert {k: v for k, v in base_open.items() if v} == {k: v for k, v in base_posted.items() if v}

    def cleared(self) -> None:
        """Identity 2, of transfers in flight: there are none, as of no day, with no dimensions."""
        left: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
        for source in self.books.log:
            for posting in source.event.postings if isinstance(source.event, Voucher) else ():
                if posting.role == CLEARING:
                    currency = source.stream.rpartition(":")[2]
                    key = (currency, source.event.effective_on, *sorted(posting.dimensions.items()))
                    left[key][0] += signed(posting.side, posting.amount)
                    left[key][1] += signed(posting.side, posting.base_amount)
        assert not any(any(sums) for sums in left.values()), left

    def payments(self) -> None:
        """Identity 5: a payment is open, allocated, refunded, returned, adjusted or reversed, and nothing else."""
        totals: dict[str, int] = {}
        used: dict[str, int] = defaultdict(int)
        refunds: dict[str, RefundPaid] = {}
        returns: dict[str, PaymentReturned | PaymentReinstated] = {}
        adjustments: dict[str, AdjustmentPosted] = {}
        reversed_: set[str] = set()
        for source in self.books.log:
            event = source.event
            if isinstance(event, PaymentReceived):
                totals[event.document] = event.amount
            elif isinstance(event, Allocated):
                for line in event.lines:
                    used[document_of(line.credit_item)] += line.amount
            elif isinstance(event, AllocationReleased):
                used[document_of(event.credit_item)] -= event.amount
            elif isinstance(event, RefundPaid):
                refunds[event.document] = event
            elif isinstance(event, (PaymentReturned, PaymentReinstated)):
                returns[event.document] = event
            elif isinstance(event, ItemTransferredOut):
                used[document_of(event.item)] += event.amount
            elif isinstance(event, AdjustmentPosted):
                adjustments[event.document] = event
            elif isinstance(event, DocumentReversed):
                reversed_.add(event.document)
        for refund_paid in refunds.values():
            if refund_paid.document not in reversed_:
                for part in refund_paid.funded_by:
                    used[document_of(part.item)] += part.amount
        for one in returns.values():
            if one.document not in reversed_:
                used[one.payment] += one.taken if isinstance(one, PaymentReturned) else -one.given
        for adjusted in adjustments.values():
            if adjusted.document not in reversed_:
                used[document_of(adjusted.item)] += adjusted.amount
        for document, amount in totals.items():
            back = amount if document in reversed_ else 0
            assert amount == self.books.open(f"{document}#1") + used[document] + back, document

    def deferred(self, data: st.DataObject) -> None:
        """What is recognised of each deferral is between nothing and all, as of any day; deferred revenue is what is left."""
        on = data.draw(st.dates(FIRST, LAST), label="deferred as of")
        held, schedules = [0, 0], [0, 0]
        whole: dict[tuple[str, int], int] = {}
        earned: dict[tuple[str, int], int] = defaultdict(int)
        for source in self.books.log:
            event = source.event
            if not isinstance(event, Voucher) or event.effective_on > on:
                continue
            for posting in event.postings:
                if posting.role == DEFERRED_REVENUE:
                    held[0] -= signed(posting.side, posting.amount)
                    held[1] -= signed(posting.side, posting.base_amount)
            if isinstance(event, (InvoiceIssued, CreditNoteIssued)):
                sign = 1 if isinstance(event, InvoiceIssued) else -1
                for n, deferral in enumerate(event.deferrals, 1):
                    whole[event.document, n] = sign * deferral.amount
                    schedules[0] += sign * deferral.amount
                    schedules[1] += sign * deferral.base_amount
            elif isinstance(event, RevenueRecognised):
                assert event.amount == sum(part.amount for part in event.parts)
                assert event.base_amount == sum(part.base_amount for part in event.parts)
                schedules[0] -= event.amount
                schedules[1] -= event.base_amount
                for part in event.parts:
                    earned[event.document, part.deferral] += part.amount
            elif isinstance(event, DocumentReversed):
                own = self.books.history(event.document).own
                if isinstance(own, (InvoiceIssued, CreditNoteIssued)):
                    sign = 1 if isinstance(own, InvoiceIssued) else -1
                    schedules[0] -= sign * sum(deferral.amount for deferral in own.deferrals)
                    schedules[1] -= sign * sum(deferral.base_amount for deferral in own.deferrals)
                    assert not any(earned[own.document, n] for n in range(1, len(own.deferrals) + 1))
        assert held == schedules
        for key, amount in earned.items():
            assert min(0, whole[key]) <= amount <= max(0, whole[key]), (key, amount)

    def reversals(self) -> None:
        """Identity 6, first half: an event and its reversal in error net to nothing as of every day, on the same days."""
        by_id = {source.event_id: source.event for source in self.books.log}
        for source in self.books.log:
            event = source.event
            if isinstance(event, DocumentReversed):
                undone = by_id[event.event]
                assert isinstance(undone, Voucher)
                assert event.document == enters(undone)
                pairs = list(zip(undone.postings, event.postings, strict=True))
                assert all((a.account, a.side, a.item) == (b.account, b.side, b.item) for a, b in pairs)
                assert all((a.amount, a.base_amount) == (-b.amount, -b.base_amount) for a, b in pairs)
                assert event.effective_on >= undone.effective_on


def as_of(item: OpenItem, on: date) -> int:
    return sum(amount for day, amount in item.movements if day <= on)


def recomputed(event: Voucher) -> dict[str, int] | None:
    """An event's amounts by item, and all others together, from its own fields (debit positive)."""
    if isinstance(event, InvoiceIssued):
        parts = {f"{event.document}#{n}": i.amount for n, i in enumerate(event.instalments, 1)}
        return parts | {"other": -event.total}
    if isinstance(event, CreditNoteIssued):
        return {f"{event.document}#1": -event.total, "other": event.total}
    if isinstance(event, PaymentReceived):
        return {f"{event.document}#1": -event.amount, "other": event.amount}
    if isinstance(event, RefundPaid):
        parts = {part.item: part.amount for part in event.funded_by}
        assert event.excess + sum(parts.values()) == event.amount
        return parts | {f"{event.document}#1": event.excess, "other": -event.amount}
    if isinstance(event, Allocated):
        found: dict[str, int] = defaultdict(int)
        for line in event.lines:
            found[line.credit_item] += line.amount
            found[line.debit_item] -= line.amount
        return found
    if isinstance(event, AllocationReleased):
        return {event.credit_item: -event.amount, event.debit_item: event.amount}
    if isinstance(event, PaymentReturned):
        assert event.taken + event.excess == event.amount
        parts = {f"{event.payment}#1": event.taken, f"{event.document}#1": event.excess}
        return parts | {"other": -event.amount}
    if isinstance(event, PaymentReinstated):
        assert event.given + event.excess == event.amount
        parts = {f"{event.payment}#1": -event.given, f"{event.document}#1": -event.excess}
        return parts | {"other": event.amount}
    if isinstance(event, WrittenOff):
        assert event.amount == sum(line.amount for line in event.lines)
        return {line.item: -line.amount for line in event.lines} | {"other": event.amount}
    if isinstance(event, (ItemTransferredOut, ItemTransferredIn)):
        direction = sum(signed(p.side, p.amount) for p in event.postings if p.role == CLEARING)
        name = event.item if isinstance(event, ItemTransferredOut) else f"{event.document}#1"
        return {name: -direction, "other": direction}
    if isinstance(event, WriteOffRecovered):
        return {event.item: event.amount, "other": -event.amount}
    if isinstance(event, RevenueRecognised):
        return {"other": 0}
    if isinstance(event, VatReliefClaimed):
        return {}
    return None


RATES = ["7.1", "7.0823", "0.0045", "1", "123.456789"]
CUSTOMERS = ["C1", "C2", "~shop:2024-01"]
CURRENCIES = ["CNY", "JPY", "KWD"]
"""With two, no and three decimals."""
DATES = st.dates(FIRST, FIRST + timedelta(days=12)) | st.dates(FIRST, LAST)
AMOUNTS = st.integers(1, 60) | st.integers(1, 60) | st.integers(1, 60) | st.integers(1, 10**15)
PARTS = st.integers(1, 30)
LATER = st.integers(0, 12).map(timedelta)
MOSTLY = st.sampled_from([True] * 7 + [False])
DIMENSIONS = st.sampled_from([{}, {}, {"shop": "north"}, {"shop": "south"}])


LATE = ("return", "reinstatement", "write-off", "recovery", "transfer", "vat-relief")


def limited(alone: int | None) -> Command:
    """Authorities by which anybody pays back, gives up or undoes so much alone, and the boss approves the rest."""
    limits: list[dict[str, Any]] = [{"command": name, "alone": 0} for name in sorted(SENSITIVE)]
    for name in ("RecordRefund", "PostAdjustment", "WriteOff", "TransferItem", "ReverseDocument"):
        limits.append({"command": name, "alone": alone})
        limits.append({"command": name, "role": "checker", "approves": LIMIT})
    return authorities(roles={"boss": ["checker"]}, limits=[] if alone is None else limits)


class Histories(RuleBasedStateMachine):
    """Any commands in any order; what is refused changes nothing, what is booked keeps the identities."""

    @initialize(
        home=st.sampled_from([("C1", currency) for currency in CURRENCIES]),
        allocation=st.sampled_from(["oldest_due_first", "oldest_due_first", "proportional", "none"]),
        tolerance=st.sampled_from([{}, {"CNY": 20}]),
        late_facts=st.sampled_from(["move", "move", "refuse"]),
        recognition=st.sampled_from(["day", "month"]),
        alone=st.sampled_from([None, None, 20]),
    )
    def open_book(
        self,
        home: tuple[str, str],
        allocation: str,
        tolerance: dict[str, int],
        late_facts: str,
        recognition: str,
        alone: int | None,
    ) -> None:
        self.home = home
        policies = {"allocation": allocation, "tolerances": tolerance, "late_facts": late_facts}
        self.books = self.opened(first_on=FIRST, recognition=recognition, **policies)
        self.books.booked(limited(alone))
        self.checks = Checks(self.books)
        kinds = ("invoice", "credit-note", "payment", "refund", "return")
        kinds += ("reinstatement", "adjustment", "write-off", "recovery", "transfer", "vat-relief")
        self.numbers = dict.fromkeys(kinds, 0)
        self.entered: dict[str, list[str]] = {kind: [] for kind in self.numbers}
        self.owners: dict[str, tuple[str, str]] = {}
        self.known: set[str] = set()

    def opened(self, **settings: Any) -> Books:
        """The books that the history is of."""
        return Books(**settings)

    # --- what a command may name

    def place(self, data: st.DataObject, document: str | None = None) -> dict[str, Any]:
        """An account: mostly that of a document or the one at home, sometimes any."""
        customer, currency = self.owners.get(document or "", self.home)
        if not data.draw(MOSTLY, label="at home"):
            customer = data.draw(st.sampled_from(CUSTOMERS), label="customer")
            currency = data.draw(st.sampled_from(CURRENCIES), label="currency")
        return {"customer": customer, "currency": currency}

    def worth(self, data: st.DataObject, place: dict[str, Any]) -> dict[str, Any]:
        """Rate or base amount of a document."""
        if place["currency"] == "CNY":
            return {}
        if data.draw(st.booleans(), label="by rate"):
            return {"rate": data.draw(st.sampled_from(RATES), label="rate")}
        return {"base_total": data.draw(st.integers(0, 500), label="base")}

    def document(self, data: st.DataObject, *kinds: str) -> str:
        """A document that was entered, or one that may be entered yet."""
        known = [document for kind in kinds for document in self.entered[kind]]
        if known and data.draw(MOSTLY, label="known"):
            return data.draw(st.sampled_from(known), label="document")
        kind = data.draw(st.sampled_from(kinds), label="kind")
        return document_id(kind, "", str(self.numbers[kind] + data.draw(st.integers(1, 2), label="ahead")), 1)

    def new(self, data: st.DataObject, kind: str) -> tuple[str, int]:
        """A number and revision: the next number, or the next revision of what was reversed."""
        again = [d for d in self.entered[kind] if self.books.history(d).reversed]
        if again and data.draw(st.booleans(), label="revise"):
            key = parse_document(data.draw(st.sampled_from(again), label="revised"))
            return key.number, key.revision + 1
        self.numbers[kind] += 1
        return str(self.numbers[kind]), 1

    def account(self, data: st.DataObject) -> Account:
        """An account, mostly the one at home."""
        home = self.books.account(*self.home)
        accounts = list(self.books.accounts.values())
        return home if data.draw(MOSTLY, label="at home") else data.draw(st.sampled_from(accounts), label="account")

    def items(self, account: Account, side: str) -> list[str]:
        return sorted(name for name, item in account.items.items() if item.side == side)

    def some_item(self, data: st.DataObject) -> tuple[str, date, dict[str, Any]]:
        """An open item, mostly on a day on which there is room, and its account."""
        account = self.account(data)
        items = sorted(account.items)
        item = data.draw(st.sampled_from(items), label="item") if items else "invoice::1:1#1"
        on = data.draw(DATES, label="on")
        if items and data.draw(MOSTLY, label="in time"):
            on = account.items[item].movements[-1][0] + data.draw(LATER, label="later")
        return item, on, self.place(data, document_of(item))

    def written_off(self, data: st.DataObject) -> tuple[str, str, date, dict[str, Any]]:
        """A write-off and an item of it, a day after it, and its account."""
        of = self.document(data, "write-off")
        own = self.books.history(of).own
        item, on = "invoice::1:1#1", data.draw(DATES, label="on")
        if isinstance(own, WrittenOff):
            item = data.draw(st.sampled_from([line.item for line in own.lines]), label="item")
            on = own.effective_on + data.draw(LATER, label="later")
        return of, item, on, self.place(data, of)

    def send(self, data: st.DataObject, command: Command, entering: str | None = None) -> None:
        if entering is not None and entering in self.known:
            return  # the ledger answers a known number, waiting ones too, before the domain is asked
        before = {stream: payload(account) for stream, account in self.books.accounts.items()}
        length = len(self.books.log)
        open_from = self.books.book.open_from
        asked = getattr(command, "effective_on", None)
        outcome = self.books.when(command)
        if isinstance(outcome, Refusal):
            assert len(self.books.log) == length
            assert {s: payload(a) for s, a in self.books.accounts.items() if s in before} == before
            if getattr(command, "nature", "instruction") == "fact":
                assert outcome.code not in AMOUNT_CODES, outcome
        elif entering is not None:
            self.known.add(entering)
        for event in outcome if isinstance(outcome, list) else ():
            if isinstance(event, Voucher) and event.source_id == command.source_id and event.caused_by is None:
                moved = asked is not None and asked < open_from
                assert not moved or event.requested_effective_on == asked, "what is moved names where it belonged"
            document = enters(event)
            if document is not None:
                self.entered[parse_document(document).kind].append(document)
                stream = self.books.history(document).stream
                account = self.books.accounts[stream]
                self.owners[document] = (account.customer, account.currency)
        self.checks.step(data)
        if isinstance(outcome, Refusal) and outcome.code is Code.APPROVAL:
            self.ask(data, command, entering)

    def ask(self, data: st.DataObject, command: Any, entering: str | None) -> None:
        """What its maker may not do alone is asked for, and mostly approved by somebody else."""
        number = str(len(self.books.log))
        self.send(data, request(number, command))
        if data.draw(MOSTLY, label="approved"):
            by = "boss" if data.draw(MOSTLY, label="by another") else command.actor
            self.send(data, approve(number, by), entering)
        else:
            self.send(data, disapprove(number, "boss"))

    # --- one rule a command

    @rule(data=st.data(), total=AMOUNTS, on=DATES, dimensions=DIMENSIONS)
    def issue_invoice(self, data: st.DataObject, total: int, on: date, dimensions: dict[str, str]) -> None:
        place = self.place(data)
        number, revision = self.new(data, "invoice")
        parts = data.draw(st.lists(PARTS, max_size=3), label="instalments")
        if sum(parts) < total:
            parts.append(total - sum(parts))
        else:
            parts = [total]
        due = [data.draw(st.dates(FIRST, LAST), label="due") for _ in parts]
        tax = data.draw(st.integers(-5, 50), label="tax")
        discount = data.draw(st.integers(-100, 0), label="discount")
        lines = [{"net": total - tax - discount, "dimensions": {"goods": "a"}}, {"net": discount, "role": "fee"}]
        lines = [line | self.served(data) for line in lines]
        prepaid = data.draw(st.lists(st.booleans(), max_size=2), label="prepaid")
        more: dict[str, Any] = {
            "remittance": [self.paid(data, "payment", "credit-note", amount=some) for some in prepaid],
            "opening": data.draw(st.booleans(), label="opening"),
            "fiscal_number": None if data.draw(MOSTLY, label="not fiscal") else "F",
        }
        command = invoice(
            number,
            total,
            on,
            lines=lines,
            tax=[{"code": "VAT", "rate": "13", "base": total - tax, "amount": tax}],
            instalments=[{"due_on": d, "amount": p} for d, p in zip(due, parts, strict=True)],
            dimensions=dimensions,
            revision=revision,
            **place,
            **self.worth(data, place),
            **more,
        )
        self.send(data, command, document_id("invoice", "", number, revision))

    def served(self, data: st.DataObject) -> dict[str, Any]:
        """The service period of a line, if it has one."""
        if not data.draw(st.booleans(), label="served"):
            return {}
        first, last = sorted((data.draw(DATES, label="from"), data.draw(DATES, label="to")))
        if data.draw(st.booleans(), label="whole months"):
            first, last = FIRST, data.draw(st.sampled_from([date(2024, 1, 31), LAST]))
        return {"service_from": first, "service_to": last}

    @rule(data=st.data(), until=DATES)
    def recognise_revenue(self, data: st.DataObject, until: date) -> None:
        document = self.document(data, "invoice", "invoice", "credit-note")
        later = until + data.draw(LATER, label="later") if data.draw(st.booleans(), label="booked later") else None
        self.send(data, recognise(document, until, later, **self.place(data, document)))

    @rule(data=st.data(), on=DATES)
    def issue_zero_invoice(self, data: st.DataObject, on: date) -> None:
        place = self.place(data)
        number, revision = self.new(data, "invoice")
        lines = [{"net": 37, "dimensions": {"goods": "a"}}, {"net": -37, "dimensions": {"goods": "b"}}]
        rate = {} if place["currency"] == "CNY" else {"rate": data.draw(st.sampled_from(RATES))}
        command = invoice(number, 0, on, lines=lines, revision=revision, **place, **rate)
        self.send(data, command, document_id("invoice", "", number, revision))

    def paid(self, data: st.DataObject, *kinds: str, amount: bool) -> dict[str, Any]:
        key = parse_document(self.document(data, *kinds))
        part = {"amount": data.draw(AMOUNTS, label="of it")} if amount else {}
        return {"kind": key.kind, "number": key.number, **part}

    @rule(data=st.data(), amount=AMOUNTS, on=DATES, dimensions=DIMENSIONS)
    def record_payment(self, data: st.DataObject, amount: int, on: date, dimensions: dict[str, str]) -> None:
        place = self.place(data)
        number, revision = self.new(data, "payment")
        fee = data.draw(st.integers(0, min(amount, 5)), label="fee")
        paid = data.draw(st.lists(st.booleans(), max_size=2), label="remittance")
        classes = ["unapplied", "unapplied", "unapplied", "contract", "security", "unidentified"]
        command = payment(
            number,
            amount,
            on,
            remittance=[self.paid(data, "invoice", amount=some) for some in paid],
            deductions=[{"reason": "bank_charge", "amount": fee}] if fee else [],
            deposit_class=data.draw(st.sampled_from(classes), label="class"),
            opening=data.draw(st.booleans(), label="opening"),
            dimensions=dimensions,
            revision=revision,
            **place,
            **self.worth(data, place),
        )
        self.send(data, command, document_id("payment", "", number, revision))

    @rule(data=st.data(), total=AMOUNTS, on=DATES, fact=st.booleans())
    def issue_credit_note(self, data: st.DataObject, total: int, on: date, fact: bool) -> None:
        against = self.document(data, "invoice") if data.draw(st.booleans(), label="against") else None
        place = self.place(data, against)
        number, revision = self.new(data, "credit-note")
        command = credit_note(
            number,
            total,
            on,
            against,
            lines=[{"net": total} | self.served(data)],
            nature="fact" if fact else "instruction",
            revision=revision,
            **place,
            **self.worth(data, place),
        )
        self.send(data, command, document_id("credit-note", "", number, revision))

    @rule(data=st.data(), amount=AMOUNTS, on=DATES, fact=st.booleans())
    def record_refund(self, data: st.DataObject, amount: int, on: date, fact: bool) -> None:
        of = self.document(data, "payment") if data.draw(st.booleans(), label="of") else None
        place = self.place(data, of)
        number, revision = self.new(data, "refund")
        funding = []
        for _ in range(data.draw(st.sampled_from([0, 0, 0, 1, 2]), label="funded by")):
            item = f"{self.document(data, 'payment', 'credit-note', 'invoice')}#1"
            funding.append({"item": item, "amount": data.draw(AMOUNTS, label="from it")})
        command = refund(
            number,
            amount,
            on,
            of,
            nature="fact" if fact else "instruction",
            funded_by=funding,
            revision=revision,
            **place,
            **self.worth(data, place),
        )
        self.send(data, command, document_id("refund", "", number, revision))

    @rule(data=st.data(), amount=PARTS)
    def post_adjustment(self, data: st.DataObject, amount: int) -> None:
        item, on, place = self.some_item(data)
        number, revision = self.new(data, "adjustment")
        linked = {}
        if data.draw(st.booleans(), label="linked"):
            linked = {"linked_to": self.document(data, "payment", "invoice", "refund")}
        tax = data.draw(st.integers(0, amount), label="tax")
        command = adjustment(
            number,
            item,
            amount,
            on,
            data.draw(st.sampled_from(["small_balance", "bank_charge"]), label="reason"),
            tax=[{"code": "VAT", "rate": "13", "base": amount - tax, "amount": tax}] if tax else [],
            revision=revision,
            **place,
            **linked,
        )
        self.send(data, command, document_id("adjustment", "", number, revision))

    @rule(data=st.data())
    def round_off(self, data: st.DataObject) -> None:
        """Mostly what has little open: what has much is refused."""
        account = self.account(data)
        items = sorted(account.items.values(), key=lambda item: (item.open, item.item))
        item = items[0].item if items else "invoice::1:1#1"
        place = self.place(data, document_of(item))
        number, revision = self.new(data, "adjustment")
        on = items[0].movements[-1][0] if items else FIRST
        command = round_off(number, item, on, revision=revision, **place)
        self.send(data, command, document_id("adjustment", "", number, revision))

    @rule(data=st.data(), amount=AMOUNTS, on=DATES)
    def return_payment(self, data: st.DataObject, amount: int, on: date) -> None:
        of = self.document(data, "payment")
        place = self.place(data, of)
        number, revision = self.new(data, "return")
        links = sorted(self.books.history(of).allocations)
        command = returned(
            number,
            of,
            amount,
            on,
            data.draw(st.sampled_from(["returned", "chargeback"]), label="kind"),
            deductions=[{"reason": "bank_charge", "amount": 1}] if data.draw(st.booleans(), label="deduction") else [],
            fee=data.draw(st.integers(0, 3), label="fee"),
            allocations=data.draw(st.lists(st.sampled_from(links), max_size=1), label="first") if links else [],
            revision=revision,
            **place,
            **self.worth(data, place),
        )
        self.send(data, command, document_id("return", "", number, revision))

    @rule(data=st.data(), amount=AMOUNTS, fact=st.booleans())
    def reinstate_payment(self, data: st.DataObject, amount: int, fact: bool) -> None:
        of = self.document(data, "return")
        own = self.books.history(of).own
        on = own.effective_on + data.draw(LATER, label="later") if own is not None else data.draw(DATES, label="on")
        place = self.place(data, of)
        number, revision = self.new(data, "reinstatement")
        command = reinstated(
            number,
            of,
            amount,
            on,
            nature="fact" if fact else "instruction",
            fee=data.draw(st.integers(0, 3), label="fee"),
            revision=revision,
            **place,
            **self.worth(data, place),
        )
        self.send(data, command, document_id("reinstatement", "", number, revision))

    @rule(data=st.data())
    def write_off_items(self, data: st.DataObject) -> None:
        account = self.account(data)
        items = sorted(account.items)
        chosen = data.draw(st.lists(st.sampled_from(items), min_size=1, max_size=2, unique=True)) if items else []
        on = data.draw(DATES, label="on")
        if chosen and data.draw(MOSTLY, label="in time"):
            on = max(account.items[item].movements[-1][0] for item in chosen)
        named = [(item, data.draw(PARTS)) if data.draw(st.booleans(), label="a part") else item for item in chosen]
        place = self.place(data, document_of(chosen[0]) if chosen else None)
        number, revision = self.new(data, "write-off")
        command = write_off(number, *named or ["invoice::1:1#1"], on=on, revision=revision, **place)
        self.send(data, command, document_id("write-off", "", number, revision))

    @rule(data=st.data(), amount=PARTS)
    def recover_write_off(self, data: st.DataObject, amount: int) -> None:
        of, item, on, place = self.written_off(data)
        number, revision = self.new(data, "recovery")
        command = recover(number, of, item, amount, on, revision=revision, **place)
        self.send(data, command, document_id("recovery", "", number, revision))

    @rule(data=st.data(), amount=PARTS, to=st.sampled_from(CUSTOMERS))
    def transfer_item(self, data: st.DataObject, amount: int, to: str) -> None:
        item, on, place = self.some_item(data)
        number, revision = self.new(data, "transfer")
        part = amount if data.draw(st.booleans(), label="a part") else None
        classes = [None, None, None, "contract", "security"]
        deposit = data.draw(st.sampled_from(classes), label="class")
        command = transfer(number, item, to, part, on, deposit_class=deposit, revision=revision, **place)
        self.send(data, command, document_id("transfer", "", number, revision))

    @rule(data=st.data(), amount=PARTS)
    def claim_vat_relief(self, data: st.DataObject, amount: int) -> None:
        of, item, on, place = self.written_off(data)
        number, revision = self.new(data, "vat-relief")
        command = relieve(number, of, item, amount, on, revision=revision, **place)
        self.send(data, command, document_id("vat-relief", "", number, revision))

    @rule(data=st.data())
    def allocate_lines(self, data: st.DataObject) -> None:
        account = self.account(data)
        credit_items, debit_items = self.items(account, "C"), self.items(account, "D")
        if not credit_items or not debit_items:
            return
        lines: list[tuple[Any, ...]] = []
        for _ in range(data.draw(st.integers(1, 3), label="lines")):
            line: tuple[Any, ...] = (data.draw(st.sampled_from(credit_items)), data.draw(st.sampled_from(debit_items)))
            lines.append((*line, data.draw(PARTS)) if data.draw(st.booleans(), label="amount") else line)
        self.send(data, allocate(*lines, customer=account.customer, currency=account.currency))

    @rule(data=st.data(), policy=st.sampled_from(["oldest_due_first", "proportional"]))
    def allocate_by_policy(self, data: st.DataObject, policy: str) -> None:
        account = self.account(data)
        credit_items = self.items(account, "C")
        named = data.draw(st.lists(st.sampled_from(credit_items), max_size=2)) if credit_items else []
        command = allocate(policy=policy, credit_items=named, customer=account.customer, currency=account.currency)
        self.send(data, command)

    @rule(data=st.data())
    def release_allocation(self, data: st.DataObject) -> None:
        links = [
            (source.stream, line.allocation)
            for source in self.books.log
            if isinstance(source.event, Allocated)
            for line in source.event.lines
        ]
        if not links:
            return
        stream, allocation = data.draw(st.sampled_from(links), label="link")
        account = self.books.accounts[stream]
        amount = data.draw(PARTS, label="amount") if data.draw(st.booleans(), label="part") else None
        self.send(data, release(allocation, amount, customer=account.customer, currency=account.currency))

    @rule(data=st.data(), amount=st.sampled_from([None, 0, 500]))
    def set_credit_limit(self, data: st.DataObject, amount: int | None) -> None:
        account = self.account(data)
        self.send(data, limit(amount, customer=account.customer, currency=account.currency))

    @rule(
        data=st.data(),
        allocation=st.sampled_from([None, None, "oldest_due_first", "proportional"]),
        settlement=st.sampled_from([None, "automatic", "suggested"]),
    )
    def change_terms(self, data: st.DataObject, allocation: str | None, settlement: str | None) -> None:
        account = self.account(data)
        place = {"customer": account.customer, "currency": account.currency}
        self.send(data, terms(allocation=allocation, settlement=settlement, **place))

    @rule(data=st.data())
    def resettle(self, data: st.DataObject) -> None:
        account = self.account(data)
        place = {"customer": account.customer, "currency": account.currency}
        self.send(data, resettle(**place))
        assert self.books.booked(resettle(**place)) == [], "a second time there is nothing to do"

    @rule(data=st.data())
    def reverse_document(self, data: st.DataObject) -> None:
        document = self.document(data, *self.numbers)
        self.send(data, reverse(document, **self.place(data, document)))

    @rule(data=st.data())
    def undo_what_was_built_upon_another(self, data: st.DataObject) -> None:
        document = self.document(data, "refund", "adjustment", "credit-note", *LATE)
        self.send(data, reverse(document, **self.place(data, document)))

    @rule(data=st.data())
    def refund_failed(self, data: st.DataObject) -> None:
        document = self.document(data, "refund")
        own = self.books.history(document).own
        on = own.effective_on + data.draw(LATER, label="later") if own is not None else data.draw(DATES, label="on")
        self.send(data, reverse(document, on, **self.place(data, document)))

    @rule(data=st.data(), on=DATES)
    def pay_what_is_open(self, data: st.DataObject, on: date) -> None:
        debit_items = self.items(self.books.account(*self.home), "D")
        if debit_items:
            item = data.draw(st.sampled_from(debit_items), label="item")
            place = self.place(data, document_of(item))
            number, revision = self.new(data, "payment")
            amount = data.draw(AMOUNTS, label="amount")
            paid = [{"number": parse_document(document_of(item)).number}] if item.startswith("invoice") else []
            command = payment(
                number, amount, on, remittance=paid, revision=revision, **place, **self.worth(data, place)
            )
            self.send(data, command, document_id("payment", "", number, revision))

    @rule(data=st.data(), on=DATES, fact=st.booleans(), amount=PARTS)
    def refund_a_payment(self, data: st.DataObject, on: date, fact: bool, amount: int) -> None:
        if self.entered["payment"]:
            of = data.draw(st.sampled_from(self.entered["payment"]), label="of")
            place = self.place(data, of)
            number, revision = self.new(data, "refund")
            nature = "fact" if fact else "instruction"
            command = refund(
                number, amount, on, of, nature=nature, revision=revision, **place, **self.worth(data, place)
            )
            self.send(data, command, document_id("refund", "", number, revision))

    @rule(data=st.data())
    def keep_the_books(self, data: st.DataObject) -> None:
        """What happens seldom, beside what happens to customers."""
        told = (self.reject_what_waits, self.dismiss_a_message, self.state_rates, self.state_totals)
        changed = (self.change_policies, self.change_authorities, self.post_allowance, self.post_revaluation)
        data.draw(st.sampled_from((*told, *changed)), label="rare")(data)

    def reject_what_waits(self, data: st.DataObject) -> None:
        waiting = self.books.waiting()
        if waiting:
            self.send(data, reject(deferred_command(data.draw(st.sampled_from(waiting), label="fact"))))

    def dismiss_a_message(self, data: st.DataObject) -> None:
        self.send(data, dismiss(data.draw(st.sampled_from(ENTRIES), label="entry")))

    def change_policies(self, data: st.DataObject) -> None:
        command = policies(
            allocation=data.draw(st.sampled_from([*POLICIES, "none"]), label="allocation"),
            settlement=data.draw(st.sampled_from(["automatic", "automatic", "suggested"]), label="settlement"),
            late_facts=data.draw(st.sampled_from(["move", "move", "refuse"]), label="late"),
            recognition=data.draw(st.sampled_from(["day", "month"]), label="recognition"),
            rate_source="bank",
            source_id=f"policies {len(self.books.log)}",
        )
        self.send(data, command)

    def change_authorities(self, data: st.DataObject) -> None:
        self.send(data, limited(data.draw(st.sampled_from([None, 0, 20, 100]), label="alone")))

    def state_totals(self, data: st.DataObject) -> None:
        currency = data.draw(st.sampled_from(CURRENCIES), label="currency")
        fields = {"source": "test", "source_id": f"totals {len(self.books.log)}", "book": BOOK, "feed": "test"}
        more = {"day": data.draw(DATES, label="on"), "currency": currency, "count": 1, "amount": 1}
        self.send(data, StateControlTotals.model_validate(fields | more))

    def state_rates(self, data: st.DataObject) -> None:
        currency = data.draw(st.sampled_from(CURRENCIES[1:]), label="currency")
        rate = data.draw(st.sampled_from(RATES), label="rate")
        stated = {"day": data.draw(DATES, label="on"), "currency": currency, "rate": rate}
        command = StateRates.model_validate(
            {"source": "bank", "source_id": f"rates {len(self.books.log)}", "book": BOOK, "rate_source": "bank"}
            | {"rates": [stated]}
        )
        self.send(data, command)

    def post_allowance(self, data: st.DataObject) -> None:
        on = data.draw(DATES, label="on")
        parts = data.draw(st.lists(st.integers(0, 10**6), min_size=2, max_size=2), label="overdue")
        if self.books.book.matrix is None or not data.draw(MOSTLY, label="the same matrix"):
            rate = data.draw(st.sampled_from(["0.5", "3", "33.333", "100"]), label="rate")
            self.send(data, matrix((30, rate), (None, "50"), source_id=f"matrix {len(self.books.log)}"))
        evidence = [(bucket, amount) for bucket, amount in enumerate(parts, 1)]
        self.send(data, post_allowance(self.books, *evidence, on=on, before=self.allowance()))

    def allowance(self) -> int:
        """What the allowance account has, in base currency, write-offs and recoveries included."""
        return -sum(
            signed(posting.side, posting.base_amount)
            for source in self.books.log
            if isinstance(source.event, Voucher)
            for posting in source.event.postings
            if posting.role == ALLOWANCE
        )

    def post_revaluation(self, data: st.DataObject) -> None:
        amount, base = (data.draw(st.integers(-(10**6), 10**6), label=label) for label in ("open", "base"))
        rate = data.draw(st.sampled_from(RATES), label="rate")
        currency = data.draw(st.sampled_from(CURRENCIES[1:]), label="currency")
        self.send(data, revalue(self.books, (currency, amount, base, rate), on=data.draw(DATES, label="on")))

    @rule(data=st.data(), period=st.sampled_from(["2024-01", "2024-01", "2024-02"]))
    def close_period(self, data: st.DataObject, period: str) -> None:
        self.send(data, close(period))

    @rule(data=st.data(), period=st.sampled_from(["2024-01", "2024-02"]))
    def reopen_period(self, data: st.DataObject, period: str) -> None:
        self.send(data, reopen(period))

    @rule(data=st.data(), account=st.sampled_from(["1122", "1122.01", "2203"]))
    def change_template(self, data: st.DataObject, account: str) -> None:
        again = f"template {len(self.books.log)}"
        command = ChangePostingTemplate(source="t", source_id=again, book=BOOK, roles={"receivable": account})
        self.send(data, command)
