"""Given these commands, when this command, then these events or this refusal: the rules without a ledger.

``Books`` is a ledger in memory with none of its guarantees: it hands ``decide`` what the real one does (histories of
what a command names, one level further, live references), lets facts wait and fires them, and keeps the log. The
builders below make commands with one line each; amounts are minor units.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from domain.account import Account, evolve, from_snapshot, payload, snapshot
from domain.approvals import give_approval, instruction_of, pending, refuse_approval, request_approval
from domain.authority import Approval
from domain.book import Book, evolve_book, open_book
from domain.commands import (
    AccountCommand,
    Allocate,
    ChangeAccountTerms,
    ChangeAllowanceMatrix,
    ChangeAuthorities,
    ChangeBookPolicies,
    ClaimVatRelief,
    ClosePeriod,
    Command,
    DismissMessage,
    GiveApproval,
    IssueCreditNote,
    IssueInvoice,
    OpenBook,
    PostAdjustment,
    PostAllowance,
    PostRevaluation,
    RecogniseRevenue,
    RecordPayment,
    RecordRefund,
    RecoverWriteOff,
    RefuseApproval,
    ReinstatePayment,
    RejectDeferredFact,
    ReleaseAllocation,
    ReopenPeriod,
    RequestApproval,
    Resettle,
    ReturnPayment,
    ReverseDocument,
    RoundOff,
    SetCreditLimit,
    StateControlTotals,
    StateRates,
    TransferItem,
    WriteOff,
)
from domain.control_totals import state_control_totals
from domain.decide import (
    awaited_document,
    decide,
    decide_and_evolve,
    documents_beyond,
    further_documents,
    named_allocation,
    named_documents,
    named_references,
    reads_whole_account,
    receive_and_evolve,
    references_beyond,
)
from domain.decide_book import BookCommand, decide_book
from domain.dismissal import Held, dismissed
from domain.documents import (
    account_stream,
    approval_stream,
    book_stream,
    feed_stream,
    parse_document,
    quarantine_stream,
    rate_stream,
    waiting_stream,
)
from domain.draft import Named
from domain.events import ApprovalGiven, ApprovalRequested, Event, FactDeferred, RatesStated
from domain.history import History, Source, allocated_documents, enters, fold, fold_all, touched_documents
from domain.items import OpenItem
from domain.periods import CHECKS
from domain.rates import Rates, lacks_rate, state_rates
from domain.refusals import Refusal
from domain.waiting import applied, defer, deferred_command, rejected, still_waiting

BOOK = "main"
TODAY = date(2024, 6, 30)
ENTRIES = range(1, 4)
"""The numbers of what stands in quarantine from the beginning."""


class Books:
    """One book in memory. ``log`` holds every event with its stream and version; a position is an index into it."""

    def __init__(self, **settings: Any) -> None:
        self.log: list[Source] = []
        self.accounts: dict[str, Account] = {}
        self._concerning: dict[str, list[int]] = {}
        self._by_stream: dict[str, list[int]] = {}
        self.quarantine = {entry: held() for entry in ENTRIES}
        fields = {"source": "test", "source_id": "book", "book": BOOK, "base_currency": "CNY"} | settings
        opened = open_book(OpenBook.model_validate_json(msgspec.json.encode(fields)))
        book: Book | None = None
        for event in opened:
            book = evolve_book(book, event)
            self._record(book_stream(BOOK), event)
        assert book is not None
        self.book = book

    def when(self, command: Command, today: date = TODAY) -> list[Event] | Refusal:
        """The events that a command leads to, those of facts that had waited for it included; or why it is refused."""
        before = len(self.log)
        try:
            if isinstance(command, BookCommand):
                self._book_command(command, today)
            elif isinstance(command, RequestApproval | GiveApproval | RefuseApproval):
                self._approval(command, today)
            elif isinstance(command, StateRates):
                self._record(rate_stream(BOOK, command.rate_source), state_rates(command, self.book))
            elif isinstance(command, StateControlTotals):
                self._record(feed_stream(BOOK, command.feed), state_control_totals(command, self.book, today))
            elif isinstance(command, RejectDeferredFact):
                self._reject(command)
            elif isinstance(command, DismissMessage):
                self._dismiss(command)
            else:
                assert isinstance(command, AccountCommand)
                self._account_command(command, today)
        except Refusal as refusal:
            return refusal
        return [source.event for source in self.log[before:]]

    def booked(self, command: Command, today: date = TODAY) -> list[Any]:
        """The events of a command that is not refused."""
        outcome = self.when(command, today)
        assert not isinstance(outcome, Refusal), outcome
        return outcome

    def refused(self, command: Command, today: date = TODAY) -> Refusal:
        """The refusal of a command that is."""
        outcome = self.when(command, today)
        assert isinstance(outcome, Refusal), outcome
        return outcome

    def account(self, customer: str = "C1", currency: str = "CNY") -> Account:
        """An account as it stands."""
        stream = account_stream(BOOK, customer, currency)
        if stream not in self.accounts:
            self.accounts[stream] = Account(BOOK, customer, currency)
        return self.accounts[stream]

    def item(self, item: str) -> OpenItem | None:
        """An open item, of whatever account; None where it is settled or unknown."""
        for account in self.accounts.values():
            if item in account.items:
                return account.items[item]
        return None

    def open(self, item: str) -> int:
        """What an item has open, settled and unknown ones nothing."""
        found = self.item(item)
        return found.open if found is not None else 0

    def events(self, stream: str) -> list[tuple[int, Event]]:
        """The events of a stream, each with its version."""
        return [(self.log[at].version, self.log[at].event) for at in self._by_stream.get(stream, ())]

    def history(self, document: str) -> History:
        """A document, folded from the events that concern it."""
        return fold(document, [self.log[at] for at in self._concerning.get(document, ())])

    def named(self, command: AccountCommand) -> Named:
        """What the ledger would hand to decide."""
        stream = account_stream(BOOK, command.customer, command.currency)
        if reads_whole_account(command):
            histories = fold_all(self.log[at] for at in self._by_stream.get(stream, ()))
            return Named(histories, frozenset(r for r in references_beyond(histories) if self._is_live(r)))
        names = set(named_documents(command))
        version = named_allocation(command)
        if version is not None:
            assert isinstance(command, ReleaseAllocation)
            for at, event in self.events(stream):
                if at == version:
                    names |= allocated_documents(event, command.allocation)
        histories = {name: self.history(name) for name in names}
        for history in list(histories.values()):
            for name in further_documents(command, history):
                histories.setdefault(name, self.history(name))
        histories |= {name: self.history(name) for name in documents_beyond(command, histories)}
        live = frozenset(r for r in named_references(command) if self._is_live(r))
        return Named(histories, live, self._rate(command))

    def _rate(self, command: AccountCommand) -> str | None:
        """The rate that a command lacks."""
        if not lacks_rate(command, self.book):
            return None
        stated = [event for _, event in self.events(rate_stream(BOOK, self.book.rate_source))]
        rates = Rates(event for event in stated if isinstance(event, RatesStated))
        return rates.on(command.currency, command.effective_on)  # type: ignore[attr-defined]

    def waiting(self) -> list[FactDeferred]:
        """The facts that still wait."""
        streams = [stream for stream in self._by_stream if stream.startswith("wait:")]
        return [fact for stream in streams for fact in still_waiting(self.events(stream)).values()]

    def pending(self) -> list[ApprovalRequested]:
        """The requests that nobody has decided yet."""
        streams = [self.events(stream) for stream in self._by_stream if stream.startswith("appr:")]
        return [events[0][1] for events in streams if len(events) == 1]  # type: ignore[misc]

    def _book_command(self, command: BookCommand, today: date, given: ApprovalGiven | None = None) -> None:
        events = decide_book(self.book, command, today, self.waiting(), _by(given))
        self._give(given)
        for event in events:
            self.book = evolve_book(self.book, event)
            self._record(book_stream(BOOK), event)

    def _approval(self, command: RequestApproval | GiveApproval | RefuseApproval, today: date) -> None:
        stream = approval_stream(BOOK, command.request)
        if isinstance(command, RequestApproval):
            asked, made = Approval(command.request, None), command.instruction
            events: list[Any] | None = None
            if isinstance(made, BookCommand):
                events = decide_book(self.book, made, today, self.waiting(), asked)
            elif awaited_document(made, self.named(made)) is None:
                account = self.account(made.customer, made.currency)
                events = decide(account, self.named(made), made, self.book, today, asked)
            self._record(stream, request_approval(command, "00", events))
            return
        request = pending(command, [event for _, event in self.events(stream)])
        if isinstance(command, RefuseApproval):
            self._record(stream, refuse_approval(command, request))
            return
        made, given = instruction_of(request), give_approval(command, request)
        if isinstance(made, BookCommand):
            self._book_command(made, today, given)
        else:
            self._account_command(made, today, given)

    def _give(self, given: ApprovalGiven | None) -> None:
        if given is not None:
            self._record(approval_stream(BOOK, given.request), given)

    def _reject(self, command: RejectDeferredFact) -> None:
        waits = {
            stream: facts
            for stream in self._by_stream
            if stream.startswith("wait:") and (facts := still_waiting(self.events(stream)))
        }
        known = (command.fact_source, command.fact_source_id)
        for stream, facts in waits.items():
            if known in {(fact.source, fact.source_id) for fact in facts.values()}:
                self._record(stream, rejected(command, facts.items()))
                return
        rejected(command, ())

    def _dismiss(self, command: DismissMessage) -> None:
        found = self.quarantine.get(command.entry)
        self._record(
            quarantine_stream(command.book, command.entry), dismissed(command, found, is_opened=command.book == BOOK)
        )
        assert found is not None
        self.quarantine[command.entry] = msgspec.structs.replace(found, is_open=False)

    def _account_command(self, command: AccountCommand, today: date, given: ApprovalGiven | None = None) -> None:
        named = self.named(command)
        awaited = awaited_document(command, named)
        if awaited is not None:
            self._give(given)
            fact = defer(command, awaited, "00", given.request if given is not None else None)
            self._record(waiting_stream(BOOK, awaited), fact)
        else:
            self._book(command, named, today, given)

    def _book(
        self,
        command: AccountCommand,
        named: Named,
        today: date,
        given: ApprovalGiven | None = None,
        waited_for: Approval | None = None,
    ) -> None:
        account = self.account(command.customer, command.currency)
        twin = from_snapshot(snapshot(account))
        approval = waited_for or _by(given)
        events = decide(account, named, command, self.book, today, approval)
        self._give(given)
        entered = self._append(account, events)
        assert decide_and_evolve(twin, named, command, self.book, today, approval) == events
        assert payload(twin) == payload(account), "both ways to the same account"
        if isinstance(command, TransferItem):
            receiving = self.account(command.to_customer, command.currency)
            twin = from_snapshot(snapshot(receiving))
            entered += self._append(receiving, receive_and_evolve(twin, events, command, self.book))
            assert payload(twin) == payload(receiving), "both ways to the same account"
        for document in entered:
            if document is not None:
                self._arrive(document, today)

    def _append(self, account: Account, events: Iterable[Event]) -> list[str | None]:
        """Take events into an account and the log; the documents that they enter."""
        entered = []
        for event in events:
            evolve(account, event)
            self._record(account.stream, event)
            entered.append(enters(event))
        return entered

    def _arrive(self, document: str, today: date) -> None:
        stream = waiting_stream(BOOK, document)
        for version, fact in still_waiting(self.events(stream)).items():
            command = deferred_command(fact)
            try:
                self._book(command, self.named(command), today, waited_for=self._approval_of(fact))
            except Refusal as refusal:
                self._record(stream, applied(fact, version, refusal))
            else:
                self._record(stream, applied(fact, version))

    def _approval_of(self, fact: FactDeferred) -> Approval | None:
        if fact.approval is None:
            return None
        return _by(self.events(approval_stream(BOOK, fact.approval))[1][1])  # type: ignore[arg-type]

    def _is_live(self, reference: str) -> bool:
        revisions = [name for name in self._concerning if name.rpartition(":")[0] == reference]
        return any(self.history(name).booked for name in revisions)

    def _record(self, stream: str, event: Event) -> None:
        at = len(self.log)
        of_stream = self._by_stream.setdefault(stream, [])
        of_stream.append(at)
        self.log.append(Source(stream, len(of_stream), event))
        for document in {*touched_documents(event), enters(event)} - {None}:
            assert document is not None
            self._concerning.setdefault(document, []).append(at)


def _by(given: ApprovalGiven | None) -> Approval | None:
    return Approval(given.request, given.actor) if given is not None else None


def given(*commands: Command, today: date = TODAY, **settings: Any) -> Books:
    """Books in which these commands are booked (or wait). ``settings``: fields of OpenBook."""
    books = Books(**settings)
    for command in commands:
        outcome = books.when(command, today)
        assert not isinstance(outcome, Refusal), f"given {command}: {outcome}"
    return books


def kinds(outcome: list[Event] | Refusal) -> list[str]:
    """The names of the events, in order."""
    assert not isinstance(outcome, Refusal), outcome
    return [type(event).__name__ for event in outcome]


def postings(event: Event) -> list[tuple[str, str, int, int]]:
    """Account, side, amount and base amount of an event's postings, as an accountant would write them down."""
    return [(p.account, p.side, p.amount, p.base_amount) for p in event.postings]


