"""From events to rows: the one definition of the projections, for following, rebuild and replay alike.

``add`` is a function of the events alone. It merges their rows by sum and max, so pages may be cut anywhere and taken in
any order (identity 10). Events are decoded *lean*: only the fields that a row needs, days left as text; that halves the
time. An item's movement is the posting that names it (domain rule 2); nothing else changes what is open.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from domain.documents import book_stream, document_of
from domain.template import DEFERRED_REVENUE
from projections.log import Stored
from projections.numbers import hashed
from projections.tables import BLOCK


class _Posting(msgspec.Struct, gc=False):
    role: str
    account: str
    side: str
    amount: int
    base_amount: int
    item: str | None = None
    dimensions: dict[str, str] | None = None


class _Instalment(msgspec.Struct, gc=False):
    due_on: str


class _Moving(msgspec.Struct, gc=False):
    effective_on: str
    postings: list[_Posting]


class _OfBook(_Moving, gc=False, kw_only=True):
    """A voucher of a book as a whole, which says its currency itself; no source's control totals count it."""

    currency: str


class _Sent(_Moving, gc=False, kw_only=True):
    """What a source's message was booked as, if no other message caused it: control totals count it."""

    source: str
    sequence: int | None = None
    requested_effective_on: str | None = None
    caused_by: str | None = None


class _Opening(_Sent, gc=False, kw_only=True):
    document: str
    instalments: list[_Instalment] = []


class _Received(_Opening, gc=False, kw_only=True):
    amount: int
    due_on: str


class _Deferral(msgspec.Struct, gc=False):
    deferred_account: str
    amount: int
    base_amount: int
    service_from: str
    service_to: str


class _Billed(_Opening, gc=False, kw_only=True):
    document_on: str
    amount: int = msgspec.field(name="total")
    deferrals: list[_Deferral] = []


class _Paid(_Opening, gc=False, kw_only=True):
    amount: int


class _Adjusted(_Sent, gc=False, kw_only=True):
    amount: int


class _Reversed(_Sent, gc=False, kw_only=True):
    """A reversal counts, and moves no money. What is linked to the document is reversed by the same message."""

    document: str
    amount: int = 0


class _Recognised(_Moving, gc=False, kw_only=True):
    document: str
    until_on: str
    amount: int
    base_amount: int


class _LimitSet(msgspec.Struct, gc=False):
    after: int | None = None


LEAN: dict[str, type[_Moving] | None] = {
    "invoice-issued.v1": _Billed,
    "credit-note-issued.v1": _Billed,
    "payment-received.v1": _Paid,
    "refund-paid.v1": _Paid,
    "allocated.v1": _Moving,
    "allocation-released.v1": _Moving,
    "payment-returned.v1": _Paid,
    "payment-reinstated.v1": _Paid,
    "adjustment-posted.v1": _Adjusted,
    "written-off.v1": _Adjusted,
    "write-off-recovered.v1": _Adjusted,
    "item-transferred-out.v1": _Moving,
    "item-transferred-in.v1": _Received,
    "vat-relief-claimed.v1": _Adjusted,
    "document-reversed.v1": _Reversed,
    "account-terms-changed.v1": None,
    "revenue-recognised.v1": _Recognised,
    "credit-limit-set.v1": None,
    "book-opened.v1": None,
    "posting-template-changed.v1": None,
    "book-policies-changed.v1": None,
    "period-closed.v1": None,
    "period-reopened.v1": None,
    "authorities-changed.v1": None,
    "approval-requested.v1": None,
    "approval-given.v1": None,
    "approval-refused.v1": None,
    "allowance-matrix-changed.v1": None,
    "allowance-posted.v1": _OfBook,
    "rates-stated.v1": None,
    "revaluation-posted.v1": _OfBook,
    "fact-deferred.v1": None,
    "deferred-fact-applied.v1": None,
    "deferred-fact-rejected.v1": None,
    "message-dismissed.v1": None,
    "control-totals-stated.v1": None,
}
"""Topic → what of its events makes rows of items and turnover; None: nothing."""
LIMIT_SET = "credit-limit-set.v1"
NO_LIMIT = -1
"""As ``credit_limit`` has it."""

COUNTED = frozenset(topic for topic, lean in LEAN.items() if lean is not None and issubclass(lean, _Sent))
"""Topics of the events whose messages control totals count, where no other message caused them."""


def _deferred(event: _Billed, sign: int = 1) -> tuple[Any, ...] | None:
    """What a document defers, as a row of ``deferral`` from ``account`` on; None for nothing."""
    parts = event.deferrals
    if not parts:
        return None
    amount, base = sum(one.amount for one in parts), sum(one.base_amount for one in parts)
    first, last = min(one.service_from for one in parts), max(one.service_to for one in parts)
    return (parts[0].deferred_account, sign * amount, 0, sign * base, 0, first, last, "", 0)


def _credited(event: _Billed) -> tuple[Any, ...] | None:
    return _deferred(event, -1)


