"""Short questions of many callers, answered together: those of one turn of the event loop share a thread and a moment.

As the desk does it for commands: what comes while others are being answered waits for the next turn. Long questions have
threads and connections of their own (``service``), so that nobody waits for them here.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NamedTuple

from projections.reader import Reader
from projections.readers import Readers

Question = Callable[[Reader], Any]
MOST = 64
"""Questions of one moment."""


class _Asked(NamedTuple):
    answer: "asyncio.Future[Any]"
    question: Question


class Counter:
    """Answers the coroutines of one event loop, the running one."""

    def __init__(self, readers: Readers, thread: Executor) -> None:
        self._loop = asyncio.get_running_loop()
        self._readers, self._thread = readers, thread
        self._asked: list[_Asked] = []
        self._is_busy = False

    async def ask(self, question: Question) -> Any:
        """The answer; raises what the question raises, or what having a reader does."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._asked.append(_Asked(answer, question))
        if not self._is_busy:
            self._is_busy = True
            self._loop.call_soon(self._next)
        return await answer

    def _next(self) -> None:
        asked, self._asked = self._asked[:MOST], self._asked[MOST:]
        if not asked:
            self._is_busy = False
            return
        done = self._thread.submit(self._answers, [one.question for one in asked])
        done.add_done_callback(lambda done: self._loop.call_soon_threadsafe(self._wake, asked, done.result()))

    def _wake(self, asked: list[_Asked], answers: list[Any]) -> None:
        self._next()
        for one, answer in zip(asked, answers, strict=True):
            if one.answer.done():
                continue
            if isinstance(answer, BaseException):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)

    def _answers(self, questions: list[Question]) -> list[Any]:
        """In the thread: an answer or an error each."""
        try:
            with self._readers.reading() as reader:
                return [_answered(question, reader) for question in questions]
        except BaseException as error:
            return [error] * len(questions)


def _answered(question: Question, reader: Reader) -> Any:
    try:
        return question(reader)
    except Exception as error:
        return error
