"""Validation errors in plain words: what must hold, without the validator's vocabulary."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from consumers.problems import shown
from domain.commands import COMMANDS

_KNOWN_AS_OF = (
    r"^([0-9]{1,4}:[0-9]{1,18}|(19|20|21)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]{1,6})?(Z|[+ -][0-1][0-9]:[0-5][0-9]))$"
)
_PATTERNS = {
    r"^[^\x00-\x1f\x7f]+$": "must not be empty and must have no control characters",
    r"^[^\x00-\x08\x0b-\x1f\x7f]*$": "must have no control characters",
    r"^[^\x00-\x1f\x7f:]*$": "must have no colon and no control characters",
    r"^[a-z0-9][a-z0-9-]{0,31}$": "must be 1 to 32 small letters, digits and hyphens, and not begin with a hyphen",
    r"^[a-z][a-z0-9_]{0,63}$": "must be a word of small letters, digits and underscores that begins with a letter",
    r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$": "must be letters, digits, dots, hyphens and underscores",
    r"^[A-Z]{3}$": "must be a currency code of three capital letters",
    r"^[0-9]+(\.[0-9]+)?$": "must be a decimal number as text, such as 7.1034",
    r"^[0-9]{1,4}:[0-9]{1,18}$": "must be a log position, such as 0:123",
    r"^(19|20|21)\d{2}-(0[1-9]|1[0-2])$": "must be a month, YYYY-MM",
    r"^[1-9][0-9]{0,4}(,[1-9][0-9]{0,4}){0,11}$": "must be 1 to 12 numbers of days, with commas between",
    _KNOWN_AS_OF: "must be a log position, such as 0:123, or an instant with its offset, such as 2026-02-01T00:00:00Z",
    r"^[0-9a-f]{12}$": "must be the id of a key, 12 characters",
}
_WORDS: dict[str, str | Callable[[dict[str, Any]], str]] = {
    "missing": "must be given",
    "extra_forbidden": "is not a field here",
    "int_type": "must be a whole number (amounts are in minor units, without quotes or a decimal point)",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number within ± 9223372036854775807",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "date_type": "must be a date, YYYY-MM-DD",
    "date_parsing": "must be a date that exists, YYYY-MM-DD",
    "date_from_datetime_parsing": "must be a date that exists, YYYY-MM-DD",
    "date_from_datetime_inexact": "must be a date without a time, YYYY-MM-DD",
    "greater_than_equal": lambda ctx: f"must not be less than {_bound(ctx['ge'])}",
    "less_than_equal": lambda ctx: f"must not be more than {_bound(ctx['le'])}",
    "string_too_short": lambda ctx: f"must have at least {ctx['min_length']} character(s)",
    "string_too_long": lambda ctx: f"must not have more than {ctx['max_length']} characters",
    "too_short": lambda ctx: f"must have at least {ctx['min_length']} entries",
    "literal_error": lambda ctx: f"must be one of {ctx['expected']}",
    "union_tag_invalid": lambda ctx: f"must name a command: one of {ctx['expected_tags']}",
    "union_tag_not_found": "must name the command",
    "json_invalid": lambda ctx: f"must be JSON: {ctx['error']}",
    "value_error": lambda ctx: str(ctx["error"]),
    "string_pattern_mismatch": lambda ctx: _PATTERNS.get(ctx["pattern"], f"must match {ctx['pattern']}"),
}


def _bound(bound: Any) -> str:
    """A bound as it is written; of a day the validator has the text of its constructor."""
    day = re.fullmatch(r"datetime\.date\((\d+), (\d+), (\d+)\)", str(bound))
    return str(bound) if day is None else str(date(*map(int, day.groups())))


def first_error(error: ValidationError) -> tuple[str, str, str]:
    """Field (dotted, without the name of the command), value and rule of the first thing that is wrong."""
    found = error.errors(include_url=False)[0]
    path = [part for n, part in enumerate(found["loc"]) if not (n == 0 and part in COMMANDS)]
    kind = found["type"]
    if kind.startswith("union_tag"):
        path.append("command")
    context = found.get("ctx", {})
    value = context.get("tag", "") if kind.startswith("union_tag") else found["input"]
    if kind == "json_invalid":
        value = ""
    return ".".join(map(str, path)), shown(value), plain(found)


def plain(found: Mapping[str, Any]) -> str:
    """What must hold, of one error of the validator."""
    words = _WORDS.get(found["type"], found["msg"])
    return words if isinstance(words, str) else words(found.get("ctx", {}))
