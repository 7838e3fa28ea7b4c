"""The file by which messages of any system are mapped: which place in a message is which field of a document.

A message is read as the rows of a table are (``consumers/mapping.py``): the same fields, the same rules, and so the same
fact as from a file. What a table's header says, paths into the JSON say here. Read strictly: an unknown key or a wrong
value is a ``MappingError`` that names field, value and rule.
"""

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError

from consumers.mapping import (
    ISO,
    PARTY_FIELDS,
    ROW_FIELDS,
    Defaults,
    DocumentKind,
    Mapping,
    MappingError,
    Section,
    Separator,
    SourceName,
)
from consumers.mapping import Source as TableSource
from consumers.words import first_error
from domain.commands import TimeZone

KEY = "@key"
"""In place of a path: what the message was sent under."""
REVERSAL_FIELDS = (
    "number",
    "customer",
    "currency",
    "series",
    "revision",
    "source_id",
    "sequence",
    "effective_on",
    "reason",
)
DATE_FIELDS = frozenset(
    {"effective_on", "document_on", "tax_point_on", "value_on", "due_on", "service_from", "service_to"}
)
_MAPS_OF_ROWS = ("line_dimensions", "deductions")
_PATH = re.compile(r"[^.]+(\.[^.]+)*|(/[^/]*)+")


def _path(text: str) -> str:
    if text != KEY and not _PATH.fullmatch(text):
        raise ValueError('must be names joined by dots, such as data.customer.id, or a JSON Pointer, or "@key"')
    return text


def _short(value: Any) -> Any:
    """``"acknowledge"`` is short for ``{ becomes = "acknowledge" }``."""
    return {"becomes": value} if isinstance(value, str) else value


Path = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_path)]
Becomes = Literal["invoice", "debit-note", "credit-note", "payment", "refund", "reversal", "acknowledge", "quarantine"]


class Source(Section):
    """Which system sends, and how it writes numbers and dates."""

    name: SourceName
    decimal: Literal[".", ","] = "."
    thousands: Separator = ""
    amounts: Literal["decimal", "minor"] = "decimal"
    dates: list[str] = Field(default_factory=lambda: [ISO])
    time_zone: TimeZone | None = None
    epoch: Literal["seconds", "milliseconds"] | None = None
    private: list[Path] = Field(default_factory=list)


class Envelope(Section):
    """Where a message says what it is, and its own id."""

    type: Path
    id: Path | None = None
    unknown: Literal["quarantine", "acknowledge"] = "quarantine"


