"""Selectors: the text that stands for one number of an answer, so that it can be asked to explain itself.

A selector is a kind and its fields, joined by ``/``: ``item/main/C000123/CNY/invoice::4711:1#1/2024-03-31/0:5120``. It
names the number exactly, both clocks included (invariant 8), so it explains the same number for ever. What would mean
something to a shell or to this form is percent-encoded; an absent field is empty.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Any, get_type_hints
from urllib.parse import unquote

import msgspec

from ledger.outcomes import read_token, token

_SPECIAL = re.compile(r"[^\w.:#@+~-]")


class Position(int):
    """A log position: written as a token."""


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """A number of an answer; ``text`` and ``parse`` are each other's inverse.

    Everywhere: ``effective_on`` and ``position`` are the two clocks, ``effective_on`` None means every day, ``customer``
    None all customers.
    """

    book: str

    @property
    def text(self) -> str:
        """The selector as text."""
        return "/".join([_KIND_OF[type(self)], *map(_write, msgspec.structs.astuple(self))])


class BalanceOf(Selector, frozen=True, kw_only=True):
    """What a customer account has on one control account in one role: debit less credit."""

    customer: str
    currency: str
    role: str
    account: str
    effective_on: date | None
    position: Position


class ItemOpen(Selector, frozen=True, kw_only=True):
    """What an item has open, positive on its own side."""

    customer: str
    currency: str
    item: str
    effective_on: date | None
    position: Position


class ItemAmount(Selector, frozen=True, kw_only=True):
    """What an item was opened with, positive on its own side."""

    customer: str
    currency: str
    item: str
    position: Position


class Due(Selector, frozen=True, kw_only=True):
    """What debit items have open that are overdue by ``from_days`` to ``to_days`` days (None: no bound)."""

    customer: str | None
    currency: str
    from_days: int | None
    to_days: int | None
    effective_on: date
    position: Position


class Unapplied(Selector, frozen=True, kw_only=True):
    """What credit items have open; positive."""

    customer: str | None
    currency: str
    effective_on: date
    position: Position


class Share(Selector, frozen=True, kw_only=True):
    """What the items whose postings have a ``value`` of a dimension (None: have none of it) have open.

    ``side`` D: debit items, those overdue by ``from_days`` to ``to_days`` days (None: no bound); C: credit items,
    positive; both: debit less credit.
    """

    customer: str | None
    currency: str
    dimension: str
    value: str | None
    side: str
    from_days: int | None
    to_days: int | None
    effective_on: date
    position: Position


class Net(Selector, frozen=True, kw_only=True):
    """What is owed over all control accounts: debit less credit."""

    customer: str | None
    currency: str
    effective_on: date | None
    position: Position


class Moved(Selector, frozen=True, kw_only=True):
    """An event's net effect on what a customer owes."""

    customer: str
    currency: str
    position: Position


class Running(Selector, frozen=True, kw_only=True):
    """What a customer owes after the event ``through`` of a day, by day and log position."""

    customer: str
    currency: str
    effective_on: date
    through: Position
    position: Position


class Turnover(Selector, frozen=True, kw_only=True):
    """A number of a trial balance: ``part`` is opening, debit, credit or closing of an account."""

    account: str
    currency: str
    dimensions: dict[str, str]
    part: str
    from_on: date | None
    effective_on: date | None
    position: Position


_KINDS: dict[str, type[Selector]] = {
    "balance": BalanceOf,
    "item": ItemOpen,
    "item-amount": ItemAmount,
    "due": Due,
    "unapplied": Unapplied,
    "share": Share,
    "net": Net,
    "movement": Moved,
    "running": Running,
    "turnover": Turnover,
}
_KIND_OF = {type_: kind for kind, type_ in _KINDS.items()}
PARTS = ("opening", "debit", "credit", "closing")
SIDES = ("D", "C", "both")


def parse(text: str) -> Selector:
    """The selector of a text; ValueError where it is none."""
    kind, *fields = text.split("/")
    type_ = _KINDS.get(kind)
    if type_ is None:
        raise ValueError(f"not a selector: {text!r} (its kind must be one of {', '.join(_KINDS)})")
    names = type_.__struct_fields__
    if len(fields) != len(names):
        raise ValueError(f"not a selector: {text!r} ({kind} has the fields {', '.join(names)})")
    hints = get_type_hints(type_)
    try:
        selector = type_(**{name: _read(hints[name], field) for name, field in zip(names, fields, strict=True)})
    except ValueError as error:
        raise ValueError(f"not a selector: {text!r} ({error})") from None
    if isinstance(selector, Turnover) and selector.part not in PARTS:
        raise ValueError(f"not a selector: {text!r} (the part must be one of {', '.join(PARTS)})")
    if isinstance(selector, Share) and selector.side not in SIDES:
        raise ValueError(f"not a selector: {text!r} (the side must be one of {', '.join(SIDES)})")
    return selector


def _write(value: Any) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None:
        return ""
    if isinstance(value, Position):
        return token(value)
    if isinstance(value, dict):
        return ",".join(f"{_quote(key)}={_quote(value[key])}" for key in sorted(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _read(hint: Any, field: str) -> Any:
    if hint == dict[str, str]:
        pairs = (pair.partition("=") for pair in field.split(",")) if field else ()
        return {unquote(key): unquote(value) for key, _, value in pairs}
    if hint == Position:
        return Position(read_token(field))
    if field == "" and hint in (str | None, date | None, int | None):
        return None
    if hint in (date, date | None):
        return date.fromisoformat(field)
    if hint == int | None:
        return int(field)
    return unquote(field)


# The fields of a row's selectors are mostly the same.
@lru_cache(1_000)
def _quote(text: str) -> str:
    return _SPECIAL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
