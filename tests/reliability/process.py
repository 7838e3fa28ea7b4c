"""A ``tieout worker`` in a process of its own, that may be killed or frozen from outside, or at a chosen statement.

The process is forked from one that has loaded everything, since loading takes longer than most of what is tried here;
from then on it is what ``tieout worker`` is, with shorter times and smaller pages, so that more happens in a round.

A *plan* is a file: as soon as it is there, the next statement to the database that holds its word is the last one of
this process (or the one it is frozen at), before it is sent or after it was answered.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import psutil
from crashing import SLOWEST

SESSION_MS = 1_000
"""A member that is not heard of for so long is given up for dead. The least that the broker of the tests allows."""
IDLE_SECONDS = 2
"""After so long the server ends a session that stands still in the middle of a transaction."""
_PRELOAD = ("tests.reliability.process", "tieout.worker.running", "tieout.worker.consuming")
_PRELOAD += ("tieout.worker.projecting", "tieout.worker.publishing", "tieout.cli.tree", "ledger.postgres_commit")


class Plan(NamedTuple):
    """What becomes of a process, and where."""

    deed: Literal["KILL", "STOP"]
    when: Literal["before", "after"]
    word: str


class Worker:
    """A worker with one part."""

    def __init__(self, name: str, part: str, environment: Mapping[str, str], folder: Path) -> None:
        self.name, self.part = name, part
        self._environment, self._folder = dict(environment), folder
        self._plan = folder / f"{name}.plan"
        self._process: Any = None
        self._said = 0

    @property
    def log(self) -> Path:
        """What it has said, in all its lives."""
        return self._folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, again if it has died."""
        self._plan.unlink(missing_ok=True)
        self._said = self.log.stat().st_size if self.log.exists() else 0
        arguments = (self.part, self._environment, str(self.log), str(self._plan))
        self._process = _context().Process(target=_work, args=arguments, name=f"tieout-{self.name}")
        self._process.start()

    def has_said(self, event: str, since: int | None = None) -> bool:
        """Whether it has logged an event, in this life or since its log had so many bytes."""
        return f'"{event}"'.encode() in self.log.read_bytes()[self._said if since is None else since :]

    @property
    def is_up(self) -> bool:
        """Whether it works, and would stop gracefully."""
        return self.has_said("worker_started")

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or could."""
        return bool(self._process.is_alive())

    @property
    def has_failed(self) -> bool:
        """Whether it has ended by itself."""
        code = self._process.exitcode
        return code is not None and code >= 0

    @property
    def is_frozen(self) -> bool:
        """Whether it stands still."""
        return bool(psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED)

    def kill(self) -> None:
        """``kill -9``."""
        self._process.kill()
        self._process.join(SLOWEST)
        assert not self.is_alive

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def intend(self, plan: Plan) -> None:
        """Have it go by a plan, as soon as it gets there."""
        draft = self._plan.with_suffix(".draft")
        draft.write_text(" ".join(plan))
        draft.rename(self._plan)

    def has_followed(self) -> bool:
        """Whether it has got there."""
        return not self._plan.exists()

    def forget(self) -> bool:
        """Drop the plan; whether it was not too late for that."""
        try:
            self._plan.unlink()
        except FileNotFoundError:
            return False
        return True

    def terminate(self) -> None:
        """Tell it to end, as an operator does."""
        self._process.terminate()

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        self._process.join(SLOWEST)
        code = self._process.exitcode
        if code is None:
            self.kill()
            raise TimeoutError(f"{self.name} did not stop")
        return int(code)

    def end(self) -> None:
        """End it whatever it is at, if it still runs."""
        if self._process is not None and self.is_alive:
            self.kill()


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOAD))
    return context


# --- in the process


def _work(part: str, environment: Mapping[str, str], log: str, plan: str) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for name in [name for name in os.environ if name.startswith("TIEOUT_")]:
        del os.environ[name]
    os.environ.update(environment)
    _quicken()
    _watch(Path(plan), f"tieout-{part}")
    from tieout.cli import main

    sys.exit(main(["worker", part]))


def _quicken() -> None:
    """The same program with shorter times and smaller pages: other defaults."""
    import consumers.kafka.client as client
    import ledger.postgres as postgres
    import tieout.worker.consuming as consuming
    from consumers.kafka.backoff import Backoff
    from consumers.kafka.dead_letters import DeadLetters
    from projections.follow import Follower
    from projections.outbound.publisher import Publisher

    client.RECONNECT_MS = 200
    assert postgres.PATIENCE in postgres._SESSION
    postgres._SESSION = postgres._SESSION.replace(postgres.PATIENCE, f"{IDLE_SECONDS}s")
    _default(Backoff.__init__, longest=0.3)
    _default(DeadLetters.__init__, longest_wait=0.3, every_seconds=0.2)
    _default(Follower.follow, page=100)
    _default(Publisher.__init__, page=50)
    consuming.Group = partial(  # type: ignore[misc,assignment]
        consuming.Group, session_timeout_ms=SESSION_MS, heartbeat_interval_ms=200
    )
    consuming.Options = partial(  # type: ignore[misc,assignment]
        consuming.Options, poll_ms=20, max_poll_records=25, every_seconds=0.1, longest_wait=0.3
    )


def _default(function: Any, **values: Any) -> None:
    """Have a function take other values where none are given."""
    for name, value in values.items():
        if name in (function.__kwdefaults__ or {}):
            function.__kwdefaults__[name] = value
            continue
        given = list(function.__defaults__)
        names = function.__code__.co_varnames[: function.__code__.co_argcount][-len(given) :]
        given[names.index(name)] = value
        function.__defaults__ = tuple(given)


def _watch(place: Path, thread: str) -> None:
    """Have every statement of the thread that does the part's work look whether it is the one of the plan."""
    import psycopg

    execute = psycopg.Cursor.execute

    def watched(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        ours = threading.current_thread().name == thread
        if ours:
            _reached(place, "before", query)
        found = execute(self, query, *arguments, **options)
        if ours:
            _reached(place, "after", query)
        return found

    psycopg.Cursor.execute = watched  # type: ignore[method-assign]


def _reached(place: Path, when: str, query: Any) -> None:
    if not place.exists():
        return
    deed, wanted, word = place.read_text().split(" ", 2)
    text = query.decode() if isinstance(query, bytes) else str(query)
    if wanted == when and word in text:
        place.unlink()
        # To this thread: another one that gets the signal would leave it some steps further.
        signal.pthread_kill(threading.get_ident(), getattr(signal, f"SIG{deed}"))
