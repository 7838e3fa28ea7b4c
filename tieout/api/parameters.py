"""Parameters: the names that a route takes in its query, and what is wrong with a value, in plain words.

A name that a route does not take is refused, since a filter that is misspelt would filter nothing.
"""

from collections.abc import Iterator

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request

from consumers.words import plain
from tieout.api.problems import ApiCode, Problem


def refuse_unknown(request: Request) -> None:
    """Raises ``Problem`` where the query has a name that the route does not take, or one of them twice."""
    if not request.scope["query_string"]:
        return
    known, seen = _names_of(request.scope["route"]), set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            rule = f"must be one of {', '.join(known)}" if known else "must be left out: there are no parameters here"
            raise Problem(ApiCode.PARAMETER, parameter=name, rule=f"{name}: {rule}")
        if name in seen:
            raise Problem(ApiCode.PARAMETER, parameter=name, rule=f"{name}: must stand only once")
        seen.add(name)


_known: dict[int, tuple[str, ...]] = {}
"""By the identity of a route: they compare by value, and are there as long as the process."""


def _names_of(route: APIRoute) -> tuple[str, ...]:
    known = _known.get(id(route))
    if known is None:
        known = _known[id(route)] = tuple(_names(route))
    return known


def _names(route: APIRoute) -> Iterator[str]:
    for field in route.dependant.query_params:
        kind = field.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield field.alias


def wrong(error: RequestValidationError) -> Problem:
    """A parameter of path or query that is none: which, and what it must be."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    return Problem(ApiCode.PARAMETER, parameter=name, rule=f"{name}: {plain(first)}")
