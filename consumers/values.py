"""Text of a table → exact numbers and days. Numbers are integers with a count of decimals, never floats.

What repeats in a column is read once: both readers remember what they have seen lately.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from consumers.mapping import ISO, Source
from consumers.problems import Fault, RowCode, row_fault
from domain.money import round_half_away

_REMEMBERED = 1 << 16
_MAX_LENGTH = 60
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})
_TIME_CODES = ("%H", "%I", "%c", "%X")


def _power(exponent: int) -> int:
    """10 to the power of ``exponent``, which is not negative: an integer."""
    power: int = 10**exponent
    return power


class RowFault(Exception):
    """Something is wrong with a cell; carries the fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.code)
        self.fault = fault


class Scaled(NamedTuple):
    """An exact decimal: ``number`` / 10 ** ``decimals``."""

    number: int
    decimals: int

    def plain(self) -> str:
        """As plain decimal text without superfluous zeros."""
        whole, rest = divmod(abs(self.number), _power(self.decimals))
        fraction = f"{rest:0{self.decimals}d}".rstrip("0") if self.decimals else ""
        return f"{'-' if self.number < 0 else ''}{whole}" + (f".{fraction}" if fraction else "")


class Numbers:
    """Reads the numbers of a source, with its separators. Every reader raises ``RowFault`` with the field's name."""

    def __init__(self, source: Source) -> None:
        self._decimal, self._thousands = source.decimal, source.thousands
        self._minor_units = source.amounts == "minor"
        self._scaled: Callable[[str], Scaled | None] = lru_cache(_REMEMBERED)(self._read)
        self._how = f"decimal {self._decimal!r}, thousands {self._thousands!r}"

    def scaled(self, text: str, field: str) -> Scaled:
        """The number in a text: a sign before or after it, or parentheses, make it negative."""
        found = self._scaled(text)
        if found is None:
            raise RowFault(row_fault(RowCode.AMOUNT, field, text, self._how))
        return found

    def minor(self, text: str, field: str, digits: int) -> int:
        """An amount in minor units; one with more decimals than the currency's ``digits`` is refused, not rounded."""
        number, decimals = self.scaled(text, field)
        spare = (0 if self._minor_units else digits) - decimals
        if spare >= 0:
            return number * _power(spare)
        whole, rest = divmod(number, _power(-spare))
        if rest:
            raise RowFault(row_fault(RowCode.EXACT, field, text))
        return whole

    def product(self, quantity: str, price: str, digits: int, *, exact: bool) -> int:
        """Quantity × price in minor units, rounded half away from zero; refused if ``exact`` and it needs rounding."""
        q, p = self.scaled(quantity, "quantity"), self.scaled(price, "unit_price")
        number = q.number * p.number
        spare = (0 if self._minor_units else digits) - q.decimals - p.decimals
        if spare >= 0:
            return number * _power(spare)
        divisor = _power(-spare)
        if exact and number % divisor:
            raise RowFault(row_fault(RowCode.EXACT, "unit_price", price, f"times {quantity}"))
        return round_half_away(number, divisor)

    def plain(self, text: str, field: str) -> str:
        """A rate or percentage as plain decimal text without superfluous zeros, so that ``7.10`` is ``7.1``."""
        return self.scaled(text.removesuffix("%").rstrip(), field).plain()

    def _read(self, text: str) -> Scaled | None:
        text = text.translate(_SPACES)
        negative = False
        if text.startswith("(") and text.endswith(")"):
            negative, text = True, text[1:-1]
        elif text.startswith(("-", "−")):
            negative, text = True, text[1:]
        elif text.endswith("-"):
            negative, text = True, text[:-1]
        elif text.startswith("+"):
            text = text[1:]
        whole, _, fraction = text.partition(self._decimal)
        if self._thousands and self._thousands in whole:
            first, *groups = whole.split(self._thousands)
            # Anything but groups of three is another notation, in which the number would be another one.
            if not 1 <= len(first) <= 3 or any(len(group) != 3 for group in groups):
                return None
            whole = first + "".join(groups)
        digits = whole + fraction
        if not (digits.isdigit() and digits.isascii()) or len(digits) > _MAX_LENGTH:
            return None
        return Scaled(-int(digits) if negative else int(digits), len(fraction))


class Days:
    """Reads the dates of a source. An instant becomes a day in the book's time zone."""

    def __init__(self, source: Source, book_zone: str) -> None:
        self._formats = source.dates
        self._source_zone = ZoneInfo(source.time_zone) if source.time_zone else None
        self._book_zone = ZoneInfo(book_zone)
        self._day: Callable[[str], date | None] = lru_cache(_REMEMBERED)(self._read)

    def day(self, text: str, field: str) -> date:
        """The day in a text; raises ``RowFault``."""
        found = self._day(text)
        if found is None:
            raise RowFault(row_fault(RowCode.DATE, field, text, ", ".join(self._formats)))
        return found

    def sortable(self, text: str) -> str:
        """The day as ISO text, to sort by; what is no day comes last."""
        found = self._day(text)
        return "~" if found is None else found.isoformat()

    def _read(self, text: str) -> date | None:
        for form in self._formats:
            try:
                if form == ISO:
                    return date.fromisoformat(text) if len(text) <= 10 else self._local(datetime.fromisoformat(text))
                instant = datetime.strptime(text, form)  # noqa: DTZ007
                return self._local(instant) if any(code in form for code in _TIME_CODES) else instant.date()
            except (ValueError, OverflowError):
                continue
        return None

    def _local(self, instant: datetime) -> date:
        if instant.tzinfo is None:
            if self._source_zone is None:
                return instant.date()
            instant = instant.replace(tzinfo=self._source_zone)
        return instant.astimezone(self._book_zone).date()
