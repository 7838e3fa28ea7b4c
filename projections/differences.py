"""Where every cent of tolerance went: the postings to the roles of short payments, small balances, kept overpayments and
cash discounts, each with its reason and the payment that it is linked to.

The rows are the postings themselves, reversals among them, so they sum to what the trial balance has of these roles.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice

from domain.adjustment import TOLERANCE_REASONS
from domain.book import Book
from domain.events import AdjustmentPosted, DocumentReversed, Event, Voucher
from domain.history import enters
from domain.periods import period_of
from domain.round_off import CASH_DISCOUNT
from ledger.outcomes import token
from projections import log
from projections.answers import SmallDifference
from projections.log import Logged
from projections.view import Moment, View

REASONS = (*sorted(TOLERANCE_REASONS), CASH_DISCOUNT)


def differences(
    view: View,
    book: Book,
    customer: str | None,
    currency: str | None,
    from_on: date | None,
    at: Moment,
    after: tuple[str, int, int] | None = None,
    limit: int | None = None,
) -> Iterator[SmallDifference]:
    """What was posted to these roles on the days asked for: role after role, each in log order, from after a key."""
    found = _differences(view, book, customer, currency, from_on, at, after)
    return islice((one for one in found if after is None or one.key > tuple(after)), limit)


def _differences(
    view: View,
    book: Book,
    customer: str | None,
    currency: str | None,
    from_on: date | None,
    at: Moment,
    after: tuple[str, int, int] | None,
) -> Iterator[SmallDifference]:
    roles = sorted({book.template.reasons.get(reason, reason) for reason in REASONS})
    begun, position, _ = after or ("", 0, 0)
    for role in roles:
        if role < begun:
            continue
        # An event may post to a role twice. Bodies are searched for the role's name before they are decoded.
        since = max(position - 1, 0) if role == begun else 0
        for logged in log.events(view.connection, book.book, at.position, since, f'"{role}"'.encode()):
            event, account = logged.event, logged.account
            if account is None or not isinstance(event, Voucher) or not at.covers(event.effective_on):
                continue
            if customer not in (None, account.customer) or currency not in (None, account.currency):
                continue
            if from_on is None or event.effective_on >= from_on:
                yield from _of(view, logged, event, role)


def _of(view: View, logged: Logged, event: Voucher, role: str) -> Iterator[SmallDifference]:
    account = logged.account
    assert account is not None
    made = _undone(view, event) if isinstance(event, DocumentReversed) else event
    adjusted = made if isinstance(made, AdjustmentPosted) else None
    for number, posting in enumerate(event.postings, 1):
        if posting.role != role:
            continue
        sign = 1 if posting.side == "D" else -1
        yield SmallDifference(
            customer=account.customer,
            currency=account.currency,
            reason_code=adjusted.reason_code if adjusted is not None else role,
            role=role,
            account=posting.account,
            period=period_of(event.effective_on),
            effective_on=event.effective_on,
            kind=logged.kind,
            document=enters(made),
            item=adjusted.item if adjusted is not None else None,
            linked_to=adjusted.linked_to if adjusted is not None else None,
            amount=sign * posting.amount,
            base_amount=sign * posting.base_amount,
            event=logged.event_id,
            position=token(logged.position),
            posting=number,
        )


def _undone(view: View, event: DocumentReversed) -> Event:
    """The event that a reversal undoes."""
    stream, _, version = event.event.rpartition(":")
    found = log.event_at_version(view.connection, stream, int(version))
    assert found is not None, event.event
    return found.event
