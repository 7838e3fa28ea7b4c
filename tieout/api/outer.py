"""What goes around every request, as pure ASGI: its id, its limits, its log line and its figures.

A middleware of the framework's own form costs more than half of the throughput; this is a function around two others.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from secrets import token_hex
from time import perf_counter
from typing import Any, NamedTuple

import structlog

from tieout.api.problems import ApiCode, Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ALWAYS = [
    # Balances are nobody's to keep on the way.
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
PROBES = ("/healthz", "/readyz")
BULK = "/_bulk"
DRAINED = 1 << 23
"""Bytes of a body that are still taken of a request that has failed already."""


class Limits(NamedTuple):
    """Bytes of a body, of one that streams, and seconds between two parts of one."""

    body: int = 1 << 20
    bulk: int = 1 << 28
    seconds: float = 30.0

    def of(self, path: str) -> int:
        """Bytes that the body of a request may have."""
        return self.bulk if path.endswith(BULK) else self.body


class Outer:
    """The application within, and what every request to it has. ``seen(method, route, status, seconds)`` counts it."""

    def __init__(self, app: App, limits: Limits, seen: Callable[[str, str, int, float], None]) -> None:
        self._app, self._limits, self._seen = app, limits, seen
        # Bound once: it costs more than the line does while lines of this level are not written.
        self._log = structlog.get_logger(__name__).bind()
        self._patience = _Patience(limits.seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's life."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        started, status, has_begun = perf_counter(), 500, False
        extra = [(b"x-request-id", request_id.encode()), *_ALWAYS]

        body = _Body(receive, self._limits.of(scope["path"]), self._patience)

        async def answered(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                if status >= 400 and status != 408 and scope["method"] == "POST":
                    await body.drain()
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        try:
            await self._app(scope, body.receive, answered)
        except Exception:
            # Answered and logged already; the framework raises it again for whoever wants to know.
            if not has_begun:
                raise
        finally:
            self._told(scope, request_id, status, perf_counter() - started)

    def _told(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "")
        state = scope["state"]
        self._seen(scope["method"], route, status, seconds)
        # Probes come every few seconds; what they find that is wrong is not left out.
        tell = self._log.debug if route in PROBES and status == 200 else self._log.info
        tell(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            subject=state.get("subject"),
            **({"trace_id": state["trace_id"]} if "trace_id" in state else {}),
        )


class _Body:
    """The body of a request as it comes: not more of it than the limit, and not for longer nothing than is waited."""

    def __init__(self, receive: Receive, limit: int, patience: "_Patience") -> None:
        self._receive, self._limit, self._patience = receive, limit, patience
        self._came = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part. Raises ``Problem`` where there is too much of it, or too long nothing."""
        if self._is_whole:
            # What comes after the body is only that the client has gone, whenever that is.
            return await self._receive()
        message = await self._patience.wait(self._receive)
        if message["type"] == "http.request":
            self._is_whole = not message.get("more_body", False)
            self._came += len(message.get("body", b""))
            if self._came > self._limit:
                raise Problem(ApiCode.BODY_SIZE, limit=self._limit)
        return message

    async def drain(self) -> None:
        """Take some of what is still being sent, and forget it.

        A client that sends does not read; were the connection closed on it, it would never see why.
        """
        self._came, self._limit = 0, DRAINED
        with suppress(Problem):
            while not self._is_whole and (await self.receive())["type"] == "http.request":
                pass


class _Patience:
    """Waits for parts of bodies, for so long at most. One look a second at all who wait: a timer each costs more."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, receive: Receive) -> Message:
        """The next part. Raises ``Problem`` where it does not come."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        me = asyncio.current_task()
        assert me is not None
        self._since[me] = perf_counter()
        try:
            return await receive()
        except asyncio.CancelledError:
            if me not in self._late:
                raise
            self._late.discard(me)
            me.uncancel()
            raise Problem(ApiCode.BODY_TIME, seconds=int(self._seconds)) from None
        finally:
            del self._since[me]

    async def _look(self) -> None:
        while self._since:
            await asyncio.sleep(min(1.0, self._seconds))
            now = perf_counter()
            for task, since in list(self._since.items()):
                if now - since > self._seconds:
                    self._late.add(task)
                    task.cancel()
        self._looking = None


def _request_id(scope: Scope) -> str:
    """The caller's own, if it is fit for a log, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            found: str = value.decode()
            return found
    return token_hex(8)
