"""The rows of one document → one command, by the rules of a mapping.

A document that cannot be made is held back whole, with the first thing that is wrong: as the command it would have been
where that much could be built, else as its rows. What the file writes negative because of the document's kind becomes
positive, since the kind gives the direction.
"""

from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from consumers.amounts import Amounts, Cells, Summing
from consumers.commands import validated
from consumers.mapping import BY_HAND, PARTY_FIELDS, ROW_FIELDS, Mapping
from consumers.problems import Fault, RowCode, invalid, row_fault
from consumers.sorting import Gathered
from consumers.values import Days, Numbers, RowFault
from domain.book import Book
from domain.documents import document_id, house_customer
from domain.money import minor_digits
from ledger.outcomes import Submission, Unreadable
from ledger.parties import Party

_MUST_AGREE = frozenset({"number", "series", "revision", "kind", "customer", "currency", "source_id"})
"""Who owes, in what, and which document it is: here no row is taken for the others."""
_DATES = frozenset({"effective_on", "document_on", "tax_point_on", "value_on", "due_on"})
_NUMBERS = frozenset({"total", "rate", "base_total", "cash", "revision", "sequence"})
_COMMAND_OF = {
    "invoice": "IssueInvoice",
    "debit-note": "IssueInvoice",
    "credit-note": "IssueCreditNote",
    "payment": "RecordPayment",
    "refund": "RecordRefund",
}
_BILLING = frozenset({"invoice", "debit-note", "credit-note"})

_encode = msgspec.json.Encoder().encode


class Assembled(NamedTuple):
    """What a document has become, and who its customer is, if the file says so."""

    entry: Submission | Unreadable
    party: Party | None


