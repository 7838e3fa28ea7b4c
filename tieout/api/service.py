"""What the routes of one process share: a writer, and readers of the projections.

Questions are asked in threads, each of one moment; commands go through one desk. ``min_position`` waits here.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import TypeVar

from prometheus_client.registry import Collector

from domain.book import Book
from domain.periods import days_of
from domain.refusals import RULES, Code
from ledger.approvals import Request
from ledger.codec import Recorded
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Submission, read_token
from ledger.waiting import WaitingFact, asked_by
from projections.reader import NotFollowed, Reader
from projections.readers import Readers
from tieout.api.access import access
from tieout.api.counter import Counter
from tieout.api.desk import Desk
from tieout.api.kafka_lag import KafkaLag, ask
from tieout.api.measuring import Metrics
from tieout.api.problems import ApiCode, Problem
from tieout.settings import Settings
from tieout.worker.measuring import Measured, Standing

T = TypeVar("T")

READERS = 8
"""Questions at once in one process; more wait for one of them."""
WAIT_SECONDS = 5.0
"""How long a question waits for a position, or for room."""
LOOK_SECONDS = 0.02
"""Between two looks at how far the projections are."""


class Service:
    """Of one process and one event loop."""

    def __init__(self, settings: Settings, desk: Callable[..., Desk] = Desk) -> None:
        self.settings = settings
        self._desk = desk
        self._books: set[str] = set()
        self.is_stopping = False
        self.standing = Standing(settings.location, None)
        asked: list[Collector] = [Measured(self.standing, [])]
        if settings.kafka_bootstrap_servers is not None:
            asked.append(KafkaLag(lambda: ask(self._rehearsing, settings)))
        self.metrics = Metrics(asked)

    async def start(self) -> None:
        """Open the store; within the event loop that will serve."""
        settings = self.settings
        self.ledger = Ledger.open(settings.location)
        self._rehearsing = Ledger.open(settings.location)
        self.desk = self._desk(self.ledger, now_us=settings.now_us)
        self.access = access(settings)
        self._readers = Readers(settings.location, READERS)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="tieout-question")
        self.counter = Counter(self._readers, self._threads)

    def end_following(self) -> None:
        """From now on whoever follows the log is left, since the server is going to stop."""
        self.is_stopping = True

    async def stop(self) -> None:
        """Finish what is in flight, and let go of the store."""
        self.is_stopping = True
        await self.desk.close()
        self._threads.shutdown()
        self._readers.close()
        self.standing.close()
        self.access.close()
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
            if isinstance(found, tuple):
                return found[0]
            if found is not None and found < wanted:
                raise Problem(ApiCode.KNOWN, parameter="min_position")
            if monotonic() > until:
                raise Problem(ApiCode.POSITION, parameter="min_position" if wanted else None)
            await asyncio.sleep(LOOK_SECONDS)

    def _asked(self, question: Callable[[Reader], T], wanted: int) -> tuple[T] | int | None:
        """The answer, or the head of a log that the projections have not followed far enough; None: not at all yet."""
        with ExitStack() as stack:
            try:
                reader = stack.enter_context(self._readers.reading())
            except NotFollowed:
                return None
            return (question(reader),) if reader.position >= wanted else reader.head()

    async def require_book(self, book: str) -> None:
        """Raises ``Problem`` where there is no book of this name; one that was found once is there for ever."""
        if book in self._books:
            return
        if await self.in_thread(lambda: self._rehearsing.book(book)) is None:
            raise Problem(
                Code.BOOK_MUST_EXIST, status=HTTPStatus.NOT_FOUND, rule=RULES[Code.BOOK_MUST_EXIST], parameter="book"
            )
        self._books.add(book)

    def books(self) -> tuple[list[Book], int]:
        """All books as they stand, and the log position; not for the event loop."""
        position = self._rehearsing.head().position
        return self._rehearsing.books(), position

    def book(self, book: str) -> tuple[Book, int]:
        """A book that there is, as it stands, and the log position; not for the event loop."""
        position = self._rehearsing.head().position
        found = self._rehearsing.book(book)
        assert found is not None
        return found, position

    def waiting(self, book: str) -> list[WaitingFact]:
        """The facts that wait for a document; not for the event loop."""
        return self._rehearsing.waiting(book)

    def approvals(self, book: str, *, every: bool) -> list[Request]:
        """The requests for approval; not for the event loop."""
        return self._rehearsing.approvals(book, every=every)

    def waiting_within(self, book: str, period: str) -> int:
        """How many facts of a period or an earlier one wait for a document; not for the event loop."""
        return asked_by(self.waiting(book), days_of(period)[1])

    def position(self) -> int:
        """The position of the log; not for the event loop."""
        return self._rehearsing.head().position

    def now(self) -> datetime:
        """The instant it is, or the one that the settings stand still at."""
        return self.settings.now or datetime.now(UTC)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """What takes a while, beside the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def rehearse(self, one: Submission) -> tuple[Outcome, list[Recorded]]:
        """What would become of a command, and its events."""
        outcomes, recorded = await self.in_thread(lambda: self._rehearsing.rehearse([one], now_us=self.settings.now_us))
        return outcomes[0], recorded


def position(text: str, parameter: str) -> int:
    """The log position of a token; raises ``Problem``."""
    try:
        return read_token(text)
    except ValueError:
        raise Problem(ApiCode.KNOWN, parameter=parameter) from None
