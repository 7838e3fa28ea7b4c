"""Revenue over time: what is deferred and recognised by month, and which documents have more to recognise.

Both sides of the tie come from different tables: ``deferral`` has what documents and recognitions say, ``turnover`` what is
posted to the accounts of deferred revenue, those that the book's own posting templates name. Amounts are credit less debit.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from domain.documents import account_stream
from domain.history import Source, fold
from domain.recognition import earned_parts
from domain.template import DEFERRED_REVENUE
from projections import log
from projections.accounts import Where, account_of, by_account, paged
from projections.answers import DeferredMonth, DueRecognition
from projections.books import accounts_of_role
from projections.trial_balance import credited_by_month
from projections.view import Moment, Scope, View

_DEFERRALS = Where("deferral", "stream")
_MONTHS = """SELECT substr(stream, length(stream) - 2), substr(effective_on, 1, 7), sum(deferred), sum(recognised),
    sum(base_deferred), sum(base_recognised) FROM deferral d
    WHERE {scope} AND position <= :K AND (:E IS NULL OR effective_on <= :E) GROUP BY 1, 2"""


def deferred(view: View, book: str, at: Moment) -> list[DeferredMonth]:
    """By currency and month: opening, deferred, recognised and closing, and what the accounts have at the end of it."""
    words, values = Scope(book).condition("d")
    found: dict[tuple[str, str], tuple[int, ...]] = defaultdict(lambda: (0, 0, 0, 0))
    for currency, month, *amounts in view.connection.execute(_MONTHS.format(scope=words), values | at.parameters):
        found[currency, month] = tuple(int(amount) for amount in amounts)
    posted = credited_by_month(view, book, accounts_of_role(view, book, DEFERRED_REVENUE, at), at)
    rows: list[DeferredMonth] = []
    opening, base_opening, account, base_account = 0, 0, 0, 0
    for currency, month in sorted({*found, *posted}):
        if not rows or rows[-1].currency != currency:
            opening, base_opening, account, base_account = 0, 0, 0, 0
        added, earned, base_added, base_earned = found[currency, month]
        of_month, base_of_month = posted.get((currency, month), (0, 0))
        account, base_account = account + of_month, base_account + base_of_month
        row = DeferredMonth(
            period=month,
            currency=currency,
            opening=opening,
            deferred=added,
            recognised=earned,
            closing=opening + added - earned,
            account=account,
            base_opening=base_opening,
            base_deferred=base_added,
            base_recognised=base_earned,
            base_closing=base_opening + base_added - base_earned,
            base_account=base_account,
        )
        opening, base_opening = row.closing, row.base_closing
        rows.append(row)
    return rows


_DUE = """SELECT stream, document FROM deferral d WHERE {scope} AND position <= :K
    AND (stream != :begun OR document > :document) GROUP BY stream, document
    HAVING sum(undone) = 0 AND max(service_from) > '' AND max(service_from) <= :until AND max(until_on) < :until
    AND max(until_on) < max(service_to) AND max(CASE WHEN service_from > '' THEN effective_on ELSE '' END) <= :until
    ORDER BY {account}, document"""


def due(
    view: View,
    scope: Scope,
    until_on: date,
    at: Moment,
    after: Sequence[str] | None = None,
    limit: int | None = None,
) -> Iterator[DueRecognition]:
    """The documents of which more is earned up to a day than was recognised, and how much; as known at K, whatever E is.

    By customer, currency and document. Only documents with deferred revenue are looked through, and of those only what
    may be due is read from the log.
    """

    def answer(some: Scope) -> Iterator[DueRecognition]:
        return _due(view, some, until_on, at, after)

    return paged(view, scope, at, answer, after, limit, among=_DEFERRALS)


def _due(view: View, scope: Scope, until_on: date, at: Moment, after: Sequence[str] | None) -> Iterator[DueRecognition]:
    words, values = scope.condition("d")
    begun = {"begun": "", "document": ""}
    if after is not None:
        # What is due of a document takes longer to tell than that it may be.
        customer, currency, document = after
        begun = {"begun": account_stream(scope.book, customer, currency), "document": document}
    parameters: dict[str, Any] = values | begun | {"K": at.position, "until": until_on.isoformat()}
    statement = _DUE.format(scope=words, account=by_account(scope.book))
    for stream, document in view.connection.execute(statement, parameters).fetchall():
        concerning = log.events_concerning(view.connection, scope.book, document, at.position)
        history = fold(document, (Source(one.stream, one.version, one.event) for one in concerning))
        parts = earned_parts(history.own, history.recognised, until_on)
        if parts:
            name = account_of(stream)
            yield DueRecognition(
                customer=name.customer,
                currency=name.currency,
                document=document,
                amount=sum(part.amount for part in parts),
                base_amount=sum(part.base_amount for part in parts),
            )
