"""What open foreign items are worth at the rates of a day, at (E, K): the evidence that ``PostRevaluation`` stores.

Items of the monetary roles, by currency and control account, debit less credit. What was revalued for the same day before
is the balance of the revaluation account by the labels of its postings: that of an earlier day was taken back since.
"""

from collections import defaultdict

from domain.commands import RevaluationEvidence
from domain.revaluation import labels_of, valued
from domain.template import MONETARY_ROLES, REVALUATION
from ledger.outcomes import token
from projections.answers import RevaluationAnswer
from projections.books import accounts_of_role, book_at
from projections.items import open_at
from projections.rates import usable
from projections.trial_balance import trial_balance
from projections.view import Moment, Scope, View

_ROLES = ", ".join(f"'{role}'" for role in MONETARY_ROLES)


def revaluation(view: View, book: str, source: str, at: Moment) -> RevaluationAnswer | None:
    """The evidence by the rates of a source; currencies without a rate that may be used have no line.

    None where K is before the book.
    """
    state, on = book_at(view, book, at.position), at.day
    if state is None:
        return None
    rates = usable(view, book, source, on, at)
    query = open_at(Scope(book), at, "stream, role, account")
    rows = view.connection.execute(
        f"SELECT substr(stream, length(stream) - 2), account, sum(open), sum(open_base) FROM ({query.text}) i "
        f"WHERE role IN ({_ROLES}) GROUP BY 1, 2",
        query.parameters,
    )
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for currency, account, amount, base_amount in rows:
        if currency != state.base_currency and (amount or base_amount):
            sums[currency, account][:2] = amount, base_amount
    accounts = accounts_of_role(view, book, REVALUATION, at)
    for row in trial_balance(view, book, None, at):
        if row.account in accounts and row.base_closing:
            of = row.dimensions.get("currency", ""), row.dimensions.get("control_account", "")
            if row.dimensions == labels_of(*of):
                sums[of][2] += row.base_closing
    lines = [
        valued(
            RevaluationEvidence(
                currency=currency,
                account=account,
                amount=amount,
                base_amount=base_amount,
                rate=rates[currency].rate,
                rate_on=rates[currency].day,
                before=before,
            ),
            state.base_currency,
        )
        for (currency, account), (amount, base_amount, before) in sorted(sums.items())
        if currency in rates
    ]
    return RevaluationAnswer(
        effective_on=on,
        position=token(at.position),
        book_version=state.version,
        rate_source=source,
        lines=lines,
        missing=sorted({currency for currency, _ in sums if currency not in rates}),
        difference=sum(line.difference for line in lines),
    )
