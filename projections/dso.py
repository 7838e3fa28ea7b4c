"""Days sales outstanding 应收账款周转天数, by the formulas of the Credit Research Foundation and the NACM.

- DSO = receivable × N ÷ credit sales of the last N days.
- Best possible DSO = receivable that is not yet due × N ÷ the same sales; average days delinquent = DSO − best possible.
- Count-back (exhaustion): the net sales of the month of E, of the month before it and so on are taken from the
  receivable until the next month's would not be used up: the days of the months taken, and of the last one the part
  that the rest is of its sales. Of the month of E only the days up to E count.

The receivable is what debit items have open at (E, K), with tax; what customers have in credit is not taken from it.
Credit sales are invoices and debit notes less credit notes, with tax, by the date on the document, those reversed by
(E, K) left out; a document dated after E counts on E. Days are exact fractions until they are shown.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction

from domain.money import round_half_away
from projections.accounts import ITEMS, account_of, paged
from projections.answers import Dso
from projections.items import open_at
from projections.selectors import Due, Position
from projections.view import Moment, Scope, View

_SALE = """((item > 'invoice:' AND item < 'invoice;') OR (item > 'debit-note:' AND item < 'debit-note;')
    OR (item > 'credit-note:' AND item < 'credit-note;'))"""
_KNOWN = """effective_on <= :E AND position <= :K
    AND NOT (reversed_position > 0 AND reversed_position <= :K AND reversed_on <= :E)"""
_SALES = """SELECT {owner}, CASE WHEN document_on > :E THEN substr(:E, 1, 7) ELSE substr(document_on, 1, 7) END,
    sum(CASE side WHEN 'D' THEN amount ELSE -amount END),
    sum(CASE WHEN document_on <= :since THEN 0 WHEN side = 'D' THEN amount ELSE -amount END)
    FROM item i WHERE {where} AND {sale} AND {known} GROUP BY 1, 2"""
_OWED = """SELECT {owner}, sum(open), sum(CASE WHEN due_on < :E THEN open ELSE 0 END)
    FROM ({items}) i WHERE side = 'D' GROUP BY 1"""


def dso(
    view: View, scope: Scope, at: Moment, days: int, after: Sequence[str] | None = None, limit: int | None = None
) -> list[Dso]:
    """One row a customer account with receivables or sales of the last days, by customer and currency."""
    _check(days)

    def answer(some: Scope) -> list[Dso]:
        return _dso(view, some, at, days, by_customer=True)

    return list(paged(view, scope, at, answer, after, limit, among=ITEMS))


def dso_totals(view: View, scope: Scope, at: Moment, days: int) -> list[Dso]:
    """One row a currency with receivables or sales of the last days."""
    _check(days)
    return _dso(view, scope, at, days, by_customer=False)


def _check(days: int) -> None:
    if days < 1:
        raise ValueError(f"sales must be of one day at least: {days}")


def _dso(view: View, scope: Scope, at: Moment, days: int, *, by_customer: bool) -> list[Dso]:
    owner = "stream" if by_customer else "substr(stream, length(stream) - 2)"
    where, parameters = scope.condition("i")
    since = {"since": (at.day - timedelta(days=days)).isoformat()}
    text = _SALES.format(owner=owner, where=where, sale=_SALE, known=_KNOWN)
    months: dict[str, dict[str, int]] = defaultdict(dict)
    latest: dict[str, int] = defaultdict(int)
    for name, month, sold, lately in view.connection.execute(text, parameters | at.parameters | since):
        months[name][month] = int(sold)
        latest[name] += int(lately)
    items = open_at(scope, at, "stream, side, due_on")
    owed = {
        name: (int(receivable), int(overdue))
        for name, receivable, overdue in view.connection.execute(
            _OWED.format(owner=owner, items=items.text), items.parameters | at.parameters
        )
    }
    names = {name for name, (receivable, _) in owed.items() if receivable} | {n for n, sold in latest.items() if sold}
    rows = [_row(scope, at, days, n, owed.get(n, (0, 0)), latest[n], months[n], by_customer) for n in names]
    return sorted(rows, key=lambda row: row.key)


def _row(
    scope: Scope,
    at: Moment,
    days: int,
    name: str,
    owed: tuple[int, int],
    sales: int,
    months: Mapping[str, int],
    by_customer: bool,
) -> Dso:
    receivable, overdue = owed
    account = account_of(name) if by_customer else None
    own = {"book": scope.book, "customer": account.customer if account else None, "currency": name[-3:]}
    clocks = {"effective_on": at.day, "position": Position(at.position)}
    shown = [
        one_digit(Fraction(part * days, sales)) if sales > 0 else None
        for part in (receivable, receivable - overdue, overdue)
    ]
    counted, uncovered = count_back(receivable, months, at.day)
    return Dso(
        customer=own["customer"],
        currency=name[-3:],
        days=days,
        receivable=receivable,
        overdue=overdue,
        sales=sales,
        dso=shown[0],
        best_possible=shown[1],
        delinquent=shown[2],
        count_back=one_digit(counted) if counted is not None else None,
        uncovered=uncovered,
        explain={
            "receivable": Due(**own, **clocks, from_days=None, to_days=None).text,  # type: ignore[arg-type]
            "overdue": Due(**own, **clocks, from_days=1, to_days=None).text,  # type: ignore[arg-type]
        },
    )


def count_back(receivable: int, months: Mapping[str, int], on: date) -> tuple[Fraction | None, int]:
    """The days over which the latest sales, by month (``2024-03``), come to the receivable of a day.

    Where all of them do not: None, and what they leave. A month of more credit notes than invoices adds to what is left.
    """
    first = min(months, default="")
    left, days, month, length = receivable, 0, on, on.day
    while left > 0:
        name = month.isoformat()[:7]
        if not first or name < first:
            return None, left
        sold = months.get(name, 0)
        if sold >= left:
            return days + Fraction(length * left, sold), 0
        left -= sold
        days += length
        month = month.replace(day=1) - timedelta(days=1)
        length = monthrange(month.year, month.month)[1]
    return Fraction(days), 0


def one_digit(value: Fraction) -> str:
    """Decimal text with one digit, rounded half away from zero."""
    tenths = round_half_away(value.numerator * 10, value.denominator)
    whole, digit = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole}.{digit}"
