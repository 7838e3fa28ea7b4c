"""Figures of the API for Prometheus: commands by outcome, requests by route, how long they take; and where the store stands.

With several processes each counts for itself in files of ``PROMETHEUS_MULTIPROC_DIR``, and whichever is asked sums up.
"""

import os
from collections.abc import Iterable
from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from ledger.outcomes import Outcome

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SERIES = 4096
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The figures of one process. ``asked``: what says how others stand, such as the store, when somebody wants to know."""

    def __init__(self, asked: Iterable[Collector]) -> None:
        registry = CollectorRegistry()
        self._commands = Counter(
            "tieout_commands", "Commands, by what became of them.", ["command", "outcome"], registry=registry
        )
        self._requests = Counter(
            "tieout_http_requests", "Requests, by route and status.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "tieout_http_seconds", "How long requests took.", ["method", "route"], buckets=_BUCKETS, registry=registry
        )
        # Finding a series by its labels costs more than counting.
        self._of_command = lru_cache(_SERIES)(self._commands.labels)
        self._of_route = lru_cache(_SERIES)(self._requests.labels)
        self._time_of_route = lru_cache(_SERIES)(self._seconds.labels)
        if MULTIPROCESS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        for one in asked:
            registry.register(one)
        self._registry = registry

    def booked(self, command: str, outcome: Outcome) -> None:
        """A command was answered."""
        self._of_command(command, outcome.status.value).inc()

    def seen(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; ``route`` is the path's template, empty where there is none."""
        self._of_route(method, route, str(status)).inc()
        self._time_of_route(method, route).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
