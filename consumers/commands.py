"""One command from JSON: a bare command or a CloudEvent, validated once, or what is wrong with it in plain words.

A CloudEvent may also be binary, its attributes the headers of a message; all three ways it is the same command.

Nothing is coerced: ``1.0`` is no integer, an unknown field is refused, and so is a key that stands twice in one object,
which JSON parsers take silently. That check is free for almost every message: as many keys in the text as in what was
parsed (of an envelope: its attributes and the command in it) means that none was dropped.
"""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple, get_args, get_origin

import msgspec
from pydantic import BaseModel, ValidationError

from consumers.envelope import (
    EnvelopeFault,
    Headers,
    Unwrapped,
    as_structured,
    is_binary,
    prepend,
    top_level,
    unwrap,
    unwrap_binary,
)
from consumers.problems import Fault, invalid
from consumers.words import first_error
from domain.commands import COMMAND, COMMANDS, Command
from ledger.outcomes import Submission, Unreadable

_validate = COMMAND.validator.validate_json
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _KeyTwice(ValueError):
    """A key stands twice in one object."""


def parse_command(
    data: bytes | str | dict[str, Any], *, origin: str, book: str | None = None, quarantine: bool = False
) -> Submission | Unreadable:
    """The command in ``data``, or what is wrong with it.

    ``book``: the book of commands that name none, and the only one that the others may name. ``quarantine`` is handed
    on to the submission.
    """
    if isinstance(data, str):
        text = data.encode("utf-8", "replace")
    elif isinstance(data, bytes):
        text = data
    else:
        text = json.dumps(data, ensure_ascii=False, default=str).encode("utf-8", "replace")
    made = _command_or_fault(text, book)
    if isinstance(made, Fault):
        return unreadable(text, made, origin=origin, book=book)
    return Submission(made, origin, quarantine)


def parse_message(
    value: bytes, headers: Headers, *, origin: str, book: str | None = None, lane: str | None = None
) -> Submission | Unreadable:
    """The command in a message, or what is wrong with it, for the quarantine; which of the three it is, headers say.

    ``application/cloudevents+json`` as ``content-type``: a structured CloudEvent. ``ce_specversion``: a binary one.
    Neither: whatever the content is.
    """
    binary = structured = False
    if headers:
        structured = _says_structured(headers)
        binary = not structured and is_binary(headers)
    made = _command_or_fault(value, book, headers if binary else None, structured)
    if isinstance(made, Fault):
        text = as_structured(headers, value) if binary else value
        return unreadable(text, made, origin=origin, book=book, lane=lane)
    return Submission(made, origin, True, lane)


def _says_structured(headers: Headers) -> bool:
    for name, value in headers:
        if name in ("content-type", "Content-Type") and value is not None:
            return value[:28].lower() == b"application/cloudevents+json" and value[28:29] in (b"", b";", b" ")
    return False


def _command_or_fault(
    text: bytes, book: str | None, headers: Headers | None = None, structured: bool = False
) -> Command | Fault:
    """``headers``: those of a binary CloudEvent; ``structured``: it must be a structured one."""
    try:
        command = _parse(text, book, headers, structured)
    except ValidationError as error:
        return key_twice(text) or invalid(*first_error(error))
    except EnvelopeFault as error:
        return key_twice(text) or invalid(error.field, error.value, str(error))
    except _KeyTwice as error:
        return _stands_twice(error)
    except RecursionError:
        return invalid("", "", "must not be nested so deeply")
    if book is None or command.book == book:
        return command
    return invalid("book", command.book, f"must be {book}, the book that this is for")


def parse_given(text: bytes, given: Mapping[str, str], default: Mapping[str, str]) -> Command | Fault:
    """The command in ``text``, of which some fields are known already, or what is wrong with it.

    What is ``given`` may be left out of the text, and says the same where it is not; what is ``default`` may be left out.
    """
    try:
        parts = _decode_parts(text)
    except msgspec.ValidationError:
        return invalid("", "", "must be an object")
    except (msgspec.DecodeError, RecursionError) as error:
        return key_twice(text) or invalid("", "", f"must be JSON: {error}")
    for name, value in given.items():
        if name in parts and (said := _said(parts[name])) != value:
            return invalid(name, said, f"must be {value}, or be left out")
    filled = {name: value for known in (default, given) for name, value in known.items() if name not in parts}
    model = COMMANDS.get(given.get("command", ""))
    validate = model.__pydantic_validator__.validate_json if model is not None else _validate
    try:
        command: Command = validate(prepend(filled, text.strip()))
        _count_keys(text, command, len(filled))
    except ValidationError as error:
        return key_twice(text) or invalid(*first_error(error))
    except _KeyTwice as error:
        return _stands_twice(error)
    except RecursionError:
        return invalid("", "", "must not be nested so deeply")
    return command


def _said(raw: msgspec.Raw) -> str:
    """A text that stands in JSON; anything else as its JSON."""
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else bytes(raw).decode("utf-8", "replace")


def validated(command: dict[str, Any]) -> Command | Fault:
    """A command built by ourselves, with its dates as dates, or what is wrong with it."""
    try:
        made: Command = COMMANDS[command["command"]].__pydantic_validator__.validate_python(command)
    except ValidationError as error:
        return invalid(*first_error(error))
    return made


