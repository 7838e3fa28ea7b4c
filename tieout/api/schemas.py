"""What answers are in the API's contract: schemas of records, pages, outcomes and problems, made from the types themselves."""

from collections.abc import Iterable
from types import GenericAlias
from typing import Any

import msgspec

from tieout.api.forms import FORMS, JSON, JSON_LINES
from tieout.api.problems import MEDIA_TYPE

_REF = "#/components/schemas/{name}"
_types: dict[str, Any] = {}

TOKEN = {"type": "string", "description": "A log position: an opaque token.", "examples": ["0:123"]}
_NEXT = {
    "type": ["string", "null"],
    "description": "The cursor of the page that follows; null on the last page.",
}
OUTCOME: dict[str, Any] = {
    "type": "object",
    "description": "What became of a command.",
    "properties": {
        "status": {
            "enum": ["booked", "waiting", "duplicate"],
            "description": "booked: it is in the books. waiting: it will be, when the document that it names has come."
            " duplicate, of a dry run only: it was booked before.",
        },
        "position": TOKEN,
        "events": {"type": "integer", "description": "How many events it booked; 0 where nothing was to be done."},
        "document": {
            "type": "string",
            "description": "The document that it entered: kind:series:number:revision.",
            "examples": ["invoice::4711:1"],
        },
        "awaited": {"type": "string", "description": "The document that it waits for."},
        "version": {
            "type": "integer",
            "description": "The version of the customer account, or of the book, after it; its ETag.",
        },
        "dry_run": {"const": True, "description": "Nothing was written."},
        "booked": {"const": False, "description": "Nothing was written."},
        "data": {
            "type": "array",
            "items": {"type": "object", "additionalProperties": True},
            "description": "Of a dry run: the events that would be, with id, kind, and type and data as they would go out.",
        },
    },
    "required": ["status", "events"],
    "additionalProperties": False,
}
LINE: dict[str, Any] = {
    "type": "object",
    "description": "What became of one command of many; each line of the answer is one.",
    "properties": {
        "line": {"type": ["integer", "null"], "description": "Which command, from 1; null: of the rest of the body."},
        "status": {
            "enum": ["booked", "waiting", "refused", "conflict", "not_booked", "broken"],
            "description": "As of a single command; broken: the rest of the body was not read.",
        },
        "hit": {"type": "boolean", "description": "It was booked before; this is the first answer."},
        "position": TOKEN,
        "events": {"type": "integer", "description": "How many events it booked."},
        "document": {"type": "string", "description": "The document that it entered."},
        "awaited": {"type": "string", "description": "The document that it waits for."},
        "version": {"type": "integer", "description": "The version of the account, or of the book, after it."},
        "code": {"type": "string", "description": "Why it is not in the books."},
        "field": {"type": "string", "description": "The field that is wrong, dotted."},
        "rule": {"type": "string", "description": "The rule in words."},
    },
    "required": ["line", "status"],
    "additionalProperties": True,
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document, RFC 9457.",
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "What kind of problem it is, for ever: urn:tieout:problem:<code>.",
            "examples": ["urn:tieout:problem:period_must_be_open"],
        },
        "title": {"type": "string", "description": "The rule that does not hold."},
        "status": {"type": "integer", "description": "The status of the response."},
        "code": {"type": "string", "description": "The code, as in `type`."},
        "rule": {"type": "string", "description": "The rule in words."},
        "pointer": {"type": "string", "description": "JSON pointer (RFC 6901) to the field of the body."},
        "parameter": {"type": "string", "description": "The parameter or header."},
        "value_kind": {
            "enum": ["string", "number", "boolean", "object", "array", "null", "absent"],
            "description": "What kind of value stood there; never the value.",
        },
        "request_id": {"type": "string", "description": "The request's id, which the log has too."},
    },
    "required": ["type", "title", "status", "code", "rule"],
    "additionalProperties": True,
}


