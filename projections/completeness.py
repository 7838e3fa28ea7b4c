"""Upstream completeness 完整性: what a producer says that it sent against what became of it, feed by feed and day by day.

Nothing is stored: breaks 差异 are what the comparison finds, and are gone, or closed, once the facts are there.

    missing         fewer messages are booked than were stated; closed when the rest is booked
    excess          more are booked than were stated, and came before the statement
    amount_differs  as many as were stated, with another sum
    sequence_gap    numbers of which nothing has come, up to the highest stated or seen
    late            booked after the day's totals were stated: closed if they complete them, open if beyond them
    conflicting     the same id or document with other content, or one number on two messages
    duplicate       delivered again, and booked once: closed
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import msgspec

from domain.documents import feed_stream
from domain.events import ControlTotalsStated
from domain.refusals import CONFLICTS
from ledger.outcomes import token
from projections import log
from projections.answers import Break, FeedDay, Message, Stated, Sums
from projections.arrivals import Arrived, Key, Wanted, arrived, key_of, messages
from projections.numbers import is_complete, missing, twice
from projections.unbooked import unbooked
from projections.view import Moment, View

Booked = tuple[int, Message]
"""A booked message with its log position."""


class _Day:
    """What there is of one key. ``lost`` came and is not in the books, ``doubled`` is there already."""

    def __init__(self) -> None:
        self.stated: ControlTotalsStated | None = None
        self.stated_at = 0
        self.rows: list[Arrived] = []
        self.unbooked: list[Message] = []
        self.listed: list[Booked] = []

    @property
    def booked(self) -> Sums:
        return Sums(count=sum(row.messages for row in self.rows), amount=sum(row.amount for row in self.rows))

    def of(self, *statuses: str) -> list[Message]:
        """The messages that are not booked, of some statuses."""
        return [one for one in self.unbooked if one.status in statuses]

    @property
    def renamed(self) -> list[Message]:
        """Doubles that came under a name of their own: their producer counts them."""
        return [one for one in self.of("doubled") if one.origin == one.first]

    @property
    def lost(self) -> list[Message]:
        """What came and is not in the books under its name, but for what is only another content of what is."""
        return [
            one
            for one in self.of("waiting", "quarantined", "dismissed", "parked", "refused")
            if one.code != "same_source_id_must_have_same_content"
        ]

    @property
    def highest(self) -> int:
        """The highest number, stated or seen."""
        stated = self.stated.highest if self.stated is not None else None
        seen = [one.sequence for one in self.unbooked if one.sequence is not None]
        return max([stated or 0, *seen, *(row.highest for row in self.rows)])

    @property
    def numbered(self) -> bool:
        """Whether its messages have numbers, as far as any have come."""
        return any(row.numbered for row in self.rows) or not self.rows

    @property
    def numbers_agree(self) -> bool:
        """Whether the booked numbers are all of them, each once; told by their hash total."""
        count, total = (sum(getattr(row, name) for row in self.rows) for name in ("numbered", "hash"))
        return is_complete(count, self.highest, total)

    @property
    def short(self) -> Sums:
        """What was stated less what is booked, or in the books under another name."""
        assert self.stated is not None
        booked, renamed = self.booked, _sums(self.renamed)
        return Sums(
            count=self.stated.count - booked.count - renamed.count,
            amount=self.stated.amount - booked.amount - renamed.amount,
        )


def completeness(view: View, wanted: Wanted, at: Moment, *, open_only: bool) -> list[FeedDay]:
    """Feeds by day and currency, those of which nothing is stated and nothing is numbered left out unless asked for.

    As known at K as far as the log tells it; quarantine, parked messages and doubles are as of now. ``open_only``: only
    what has an open break, which is found sooner.
    """
    days = _days(view, wanted, at)
    _list(view, wanted.book, days, at, open_only)
    found = []
    for key in sorted(days, key=lambda key: (key.feed, key.day or "~", key.currency)):
        answer = _answer(key, days[key])
        if answer.open or not open_only:
            found.append(answer)
    return [_with_origins(view, answer) for answer in found]


# --- what there is


def _days(view: View, wanted: Wanted, at: Moment) -> dict[Key, _Day]:
    days: dict[Key, _Day] = defaultdict(_Day)
    feeds = set() if wanted.feed is None else {wanted.feed}
    for position, stated in _statements(view, wanted, at):
        feeds.add(stated.feed)
        key = Key(stated.feed, stated.day.isoformat(), stated.currency)
        if wanted.has(key):
            days[key].stated, days[key].stated_at = stated, position
    for key, rows in arrived(view, wanted, at).items():
        days[key].rows = rows
        if any(row.numbered for row in rows):
            feeds.add(key.feed)
    for one in unbooked(view, wanted.book, wanted.feed, at):
        key = key_of(one)
        if one.sequence is not None:
            feeds.add(key.feed)
        if wanted.has(key):
            days[key].unbooked.append(one)
    return {key: day for key, day in days.items() if key.feed in feeds}


def _statements(view: View, wanted: Wanted, at: Moment) -> Iterator[tuple[int, ControlTotalsStated]]:
    """All that was stated by K, in log order of each feed: the last one of a key holds."""
    if wanted.feed is not None:
        streams = [feed_stream(wanted.book, wanted.feed)]
    else:
        streams = log.feed_streams(view.connection, wanted.book)
    for stream in streams:
        for logged in log.events_of(view.connection, [stream], at.position):
            assert isinstance(logged.event, ControlTotalsStated)
            yield logged.position, logged.event


def _list(view: View, book: str, days: dict[Key, _Day], at: Moment, open_only: bool) -> None:
    """List the booked messages that have to be looked at one by one: late ones, and numbers that are not all there."""
    spans: dict[Key, list[tuple[int, int]]] = {}
    for key, day in days.items():
        after = None
        if day.highest and day.numbered and not day.numbers_agree:
            after = 0
        elif day.stated is not None and (not open_only or day.short.count < 0 or _is_beyond(day)):
            after = day.stated_at
        if after is not None:
            wanted = [(max(after, row.after), row.last_position) for row in day.rows if row.last_position > after]
            if wanted:
                spans[key] = wanted
    for key, listed in messages(view, book, spans).items():
        days[key].listed = listed


def _is_beyond(day: _Day) -> bool:
    """Whether any number is beyond the highest stated."""
    assert day.stated is not None
    return day.stated.highest is not None and any(row.highest > day.stated.highest for row in day.rows)


# --- what it comes to


def _answer(key: Key, day: _Day) -> FeedDay:
    stated = day.stated
    return FeedDay(
        feed=key.feed,
        day=date.fromisoformat(key.day) if key.day else None,
        currency=key.currency or None,
        stated=None
        if stated is None
        else Stated(
            count=stated.count,
            amount=stated.amount,
            highest=stated.highest,
            source=stated.source,
            source_id=stated.source_id,
            position=token(day.stated_at),
        ),
        booked=day.booked,
        waiting=_sums(day.of("waiting")),
        quarantined=_sums(day.of("quarantined")),
        parked=_sums(day.of("parked")),
        refused=_sums(day.of("refused", "dismissed")),
        doubled=_sums(day.of("doubled")),
        breaks=list(_breaks(day, placed=key != Key(key.feed))),
    )


def _breaks(day: _Day, *, placed: bool) -> Iterator[Break]:
    """``placed``: of a known day and currency. Numbers mean nothing without."""
    absent = missing(_numbers(day), day.highest) if placed and day.numbered and not day.numbers_agree else []
    if day.stated is not None:
        short = day.short
        late_open, late_closed = _late(day, max(0, -short.count))
        if short.count > 0:
            yield _break("missing", True, day.lost, short, absent)
        elif short.count + len(late_open) < 0:
            beyond = _sums([one for _, one in late_open])
            yield _break(
                "excess", True, [], Sums(count=short.count + beyond.count, amount=short.amount + beyond.amount)
            )
        elif short.count == 0 and short.amount:
            yield _break("amount_differs", True, [], short)
        for is_open, late in ((True, late_open), (False, late_closed)):
            if late:
                yield _break("late", is_open, [one for _, one in late])
    if absent:
        yield _break("sequence_gap", True, [], Sums(count=sum(last - first + 1 for first, last in absent)), absent)
    conflicts = [one for one in day.of("quarantined", "dismissed") if one.code in CONFLICTS]
    twice_given = set(twice(one.sequence for _, one in day.listed if one.sequence is not None))
    given = [one for _, one in day.listed if one.sequence in twice_given]
    for is_open in (True, False):
        conflicting = [one for one in conflicts if (one.status == "quarantined") == is_open] + (
            given if is_open else []
        )
        if conflicting:
            yield _break("conflicting", is_open, conflicting)
    if doubled := day.of("doubled"):
        yield _break("duplicate", False, doubled)


def _numbers(day: _Day) -> set[int]:
    """The numbers of which a message has come, whatever became of it."""
    came = [one for _, one in day.listed] + day.unbooked
    return {one.sequence for one in came if one.sequence is not None}


def _late(day: _Day, beyond: int) -> tuple[list[Booked], list[Booked]]:
    """What was booked after the totals were stated: what is beyond them, and what completes them.

    A number above the highest stated is beyond them; so are, of the rest, as many as there are too many, the last first.
    """
    assert day.stated is not None
    highest = day.stated.highest
    late = [(position, one) for position, one in day.listed if position > day.stated_at]
    above = [entry for entry in late if highest is not None and (entry[1].sequence or 0) > highest]
    others = [entry for entry in late if entry not in above]
    cut = len(others) - min(len(others), max(0, beyond - len(above)))
    return above + others[cut:], others[:cut]


def _break(
    type_: Any, is_open: bool, about: list[Message], sums: Sums | None = None, sequences: Iterable[Any] = ()
) -> Break:
    sums = sums or _sums(about)
    return Break(
        type=type_, open=is_open, count=sums.count, amount=sums.amount, sequences=list(sequences), messages=about
    )


def _sums(about: list[Message]) -> Sums:
    return Sums(count=len(about), amount=sum(one.amount or 0 for one in about))


def _with_origins(view: View, answer: FeedDay) -> FeedDay:
    """The answer with the origins of those messages whose receipts have them."""
    breaks = [
        msgspec.structs.replace(found, messages=[_with_origin(view, one) for one in found.messages])
        for found in answer.breaks
    ]
    return msgspec.structs.replace(answer, breaks=breaks)


def _with_origin(view: View, one: Message) -> Message:
    if one.origin is not None or one.source_id is None:
        return one
    return msgspec.structs.replace(one, origin=log.origin_of(view.connection, one.source, one.source_id))