# --- builders: a command in a line


_count = 0


def _made(kind: type[Any], fields: dict[str, Any]) -> Any:
    """A command with an id of its own, read from JSON as at the border."""
    global _count
    _count += 1
    known = {"source": "test", "source_id": f"s{_count}", "book": BOOK, "customer": "C1", "currency": "CNY"}
    return kind.model_validate_json(msgspec.json.encode(known | fields))


def _of_book(kind: type[Any], **fields: Any) -> Any:
    """A command for the book as a whole, likewise."""
    global _count
    _count += 1
    return kind.model_validate({"source": "test", "source_id": f"s{_count}", "book": BOOK} | fields)


def day(text: str | date) -> date:
    """``"01-31"`` is 31 January 2024; a whole ISO date is itself."""
    if isinstance(text, date):
        return text
    return date.fromisoformat(text if len(text) == 10 else f"2024-{text}")


def ref(document: str) -> dict[str, Any]:
    """A document id as a reference in a command."""
    return parse_document(document)._asdict()


def invoice(
    number: str, total: int, on: str | date = "01-10", due: str | date | None = None, **more: Any
) -> IssueInvoice:
    """An invoice of one line and one instalment, due on its own day."""
    fields = {
        "number": number,
        "total": total,
        "effective_on": day(on),
        "lines": [{"net": total}] if total else [],
        "instalments": [{"due_on": day(due or on), "amount": total}] if total else [],
    }
    command: IssueInvoice = _made(IssueInvoice, fields | more)
    return command


