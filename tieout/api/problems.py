"""Everything that is not answered as asked, as a problem document: RFC 9457, ``application/problem+json``.

``type`` is ``urn:tieout:problem:<code>``, for ever of one meaning. Beside the members of the RFC: ``code``, ``pointer``
(JSON pointer, RFC 6901, to the field of the body, or ``parameter``), ``value_kind`` (what kind of value stood there;
never the value, which may be somebody's name), ``rule`` in words, and ``request_id``.

Codes are those of refusals (``domain/refusals.py``), of messages (``consumers/problems.py``), and the closed list below.
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from consumers.problems import ROW_RULES
from domain.refusals import RULES as REFUSALS
from domain.refusals import Code
from ledger.outcomes import Outcome

MEDIA_TYPE = "application/problem+json"
TYPE = "urn:tieout:problem:"


class ApiCode(StrEnum):
    """What the API itself refuses, in the order of the checks."""

    BODY_SIZE = "body_must_not_be_larger"
    BODY_TIME = "body_must_come_in_time"
    ROUTE = "path_must_exist"
    METHOD = "method_must_be_allowed"
    CREDENTIAL_GIVEN = "credential_must_be_given"
    CREDENTIAL_VALID = "credential_must_be_valid"
    ROLE = "role_must_allow_it"
    PARAMETER = "parameter_must_be_valid"
    ACCEPTABLE = "form_of_the_answer_must_be_offered"
    MEDIA = "media_type_must_be_supported"
    JSON = "body_must_be_json"
    IDEMPOTENCY_KEY = "idempotency_key_must_be_given"
    ACTOR = "actor_must_be_the_subject"
    NAME = "name_must_not_be_taken"
    WHOLE = "batch_must_hold_as_a_whole"
    CURSOR = "cursor_must_be_of_this_list"
    KNOWN = "position_must_be_of_this_log"
    FOUND = "what_is_asked_for_must_exist"
    SIGNATURE = "signature_must_hold"
    POSITION = "position_must_be_reached"
    ROOM = "server_must_have_room"
    STORE = "store_must_answer"
    STOPPING = "server_must_be_running"
    UNEXPECTED = "unexpected_error"


RULES: dict[ApiCode, str] = {
    ApiCode.BODY_SIZE: "a body must not be larger than the server takes",
    ApiCode.BODY_TIME: "a body must go on coming",
    ApiCode.ROUTE: "the path must be one of the API's",
    ApiCode.METHOD: "the method must be one that the path takes",
    ApiCode.CREDENTIAL_GIVEN: "a request must bring an API key or a token in Authorization: Bearer",
    ApiCode.CREDENTIAL_VALID: "an API key must be live, a token must be signed by the issuer and be valid now",
    ApiCode.ROLE: "the credential must have a role, for this book, that allows it",
    ApiCode.PARAMETER: "a parameter must be of its type and within its bounds",
    ApiCode.ACCEPTABLE: "Accept must name a form that this answer comes in",
    ApiCode.MEDIA: "Content-Type must be one that is read here",
    ApiCode.JSON: "a body must be JSON in UTF-8",
    ApiCode.IDEMPOTENCY_KEY: "a command must have a name of its own: Idempotency-Key, or source_id in the body",
    ApiCode.ACTOR: "who acts is whoever the credential is of",
    ApiCode.NAME: "of keys that are live no two have the same name",
    ApiCode.WHOLE: "if one command of an atomic batch is refused, none is booked",
    ApiCode.CURSOR: "a cursor must come from this list, asked with the same parameters",
    ApiCode.KNOWN: "a position must be one that this log has reached, as a write or a read returned it",
    ApiCode.FOUND: "what the path names must be in the books",
    ApiCode.SIGNATURE: "a webhook must be signed with the secret of its endpoint",
    ApiCode.POSITION: "the projections must have reached the position in time; ask again",
    ApiCode.ROOM: "the server must have room for the question; ask again",
    ApiCode.STORE: "the database must answer; ask again",
    ApiCode.STOPPING: "the server is stopping; ask again",
    ApiCode.UNEXPECTED: "an error of Tieout itself; a command may be sent again under the same key",
}

STATUS: dict[ApiCode, HTTPStatus] = {
    ApiCode.BODY_SIZE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ApiCode.BODY_TIME: HTTPStatus.REQUEST_TIMEOUT,
    ApiCode.ROUTE: HTTPStatus.NOT_FOUND,
    ApiCode.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
    ApiCode.CREDENTIAL_GIVEN: HTTPStatus.UNAUTHORIZED,
    ApiCode.CREDENTIAL_VALID: HTTPStatus.UNAUTHORIZED,
    ApiCode.ROLE: HTTPStatus.FORBIDDEN,
    ApiCode.PARAMETER: HTTPStatus.BAD_REQUEST,
    ApiCode.ACCEPTABLE: HTTPStatus.NOT_ACCEPTABLE,
    ApiCode.MEDIA: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ApiCode.JSON: HTTPStatus.BAD_REQUEST,
    ApiCode.IDEMPOTENCY_KEY: HTTPStatus.PRECONDITION_REQUIRED,
    ApiCode.ACTOR: HTTPStatus.FORBIDDEN,
    ApiCode.NAME: HTTPStatus.CONFLICT,
    ApiCode.WHOLE: HTTPStatus.UNPROCESSABLE_ENTITY,
    # Opaque, and none of ours: there is no such page, and no such state.
    ApiCode.CURSOR: HTTPStatus.NOT_FOUND,
    ApiCode.KNOWN: HTTPStatus.NOT_FOUND,
    ApiCode.FOUND: HTTPStatus.NOT_FOUND,
    ApiCode.SIGNATURE: HTTPStatus.UNAUTHORIZED,
    ApiCode.POSITION: HTTPStatus.SERVICE_UNAVAILABLE,
    ApiCode.ROOM: HTTPStatus.SERVICE_UNAVAILABLE,
    ApiCode.STORE: HTTPStatus.SERVICE_UNAVAILABLE,
    ApiCode.STOPPING: HTTPStatus.SERVICE_UNAVAILABLE,
    ApiCode.UNEXPECTED: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_OF_REFUSALS: dict[str, HTTPStatus] = {
    Code.BOOK_MUST_EXIST: HTTPStatus.NOT_FOUND,
    Code.BOOK_MUST_NOT_EXIST: HTTPStatus.CONFLICT,
    Code.SAME_SOURCE_ID: HTTPStatus.CONFLICT,
    Code.SAME_NUMBER: HTTPStatus.CONFLICT,
    Code.VERSION: HTTPStatus.PRECONDITION_FAILED,
    Code.UNEXPECTED: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_OWN = {code.value: code for code in ApiCode}
_ALL: tuple[Mapping[Any, str], ...] = (REFUSALS, ROW_RULES, RULES)
_RULES = {str(code): rule for rules in _ALL for code, rule in rules.items()}
RETRY_SECONDS = 1
"""What ``Retry-After`` says where only time helps."""


class Problem(Exception):
    """A request is not answered as asked, and why."""

    def __init__(
        self,
        code: str,
        *,
        status: HTTPStatus | None = None,
        rule: str | None = None,
        pointer: str | None = None,
        parameter: str | None = None,
        value_kind: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status = status or status_of(code)
        self.rule = rule or rule_of(code)
        self.headers = dict(headers or {})
        if self.status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.headers.setdefault("Retry-After", str(RETRY_SECONDS))
        said = {"pointer": pointer, "parameter": parameter, "value_kind": value_kind, **more}
        self.more = {name: value for name, value in said.items() if value is not None}

    def document(self, request_id: str | None) -> dict[str, Any]:
        """The members of the document. The title is the code's, whatever the rule says of this one (RFC 9457, 3.1.3)."""
        title = rule_of(self.code)
        return {
            "type": TYPE + self.code,
            "title": title[:1].upper() + title[1:],
            "status": int(self.status),
            "code": self.code,
            **self.more,
            "rule": self.rule,
            **({"request_id": request_id} if request_id else {}),
        }


