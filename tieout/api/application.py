"""The application: routes, errors as problems, and the service that lives as long as it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from tieout.api import (
    bulk,
    commands,
    describing,
    explaining,
    following,
    inbox,
    lists,
    operation,
    own_keys,
    records,
    tracing,
    unbooked,
)
from tieout.api.direct import PREFIX, Direct, Shortcut
from tieout.api.failing import ANSWERED, problem_of
from tieout.api.head import Head
from tieout.api.outer import App, Limits, Outer
from tieout.api.problems import ApiCode, respond
from tieout.api.service import Service
from tieout.api.stopping import when_told
from tieout.settings import Settings

if TYPE_CHECKING:
    from tieout.api.spans import Traces

_PARTS = (commands, bulk, lists, records, explaining, following, inbox, unbooked, own_keys, describing, operation)


def create(settings: Settings) -> App:
    """The ASGI application over the store of the settings, which is opened when it starts."""
    traces = tracing.traces()
    app = framework(settings, traces)
    limits = Limits(settings.api_body_bytes, settings.api_bulk_bytes)
    whole = Outer(Head(Direct(app, _shortcuts(app), answered)), limits, app.state.service.metrics.seen)
    return whole if traces is None else traces.around(whole)


def _shortcuts(app: FastAPI) -> dict[tuple[str, str], Shortcut]:
    """Every command without a query, and the balances of one customer account."""
    found: dict[tuple[str, str], Shortcut] = {}
    for one in app.routes:
        if not isinstance(one, APIRoute):
            continue
        within = one.path.removeprefix(PREFIX)
        if within.startswith("commands/"):
            found["POST", within] = Shortcut(one, commands.shortly(one.endpoint))
        elif within == "balances":
            found["GET", within] = Shortcut(one, lists.short_balances)
    return found


def framework(settings: Settings, traces: "Traces | None" = None) -> FastAPI:
    """The routes and their errors, without what goes around each request."""
    service = Service(settings) if traces is None else Service(settings, traces.desk)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        when_told(service.end_following)
        try:
            yield
        finally:
            await service.stop()
            if traces is not None:
                traces.close()

    app = FastAPI(
        title="Tieout",
        version=version("tieout"),
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # It would send paths, queries and the text of errors to whoever the environment names.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.service = service
    for one in _PARTS:
        # As they are: an included router is looked through again at each request.
        app.router.routes.extend(one.router().routes)
    for kind in (*ANSWERED, Exception):
        app.add_exception_handler(kind, answered)
    return app


async def answered(request: Request, error: Exception) -> Response:
    """What is answered to a request that led to an error."""
    problem = problem_of(error, request)
    if problem.code == ApiCode.METHOD:
        problem.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return respond(request, problem)


def _methods(request: Request) -> set[str]:
    """What the routes of a path take, all together; HEAD wherever GET is."""
    path = request.scope["path"]
    routes = [one for one in request.app.routes if isinstance(one, APIRoute) and one.path_regex.match(path)]
    found = {method for one in routes for method in one.methods or ()}
    return found | {"HEAD"} if "GET" in found else found