def unreadable(text: bytes, fault: Fault, *, origin: str, book: str | None, lane: str | None = None) -> Unreadable:
    """What cannot be read, as it goes into quarantine, with as much of its identity as can be made out."""
    decoded = text.decode("utf-8", "replace")
    try:
        whole = json.loads(decoded)
    except (ValueError, RecursionError):
        # What is no JSON is kept as a JSON string, so that whoever reads the quarantine can rely on JSON.
        decoded, whole = json.dumps(decoded, ensure_ascii=False), None
    parts = whole if isinstance(whole, dict) else {}
    inner = parts.get("data") if "specversion" in parts else None
    body = inner if isinstance(inner, dict) else parts
    return Unreadable(
        book=book or _text(body.get("book")) or "",
        source=_text(parts.get("source")) or "",
        source_id=_text(parts.get("id") if "specversion" in parts else parts.get("source_id")),
        origin=origin,
        code=fault.code,
        field=storable(fault.field),
        value=storable(fault.value),
        rule=storable(fault.rule),
        raw=decoded,
        lane=lane,
    )


def storable(text: str) -> str:
    """Text that every database can hold: without NUL, and without halves of characters, which JSON can write."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def read_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Line number (from 1) and JSON text of each command of a stream: one a line, or a single one over many lines.

    Empty lines are skipped. A first line that is no whole JSON value begins a single command that ends with the stream.
    """
    first = True
    for number, line in enumerate(stream, 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        text = line.strip()
        if not text:
            continue
        if first and not _is_whole(text):
            yield number, (line + stream.read()).strip()
            return
        first = False
        yield number, text


def _is_whole(text: bytes) -> bool:
    """Whether a text can stand for itself; one that is merely cut off may go on in the next line."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return "truncated" not in str(error)
    return True


def _parse(text: bytes, book: str | None, headers: Headers | None, structured: bool) -> Command:
    made = _bare(text, headers, structured)
    if book is not None and b'"book"' not in made.text and made.text[:1] == b"{":
        made = Unwrapped(prepend({"book": book}, made.text), made.surplus + 1)
    command: Command = _validate(made.text)
    _count_keys(text, command, made.surplus)
    return command


def _count_keys(text: bytes, command: BaseModel, surplus: int) -> None:
    """Raises ``_KeyTwice`` where ``text`` has more keys than the command that was made of it, less ``surplus``."""
    keys = _keys(command) - surplus
    # Every key has its colon. Where values hold colons too, the quote before it tells them apart.
    if text.count(b":") != keys and (text.count(b'":') != keys or _space_before_colon(text)):
        _refuse_keys_twice(text)


def _bare(text: bytes, headers: Headers | None, structured: bool) -> Unwrapped:
    """The bare command of a message."""
    if headers is not None:
        return unwrap_binary(headers, text)
    if structured or b'"specversion"' in text:
        attributes = top_level(text)
        if attributes is not None or structured:
            return unwrap(text, len(attributes or ()))
    return Unwrapped(text, 0)


def _space_before_colon(text: bytes) -> bool:
    """Whether a key may stand apart from its colon. (One character is found much faster than two.)"""
    return (b" " in text and b" :" in text) or b"\n" in text or b"\t" in text or b"\r" in text


class _Plan(NamedTuple):
    """Which fields of a model hold objects: lists of models (each with the fields that are maps), models, maps."""

    lists: tuple[tuple[str, tuple[str, ...]], ...]
    models: tuple[str, ...]
    maps: tuple[str, ...]


def _plan(model: type[BaseModel]) -> _Plan:
    lists, models, maps = [], [], []
    for name, field in model.model_fields.items():
        for type_ in get_args(field.annotation) or (field.annotation,):
            # A command within a command is not counted: its message is read strictly.
            if isinstance(type_, type) and issubclass(type_, BaseModel) and type_.__name__ not in COMMANDS:
                inner = _plan(type_)
                assert not inner.lists, "keys are counted two levels deep"
                assert not inner.models, "keys are counted two levels deep"
                if get_origin(field.annotation) is list:
                    lists.append((name, inner.maps))
                else:
                    assert not inner.maps
                    models.append(name)
        if get_origin(field.annotation) is dict:
            maps.append(name)
    return _Plan(tuple(lists), tuple(models), tuple(maps))


_PLANS = {model: _plan(model) for model in COMMANDS.values()}


def _keys(command: BaseModel) -> int:
    """How many keys the JSON text of a command has, if none stands twice."""
    plan = _PLANS[type(command)]
    values = command.__dict__
    count = len(command.__pydantic_fields_set__)
    for name, maps in plan.lists:
        parts = values[name]
        if parts:
            for part in parts:
                count += len(part.__pydantic_fields_set__)
            for inner in maps:
                for part in parts:
                    count += len(part.__dict__[inner])
    for name in plan.models:
        if values[name] is not None:
            count += len(values[name].__pydantic_fields_set__)
    for name in plan.maps:
        count += len(values[name])
    return count


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _KeyTwice(key)
            seen.add(key)
    return found


_decode_strictly = json.JSONDecoder(object_pairs_hook=_pairs).decode


def _refuse_keys_twice(text: bytes) -> None:
    _decode_strictly(text.decode("utf-8"))


def key_twice(text: bytes) -> Fault | None:
    """The key that stands twice in one object of a text, as a fault. What a validator complains about may only follow from a key that stands twice."""
    try:
        _refuse_keys_twice(text)
    except _KeyTwice as twice:
        return _stands_twice(twice)
    except (ValueError, RecursionError):
        pass
    return None


def _stands_twice(error: _KeyTwice) -> Fault:
    return invalid(str(error), "", "must stand only once in an object")


def _text(value: Any) -> str | None:
    return storable(value) if isinstance(value, str) else None