def _undone(event: _Reversed) -> tuple[Any, ...] | None:
    """What is deferred no more of a reversed document: what its reversal posts to deferred revenue, credit less debit."""
    amount = base = 0
    account = None
    if not event.document.startswith(("invoice:", "debit-note:", "credit-note:")):
        return None
    for posting in event.postings:
        if posting.role == DEFERRED_REVENUE:
            sign = 1 if posting.side == "C" else -1
            amount += sign * posting.amount
            base += sign * posting.base_amount
            account = posting.account
    return None if account is None else (account, amount, 0, base, 0, "", "", "", 1)


def _recognised(event: _Recognised) -> tuple[Any, ...]:
    return ("", 0, event.amount, 0, event.base_amount, "", "", event.until_on, 0)


_DEFERRING: dict[str, Callable[[Any], tuple[Any, ...] | None]] = {
    "invoice-issued.v1": _deferred,
    "credit-note-issued.v1": _credited,
    "document-reversed.v1": _undone,
    "revenue-recognised.v1": _recognised,
}
_KINDS = {
    topic: (
        msgspec.json.Decoder(lean).decode if lean is not None else None,
        lean is not None and issubclass(lean, _Opening),
        topic in COUNTED,
        _DEFERRING.get(topic),
    )
    for topic, lean in LEAN.items()
}
"""Topic → how its events are decoded, whether they open items of their document, whether their messages count, and what
they make of its deferred revenue."""
_read_limit = msgspec.json.Decoder(_LimitSet).decode
_canonical = msgspec.json.Encoder(order="sorted").encode
NO_DIMENSIONS = "{}"
BOOKS = book_stream("")
_PART = 8_000
"""Values that ``take_turnover`` gives at once, about."""


def dimensions_text(dimensions: dict[str, str] | None) -> str:
    """Dimensions as the tables have them: canonical JSON."""
    return _canonical(dimensions).decode() if dimensions else NO_DIMENSIONS


class Deltas:
    """Rows in the making, merged by key; flat lists of columns in the tables' order, but for ``shard``."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, list[Any]]] = {}
        self._movements: list[Any] = []
        self._limits: list[Any] = []
        # (book, currency) → (block, day) → (account, dimensions) → its sums.
        self._turnover: dict[tuple[str, str], dict[tuple[int, str], dict[tuple[str, str], list[int]]]] = {}
        # (book, currency) → (block, day) → source → messages to last_position.
        self._arrivals: dict[tuple[str, str], dict[tuple[int, str], dict[str, list[int]]]] = {}
        self._deferrals: list[Any] = []
        self.turnover_rows = 0
        """How many rows of ``turnover`` are in the making."""
        self.arrival_rows = 0
        """How many rows of ``arrival`` are."""

    def add(self, events: Iterable[Stored]) -> None:
        """Merge the rows of events in; KeyError for a topic that this program does not know."""
        movements = self._movements
        last = None
        items: dict[str, list[Any]] = {}
        days: dict[tuple[int, str], dict[tuple[str, str], list[int]]] = {}
        arrivals: dict[tuple[int, str], dict[str, list[int]]] = {}
        for position, stream, topic, state in events:
            decode, opens, counts, defer = _KINDS[topic]
            if decode is None:
                if topic == LIMIT_SET:
                    after = _read_limit(state).after
                    self._limits += (stream, position, NO_LIMIT if after is None else after)
                continue
            event: Any = decode(state)
            on = event.effective_on
            if stream != last:
                last = stream
                items = self._items.setdefault(stream, {})
                money = _book_and_currency(stream, event)
                days = self._turnover.setdefault(money, {})
                arrivals = self._arrivals.setdefault(money, {})
            day = (position // BLOCK, on)
            turnover = days.get(day)
            if turnover is None:
                turnover = days[day] = {}
            if counts and event.caused_by is None:
                asked = event.requested_effective_on
                if asked is not None:
                    day = (day[0], asked)
                sources = arrivals.get(day)
                if sources is None:
                    sources = arrivals[day] = {}
                arrival = sources.get(event.source)
                if arrival is None:
                    arrival = sources[event.source] = [0, 0, 0, 0, 0, 0]
                    self.arrival_rows += 1
                arrival[0] += 1
                arrival[1] += event.amount
                if event.sequence is not None:
                    _number(arrival, event.sequence)
                if position > arrival[5]:
                    arrival[5] = position
            if defer is not None:
                deferred = defer(event)
                if deferred is not None:
                    self._deferrals += (stream, event.document, position, on, *deferred)
            document = event.document if opens else None
            before = len(movements)
            for posting in event.postings:
                amount, base, item, dimensions = posting.amount, posting.base_amount, posting.item, posting.dimensions
                key = (posting.account, dimensions_text(dimensions) if dimensions else NO_DIMENSIONS)
                sums = turnover.get(key)
                if sums is None:
                    sums = turnover[key] = [0, 0, 0, 0]
                    self.turnover_rows += 1
                if posting.side == "D":
                    sums[0] += amount
                    sums[2] += base
                else:
                    sums[1] += amount
                    sums[3] += base
                    amount, base = -amount, -base
                if item is None:
                    continue
                row = items.get(item)
                if document is not None and document_of(item) == document:
                    opened = _opened(stream, position, event, posting, amount, base)
                    items[item] = opened if row is None else _merged(row, opened)
                    continue
                movements += (stream, item, position, on, amount, base)
                if row is None:
                    items[item] = [stream, item, "", "", "", "", "", "", 0, 0, amount, base, 0, on, position, "", "", 0]
                else:
                    row[10] += amount
                    row[11] += base
                    if on > row[13]:
                        row[13] = on
                    if position > row[14]:
                        row[14] = position
            if type(event) is _Reversed:
                _mark_reversed(items, event, position)
            moved = len(movements) - before
            if moved > 12 or (moved == 12 and movements[before + 1] == movements[before + 7]):
                _merge_movements(movements, before)

    def take_items(self) -> tuple[list[Any], list[Any]]:
        """The rows of ``item``, in key order, and of ``movement``; forgotten here."""
        flat: list[Any] = []
        for _, rows in sorted(self._items.items()):
            for _, row in sorted(rows.items()):
                flat += row
        movements = self._movements
        self._items, self._movements = {}, []
        return flat, movements

    def take_deferrals(self) -> list[Any]:
        """The rows of ``deferral``; forgotten here."""
        deferrals, self._deferrals = self._deferrals, []
        return deferrals

    def take_turnover(self) -> Iterator[list[Any]]:
        """The rows of ``turnover``, in key order, in parts; forgotten here as they are given: none is in memory twice."""
        days = sorted(
            ((book, block, currency, on) for (book, currency), days in self._turnover.items() for block, on in days),
            reverse=True,
        )
        flat: list[Any] = []
        while days:
            book, block, currency, on = days.pop()
            accounts = self._turnover[book, currency].pop((block, on))
            for (account, dimensions), sums in sorted(accounts.items()):
                flat += (book, block, currency, on, account, dimensions, *sums)
            if len(flat) > _PART:
                yield flat
                flat = []
        yield flat
        self._turnover = {}
        self.turnover_rows = 0

    def take_limits(self) -> list[Any]:
        """The rows of ``credit_limit``; forgotten here."""
        limits, self._limits = self._limits, []
        return limits

    def take_arrivals(self) -> list[Any]:
        """The rows of ``arrival``, in key order; forgotten here."""
        rows = [
            (book, source, on, currency, block, *sums)
            for (book, currency), days in self._arrivals.items()
            for (block, on), sources in days.items()
            for source, sums in sources.items()
        ]
        self._arrivals = {}
        self.arrival_rows = 0
        return [value for row in sorted(rows) for value in row]


def _book_and_currency(stream: str, event: Any) -> tuple[str, str]:
    """Of the stream's postings: a customer account's name says both, a book's vouchers say their currency themselves."""
    if stream.startswith(BOOKS):
        return stream[len(BOOKS) :], event.currency
    return stream[5 : stream.index(":", 5)], stream[-3:]


