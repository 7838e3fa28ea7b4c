"""What an error is answered with: its problem, and a line of the log where it is no fault of the caller's.

What is logged is the kind of error and where it was raised, never its text: that may quote what a customer wrote.
"""

from collections.abc import Callable
from traceback import extract_tb
from typing import Any

import structlog
from eventsourcing.persistence import OperationalError
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ledger.errors import Contention
from projections.reader import NotFollowed
from projections.readers import AllInUse
from tieout.api.parameters import wrong
from tieout.api.problems import ApiCode, Problem

log = structlog.get_logger(__name__)

_OF_FRAMEWORK = {404: ApiCode.ROUTE, 405: ApiCode.METHOD}


def problem_of(error: BaseException, request: Request) -> Problem:
    """The problem that an error is to the one who made the request."""
    if isinstance(error, OperationalError):
        cause = error.__cause__ or error
        _tell(log.warning, "store_did_not_answer", request, cause, sqlstate=getattr(cause, "sqlstate", None))
    for kind, problem in _PROBLEMS.items():
        if isinstance(error, kind):
            return problem(error)
    at = extract_tb(error.__traceback__)[-1]
    _tell(log.error, "request_failed", request, error, at=f"{at.filename}:{at.lineno}")
    # What was still under way when the store was let go fails for that.
    return Problem(ApiCode.STOPPING if request.app.state.service.is_stopping else ApiCode.UNEXPECTED)


def _tell(write: Callable[..., Any], event: str, request: Request, error: BaseException, **more: Any) -> None:
    write(event, request_id=request.scope["state"].get("request_id"), error=type(error).__name__, **more)


def _of_framework(error: Any) -> Problem:
    return Problem(_OF_FRAMEWORK.get(error.status_code, ApiCode.UNEXPECTED), headers=error.headers)


_PROBLEMS: dict[type[BaseException], Callable[[Any], Problem]] = {
    Problem: lambda problem: problem,
    HTTPException: _of_framework,
    RequestValidationError: wrong,
    OperationalError: lambda _: Problem(ApiCode.STORE),
    NotFollowed: lambda _: Problem(ApiCode.STORE),
    Contention: lambda _: Problem(ApiCode.ROOM),
    AllInUse: lambda _: Problem(ApiCode.ROOM),
}
"""Error → its problem; any other is one of ours."""
ANSWERED = tuple(_PROBLEMS)
"""The errors that are told from others."""