def rule_of(code: str) -> str:
    """The rule of a code in words; of one problem it may say more."""
    return _RULES[code]


def status_of(code: str) -> HTTPStatus:
    """The status of a code; a problem may have another one, where that says more."""
    known = _OWN.get(code)
    return STATUS[known] if known else _OF_REFUSALS.get(code, HTTPStatus.UNPROCESSABLE_ENTITY)


def respond(request: Request, problem: Problem) -> Response:
    """A problem as the response to a request."""
    state = request.scope.setdefault("state", {})
    # For whoever describes the request.
    state["problem"] = problem.code
    return Response(
        msgspec.json.encode(problem.document(state.get("request_id"))),
        problem.status,
        problem.headers,
        media_type=MEDIA_TYPE,
    )


def refused(outcome: Outcome, body: Any = None) -> Problem:
    """The problem of an outcome that is refused or in conflict; ``body`` is what was sent, to say the kind of a value."""
    assert outcome.code is not None
    return _of_field(outcome.code, outcome.field or "", outcome.rule or "", body)


def invalid(code: str, field: str, rule: str, body: Any = None) -> Problem:
    """The problem of a body that is no command."""
    if code == Code.COMMAND_MUST_BE_VALID and not field and rule.startswith("must be JSON"):
        return Problem(ApiCode.JSON)
    return _of_field(code, field, rule, body)


def _of_field(code: str, field: str, rule: str, body: Any) -> Problem:
    pointer = pointer_of(field) if field else None
    return Problem(
        code,
        rule=f"{field}: {rule}" if field and rule.startswith(("must", "is ")) else rule,
        pointer=pointer,
        value_kind=kind_at(body, field) if field and isinstance(body, dict) else None,
    )


def pointer_of(field: str) -> str:
    """A dotted field as a JSON pointer (RFC 6901)."""
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in field.split("."))


def kind_at(body: Any, field: str) -> str:
    """What kind of value stands at a dotted field: JSON's word for it, or ``absent``."""
    at = body
    for part in field.split("."):
        if isinstance(at, dict) and part in at:
            at = at[part]
        elif isinstance(at, list) and part.isdigit() and int(part) < len(at):
            at = at[int(part)]
        else:
            return "absent"
    return _KINDS.get(type(at), "number")


_KINDS: dict[type, str] = {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}