class Assembler:
    """Makes commands for one book from the rows of one file, whose cells stand in the order of ``mapping.used``.

    ``suspects``: cells of rows that do not fit the header → line. One of them may be a document's number, and the row
    missing from that document.
    """

    def __init__(self, mapping: Mapping, book: Book, file_digest: str, suspects: Lookup[str, int]) -> None:
        self._mapping, self._book, self._digest, self._suspects = mapping, book, file_digest, suspects
        self._defaults = mapping.defaults
        used = {column: place for place, column in enumerate(mapping.used)}
        self._place = {field: used[column] for field, column in mapping.fields.items()}
        self._key = [used[column] for column in mapping.key]
        self._numbers = Numbers(mapping.source)
        self._days = Days(mapping.source, book.time_zone)
        self._summing = Summing(mapping, self._numbers, self._days, self._place)
        self._head_fields = [field for field in self._place if _of_document(field)]
        # At least number and effective_on, so that this gives a tuple.
        self._head_of = itemgetter(*(self._place[field] for field in self._head_fields))
        self._prefixes = sorted(mapping.kind.prefix.items(), key=lambda entry: -len(entry[0]))
        self._turned = {str(kind): str(other) for kind, other in mapping.kind.when_negative.items()}
        self._dimensions = [(name, f"dimensions.{name}") for name in mapping.columns.dimensions]
        private = {mapping.fields.get(field) for field in PARTY_FIELDS}
        self._shown = [(column, place) for column, place in used.items() if column not in private]

    def key(self, line: int, cells: Cells) -> tuple[str, list[Any]]:
        """What a row is sorted by: its day, and what tells its document from others."""
        day = self._days.sortable(cells[self._place["effective_on"]])
        key = [cells[place] for place in self._key]
        # A row that names no document is one by itself. In a group of its own only the first row need have the number.
        named = any(key) if self._mapping.group.columns else cells[self._place["number"]]
        return day, key if named else [None, line]

    def assemble(self, gathered: Gathered) -> Assembled:
        """The command of a document's rows, or why there is none."""
        origin = f"file:{self._digest}:{line_ranges(gathered.lines)}"
        document = _Document()
        try:
            self._build(document, gathered)
            made = validated(document.command)
        except RowFault as error:
            made = error.fault
        if not isinstance(made, Fault):
            return Assembled(Submission(made, origin, quarantine=True), self._party(gathered.rows, document.command))
        raw: dict[str, Any] = document.command
        if not raw:
            rows = [{column: cells[place] for column, place in self._shown} for cells in gathered.rows]
            raw = {"book": self._book.book, "source": self._mapping.source.name, "rows": rows}
        held = Unreadable(
            book=self._book.book,
            source=self._mapping.source.name,
            source_id=self._source_id(document),
            origin=origin,
            code=made.code,
            field=made.field,
            value=made.value,
            rule=made.rule,
            raw=_encode(raw).decode(),
        )
        return Assembled(held, None)

    def _build(self, document: "_Document", gathered: Gathered) -> None:
        """Fill in the document's command; raises ``RowFault``, with the command filled in if it could be built."""
        rows, defaults = gathered.rows, self._defaults
        head = self._identified(document, gathered)
        effective_on = self._days.day(head["effective_on"], "effective_on")
        currency = head.get("currency") or defaults.currency or ""
        digits = _digits(currency)
        amounts = self._amounts(document.kind, rows, head, digits)
        turned = self._turned.get(document.kind) if amounts.total < 0 else None
        sign = -1 if turned is not None or document.kind in self._mapping.kind.written_negative else 1
        document.kind = kind = turned or document.kind
        customer = head.get("customer") or self._house(effective_on)
        command: dict[str, Any] = {
            "command": _COMMAND_OF[kind],
            "source": self._mapping.source.name,
            "source_id": self._source_id(document),
            "book": self._book.book,
            "customer": customer,
            "currency": currency,
            "series": head.get("series") or defaults.series,
            "number": document.number,
            "revision": document.revision,
            "effective_on": effective_on,
        }
        self._add_common(command, kind, head, sign)
        if kind in _BILLING:
            self._add_billing(command, kind, head, amounts, sign)
        else:
            self._add_cash(command, kind, head, amounts, sign, digits)
        # What the file does not say is left out; a zero is said.
        document.command = {name: value for name, value in command.items() if value or type(value) is int}
        if customer is None:
            raise RowFault(row_fault(RowCode.CUSTOMER, "customer", ""))

    # --- which document it is

    def _identified(self, document: "_Document", gathered: Gathered) -> dict[str, str]:
        """What belongs to the whole document, field → text, once it is clear which document it is."""
        place = self._place["number"]
        document.number = number = next((cells[place] for cells in gathered.rows if cells[place]), "")
        document.kind = self._kind_of(number, "") or ""
        if not gathered.fits:
            raise RowFault(row_fault(RowCode.WELL_FORMED, "", ""))
        if not number:
            raise RowFault(row_fault(RowCode.NUMBER, "number", ""))
        head = self._head(gathered.rows)
        kind = self._kind_of(number, head.get("kind", ""))
        if kind is None:
            raise RowFault(row_fault(RowCode.KIND_KNOWN, "kind", head["kind"]))
        revision = head.get("revision", "")
        document.revision = self._numbers.minor(revision, "revision", 0) if revision else 1
        document.kind, document.head = kind, head
        if number in self._suspects:
            detail = f"line {self._suspects[number]} does not, and may belong to this document"
            raise RowFault(row_fault(RowCode.WELL_FORMED, "number", number, detail))
        if kind == BY_HAND:
            raise RowFault(row_fault(RowCode.BY_HAND, "number", number))
        return head

    def _source_id(self, document: "_Document") -> str | None:
        """The file's own id of a document, else its key; None where it is not known well enough."""
        head = document.head
        if head is None:
            # Something is wrong with its rows. Then it is known by its number alone, or not at all.
            if {"kind", "series", "revision", "source_id"} & self._place.keys():
                return None
            head = {}
        given = head.get("source_id")
        if given:
            return given
        if not document.number or document.kind == BY_HAND:
            return None
        series = head.get("series") or self._defaults.series
        return document_id(document.kind, series, document.number, document.revision)

    def _head(self, rows: Sequence[Cells]) -> dict[str, str]:
        first = self._head_of(rows[0])
        if len(rows) == 1 or all(self._head_of(cells) == first for cells in rows):
            return dict(zip(self._head_fields, first, strict=True))
        head = {}
        for field in self._head_fields:
            place = self._place[field]
            texts = list(dict.fromkeys(cells[place] for cells in rows if cells[place]))
            if len(texts) > 1 and (field in _MUST_AGREE or self._defaults.inconsistent == "quarantine"):
                meanings = {self._meaning(field, text) for text in texts}
                if len(meanings) > 1:
                    raise RowFault(row_fault(RowCode.AGREE, field, " | ".join(texts)))
            # Rows come by day and content, so this does not depend on their order in the file.
            head[field] = texts[0] if texts else ""
        return head

    def _meaning(self, field: str, text: str) -> object:
        """What a text stands for: two spellings of one day or number do not disagree."""
        if field in _DATES:
            return self._days.day(text, field)
        return self._numbers.scaled(text, field).plain() if field in _NUMBERS else text

    def _kind_of(self, number: str, text: str) -> str | None:
        """The kind by the number's prefix, else by the kind column, else the default; None for an unknown value."""
        for prefix, kind in self._prefixes:
            if number.startswith(prefix):
                return kind
        return self._mapping.kind.values.get(text) if text else self._defaults.kind

    def _house(self, effective_on: date) -> str | None:
        if self._defaults.missing_customer != "house":
            return None
        return house_customer(self._mapping.source.name, f"{effective_on:%Y-%m}")

    # --- what it says

    def _amounts(self, kind: str, rows: Sequence[Cells], head: dict[str, str], digits: int) -> Amounts:
        stated = self._amount(head, "total", digits)
        if kind in _BILLING:
            return self._summing.billed(rows, stated, digits)
        return self._summing.paid(rows, stated, self._amount(head, "cash", digits), digits)

    def _amount(self, head: dict[str, str], field: str, digits: int) -> int | None:
        text = head.get(field, "")
        return self._numbers.minor(text, field, digits) if text else None

    def _day(self, head: dict[str, str], field: str) -> date | None:
        text = head.get(field, "")
        return self._days.day(text, field) if text else None

    def _add_common(self, command: dict[str, Any], kind: str, head: dict[str, str], sign: int) -> None:
        defaults = self._defaults
        base_total = self._amount(head, "base_total", minor_digits(self._book.base_currency))
        sequence = head.get("sequence", "")
        rate = head.get("rate", "")
        command |= {
            "actor": defaults.actor,
            "reason": head.get("reason") or defaults.reason,
            "sequence": self._numbers.minor(sequence, "sequence", 0) if sequence else None,
            "rate": self._numbers.plain(rate, "rate") if rate else None,
            "base_total": None if base_total is None else sign * base_total,
            "dimensions": defaults.dimensions | {name: head[field] for name, field in self._dimensions if head[field]},
        }
        # A table tells what has happened; only a refund is taken for an instruction unless it says so.
        if kind == "refund" or defaults.nature != "fact":
            command["nature"] = defaults.nature
        if defaults.opening:
            command["opening"] = True

    def _add_billing(
        self, command: dict[str, Any], kind: str, head: dict[str, str], amounts: Amounts, sign: int
    ) -> None:
        for line in amounts.lines:
            line["net"] *= sign
        total = sign * amounts.total
        command |= {
            "lines": amounts.lines,
            "tax": [
                {"code": code, "rate": rate, "base": sign * base, "amount": sign * amount}
                for (code, rate), (base, amount) in sorted(amounts.tax.items())
            ],
            "total": total,
        }
        for field in ("document_on", "tax_point_on"):
            command[field] = self._day(head, field)
        for field in ("fiscal_number", "bill_to", "sold_to"):
            command[field] = head.get(field)
        if kind == "credit-note":
            command["against"] = self._reference(head.get("against", ""), "invoice")
            return
        if kind != "invoice":
            command["kind"] = kind
        if total > 0:
            due_on = self._day(head, "due_on") or self._due_on(command["document_on"] or command["effective_on"])
            command["instalments"] = [{"due_on": due_on, "amount": total}]

    def _due_on(self, from_on: date) -> date:
        try:
            return from_on + timedelta(days=self._defaults.due_days)
        except OverflowError:
            # The end of time, as some systems write it: the command's own check says that it is out of range.
            return from_on

    def _add_cash(
        self, command: dict[str, Any], kind: str, head: dict[str, str], amounts: Amounts, sign: int, digits: int
    ) -> None:
        command |= {
            "amount": sign * amounts.total,
            "value_on": self._day(head, "value_on"),
            "method": head.get("method") or self._defaults.method,
            "deductions": [
                {"reason": reason, "amount": amount} for reason, amount in sorted(amounts.deductions.items())
            ],
        }
        if kind == "refund":
            command["original_payment"] = self._reference(head.get("original_payment", ""), "payment")
            return
        series = self._reference_series()
        command |= {
            "cash": self._amount(head, "cash", digits),
            "deposit_class": self._defaults.deposit_class,
            "remittance": [
                {"number": number, "series": series, "amount": amount}
                for number, amount in sorted(amounts.references.items())
            ],
        }

    def _reference(self, number: str, kind: str) -> dict[str, str] | None:
        return {"kind": kind, "series": self._reference_series(), "number": number} if number else None

    def _reference_series(self) -> str:
        given = self._defaults.reference_series
        return self._defaults.series if given is None else given

    def _party(self, rows: Sequence[Cells], command: dict[str, Any]) -> Party | None:
        """Who the customer is, by the rows that say so."""
        said = {
            field: next((cells[place] for cells in rows if cells[place]), "")
            for field in PARTY_FIELDS
            if (place := self._place.get(field)) is not None
        }
        if not said.get("name") or command["customer"].startswith("~"):
            return None
        said["language"] = said.get("language") or self._defaults.language
        return Party(book=self._book.book, customer=command["customer"], **said)


