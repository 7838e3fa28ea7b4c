"""CloudEvents 1.0 in JSON, structured or binary: the envelope that a command may come in.

``type`` is ``tieout.<command-in-kebab-case>.v1``; ``source`` and ``id`` give the command's source and source id, and
``sequence``, an extension of CloudEvents, its number. Unknown attributes are tolerated, ``data`` is held to its contract:
it may leave out ``command``, ``source``, ``source_id`` and ``sequence``, and if it has them they say the same as the
envelope. Structured, all of it is one JSON object; binary, the attributes
are headers of the message (``ce_type``, …) and its value is ``data``. Both ways it is the same command.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec

from domain.commands import COMMANDS

Text = Annotated[str, msgspec.Meta(min_length=1)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of a CloudEvent that mean something here."""

    specversion: Text
    type: Text
    source: Text
    id: Text
    data: msgspec.Raw
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    sequence: str | int | None = None
    sequencetype: str | None = None


class _Said(msgspec.Struct):
    """What data may say a second time."""

    command: Any = msgspec.UNSET
    source: Any = msgspec.UNSET
    source_id: Any = msgspec.UNSET
    sequence: Any = msgspec.UNSET


class Unwrapped(NamedTuple):
    """The JSON text of a command out of its envelope.

    ``surplus``: how many keys it has more than what came; negative where the envelope had the greater number.
    """

    text: bytes
    surplus: int


Headers = Sequence[tuple[str, bytes | None]]


class EnvelopeFault(ValueError):
    """The envelope is wrong: ``field`` and ``value`` of the first thing found; the text is the rule."""

    def __init__(self, field: str, value: str, rule: str) -> None:
        super().__init__(rule)
        self.field = field
        self.value = value


def kebab(command: str) -> str:
    """``IssueInvoice`` → ``issue-invoice``."""
    return re.sub(r"(?<=.)(?=[A-Z])", "-", command).lower()


def event_type(command: str) -> str:
    """The ``type`` of a command's CloudEvent."""
    return f"tieout.{kebab(command)}.v1"


COMMAND_OF = {event_type(name): name for name in COMMANDS}
"""``type`` → the name of the command."""

