"""Messages of any system → entries, by a mapping file: the adapter that needs no code."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import structs

from consumers.adapters.adapter import MessageFault, as_json, decode, unread
from consumers.adapters.generic_mapping import (
    KEY,
    DocumentType,
    FeedMapping,
    Place,
    ReversalType,
    Source,
    document_type,
    reversal_type,
)
from consumers.assembling import Assembler
from consumers.commands import validated
from consumers.problems import Fault, RowCode, invalid, row_fault
from consumers.sorting import Gathered
from consumers.values import Days, Numbers, RowFault
from domain.book import Book
from domain.documents import document_id
from ledger.outcomes import Acknowledged, Entry, Submission, Unreadable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 60
"""Digits of a number, as in tables."""


class Generic:
    """Reads what one source sends, for one book."""

    def __init__(self, mapping: FeedMapping, book: Book) -> None:
        self._source, self._message, self._book = mapping.source, mapping.message, book.book
        self._types = mapping.messages
        self._documents: dict[str, tuple[DocumentType, Assembler]] = {}
        self._reversals: dict[str, Reversing] = {}
        for name, type_ in mapping.messages.items():
            if type_.is_document:
                document = document_type(mapping, name)
                self._documents[name] = document, Assembler(document.mapping, book, "", {})
            elif type_.becomes == "reversal":
                self._reversals[name] = Reversing(reversal_type(mapping, name), book)

    def read(self, data: bytes, *, origin: str, lane: str | None = None, key: str | None = None) -> list[Entry]:
        """What a message becomes: one entry."""
        try:
            message = decode(data)
        except MessageFault as error:
            return [self._held(error.fault, None, unread(data), origin, lane)]
        cells = Cells(message, key, self._source)
        try:
            return [self._entry(cells, origin, lane)]
        except MessageFault as error:
            return [self._held(error.fault, cells.id_at(self._message.id), self._shown(message), origin, lane)]

    def _entry(self, cells: "Cells", origin: str, lane: str | None) -> Entry:
        name = cells.text(self._message.type)
        type_ = self._types.get(name)
        if type_ is None:
            if name and self._message.unknown == "acknowledge":
                return Acknowledged(self._book, self._source.name, name)
            raise MessageFault(row_fault(RowCode.KIND_KNOWN, self._message.type, name))
        final = all(cells.text(path) in values for path, values in type_.final.items())
        if type_.becomes == "acknowledge" or not final:
            return Acknowledged(self._book, self._source.name, name)
        if type_.becomes == "quarantine":
            raise MessageFault(row_fault(RowCode.BY_HAND, self._message.type, name))
        if name in self._reversals:
            return self._reversals[name].entry(cells, origin, lane)
        document, assembler = self._documents[name]
        rows = cells.rows(document)
        made = assembler.assemble(Gathered([], rows, True)).entry
        return structs.replace(made, origin=origin, lane=lane)

    def _held(self, fault: Fault, source_id: str | None, raw: str, origin: str, lane: str | None) -> Unreadable:
        return Unreadable(self._book, self._source.name, source_id, origin, *fault, raw=raw, lane=lane)

    def _shown(self, message: dict[str, Any]) -> str:
        """A message as it is kept in quarantine: without what is private."""
        for path in self._source.private:
            _leave_out(message, _steps(path))
        return as_json(message)


class Cells:
    """The values of a message as the cells of a table, by their paths."""

    def __init__(self, message: dict[str, Any], key: str | None, source: Source) -> None:
        self._message, self._key, self._source = message, key, source

    def text(self, path: str, part: Any = None, *, is_date: bool = False) -> str:
        """The cell at a path of the message, or of a part of it; empty where there is nothing."""
        value = self._key if path == KEY else _at(self._message if part is None else part, path)
        if value is None:
            return ""
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            return self._instant(value, path) if is_date and self._source.epoch else self._number(value)
        raise MessageFault(invalid(path, "", "must be a single value, not a list or an object"))

    def rows(self, document: DocumentType) -> list[list[str]]:
        """The rows of a document; one, where the message lists none."""
        parts: Any = _at(self._message, document.each) if document.each else None
        if parts is None or parts == []:
            parts = [{}]
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise MessageFault(invalid(document.each or "", "", "must be a list of objects"))
        return [[self._cell(place, part) for place in document.places] for part in parts]

    def id_at(self, path: str | None) -> str | None:
        """The message's own id, if it can be made out."""
        value = _at(self._message, path) if path else None
        return value if isinstance(value, str) and value else None

    def _cell(self, place: Place, part: dict[str, Any]) -> str:
        return self.text(place.path, part if place.in_row else None, is_date=place.is_date)

    def _number(self, value: int | Decimal) -> str:
        """A JSON number, digit by digit, as the source would write it in a table."""
        if isinstance(value, Decimal) and abs(value.adjusted()) + len(value.as_tuple().digits) > _LONGEST:
            return str(value)
        return format(value, "f" if isinstance(value, Decimal) else "d").replace(".", self._source.decimal)

    def _instant(self, value: int | Decimal, path: str) -> str:
        """A count since 1970 UTC as an ISO instant."""
        try:
            if not isinstance(value, int):
                raise ValueError
            unit = timedelta(seconds=1) if self._source.epoch == "seconds" else timedelta(milliseconds=1)
            return (_EPOCH + value * unit).isoformat()
        except (ValueError, OverflowError):
            rule = f"must be whole {self._source.epoch} since 1970"
            raise MessageFault(row_fault(RowCode.DATE, path, value, rule)) from None


