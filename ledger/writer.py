"""Group commit: callers queue, one thread books what has queued while the last commit was in flight.

No timer: a lone caller is served at once, many callers share a commit. Each gets the outcomes of its own batch.
"""

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from time import sleep
from types import TracebackType
from typing import Any, Self

from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome

MAX_ENTRIES = 2_000
"""Commands in one commit, unless one caller's batch alone is larger."""


class Booking:
    """A batch that has been queued. ``whole``: all or nothing; ``caller``: whoever waits for it, for ``answered``.

    A bare lock, held until the outcomes are there: a ``Future`` with its condition takes longer than deciding a command.
    """

    __slots__ = ("_error", "_outcomes", "_pending", "batch", "caller", "whole")

    def __init__(self, batch: Sequence[Entry], caller: Any = None, *, whole: bool = False) -> None:
        self.batch, self.caller, self.whole = batch, caller, whole
        self._pending = threading.Lock()
        self._pending.acquire()
        self._outcomes: list[Outcome] = []
        self._error: BaseException | None = None

    def result(self) -> list[Outcome]:
        """Wait for the outcomes; raises what ``Ledger.submit`` raises."""
        with self._pending:
            if self._error is not None:
                raise self._error
            return self._outcomes

    def settle(self, outcomes: list[Outcome]) -> None:
        """It is done."""
        self._outcomes = outcomes
        self._pending.release()

    def fail(self, error: BaseException) -> None:
        """It was not done."""
        self._error = error
        self._pending.release()


class Writer:
    """The single writer thread of a process for one ledger.

    ``answered`` is called by it after each commit, with all that was in it: one word to an event loop, however many
    callers wait there. ``now_us``: as for ``Ledger.submit``.
    """

    def __init__(
        self,
        ledger: Ledger,
        answered: Callable[[Sequence[Booking]], None] = lambda _: None,
        *,
        now_us: int | None = None,
    ) -> None:
        self._ledger, self._answered, self._now_us = ledger, answered, now_us
        self._queue: SimpleQueue[Booking | None] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="tieout-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Sequence[Entry]) -> list[Outcome]:
        """Book a batch and wait for its outcomes; raises what ``Ledger.submit`` raises."""
        return self.enqueue(batch).result()

    def enqueue(self, batch: Sequence[Entry], caller: Any = None, *, whole: bool = False) -> Booking:
        """Queue a batch. RuntimeError once the writer is closed."""
        booking = Booking(batch, caller, whole=whole)
        with self._closing:
            if self._closed:
                raise RuntimeError("the writer is closed")
            self._queue.put(booking)
        return booking

    def close(self) -> None:
        """Book what has queued, then stop."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _run(self) -> None:
        first = self._queue.get()
        while first is not None:
            self._let_them_queue()
            bookings = [first]
            size = len(first.batch)
            following: Booking | None = None
            stop = False
            # All or nothing is between a batch and the log: it shares its commit with nobody.
            while not first.whole and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    stop = True
                    break
                if following.whole or size + len(following.batch) > MAX_ENTRIES:
                    break
                bookings.append(following)
                size += len(following.batch)
                following = None
            self._book(bookings)
            first = None if stop else following or self._queue.get()

    def _let_them_queue(self) -> None:
        """Give way to callers that are about to queue, as long as any does.

        Those who were just answered would otherwise miss the commit that the first of them begins, and half of the
        callers would wait for the other half, turn about.
        """
        queued = -1
        while queued < (now := self._queue.qsize()) < MAX_ENTRIES:
            queued = now
            sleep(0)

    def _book(self, bookings: list[Booking]) -> None:
        batch = [entry for booking in bookings for entry in booking.batch]
        try:
            outcomes = self._ledger.submit(batch, now_us=self._now_us, whole=bookings[0].whole)
        except BaseException as error:
            for booking in bookings:
                booking.fail(error)
        else:
            start = 0
            for booking in bookings:
                booking.settle(outcomes[start : start + len(booking.batch)])
                start += len(booking.batch)
        self._answered(bookings)
