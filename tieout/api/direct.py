"""Commands without a query, answered before the framework sees them: its way to a function costs more than the rest of it.

The routes are the framework's own (``commands``), with the same permits and the same errors; whatever is not exactly a
command at its path goes on to the framework, which has them too.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from tieout.api.outer import App, Receive, Scope, Send
from tieout.api.permits import Permit

_PATH = re.compile(r"/v1/books/([a-z0-9][a-z0-9-]{0,31})/commands/([a-z-]+)")

Problems = Callable[[Request, Exception], Awaitable[Response]]


class Direct:
    """The framework's application, with a shorter way for some of its routes; ``failed`` answers errors."""

    def __init__(self, framework: FastAPI, routes: Mapping[str, APIRoute], failed: Problems) -> None:
        self._framework: App = framework
        self._app, self._failed = framework, failed
        self._routes = {name: (route, _permit(route)) for name, route in routes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's life."""
        found = self._found(scope)
        if found is None:
            await self._framework(scope, receive, send)
            return
        book, route, permit = found
        mine: MutableMapping[str, Any] = scope
        mine.update({"app": self._app, "route": route, "path_params": {"book": book}})
        request = Request(mine, receive)
        try:
            await permit(request)
            response = await route.endpoint(request, book)
        except Exception as error:
            response = await self._failed(request, error)
        await response(mine, receive, send)

    def _found(self, scope: Scope) -> tuple[str, APIRoute, Permit] | None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
            return None
        path = _PATH.fullmatch(scope["path"])
        if path is None or path[2] not in self._routes:
            return None
        return path[1], *self._routes[path[2]]


def _permit(route: APIRoute) -> Permit:
    [permit] = [one.dependency for one in route.dependencies if isinstance(one.dependency, Permit)]
    return permit