def credit_note(
    number: str, total: int, on: str | date = "01-20", against: str | None = None, **more: Any
) -> IssueCreditNote:
    """A credit note of one line."""
    fields = {"number": number, "total": total, "effective_on": day(on), "lines": [{"net": total}] if total else []}
    command: IssueCreditNote = _made(IssueCreditNote, fields | ({"against": ref(against)} if against else {}) | more)
    return command


def payment(number: str, amount: int, on: str | date = "01-20", pays: Sequence[Any] = (), **more: Any) -> RecordPayment:
    """A payment by bank; ``pays``: numbers of invoices, or (number, amount)."""
    remittance = [{"number": p[0], "amount": p[1]} if isinstance(p, tuple) else {"number": p} for p in pays]
    fields = {"number": number, "amount": amount, "effective_on": day(on), "remittance": remittance}
    command: RecordPayment = _made(RecordPayment, fields | more)
    return command


def refund(number: str, amount: int, on: str | date = "02-10", of: str | None = None, **more: Any) -> RecordRefund:
    """A refund, instructed unless ``nature`` says fact; ``of`` the payment that it gives back."""
    fields = {"number": number, "amount": amount, "effective_on": day(on)}
    command: RecordRefund = _made(RecordRefund, fields | ({"original_payment": ref(of)} if of else {}) | more)
    return command


