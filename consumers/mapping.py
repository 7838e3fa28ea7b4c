"""The mapping file: which columns of a table are which fields of a document. Its format is docs/import.md.

TOML, read strictly: an unknown key or a wrong value is a ``MappingError`` that names field, value and rule.
"""

import codecs
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from consumers.problems import MappingError
from consumers.words import first_error
from domain.commands import CurrencyCode, Dimensions, Id, Percent, Series, Text, TimeZone, Word

__all__ = ["Columns", "Defaults", "Group", "Kind", "Mapping", "MappingError", "Source", "load_mapping", "read_mapping"]

DocumentKind = Literal["invoice", "debit-note", "credit-note", "payment", "refund"]
"""The kinds of documents that rows of a table can make; everything else comes as commands."""
BY_HAND = "by-hand"
"""In place of a kind: such documents are left to a person, so they go to quarantine."""
KindOrByHand = Literal["invoice", "debit-note", "credit-note", "payment", "refund", "by-hand"]
ISO = "iso"
"""The date format of ISO 8601: a day, or an instant whose day is taken."""

_SIGNED = {"invoice": "credit-note", "debit-note": "credit-note", "payment": "refund"}


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError("must be an encoding that is known, such as utf-8, gb18030 or cp1252") from None
    return name


def _date_format(text: str) -> str:
    if text != ISO and not ("%d" in text and any(code in text for code in ("%m", "%b", "%B"))):
        raise ValueError('must be "iso", or a format with day, month and year such as "%d.%m.%Y"')
    if text != ISO and not ("%Y" in text or "%y" in text):
        raise ValueError('must be "iso", or a format with day, month and year such as "%d.%m.%Y"')
    return text


Column = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Separator = Annotated[str, StringConstraints(max_length=1)]
SourceName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Prefix = Annotated[str, StringConstraints(min_length=1, max_length=90)]


class Section(BaseModel):
    """Strict, closed, immutable."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Source(Section):
    """Where the table comes from and how it is written."""

    name: SourceName
    format: Literal["csv", "parquet", "jsonl"] | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] = "utf-8"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    quote: Separator = '"'
    skip_lines: Annotated[int, Field(ge=0, le=1000)] = 0
    decimal: Literal[".", ","] = "."
    thousands: Separator = ""
    amounts: Literal["decimal", "minor"] = "decimal"
    dates: Annotated[list[Annotated[str, AfterValidator(_date_format)]], Field(min_length=1)] = [ISO]
    time_zone: TimeZone | None = None


class Defaults(Section):
    """What holds for every document, unless a column says otherwise, and what becomes of odd ones."""

    kind: DocumentKind = "invoice"
    series: Series = ""
    reference_series: Series | None = None
    currency: CurrencyCode | None = None
    due_days: Annotated[int, Field(ge=0, le=3660)] = 0
    method: Word | None = None
    deposit_class: Literal["unapplied", "contract", "unidentified", "security"] | None = None
    opening: bool = False
    nature: Literal["fact", "instruction"] = "fact"
    actor: Id | None = None
    reason: Text | None = None
    role: Word | None = None
    tax_code: Id | None = None
    tax_rate: Percent | None = None
    dimensions: Dimensions = {}
    language: Annotated[str, StringConstraints(max_length=35)] = ""
    missing_customer: Literal["quarantine", "house"] = "quarantine"
    inconsistent: Literal["quarantine", "first"] = "quarantine"
    inexact: Literal["round", "quarantine"] = "round"


class Group(Section):
    """The columns that together make a document; by default those of its number, series, revision and kind."""

    columns: list[Column] = []


class Columns(Section):
    """Field → column. Those above the line belong to the whole document, those below it to each row."""

    number: Column
    effective_on: Column
    customer: Column | None = None
    source_id: Column | None = None
    sequence: Column | None = None
    series: Column | None = None
    revision: Column | None = None
    currency: Column | None = None
    document_on: Column | None = None
    tax_point_on: Column | None = None
    value_on: Column | None = None
    due_on: Column | None = None
    total: Column | None = None
    rate: Column | None = None
    base_total: Column | None = None
    method: Column | None = None
    cash: Column | None = None
    against: Column | None = None
    original_payment: Column | None = None
    fiscal_number: Column | None = None
    bill_to: Column | None = None
    sold_to: Column | None = None
    reason: Column | None = None
    dimensions: dict[Word, Column] = {}
    name: Column | None = None
    language: Column | None = None
    address: Column | None = None
    # ---
    quantity: Column | None = None
    unit_price: Column | None = None
    net: Column | None = None
    amount: Column | None = None
    tax_code: Column | None = None
    tax_rate: Column | None = None
    tax_base: Column | None = None
    tax_amount: Column | None = None
    role: Column | None = None
    service_from: Column | None = None
    service_to: Column | None = None
    line_dimensions: dict[Word, Column] = {}
    reference: Column | None = None
    deductions: dict[Word, Column] = {}


PARTY_FIELDS = ("name", "language", "address")
"""Fields that say who a customer is: kept beside the log, never in it and never in quarantine."""
ROW_FIELDS = (
    "quantity",
    "unit_price",
    "net",
    "amount",
    "tax_code",
    "tax_rate",
    "tax_base",
    "tax_amount",
    "role",
    "service_from",
    "service_to",
    "reference",
)
"""Fields that each row has for itself; the others belong to the document."""


class Kind(Section):
    """Which kind of document a number, a column or a sign means."""

    prefix: dict[Prefix, KindOrByHand] = {}
    column: Column | None = None
    values: dict[str, KindOrByHand] = {}
    when_negative: dict[Literal["invoice", "debit-note", "payment"], Literal["credit-note", "refund"]] = {}
    written_negative: list[DocumentKind] = ["credit-note"]


class Mapping(Section):
    """A whole mapping."""

    source: Source
    defaults: Defaults = Defaults()
    group: Group = Group()
    columns: Columns
    kind: Kind = Kind()

    @cached_property
    def fields(self) -> dict[str, str]:
        """Dotted field → column, of all that are mapped."""
        found: dict[str, str] = {}
        for name in Columns.model_fields:
            value = getattr(self.columns, name)
            if isinstance(value, dict):
                found |= {f"{name}.{key}": column for key, column in value.items()}
            elif value is not None:
                found[name] = value
        if self.kind.column is not None:
            found["kind"] = self.kind.column
        return found

    @cached_property
    def used(self) -> list[str]:
        """The columns that the mapping names, each once."""
        return list(dict.fromkeys([*self.fields.values(), *self.group.columns]))

    @cached_property
    def key(self) -> list[str]:
        """The columns whose values make rows one document."""
        fields = self.fields
        default = [fields[name] for name in ("number", "series", "revision", "kind") if name in fields]
        return self.group.columns or list(dict.fromkeys(default))

    def checked(self) -> Self:
        """This mapping, if its parts go together; raises ``MappingError``."""
        for field, value, broken, rule in _rules(self):
            if broken:
                raise MappingError(field, value, rule)
        return self


def load_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises ``MappingError``; where the file cannot be read, with an empty field."""
    return read_mapping(text_of(path))


