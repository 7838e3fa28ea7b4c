"""HEAD for whatever has GET: the same status and the same header, and no content (RFC 9110, section 9.3.2)."""

import asyncio
from collections.abc import Awaitable

from tieout.api.outer import App, Message, Receive, Scope, Send


class Head:
    """The application within, which knows GET alone; a HEAD is to it a GET that is left once the header has gone."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """One request, or the application's life. No coroutine of its own: of all requests few are HEAD."""
        if scope.get("method") == "HEAD":
            return self._answered(scope, receive, send)
        return self._app(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_gone = False

        async def header(message: Message) -> None:
            nonlocal has_gone
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            has_gone = True
            # Content may be long, or without end: whoever would make it waits here and is cancelled.
            answering.cancel()
            await asyncio.Future()

        # What is done to this scope, such as the route that is found, is read by whoever is around us.
        scope["method"] = "GET"
        answering = asyncio.ensure_future(self._app(scope, receive, header))
        try:
            await answering
        except asyncio.CancelledError:
            if not has_gone:
                raise
        finally:
            scope["method"] = "HEAD"
