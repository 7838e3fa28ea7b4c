"""The writer as an event loop sees it: coroutines hand in batches, and share commits with all that wait meanwhile.

What is handed in during one turn of the loop goes to the writer as one; what comes while a commit is in flight waits for
the next. So the loop and the writer's thread meet twice a commit, however many callers there are. No timer: a lone
caller waits for nobody.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome
from ledger.writer import MAX_ENTRIES, Booking, Writer


class _Caller(NamedTuple):
    """Who waits, and for how many outcomes."""

    answer: "asyncio.Future[list[Outcome]]"
    entries: int


class Desk:
    """Books for the coroutines of one event loop, the running one."""

    def __init__(self, ledger: Ledger, *, now_us: int | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(ledger, self._answered, now_us=now_us)
        self._batch: list[Entry] = []
        self._callers: list[_Caller] = []
        self._in_flight = False
        self._is_due = False

    async def submit(self, batch: Sequence[Entry], *, whole: bool = False) -> list[Outcome]:
        """The outcomes of a batch; raises what ``Ledger.submit`` raises, RuntimeError once it is closed.

        A caller that is cancelled meanwhile hears nothing, and its batch is booked all the same.
        """
        answer: asyncio.Future[list[Outcome]] = self._loop.create_future()
        caller = _Caller(answer, len(batch))
        if whole or len(batch) >= MAX_ENTRIES:
            self._writer.enqueue(batch, [caller], whole=whole)
        else:
            self._batch += batch
            self._callers.append(caller)
            if not (self._in_flight or self._is_due):
                # At the end of this turn: others of it go along.
                self._is_due = True
                self._loop.call_soon(self._hand_over)
        return await answer

    async def close(self) -> None:
        """Book what has been handed in, then stop."""
        while self._in_flight or self._is_due:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(self._writer.close)

    def _hand_over(self) -> None:
        self._is_due = False
        if not self._callers:
            return
        batch, callers = self._batch, self._callers
        self._batch, self._callers = [], []
        try:
            self._writer.enqueue(batch, callers)
        except RuntimeError as error:
            for caller in callers:
                caller.answer.set_exception(error)
            return
        self._in_flight = True

    def _answered(self, bookings: Sequence[Booking]) -> None:
        """In the writer's thread. A loop that is gone has nobody who waits."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._wake, bookings)

    def _wake(self, bookings: Sequence[Booking]) -> None:
        for booking in bookings:
            if not booking.whole:
                self._in_flight = False
        # What has come meanwhile is on its way before anybody is answered.
        self._hand_over()
        for booking in bookings:
            _answer(booking)


def _answer(booking: Booking) -> None:
    callers: list[_Caller] = booking.caller
    try:
        outcomes = booking.result()
    except BaseException as error:
        for caller in callers:
            if not caller.answer.done():
                caller.answer.set_exception(error)
        return
    at = 0
    for caller in callers:
        if not caller.answer.done():
            caller.answer.set_result(outcomes[at : at + caller.entries])
        at += caller.entries
