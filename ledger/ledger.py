"""The ledger: the one writer of the log.

``submit`` takes a batch of entries and answers an outcome each. The events, the register, quarantine and tracking are
one transaction; a crash leaves all of a batch or nothing. A batch is decided without holding the head, on what the log
was; where another writer was first, it is decided again, never retried blindly.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from time import time_ns
from traceback import extract_tb
from typing import Any, ClassVar, Self

import msgspec
import structlog
from eventsourcing.application import Application
from eventsourcing.persistence import DataError, IntegrityError, OperationalError, Tracking

from domain.account import Account, AccountState, evolve, from_snapshot
from domain.book import Book
from domain.documents import account_stream, parse_account_stream
from domain.events import CreditNoteIssued, InvoiceIssued, Line
from domain.refusals import Code, Refusal
from domain.waiting import asked_for
from ledger.approvals import Request, requests
from ledger.attachments import attached_lines
from ledger.beside import Beside
from ledger.codec import Recorded
from ledger.commit import PROVISIONAL, Advance, Commit, real
from ledger.database import Location
from ledger.deciding import Batch, Deciding, as_unreadable, refused
from ledger.errors import Contention, GenerationMoved, StaleTracking
from ledger.head import Head
from ledger.outcomes import FAILED, Entry, Outcome, Status, Submission
from ledger.parties import Party
from ledger.quarantine import Parked, Quarantined
from ledger.recorder import LedgerFactory, LedgerRecorder
from ledger.register import Entries, Keyed, Register
from ledger.state import SITUATION, State
from ledger.store import check, connect
from ledger.waiting import WaitingFact

log = structlog.get_logger(__name__)

_RECORDED = "SELECT recorded_us FROM events WHERE shard = 0 AND originator_id = ? AND originator_version = ?"
ATTEMPTS = 20
AT_ONCE = 10
"""Attempts on what others may have changed meanwhile; at each later one nobody else can commit."""
FAULTS = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What a fault of ours with one command may show as."""


