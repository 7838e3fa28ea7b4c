"""Where the processor time of a member goes: each layer's own, measured by the clock of its thread.

Measuring costs some 3 microseconds a message, which the layers' sum therefore has more than a run without.
"""

import gc
import threading
from collections import defaultdict
from collections.abc import Callable
from time import process_time, thread_time
from typing import Any

import consumers.commands
import consumers.kafka.loop
import ledger.deciding
import ledger.recorder
from consumers.kafka.loop import Loop
from ledger.deciding import Deciding
from ledger.ledger import Ledger
from ledger.recorder import LedgerRecorder
from ledger.register import Register
from ledger.state import State


class Layers:
    """A stopwatch that is always in one layer."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = defaultdict(float)
        self._stack: list[str] = []
        self._layer = "rest"
        self._at = self._whole = 0.0
        self._thread = 0

    def start(self) -> None:
        """Begin, in the thread that is to be measured."""
        for owner, name, layer in _PLACES:
            setattr(owner, name, self._timed(getattr(owner, name), layer))
        self._thread = threading.get_ident()
        gc.callbacks.append(self._collector)
        self._whole = process_time()
        self._at = thread_time()

    def stop(self) -> dict[str, float]:
        """Layer → seconds; ``broker: network thread`` is what other threads than ours used."""
        gc.callbacks.remove(self._collector)
        self._switch(self._layer)
        own = sum(self._spent.values())
        return dict(self._spent) | {"broker: network thread": process_time() - self._whole - own}

    def _switch(self, layer: str) -> None:
        now = thread_time()
        self._spent[self._layer] += now - self._at
        self._at, self._layer = now, layer

    def _enter(self, layer: str) -> None:
        self._stack.append(self._layer)
        self._switch(layer)

    def _leave(self) -> None:
        self._switch(self._stack.pop())

    def _collector(self, phase: str, _: dict[str, int]) -> None:
        if threading.get_ident() == self._thread:
            if phase == "start":
                self._enter("gc")
            else:
                self._leave()

    def _timed(self, function: Callable[..., Any], layer: str) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            self._enter(layer)
            try:
                return function(*given, **named)
            finally:
                self._leave()

        return timed


_PLACES: tuple[tuple[Any, str, str], ...] = (
    (Loop, "_poll", "broker: poll"),
    (consumers.kafka.loop, "entries", "border"),
    (consumers.commands, "_validate", "border: validation"),
    (Ledger, "_refuse_stale", "look-ups"),
    (State, "catch_up", "look-ups"),
    (State, "load", "look-ups: accounts"),
    (Register, "receipts", "look-ups"),
    (Register, "documents", "look-ups"),
    (Register, "concerning", "look-ups"),
    (Register, "revisions", "look-ups"),
    (Deciding, "run", "deciding"),
    (Deciding, "_named", "deciding: what is named"),
    (ledger.deciding, "digest", "digest"),
    (ledger.deciding, "decide_and_evolve", "decide and evolve"),
    (ledger.deciding, "encode", "encode"),
    (LedgerRecorder, "commit", "write"),
    (ledger.recorder, "write", "write"),
    (State, "settle_down", "snapshots"),
)
"""What is measured: owner, name, layer."""
