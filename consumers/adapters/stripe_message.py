"""What the mappings of Stripe's objects share: settings, typed reading of a part of a message, and entries made of it.

Stripe counts amounts in a currency's smallest unit, but not always in that of ISO 4217; instants are seconds since 1970
UTC and become days in the book's time zone. An object that is referred to is an id, or the object itself where the
sender had it expanded.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field

from consumers.adapters.adapter import MessageFault, as_json
from consumers.commands import validated
from consumers.mapping import Section
from consumers.problems import Fault, MessageCode, RowCode, invalid, row_fault
from domain.commands import Id, Percent, Word
from domain.documents import house_customer
from domain.money import LIMIT, minor_digits
from ledger.outcomes import Acknowledged, Entry, Submission, Unreadable

_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Decimal places where Stripe counts in another unit than ISO 4217 does."""
_PERCENT_DIGITS = 10
_DEPTH = 20
_KNOWN = """
    amount amount_captured amount_due amount_excluding_tax amount_paid amount_refunded amount_remaining
    amount_shipping amount_subtotal amount_tax balance_transaction balance_transactions captured charge code created
    credit_note currency customer customer_account data date deleted discount_amounts due_date effective_at
    ending_balance failure_balance_transaction failure_code failure_reason fee fee_details finalized_at has_more id
    inclusive invoice lines livemode net number object paid paid_at paid_out_of_band payment_intent percentage
    period post_payment_credit_notes_amount pre_payment_credit_notes_amount quantity reason refund refunded refunds
    reporting_category shipping_cost source start end starting_balance status status_transitions subtotal
    subtotal_excluding_tax tax tax_amounts tax_behavior tax_rate tax_rate_details tax_rates taxability_reason
    taxable_amount taxes total total_count total_discount_amounts total_excluding_tax total_tax_amounts total_taxes
    type voided_at
"""
_SHOWN = frozenset(_KNOWN.split())
"""Fields that are kept when a message goes to quarantine: all else may be about people."""


class Settings(Section):
    """The section ``[stripe]`` of a feed; docs/adapters.md tells its keys."""

    livemode: bool = True
    fees: Literal["apart", "deducted"] = "apart"
    lines: Literal["each", "one"] = "each"
    method: Word = "provider"
    fee_reason: Word = "provider_fee"
    out_of_band: Word | None = None
    missing_customer: Literal["quarantine", "house"] = "quarantine"
    customer_from_key: bool = False
    tax_rates: dict[Id, Percent] = Field(default_factory=dict)
    acknowledge: list[Id] = Field(default_factory=list)


