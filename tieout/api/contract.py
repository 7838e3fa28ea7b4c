"""The OpenAPI 3.1 document, made from the routes, the commands and the answers.

``python -m tieout.api.contract`` writes it again. It is published, so a difference is a change for every client; what
would break one is found by comparing it with the one before (``tests/tieout/api/test_contract.py``).
"""

import json
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from consumers.contracts.examples import EXAMPLES
from domain.commands import COMMANDS
from tieout.api import schemas
from tieout.api.answering import HIT, POSITION
from tieout.api.bulk import MOST_ATOMIC
from tieout.api.forms import JSON, JSON_LINES
from tieout.api.permits import Permit

FILE = Path(__file__).parent / "openapi.json"
_DESCRIPTION = """Receivables of customers: what each owes, why, and what it owed on any past day as known on any past day.

Amounts are integers in minor units of their currency (ISO 4217), dates are days of the book's calendar, instants are UTC. \
A log position is an opaque token: a write returns the one that it reached, a read the one that it was made at, and \
`min_position` makes a read wait for one. Commands are booked once: send the same again under the same `Idempotency-Key` \
after any failure. Errors are problem documents (RFC 9457)."""
_GIVEN = ("command", "book", "actor", "source", "source_id")
"""Fields of a command that the path, the credential or a header says; a body may leave them out."""
_FILLED = ("book", "actor", "source", "source_id")
"""The same of an instruction within a command."""
_REF = "#/components/schemas/{model}"
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The command's own name, its `source_id`: the same again is answered as the first time."
    " Needed unless the body has `source_id`.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]+( +[!-~]+)*$"},
    "example": "billing-4711",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that the command was made for, the version of the account or the book: at any other 412.",
    "schema": {"type": "string", "pattern": r'^"?[0-9]{1,18}"?$'},
    "example": '"3"',
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document of an application."""
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    found = get_openapi(
        title="Tieout",
        version=version("tieout"),
        openapi_version="3.1.0",
        summary="An accounts-receivable subledger.",
        description=_DESCRIPTION,
        routes=routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        tags=[{"name": name, "description": words} for name, words in _TAGS.items()],
    )
    for route in routes:
        for method in route.methods or ():
            _complete(route, found["paths"][route.path_format][method.lower()])
    parts = found.setdefault("components", {})
    parts["schemas"] = {**schemas.components(), **_commands()}
    parts["responses"] = schemas.responses()
    parts["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, or a JSON Web Token of the issuer."},
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "Tieout-Signature",
            "description": "t=<seconds>,v1=<hex>: HMAC-SHA256 over `<seconds>.<body>`; or Stripe-Signature, the same.",
        },
    }
    return found


_TAGS = {
    "commands": "What is asked to be booked.",
    "answers": "What the books say.",
    "events": "What was booked, in order.",
    "not booked": "What waits, and what could not be booked.",
    "access": "API keys.",
    "operation": "For whoever runs it.",
}


def _complete(route: APIRoute, operation: dict[str, Any]) -> None:
    """What the framework does not know of a route."""
    # Ours are 400, and problem documents.
    operation["responses"].pop("422", None)
    operation["parameters"] = [_parameter(one) for one in operation.get("parameters", ())]
    for name in operation.keys() & {"summary", "description"}:
        operation[name] = operation[name].replace("``", "`")
    command = operation.pop("x-tieout-command", None)
    if command is not None:
        operation["parameters"] += [_IDEMPOTENCY_KEY, _IF_MATCH]
        operation["requestBody"] = _body(command, is_path="reversal" in route.path)
        operation["responses"] |= schemas.problems("409", "412", "422")
    if operation.pop("x-tieout-bulk", None):
        operation["requestBody"] = _bulk_body()
    operation["responses"] |= {
        status: said for status, said in schemas.problems().items() if status not in operation["responses"]
    }
    permit = next((one.dependency for one in route.dependencies if isinstance(one.dependency, Permit)), None)
    if operation.pop("x-tieout-signed", None):
        operation["security"] = [{"signature": []}]
        operation["requestBody"] = {
            "required": True,
            "content": {JSON: {"schema": {"type": "object", "description": "As the other system sends it."}}},
        }
    elif permit is None:
        operation["security"] = []
    else:
        operation["security"] = [{"bearer": []}]
        operation["x-tieout-roles"] = [role.value for role in permit.roles]
    for status, said in operation["responses"].items():
        if status in ("200", "201", "202"):
            said["headers"] = _headers(command is not None)


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    """A parameter as it is sent: what is not sent is absent, and none is null."""
    schema = dict(one["schema"])
    if "anyOf" in schema:
        [value] = [other for other in schema.pop("anyOf") if other != {"type": "null"}]
        schema = {**value, **schema}
    words = one.get("description") or schema["description"]
    # Bounds of a day have no keyword; what pydantic writes for them is none.
    schema = {name: value for name, value in schema.items() if name not in ("title", "description", "ge", "le")}
    return {**one, "description": words, "schema": schema}


def _headers(is_command: bool) -> dict[str, Any]:
    found = {
        POSITION: {"description": "The log position that was reached, or read at.", "schema": {"type": "string"}},
        "X-Request-Id": {"description": "The request's id, which the log has too.", "schema": {"type": "string"}},
    }
    if is_command:
        found[HIT] = {"description": "true: it was booked before.", "schema": {"const": "true"}}
        found["ETag"] = {"description": "The version after it.", "schema": {"type": "string"}}
    return found


def _body(command: str, *, is_path: bool) -> dict[str, Any]:
    name = "Reversal" if is_path else command
    said = {key: value for key, value in EXAMPLES[command].items() if key not in _GIVEN}
    if "instruction" in said:
        said["instruction"] = {key: value for key, value in said["instruction"].items() if key not in _FILLED}
    if is_path:
        said = {key: value for key, value in said.items() if key not in ("customer", "currency", "document")}
    return {
        "required": not is_path,
        "content": {JSON: {"schema": {"$ref": _REF.format(model=name)}, "example": said}},
    }


def _bulk_body() -> dict[str, Any]:
    # A line that is no command is an outcome among others, not a body that is wrong.
    line = {"description": "A command: one of the schemas named as commands, with `command` and `source_id`."}
    return {
        "required": True,
        "description": f"Commands, each with `command` and `source_id`; with `atomic` at most {MOST_ATOMIC}.",
        "content": {
            JSON_LINES: {"schema": {"type": "string", "description": "A command a line."}},
            JSON: {"schema": {"type": "array", "items": line, "minItems": 1}},
        },
    }


def _commands() -> dict[str, Any]:
    """The commands, as the body of their own path."""
    found: dict[str, Any] = {}
    for name, model in COMMANDS.items():
        schema = model.model_json_schema(ref_template=_REF)
        found |= {inner: one for inner, one in schema.pop("$defs", {}).items() if inner not in COMMANDS}
        schema["required"] = [one for one in schema["required"] if one not in _GIVEN]
        if not schema["required"]:
            del schema["required"]
        found[name] = schema
    # What a command carries has no path that would name it.
    instruction = found["RequestApproval"]["properties"]["instruction"]
    instruction["oneOf"] = [{"allOf": [one], "required": ["command"]} for one in instruction["oneOf"]]
    _close(found)
    reversal = deepcopy(found["ReverseDocument"])
    for field in ("customer", "currency", "document"):
        reversal["required"].remove(field)
    del reversal["required"]
    return {**found, "Reversal": reversal}


def _close(schema: Any) -> None:
    """Say of objects whose names have a pattern that they have no others: validators of commands take none."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for inner in schema.values():
            _close(inner)
    elif isinstance(schema, list):
        for inner in schema:
            _close(inner)


def text(app: FastAPI) -> str:
    """The document as it is published."""
    return json.dumps(document(app), ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the document."""
    from tieout.api.application import framework
    from tieout.settings import Settings

    FILE.write_text(text(framework(Settings.model_construct())), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
