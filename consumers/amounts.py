"""What the rows of one document sum to: lines, tax, deductions and total, in minor units and with the file's own signs.

An amount that the file states is taken as it is; only quantity × price is computed here, rounded half away from zero
to the currency's minor unit, line by line.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from consumers.mapping import Mapping
from consumers.problems import RowCode, row_fault
from consumers.values import Days, Numbers, RowFault

Cells = Sequence[str]


class Amounts(msgspec.Struct, frozen=True):
    """The amounts of a document.

    ``tax``: (code, rate) → [base, amount]. ``references``: what a payment says that it pays → how much of it, None for
    all that it can.
    """

    total: int
    lines: list[dict[str, Any]] = []
    tax: dict[tuple[str, str], list[int]] = {}
    deductions: dict[str, int] = {}
    references: dict[str, int | None] = {}


class Summing:
    """Sums rows by the rules of a mapping. ``place``: field → place of its cell. Raises ``RowFault``."""

    def __init__(self, mapping: Mapping, numbers: Numbers, days: Days, place: dict[str, int]) -> None:
        self._defaults, self._numbers, self._days, self._place = mapping.defaults, numbers, days, place
        self._exact = mapping.defaults.inexact == "quarantine"
        self._taxed = "tax_amount" in place
        self._reasons = {reason: place[f"deductions.{reason}"] for reason in mapping.columns.deductions}
        self._line_dimensions = {name: place[f"line_dimensions.{name}"] for name in mapping.columns.line_dimensions}
        # Most tables have plain lines: then a line is its net amount.
        self._plain = not self._line_dimensions and not {"role", "service_from", "service_to"} & set(place)

    def billed(self, rows: Sequence[Cells], stated: int | None, digits: int) -> Amounts:
        """Lines and tax of an invoice or credit note; where only its total is stated, one line of what is not tax."""
        lines: list[dict[str, Any]] = []
        tax: dict[tuple[str, str], list[int]] = {}
        for cells in rows:
            text = self._cell(cells, "tax_amount") if self._taxed else ""
            amount = self._numbers.minor(text, "tax_amount", digits) if text else 0
            net = self._net(cells, amount, digits)
            if net is not None:
                lines.append(self._line(cells, net))
            if text:
                entry = tax.setdefault(self._tax_key(cells), [0, 0])
                entry[0] += self._tax_base(cells, net, digits)
                entry[1] += amount
        taxes = sum(amount for _, amount in tax.values())
        if lines:
            summed = sum(line["net"] for line in lines) + taxes
            return Amounts(summed if stated is None else stated, lines, tax)
        if stated is None:
            raise RowFault(row_fault(RowCode.AMOUNT_GIVEN, "amount", ""))
        net = stated - taxes
        if "tax_base" not in self._place and len(tax) == 1:
            next(iter(tax.values()))[0] = net
        return Amounts(stated, [self._line(rows[0], net)], tax)

    def paid(self, rows: Sequence[Cells], stated: int | None, cash: int | None, digits: int) -> Amounts:
        """What a payment or refund comes to, with what was kept back of it and what it says that it pays."""
        amounts = [
            (self._numbers.minor(text, "amount", digits), self._cell(cells, "reference"))
            for cells in rows
            if (text := self._cell(cells, "amount"))
        ]
        deductions: dict[str, int] = {}
        for reason, place in self._reasons.items():
            kept = [self._numbers.minor(c[place], f"deductions.{reason}", digits) for c in rows if c[place]]
            if any(kept):
                deductions[reason] = sum(kept)
        if stated is not None:
            total = stated
        elif amounts:
            total = sum(amount for amount, _ in amounts)
        elif cash is not None:
            total = cash + sum(deductions.values())
        else:
            raise RowFault(row_fault(RowCode.AMOUNT_GIVEN, "amount", ""))
        return Amounts(total, deductions=deductions, references=self._references(rows, amounts))

    def _references(self, rows: Sequence[Cells], amounts: list[tuple[int, str]]) -> dict[str, int | None]:
        """A payment of one row pays what the row names as far as it goes; one of several pays each its row's amount."""
        if len(amounts) < 2:
            return {text: None for cells in rows if (text := self._cell(cells, "reference"))}
        paid: dict[str, int | None] = {}
        for amount, reference in amounts:
            if reference:
                paid[reference] = (paid.get(reference) or 0) + amount
        return paid

    def _cell(self, cells: Cells, field: str) -> str:
        place = self._place.get(field)
        return "" if place is None else cells[place]

    def _net(self, cells: Cells, tax: int, digits: int) -> int | None:
        """What a row adds without tax; None where it says nothing."""
        text = self._cell(cells, "net")
        if text:
            return self._numbers.minor(text, "net", digits)
        quantity, price = self._cell(cells, "quantity"), self._cell(cells, "unit_price")
        if quantity and price:
            return self._numbers.product(quantity, price, digits, exact=self._exact)
        text = self._cell(cells, "amount")
        if text:
            return self._numbers.minor(text, "amount", digits) - tax
        if quantity or price:
            raise RowFault(row_fault(RowCode.AMOUNT_GIVEN, "unit_price" if quantity else "quantity", ""))
        return None

    def _line(self, cells: Cells, net: int) -> dict[str, Any]:
        line: dict[str, Any] = {"net": net}
        role = self._cell(cells, "role") or self._defaults.role
        if role:
            line["role"] = role
        if self._plain:
            return line
        for field in ("service_from", "service_to"):
            text = self._cell(cells, field)
            if text:
                line[field] = self._days.day(text, field)
        dimensions = {name: cells[place] for name, place in self._line_dimensions.items() if cells[place]}
        if dimensions:
            line["dimensions"] = dimensions
        return line

    def _tax_key(self, cells: Cells) -> tuple[str, str]:
        rate = self._cell(cells, "tax_rate")
        rate = self._numbers.plain(rate, "tax_rate") if rate else self._defaults.tax_rate or ""
        return self._cell(cells, "tax_code") or self._defaults.tax_code or "", rate

    def _tax_base(self, cells: Cells, net: int | None, digits: int) -> int:
        text = self._cell(cells, "tax_base")
        return self._numbers.minor(text, "tax_base", digits) if text else net or 0