class MessageType(Section):
    """What messages of one type become. ``final``: path → values that make the message a fact."""

    becomes: Becomes
    of: DocumentKind | None = None
    final: dict[Path, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    when_negative: Literal["credit-note", "refund"] | None = None
    written_negative: bool = False
    defaults: dict[str, Any] = Field(default_factory=dict)
    fields: dict[str, Any] = Field(default_factory=dict)
    rows: dict[str, Any] = Field(default_factory=dict)

    @property
    def is_document(self) -> bool:
        """Whether a document is made of it."""
        return self.becomes not in ("reversal", "acknowledge", "quarantine")


class FeedMapping(Section):
    """A whole file."""

    source: Source
    message: Envelope
    defaults: dict[str, Any] = Field(default_factory=dict)
    messages: Annotated[
        dict[str, Annotated[MessageType, BeforeValidator(_short)]],
        Field(min_length=1),
    ]


class Place(NamedTuple):
    """Where a cell of a row comes from: from the message, or with ``in_row`` from an element of the list."""

    path: str
    in_row: bool
    is_date: bool


class DocumentType(NamedTuple):
    """A type of message that makes documents: the mapping of its rows, and where each column's cell stands."""

    mapping: Mapping
    each: str | None
    places: list[Place]


class ReversalType(NamedTuple):
    """A type of message that reverses documents."""

    of: DocumentKind
    source: TableSource
    defaults: Defaults
    fields: dict[str, str]


def read_mapping(parsed: dict[str, Any]) -> FeedMapping:
    """The mapping in parsed TOML, checked in all its parts; raises ``MappingError``."""
    try:
        mapping = FeedMapping.model_validate(parsed)
    except ValidationError as error:
        raise explained(FeedMapping, error) from None
    _table_source(mapping.source)
    for name, type_ in mapping.messages.items():
        if type_.is_document:
            document_type(mapping, name)
        elif type_.becomes == "reversal":
            reversal_type(mapping, name)
        else:
            _refuse(name, type_, ("of", "when_negative", "written_negative", "defaults", "fields", "rows"))
    return mapping


def document_type(mapping: FeedMapping, name: str) -> DocumentType:
    """How messages of the type ``name`` make documents; raises ``MappingError``."""
    type_ = mapping.messages[name]
    at = f"messages.{name}"
    _refuse(name, type_, ("of",))
    if "kind" in mapping.defaults | type_.defaults:
        raise MappingError("defaults.kind", "", "is what a type of message becomes")
    each = type_.rows.get("each")
    if type_.rows:
        _checked_path(f"{at}.rows.each", each)
    row_fields = {field: value for field, value in type_.rows.items() if field != "each"}
    for field in row_fields:
        if field not in ROW_FIELDS + _MAPS_OF_ROWS:
            known = ", ".join(ROW_FIELDS + _MAPS_OF_ROWS)
            raise MappingError(f"{at}.rows.{field}", "", f"is not a field of a row; there are: each, {known}")
        if field in type_.fields:
            raise MappingError(f"{at}.rows.{field}", "", "must not be in fields, too")
    for field in PARTY_FIELDS:
        if field in type_.fields:
            raise MappingError(f"{at}.fields.{field}", "", "who a customer is does not come with a feed's messages")
    places = {**_places(f"{at}.fields", type_.fields, None), **_places(f"{at}.rows", row_fields, each)}
    columns = {field: _columns(value, None) for field, value in type_.fields.items()}
    columns |= {field: _columns(value, each) for field, value in row_fields.items()}
    table = {
        "source": _table_source(mapping.source).model_dump(),
        "defaults": mapping.defaults | type_.defaults | {"kind": type_.becomes},
        "columns": columns,
        "kind": {
            "when_negative": {type_.becomes: type_.when_negative} if type_.when_negative else {},
            "written_negative": [type_.becomes] if type_.written_negative else [],
        },
    }
    try:
        made = Mapping.model_validate(table).checked()
    except ValidationError as error:
        raise _renamed(name, type_, explained(Mapping, error)) from None
    except MappingError as error:
        raise _renamed(name, type_, error) from None
    return DocumentType(mapping=made, each=each, places=[places[column] for column in made.used])


def reversal_type(mapping: FeedMapping, name: str) -> ReversalType:
    """How messages of the type ``name`` reverse documents; raises ``MappingError``."""
    type_ = mapping.messages[name]
    at = f"messages.{name}"
    _refuse(name, type_, ("when_negative", "written_negative", "rows"))
    if type_.of is None:
        raise MappingError(f"{at}.of", "", "must say which kind of document is reversed")
    for field, path in type_.fields.items():
        if field not in REVERSAL_FIELDS:
            raise MappingError(
                f"{at}.fields.{field}", "", f"is not a field here; there are: {', '.join(REVERSAL_FIELDS)}"
            )
        _checked_path(f"{at}.fields.{field}", path)
    for field in ("number", "customer"):
        if field not in type_.fields:
            raise MappingError(f"{at}.fields.{field}", "", "must be mapped")
    if "effective_on" in type_.fields and type_.of != "refund":
        raise MappingError(f"{at}.fields.effective_on", "", "is the day on which a refund failed, and of nothing else")
    try:
        defaults = Defaults.model_validate(mapping.defaults | type_.defaults)
    except ValidationError as error:
        fault = explained(Defaults, error)
        raise _renamed(name, type_, MappingError(f"defaults.{fault.field}", fault.value, fault.rule)) from None
    if defaults.currency is None and "currency" not in type_.fields:
        raise MappingError(f"{at}.fields.currency", "", "must be mapped, or the defaults must have a currency")
    return ReversalType(of=type_.of, source=_table_source(mapping.source), defaults=defaults, fields=type_.fields)


def explained(model: Any, error: ValidationError) -> MappingError:
    """What is wrong with a file, by field, value and rule; for an unknown key with the keys that there are."""
    field, value, rule = first_error(error)
    field = field.removesuffix(".[key]")
    if rule == "is not a field here":
        for part in field.split(".")[:-1]:
            annotation = model.model_fields[part].annotation if part in model.model_fields else None
            model = annotation if hasattr(annotation, "model_fields") else MessageType
        rule += f"; there are: {', '.join(model.model_fields)}"
    return MappingError(field, value, rule)


def _table_source(source: Source) -> TableSource:
    """The source as that of a table; raises ``MappingError``."""
    written = source.model_dump(include={"name", "decimal", "thousands", "amounts", "dates", "time_zone"})
    if source.epoch and ISO not in source.dates:
        # What was counted is handed on as an ISO instant.
        written["dates"] = [*source.dates, ISO]
    try:
        return TableSource.model_validate(written)
    except ValidationError as error:
        fault = explained(TableSource, error)
        raise MappingError(f"source.{fault.field}", fault.value, fault.rule) from None


def _refuse(name: str, type_: MessageType, keys: tuple[str, ...]) -> None:
    for key in keys:
        if getattr(type_, key):
            raise MappingError(f"messages.{name}.{key}", "", f"means nothing for what becomes {type_.becomes}")


def _checked_path(field: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise MappingError(field, "", "must be given, as a path such as data.lines")
    try:
        return _path(value)
    except ValueError as error:
        raise MappingError(field, value, str(error)) from None


def _places(at: str, fields: dict[str, Any], each: str | None) -> dict[str, Place]:
    """Column → where it comes from."""
    places: dict[str, Place] = {}
    for field, value in fields.items():
        paths = value if isinstance(value, dict) else {"": value}
        for key, path in paths.items():
            checked = _checked_path(f"{at}.{field}.{key}".removesuffix("."), path)
            column = _column(checked, each)
            dated = field in DATE_FIELDS or (column in places and places[column].is_date)
            places[column] = Place(path=checked, in_row=each is not None, is_date=dated)
    return places


def _columns(value: Any, each: str | None) -> Any:
    return (
        {key: _column(path, each) for key, path in value.items()} if isinstance(value, dict) else _column(value, each)
    )


def _column(path: str, each: str | None) -> str:
    """The name of the column that a path is, as it is shown in quarantine."""
    return path if each is None else f"{each}[] {path}"


def _renamed(name: str, type_: MessageType, error: MappingError) -> MappingError:
    """What a table's mapping says of its sections, said of those of this file."""
    section, _, field = error.field.partition(".")
    at = f"messages.{name}"
    if section == "columns":
        where = "rows" if field.partition(".")[0] in type_.rows else "fields"
        return MappingError(f"{at}.{where}.{field}", error.value, error.rule)
    if section == "kind":
        return MappingError(f"{at}.when_negative", error.value, error.rule)
    if section == "defaults" and field.partition(".")[0] in type_.defaults:
        return MappingError(f"{at}.{error.field}", error.value, error.rule)
    return error
