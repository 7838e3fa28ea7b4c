"""What the routes of one process share: a writer, readers of the projections, and what follows the log.

Questions are asked in threads, each of one moment; commands go through one desk. ``min_position`` waits here.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Submission, read_token, token
from projections.reader import Reader
from projections.readers import Readers
from tieout.api.access import Access
from tieout.api.desk import Desk
from tieout.api.problems import ApiCode, Problem
from tieout.settings import Settings
from tieout.worker.projecting import project
from tieout.worker.supervising import Supervised

T = TypeVar("T")

READERS = 8
"""Questions at once in one process; more wait for one of them."""
WAIT_SECONDS = 5.0
"""How long a question waits for a position, or for room."""
LOOK_SECONDS = 0.02
"""Between two looks at how far the projections are."""


class Service:
    """Of one process and one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._follower = Supervised("project", lambda pulse: project(settings, "project", pulse))

    async def start(self) -> None:
        """Open the store; within the event loop that will serve."""
        settings = self.settings
        self.ledger = Ledger.open(settings.location)
        self._rehearsing = Ledger.open(settings.location)
        self.desk = Desk(self.ledger, now_us=settings.now_us)
        self.access = Access(settings)
        self._readers = Readers(settings.location, READERS)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="tieout-question")
        if settings.api_follow:
            self._follower.start()

    async def stop(self) -> None:
        """Finish what is in flight, and let go of the store."""
        await self.desk.close()
        if self.settings.api_follow:
            self._follower.stop()
            await asyncio.to_thread(self._follower.join, monotonic() + WAIT_SECONDS)
        self._threads.shutdown()
        self._readers.close()
        self._rehearsing.close()
        self.ledger.close()

    async def ask(self, question: Callable[[Reader], T], min_position: str | None = None) -> T:
        """The answer to a question, at a moment when the projections have reached ``min_position``.

        Raises ``Problem`` where they do not in time, or the position is none.
        """
        wanted = 0 if min_position is None else position(min_position, "min_position")
        until = monotonic() + WAIT_SECONDS
        while True:
            found = await self.in_thread(lambda: self._asked(question, wanted))
            if found is not None:
                return found[0]
            if monotonic() > until:
                raise Problem(ApiCode.POSITION, parameter="min_position")
            await asyncio.sleep(LOOK_SECONDS)

    def _asked(self, question: Callable[[Reader], T], wanted: int) -> tuple[T] | None:
        with self._readers.reading() as reader:
            return (question(reader),) if reader.position >= wanted else None

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What takes a while, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def rehearse(self, one: Submission) -> tuple[Outcome, list[object]]:
        """What would become of a command, and its events."""
        outcomes, recorded = await self.in_thread(lambda: self._rehearsing.rehearse([one], now_us=self.settings.now_us))
        return outcomes[0], list(recorded)


def position(text: str, parameter: str) -> int:
    """The log position of a token; raises ``Problem``."""
    try:
        return read_token(text)
    except ValueError:
        raise Problem(ApiCode.PARAMETER, parameter=parameter, rule=f"a position looks like {token(123)}") from None
