"""One batch, decided: from commands to events, register rows and an outcome each. Nothing is written here.

Commands are taken in order of arrival; each sees what the earlier ones of its batch did. The same fact twice is found in
the batch as in the register (invariant 3). A refusal is its command's outcome alone.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from domain.account import Account
from domain.approvals import give_approval, instruction_of, pending, refuse_approval, request_approval
from domain.authority import Approval
from domain.book import Book, evolve_book
from domain.commands import (
    COMMAND,
    ID_LENGTH,
    AccountCommand,
    Command,
    DismissMessage,
    GiveApproval,
    OpenBook,
    RefuseApproval,
    RejectDeferredFact,
    RequestApproval,
    StateControlTotals,
    StateRates,
    TransferItem,
)
from domain.control_totals import state_control_totals
from domain.decide import (
    awaited_document,
    decide,
    decide_and_evolve,
    entered_document,
    receive_and_evolve,
)
from domain.decide_book import BookCommand, decide_book
from domain.dismissal import Held, dismissed
from domain.documents import (
    AccountName,
    account_stream,
    approval_stream,
    book_stream,
    feed_stream,
    quarantine_stream,
    rate_stream,
    waiting_stream,
)
from domain.draft import Named
from domain.events import ApprovalEvent, ApprovalGiven, Event, FactDeferred, InvoiceIssued, PaymentReceived
from domain.history import enters, touched_documents
from domain.rates import lacks_rate, state_rates
from domain.refusals import CONFLICTS, Code, Refusal
from domain.waiting import applied, defer, deferred_command, rejected
from ledger.attachments import detached
from ledger.codec import TOPIC_OF, Recorded, encode
from ledger.commit import PROVISIONAL, Row
from ledger.database import Connection
from ledger.digest import digest
from ledger.naming import Naming
from ledger.outcomes import Acknowledged, Entry, Outcome, Status, Submission, Unreadable
from ledger.quarantine import mark
from ledger.register import Dismissed, Entries, Keyed, Known, Lookup, Register, Released
from ledger.state import State

_TOUCH_NOTHING = frozenset({InvoiceIssued, PaymentReceived})
"""Events that concern no document but their own: most of all events."""
BOOK_DOCUMENT = "book"
"""A book is opened once: in the register it is a document of its own book."""


class Batch:
    """A batch with the names by which the register knows its commands."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.named = [(entry, _registered_as(entry.command)) for entry in entries if type(entry) is Submission]

    def lookup(self, connection: Connection) -> Lookup:
        """The look-up of all of them."""
        return Lookup(
            connection,
            ((entry.command.source, entry.command.source_id) for entry, _ in self.named),
            ((entry.command.book, name) for entry, name in self.named if name is not None),
        )


