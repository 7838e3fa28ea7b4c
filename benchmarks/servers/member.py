"""A worker process: ``python -m benchmarks.servers.member``, told what to do by a line of JSON.

It joins the group, says that it is ready, begins when a line comes, says what it measured when its partitions are read
to the end, and goes on as a member until its input is closed: one that left would give its partitions to another.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import msgspec
import structlog
from eventsourcing.persistence import Tracking

from benchmarks.servers.layers import Layers
from consumers.kafka import positions
from consumers.kafka.client import Servers as Brokers
from consumers.kafka.loop import Loop, Options
from consumers.kafka.messages import Feed
from ledger.garbage import spare_collections
from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome, Status

CHECKOUT = Path(__file__).resolve().parents[2]


class Task(msgspec.Struct, kw_only=True):
    """What a member reads. ``ends``: partition → the offset at which it is done; ``share``: how many are its own."""

    store: str
    bootstrap: str
    topic: str
    ends: dict[int, int]
    share: int
    group: str
    layers: bool = False
    poll_records: int = 500


class Result(msgspec.Struct, kw_only=True):
    """What a member measured: instants of the machine's clock, processor seconds, and its memory in MB after each
    so many messages.
    """

    started: float
    ended: float
    messages: int
    commits: int
    processor: float
    layers: dict[str, float]
    memory: list[tuple[int, int]]


class Member:
    """A worker process, from outside."""

    def __init__(self, task: Task) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.servers.member"],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._say(msgspec.json.encode(task).decode())

    def __enter__(self) -> "Member":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def wait_until_ready(self) -> None:
        """Wait until it has its partitions."""
        self._line()

    def begin(self) -> None:
        """Have it begin."""
        self._say("begin")

    def result(self) -> Result:
        """Wait until it is done; what it measured."""
        return msgspec.json.decode(self._line(), type=Result)

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the member died"
        return line


class _Watched(Ledger):
    """A ledger that notes how far each partition is, and when."""

    def watch(self, task: Task) -> None:
        self.messages = self.commits = 0
        self.ended = self.processor = 0.0
        self.memory: list[tuple[int, int]] = []
        self.reached: dict[str, int] = {}

    def submit(
        self, batch: Sequence[Entry], *, now_us: int | None = None, tracking: Sequence[Tracking] = ()
    ) -> list[Outcome]:
        outcomes = super().submit(batch, now_us=now_us, tracking=tracking)
        assert all(outcome.status is Status.BOOKED for outcome in outcomes)
        self.messages += len(batch)
        self.commits += 1
        self.reached |= {one.application_name: one.notification_id for one in tracking}
        self.ended, self.processor = monotonic(), process_time()
        if self.commits % 5 == 0:
            self.memory.append((self.messages, resident_mb()))
        return outcomes


def resident_mb() -> int:
    """The memory that this process holds, where the system tells."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20
    except OSError:
        return 0


def main() -> None:
    """Be a member."""
    task = msgspec.json.decode(sys.stdin.readline(), type=Task)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    begun, said, done = threading.Event(), threading.Event(), threading.Event()
    began: list[float] = []
    ledger = _Watched.open(task.store)
    ledger.watch(task)
    layers = Layers() if task.layers else None

    def held() -> bool:
        """Whether it must not begin yet. Asked by the loop before each poll, so it also sees when all is done."""
        if not begun.is_set():
            if ready() and not said.is_set():
                said.set()
                tell("ready")
            return True
        if not began:
            began.extend((monotonic(), process_time()))
            if layers is not None:
                layers.start()
        elif not done.is_set() and loop.partitions and all(at_end(p.partition) for p in loop.partitions):
            done.set()
            tell(
                msgspec.to_builtins(
                    Result(
                        started=began[0],
                        ended=ledger.ended,
                        messages=ledger.messages,
                        commits=ledger.commits,
                        processor=ledger.processor - began[1],
                        layers={} if layers is None else layers.stop(),
                        memory=ledger.memory,
                    )
                )
            )
        return False

    def ready() -> bool:
        assignment = loop._assignment
        return assignment is not None and len(loop.partitions) == task.share and assignment.is_located

    def at_end(partition: int) -> bool:
        name = f"{positions.prefix('main')}{task.topic}:{partition}"
        return ledger.reached.get(name, 0) >= task.ends.get(partition, 0)

    def tell(what: Any) -> None:
        print(json.dumps(what), flush=True)

    def listen() -> None:
        sys.stdin.readline()
        begun.set()
        sys.stdin.read()
        loop.stop()

    options = Options(max_poll_records=task.poll_records, poll_ms=50)
    options = msgspec.structs.replace(options, group=msgspec.structs.replace(options.group, name=task.group))
    feeds = {task.topic: Feed()}
    spare_collections()
    loop = Loop(ledger, Brokers(task.bootstrap), feeds, options, paused=held)
    threading.Thread(target=listen, daemon=True).start()
    loop.run()
    ledger.close()


if __name__ == "__main__":
    main()
