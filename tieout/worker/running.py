"""The process: parts are started, work until a signal comes, and finish what they are at.

The signals' handler does no more than write to a pipe, since it may run at any moment, also while a lock is held. After
the first signal the system's own handling is put back, so that a second one ends the process at once.
"""

import os
import select
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from time import monotonic

import structlog
from prometheus_client import CollectorRegistry, Counter, ProcessCollector

from ledger.garbage import spare_collections
from tieout.logging import hear_libraries
from tieout.settings import Settings
from tieout.worker.health import Health, served
from tieout.worker.measuring import Measured, Standing
from tieout.worker.parts import CONSUME, OF_KAFKA, PROJECT, PUBLISH
from tieout.worker.supervising import Supervised, Work

log = structlog.get_logger(__name__)

STOP_SECONDS = 25.0
"""How long parts may take to finish; less than orchestrators wait before they kill."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(settings: Settings, names: Sequence[str], started: Callable[[], None]) -> bool:
    """Run parts until a signal comes; whether all of them have ended in time.

    ``started`` is called once they run. Of the main thread, as signals are.
    """
    hear_libraries()
    registry = CollectorRegistry()
    parts = _supervised(settings, names, registry)
    topic = settings.kafka_events_topic if settings.kafka_bootstrap_servers is not None else None
    with closing(Standing(settings.location, topic)) as standing:
        registry.register(Measured(standing, parts))
        with signals() as pipe, served(settings.worker_listen, Health(parts, standing, registry)) as listen:
            spare_collections()
            for part in parts:
                part.start()
            log.info("worker_started", parts=list(names), store=settings.location_name, listen=listen)
            started()
            select.select([pipe], [], [])
            log.info("worker_stopping", parts=list(names))
            return _stopped(parts)


def _supervised(settings: Settings, names: Sequence[str], registry: CollectorRegistry) -> list[Supervised]:
    restarts = Counter("tieout_part_restarts", "Starts of a part after it failed.", ["part"], registry=registry)
    ProcessCollector(registry=registry)
    return [
        Supervised(name, work, restarted=restarts.labels(name).inc)
        for name, work in _works(settings, names, registry).items()
    ]


def _works(settings: Settings, names: Sequence[str], registry: CollectorRegistry) -> dict[str, Work]:
    """What the parts do. Imported for those that run, all of it before garbage collection is told to leave it alone."""
    works: dict[str, Work] = {}
    if any(name in OF_KAFKA for name in names):
        from tieout.brokers import servers

        # What is wrong with how to log in is said at once, not again and again.
        servers(settings)
    if CONSUME in names:
        from consumers.kafka.metrics import Metrics
        from tieout.worker.consuming import consume, send_dead_letters

        works[CONSUME] = partial(consume, settings, Metrics.registered(registry), CONSUME)
        works["dead-letters"] = partial(send_dead_letters, settings)
    if PROJECT in names:
        from tieout.worker.projecting import project

        works[PROJECT] = partial(project, settings, PROJECT)
    if PUBLISH in names:
        from tieout.worker.publishing import publish

        works[PUBLISH] = partial(publish, settings, PUBLISH)
    return works


def _stopped(parts: Sequence[Supervised]) -> bool:
    for part in parts:
        part.stop()
    deadline = monotonic() + STOP_SECONDS
    left = [part.name for part in parts if not part.join(deadline)]
    if left:
        log.error("worker_parts_left", parts=left, seconds=STOP_SECONDS)
    return not left


@contextmanager
def signals() -> Iterator[int]:
    """The end of a pipe that can be read from once a signal has come.

    The interpreter itself writes into it, at once. A handler of ours would be put off until the main thread runs: not at
    all, if the signal came just before that thread began to wait.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)

    def told(_number: int, _frame: object) -> None:
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_DFL)

    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {one: signal.signal(one, told) for one in _SIGNALS}
    try:
        yield reading
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        signal.set_wakeup_fd(woken)
        os.close(reading)
        os.close(writing)
