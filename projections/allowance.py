"""What an allowance for bad debts is computed from, at (E, K): the evidence that ``PostAllowance`` stores.

Gross are the debit items of the receivable role; what a customer has in credit does not reduce them. The allowance
account's balance is that of the trial balance, over all currencies in base amounts: what was posted to it before, less
write-offs from it, and recoveries into it.
"""

from collections import defaultdict

import msgspec

from domain.allowance import group_of, required
from domain.events import AllowanceLine, AllowanceMatrix
from domain.template import ALLOWANCE, RECEIVABLE
from ledger.outcomes import token
from projections.ageing import age_cases
from projections.answers import AllowanceAnswer
from projections.books import accounts_of_role, book_at
from projections.items import open_at
from projections.trial_balance import trial_balance
from projections.view import Moment, Scope, View

_read_dimensions = msgspec.json.Decoder(dict[str, str]).decode


def allowance(view: View, book: str, matrix: AllowanceMatrix | None, at: Moment) -> AllowanceAnswer | None:
    """The evidence by a matrix, or by the book's own at K; None where there is none."""
    state = book_at(view, book, at.position)
    if state is None:
        return None
    matrix = matrix or state.matrix
    if matrix is None:
        return None
    lines = _lines(view, book, matrix, at)
    accounts = accounts_of_role(view, book, ALLOWANCE, at)
    before = -sum(row.base_closing for row in trial_balance(view, book, None, at) if row.account in accounts)
    needed = sum(line.required for line in lines)
    return AllowanceAnswer(
        effective_on=at.day,
        position=token(at.position),
        book_version=state.version,
        matrix=matrix,
        lines=lines,
        required=needed,
        before=before,
        difference=needed - before,
    )


def _lines(view: View, book: str, matrix: AllowanceMatrix, at: Moment) -> list[AllowanceLine]:
    """One line a currency, bucket and group with something open, in that order."""
    query = open_at(Scope(book), at, "stream, side, role, dimensions, due_on")
    ends = [bucket.to_days for bucket in matrix.buckets if bucket.to_days is not None]
    cases, days = age_cases(at.day, ends)
    rows = view.connection.execute(
        f"SELECT substr(stream, length(stream) - 2), CASE{cases} ELSE {len(ends)} END, dimensions, sum(open), "
        f"sum(open_base) FROM ({query.text}) i WHERE side = 'D' AND role = '{RECEIVABLE}' GROUP BY 1, 2, 3",
        query.parameters | days,
    )
    sums: dict[tuple[str, int, str], list[int]] = defaultdict(lambda: [0, 0])
    for currency, age, dimensions, amount, base_amount in rows:
        total = sums[currency, age + 1, group_of(matrix, _read_dimensions(dimensions))]
        total[0] += amount
        total[1] += base_amount
    return [
        AllowanceLine(currency, bucket, amount, base, required(matrix, bucket, group, base), group)
        for (currency, bucket, group), (amount, base) in sorted(sums.items())
        if amount or base
    ]
