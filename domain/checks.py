"""The refusals common to all commands, and the conversion of a document's total into base currency.

``terms`` gives what every event of one command shares. Rates are decimal text, base units for one unit of the
currency; a total is converted once per document (domain rule 8), its parts follow by largest remainder.
"""

from datetime import date, timedelta
from typing import Any

from domain.book import Book
from domain.commands import AccountCommand
from domain.money import convert
from domain.refusals import Code, Refusal

HORIZON = timedelta(days=366)
AMOUNT_LIMIT = 10**15
"""Minor units: a thousand such amounts, and their sums, stay far within 2⁶³⁻¹."""


def check_positive(amount: int, field: str) -> None:
    """Refuses an amount that is not positive, or beyond the limit."""
    if amount <= 0:
        raise Refusal(Code.AMOUNT_MUST_BE_POSITIVE, field, amount)
    check_limit(amount, field)


def check_limit(amount: int, field: str) -> None:
    """Refuses an amount beyond 10¹⁵ minor units."""
    if not -AMOUNT_LIMIT <= amount <= AMOUNT_LIMIT:
        raise Refusal(Code.AMOUNT_WITHIN_LIMIT, field, amount)


def check_horizon(on: date, book: Book, today: date, field: str = "effective_on") -> None:
    """Refuses an accounting date before the book's first day or more than 366 days from today."""
    if on < book.first_on or on > today + HORIZON:
        raise Refusal(Code.DATE_WITHIN_HORIZON, field, on)


def base_total(
    book: Book, currency: str, amount: int, rate: str | None, given: int | None, field: str = "base_total"
) -> int:
    """The base amount of a document's total: given, or converted at the rate, or the amount itself in base currency."""
    if currency == book.base_currency:
        if given is not None and given != amount:
            raise Refusal(Code.BASE_MUST_MATCH, field, given)
        if rate is not None and rate.rstrip("0").rstrip(".") != "1":
            raise Refusal(Code.BASE_MUST_MATCH, "rate", rate)
        return amount
    if given is None:
        if rate is None:
            raise Refusal(Code.RATE_MUST_BE_GIVEN, "rate")
        given = convert(amount, currency, book.base_currency, rate)
    elif amount == 0 and given != 0:
        raise Refusal(Code.BASE_MUST_MATCH, field, given)
    check_limit(given, field)
    return given


def terms(command: AccountCommand, book: Book, caused_by: str | None = None) -> dict[str, Any]:
    """What the events of one command share: origin, actor, reason, template version and cause."""
    return {
        "source": command.source,
        "source_id": command.source_id,
        "actor": command.actor,
        "reason": command.reason,
        "template": book.template.version,
        "caused_by": caused_by,
    }