class Reading:
    """A part of a message and where it stands; every reader raises ``MessageFault`` with the whole path of its field.

    What is null counts as absent.
    """

    __slots__ = ("at", "part")

    def __init__(self, part: dict[str, Any], at: str = "") -> None:
        self.part = part
        self.at = at

    def path(self, name: str) -> str:
        """The dotted path of a field of this part."""
        return f"{self.at}.{name}" if self.at else name

    def fault(self, name: str, rule: str) -> MessageFault:
        """A field is not what it must be."""
        return MessageFault(invalid(self.path(name), self.part.get(name), rule))

    def text(self, name: str) -> str | None:
        """Text, or None."""
        value = self.part.get(name)
        if value is not None and not isinstance(value, str):
            raise self.fault(name, "must be text in quotes")
        return value

    def needed(self, name: str) -> str:
        """Text that must be there."""
        value = self.text(name)
        if not value:
            raise self.fault(name, "must be given")
        return value

    def flag(self, name: str) -> bool | None:
        """True, false, or None."""
        value = self.part.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.fault(name, "must be true or false")
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or None."""
        value = self.part.get(name)
        if value is None or (type(value) is int and -LIMIT <= value <= LIMIT):
            return value
        raise self.fault(name, f"must be a whole number within ± {LIMIT}, without quotes or a decimal point")

    def instant(self, name: str) -> int:
        """Seconds since 1970 that must be there."""
        value = self.whole(name)
        if value is None:
            raise self.fault(name, "must be given")
        return value

    def currency(self) -> str:
        """The part's currency as ISO 4217 writes it."""
        code = self.needed("currency").upper()
        try:
            minor_digits(code)
        except ValueError:
            raise self.fault("currency", "must be the code of an ISO 4217 currency") from None
        return code

    def minor_or_none(self, name: str, currency: str) -> int | None:
        """An amount in minor units of ISO 4217, or None; one that is no whole number of them is refused."""
        amount = self.whole(name)
        digits = minor_digits(currency)
        spare = digits - _DIGITS.get(currency, digits)
        if amount is None or spare == 0:
            return amount
        if spare > 0:
            return amount * int(10**spare)
        units, rest = divmod(amount, int(10**-spare))
        if rest:
            raise MessageFault(row_fault(RowCode.EXACT, self.path(name), amount))
        return units

    def minor(self, name: str, currency: str) -> int:
        """An amount in minor units of ISO 4217 that must be there."""
        amount = self.minor_or_none(name, currency)
        if amount is None:
            raise self.fault(name, "must be given")
        return amount

    def percent(self, name: str) -> str | None:
        """A percentage as plain decimal text, or None."""
        value = self.part.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value < 1000:
            raise self.fault(name, "must be a percentage")
        return format(round(Decimal(value), _PERCENT_DIGITS).normalize(), "f")

    def id(self, name: str) -> str | None:
        """The id of what is referred to, or None."""
        inner = self.inner(name)
        return self.text(name) if inner is None else inner.needed("id")

    def inner(self, name: str) -> "Reading | None":
        """An object, or None where there is an id or nothing."""
        value = self.part.get(name)
        return Reading(value, self.path(name)) if isinstance(value, dict) else None

    def each(self, name: str) -> list["Reading"]:
        """The objects of a list, or of a page of one; none where there is none."""
        value = self.part.get(name)
        at = self.path(name)
        if isinstance(value, dict):
            value, at = value.get("data"), f"{at}.data"
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.fault(name, "must be a list of objects")
        return [Reading(entry, f"{at}.{n}") for n, entry in enumerate(value)]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One object of Stripe's on its way to entries.

    ``kind``: the event's type, or the object's where no event brings it. ``changed``: the fields that the event says it
    changed, ``told_at`` its instant.
    """

    book: str
    zone: ZoneInfo
    source: str
    settings: Settings
    origin: str
    lane: str | None
    key: str | None
    kind: str
    event: str | None = None
    told_at: int | None = None
    changed: frozenset[str] = frozenset()

    def day(self, part: Reading, name: str) -> date:
        """The day of an instant in the book's time zone."""
        seconds = part.instant(name)
        try:
            return datetime.fromtimestamp(seconds, self.zone).date()
        except (ValueError, OverflowError, OSError):
            raise part.fault(name, "must be seconds since 1970") from None

    def customer(self, *parts: Reading | None) -> str | None:
        """Who the first of these parts that says so names; else the message's key, if that is the customer."""
        for part in parts:
            found = part and (part.id("customer") or part.text("customer_account"))
            if found:
                return found
        return self.key if self.settings.customer_from_key else None

    def house(self, part: Reading | None) -> str | None:
        """The house account of the month in which a part was created, where unknown customers go to one."""
        if part is None or self.settings.missing_customer != "house":
            return None
        return house_customer(self.source, f"{self.day(part, 'created'):%Y-%m}")

    def entry(self, source_id: str, part: Reading, build: Callable[[], dict[str, Any]]) -> Entry:
        """The submission of the command that ``build`` makes of a part; unreadable, where it cannot."""
        try:
            command = self._whole(source_id, build())
        except MessageFault as error:
            whole = self._whole(source_id, error.command) if error.command else None
            return self.held(source_id, part, error.fault, whole)
        made: Any = row_fault(RowCode.CUSTOMER, "customer", "") if "customer" not in command else validated(command)
        if isinstance(made, Fault):
            return self.held(source_id, part, made, command)
        return Submission(made, self.origin, quarantine=True, lane=self.lane)

    def held(
        self, source_id: str | None, part: Reading, fault: Fault, command: dict[str, Any] | None = None
    ) -> Unreadable:
        """What goes to quarantine: as the command, if it could be made, so that a person can correct and retry it."""
        return Unreadable(
            book=self.book,
            source=self.source,
            source_id=source_id,
            origin=self.origin,
            code=fault.code,
            field=fault.field,
            value=fault.value,
            rule=fault.rule,
            raw=as_json(command or without_people(part.part)),
            lane=self.lane,
        )

    def unsupported(self, source_id: str | None, part: Reading, detail: str = "") -> Unreadable:
        """What matters for receivables and cannot be booked yet."""
        return self.held(source_id, part, row_fault(MessageCode.NOT_SUPPORTED, "type", self.kind, detail))

    def acknowledged(self, note: str = "") -> Acknowledged:
        """What means nothing for receivables, or is told by another message."""
        return Acknowledged(self.book, self.source, f"{self.kind} ({note})" if note else self.kind)

    def _whole(self, source_id: str, command: dict[str, Any]) -> dict[str, Any]:
        given = {"source": self.source, "source_id": source_id, "book": self.book}
        return {name: value for name, value in (command | given).items() if value is not None}


def with_customer(command: dict[str, Any]) -> dict[str, Any]:
    """A command whose message names its charge only, with the customer that was found for it."""
    if command["customer"] is None:
        detail = "the charge is only named: send it with the charge expanded, or under its customer as key"
        raise MessageFault(row_fault(RowCode.CUSTOMER, "customer", "", detail), command)
    return command


def without_people(part: Any, depth: int = _DEPTH) -> Any:
    """A part of a message with those fields only that are known to be about documents and money."""
    if isinstance(part, dict):
        kept = {name: without_people(value, depth - 1) for name, value in part.items() if depth and name in _SHOWN}
        return {name: value for name, value in kept.items() if value is not None}
    if isinstance(part, list):
        return [without_people(entry, depth - 1) for entry in part] if depth else []
    return part
