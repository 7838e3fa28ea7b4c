"""A request that asks for something to be booked, as a submission of the ledger.

The path names the book and the command, the credential who acts; a body may say the same and nothing else of them.
``Idempotency-Key`` is the command's ``source_id``: with ``source`` (the subject of the credential, unless the body names
another) it is the ledger's own receipt, so that a retry after any crash is safe.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from consumers.commands import key_twice, parse_given
from consumers.problems import Fault
from domain.commands import ID_LENGTH, Command, DocumentRef
from domain.refusals import Code
from ledger.outcomes import Submission
from tieout.api.problems import RULES, ApiCode, Problem, invalid, pointer_of
from tieout.api.roles import Principal

T = TypeVar("T")

_KEY = re.compile(r"[!-~]+( +[!-~]+)*")
_VERSION = re.compile(r'"?([0-9]{1,18})"?')
JSON = "application/json"
_JSON = JSON.encode()
Fields = Mapping[bytes, bytes]
"""The header of a request, names in small letters; of several of one name the last."""


def submission(request: Request, principal: Principal, name: str, text: bytes) -> Submission:
    """The command ``name`` of a body. Raises ``Problem``."""
    fields = dict(request.scope["headers"])
    _require_json(fields)
    given = {"command": name, "book": request.path_params["book"], "actor": principal.subject}
    key = idempotency_key(fields)
    if key is not None:
        given["source_id"] = key
    if name == "RequestApproval":
        text = _with_maker(text, given, principal)
    made = parse_given(text, given, {"source": principal.subject})
    if isinstance(made, Fault):
        raise _problem(made, text)
    return Submission(made, origin(request), version=version(fields))


def reversal(
    request: Request, principal: Principal, document: DocumentRef, account: dict[str, str], text: bytes
) -> Submission:
    """The reversal of a document whose account is known. Raises ``Problem``."""
    _require_json(dict(request.scope["headers"]))
    named: dict[str, Any] = {**account, "document": document.model_dump()}
    body = _object(text or b"{}")
    for field, value in named.items():
        if body.setdefault(field, value) != value:
            raise invalid(Code.COMMAND_MUST_BE_VALID, field, "must say the same as the path, or be left out", body)
    return submission(request, principal, "ReverseDocument", msgspec.json.encode(body))


def line(principal: Principal, book: str, text: bytes) -> Command | Fault:
    """One command of many, which names itself; what is wrong with it as a fault."""
    given = {"book": book, "actor": principal.subject}
    made = parse_given(text, given, {"source": principal.subject})
    if isinstance(made, Fault) and made.field == "actor":
        return Fault(ApiCode.ACTOR.value, "actor", "", RULES[ApiCode.ACTOR])
    return made


def origin(request: Request) -> str:
    """Where a command came from, for its receipt."""
    return f"http:{request.state.request_id}"


def idempotency_key(fields: Fields) -> str | None:
    """The key of a request, with or without the quotes of a structured field (RFC 9651). Raises ``Problem``."""
    sent = fields.get(b"idempotency-key")
    if sent is None:
        return None
    key = sent.decode("latin-1")
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if len(key) > ID_LENGTH or not _KEY.fullmatch(key):
        rule = f"a key must be 1 to {ID_LENGTH} characters of ASCII, with no space at either end"
        raise Problem(ApiCode.PARAMETER, parameter="Idempotency-Key", rule=rule)
    return key


def version(fields: Fields) -> int | None:
    """The version that a request was made for: its ``If-Match``, an ETag of ours (RFC 9110, section 13.1.1)."""
    tag = fields.get(b"if-match")
    if tag is None:
        return None
    found = _VERSION.fullmatch(tag.strip().decode("latin-1"))
    if found is None:
        raise Problem(ApiCode.PARAMETER, parameter="If-Match", rule='it must be one ETag of ours, such as "3"')
    return int(found[1])


async def body_of(request: Request, type_: type[T], absent: bytes = b"") -> T:
    """A body that is no command; ``absent`` is what stands for none. Raises ``Problem``."""
    _require_json(dict(request.scope["headers"]))
    try:
        return msgspec.json.decode(await request.body() or absent, type=type_)
    except msgspec.ValidationError as error:
        raise _of_field(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(ApiCode.JSON) from None


def _of_field(text: str) -> Problem:
    """What the decoder says of a body, in plain words, with a pointer to the field."""
    found = _DECODER.fullmatch(text)
    assert found is not None
    path = re.sub(r"\[(\d+)\]", r".\1", found["path"] or "").strip(".")
    named = _NAMED.fullmatch(found["words"])
    if named is not None:
        path = f"{path}.{named[2]}".strip(".")
        rule = "must be given" if named[1] == "missing required" else "is not a field here"
    else:
        rule = _plain(found["words"])
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(
        ApiCode.PARAMETER,
        status=status,
        pointer=pointer_of(path) if path else None,
        rule=f"{path}: {rule}".removeprefix(": "),
    )


def _plain(words: str) -> str:
    """``Expected `array` of length >= 1`` is: must be a list of length >= 1."""
    if not words.startswith("Expected"):
        return "must be a day, YYYY-MM-DD"
    words = words.removeprefix("Expected ").partition(", got")[0].replace(" matching regex", " of the form")
    return "must be " + re.sub("`([^`]*)`", lambda kind: _KINDS.get(kind[1], kind[1]), words)


_DECODER = re.compile(r"(?P<words>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)
_NAMED = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_KINDS = {"str": "text in quotes", "array": "a list", "object": "an object", "date": "a day, YYYY-MM-DD"}


def _require_json(fields: Fields) -> None:
    """Raises ``Problem`` where a body says that it is something else."""
    said = fields.get(b"content-type", _JSON)
    if said != _JSON:
        said = said.partition(b";")[0].strip().lower()
        if said != _JSON and not said.endswith(b"+json"):
            raise Problem(ApiCode.MEDIA, parameter="Content-Type", offered=[JSON])


def _with_maker(text: bytes, given: dict[str, str], principal: Principal) -> bytes:
    """A request for approval whose instruction is by the same subject, too, and has a name of its own."""
    body = _object(text)
    instruction = body.get("instruction")
    if not isinstance(instruction, dict):
        return text
    filled = {"book": given["book"], "actor": principal.subject, "source": principal.subject}
    if "source_id" in given:
        filled["source_id"] = _own_id(given["source_id"])
    for field, value in filled.items():
        if instruction.setdefault(field, value) != value and field in ("book", "actor"):
            raise _problem(Fault(Code.COMMAND_MUST_BE_VALID, f"instruction.{field}", "", f"must be {value}"), text)
    return msgspec.json.encode(body)


def _own_id(key: str) -> str:
    """The name of what a command carries, by the command's own; the same for ever."""
    named = f"{key}:instruction"
    # A key may be as long as a name may be.
    return named if len(named) <= ID_LENGTH else f"{sha256(key.encode()).hexdigest()}:instruction"


def _object(text: bytes) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(ApiCode.JSON) from None
    if not isinstance(body, dict):
        raise invalid(Code.COMMAND_MUST_BE_VALID, "", "must be an object")
    if (twice := key_twice(text)) is not None:
        raise _problem(twice, text)
    return body


def _problem(fault: Fault, text: bytes) -> Problem:
    if fault.field == "actor" or fault.field.endswith(".actor"):
        return Problem(ApiCode.ACTOR, pointer="/" + fault.field.replace(".", "/"))
    if fault.field == "source_id" and fault.rule == "must be given":
        return Problem(ApiCode.IDEMPOTENCY_KEY, parameter="Idempotency-Key")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    return invalid(fault.code, fault.field, fault.rule, body)
