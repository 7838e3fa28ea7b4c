"""Group commit: callers queue, one thread books what has queued while the last commit was in flight.

No timer: a lone caller is served at once, many callers share a commit. Each gets the outcomes of its own batch.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome

MAX_ENTRIES = 2_000
"""Commands in one commit, unless one caller's batch alone is larger."""

_Job = tuple[Sequence[Entry], "Future[list[Outcome]]"]


class Writer:
    """The single writer thread of a process for one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="tieout-writer", daemon=True)
        self._thread.start()

    def submit(self, batch: Sequence[Entry]) -> list[Outcome]:
        """Book a batch and wait for its outcomes; raises what ``Ledger.submit`` raises."""
        return self.enqueue(batch).result()

    def enqueue(self, batch: Sequence[Entry]) -> "Future[list[Outcome]]":
        """Queue a batch. RuntimeError once the writer is closed."""
        future: Future[list[Outcome]] = Future()
        with self._closing:
            if self._closed:
                raise RuntimeError("the writer is closed")
            self._queue.put((batch, future))
        return future

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
        job = self._queue.get()
        while job is not None:
            jobs = [job]
            size = len(job[0])
            following: _Job | None = None
            stop = False
            while not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    stop = True
                    break
                if size + len(following[0]) > MAX_ENTRIES:
                    break
                jobs.append(following)
                size += len(following[0])
                following = None
            self._book(jobs)
            job = None if stop else following or self._queue.get()

    def _book(self, jobs: list[_Job]) -> None:
        try:
            outcomes = self._ledger.submit([entry for batch, _ in jobs for entry in batch])
        except BaseException as error:
            for _, future in jobs:
                future.set_exception(error)
            return
        start = 0
        for batch, future in jobs:
            future.set_result(outcomes[start : start + len(batch)])
            start += len(batch)
