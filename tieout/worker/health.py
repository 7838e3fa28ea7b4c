"""What a worker answers to whoever watches it, by HTTP.

    /healthz   503 where only a new process helps: a part has died
    /readyz    503 while the store does not answer, a part does not work, or the log runs away from one
    /metrics   for Prometheus

A server that is away makes a worker unready, not unhealthy: to start it anew would help nobody.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import msgspec
from prometheus_client import CollectorRegistry, make_wsgi_app

from tieout.errors import UserError
from tieout.worker.measuring import Standing, Unreachable
from tieout.worker.parts import PROJECT, PUBLISH
from tieout.worker.pulse import State
from tieout.worker.supervising import Supervised

BEHIND = 100_000
"""Events that a part may be behind the log and still count as ready: some seconds of work."""

Start = Callable[..., Any]


class Health:
    """The answers, as a WSGI application."""

    def __init__(self, parts: Sequence[Supervised], standing: Standing, registry: CollectorRegistry) -> None:
        self._parts, self._standing = parts, standing
        self._metrics: Callable[..., Iterable[bytes]] = make_wsgi_app(registry)

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """One request."""
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _answer(start, HTTPStatus.METHOD_NOT_ALLOWED, {})
        if path == "/metrics":
            return self._metrics(environ, start)
        if path not in ("/healthz", "/readyz"):
            return _answer(start, HTTPStatus.NOT_FOUND, {})
        is_well, said = self.alive() if path == "/healthz" else self.ready()
        return _answer(start, HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE, said)

    def alive(self) -> tuple[bool, dict[str, Any]]:
        """Whether no part has died."""
        parts = {part.name: "dead" if part.is_dead else part.state for part in self._parts}
        return "dead" not in parts.values(), {"parts": parts}

    def ready(self) -> tuple[bool, dict[str, Any]]:
        """Whether every part works and keeps up."""
        _, said = self.alive()
        try:
            found = self._standing.positions()
        except Unreachable:
            return False, said | {"store": "unreachable"}
        stands = {PROJECT: found.projection, PUBLISH: found.published}
        behind = {
            part.name: found.log - position
            for part in self._parts
            if (position := stands.get(part.name)) is not None and part.state is not State.PAUSED
        }
        keep_up = all(events <= BEHIND for events in behind.values())
        works = all(part.is_working for part in self._parts)
        return works and keep_up, said | {"store": "reachable", "behind": behind}


@contextmanager
def served(listen: str, application: Health) -> Iterator[str]:
    """Answer at ``host:port`` in the background, nowhere where that is empty; where it is.

    Raises ``UserError`` where the address is taken. Port 0 is any that is free.
    """
    if not listen:
        yield ""
        return
    host, _, port = listen.rpartition(":")
    try:
        server = (_Server6 if "[" in host else _Server)((host.strip("[]"), int(port)), _Quiet)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError("error.listen", where=listen, reason=reason) from None
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, name="tieout-health", daemon=True)
    thread.start()
    try:
        yield f"{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a request, so that one that waits for the store holds up no other."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Without asking for the host's name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Server6(_Server):
    """At an address such as ``[::1]``."""

    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    """Requests are not logged; one that does not come is not waited for."""

    timeout = 10

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Nothing."""


def _answer(start: Start, status: HTTPStatus, said: dict[str, Any]) -> list[bytes]:
    start(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
    return [msgspec.json.encode(said), b"\n"]
