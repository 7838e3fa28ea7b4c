"""What is known of a book's periods: which are closed, what a closing list finds, and what came too late for them.

Nothing is stored: closes are events of the book's stream, the list is asked of the projections and the ledger's tables,
and what was moved says itself where it belonged (identity 9).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

from domain.book import Book, evolve_book
from domain.documents import book_stream, parse_account_stream
from domain.events import PeriodClosed, PeriodReopened, Voucher
from domain.periods import days_of, period_of
from domain.template import CLEARING
from ledger.outcomes import token
from projections import log, trial_balance
from projections.answers import AsOf, ClosingFinding, MovedFact, PeriodRow
from projections.arrivals import Wanted
from projections.books import accounts_of_role
from projections.completeness import completeness
from projections.view import Moment, View


def closing_list(view: View, book: str, period: str, waiting: int) -> list[ClosingFinding]:
    """Each point of the closing list of a period, in the order of ``domain.periods.CHECKS``.

    ``waiting``: how many facts of the period wait for a document. Quarantine is as of now; the others are as of the
    period's last day, as known at the view's position.
    """
    last_on = days_of(period)[1]
    at = view.at(AsOf(last_on))
    days = completeness(view, Wanted(book, None, None, last_on), at, open_only=True)
    posted = trial_balance.trial_balance(view, book, None, at)
    accounts = accounts_of_role(view, book, CLEARING, at)
    in_flight = [row for row in posted if row.account in accounts and (row.closing or row.base_closing)]
    differing = [row for row in trial_balance.control(view, book, at, posted) if not row.holds]
    found = {
        "waiting": waiting,
        "quarantine": _unbooked(view, book),
        "completeness": sum(broken.open for day in days for broken in day.breaks),
        "clearing": len(in_flight),
        "control": len(differing),
    }
    return [ClosingFinding(check=check, holds=not count, found=count) for check, count in found.items()]


_UNBOOKED = """SELECT (SELECT count(*) FROM quarantine WHERE shard = 0 AND book = :book AND status = 'open')
    + (SELECT count(*) FROM parked WHERE shard = 0 AND book = :book)"""


def _unbooked(view: View, book: str) -> int:
    """Messages in quarantine, and those parked behind them."""
    (count,) = view.connection.execute(_UNBOOKED, {"book": book}).fetchone()
    return int(count)


def periods(view: View, book: str, today: date) -> list[PeriodRow]:
    """The periods that were ever closed, in order, and the open ones after the last of them up to today's."""
    rows: dict[str, PeriodRow] = {}
    state: Book | None = None
    for logged in log.events_of(view.connection, [book_stream(book)], view.position):
        event = logged.event
        state = evolve_book(state, event)
        if isinstance(event, (PeriodClosed, PeriodReopened)):
            rows[event.period] = PeriodRow(
                period=event.period,
                first_on=event.first_on,
                last_on=event.last_on,
                status="closed" if isinstance(event, PeriodClosed) else "reopened",
                actor=event.actor,
                reason=event.reason,
                position=token(logged.position),
                recorded_at=log.instant(logged.recorded_us),
                accepted=[c.check for c in event.checks if c.accepted] if isinstance(event, PeriodClosed) else [],
            )
    assert state is not None
    first = state.open_from if state.closed else today
    while first <= today:
        period = period_of(first)
        first_on, last_on = days_of(period)
        if period not in rows:
            rows[period] = PeriodRow(period=period, first_on=first_on, last_on=last_on, status="open")
        first = last_on + timedelta(days=1)
    return [rows[period] for period in sorted(rows)]


def moved(
    view: View, book: str, period: str | None, at: Moment, after: int = 0, limit: int | None = None
) -> Iterator[MovedFact]:
    """What belongs to a prior period: what was asked for a closed day, in log order; of one period or all.

    Only what was booked after a first close is looked through.
    """
    return islice(_moved(view, book, period, at, after), limit)


def _moved(view: View, book: str, period: str | None, at: Moment, after: int) -> Iterator[MovedFact]:
    since = _first_close(view, book)
    if since is None:
        return
    for logged in log.events(view.connection, book, at.position, max(since, after), b'"requested_effective_on"'):
        event = logged.event
        if not isinstance(event, Voucher) or event.requested_effective_on is None:
            continue
        # Allocations and releases have none: they move nothing between periods.
        document, asked = logged.document, event.requested_effective_on
        if document is None or period_of(asked) == period_of(event.effective_on) or not at.covers(event.effective_on):
            continue
        if period is not None and period_of(asked) != period:
            continue
        account = parse_account_stream(logged.stream)
        assert account is not None
        yield MovedFact(
            period=period_of(asked),
            requested_effective_on=asked,
            effective_on=event.effective_on,
            customer=account.customer,
            currency=account.currency,
            kind=logged.kind,
            document=document,
            amount=sum(p.amount for p in event.postings if p.side == "D"),
            event=logged.event_id,
            position=token(logged.position),
        )


def _first_close(view: View, book: str) -> int | None:
    for logged in log.events_of(view.connection, [book_stream(book)], view.position):
        if isinstance(logged.event, PeriodClosed):
            return logged.position
    return None
