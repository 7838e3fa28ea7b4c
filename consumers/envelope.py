"""CloudEvents 1.0 in structured JSON: the envelope that a command may come in.

``type`` is ``tieout.<command-in-kebab-case>.v1``; ``source`` and ``id`` give the command's source and source id. Unknown
attributes are tolerated, ``data`` is held to its contract: it may leave out ``command``, ``source`` and ``source_id``,
and if it has them they say the same as the envelope.
"""

import re
from typing import Annotated

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

_decode_envelope = msgspec.json.Decoder(Envelope).decode
_decode_parts = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_PATH = re.compile(r"^(.*) - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_OWN = (b'"command"', b'"source"', b'"source_id"')


def is_envelope(text: bytes) -> bool:
    """Whether JSON text is a CloudEvent (it has ``specversion``) rather than a bare command."""
    if b'"specversion"' not in text:
        return False
    try:
        return "specversion" in _decode_parts(text)
    except msgspec.DecodeError:
        return False


def unwrap(text: bytes) -> bytes:
    """The command inside a CloudEvent, as JSON with its command, source and source id; raises ``EnvelopeFault``."""
    try:
        envelope = _decode_envelope(text)
    except msgspec.DecodeError as error:
        raise _fault(str(error)) from None
    if envelope.specversion != "1.0":
        raise EnvelopeFault("specversion", envelope.specversion, "must be 1.0")
    content = envelope.datacontenttype
    if content is not None and content.partition(";")[0].strip() != "application/json":
        raise EnvelopeFault("datacontenttype", content, "must be application/json")
    command = COMMAND_OF.get(envelope.type)
    if command is None:
        raise EnvelopeFault("type", envelope.type, f"must be one of {', '.join(COMMAND_OF)}")
    given = {"command": command, "source": envelope.source, "source_id": envelope.id}
    data = bytes(envelope.data).strip()
    if not data.startswith(b"{"):
        raise EnvelopeFault("data", "", "must be an object")
    if any(name in data for name in _OWN):
        given = _not_in(data, given)
    return prepend(given, data)


def prepend(given: dict[str, str], data: bytes) -> bytes:
    """The JSON object ``data`` with fields put before its own, whose text stays as it is."""
    if not given:
        return data
    rest = data[1:].lstrip()
    return _encode(given)[:-1] + (rest if rest.startswith(b"}") else b"," + rest)


def _not_in(data: bytes, given: dict[str, str]) -> dict[str, str]:
    """Those of ``given`` that ``data`` leaves out; refused where it says something else."""
    parts = _decode_parts(data)
    for name, value in given.items():
        if name in parts and bytes(parts[name]) != _encode(value):
            raise EnvelopeFault(
                f"data.{name}", bytes(parts[name]).decode(), "must say the same as the envelope, or be left out"
            )
    return {name: value for name, value in given.items() if name not in parts}


def _fault(message: str) -> EnvelopeFault:
    missing = _MISSING.match(message)
    if missing:
        return EnvelopeFault(missing[1], "", "must be given")
    path = _PATH.match(message)
    words = path[1] if path else message
    return EnvelopeFault(path[2] if path else "", "", f"must be right: {words[:1].lower()}{words[1:]}")