def text_of(path: Path) -> str:
    """The text of a mapping file; raises ``MappingError`` with an empty field."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError("", str(path), f"must be a text file in UTF-8 that can be read ({error})") from None


def parsed_toml(text: str) -> dict[str, Any]:
    """TOML text, parsed; raises ``MappingError``."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError("", "", f"must be TOML: {error}") from None


def read_mapping(text: str) -> Mapping:
    """The mapping in TOML text; raises ``MappingError``."""
    try:
        return Mapping.model_validate(parsed_toml(text)).checked()
    except ValidationError as error:
        field, value, rule = first_error(error)
        if rule == "is not a field here":
            rule += f"; there are: {', '.join(_known(field))}"
        raise MappingError(field, value, rule) from None


def _known(field: str) -> list[str]:
    """The keys that may stand where an unknown one stood."""
    model: Any = Mapping
    for part in field.split(".")[:-1]:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


def _rules(mapping: Mapping) -> list[tuple[str, str, bool, str]]:
    """What the parts of a mapping owe each other: field, value, whether it is broken, and the rule."""
    source, defaults, columns, kind = mapping.source, mapping.defaults, mapping.columns, mapping.kind
    amounts = (columns.net, columns.unit_price, columns.amount, columns.total, columns.cash)
    taxed = columns.tax_amount is not None
    wrong_sign = [f"{a} = {b}" for a, b in kind.when_negative.items() if _SIGNED[a] != b]
    return [
        (
            "source.thousands",
            source.thousands,
            source.thousands == source.decimal or source.thousands.isdigit(),
            "must be another character than the decimal one, and no digit",
        ),
        (
            "columns.currency",
            "",
            columns.currency is None and defaults.currency is None,
            "must be mapped, or [defaults] must have a currency",
        ),
        (
            "columns.customer",
            "",
            columns.customer is None and defaults.missing_customer != "house",
            'must be mapped, unless [defaults] has missing_customer = "house"',
        ),
        (
            "columns.unit_price" if columns.quantity else "columns.quantity",
            "",
            (columns.quantity is None) != (columns.unit_price is None),
            "quantity and unit_price go together: a line is one times the other",
        ),
        (
            "columns.amount",
            "",
            not any(amounts),
            "one of net, quantity with unit_price, amount, total or cash must be mapped",
        ),
        (
            "columns.tax_code",
            "",
            taxed and columns.tax_code is None and defaults.tax_code is None,
            "must be mapped with tax_amount, or [defaults] must have a tax_code",
        ),
        (
            "columns.tax_rate",
            "",
            taxed and columns.tax_rate is None and defaults.tax_rate is None,
            "must be mapped with tax_amount, or [defaults] must have a tax_rate (per cent)",
        ),
        (
            "columns.tax_amount",
            "",
            not taxed and any((columns.tax_code, columns.tax_rate, columns.tax_base)),
            "must be mapped with the other columns of tax: tax is taken as the source computed it",
        ),
        (
            "kind.values",
            "",
            kind.column is not None and not kind.values,
            "must say what the values of kind.column mean",
        ),
        ("kind.column", "", kind.column is None and bool(kind.values), "must name the column that kind.values are of"),
        (
            "kind.when_negative",
            ", ".join(wrong_sign),
            bool(wrong_sign),
            "an invoice or debit note becomes a credit-note, a payment a refund",
        ),
    ]
