"""The messages of feeds that were booked: their sums by day from ``arrival``, and one by one from the log.

Sums up to K are whole blocks and the events of K's own block; a single message is read from the log, from the blocks that
have any of what is asked for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from ledger.database import Connection
from ledger.outcomes import token
from projections import log
from projections.answers import Message
from projections.rows import COUNTED, Deltas
from projections.tables import BLOCK
from projections.view import Moment, View


class Key(NamedTuple):
    """What totals are stated for; day (ISO text) and currency are "" where they are not known."""

    feed: str
    day: str = ""
    currency: str = ""


class Arrived(NamedTuple):
    """What a block of the log has of a key, as the columns of ``arrival``."""

    block: int
    messages: int
    amount: int
    numbered: int
    hash: int
    highest: int
    last_position: int

    @property
    def after(self) -> int:
        """The position before the block's first."""
        return self.block * BLOCK - 1


class Wanted(NamedTuple):
    """Which feed and days; None: all."""

    book: str
    feed: str | None
    from_on: date | None
    to_on: date | None

    def has(self, key: Key) -> bool:
        """Whether it is asked for; what has no day is."""
        return self.feed in (None, key.feed) and (
            not key.day or ((self._from or "") <= key.day and (self._to is None or key.day <= self._to))
        )

    @property
    def _from(self) -> str | None:
        return self.from_on.isoformat() if self.from_on is not None else None

    @property
    def _to(self) -> str | None:
        return self.to_on.isoformat() if self.to_on is not None else None

    @property
    def parameters(self) -> dict[str, str | None]:
        """For queries."""
        return {"book": self.book, "feed": self.feed, "from": self._from, "to": self._to}


_ARRIVALS = """SELECT source, day, currency, block, messages, amount, numbered, hash, highest, last_position FROM arrival
    WHERE shard = 0 AND book = :book AND (:feed IS NULL OR source = :feed) AND (:from IS NULL OR day >= :from)
    AND (:to IS NULL OR day <= :to) AND block < :block ORDER BY source, day, currency, block"""
_WIDTH = 11


def arrived(view: View, wanted: Wanted, at: Moment) -> dict[Key, list[Arrived]]:
    """What was booked by K, by key, in blocks."""
    block = at.position // BLOCK + (1 if at.is_last else 0)
    found: dict[Key, list[Arrived]] = defaultdict(list)
    for feed, day, currency, *row in view.connection.execute(_ARRIVALS, wanted.parameters | {"block": block}):
        found[Key(feed, day, currency)].append(Arrived(*row))
    if not at.is_last:
        deltas = Deltas()
        deltas.add(log.page(view.connection, block * BLOCK - 1, at.position))
        flat = deltas.take_arrivals()
        for n in range(0, len(flat), _WIDTH):
            book, feed, day, currency, *row = flat[n : n + _WIDTH]
            key = Key(feed, day, currency)
            if book == wanted.book and wanted.has(key):
                found[key].append(Arrived(*row))
    return found


class _Lean(msgspec.Struct, gc=False):
    source: str
    source_id: str
    effective_on: str
    document: str
    requested_effective_on: str | None = None
    sequence: int | None = None
    caused_by: str | None = None
    amount: int | None = None
    total: int | None = None


_decode = msgspec.json.Decoder(_Lean).decode
COUNTED_TOPICS = ", ".join(f"'{topic}'" for topic in sorted(COUNTED))
_MESSAGES = f"""SELECT position, originator_id, state FROM events WHERE position > :after AND position <= :upto
    AND topic IN ({COUNTED_TOPICS}) AND originator_id >= :first AND originator_id < :last ORDER BY position"""


def message(position: int, stream: str, state: bytes) -> Message | None:
    """The message that an event of a counted topic was booked for; None for one that another message caused."""
    event = _decode(state)
    if event.caused_by is not None:
        return None
    return Message(
        status="booked",
        source=event.source,
        source_id=event.source_id,
        sequence=event.sequence,
        day=date.fromisoformat(event.requested_effective_on or event.effective_on),
        currency=stream[-3:],
        amount=event.total if event.total is not None else event.amount or 0,
        document=event.document,
        position=token(position),
    )


def key_of(found: Message) -> Key:
    """The key of a message; of one whose day or currency could not be read, that of its feed."""
    if found.day is None or found.currency is None:
        return Key(found.source)
    return Key(found.source, found.day.isoformat(), found.currency)


def messages(
    view: View, book: str, wanted: Mapping[Key, Iterable[tuple[int, int]]]
) -> dict[Key, list[tuple[int, Message]]]:
    """The booked messages of each key with their positions, in log order, within ranges (after, up to) of the log."""
    found: dict[Key, list[tuple[int, Message]]] = {key: [] for key in wanted}
    for after, upto in _joined(span for spans in wanted.values() for span in spans):
        for position, one in _between(view.connection, book, after, upto):
            key = key_of(one)
            if any(first < position <= last for first, last in wanted.get(key, ())):
                found[key].append((position, one))
    return found


def _between(connection: Connection, book: str, after: int, upto: int) -> Iterator[tuple[int, Message]]:
    parameters: dict[str, Any] = {"after": after, "upto": upto, "first": f"acct:{book}:", "last": f"acct:{book};"}
    for position, stream, state in connection.stream(_MESSAGES, parameters):
        one = message(position, stream, state)
        if one is not None:
            yield position, one


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges as few that do not overlap."""
    joined: list[tuple[int, int]] = []
    for after, upto in sorted(spans):
        if joined and after <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], upto))
        else:
            joined.append((after, upto))
    return joined
