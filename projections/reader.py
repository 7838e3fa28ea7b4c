"""Every question about the books, answered from the projections and the log, read-only."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from projections.answers import (
    AgeingRow,
    AsOf,
    AuditRow,
    Balance,
    ControlRow,
    DocumentRow,
    DocumentView,
    Explanation,
    JournalEntry,
    OpenItem,
    Statement,
    TrialBalanceRow,
)


class NotFollowed(Exception):
    """The projections do not reach the position asked for, or are of another version: follow (or rebuild) first."""


class Reader:
    """A read-only view of one store. Every answer is of one moment: ``position`` says of which."""

    def __init__(self, path: str | Path) -> None:
        """Open the SQLite file of a store."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    @property
    def position(self) -> int:
        """The log position that the projections have reached: what ``AsOf.position`` None means."""
        raise NotImplementedError

    def balances(
        self, book: str, customer: str | None = None, currency: str | None = None, as_of: AsOf = AsOf()
    ) -> list[Balance]:
        """What customers have on each control account, by customer, currency, account; those with something open."""
        raise NotImplementedError

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
    ) -> Iterator[OpenItem]:
        """Items with something open (``settled``: those with nothing open too), by customer, currency, due day, item."""
        raise NotImplementedError

    def ageing(
        self,
        book: str,
        as_of: AsOf,
        buckets: Sequence[int] = (30, 60, 90),
        customer: str | None = None,
        currency: str | None = None,
    ) -> list[AgeingRow]:
        """Ageing of each customer account with something open; ``as_of.effective_on`` must be given."""
        raise NotImplementedError

    def ageing_totals(
        self,
        book: str,
        as_of: AsOf,
        buckets: Sequence[int] = (30, 60, 90),
        currency: str | None = None,
    ) -> list[AgeingRow]:
        """The same of all customers taken together, one row a currency, ``customer`` None."""
        raise NotImplementedError

    def statement(
        self, book: str, customer: str, currency: str, from_on: date | None = None, as_of: AsOf = AsOf()
    ) -> Statement:
        """A customer account's statement; movements by day and log position, those that net to zero left out."""
        raise NotImplementedError

    def journal(
        self,
        book: str,
        from_on: date | None = None,
        to_on: date | None = None,
        customer: str | None = None,
        account: str | None = None,
        as_of: AsOf = AsOf(),
    ) -> Iterator[JournalEntry]:
        """Events that move value, in log order; with ``account`` those that post to it (the whole voucher each)."""
        raise NotImplementedError

    def trial_balance(self, book: str, from_on: date | None = None, as_of: AsOf = AsOf()) -> list[TrialBalanceRow]:
        """Opening, turnover and closing by account, currency and dimensions; ``from_on`` None: from the beginning."""
        raise NotImplementedError

    def document(self, book: str, document: str, as_of: AsOf = AsOf()) -> DocumentView | None:
        """A document with its items, links and history; None where it is not known."""
        raise NotImplementedError

    def documents(
        self,
        book: str,
        customer: str | None = None,
        currency: str | None = None,
        kind: str | None = None,
        as_of: AsOf = AsOf(),
    ) -> Iterator[DocumentRow]:
        """Documents, in log order."""
        raise NotImplementedError

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
        raise NotImplementedError

    def explain(self, selector: str) -> Explanation:
        """The number that a selector stands for and every posting behind it; ValueError where the text is none."""
        raise NotImplementedError

    def control(self, book: str, as_of: AsOf = AsOf()) -> list[ControlRow]:
        """Identity 2: open items against postings, by control account, currency and dimensions."""
        raise NotImplementedError
