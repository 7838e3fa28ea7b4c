"""The trial balance 科目余额 at any (E, K), and subledger = control (identity 2).

Turnover is kept by day and by block of log positions: whole blocks up to K are summed; the events between K and the
nearer end of its block are read from the log and made into rows like any other. Control accounts are those that the book's own posting
templates name for the control roles; both sides of identity 2 come from different tables.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from datetime import date
from typing import NamedTuple

import msgspec

from domain.documents import book_stream
from domain.events import PostingTemplateChanged
from domain.template import CONTROL_ROLES
from projections import log
from projections.answers import ControlRow, TrialBalanceRow
from projections.items import open_at
from projections.rows import Deltas, dimensions_text
from projections.selectors import PARTS, Position, Turnover
from projections.tables import BLOCK
from projections.view import Moment, Scope, View

_read_dimensions = msgspec.json.Decoder(dict[str, str]).decode


class AccountKey(NamedTuple):
    """An account by currency and dimensions (canonical JSON)."""

    account: str
    currency: str
    dimensions: str


class _Sums(msgspec.Struct):
    opening: int = 0
    debit: int = 0
    credit: int = 0
    base_opening: int = 0
    base_debit: int = 0
    base_credit: int = 0

    @property
    def closing(self) -> int:
        return self.opening + self.debit - self.credit

    @property
    def base_closing(self) -> int:
        return self.base_opening + self.base_debit - self.base_credit

    @property
    def is_empty(self) -> bool:
        return not any(msgspec.structs.astuple(self))


_BLOCKS = """SELECT account, currency, dimensions, effective_on < :from_on, sum(debit), sum(credit), sum(base_debit),
    sum(base_credit) FROM turnover WHERE shard = 0 AND book = :book AND block < :block AND (:E IS NULL OR effective_on <= :E)
    GROUP BY 1, 2, 3, 4"""


def trial_balance(view: View, book: str, from_on: date | None, at: Moment) -> list[TrialBalanceRow]:
    """Opening before ``from_on`` (None: nothing), turnover from then to E, and closing, of accounts with any of them."""
    sums = _sums(view, book, from_on, at)
    return [_row(book, key, sums[key], from_on, at) for key in sorted(sums) if not sums[key].is_empty]


def turnover(view: View, selector: Turnover, at: Moment) -> tuple[int, int]:
    """One figure of one row of the trial balance, and the base amount beside it."""
    sums = _sums(view, selector.book, selector.from_on, at)
    key = AccountKey(selector.account, selector.currency, dimensions_text(selector.dimensions))
    found = sums.get(key, _Sums())
    return getattr(found, selector.part), getattr(found, f"base_{selector.part}")


_MONTHS = """SELECT currency, substr(effective_on, 1, 7), account, sum(credit - debit), sum(base_credit - base_debit)
    FROM turnover WHERE shard = 0 AND book = :book AND block < :block AND (:E IS NULL OR effective_on <= :E)
    GROUP BY 1, 2, 3"""


def credited_by_month(view: View, book: str, accounts: Set[str], at: Moment) -> dict[tuple[str, str], tuple[int, int]]:
    """(currency, month) → what some accounts together were credited less debited in it, in amount and base amount.

    Months in which that is nothing are left out.
    """
    sums: dict[tuple[str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    whole_to, first, last, sign = _around(view, at)
    parameters = at.parameters | {"book": book, "block": whole_to}
    for currency, month, account, amount, base in view.connection.execute(_MONTHS, parameters):
        if account in accounts:
            before = sums[currency, month]
            sums[currency, month] = (before[0] + int(amount), before[1] + int(base))
    for key, on, (debit, credit, base_debit, base_credit) in _turnover_of(view, book, first, last, at):
        if key.account in accounts:
            before = sums[key.currency, on[:7]]
            amount, base = sign * (credit - debit), sign * (base_credit - base_debit)
            sums[key.currency, on[:7]] = (before[0] + amount, before[1] + base)
    return {key: amounts for key, amounts in sums.items() if any(amounts)}


def _sums(view: View, book: str, from_on: date | None, at: Moment) -> dict[AccountKey, _Sums]:
    sums: dict[AccountKey, _Sums] = defaultdict(_Sums)
    from_text = from_on.isoformat() if from_on is not None else ""
    whole_to, first, last, sign = _around(view, at)
    parameters = at.parameters | {"book": book, "from_on": from_text, "block": whole_to}
    for account, currency, dimensions, before, *amounts in view.connection.execute(_BLOCKS, parameters):
        _add(sums[AccountKey(account, currency, dimensions)], before, *amounts)
    for key, on, amounts in _turnover_of(view, book, first, last, at):
        _add(sums[key], on < from_text, *(sign * amount for amount in amounts))
    return sums


class _Around(NamedTuple):
    """Blocks before ``block``, and the turnover of the events after ``first`` up to ``last``, added or taken away."""

    block: int
    first: int
    last: int
    sign: int


def _around(view: View, at: Moment) -> _Around:
    """The way from whole blocks to K over fewer events: on from the end of a block, or back from that of the next."""
    block = (at.position + 1) // BLOCK
    end = min((block + 1) * BLOCK - 1, view.position)
    if at.position - block * BLOCK < end - at.position:
        return _Around(block, block * BLOCK - 1, at.position, 1)
    return _Around(block + 1, at.position, end, -1)


def _turnover_of(
    view: View, book: str, after: int, upto: int, at: Moment
) -> Iterator[tuple[AccountKey, str, list[int]]]:
    """The turnover of some events by account and day, as far as it is effective by E."""
    deltas = Deltas()
    deltas.add(log.page(view.connection, after, upto))
    until = at.parameters["E"]
    for flat in deltas.take_turnover():
        for n in range(0, len(flat), 10):
            of_book, _, currency, on, account, dimensions, *amounts = flat[n : n + 10]
            if of_book == book and (until is None or on <= until):
                yield AccountKey(account, currency, dimensions), on, amounts


def _add(sums: _Sums, before: bool, debit: int, credit: int, base_debit: int, base_credit: int) -> None:
    if before:
        sums.opening += debit - credit
        sums.base_opening += base_debit - base_credit
    else:
        sums.debit += debit
        sums.credit += credit
        sums.base_debit += base_debit
        sums.base_credit += base_credit


def _row(book: str, key: AccountKey, sums: _Sums, from_on: date | None, at: Moment) -> TrialBalanceRow:
    dimensions = _read_dimensions(key.dimensions)
    return TrialBalanceRow(
        account=key.account,
        currency=key.currency,
        dimensions=dimensions,
        closing=sums.closing,
        base_closing=sums.base_closing,
        explain={
            part: Turnover(
                book=book,
                account=key.account,
                currency=key.currency,
                dimensions=dimensions,
                part=part,
                from_on=from_on,
                effective_on=at.effective_on,
                position=Position(at.position),
            ).text
            for part in PARTS
        },
        **msgspec.structs.asdict(sums),
    )


def control(view: View, book: str, at: Moment, posted: Iterable[TrialBalanceRow] | None = None) -> list[ControlRow]:
    """Open items against postings by control account, currency and dimensions; both in amount and base amount.

    ``posted``: the trial balance of that moment, where it is known already.
    """
    controls = _control_accounts(view, book, at)
    sides: dict[AccountKey, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    query = open_at(Scope(book), at, "stream, account, dimensions")
    items = view.connection.execute(
        "SELECT account, substr(stream, length(stream) - 2), dimensions, sum(open), sum(open_base) "
        f"FROM ({query.text}) i GROUP BY 1, 2, 3",
        query.parameters,
    )
    for account, currency, dimensions, amount, base_amount in items:
        side = sides[AccountKey(account, currency, dimensions)]
        side[0], side[2] = amount, base_amount
    for row in trial_balance(view, book, None, at) if posted is None else posted:
        if row.account in controls:
            side = sides[AccountKey(row.account, row.currency, dimensions_text(row.dimensions))]
            side[1], side[3] = row.closing, row.base_closing
    return [
        ControlRow(
            account=key.account,
            currency=key.currency,
            dimensions=_read_dimensions(key.dimensions),
            items=sides[key][0],
            postings=sides[key][1],
            base_items=sides[key][2],
            base_postings=sides[key][3],
        )
        for key in sorted(sides)
        if any(sides[key])
    ]


def _control_accounts(view: View, book: str, at: Moment) -> set[str]:
    """The accounts that the book's templates, up to K, name for the control roles."""
    accounts: set[str] = set()
    for logged in log.events_of(view.connection, [book_stream(book)], at.position):
        if isinstance(logged.event, PostingTemplateChanged):
            accounts |= {logged.event.roles[role] for role in CONTROL_ROLES if role in logged.event.roles}
    return accounts
