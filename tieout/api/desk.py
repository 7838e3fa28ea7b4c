"""The writer as an event loop sees it: coroutines hand in batches, and share commits with all that wait meanwhile.

One call into the loop for each commit, however many callers it answers.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome
from ledger.writer import Booking, Writer


class Desk:
    """Books for the coroutines of one event loop, the running one."""

    def __init__(self, ledger: Ledger, *, now_us: int | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(ledger, self._answered, now_us=now_us)

    async def submit(self, batch: Sequence[Entry], *, whole: bool = False) -> list[Outcome]:
        """The outcomes of a batch; raises what ``Ledger.submit`` raises, RuntimeError once it is closed.

        A caller that is cancelled meanwhile hears nothing, and its batch is booked all the same.
        """
        answer: asyncio.Future[list[Outcome]] = self._loop.create_future()
        self._writer.enqueue(batch, answer, whole=whole)
        return await answer

    async def close(self) -> None:
        """Book what has been handed in, then stop."""
        await asyncio.to_thread(self._writer.close)

    def _answered(self, bookings: Sequence[Booking]) -> None:
        # A loop that is gone has nobody who waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_wake, bookings)


def _wake(bookings: Sequence[Booking]) -> None:
    for booking in bookings:
        answer: asyncio.Future[list[Outcome]] = booking.caller
        if answer.done():
            continue
        try:
            answer.set_result(booking.result())
        except BaseException as error:
            answer.set_exception(error)