def _number(arrival: list[int], number: int) -> None:
    """Add a message's number to its row."""
    arrival[2] += 1
    arrival[3] += hashed(number)
    if number > arrival[4]:
        arrival[4] = number


def _mark_reversed(items: dict[str, list[Any]], event: _Reversed, position: int) -> None:
    """Note on the items of a document that it is reversed; that happens once."""
    for posting in event.postings:
        if posting.item is not None and document_of(posting.item) == event.document:
            row = items[posting.item]
            row[16], row[17] = event.effective_on, position


def _merge_movements(movements: list[Any], before: int) -> None:
    """Make one row of what an event, whose rows begin at ``before``, did to one item by several postings."""
    rows: dict[str, list[Any]] = {}
    for n in range(before, len(movements), 6):
        row = movements[n : n + 6]
        known = rows.setdefault(row[1], row)
        if known is not row:
            known[4] += row[4]
            known[5] += row[5]
    if 6 * len(rows) < len(movements) - before:
        movements[before:] = [value for row in rows.values() for value in row]


def _opened(stream: str, position: int, event: _Opening, posting: _Posting, amount: int, base: int) -> list[Any]:
    """The row of an item that an event opens; ``amount`` and ``base`` are signed."""
    item, on = posting.item, event.effective_on
    assert item is not None
    due_on = on
    # Instalments are the document's items in their order; without any an item falls due on the day it takes effect.
    if isinstance(event, _Received):
        due_on = event.due_on
    elif event.instalments:
        due_on = event.instalments[int(item[len(event.document) + 1 :]) - 1].due_on
    return [
        stream,
        item,
        posting.side,
        posting.role,
        posting.account,
        dimensions_text(posting.dimensions),
        due_on,
        on,
        posting.amount,
        posting.base_amount,
        amount,
        base,
        position,
        on,
        position,
        event.document_on if isinstance(event, _Billed) else on,
        "",
        0,
    ]


def _merged(row: list[Any], other: list[Any]) -> list[Any]:
    """Two rows of one item as one: by sum from amount to open_base_now, by the greater otherwise."""
    pairs = zip(row, other, strict=True)
    return [a + b if 8 <= n < 12 else max(a, b) for n, (a, b) in enumerate(pairs)]
