"""Short questions of many callers, answered together: those of one turn of the event loop share a thread and a moment.

As the desk does it for commands: what comes while others are being answered waits for the next turn. Questions of one
kind are one statement. Long ones have threads and connections of their own (``service``), so that nobody waits here.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, NamedTuple

from projections.reader import Reader
from projections.readers import Readers

Kind = Callable[[Reader, Sequence[Any]], Sequence[Any]]
"""Answers many questions of one kind at one moment, in their order; an answer that is an error is raised to its caller."""
MOST = 256
"""Questions of one moment."""


class _Asked(NamedTuple):
    answer: "asyncio.Future[Any]"
    kind: Kind
    question: Any


class Counter:
    """Answers the coroutines of one event loop, the running one."""

    def __init__(self, readers: Readers, thread: Executor) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers, self._thread = readers, thread
        self._asked: list[_Asked] = []
        self._is_busy = False

    async def ask(self, kind: Kind, question: Any) -> Any:
        """The answer; raises what the question raises, or what having a reader does."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._asked.append(_Asked(answer, kind, question))
        if not self._is_busy:
            self._is_busy = True
            self._loop.call_soon(self._next)
        return await answer

    def _next(self) -> None:
        asked, self._asked = self._asked[:MOST], self._asked[MOST:]
        if not asked:
            self._is_busy = False
            return
        done = self._thread.submit(self._answers, asked)
        done.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._wake, done.result()))

    def _wake(self, answers: list[tuple[_Asked, Any]]) -> None:
        self._next()
        for one, answer in answers:
            if one.answer.done():
                continue
            if isinstance(answer, BaseException):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)

    def _answers(self, asked: list[_Asked]) -> list[tuple[_Asked, Any]]:
        """In the thread: an answer or an error each."""
        kinds: dict[Kind, list[_Asked]] = {}
        for one in asked:
            kinds.setdefault(one.kind, []).append(one)
        try:
            with self._readers.reading() as reader:
                return [pair for kind, alike in kinds.items() for pair in _answered(reader, kind, alike)]
        except BaseException as error:
            return [(one, error) for one in asked]


def _answered(reader: Reader, kind: Kind, alike: list[_Asked]) -> list[tuple[_Asked, Any]]:
    try:
        return list(zip(alike, kind(reader, [one.question for one in alike]), strict=True))
    except Exception as error:
        return [(one, error) for one in alike]
