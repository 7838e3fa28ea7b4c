"""The application: routes, errors as problems, and the service that lives as long as it does."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from traceback import extract_tb
from typing import Any

import structlog
from eventsourcing.persistence import OperationalError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ledger.errors import Contention
from projections.reader import NotFollowed
from projections.readers import AllInUse
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
    parameters,
    records,
    unbooked,
)
from tieout.api.direct import PREFIX, Direct, Shortcut
from tieout.api.outer import App, Limits, Outer
from tieout.api.problems import ApiCode, Problem, respond
from tieout.api.service import Service
from tieout.api.stopping import when_told
from tieout.settings import Settings

log = structlog.get_logger(__name__)

_PARTS = (commands, bulk, lists, records, explaining, following, inbox, unbooked, own_keys, describing, operation)
_OF_FRAMEWORK = {404: ApiCode.ROUTE, 405: ApiCode.METHOD}


def create(settings: Settings) -> App:
    """The ASGI application over the store of the settings, which is opened when it starts."""
    app = framework(settings)
    limits = Limits(settings.api_body_bytes, settings.api_bulk_bytes)
    return Outer(Direct(app, _shortcuts(app), answered), limits, app.state.service.metrics.seen)


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


def framework(settings: Settings) -> FastAPI:
    """The routes and their errors, without what goes around each request."""
    service = Service(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
        when_told(service.end_following)
        try:
            yield
        finally:
            await service.stop()

    app = FastAPI(
        title="Tieout",
        version=version("tieout"),
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    for one in _PARTS:
        # As they are: an included router is looked through again at each request.
        app.router.routes.extend(one.router().routes)
    for kind in (*_ANSWERS, Exception):
        app.add_exception_handler(kind, answered)
    return app


async def answered(request: Request, error: Exception) -> Response:
    """What is answered to a request that led to an error; what it is of ours is logged, without its text."""
    kind = next((one for one in _ANSWERS if isinstance(error, one)), None)
    if isinstance(error, OperationalError):
        # Its text may name who connects; what kind of trouble it was is enough to look it up in the database's own log.
        cause = error.__cause__ or error
        log.warning(
            "store_did_not_answer",
            request_id=request.scope["state"].get("request_id"),
            error=type(cause).__name__,
            sqlstate=getattr(cause, "sqlstate", None),
        )
    elif kind is None:
        # Its text may quote what a customer wrote.
        at = extract_tb(error.__traceback__)[-1]
        log.error(
            "request_failed",
            request_id=request.scope["state"].get("request_id"),
            error=type(error).__name__,
            at=f"{at.filename}:{at.lineno}",
        )
    problem = _unexpected(request) if kind is None else _ANSWERS[kind](error)
    if problem.code == ApiCode.METHOD:
        problem.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return respond(request, problem)


def _unexpected(request: Request) -> Problem:
    """What was still under way when the store was let go fails for that."""
    return Problem(ApiCode.STOPPING if request.app.state.service.is_stopping else ApiCode.UNEXPECTED)


def _methods(request: Request) -> set[str]:
    """What the routes of a path take, all together."""
    path = request.scope["path"]
    routes = [one for one in request.app.routes if isinstance(one, APIRoute) and one.path_regex.match(path)]
    return {method for one in routes for method in one.methods or ()}


def _of_framework(error: Any) -> Problem:
    return Problem(_OF_FRAMEWORK.get(error.status_code, ApiCode.UNEXPECTED), headers=error.headers)


_ANSWERS: dict[type[Exception], Callable[[Any], Problem]] = {
    Problem: lambda problem: problem,
    HTTPException: _of_framework,
    RequestValidationError: parameters.wrong,
    OperationalError: lambda _: Problem(ApiCode.STORE),
    NotFollowed: lambda _: Problem(ApiCode.STORE),
    Contention: lambda _: Problem(ApiCode.ROOM),
    AllInUse: lambda _: Problem(ApiCode.ROOM),
}
"""Error → the problem that it is answered with; any other is one of ours."""
