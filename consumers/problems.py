"""What can be wrong with what comes in: codes of single messages, and errors of a whole file or mapping.

    Fault             what is wrong with one message: code, field, value and rule; it goes to quarantine
    ConsumerError     nothing can be read at all; nothing was booked by the call
        MappingError  the mapping file is wrong: field, value and rule
        ImportFailed  the file cannot be read: a code with its values; the text says what to do

Codes of single messages continue the closed list of refusals (``domain/refusals.py``) and are phrased as the rule.
"""

from enum import StrEnum
from typing import ClassVar, NamedTuple

from domain.refusals import RULES, Code


class RowCode(StrEnum):
    """Why rows of a table make no command, in the order of the checks."""

    WELL_FORMED = "row_must_be_well_formed"
    NUMBER = "number_must_be_given"
    AGREE = "rows_of_a_document_must_agree"
    KIND_KNOWN = "kind_must_be_known"
    BY_HAND = "kind_must_be_entered_by_hand"
    DATE = "date_must_be_in_a_given_format"
    AMOUNT = "amount_must_be_a_decimal"
    EXACT = "amount_must_fit_the_currency"
    AMOUNT_GIVEN = "amount_must_be_given"
    CUSTOMER = "customer_must_be_given"


class RetryCode(StrEnum):
    """Why an entry of the quarantine is not tried again."""

    COMMAND_NEEDED = "entry_must_hold_a_command"


class MessageCode(StrEnum):
    """Why a message of another system makes no command, or not yet."""

    NOT_SUPPORTED = "event_not_yet_supported"
    LINES = "lines_must_be_complete"
    TAX_RATE = "tax_rate_must_be_known"
    FEE = "fee_must_be_known"
    MOVED = "refund_must_have_moved_money"
    FAILED_ON = "date_of_failure_must_be_known"
    METHOD = "method_must_be_given"


AnyCode = RowCode | RetryCode | MessageCode
"""The codes that are the consumers' own."""

ROW_RULES: dict[AnyCode, str] = {
    RowCode.WELL_FORMED: "a row must have as many cells as the header, and quotes in pairs",
    RowCode.NUMBER: "every row must have the number of its document",
    RowCode.AGREE: "the rows of one document must agree on what belongs to the whole document",
    RowCode.KIND_KNOWN: "the mapping must say which kind of document it is",
    RowCode.BY_HAND: "the mapping leaves documents of this kind to a person",
    RowCode.DATE: "a date must be in one of the formats of the mapping",
    RowCode.AMOUNT: "a number must be written with the separators of the mapping",
    RowCode.EXACT: "an amount must not have more decimals than its currency",
    RowCode.AMOUNT_GIVEN: "a document must have an amount",
    RowCode.CUSTOMER: "a document must have a customer, unless the mapping sends those without to a house account",
    RetryCode.COMMAND_NEEDED: "the entry holds rows, not a command: correct the file and import it again,"
    " have the message sent again, or give a whole command",
    MessageCode.NOT_SUPPORTED: "events of this type cannot be booked yet",
    MessageCode.LINES: "an invoice or credit note must come with all of its lines",
    MessageCode.TAX_RATE: "the rate of a tax must be known",
    MessageCode.FEE: "a payment or refund must come with its balance transaction, where fees are deducted",
    MessageCode.MOVED: "a refund must have a balance transaction: without one it has moved no money, or not yet",
    MessageCode.FAILED_ON: "the day on which a refund failed must be known",
    MessageCode.METHOD: "a payment that the provider was only told of must have a method of payment",
}


class Fault(NamedTuple):
    """What is wrong with one message: the first thing found."""

    code: str
    field: str
    value: str
    rule: str


VALUE_LIMIT = 200
"""Characters of a value that are shown."""


def shown(value: object) -> str:
    """A value as it is shown: short, and nothing for a whole object."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = str(value)
    return text if len(text) <= VALUE_LIMIT else text[: VALUE_LIMIT - 1] + "…"


def invalid(field: str, value: object, rule: str) -> Fault:
    """A command that is not valid."""
    return Fault(Code.COMMAND_MUST_BE_VALID.value, field, shown(value), rule or RULES[Code.COMMAND_MUST_BE_VALID])


def row_fault(code: AnyCode, field: str, value: object, detail: str = "") -> Fault:
    """A fault of a table's row or of a message; ``detail`` makes the rule more precise."""
    rule = ROW_RULES[code]
    return Fault(code.value, field, shown(value), f"{rule} ({detail})" if detail else rule)


class ConsumerError(Exception):
    """Nothing of what was given can be read."""


class MappingError(ConsumerError):
    """The mapping file is wrong. ``field`` is dotted (``columns.customer``), ``rule`` says what must hold."""

    def __init__(self, field: str, value: str, rule: str) -> None:
        super().__init__(f"{field} = {value!r}: {rule}" if value else f"{field}: {rule}")
        self.field = field
        self.value = value
        self.rule = rule


class ImportFailed(ConsumerError):
    """A file cannot be imported, and what to do. ``code`` and ``values`` are for a translation of the text."""

    TEXTS: ClassVar[dict[str, str]] = {
        "file_must_be_readable": "{file} cannot be read: {why}. Check its name and its permissions.",
        "file_format_must_be_known": "{file} is of no known format. Known are .csv, .tsv, .txt, .parquet, .jsonl and"
        " .ndjson, the text formats also with .gz. Save a spreadsheet as CSV, or name the format as `format`"
        " in [source] of the mapping.",
        "file_must_be_whole": "{file} is damaged: {why}. Fetch or export it again.",
        "mapping_must_be_given": "{file} is a table, so its columns must be mapped to fields: write a mapping file"
        " (docs/import.md) and give it with the import. Only JSON lines of commands need none.",
        "mapping_must_fit_format": "{file} is of the format {format}, which a mapping cannot be used with.",
        "book_must_exist": "The book {book} has not been opened. Open it first, then import again.",
        "text_must_be_in_encoding": "After line {line} of {file} there are bytes that are not {encoding}. Set"
        " `encoding` in [source] of the mapping to what the file is written in{hint}, or save it as UTF-8.",
        "header_must_be_there": "{file} has no line with the names of its columns. Check `skip_lines` in [source].",
        "columns_must_be_there": "{file} lacks columns that the mapping names: {missing}. It has: {present}. Correct"
        " [columns] of the mapping or the file{hint}.",
        "columns_must_be_unique": "{file} has the column {column} {times} times, and the mapping names it. Rename or"
        " remove all but one.",
        "quotes_must_be_closed": "A quote that was opened in line {line} of {file} is not closed. Close it, or set"
        ' `quote = ""` in [source] if quotes mean nothing in this file.',
        "rows_must_fit_header": "{bad} rows of {file} do not have the {columns} cells of its header, the first in line"
        " {line}. Check `delimiter` and `quote` in [source].",
    }

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(self.TEXTS[code].format(**values))
        self.code = code
        self.values = values
