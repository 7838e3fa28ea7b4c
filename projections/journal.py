"""The journal 凭证 and the audit trail 审计轨迹, read from the log and the receipts: no table repeats them.

Events that one command booked in one stream form one voucher; they lie next to each other in the log, since a commit is
written as one. Both are walked in log order, with one voucher in memory at a time.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby, islice

from domain.documents import approval_stream
from domain.events import ApprovalEvent, DeferredFactApplied, DeferredFactRejected, FactDeferred, Voucher
from ledger.outcomes import token
from projections import log
from projections.answers import Approved, AuditRow, JournalEntry
from projections.log import Logged
from projections.view import Moment, View


def journal(
    view: View,
    book: str,
    from_on: date | None,
    to_on: date | None,
    customer: str | None,
    account: str | None,
    at: Moment,
    after: int = 0,
    limit: int | None = None,
) -> Iterator[JournalEntry]:
    """Events that move value on the days asked for, from after a position; with ``account`` the vouchers that post to it."""
    if after >= at.position:
        return iter(())
    begin = _before_voucher(view, after) if after and account is not None else after
    entries = _entries(view, book, from_on, to_on, customer, account, at, begin)
    return islice((entry for position, entry in entries if position > after), limit)


def _entries(
    view: View,
    book: str,
    from_on: date | None,
    to_on: date | None,
    customer: str | None,
    account: str | None,
    at: Moment,
    after: int,
) -> Iterator[tuple[int, JournalEntry]]:
    if customer is None:
        found = log.events(view.connection, book, at.position, after)
    else:
        streams = log.account_streams(view.connection, book, customer)
        found = log.events_of(view.connection, streams, at.position, after)

    def of_days(logged: Logged) -> bool:
        assert isinstance(logged.event, Voucher)
        on = logged.event.effective_on
        return at.covers(on) and (from_on is None or from_on <= on) and (to_on is None or on <= to_on)

    vouchers = (logged for logged in found if isinstance(logged.event, Voucher))
    for _, group in groupby(vouchers, key=lambda logged: (logged.stream, logged.event.source, logged.event.source_id)):
        events = list(group)
        shown = [logged for logged in events if of_days(logged)]
        if account is None or any(_posts_to(logged, account) for logged in shown):
            yield from ((logged.position, _entry(logged, events[-1].position)) for logged in shown)


def _before_voucher(view: View, position: int) -> int:
    """The position before the first event of the voucher that an event is of: it is shown, or not, as a whole."""
    last = next(log.events_at(view.connection, [position]))
    named = last.event.source, last.event.source_id
    for version in range(last.version - 1, 0, -1):
        found = log.event_at_version(view.connection, last.stream, version)
        assert found is not None, (last.stream, version)
        if (found.event.source, found.event.source_id) != named:
            break
        position = found.position
    return position - 1


def voucher(view: View, last: int, count: int) -> list[JournalEntry]:
    """The voucher of one command: its events end at a position, and are so many."""
    found = log.events_at(view.connection, range(last - count + 1, last + 1))
    return [_entry(logged, last) for logged in found if isinstance(logged.event, Voucher)]


def _posts_to(logged: Logged, account: str) -> bool:
    assert isinstance(logged.event, Voucher)
    return any(posting.account == account for posting in logged.event.postings)


def _entry(logged: Logged, voucher: int) -> JournalEntry:
    event, name, currency = logged.event, logged.account, logged.currency
    assert isinstance(event, Voucher)
    assert currency is not None
    return JournalEntry(
        position=token(logged.position),
        voucher=token(voucher),
        event=logged.event_id,
        kind=logged.kind,
        recorded_at=logged.recorded_at,
        effective_on=event.effective_on,
        requested_effective_on=event.requested_effective_on,
        customer=name.customer if name is not None else None,
        currency=currency,
        document=logged.document,
        caused_by=event.caused_by,
        source=event.source,
        source_id=event.source_id,
        actor=event.actor,
        reason=event.reason,
        postings=event.postings,
    )


def audit(
    view: View,
    book: str,
    customer: str | None,
    document: str | None,
    after: int,
    limit: int | None,
    at: Moment,
) -> Iterator[AuditRow]:
    """Who booked what, when and why; those effective after E left out, events without an effective day never."""
    rows = (audit_row(view, logged) for logged in _audited(view, book, customer, document, after, at))
    return islice((row for row in rows if customer is None or row.customer == customer), limit)


def _audited(
    view: View, book: str, customer: str | None, document: str | None, after: int, at: Moment
) -> Iterator[Logged]:
    connection = view.connection
    found: Iterable[Logged]
    if document is not None:
        found = log.events_concerning(connection, book, document, at.position, after)
    elif customer is not None:
        # Facts of his that wait, or waited, lie in streams of the documents that they await; so do requests, by number.
        streams = log.account_streams(connection, book, customer) + log.waiting_streams(connection, book)
        streams += log.approval_streams(connection, book)
        found = log.events_of(connection, streams, at.position, after)
    else:
        found = log.events(connection, book, at.position, after)
    for logged in found:
        if not isinstance(logged.event, Voucher) or at.covers(logged.event.effective_on):
            yield logged


def audit_row(view: View, logged: Logged) -> AuditRow:
    """An event with its origin."""
    event = logged.event
    voucher = event if isinstance(event, Voucher) else None
    waits = _waiting(view, logged)
    name = logged.account or waits
    return AuditRow(
        position=token(logged.position),
        event=logged.event_id,
        kind=logged.kind,
        recorded_at=logged.recorded_at,
        effective_on=voucher.effective_on if voucher else None,
        requested_effective_on=voucher.requested_effective_on if voucher else None,
        customer=name.customer if name else None,
        currency=name.currency if name else logged.currency,
        document=waits.document if isinstance(waits, FactDeferred) else logged.document,
        caused_by=voucher.caused_by if voucher else None,
        actor=event.actor,
        reason=event.reason,
        source=event.source,
        source_id=event.source_id,
        origin=log.origin(view.connection, event),
        approved=_approved(view, logged),
    )


def _approved(view: View, logged: Logged) -> Approved | None:
    """By which approval an event was booked: the second event of the request."""
    request = logged.event.approval
    if request is None:
        return None
    book = logged.stream.split(":", 2)[1]
    given = log.event_at_version(view.connection, approval_stream(book, request), 2)
    assert given is not None
    return Approved(request=request, by=given.event.actor, at=given.recorded_at, reason=given.event.reason)


def _waiting(view: View, logged: Logged) -> FactDeferred | ApprovalEvent | None:
    """What tells whose account an event of another stream concerns: a fact that waits or waited, or a request."""
    event = logged.event
    if isinstance(event, ApprovalEvent):
        return event
    if isinstance(event, (DeferredFactApplied, DeferredFactRejected)):
        fact = log.event_at_version(view.connection, logged.stream, event.fact)
        assert fact is not None
        event = fact.event
    return event if isinstance(event, FactDeferred) else None