class _Document:
    """A document in the making: what is known of it when something turns out to be wrong."""

    __slots__ = ("command", "head", "kind", "number", "revision")

    def __init__(self) -> None:
        self.number = self.kind = ""
        self.revision = 1
        self.head: dict[str, str] | None = None
        self.command: dict[str, Any] = {}


def line_ranges(lines: Sequence[int], limit: int = 200) -> str:
    """Line numbers as compact ranges, ``3,5-7``; beyond ``limit`` characters ``+<n> more`` lines."""
    ranges: list[list[int]] = []
    for line in sorted(lines):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    text, left = "", len(lines)
    for first, last in ranges:
        part = str(first) if first == last else f"{first}-{last}"
        longer = f"{text},{part}" if text else part
        if len(longer) > limit:
            return f"{text},+{left} more"
        text, left = longer, left - (last - first + 1)
    return text


def _of_document(field: str) -> bool:
    """Whether a field belongs to the whole document rather than to each row."""
    return field not in ROW_FIELDS and field not in PARTY_FIELDS and field.split(".")[0] not in _ROW_MAPS


_ROW_MAPS = frozenset({"line_dimensions", "deductions"})


def _digits(currency: str) -> int:
    try:
        return minor_digits(currency)
    except ValueError:
        raise RowFault(invalid("currency", currency, "must be the code of an ISO 4217 currency")) from None
