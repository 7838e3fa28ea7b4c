"""Knowing that a server is going to stop while it still finishes what is in flight: what has no end must be ended by us."""

import signal
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def when_told(call: Callable[[], None]) -> None:
    """Have ``call`` called when this process is told to end.

    Only Python's own handler is replaced. The event loop hears of signals through its wake-up descriptor, so the
    server's handlers, which it was given before, go on working.
    """

    def told(*_: Any) -> None:
        call()

    # Outside of the main thread there are no signals.
    with suppress(ValueError):
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, told)