def adjustment(
    number: str, item: str, amount: int, on: str | date = "02-10", reason: str = "small_balance", **more: Any
) -> PostAdjustment:
    """An adjustment of an item."""
    fields = {"number": number, "item": item, "amount": amount, "effective_on": day(on), "reason_code": reason}
    if "linked_to" in more:
        more["linked_to"] = ref(more["linked_to"])
    command: PostAdjustment = _made(PostAdjustment, fields | more)
    return command


def round_off(number: str, item: str, on: str | date = "02-28", **more: Any) -> RoundOff:
    """What payments left open of an item is rounded off."""
    command: RoundOff = _made(RoundOff, {"number": number, "item": item, "effective_on": day(on)} | more)
    return command


def returned(
    number: str, of: str, amount: int, on: str | date = "02-10", kind: str = "returned", **more: Any
) -> ReturnPayment:
    """A payment that the bank took back."""
    fields = {"number": number, "payment": ref(of), "amount": amount, "effective_on": day(on), "kind": kind}
    command: ReturnPayment = _made(ReturnPayment, fields | more)
    return command


def reinstated(number: str, of: str, amount: int, on: str | date = "03-10", **more: Any) -> ReinstatePayment:
    """What was returned came back."""
    fields = {"number": number, "returned": ref(of), "amount": amount, "effective_on": day(on)}
    command: ReinstatePayment = _made(ReinstatePayment, fields | more)
    return command