class Deciding:
    """A batch in the making. ``recorded`` are its events in order, ``rows`` the same as they are stored.

    Positions are provisional (``ledger.commit``).
    ``changes``: how many commands changed what more than one account depends on. ``refused_at``: stream and version of
    the accounts on which anything was refused, or nothing was to be done; if one has gone on since, the batch is to be
    decided again.
    """

    def __init__(self, state: State, register: Register, now_us: int) -> None:
        self._state = state
        self._register = register
        self._now = datetime.fromtimestamp(now_us // 1_000_000, UTC)
        self._today: dict[str, date] = {}
        self._receipts: dict[tuple[str, str], Known] = {}
        self._documents: dict[tuple[str, str], Known] = {}
        self._versions: dict[str, int] = {}
        self._blocked: set[str] = set()
        self._behind: set[str] = set()
        self.recorded: list[Recorded] = []
        self._naming = Naming(state, register, self.recorded)
        self.rows: list[Row] = []
        self.entries = Entries()
        self.changes = 0
        self.refused_at: list[tuple[str, int]] = []
        self.touched: dict[str, Account] = {}

    def run(self, batch: Batch, found: tuple[Keyed, Keyed]) -> list[Outcome]:
        """An outcome each, in order; ``found`` is what the look-up found of them."""
        known = batch.named
        self._state.load(account_name(entry.command) for entry, _ in known if isinstance(entry.command, AccountCommand))
        if self._state.quarantine_open or self._state.anything_parked:
            lanes = {entry.lane for entry, _ in known if entry.lane is not None}
            self._blocked, self._behind = self._register.blocked(lanes)
        self._receipts, self._documents = found
        self._naming.documents = self._documents
        submissions = iter(known)
        return [
            self._one(*next(submissions)) if type(entry) is Submission else self._otherwise(entry)
            for entry in batch.entries
        ]

    # --- one command

    def _one(self, submission: Submission, document: str | None) -> Outcome:
        """The outcome of a command, whose name in the register is ``document``."""
        command = submission.command
        lane, parked = submission.lane, submission.parked
        if lane is not None and (lane in self._blocked or (lane in self._behind and parked is None)):
            return self._park(submission, document)
        if parked is not None:
            self.entries.unparked.append(parked)
        try:
            outcome = self._book(submission, document)
        except Refusal as refusal:
            if submission.quarantine:
                self._keep(as_unreadable(submission, refusal))
            return refused(refusal, document)
        # A duplicate releases nothing: what stands open under its name is another content, a conflict still to be seen.
        if outcome.status is not Status.DUPLICATE:
            self._release(command, outcome.position)
        return outcome

    def _release(self, command: Command, position: int | None) -> None:
        """What stood in quarantine under the name of a command is in the books now."""
        if self._state.quarantine_open:
            assert position is not None
            self.entries.quarantine.append(Released(position, command.source, command.source_id))

    def _book(self, submission: Submission, document: str | None) -> Outcome:
        command = submission.command
        content = digest(command)
        key = (command.source, command.source_id)
        book = self._state.book(command.book)
        if book is None and not isinstance(command, OpenBook | DismissMessage):
            raise Refusal(Code.BOOK_MUST_EXIST, "book", command.book)
        known = self._receipts.get(key)
        if known is not None:
            if known.digest != content:
                raise Refusal(Code.SAME_SOURCE_ID, "source_id", command.source_id)
            if submission.origin != known.origin:
                self._delivered_again(submission)
            return _duplicate(known, document)
        if document is not None:
            known = self._documents.get((command.book, document))
            if known is not None:
                if known.digest != content:
                    code, field = _taken(command)
                    raise Refusal(code, field, getattr(command, field))
                # Another source's name for a fact that is in the books.
                self._receipt(key, known._replace(origin=submission.origin))
                self._delivered_again(submission)
                return _duplicate(known, document)
        if submission.version is not None:
            self._refuse_other_version(command, submission.version)
        before = len(self.recorded)
        awaited, entered = self._carry_out(book, command, document, content)
        known = self._register_as(command, document, content, before, awaited, submission.origin)
        return Outcome(
            Status.BOOKED if awaited is None else Status.WAITING,
            known.position,
            known.events,
            entered,
            awaited,
            version=self._version_after(command),
        )

    def _refuse_other_version(self, command: Command, version: int) -> None:
        stands = self._version_after(command)
        if isinstance(command, AccountCommand):
            # It may have gone on since it was read.
            self.refused_at.append((account_stream(*account_name(command)), stands or 0))
        if stands != version:
            raise Refusal(Code.VERSION, "version", version)

    def _version_after(self, command: Command) -> int | None:
        """The version of the account or the book of a command, as it stands after what was decided so far."""
        if isinstance(command, AccountCommand):
            return self._state.account(*account_name(command)).version
        book = self._state.book(command.book)
        return book.version if isinstance(command, BookCommand) and book is not None else None

    def _carry_out(
        self, book: Book | None, command: Command, document: str | None, content: bytes
    ) -> tuple[str | None, str | None]:
        """Book a command, or let it wait: the document that it waits for, if any, and the one that it is about."""
        if isinstance(command, BookCommand):
            self._book_events(book, command)
            return None, document
        if isinstance(command, DismissMessage):
            self._dismiss(command, is_opened=book is not None)
            return None, document
        assert book is not None
        if isinstance(command, AccountCommand):
            return self._account_events(book, command, document, content), document
        if isinstance(command, GiveApproval):
            return self._approve(book, command)
        if isinstance(command, StateControlTotals):
            self._totals_event(book, command)
        elif isinstance(command, StateRates):
            self._rates_event(book, command)
        elif isinstance(command, RejectDeferredFact):
            self._reject(command)
        elif isinstance(command, RequestApproval):
            self._request(book, command)
        else:
            request = pending(command, self._requested(command))
            self._record_approval(command.book, refuse_approval(command, request))
        return None, document

    def _register_as(
        self,
        command: Command,
        document: str | None,
        content: bytes,
        before: int,
        awaited: str | None,
        origin: str | None,
    ) -> Known:
        """What the register is to know of a command whose events begin after the first ``before``."""
        count = len(self.recorded)
        known = Known(content, PROVISIONAL + count, count - before, awaited, origin)
        self._receipt((command.source, command.source_id), known)
        if document is not None:
            self._enter(command.book, document, known, self._entered_at(document, before))
        return known

    def _entered_at(self, document: str, before: int) -> int:
        """The position of the event that entered a document: the one that has its name, else the command's first."""
        for index in range(before, len(self.recorded)):
            if getattr(self.recorded[index].event, "document", None) == document:
                return PROVISIONAL + index + 1
        return PROVISIONAL + before + 1

    def _book_events(self, book: Book | None, command: BookCommand, given: ApprovalGiven | None = None) -> None:
        version = 0 if book is None else book.version
        events = self._decide_book(book, command, _by(given))
        self._record_given(command.book, given)
        for event in events:
            version += 1
            book = evolve_book(book, event)
            self._record(book_stream(command.book), version, event)
        assert book is not None
        self._state.put_book(book)
        self.changes += 1

    def _decide_book(self, book: Book | None, command: BookCommand, approval: Approval | None) -> list[Event]:
        # The first events of a book need no day, and there is none without its time zone.
        today = self._now.date() if book is None else self._today_of(book)
        waiting = [fact for stream, _, fact in self._state.all_waiting() if stream.split(":", 2)[1] == command.book]
        return decide_book(book, command, today, waiting, approval)

    def _totals_event(self, book: Book, command: StateControlTotals) -> None:
        event = state_control_totals(command, book, self._today_of(book))
        stream = feed_stream(command.book, command.feed)
        self._record(stream, self._next_version(stream), event)

    def _rates_event(self, book: Book, command: StateRates) -> None:
        event = state_rates(command, book)
        stream = rate_stream(command.book, command.rate_source)
        self._record(stream, self._next_version(stream), event)
        self._state.rates(book.book, event.rate_source).add(event)
        # Whoever converts by these rates at the same time must see this.
        self.changes += 1

    def _rate(self, book: Book, command: AccountCommand) -> str | None:
        """The rate that a command lacks, as the book's source states it."""
        if not lacks_rate(command, book):
            return None
        on: date = command.effective_on  # type: ignore[attr-defined]
        return self._state.rates(book.book, book.rate_source).on(command.currency, on)

    def _reject(self, command: RejectDeferredFact) -> None:
        stream = self._state.waiting_as(command.book, command.fact_source, command.fact_source_id)
        event = rejected(command, self._state.waiting(stream).items())
        self._record(stream, self._next_version(stream), event)
        self._state.given_up(stream, event.fact)
        self.changes += 1

    def _dismiss(self, command: DismissMessage, *, is_opened: bool) -> None:
        event = dismissed(command, self._held(command.entry), is_opened=is_opened)
        # One event an entry: whoever dismisses the same one at the same time finds the stream's first version taken.
        self._record(quarantine_stream(command.book, command.entry), 1, event)
        assert event.reason is not None
        closing = Dismissed(PROVISIONAL + len(self.recorded), command.entry, event.reason, event.code)
        self.entries.quarantine.append(closing)

    def _held(self, entry: int) -> Held | None:
        """What stands in quarantine under a number, after what this batch has done so far."""
        held = self._register.held(entry)
        for done in self.entries.quarantine:
            if held is None or not held.is_open:
                break
            if isinstance(done, Dismissed):
                held = replace(held, is_open=done.entry != entry)
            elif isinstance(done, Released):
                held = replace(held, is_open=(done.source, done.source_id) != (held.source, held.source_id))
            elif mark(done).hex() == held.digest:
                held = replace(held, code=done.code)
        return held

    def _next_version(self, stream: str) -> int:
        """The next version of a stream that has no state."""
        version = self._versions.get(stream)
        if version is None:
            version = self._state.version(stream)
        self._versions[stream] = version + 1
        return version + 1

    def _account_events(
        self,
        book: Book,
        command: AccountCommand,
        document: str | None,
        content: bytes,
        given: ApprovalGiven | None = None,
    ) -> str | None:
        """Book a command of a customer account, or let it wait: then the document it waits for."""
        account = self._state.account(command.book, command.customer, command.currency)
        named = self._naming.named(command, account).at_rate(self._rate(book, command))
        awaited = awaited_document(command, named)
        if awaited is not None:
            stream = waiting_stream(command.book, awaited)
            self._record_given(command.book, given)
            fact = defer(command, awaited, content.hex(), given.request if given is not None else None)
            version = self._next_version(stream)
            self._record(stream, version, fact)
            self._touch(command.book, fact)
            self._state.add_waiting(stream, version, fact)
            # Whoever books the document at the same time must see this, and this must see whether it was booked.
            self.changes += 1
            self.entries.awaited.append((command.book, awaited))
            return awaited
        events = self._decide(account, named, command, book, _by(given))
        if not events:
            self.refused_at.append((account.stream, account.version))
        self._record_given(command.book, given)
        self._append(account, events)
        if isinstance(command, TransferItem):
            receiving = self._state.account(command.book, command.to_customer, command.currency)
            self._append(receiving, receive_and_evolve(receiving, events, command, book))
        self._arrive(book, document)
        return None

    def _decide(
        self, account: Account, named: Named, command: AccountCommand, book: Book, approval: Approval | None
    ) -> list[Event]:
        try:
            return decide_and_evolve(account, named, command, book, self._today_of(book), approval)
        except Refusal:
            self.refused_at.append((account.stream, account.version))
            raise

    def _append(self, account: Account, events: Sequence[Event], waited: str | None = None) -> None:
        """The latest events of an account. ``waited``: the document whose register row is that of its FactDeferred."""
        stream = account.stream
        self.touched[stream] = account
        for version, whole in enumerate(events, account.version - len(events) + 1):
            event, attachment = detached(whole)
            if attachment is not None:
                self.entries.attachments.append(attachment)
            self._record(stream, version, event)
            if type(event) not in _TOUCH_NOTHING:
                self._touch(account.book, event)
            if waited is not None and enters(event) == waited:
                self.entries.touches.append((account.book, waited, PROVISIONAL + len(self.recorded)))

    def _arrive(self, book: Book, document: str | None) -> None:
        """What waited for a document is decided now that it is in the books, in the order in which it came."""
        if document is None or not self._state.anybody_waits:
            return
        stream = waiting_stream(book.book, document)
        facts = self._state.waiting(stream)
        if not facts:
            return
        facts = self._state.arrived(stream)
        # Somebody may be deciding to wait for what one of these enters.
        self.changes += 1
        for version, fact in facts.items():
            command = deferred_command(fact)
            account = self._state.account(book.book, fact.customer, fact.currency)
            entered = None
            try:
                named = self._naming.named(command, account).at_rate(self._rate(book, command))
                events = self._decide(account, named, command, book, self._approval_of(fact, book))
                self._append(account, events, fact.document)
                entered = fact.document
                event = applied(fact, version)
            except Refusal as refusal:
                event = applied(fact, version, refusal)
            self._record(stream, self._next_version(stream), event)
            self._arrive(book, entered)

    # --- approvals

    def _request(self, book: Book, command: RequestApproval) -> None:
        """Let a command wait for an approval; refused as it would be if it were approved now."""
        instruction = command.instruction
        content = digest(instruction)
        self._check_new(instruction, content)
        asked = Approval(command.request, None)
        events: Sequence[Event] | None = None
        if isinstance(instruction, AccountCommand):
            account = self._state.account(*account_name(instruction))
            named = self._naming.named(instruction, account).at_rate(self._rate(book, instruction))
            if awaited_document(instruction, named) is None:
                try:
                    events = decide(account, named, instruction, book, self._today_of(book), asked)
                except Refusal:
                    self.refused_at.append((account.stream, account.version))
                    raise
        else:
            events = self._decide_book(book, instruction, asked)
        self._record_approval(command.book, request_approval(command, content.hex(), events))

    def _approve(self, book: Book, command: GiveApproval) -> tuple[str | None, str | None]:
        """Book what is approved: the document that it waits for, if any, and the one that it enters."""
        request = pending(command, self._requested(command))
        given = give_approval(command, request)
        instruction = instruction_of(request)
        content, document = digest(instruction), entered_document(instruction)
        self._check_new(instruction, content)
        if (command.source, command.source_id) == (instruction.source, instruction.source_id):
            raise Refusal(Code.SAME_SOURCE_ID, "source_id", command.source_id)
        before = len(self.recorded)
        awaited = None
        if isinstance(instruction, AccountCommand):
            awaited = self._account_events(book, instruction, document, content, given)
        else:
            self._book_events(book, instruction, given)
        asked = self._known_receipt((request.source, request.source_id))
        origin = asked.origin if asked is not None else None
        known = self._register_as(instruction, document, content, before, awaited, origin)
        self._release(instruction, known.position)
        return awaited, document

    def _check_new(self, instruction: Command, content: bytes) -> None:
        """Refuses an instruction that is in the books already, or whose names are taken by another content."""
        known = self._known_receipt((instruction.source, instruction.source_id))
        code, field = Code.SAME_SOURCE_ID, "source_id"
        document = entered_document(instruction)
        if known is None and document is not None:
            named = (instruction.book, document)
            known = self._documents.get(named) or self._register.documents([named]).get(named)
            code, field = _taken(instruction)
        if known is not None:
            if known.digest == content:
                code = Code.INSTRUCTION_NEW
            raise Refusal(code, field, getattr(instruction, field))

    def _known_receipt(self, key: tuple[str, str]) -> Known | None:
        return self._receipts.get(key) or self._register.receipts([key]).get(key)

    def _requested(self, command: GiveApproval | RefuseApproval) -> list[Event]:
        """The events of a request, those of this batch included."""
        stream = approval_stream(command.book, command.request)
        found = [event for _, event in self._state.events(stream)]
        return found + [recorded.event for recorded in self.recorded if recorded.originator_id == stream]

    def _record_given(self, book: str, given: ApprovalGiven | None) -> None:
        """The approval of a command goes before its events."""
        if given is not None:
            self._record_approval(book, given)

    def _record_approval(self, book: str, event: ApprovalEvent) -> None:
        stream = approval_stream(book, event.request)
        self._record(stream, self._next_version(stream), event)

    def _approval_of(self, fact: FactDeferred, book: Book) -> Approval | None:
        """By which approval a fact waits: the second event of its request."""
        if fact.approval is None:
            return None
        given = self._naming.event(approval_stream(book.book, fact.approval), 2)
        assert isinstance(given, ApprovalGiven)
        return _by(given)

    # --- what is to be written

    def _today_of(self, book: Book) -> date:
        today = self._today.get(book.time_zone)
        if today is None:
            today = self._today[book.time_zone] = self._now.astimezone(ZoneInfo(book.time_zone)).date()
        return today

    def _record(self, stream: str, version: int, event: Event) -> None:
        self.recorded.append(Recorded(stream, version, event))
        # Encoded at once, while the processor has it at hand: after the batch that takes twice as long.
        self.rows.append(Row(stream, version, TOPIC_OF[type(event)], encode(event)))

    def _touch(self, book: str, event: Event) -> None:
        """Note the documents, other than the one it enters, that the event just recorded concerns."""
        position = PROVISIONAL + len(self.recorded)
        for document in touched_documents(event):
            self.entries.touches.append((book, document, position))

    def _receipt(self, key: tuple[str, str], known: Known) -> None:
        self._receipts[key] = known
        self.entries.receipts.append((*key, *known))

    def _delivered_again(self, submission: Submission) -> None:
        """Note that a feed has sent what is in the books. A table that is imported again is nobody's mistake."""
        if submission.lane is not None and submission.origin is not None:
            command = submission.command
            double = (command.source, command.source_id, submission.origin, command.sequence)
            self.entries.doubles.append(double)

    def _enter(self, book: str, document: str, known: Known, entered_at: int) -> None:
        self._documents[book, document] = known
        self.entries.documents.append((book, document, known.digest, entered_at, *known[1:4]))

    # --- what is not booked

    def _otherwise(self, entry: Entry) -> Outcome:
        if isinstance(entry, Acknowledged):
            self.entries.acknowledged.append(replace(entry, kind=entry.kind[:ID_LENGTH]))
            return Outcome(Status.ACKNOWLEDGED)
        assert isinstance(entry, Unreadable)
        self._keep(_identified(entry))
        return Outcome(Status.REFUSED, code=entry.code, field=entry.field, value=entry.value, rule=entry.rule)

    def _keep(self, entry: Unreadable) -> None:
        self.entries.quarantine.append(entry)
        self._state.quarantine_open = True
        if entry.lane is not None:
            self._blocked.add(entry.lane)

    def _park(self, submission: Submission, document: str | None) -> Outcome:
        """Keep a message behind the one of its lane that stands in quarantine; one that is parked stays there."""
        command = submission.command
        assert submission.lane is not None
        if submission.parked is None:
            raw = COMMAND.dump_json(command, exclude_none=True).decode()
            row = (submission.lane, command.book, command.source, command.source_id, submission.origin or "", raw)
            self.entries.parked.append(row)
        return Outcome(Status.PARKED, document=document)


def _identified(entry: Unreadable) -> Unreadable:
    """What came without what is too long to be an id: it stands in ``raw``, and an index could not hold it."""
    source = entry.source if len(entry.source) <= ID_LENGTH else ""
    source_id = entry.source_id if len(entry.source_id or "") <= ID_LENGTH else None
    if (source, source_id) == (entry.source, entry.source_id):
        return entry
    return replace(entry, source=source, source_id=source_id)


def account_name(command: AccountCommand) -> AccountName:
    """The customer account that a command is for."""
    return AccountName(command.book, command.customer, command.currency)


def _registered_as(command: Command) -> str | None:
    """The name under which the register knows what a command enters; None for a command that enters nothing."""
    if isinstance(command, OpenBook):
        return BOOK_DOCUMENT
    # No kind of document is called so (``tieout.register`` counts documents by kind).
    return f"approval:{command.request}" if isinstance(command, RequestApproval) else entered_document(command)


def _taken(command: Command) -> tuple[Code, str]:
    """The conflict of a command whose document is known with another content, and the field that shows it."""
    if isinstance(command, OpenBook):
        return Code.BOOK_MUST_NOT_EXIST, "book"
    return Code.SAME_NUMBER, "request" if isinstance(command, RequestApproval) else "number"


def _by(given: ApprovalGiven | None) -> Approval | None:
    """What is booked by an approval, as ``decide`` wants to know it."""
    return Approval(given.request, given.actor) if given is not None else None


def _duplicate(known: Known, document: str | None) -> Outcome:
    return Outcome(Status.DUPLICATE, known.position, known.events, document, known.awaited)


def refused(refusal: Refusal, document: str | None = None) -> Outcome:
    """The outcome of a refusal: a conflict, where the id is known with another content."""
    return Outcome(
        Status.CONFLICT if refusal.code in CONFLICTS else Status.REFUSED,
        document=document,
        code=refusal.code.value,
        field=refusal.field,
        value=refusal.value,
        rule=refusal.rule,
    )


def as_unreadable(submission: Submission, refusal: Refusal) -> Unreadable:
    """A refused command, as it is kept in quarantine."""
    command = submission.command
    return Unreadable(
        book=command.book,
        source=command.source,
        source_id=command.source_id,
        origin=submission.origin or "",
        code=refusal.code.value,
        field=refusal.field,
        value=refusal.value,
        rule=refusal.rule,
        raw=COMMAND.dump_json(command, exclude_none=True).decode(),
        lane=submission.lane,
    )
