"""Routes that describe the API: the OpenAPI document, and a page that shows it, which needs no network but the server.

The page is Swagger UI, as it was released (``tieout/api/page``, Apache-2.0; ``SHA256SUMS`` says what each file is). A
browser asks for an API key, as the password of HTTP Basic; nothing else is let in by that.
"""

from importlib.resources import files

from fastapi import APIRouter, Request, Response

from tieout.api.permits import permitted
from tieout.api.problems import ApiCode, Problem
from tieout.api.roles import Role

_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "start.js": "text/javascript",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def router() -> APIRouter:
    """The routes; they are no part of the document."""
    routes = APIRouter(include_in_schema=False)
    seen = [permitted(Role.READER, somewhere=True, by_password=True)]
    routes.add_api_route("/openapi.json", openapi, methods=["GET"], dependencies=seen)
    routes.add_api_route("/docs", page, methods=["GET"], dependencies=seen)
    routes.add_api_route("/docs/{name}", part, methods=["GET"], dependencies=seen)
    return routes


async def openapi() -> Response:
    """The document as it is published."""
    return Response(files("tieout.api").joinpath("openapi.json").read_bytes(), media_type="application/json")


async def page() -> Response:
    """The page."""
    return _file("index.html", "text/html")


async def part(request: Request) -> Response:
    """What the page is made of."""
    name = request.path_params["name"]
    if name not in _FILES:
        raise Problem(ApiCode.ROUTE)
    return _file(name, _FILES[name])


def _file(name: str, media_type: str) -> Response:
    content = files("tieout.api").joinpath("page", name).read_bytes()
    return Response(content, headers={"Content-Security-Policy": _POLICY}, media_type=media_type)
