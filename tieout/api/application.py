"""The application: routes, errors as problems, and the service that lives as long as it does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from eventsourcing.persistence import OperationalError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
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
    lists,
    operation,
    own_keys,
    records,
    unbooked,
)
from tieout.api.outer import App, Limits, Outer
from tieout.api.problems import ApiCode, Problem, respond
from tieout.api.service import Service
from tieout.settings import Settings

_PARTS = (commands, bulk, lists, records, explaining, following, unbooked, own_keys, describing, operation)
_OF_FRAMEWORK = {404: ApiCode.ROUTE, 405: ApiCode.METHOD}


def create(settings: Settings) -> App:
    """The ASGI application over the store of the settings, which is opened when it starts."""
    app = framework(settings)
    limits = Limits(settings.api_body_bytes, settings.api_bulk_bytes)
    return Outer(app, limits, app.state.service.metrics.seen)


def framework(settings: Settings) -> FastAPI:
    """The routes and their errors, without what goes around each request."""
    service = Service(settings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        await service.start()
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
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _parameter)
    for away in (OperationalError, NotFollowed):
        app.add_exception_handler(away, _store)
    for busy in (Contention, AllInUse):
        app.add_exception_handler(busy, _room)
    app.add_exception_handler(Exception, _unexpected)
    return app


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return respond(request, error)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _OF_FRAMEWORK.get(error.status_code, ApiCode.UNEXPECTED)
    return respond(request, Problem(code, headers=error.headers))


async def _parameter(request: Request, error: Exception) -> Response:
    """A parameter of path or query that is none; which, and what it must be."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    return respond(request, Problem(ApiCode.PARAMETER, parameter=name, rule=f"{name}: {first['msg']}"))


async def _store(request: Request, _: Exception) -> Response:
    return respond(request, Problem(ApiCode.STORE))


async def _room(request: Request, _: Exception) -> Response:
    return respond(request, Problem(ApiCode.ROOM))


async def _unexpected(request: Request, _: Exception) -> Response:
    return respond(request, Problem(ApiCode.UNEXPECTED))
