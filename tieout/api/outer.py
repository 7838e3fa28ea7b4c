"""What goes around every request, as pure ASGI: its id, its limits, its log line and its figures.

A middleware of the framework's own form costs more than half of the throughput; this is a function around two others.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
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
BULK = "/_bulk"


class Limits(NamedTuple):
    """Bytes of a body, of one that streams, and seconds between two parts of one."""

    body: int = 1 << 20
    bulk: int = 1 << 28
    seconds: float = 30.0


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

        async def answered(message: Message) -> None:
            nonlocal status, has_begun
            if message["type"] == "http.response.start":
                status, has_begun = message["status"], True
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        try:
            await self._app(scope, self._limited(scope, receive), answered)
        except Exception:
            # Answered and logged already; the framework raises it again for whoever wants to know.
            if not has_begun:
                raise
        finally:
            self._told(scope, request_id, status, perf_counter() - started)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """The body's parts; ``Problem`` where there is too much of it, or too long nothing."""
        limit = self._limits.bulk if scope["path"].endswith(BULK) else self._limits.body
        came = 0

        async def limited() -> Message:
            nonlocal came
            if came < 0:
                return await receive()
            message = await self._patience.wait(receive)
            if message["type"] == "http.request":
                came += len(message.get("body", b""))
                if came > limit:
                    raise Problem(ApiCode.BODY_SIZE, limit=limit)
                if not message.get("more_body", False):
                    # What comes after the body is only that the client has gone, whenever that is.
                    came = -1
            return message

        return limited

    def _told(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "")
        self._seen(scope["method"], route, status, seconds)
        self._log.info(
            "request",
            request_id=request_id,
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            subject=scope["state"].get("subject"),
        )


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