_KNOWN_HEADERS = {f"ce_{name}": name for name in Envelope.__struct_fields__ if name != "data"}
# A content type's header has no prefix, and is often spelt as in HTTP.
_KNOWN_HEADERS |= {"content-type": "datacontenttype", "Content-Type": "datacontenttype"}
_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_said = msgspec.json.Decoder(_Said).decode
_decode_whole = msgspec.json.Decoder(msgspec.Raw).decode
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoders raise for what is no JSON, no UTF-8, or nested too deeply."""
_encode = msgspec.json.Encoder().encode
_PATH = re.compile(r"^(.*) - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")


def top_level(text: bytes) -> dict[str, msgspec.Raw] | None:
    """The attributes of a structured CloudEvent; None for what is none (it has no ``specversion``), or no object."""
    try:
        parts = _decode_parts(text)
    except _NOT_JSON:
        return None
    return parts if "specversion" in parts else None


def is_binary(headers: Headers) -> bool:
    """Whether the headers of a message are those of a CloudEvent whose value is its data."""
    return any(name == "ce_specversion" for name, _ in headers)


def unwrap(text: bytes, attributes: int) -> Unwrapped:
    """The command inside a structured CloudEvent that has so many attributes; raises ``EnvelopeFault``."""
    try:
        envelope = _decode_envelope(text)
    except _NOT_JSON as error:
        raise _fault(str(error)) from None
    command, surplus = _command(envelope)
    return Unwrapped(command, surplus - attributes)


def unwrap_binary(headers: Headers, data: bytes) -> Unwrapped:
    """The command in a CloudEvent whose attributes are headers; raises ``EnvelopeFault``."""
    attributes: dict[str, Any] = {}
    for name, value in headers:
        attribute = _KNOWN_HEADERS.get(name)
        if attribute is None or value is None:
            continue
        if attribute in attributes:
            raise EnvelopeFault(attribute, "", "must stand only once in the headers")
        try:
            attributes[attribute] = value.decode()
        except UnicodeDecodeError:
            raise EnvelopeFault(attribute, "", "must be UTF-8") from None
    attributes["data"] = msgspec.Raw(data)
    try:
        envelope = msgspec.convert(attributes, Envelope)
    except msgspec.ValidationError as error:
        raise _fault(str(error)) from None
    return Unwrapped(*_command(envelope))


def as_structured(headers: Headers, data: bytes | None) -> bytes:
    """A binary CloudEvent as a structured one, as well as may be: how it is kept where it cannot be read."""
    event: dict[str, Any] = {}
    for name, value in headers:
        attribute = _attribute(name)
        if attribute is not None and value is not None:
            event[attribute] = value.decode("utf-8", "replace")
    if data is not None:
        try:
            event["data"] = _decode_whole(data)
        except _NOT_JSON:
            event["data"] = data.decode("utf-8", "replace")
    return _encode(event)


def _attribute(header: str) -> str | None:
    """The attribute that a header gives."""
    return header[3:] if header.startswith("ce_") else _KNOWN_HEADERS.get(header)


def _command(envelope: Envelope) -> tuple[bytes, int]:
    """The command's JSON text, and how many keys it has more than ``data``."""
    if envelope.specversion != "1.0":
        raise EnvelopeFault("specversion", envelope.specversion, "must be 1.0")
    content = envelope.datacontenttype
    if content is not None and content != "application/json" and not _says_json(content):
        raise EnvelopeFault("datacontenttype", content, "must be application/json")
    command = COMMAND_OF.get(envelope.type)
    if command is None:
        raise EnvelopeFault("type", envelope.type, f"must be one of {', '.join(COMMAND_OF)}")
    given: dict[str, Any] = {"command": command, "source": envelope.source, "source_id": envelope.id}
    if envelope.sequence is not None:
        number = numbered(envelope.sequence, envelope.sequencetype)
        if number is not None:
            given["sequence"] = number
    data = bytes(envelope.data).strip()
    if not data.startswith(b"{"):
        raise EnvelopeFault("data", "", "must be an object")
    if b'"command"' in data or b'"source"' in data or b'"source_id"' in data or b'"sequence"' in data:
        given = _not_in(data, given)
    return prepend(given, data), len(given)


def numbered(sequence: Any, sequencetype: Any) -> Any:
    """The number of a message, which CloudEvents has as text; None where the sequence is none of numbers.

    What should be a number and is none stays as it is: whoever reads the command says what is wrong with it.
    """
    if sequencetype not in (None, "Integer"):
        return None
    return int(sequence) if isinstance(sequence, str) and re.fullmatch("[0-9]{1,19}", sequence) else sequence


def _says_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def prepend(given: dict[str, Any], data: bytes) -> bytes:
    """The JSON object ``data`` with fields put before its own, whose text stays as it is."""
    if not given:
        return data
    rest = data[1:].lstrip()
    return _encode(given)[:-1] + (rest if rest.startswith(b"}") else b"," + rest)


def _not_in(data: bytes, given: dict[str, Any]) -> dict[str, Any]:
    """Those of ``given`` that ``data`` leaves out; refused where it says something else."""
    try:
        parts = _decode_said(data)
    except _NOT_JSON:
        # Whoever reads the command says what is wrong with it.
        return given
    said = {name: value for name in given if (value := getattr(parts, name)) is not msgspec.UNSET}
    for name, value in said.items():
        if value != given[name]:
            shown = value if isinstance(value, str) else ""
            raise EnvelopeFault(f"data.{name}", shown, "must say the same as the envelope, or be left out")
    return {name: value for name, value in given.items() if name not in said}


def _fault(message: str) -> EnvelopeFault:
    missing = _MISSING.match(message)
    if missing:
        return EnvelopeFault(missing[1], "", "must be given")
    path = _PATH.match(message)
    words = path[1] if path else message
    return EnvelopeFault(path[2] if path else "", "", f"must be right: {words[:1].lower()}{words[1:]}")