def write_off(number: str, *items: str | tuple[str, int], on: str | date = "03-31", **more: Any) -> WriteOff:
    """A write-off of items: all that each has open, or an amount of it."""
    named = [{"item": one} if isinstance(one, str) else {"item": one[0], "amount": one[1]} for one in items]
    command: WriteOff = _made(WriteOff, {"number": number, "effective_on": day(on), "items": named} | more)
    return command


def recover(number: str, of: str, item: str, amount: int, on: str | date = "04-30", **more: Any) -> RecoverWriteOff:
    """A recovery of what a write-off took from an item."""
    fields = {"number": number, "effective_on": day(on), "write_off": ref(of), "item": item, "amount": amount}
    command: RecoverWriteOff = _made(RecoverWriteOff, fields | more)
    return command


def transfer(
    number: str, item: str, to: str, amount: int | None = None, on: str | date = "02-10", **more: Any
) -> TransferItem:
    """What an item has open, or a part of it, goes to another customer."""
    fields = {"number": number, "item": item, "to_customer": to, "amount": amount, "effective_on": day(on)}
    command: TransferItem = _made(TransferItem, fields | more)
    return command


def relieve(number: str, of: str, item: str, amount: int, on: str | date = "04-15", **more: Any) -> ClaimVatRelief:
    """A claim of VAT relief on what a write-off took from an item."""
    fields = {"number": number, "effective_on": day(on), "write_off": ref(of), "item": item, "amount": amount}
    command: ClaimVatRelief = _made(ClaimVatRelief, fields | more)
    return command


def reject(fact: AccountCommand, reason: str = "sent by mistake") -> RejectDeferredFact:
    """A fact that waits is given up."""
    named = {"source": "test", "source_id": f"reject-{fact.source_id}", "book": BOOK, "reason": reason}
    return RejectDeferredFact(**named, fact_source=fact.source, fact_source_id=fact.source_id)


def held(**more: Any) -> Held:
    """A message that stands in quarantine."""
    known = {"book": BOOK, "source": "shop", "source_id": "7", "code": "customer_must_be_given", "digest": "00ff"}
    return Held(**known | {"is_open": True} | more)


def dismiss(entry: int, **more: Any) -> DismissMessage:
    """A message in quarantine is given up."""
    command: DismissMessage = _of_book(DismissMessage, **{"entry": entry, "reason": "sent by mistake"} | more)
    return command


def close(period: str, position: str = "0:0", **findings: Any) -> ClosePeriod:
    """A period is closed; ``findings``: how many speak against a check, which is accepted for the ``reason``."""
    reason = findings.pop("reason", None)
    checks = [
        {"check": name, "holds": not findings.get(name), "found": findings.get(name, 0), "accepted": name in findings}
        for name in CHECKS
    ]
    command: ClosePeriod = _of_book(ClosePeriod, period=period, position=position, reason=reason, checks=checks)
    return command


def reopen(period: str, reason: str = "a statement was forgotten") -> ReopenPeriod:
    """The period closed last is opened again."""
    command: ReopenPeriod = _of_book(ReopenPeriod, period=period, reason=reason)
    return command


def policies(**more: Any) -> ChangeBookPolicies:
    """The policies of the book are changed."""
    command: ChangeBookPolicies = _of_book(ChangeBookPolicies, **more)
    return command


def matrix(*rows: tuple[Any, ...], dimension: str | None = None, **more: Any) -> ChangeAllowanceMatrix:
    """A provision matrix of (days to, rate) or (days to, rate, groups)."""
    names = ("to_days", "rate", "groups")
    buckets = [dict(zip(names, one, strict=False)) for one in rows]
    command: ChangeAllowanceMatrix = _of_book(ChangeAllowanceMatrix, buckets=buckets, dimension=dimension, **more)
    return command


