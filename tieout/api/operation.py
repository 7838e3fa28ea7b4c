"""Routes for whoever runs it. The two of health are the only ones without a credential, and say nothing of the books.

/healthz   the process answers
/readyz    503 while the store does not answer, or the projections are far behind the log
/metrics   for Prometheus
"""

import msgspec
from fastapi import APIRouter, Request, Response

from tieout.api.measuring import CONTENT_TYPE
from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Role
from tieout.api.service import Service
from tieout.worker.health import BEHIND
from tieout.worker.measuring import Unreachable


def router() -> APIRouter:
    """The routes."""
    routes = APIRouter(tags=["operation"])
    routes.add_api_route(
        "/healthz", healthz, methods=["GET"], operation_id="healthz", summary="Whether the process answers"
    )
    routes.add_api_route(
        "/readyz", readyz, methods=["GET"], operation_id="readyz", summary="Whether it can answer questions and book"
    )
    routes.add_api_route(
        "/metrics",
        metrics,
        methods=["GET"],
        operation_id="metrics",
        dependencies=[permitted(Role.READER)],
        summary="Figures for Prometheus",
        response_class=Response,
    )
    return routes


async def healthz() -> Response:
    """The process answers; a database that is away makes it unready, not unhealthy: to start it anew helps nobody."""
    return _said({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The store answers, and the projections are not far behind the log."""
    service: Service = request.app.state.service
    try:
        found = await service.in_thread(service.standing.positions)
    except Unreachable:
        raise Problem(ApiCode.STORE) from None
    behind = found.log - found.projection
    if behind > BEHIND:
        raise Problem(ApiCode.POSITION, behind=behind)
    return _said({"status": "ok", "behind": behind})


async def metrics(request: Request) -> Response:
    """Prometheus' text format."""
    service: Service = request.app.state.service
    return Response(await service.in_thread(service.metrics.text), media_type=CONTENT_TYPE)


def _said(fields: dict[str, object]) -> Response:
    return Response(msgspec.json.encode(fields), media_type="application/json")
