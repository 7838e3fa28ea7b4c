"""Every question about the books, answered from the projections and the log, read-only."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from types import TracebackType
from typing import Self

from domain.book import Book
from domain.documents import AccountName, account_stream, parse_account_stream
from domain.events import AllowanceMatrix
from ledger.database import Connection, Location
from ledger.store import check, connect
from projections import (
    accounts,
    ageing,
    allocations,
    allowance,
    balance_history,
    changes,
    closing,
    completeness,
    deferred,
    differences,
    documents,
    dso,
    explaining,
    exposure,
    items,
    journal,
    log,
    payers,
    rates,
    revaluation,
    standing,
    statement,
    trial_balance,
    unusual,
)
from projections.answers import (
    AccountRow,
    AgeingRow,
    AllocationRow,
    AllowanceAnswer,
    AsOf,
    AuditRow,
    Balance,
    BalanceHistory,
    Changes,
    ClosingFinding,
    ControlRow,
    DeferredMonth,
    DocumentRow,
    DocumentView,
    Dso,
    DueRecognition,
    Explanation,
    Exposure,
    FeedDay,
    JournalEntry,
    MovedFact,
    OpenItem,
    Payer,
    PeriodRow,
    RateRow,
    RevaluationAnswer,
    SmallDifference,
    Statement,
    TrialBalanceRow,
    Unusual,
)
from projections.arrivals import Wanted
from projections.books import book_at
from projections.log import Logged
from projections.standing import NotFollowed
from projections.view import Scope, View, scope

__all__ = ["NotFollowed", "Reader"]


class Reader:
    """A read-only view of one store. Every answer is of one moment: ``position`` says of which.

    Lists that may be long are answered page by page too: ``limit`` rows from ``after`` the ``key`` of the last row of the
    page before, or its log position. A page costs the same wherever it begins. Pages that are asked for at the same two
    clocks, the position given, are those of one list, whatever is booked meanwhile.
    """

    def __init__(self, location: Location) -> None:
        """Open a store. Raises ``NotFollowed``, and what ``ledger.store.check`` and the database raise."""
        connection = connect(check(location), read_only=True)
        try:
            self._begin(connection, is_new=True)
        except BaseException:
            connection.close()
            raise

    @classmethod
    def over(cls, connection: Connection, *, is_new: bool) -> Self:
        """A reader by a connection of a pool, until that leaves the moment. Raises ``NotFollowed``."""
        reader = cls.__new__(cls)
        reader._begin(connection, is_new=is_new)
        return reader

    def _begin(self, connection: Connection, *, is_new: bool) -> None:
        """One read transaction from here to the end: all answers are of one moment.

        By a connection that ``is_new`` it is first seen to that all tables are there.
        """
        position = None
        if not is_new or standing.reached(connection) is not None:
            position = standing.moment(connection)
        if position is None:
            raise NotFollowed("there are no projections of this version: follow the log (or rebuild) first")
        self._connection = connection
        self._view = View(connection, position)

    def close(self) -> None:
        """Let go of the store."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def position(self) -> int:
        """The log position that the projections have reached: what ``AsOf.position`` None means."""
        return self._view.position

    def event(self, stream: str, version: int) -> Logged | None:
        """One event of a stream."""
        return log.event_at_version(self._connection, stream, version)

    def head(self) -> int:
        """The position of the last event of the log, which projections may not have reached."""
        return log.head(self._connection)

    def logged(self, after: int, upto: int) -> Iterator[Logged]:
        """The events after a position up to another, of all books, in log order; all of them are in memory at once."""
        return log.logged(self._connection, after, upto)

    def events(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        document: str | None = None,
        after: int = 0,
        as_of: AsOf = AsOf(),
    ) -> Iterator[Logged]:
        """The events of a book, of a customer's accounts, or those that concern a document, from after a position on."""
        upto = self._view.at(as_of).position
        if document is not None:
            return log.events_concerning(self._connection, book, document, upto, after)
        if customer is not None:
            streams = log.account_streams(self._connection, book, customer, currency)
            return log.events_of(self._connection, streams, upto, after)
        return log.events(self._connection, book, upto, after, ending=f":{currency}" if currency is not None else "")

    def version_at(self, stream: str, position: int) -> int:
        """The version that a stream had at a position, 0 before its first event; also beyond what was followed."""
        return log.version_at(self._connection, stream, position)

    def account_of(self, book: str, document: str) -> AccountName | None:
        """The customer account that a document is in, or will be in once it waits no more."""
        stream = log.account_stream_of(self._connection, book, document)
        return parse_account_stream(stream) if stream is not None else None

    def position_at(self, instant: datetime) -> int:
        """The greatest position followed that was recorded at an instant or before: what was known as of then.

        0 where nothing was. ValueError for an instant without a time zone.
        """
        return log.position_at(self._connection, log.microseconds(instant), self._view.position)

    def book(self, book: str, as_of: AsOf = AsOf()) -> Book | None:
        """A book as it was at a position; None where it was not open yet."""
        return book_at(self._view, book, self._view.at(as_of).position)

    def accounts(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        as_of: AsOf = AsOf(),
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[AccountRow]:
        """The accounts that have events, by customer and currency; as known at a position, whatever the day."""
        wanted = scope(self._view, book, customer, currency)
        return accounts.accounts(self._view, wanted, self._view.at(as_of), after, limit)

    def account_version(self, book: str, customer: str, currency: str, as_of: AsOf = AsOf()) -> int:
        """The version that a customer account had at a position, 0 where it had no event."""
        stream = account_stream(book, customer, currency)
        return log.version_at(self._connection, stream, self._view.at(as_of).position)

    def balances(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        as_of: AsOf = AsOf(),
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[Balance]:
        """What customers have on each control account, by customer, currency, account, role; those with something open."""
        wanted = scope(self._view, book, customer, currency)
        return items.balances(self._view, wanted, self._view.at(as_of), after, limit)

    def balances_of(
        self, book: str, accounts: Sequence[AccountName], as_of: AsOf = AsOf()
    ) -> dict[AccountName, list[Balance]]:
        """The balances of some customer accounts of a book, by one statement; an empty list for one without any."""
        streams = {account_stream(*name): name for name in accounts}
        found: dict[AccountName, list[Balance]] = {name: [] for name in accounts}
        for balance in items.balances(self._view, Scope(book, list(streams)), self._view.at(as_of)):
            found[AccountName(book, balance.customer, balance.currency)].append(balance)
        return found

    def items(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        as_of: AsOf = AsOf(),
        *,
        settled: bool = False,
        account: str | None = None,
        document: str | None = None,
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[OpenItem]:
        """Items with something open (``settled``: those with nothing open too), by customer, currency, due day, item."""
        wanted = scope(self._view, book, customer, currency, account, document)
        return items.items(self._view, wanted, self._view.at(as_of), settled=settled, after=after, limit=limit)

    def ageing(
        self,
        book: str,
        as_of: AsOf,
        buckets: Sequence[int] = (30, 60, 90),
        customer: str | None = None,
        currency: str | None = None,
        after: Sequence[str] | None = None,
        limit: int | None = None,
        *,
        by: str = "customer",
    ) -> list[AgeingRow]:
        """Ageing of each customer account with something open; ``as_of.effective_on`` must be given.

        ``by``: ``customer``; ``currency``, all customers taken together; or ``dimension:<name>``, by currency and value of
        a dimension of the items' postings. ValueError for anything else.
        """
        ageing.check_buckets(buckets)
        wanted, at = scope(self._view, book, customer, currency), self._view.at(as_of)
        return ageing.ageing_by(by, self._view, wanted, at, buckets, customer, after, limit)

    def ageing_totals(
        self,
        book: str,
        as_of: AsOf,
        buckets: Sequence[int] = (30, 60, 90),
        currency: str | None = None,
    ) -> list[AgeingRow]:
        """The same of all customers taken together, one row a currency, ``customer`` None."""
        ageing.check_buckets(buckets)
        return ageing.ageing_totals(self._view, scope(self._view, book, None, currency), self._view.at(as_of), buckets)

    def statement(
        self, book: str, customer: str, currency: str, from_on: date | None = None, as_of: AsOf = AsOf()
    ) -> Statement:
        """A customer account's statement; movements by day and log position, those that net to zero left out."""
        return statement.statement(self._view, book, customer, currency, from_on, self._view.at(as_of))

    def balance_history(
        self, book: str, customer: str, currency: str, from_on: date, to_on: date, as_of: AsOf = AsOf()
    ) -> BalanceHistory:
        """What a customer account had before a day, and at the end of each day up to another on which that changed."""
        at = self._view.at(as_of)
        return balance_history.balance_history(self._view, book, customer, currency, from_on, to_on, at)

    def changes(self, book: str, customer: str, currency: str, then: AsOf, as_of: AsOf = AsOf()) -> Changes:
        """What changed since a customer account's statement, of a day as known at a position."""
        return changes.changes(self._view, book, customer, currency, self._view.at(then), self._view.at(as_of))

    def dso(
        self,
        book: str,
        as_of: AsOf,
        days: int = 90,
        customer: str | None = None,
        currency: str | None = None,
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[Dso]:
        """Days sales outstanding of each customer account; ``as_of.effective_on`` must be given."""
        wanted = scope(self._view, book, customer, currency)
        return dso.dso(self._view, wanted, self._view.at(as_of), days, after, limit)

    def dso_totals(self, book: str, as_of: AsOf, days: int = 90, currency: str | None = None) -> list[Dso]:
        """The same of all customers taken together, one row a currency, ``customer`` None."""
        wanted = scope(self._view, book, None, currency)
        return dso.dso_totals(self._view, wanted, self._view.at(as_of), days)

    def payers(
        self,
        book: str,
        from_on: date,
        as_of: AsOf,
        customer: str | None = None,
        currency: str | None = None,
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[Payer]:
        """How many days customers took to pay what they paid from a day to ``as_of.effective_on``, which must be given."""
        wanted = scope(self._view, book, customer, currency)
        return payers.payers(self._view, wanted, from_on, self._view.at(as_of), after, limit)

    def exposures(
        self,
        book: str,
        as_of: AsOf,
        overdue_days: int = 30,
        customer: str | None = None,
        currency: str | None = None,
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[Exposure]:
        """Limits, exposures, and whom to hold; ``as_of.effective_on`` must be given."""
        wanted = scope(self._view, book, customer, currency)
        return exposure.exposures(self._view, wanted, self._view.at(as_of), overdue_days, after, limit)

    def unusual(
        self, book: str, as_of: AsOf, times: int = 3, customer: str | None = None, currency: str | None = None
    ) -> list[Unusual]:
        """Credit balances, jumps and flagged events, with their evidence; ``as_of.effective_on`` must be given."""
        return unusual.unusual(self._view, scope(self._view, book, customer, currency), self._view.at(as_of), times)

    def journal(
        self,
        book: str,
        from_on: date | None = None,
        to_on: date | None = None,
        customer: str | None = None,
        account: str | None = None,
        as_of: AsOf = AsOf(),
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[JournalEntry]:
        """Events that move value, in log order; with ``account`` those that post to it (the whole voucher each)."""
        at = self._view.at(as_of)
        return journal.journal(self._view, book, from_on, to_on, customer, account, at, after, limit)

    def voucher(self, last: int, count: int) -> list[JournalEntry]:
        """The voucher that one command booked, by the outcome of it: the position of its last event, and how many."""
        return journal.voucher(self._view, last, count)

    def allowance(
        self, book: str, matrix: AllowanceMatrix | None = None, as_of: AsOf = AsOf()
    ) -> AllowanceAnswer | None:
        """What the book's provision matrix, or another, requires on ``as_of.effective_on``; None where it has none."""
        return allowance.allowance(self._view, book, matrix, self._view.at(as_of))

    def rates(self, book: str, source: str | None = None, as_of: AsOf = AsOf()) -> list[RateRow]:
        """By source and currency the rate of the latest day up to ``as_of.effective_on``, and what it superseded."""
        return rates.rates(self._view, book, source, self._view.at(as_of))

    def stated_rates(self, book: str, source: str) -> dict[tuple[date, str], str]:
        """The rate that a source states now of each day and currency."""
        return rates.stated(self._view, book, source)

    def revaluation(self, book: str, source: str, as_of: AsOf) -> RevaluationAnswer | None:
        """What open foreign items are worth at a source's rates of ``as_of.effective_on``, which must be given.

        None where the book was not open yet as known then.
        """
        return revaluation.revaluation(self._view, book, source, self._view.at(as_of))

    def trial_balance(self, book: str, from_on: date | None = None, as_of: AsOf = AsOf()) -> list[TrialBalanceRow]:
        """Opening, turnover and closing by account, currency and dimensions; ``from_on`` None: from the beginning."""
        return trial_balance.trial_balance(self._view, book, from_on, self._view.at(as_of))

    def document(self, book: str, document: str, as_of: AsOf = AsOf()) -> DocumentView | None:
        """A document with its items, links and history; None where it is not known."""
        return documents.document(self._view, book, document, self._view.at(as_of))

    def documents(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        kind: str | None = None,
        as_of: AsOf = AsOf(),
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[DocumentRow]:
        """Documents, in log order."""
        return documents.documents(self._view, book, customer, currency, kind, self._view.at(as_of), after, limit)

    def allocations(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        document: str | None = None,
        as_of: AsOf = AsOf(),
        after: tuple[int, int] | None = None,
        limit: int | None = None,
    ) -> Iterator[AllocationRow]:
        """Which items settle which, with ``document`` those of its items; in log order."""
        at = self._view.at(as_of)
        return allocations.allocations(self._view, book, customer, currency, document, at, after, limit)

    def audit(
        self,
        book: str,
        customer: str | None = None,
        document: str | None = None,
        after: int = 0,
        limit: int | None = None,
        as_of: AsOf = AsOf(),
    ) -> Iterator[AuditRow]:
        """Who booked what, when and why, in log order, from after a position."""
        return journal.audit(self._view, book, customer, document, after, limit, self._view.at(as_of))

    def explain(self, selector: str) -> Explanation:
        """The number that a selector stands for and every posting behind it; ValueError where the text is none."""
        return explaining.explain(self._view, selector)

    def completeness(
        self,
        book: str,
        feed: str | None = None,
        from_on: date | None = None,
        to_on: date | None = None,
        as_of: AsOf = AsOf(),
        *,
        open_only: bool = False,
    ) -> list[FeedDay]:
        """What producers stated of their messages against what became of them, by feed, day and currency.

        Without ``feed``: of the feeds of which totals are stated or whose messages are numbered. As known at a position
        as far as the log tells it: quarantine, parked messages and doubles are as of now. ``open_only``: only what has an
        open break.
        """
        wanted = Wanted(book, feed, from_on, to_on)
        return completeness.completeness(self._view, wanted, self._view.at(as_of), open_only=open_only)

    def closing_list(self, book: str, period: str, waiting: int) -> list[ClosingFinding]:
        """Each point of the closing list of a period; ``waiting``: how many facts of it wait for a document."""
        return closing.closing_list(self._view, book, period, waiting)

    def periods(self, book: str, today: date) -> list[PeriodRow]:
        """The periods that were ever closed, in order, and the open ones after them up to today's."""
        return closing.periods(self._view, book, today)

    def differences(
        self,
        book: Book,
        customer: str | None = None,
        currency: str | None = None,
        from_on: date | None = None,
        as_of: AsOf = AsOf(),
        after: tuple[str, int, int] | None = None,
        limit: int | None = None,
    ) -> Iterator[SmallDifference]:
        """Where every cent of tolerance and cash discount went, role after role, each in log order."""
        at = self._view.at(as_of)
        return differences.differences(self._view, book, customer, currency, from_on, at, after, limit)

    def moved(
        self,
        book: str,
        period: str | None = None,
        as_of: AsOf = AsOf(),
        after: int = 0,
        limit: int | None = None,
    ) -> Iterator[MovedFact]:
        """What was asked for a closed period and booked later, in log order."""
        return closing.moved(self._view, book, period, self._view.at(as_of), after, limit)

    def deferred(self, book: str, as_of: AsOf = AsOf()) -> list[DeferredMonth]:
        """Deferred revenue by currency and month, against the accounts it is held on."""
        return deferred.deferred(self._view, book, self._view.at(as_of))

    def due_recognitions(
        self,
        book: str,
        until_on: date,
        customer: str | None = None,
        as_of: AsOf = AsOf(),
        after: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> Iterator[DueRecognition]:
        """The documents of which more is earned up to a day than was recognised; as known at a position."""
        return deferred.due(self._view, scope(self._view, book, customer), until_on, self._view.at(as_of), after, limit)

    def control(self, book: str, as_of: AsOf = AsOf()) -> list[ControlRow]:
        """Identity 2: open items against postings, by control account, currency and dimensions."""
        return trial_balance.control(self._view, book, self._view.at(as_of))
