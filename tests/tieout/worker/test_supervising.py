"""A part's thread: started again after failures, ended when asked, and known to be dead when only that is left."""

import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
import structlog
from eventsourcing.persistence import OperationalError
from members import until
from structlog.testing import capture_logs

from consumers.kafka.backoff import Backoff
from tieout.errors import NotFound
from tieout.worker import supervising
from tieout.worker.pulse import Pulse, State
from tieout.worker.supervising import Supervised, Work


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    structlog.reset_defaults()
    with capture_logs() as captured:
        yield captured


def supervised(work: Work, **more: Any) -> Supervised:
    return Supervised("part", work, backoff=Backoff(first=0.01, longest=0.01), **more)


def ended(part: Supervised) -> bool:
    part.stop()
    return part.join(monotonic() + 10)


def until_stopped(pulse: Pulse) -> None:
    while not pulse.is_stopping:
        pulse.says(State.RUNNING)
        pulse.rest(0.01)


def test_a_part_that_fails_is_started_again_and_its_restarts_are_counted(logs: list[Any]) -> None:
    starts, restarts = [], []

    def work(pulse: Pulse) -> None:
        starts.append(1)
        if len(starts) < 4:
            raise OperationalError('connection failed: no password for user "bob"')
        until_stopped(pulse)

    part = supervised(work, restarted=lambda: restarts.append(1))
    part.start()
    until(lambda: part.state is State.RUNNING)
    assert (len(starts), len(restarts)) == (4, 3)
    assert part.is_working
    assert not part.is_dead
    assert ended(part)
    assert (part.state, part.is_working, part.is_dead) == (State.STOPPED, False, False)
    assert [one["event"] for one in logs] == ["part_failed"] * 3
    assert all("bob" not in one["reason"] for one in logs)


def test_what_can_be_put_right_is_said_and_what_may_quote_a_message_is_not(logs: list[Any]) -> None:
    errors: Iterator[Exception] = iter([NotFound("error.book_missing", book="shop"), ValueError("Mr Smith")])

    def work(pulse: Pulse) -> None:
        for error in errors:
            raise error
        until_stopped(pulse)

    part = supervised(work)
    part.start()
    until(lambda: part.state is State.RUNNING)
    assert ended(part)
    told, untold = logs
    assert "there is no book shop" in told["reason"]
    assert (untold["error"], "reason" in untold) == ("ValueError", False)
    assert "test_supervising.py:" in untold["at"]
    assert "Smith" not in str(untold)


def test_a_part_can_be_stopped_in_the_middle_of_long_work() -> None:
    begun = threading.Event()

    def work(pulse: Pulse) -> None:
        while True:
            begun.set()
            pulse.goes_on()

    part = supervised(work)
    part.start()
    assert begun.wait(10)
    assert ended(part)
    assert part.state is State.STOPPED


def test_a_part_can_be_interrupted_before_and_after_it_says_how() -> None:
    asked = threading.Event()
    pulse = Pulse()
    pulse.interrupts(asked.set)
    pulse.stop()
    assert asked.is_set()
    late = threading.Event()
    pulse.interrupts(late.set)
    assert late.is_set()


def test_a_wait_between_two_starts_ends_with_a_stop() -> None:
    def work(_: Pulse) -> None:
        raise OperationalError("away")

    part = Supervised("part", work, backoff=Backoff(first=3_600.0, longest=3_600.0))
    part.start()
    until(lambda: part.state is State.FAILING)
    assert not part.is_working
    assert not part.is_dead
    assert ended(part)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_unasked_is_dead() -> None:
    class Torn(BaseException):
        pass

    def work(_: Pulse) -> None:
        raise Torn

    part = supervised(work)
    assert not part.is_dead
    part.start()
    until(lambda: part.is_dead)
    assert not part.is_working


def test_a_part_that_has_been_silent_for_too_long_is_dead_unless_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "STUCK_SECONDS", 0.05)
    shown = [State.RUNNING]
    release = threading.Event()

    def work(pulse: Pulse) -> None:
        pulse.says(State.RUNNING)
        pulse.shows(lambda: shown[0])
        release.wait(30)

    part = supervised(work)
    part.start()
    until(lambda: part.is_dead)
    assert not part.is_working
    # What waits for a server says nothing for long, and is alive.
    shown[0] = State.WAITING
    assert not part.is_dead
    release.set()
    assert ended(part)