class Ledger(Application[str]):
    """The ledger of one store. Thread-safe; several processes may write to one store."""

    env: ClassVar[dict[str, str]] = {
        "PERSISTENCE_MODULE": "ledger.recorder:LedgerFactory",
        "MAPPER_TOPIC": "ledger.mapper:LedgerMapper",
        "ORIGINATOR_ID_TYPE": "text",
        "IS_SNAPSHOTTING_ENABLED": "y",
    }
    recorder: LedgerRecorder

    @classmethod
    def open(cls, location: Location) -> Self:
        """The ledger of an existing store. Raises ``StoreMissing`` or ``StoreOutdated``."""
        return cls(check(location))

    def __init__(self, location: Location) -> None:
        super().__init__({LedgerFactory.LOCATION: str(location)})
        self.location = location
        self._lock = threading.RLock()
        self._connection = connect(location)
        self._register = Register(self._connection)
        self._beside = Beside(self._connection)
        self._state = State(self._connection)

    def construct_recorder(self) -> LedgerRecorder:
        """Ours is the library's process recorder: events and tracking in one transaction."""
        recorder = self.factory.process_recorder()
        assert isinstance(recorder, LedgerRecorder)
        return recorder

    def close(self) -> None:
        """Let go of the store."""
        connection: Any = getattr(self, "_connection", None)
        if connection is not None:
            connection.close()
            self.recorder.close()
        super().close()

    @property
    def ledgers(self) -> "tuple[Ledger, ...]":
        """Itself: what reads a feed may also have several stores to book into (``ledger.shards``)."""
        return (self,)

    # --- writing

    def submit(
        self,
        batch: Sequence[Entry],
        *,
        now_us: int | None = None,
        tracking: Sequence[Tracking] = (),
        whole: bool = False,
    ) -> list[Outcome]:
        """Book a batch in one commit; an outcome each, in order.

        ``whole``: all or nothing; if any is refused or in conflict, those that were not are ``not_booked``.
        ``now_us``: the instant in microseconds since 1970 UTC, by default the clock's. ``tracking`` is saved in the
        same transaction, and with it ``StaleTracking`` keeps a batch that was booked before from being booked again
        (with ``ledger.commit.Advance``: any part of it). A
        command that makes us fail is found by halving the batch, and is its own outcome; its neighbours are booked.
        Raises ``Contention``, or the database's error. Then nothing of the batch is booked, unless the connection was
        lost for so long that it is not known; the same batch may be sent again in any case.
        """
        with self._lock:
            try:
                return self._submit(batch, now_us, tracking, whole)
            except (StaleTracking, OperationalError):
                self._state.forget()
                raise
            except (DataError, *FAULTS) as error:
                self._state.forget()
                if not batch or (whole and len(batch) > 1):
                    raise
                if len(batch) > 1:
                    middle = len(batch) // 2
                    first = self.submit(batch[:middle], now_us=now_us)
                    return first + self.submit(batch[middle:], now_us=now_us, tracking=tracking)
                return [self._unexpected(batch[0], error, now_us, tracking)]
            except BaseException:
                self._state.forget()
                raise

    def _submit(
        self, batch: Sequence[Entry], now_us: int | None, tracking: Sequence[Tracking], whole: bool
    ) -> list[Outcome]:
        fresh = False
        named = Batch(batch)
        for attempt in range(ATTEMPTS):
            touched: list[Account] = []
            try:
                # Whoever is slower than the others would never be first: it decides while nobody else can commit.
                with nullcontext(self._commit) if attempt < AT_ONCE else self.recorder.turn() as write:
                    self._refuse_stale(tracking)
                    generation, found = self._look_up(named)
                    instant = time_ns() // 1000 if now_us is None else now_us
                    deciding = Deciding(self._state, self._register, instant)
                    try:
                        outcomes = deciding.run(named, found)
                    except FAULTS:
                        # An account that is behind what the register says of its documents is no fault of ours.
                        self._state.forget()
                        if fresh:
                            raise
                        fresh = True
                        continue
                    touched = list(deciding.touched.values())
                    if self._state.any_behind(deciding.refused_at):
                        # Refused on an account as it was before another writer booked something: not a refusal yet.
                        self._state.forget()
                        continue
                    if whole and any(outcome.status in FAILED for outcome in outcomes):
                        self._state.forget(touched)
                        return [_not_booked(outcome) for outcome in outcomes]
                    if not (deciding.recorded or deciding.entries or tracking):
                        return outcomes
                    commit = Commit(
                        events=deciding.rows,
                        entries=deciding.entries,
                        tracking=tracking,
                        generation=generation,
                        changes=deciding.changes,
                        now_us=now_us,
                    )
                    head = write(commit)
            except StaleTracking:
                raise
            except (GenerationMoved, IntegrityError):
                # Another writer was first. What was evolved for this batch is dropped, and the batch decided again.
                self._state.forget(touched)
                continue
            # Of this commit, not of the log: what others changed since has not been seen.
            self._state.generation = generation + deciding.changes
            self._state.settle_down(touched)
            base = head.position - len(commit.events)
            return [_at(outcome, base) for outcome in outcomes]
        raise Contention(f"other writers were first {ATTEMPTS} times; nothing of the batch was booked")

    def rehearse(self, batch: Sequence[Entry], *, now_us: int | None = None) -> tuple[list[Outcome], list[Recorded]]:
        """What would become of a batch now, and the events that it would add; nothing is written.

        Outcomes are without positions, which only a commit gives. Raises the database's error, or one of ours.
        """
        with self._lock:
            for is_last in (False, True):
                # Nothing remembered may be behind, since no commit will find that out.
                self._state.forget()
                named = Batch(batch)
                _, found = self._look_up(named)
                deciding = Deciding(self._state, self._register, time_ns() // 1000 if now_us is None else now_us)
                try:
                    outcomes = deciding.run(named, found)
                except FAULTS:
                    # An account that was read just before another writer changed what the register says of it.
                    if is_last:
                        raise
                else:
                    return [_unplaced(outcome) for outcome in outcomes], deciding.recorded
                finally:
                    # Working copies have gone on to what is not going to be.
                    self._state.forget()
        raise AssertionError("the last attempt answers or raises")

    def _look_up(self, batch: Batch) -> tuple[int, tuple[Keyed, Keyed]]:
        """The generation of the log, and what the register knows of a batch: one round trip."""
        lookup = batch.lookup(self._connection)
        [situation], *rows = self._connection.together([(SITUATION, ()), *lookup.statements])
        return self._state.caught_up(situation), lookup.found(rows)

    def _refuse_stale(self, tracking: Sequence[Tracking]) -> None:
        for one in tracking:
            saved = self.recorder.max_tracking_id(one.application_name) or 0
            if saved != one.before if isinstance(one, Advance) else saved >= one.notification_id:
                raise StaleTracking(f"{one.application_name} stands at {saved}")

    def _commit(self, commit: Commit) -> Head:
        """Write a commit; whether it was done is found out, if the connection is lost over it."""
        try:
            return self.recorder.commit(commit)
        except OperationalError:
            head = self.recorder.settle(commit)
            if head is None:
                raise
            return head

    def _unexpected(self, entry: Entry, error: Exception, now_us: int | None, tracking: Sequence[Tracking]) -> Outcome:
        """An error of ours with one entry: logged, answered, and kept in quarantine where that is asked for."""
        command = entry.command if isinstance(entry, Submission) else entry
        source_id = getattr(command, "source_id", None)
        # Without the text of the error, which may quote what a customer wrote.
        at = extract_tb(error.__traceback__)[-1]
        place = f"{at.filename}:{at.lineno}"
        log.error("command_failed", source=command.source, source_id=source_id, error=type(error).__name__, at=place)
        refusal = Refusal(Code.UNEXPECTED, "command", type(error).__name__)
        entries = Entries()
        if isinstance(entry, Submission) and entry.quarantine:
            entries.quarantine.append(as_unreadable(entry, refusal))
            if entry.parked is not None:
                entries.unparked.append(entry.parked)
        if entries or tracking:
            self.recorder.commit(Commit(entries=entries, tracking=tracking, now_us=now_us))
        return refused(refusal)

    # --- reading

    def head(self) -> Head:
        """The head row: last position, its instant, and the generation."""
        row = self._connection.execute("SELECT position, recorded_us, generation FROM ledger_head WHERE shard = 0")
        return Head(*row.fetchone())

    def book(self, book: str) -> Book | None:
        """A book as it stands, or None where it has not been opened."""
        with self._lock:
            self._state.catch_up()
            return self._state.book(book)

    def books(self) -> list[Book]:
        """All books, in the order in which they were opened."""
        with self._lock:
            found = [self.book(book) for book in self._state.books()]
        return [book for book in found if book is not None]

    def waiting(self, book: str | None = None) -> list[WaitingFact]:
        """The facts that wait for a document, of one book or of all, in the order of what they wait for."""
        with self._lock:
            self._state.catch_up()
            found = [
                WaitingFact(
                    book=stream.split(":", 2)[1],
                    awaited=fact.awaited,
                    document=fact.document,
                    customer=fact.customer,
                    currency=fact.currency,
                    source=fact.source,
                    source_id=fact.source_id,
                    effective_on=asked_for(fact),
                    since_us=self._connection.execute(_RECORDED, (stream, version)).fetchone()[0],
                )
                for stream, version, fact in self._state.all_waiting()
            ]
        return sorted((w for w in found if book in (None, w.book)), key=lambda w: (w.book, w.awaited, w.source_id))

    def approvals(self, book: str | None = None, *, every: bool = False) -> list[Request]:
        """The requests for approval that are pending, or all, of one book or of every one; by book and number."""
        with self._lock:
            return list(requests(self._connection, book, every=every))

    def lines(self, event: InvoiceIssued | CreditNoteIssued) -> list[Line]:
        """The lines of a document, from its event or from the attachment that they were put into."""
        if event.lines_digest is None:
            return event.lines
        attachment = self._beside.attachment(bytes.fromhex(event.lines_digest))
        assert attachment is not None, f"the attachment {event.lines_digest} of {event.document} is missing"
        return attached_lines(attachment)

    def account(self, book: str, customer: str, currency: str) -> Account:
        """A customer account, read from its stream. Raises the library's ``AggregateNotFoundError``."""
        stream = account_stream(book, customer, currency)
        account: Account = self.repository.get(stream, projector_func=_project)  # type: ignore[type-var,assignment]
        return account

    # --- beside the log

    def put_parties(self, parties: Iterable[Party]) -> int:
        """Set who customers are; how many."""
        with self._lock:
            return self._beside.put_parties(parties)

    def party(self, book: str, customer: str) -> Party | None:
        """Who a customer is, if anybody said."""
        return next(self._beside.parties(book, customer), None)

    def parties(self, book: str) -> Iterator[Party]:
        """The parties of a book, by customer."""
        return self._beside.parties(book)

    def erase_party(self, book: str, customer: str) -> bool:
        """Forget who a customer is; whether there was anything to forget. Its events hold nothing of it."""
        with self._lock:
            return self._beside.erase_party(book, customer)

    def quarantined(
        self, book: str | None = None, status: str | None = "open", *, after: int = 0
    ) -> Iterator[Quarantined]:
        """Entries in quarantine beyond the id ``after``, in order of arrival; ``status`` None: of every status."""
        return self._beside.quarantined(book, status, after=after)

    def quarantined_entry(self, entry: int) -> Quarantined | None:
        """One entry in quarantine, or None."""
        return next(self._beside.quarantined(status=None, entry=entry), None)

    def freed_lanes(self) -> list[str]:
        """Lanes with parked messages in which nothing stands in quarantine any more."""
        with self._lock:
            return self._beside.freed_lanes()

    def parked(self, lane: str | None = None) -> Iterator[Parked]:
        """Parked messages in the order of their arrival, of one lane or of all."""
        return self._beside.parked(lane)

    def pause(self, name: str, reason: str, *, now_us: int | None = None) -> bool:
        """Have what is called so pause, in every process, until it is resumed; whether it did not already."""
        with self._lock:
            return self._beside.pause(name, reason, time_ns() // 1000 if now_us is None else now_us)

    def resume(self, name: str) -> bool:
        """Let it go on; whether it was paused."""
        with self._lock:
            return self._beside.resume(name)

    def is_paused(self, name: str) -> bool:
        """Whether an operator has paused what is called so."""
        with self._lock:
            return self._beside.is_paused(name)

    def tracked(self, prefix: str) -> dict[str, int]:
        """Name → position of all tracking whose name starts so."""
        return self.recorder.tracked(prefix)


def _at(outcome: Outcome, base: int) -> Outcome:
    """An outcome with its real position, once the commit has given it."""
    position = outcome.position
    if position is None or position < PROVISIONAL:
        return outcome
    return msgspec.structs.replace(outcome, position=real(position, base))


def _unplaced(outcome: Outcome) -> Outcome:
    """An outcome without a position that no commit has given."""
    position = outcome.position
    return outcome if position is None or position < PROVISIONAL else msgspec.structs.replace(outcome, position=None)


def _not_booked(outcome: Outcome) -> Outcome:
    """The outcome of what was not booked for the sake of others; of one that was booked before, as it is."""
    if outcome.status not in (Status.BOOKED, Status.WAITING):
        return outcome
    return Outcome(Status.NOT_BOOKED, document=outcome.document)


def _project(account: Account | None, events: Iterable[Any]) -> Account | None:
    """The account after its events, the first of which may be a snapshot."""
    for recorded in events:
        if account is None:
            if isinstance(recorded.event, AccountState):
                account = from_snapshot(recorded.event)
                continue
            name = parse_account_stream(recorded.originator_id)
            assert name is not None
            account = Account(*name)
        evolve(account, recorded.event)
    return account
