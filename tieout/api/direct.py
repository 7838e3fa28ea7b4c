"""What is asked most, answered before the framework sees it: its way to a function costs more than the rest of it.

The routes are the framework's own, with the same permits and the same errors. Whatever is not exactly such a request
goes on to the framework, which has them all.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from tieout.api.outer import App, Receive, Scope, Send
from tieout.api.permits import Permit

PREFIX = "/v1/books/{book}/"
_PATH = re.compile(r"/v1/books/([a-z0-9][a-z0-9-]{0,31})/([a-z/-]+)")

Short = Callable[[Request, str], Awaitable[Response | None]]
"""Answers a request for a book; None: it is one for the framework, and nothing of it has been read."""
Failed = Callable[[Request, Exception], Awaitable[Response]]


class Shortcut(NamedTuple):
    """A route of the framework, and what answers it here."""

    route: APIRoute
    answer: Short

    @property
    def permit(self) -> Permit:
        """Who may call the route."""
        [permit] = [one.dependency for one in self.route.dependencies if isinstance(one.dependency, Permit)]
        return permit


class Direct:
    """The framework's application, with shortcuts by method and path within a book; ``failed`` answers errors."""

    def __init__(self, framework: FastAPI, shortcuts: Mapping[tuple[str, str], Shortcut], failed: Failed) -> None:
        self._framework: App = framework
        self._app, self._failed = framework, failed
        self._shortcuts = {at: (one, one.permit) for at, one in shortcuts.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's life."""
        response = await self._shortly(scope, receive) if scope["type"] == "http" else None
        if response is None:
            await self._framework(scope, receive, send)
        else:
            await response(scope, receive, send)

    async def _shortly(self, scope: Scope, receive: Receive) -> Response | None:
        path = _PATH.fullmatch(scope["path"])
        if path is None:
            return None
        found = self._shortcuts.get((scope["method"], path[2]))
        if found is None:
            return None
        shortcut, permit = found
        book = path[1]
        scope.update({"app": self._app, "route": shortcut.route, "path_params": {"book": book}})
        request = Request(scope, receive)
        try:
            await permit(request)
            return await shortcut.answer(request, book)
        except Exception as error:
            return await self._failed(request, error)
