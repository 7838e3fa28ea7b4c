"""The refusals common to all commands, and the conversion of a document's amounts into base currency.

``terms`` gives what every event of one command shares. Rates are decimal text, base units for one unit of the
currency; a total is converted once per document (domain rule 8), its parts follow by largest remainder.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from domain.account import Account
from domain.book import Book
from domain.commands import AccountCommand, PaidDocument
from domain.history import History
from domain.money import apportion, apportion_at, convert, minor_rate, parse_rate
from domain.refusals import Code, Refusal

HORIZON = timedelta(days=366)
AMOUNT_LIMIT = 10**15
"""Minor units: a thousand such amounts, and their sums, stay far within 2⁶³⁻¹."""


def check_currency(account: Account, *named: History | None) -> None:
    """Refuses what is the same customer's, but in another currency."""
    for history in named:
        if history is not None and history.stream != account.stream:
            customer, _, currency = history.stream.rpartition(":")
            if customer == account.stream.rpartition(":")[0]:
                raise Refusal(Code.CURRENCY_MUST_MATCH, "currency", f"{account.currency} ({currency})")


def check_account(account: Account, history: History | None, field: str) -> None:
    """Refuses a document of another account."""
    if history is not None and history.stream != account.stream:
        raise Refusal(Code.ITEMS_SHARE_ACCOUNT, field, history.document)


def check_positive(amount: int, field: str) -> None:
    """Refuses an amount that is not positive, or beyond the limit."""
    if amount <= 0:
        raise Refusal(Code.AMOUNT_MUST_BE_POSITIVE, field, amount)
    check_limit(amount, field)


def check_each_positive(amounts: Iterable[int], rows: str, column: str = "amount") -> None:
    """Refuses one of several amounts that is not positive, or beyond the limit; its field is ``rows.n.column``."""
    for n, amount in enumerate(amounts):
        if not 0 < amount <= AMOUNT_LIMIT:
            check_positive(amount, f"{rows}.{n}.{column}")


def check_each_limit(amounts: Iterable[int], rows: str, column: str = "amount") -> None:
    """Refuses one of several amounts that is beyond the limit; its field is ``rows.n.column``."""
    for n, amount in enumerate(amounts):
        if not -AMOUNT_LIMIT <= amount <= AMOUNT_LIMIT:
            check_limit(amount, f"{rows}.{n}.{column}")


def check_remittance(remittance: Iterable[PaidDocument]) -> None:
    """Refuses a reference for an amount that is not positive."""
    for n, paid in enumerate(remittance):
        if paid.amount is not None:
            check_positive(paid.amount, f"remittance.{n}.amount")


def check_limit(amount: int, field: str) -> None:
    """Refuses an amount beyond 10¹⁵ minor units."""
    if not -AMOUNT_LIMIT <= amount <= AMOUNT_LIMIT:
        raise Refusal(Code.AMOUNT_WITHIN_LIMIT, field, amount)


def check_horizon(on: date, book: Book, today: date, field: str = "effective_on") -> None:
    """Refuses an accounting date before the book's first day or more than 366 days from today."""
    if on < book.first_on or on > today + HORIZON:
        raise Refusal(Code.DATE_WITHIN_HORIZON, field, on)


def check_accounting_date(on: date, book: Book, today: date) -> None:
    """Refuses a date outside the horizon, or in a closed period where the book does not move it."""
    check_horizon(on, book, today)
    if on < book.open_from:
        raise Refusal(Code.PERIOD_OPEN, "effective_on", on)


def base_total(book: Book, currency: str, amount: int, rate: str | None, given: int | None) -> int:
    """The base amount of a document's total: given, or converted at the rate, or the amount itself in base currency."""
    if currency == book.base_currency:
        if given is not None and given != amount:
            raise Refusal(Code.BASE_MUST_MATCH, "base_total", given)
        if rate is not None and parse_rate(rate) != 1:
            raise Refusal(Code.BASE_MUST_MATCH, "rate", rate)
        return amount
    if given is None:
        if rate is None:
            raise Refusal(Code.RATE_MUST_BE_GIVEN, "rate")
        return convert(amount, currency, book.base_currency, rate)
    if amount == 0 and given != 0:
        raise Refusal(Code.BASE_MUST_MATCH, "base_total", given)
    return given


def base_parts(book: Book, currency: str, base: int, amounts: Sequence[int], rate: str | None) -> Sequence[int]:
    """The base amounts of a document's parts, which sum to ``base``: at the rate that made it, or in proportion."""
    if currency == book.base_currency:
        return amounts
    if len(amounts) == 1:
        return [base]
    if rate is not None and convert(sum(amounts), currency, book.base_currency, rate) == base:
        return apportion_at(base, amounts, minor_rate(currency, book.base_currency, rate))
    return apportion(base, amounts)


def terms(command: AccountCommand, book: Book, caused_by: str | None = None) -> dict[str, Any]:
    """What the events of one command share: origin, actor, reason, number, template version and cause."""
    return {
        "source": command.source,
        "source_id": command.source_id,
        "actor": command.actor,
        "reason": command.reason,
        "sequence": command.sequence,
        "template": book.template.version,
        "caused_by": caused_by,
    }