class Reversing:
    """Makes reversals of the messages of one type."""

    def __init__(self, type_: ReversalType, book: Book) -> None:
        self._type, self._source, self._book = type_, type_.source.name, book.book
        self._days = Days(type_.source, book.time_zone)
        self._numbers = Numbers(type_.source)

    def entry(self, cells: Cells, origin: str, lane: str | None) -> Submission | Unreadable:
        """The reversal that a message asks for, or what is wrong with it."""
        type_ = self._type
        found = {field: cells.text(path, is_date=field == "effective_on") for field, path in type_.fields.items()}
        command: dict[str, Any] = {
            "command": "ReverseDocument",
            "source": self._source,
            "book": self._book,
            "customer": found.get("customer"),
            "currency": found.get("currency") or type_.defaults.currency,
            "actor": type_.defaults.actor,
            "reason": found.get("reason") or type_.defaults.reason,
        }
        made = self._made(command, found)
        if not isinstance(made, Fault):
            return Submission(made, origin, quarantine=True, lane=lane)
        raw = as_json({name: value for name, value in command.items() if value})
        return Unreadable(self._book, self._source, command.get("source_id"), origin, *made, raw=raw, lane=lane)

    def _made(self, command: dict[str, Any], found: dict[str, str]) -> Any:
        """The command, filled in as far as it goes, validated; or the first thing that is wrong."""
        of, number = self._type.of, found["number"]
        if not number:
            return row_fault(RowCode.NUMBER, "number", "")
        series = found.get("series") or self._type.defaults.series
        try:
            revision = self._numbers.minor(found["revision"], "revision", 0) if found.get("revision") else 1
            document = {"kind": of, "series": series, "number": number, "revision": revision}
            command["document"] = document
            if found.get("sequence"):
                command["sequence"] = self._numbers.minor(found["sequence"], "sequence", 0)
            command["source_id"] = found.get("source_id") or f"{document_id(of, series, number, revision)}:reversed"
            if "effective_on" in self._type.fields:
                command["mode"] = "failed"
                command["effective_on"] = self._days.day(found["effective_on"], "effective_on")
        except RowFault as error:
            return error.fault
        if not found["customer"]:
            return row_fault(RowCode.CUSTOMER, "customer", "")
        return validated({name: value for name, value in command.items() if value})


def _steps(path: str) -> list[str]:
    """The names on the way to a place."""
    if path.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    return path.split(".")


def _at(part: Any, path: str) -> Any:
    """What stands at a path, or None."""
    for step in _steps(path):
        if isinstance(part, dict):
            part = part.get(step)
        elif isinstance(part, list) and step.isdecimal() and int(step) < len(part):
            part = part[int(step)]
        else:
            return None
    return part


def _leave_out(part: Any, steps: list[str]) -> None:
    """Take away what stands at a path; on the way through a list, from each of its entries."""
    if isinstance(part, list):
        for entry in part:
            _leave_out(entry, steps)
    elif isinstance(part, dict) and steps:
        if len(steps) == 1:
            part.pop(steps[0], None)
        else:
            _leave_out(part.get(steps[0]), steps[1:])
