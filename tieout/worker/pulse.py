"""What a part and its supervisor tell each other: that it works, and that it should stop."""

import threading
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from time import monotonic


class State(StrEnum):
    """How a part is."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    """By an operator."""
    WAITING = "waiting"
    """Something that it needs is away; it tries again by itself."""
    FAILING = "failing"
    """It has failed, and will be started again."""
    STOPPED = "stopped"


WORKING = (State.RUNNING, State.PAUSED)


class Stopped(Exception):
    """Raised by a part in the middle of long work, once it should stop; all that it has done is saved."""


class Pulse:
    """Of one part; used by its thread, its supervisor's and those of health checks."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._said = State.STARTING
        self._said_at: float | None = None
        self._shown: Callable[[], State] | None = None
        self._interrupt: Callable[[], None] = lambda: None

    # --- the part's side

    @property
    def is_stopping(self) -> bool:
        """Whether the part should stop."""
        return self._stopping.is_set()

    def says(self, state: State) -> None:
        """The part lives, and is in this state."""
        self._said, self._said_at = state, monotonic()

    def goes_on(self) -> None:
        """The part is in the middle of long work; raises ``Stopped`` where it should stop."""
        self.says(State.RUNNING)
        if self.is_stopping:
            raise Stopped

    def rest(self, seconds: float) -> None:
        """Wait so long, or until the part should stop."""
        self._stopping.wait(seconds)

    def shows(self, state: Callable[[], State]) -> None:
        """From now on the part's state is what this answers."""
        self._shown = state

    def interrupts(self, stop: Callable[[], None]) -> None:
        """What is called when the part should stop; at once, if it should already."""
        self._interrupt = stop
        if self.is_stopping:
            stop()

    # --- the supervisor's side

    @property
    def state(self) -> State:
        """How the part is."""
        return self._said if self._shown is None else self._shown()

    @property
    def silence(self) -> float:
        """Seconds since it said something; 0 where it only shows its state, or does not say that it works.

        A part that starts may have to wait for long, as for a rebuild that another process is at.
        """
        said_at = self._said_at
        return 0.0 if said_at is None or self.state not in WORKING else monotonic() - said_at

    def anew(self, state: State) -> None:
        """Nothing that the part said counts any longer."""
        self._shown, self._said_at, self._said = None, None, state
        self._interrupt = lambda: None

    def stop(self) -> None:
        """Have the part stop."""
        self._stopping.set()
        with suppress(Exception):
            # A part that is being taken down has nothing left to interrupt.
            self._interrupt()