def of_record(type_: Any) -> dict[int | str, dict[str, Any]]:
    """Responses of a route that answers one record: ``data`` and ``position``."""
    data = _schema_of(type_)
    # Beside a reference nothing else stands in older dialects, and tools still hold to that.
    said = data if "$ref" not in data else {"allOf": [data], "description": "What was asked for."}
    return {200: _json({"data": said, "position": TOKEN}, ["data", "position"])}


def of_rows(type_: type[msgspec.Struct]) -> dict[int | str, dict[str, Any]]:
    """Responses of a route that answers a list, by the page or streamed in another form."""
    page = _json({"data": _schema_of(list[type_]), "next": _NEXT, "position": TOKEN}, ["data", "next", "position"])  # type: ignore[valid-type]
    page["content"] |= {form: {"schema": {"type": "string"}} for form in FORMS}
    return {200: page}


def of_seen(type_: type[msgspec.Struct], forms: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """Responses of the route that follows the log: a page, or events without end in other forms."""
    more = {"type": "boolean", "description": "Whether the log has more already."}
    following = {**TOKEN, "description": "`after` of the page that follows: how far was looked."}
    page = _json({"data": _schema_of(list[type_]), "next": following, "has_more": more}, ["data", "next", "has_more"])  # type: ignore[valid-type]
    page["content"] |= {form: {"schema": {"type": "string"}} for form in forms}
    return {200: page}


def of_lines() -> dict[int | str, dict[str, Any]]:
    """Responses of the route that books many commands."""
    schema = {"type": "string", "description": "A `Line` for each command, as JSON lines."}
    return {200: {"description": "What became of each.", "content": {JSON_LINES: {"schema": schema}}}}


def of_outcome(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Responses of a route that books one command."""
    content = {JSON: {"schema": {"$ref": _REF.format(name="Outcome")}}}
    return {status: {"description": _OUTCOMES[status], "content": content} for status in statuses}


_OUTCOMES = {
    200: "What would be booked (dry run), or nothing was to be done.",
    201: "It is booked; or it was booked before, and this is the first answer (`Idempotency-Hit: true`).",
    202: "It waits for the document that it names, and is booked when that has come.",
}


def with_body(type_: type[msgspec.Struct]) -> dict[str, Any]:
    """What a route says of its body, of a type that is no command; it may be left out if all of its fields may."""
    is_required = any(one.required for one in msgspec.structs.fields(type_))
    return {"requestBody": {"required": is_required, "content": {JSON: {"schema": _schema_of(type_)}}}}


def problems(*more: str) -> dict[str, dict[str, Any]]:
    """The responses that any route may give, each a problem document; ``more``: further statuses."""
    return {status: {"$ref": f"#/components/responses/{status}"} for status in (*_EVERYWHERE, *more)}


def responses() -> dict[str, Any]:
    """The responses that the others name."""
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {status: {"description": words, "content": content} for status, words in _PROBLEMS.items()}


_EVERYWHERE = ("400", "401", "403", "404", "default")
_PROBLEMS = {
    "400": "A parameter, a header or the form of the body is wrong.",
    "401": "The credential is missing or not valid.",
    "403": "The credential has no role that allows it.",
    "404": "What the path names is not there.",
    "409": "The same name, or the same number, is known with another content.",
    "412": "The version is another one by now.",
    "422": "The command is refused.",
    "default": "Any other problem.",
}


def components() -> dict[str, Any]:
    """The schemas that the others name."""
    _, found = msgspec.json.schema_components(
        _types.values(), ref_template=_REF, schema_hook=lambda _: {"type": "array", "items": {"type": "object"}}
    )
    return {**found, "Outcome": OUTCOME, "Line": LINE, "Problem": PROBLEM}


def _schema_of(type_: Any) -> dict[str, Any]:
    """A reference to the schema of a type, which is kept for ``components``."""
    if isinstance(type_, GenericAlias):
        [inner] = type_.__args__
        return {"type": "array", "items": _schema_of(inner), "description": "In the order of their key."}
    _types[type_.__name__] = type_
    return {"$ref": _REF.format(name=type_.__name__)}


def _json(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"description": "The answer.", "content": {JSON: {"schema": schema}}}
