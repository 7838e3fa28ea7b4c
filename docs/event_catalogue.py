"""Writes docs/events.md, the event catalogue, from the code: topics, docstrings, fields and their types, refusals.

``make update-snapshots`` runs it through its test, which also fails when the page and the code have drifted apart.
"""

import types
from datetime import date
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from domain import events
from domain.events import FLAGS, TOPICS, Event, Voucher
from domain.refusals import CONFLICTS, RULES, Code

PAGE = Path(__file__).with_name("events.md")

HEAD = """\
# Event catalogue

Generated from the code by `docs/event_catalogue.py`; `make update-snapshots` writes it again.

Events are stored as JSON under the topic that stands in brackets, and stay readable for ever. Amounts are integer minor
units of the account's currency, base amounts of the book's base currency. D and C are debit and credit; a reversal and
a discount keep their side and have negative amounts. A field with a default is left out of the stored body while it has
it. What is not in the body is a column of the event's row: stream, version, log position, `recorded_us`.
"""

FLAGS_HEAD = """\
## Flags

What is booked as it came, and somebody should look at.

| flag | meaning |
| --- | --- |"""

REFUSALS_HEAD = """\
## Refusals

Why a command is not booked, in the order in which the rules are checked. A conflict means that the id is known with
another content: nothing is booked, and the difference can be seen.

| code | rule | |
| --- | --- | --- |"""


def catalogue() -> str:
    """The whole page."""
    blocks = [HEAD, "## What every event has", _struct(Event, "Every event")]
    blocks.append(_struct(Voucher, "Every event that moves value, beside it", Event))
    blocks.append("## Events")
    for topic, event in TOPICS.items():
        parent = Voucher if issubclass(event, Voucher) else Event
        blocks.append(_struct(event, f"{event.__name__} [`{topic}`]", parent))
    blocks.append("## Parts of events")
    blocks.extend(_struct(part, part.__name__) for part in _parts())
    blocks.append("\n".join([FLAGS_HEAD, *(f"| `{flag}` | {meaning} |" for flag, meaning in FLAGS.items())]))
    blocks.append("\n".join([REFUSALS_HEAD, *(_refusal(code) for code in Code)]))
    return "\n\n".join(block.strip() for block in blocks) + "\n"


def _refusal(code: Code) -> str:
    return f"| `{code.value}` | {RULES[code]} | {'conflict' if code in CONFLICTS else ''} |"


def _parts() -> list[type[msgspec.Struct]]:
    """The structs that are fields of events, in the order of the module."""
    structs = (v for v in vars(events).values() if isinstance(v, type) and issubclass(v, msgspec.Struct))
    return [struct for struct in structs if struct.__module__ == events.__name__ and not issubclass(struct, Event)]


def _struct(struct: type[msgspec.Struct], title: str, parent: type[msgspec.Struct] | None = None) -> str:
    """A heading, the docstring, and a table of the fields that its parent does not have."""
    inherited = {field.name for field in msgspec.structs.fields(parent)} if parent is not None else set()
    hints = get_type_hints(struct)
    rows = (
        f"| `{field.name}` | {_type(hints[field.name])} | {_default(field)} |"
        for field in msgspec.structs.fields(struct)
        if field.name not in inherited
    )
    words = cleandoc(struct.__doc__ or "").replace("``", "`")
    return "\n".join([f"### {title}", "", words, "", "| field | type | default |", "| --- | --- | --- |", *rows])


def _type(hint: Any) -> str:
    """A type as a reader of the JSON would call it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(part) for part in arguments if part is not type(None))
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is tuple:
        return f"pair of {' and '.join(_type(part) for part in arguments)}"
    if origin is dict:
        return "object" if arguments[1] is Any else f"{_type(arguments[0])} → {_type(arguments[1])}"
    plain = {int: "integer", str: "text", bool: "true or false", date: "date"}
    return plain.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "empty"
    if field.default is None:
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


if __name__ == "__main__":
    PAGE.write_text(catalogue(), encoding="utf-8", newline="\n")
