"""Several stores as one, each with books of its own: the way past one database. The book is the shard.

A batch that spans stores is one transaction a store, each with all of the batch's tracking. If a process dies between
two of them, the batch comes again: the store that has it says that its tracking is stale and is left alone, or finds
what it knows by its receipts. So the position that all have reached is the least of them, and nothing is booked twice.
"""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from eventsourcing.persistence import Tracking

from ledger.errors import StaleTracking
from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome, Submission


class Shards:
    """The ledgers of several stores; ``books`` says which store (by its number) has which book.

    What is for a book that no store has goes to the first store, and is refused or quarantined there.
    """

    def __init__(self, ledgers: Sequence[Ledger], books: Mapping[str, int]) -> None:
        assert ledgers
        assert all(0 <= number < len(ledgers) for number in books.values()), books
        self.ledgers = tuple(ledgers)
        self._books = dict(books)

    def submit(
        self, batch: Sequence[Entry], *, now_us: int | None = None, tracking: Sequence[Tracking] = ()
    ) -> list[Outcome]:
        """Book a batch, a commit a store; an outcome each, in order, but none for what a store had booked before.

        Raises ``StaleTracking`` where every store had; else as ``Ledger.submit``, and then some stores may have booked
        their part: the same batch may be sent again.
        """
        parts: list[list[int]] = [[] for _ in self.ledgers]
        for place, entry in enumerate(batch):
            parts[self._shard_of(entry)].append(place)
        # Stores stand at different positions after a death: from which one they go on is not for all of them the same.
        growing = [Tracking(one.application_name, one.notification_id) for one in tracking]
        outcomes: dict[int, Outcome] = {}
        stale: list[StaleTracking] = []
        for ledger, places in zip(self.ledgers, parts, strict=True):
            try:
                answered = ledger.submit([batch[place] for place in places], now_us=now_us, tracking=growing)
            except StaleTracking as error:
                stale.append(error)
            else:
                outcomes.update(zip(places, answered, strict=True))
        if len(stale) == len(self.ledgers):
            raise stale[0]
        return [outcomes[place] for place in sorted(outcomes)]

    def tracked(self, prefix: str) -> dict[str, int]:
        """Name → the position that every store has reached, of all tracking whose name starts so."""
        first, *others = (ledger.tracked(prefix) for ledger in self.ledgers)
        return {
            name: min(position, *(other[name] for other in others)) if others else position
            for name, position in first.items()
            if all(name in other for other in others)
        }

    def _shard_of(self, entry: Entry) -> int:
        book = entry.command.book if isinstance(entry, Submission) else entry.book
        return self._books.get(book, 0)

    def close(self) -> None:
        """Let go of the stores."""
        for ledger in self.ledgers:
            ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