def post_allowance(
    books: Books, *lines: tuple[int, int] | tuple[int, int, str], before: int = 0, on: str | date = "12-31", **more: Any
) -> PostAllowance:
    """An allowance by evidence in CNY: (bucket, amount) or (bucket, amount, group)."""
    evidence = [
        {"currency": "CNY", "bucket": bucket, "amount": amount, "base_amount": amount, "group": "".join(group)}
        for bucket, amount, *group in lines
    ]
    fields = {"effective_on": day(on), "position": "0:0", "book_version": books.book.version, "before": before}
    command: PostAllowance = _of_book(PostAllowance, lines=evidence, **fields | more)
    return command


def revalue(
    books: Books,
    *lines: tuple[str, int, int, str] | tuple[str, int, int, str, int],
    on: str | date = "01-31",
    **more: Any,
) -> PostRevaluation:
    """A revaluation of 1122 by evidence: (currency, amount, base amount, rate), and what was posted before."""
    names = ("currency", "amount", "base_amount", "rate", "before")
    evidence = [dict(zip(names, line, strict=False)) | {"account": "1122", "rate_on": day(on)} for line in lines]
    fields = {"effective_on": day(on), "position": "0:0", "book_version": books.book.version, "rate_source": "bank"}
    command: PostRevaluation = _of_book(PostRevaluation, lines=evidence, **fields | more)
    return command


def allocate(*lines: Iterable[Any], **more: Any) -> Allocate:
    """Explicit links: (credit item, debit item) or (credit item, debit item, amount)."""
    names = ("credit_item", "debit_item", "amount")
    command: Allocate = _made(Allocate, {"lines": [dict(zip(names, line, strict=False)) for line in lines]} | more)
    return command


def release(allocation: str, amount: int | None = None, **more: Any) -> ReleaseAllocation:
    """A release of one allocation line by its id, ``<version>.<n>``."""
    command: ReleaseAllocation = _made(ReleaseAllocation, {"allocation": allocation, "amount": amount} | more)
    return command


def limit(amount: int | None, **more: Any) -> SetCreditLimit:
    """What the customer may owe."""
    command: SetCreditLimit = _made(SetCreditLimit, {"limit": amount, "reason": "reviewed"} | more)
    return command


def resettle(**more: Any) -> Resettle:
    """The account is settled again, in canonical order."""
    command: Resettle = _made(Resettle, more)
    return command


def terms(**more: Any) -> ChangeAccountTerms:
    """The terms of the account are changed; what is not named is the book's."""
    command: ChangeAccountTerms = _made(ChangeAccountTerms, more)
    return command


def service(total: int, first: str | date, last: str | date, **more: Any) -> dict[str, Any]:
    """A line of an invoice or credit note with a service period, as ``lines`` of one."""
    return {"lines": [{"net": total, "service_from": day(first), "service_to": day(last)} | more]}


def recognise(document: str, until: str | date, on: str | date | None = None, **more: Any) -> RecogniseRevenue:
    """Revenue of a document is recognised up to a day."""
    fields = {"document": ref(document), "until_on": day(until), "effective_on": day(on) if on else None}
    command: RecogniseRevenue = _made(RecogniseRevenue, fields | more)
    return command


def reverse(document: str, failed_on: str | date | None = None, **more: Any) -> ReverseDocument:
    """A reversal: an error, or a refund that failed on a day."""
    fields: dict[str, Any] = {"document": ref(document)}
    if failed_on is not None:
        fields |= {"mode": "failed", "effective_on": day(failed_on)}
    command: ReverseDocument = _made(ReverseDocument, fields | more)
    return command


def authorities(**tables: Any) -> ChangeAuthorities:
    """Who may do what: ``roles``, ``limits``, ``reason_required``."""
    command: ChangeAuthorities = _of_book(ChangeAuthorities, **tables)
    return command


def request(number: str, instruction: Command, **more: Any) -> RequestApproval:
    """A whole command is to be approved; asked for by its maker, if nobody else is named."""
    fields = {"actor": instruction.actor, "request": number, "instruction": instruction.model_dump()} | more
    command: RequestApproval = _of_book(RequestApproval, **fields)
    return command


def approve(number: str, actor: str, **more: Any) -> GiveApproval:
    """A checker approves."""
    command: GiveApproval = _of_book(GiveApproval, request=number, actor=actor, **more)
    return command


def disapprove(number: str, actor: str, reason: str = "not agreed with the customer", **more: Any) -> RefuseApproval:
    """A checker refuses."""
    command: RefuseApproval = _of_book(RefuseApproval, request=number, actor=actor, reason=reason, **more)
    return command
