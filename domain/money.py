"""Exact money: integer minor units of an ISO 4217 currency, never a float.

Every amount in Tieout is an ``int`` that counts minor units (cents, fen; whole yen) and stands beside a three-letter
ISO 4217 code. Rounding is half away from zero (四舍五入). What is split is split by largest remainder, so that the
parts always sum to the whole (identity 1 of the domain: each event sums to zero, in amount and in base amount).
"""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import cache, lru_cache

from iso4217 import Currency

LIMIT = 2**63 - 1
"""The largest magnitude of any stored integer: what SQLite, PostgreSQL and Parquet keep in a column."""


@cache
def minor_digits(currency: str) -> int:
    """Decimal places of a currency by ISO 4217 (CNY 2, JPY 0, KWD 3); ValueError where there is no such currency."""
    exponent = Currency(currency).exponent
    if exponent is None:
        raise ValueError(f"{currency} has no minor unit: it is not a currency one can owe")
    return int(exponent)


def is_currency(code: str) -> bool:
    """Whether ISO 4217 lists the code as a currency that has amounts (XAU, XXX and the like have none)."""
    try:
        minor_digits(code)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def fraction(text: str) -> Fraction:
    """Decimal text as an exact fraction."""
    return Fraction(text)


@lru_cache(maxsize=4096)
def parse_rate(text: str) -> Fraction:
    """A rate as an exact fraction from decimal text (base units for one unit of the currency).

    Raises ValueError unless the text is a finite positive decimal.
    """
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"not a decimal: {text!r}") from None
    if not rate.is_finite() or rate <= 0:
        raise ValueError(f"not a positive finite decimal: {text!r}")
    return Fraction(rate)


@lru_cache(maxsize=4096)
def decimal_ratio(text: str) -> tuple[int, int]:
    """Numerator and denominator of decimal text: whole numbers are quicker to reckon with than fractions."""
    return Decimal(text).as_integer_ratio()


def round_half_away(numerator: int, denominator: int) -> int:
    """numerator / denominator rounded to an integer, halves away from zero; denominator positive."""
    assert denominator > 0
    quotient, rest = divmod(abs(numerator), denominator)
    if 2 * rest >= denominator:
        quotient += 1
    return quotient if numerator >= 0 else -quotient


@lru_cache(maxsize=4096)
def minor_rate(currency: str, base_currency: str, rate: str) -> Fraction:
    """Minor units of ``base_currency`` for one minor unit of ``currency`` at ``rate``, exact."""
    return parse_rate(rate) * Fraction(10) ** (minor_digits(base_currency) - minor_digits(currency))


def convert(amount: int, currency: str, base_currency: str, rate: str) -> int:
    """Minor units of ``base_currency`` that ``amount`` minor units of ``currency`` are worth at ``rate``."""
    exact = minor_rate(currency, base_currency, rate)
    return round_half_away(amount * exact.numerator, exact.denominator)


def percent_of(amount: int, percent: str) -> int:
    """So many per cent (decimal text) of an amount."""
    numerator, denominator = decimal_ratio(percent)
    return round_half_away(amount * numerator, 100 * denominator)


def share(whole: int, part: int, of: int) -> int:
    """The share of ``whole`` that goes with ``part`` out of ``of``: round(whole × part / of); all of it for the last.

    This is how the base amount of a part payment is relieved: an item with nothing open keeps no base (identity 4).
    """
    if part == of:
        return whole
    assert 0 < part < of
    return round_half_away(whole * part, of)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Integers that sum to ``total``, in proportion to ``weights`` by largest remainder (ties: the earlier).

    Weights may be negative (a discount line). Weights that sum to zero carry nothing: ``total`` must be zero then.
    """
    whole = sum(weights)
    if whole == 0:
        assert total == 0
        return [0] * len(weights)
    if len(weights) == 1:
        return [total]
    return _largest_remainder(total, weights, total if whole > 0 else -total, abs(whole))


def apportion_at(total: int, weights: Sequence[int], rate: Fraction) -> list[int]:
    """Integers that sum to ``total``, each ``weight`` × ``rate`` by largest remainder (ties: the earlier).

    ``total`` is the sum of the weights at that rate, rounded. Unlike a proportion of the total it keeps the worth of
    lines that cancel out, such as a sale and its discount in full.
    """
    numerator, denominator = rate.numerator, rate.denominator
    assert 2 * abs(total * denominator - sum(weights) * numerator) <= denominator
    return _largest_remainder(total, weights, numerator, denominator)


def _largest_remainder(total: int, weights: Sequence[int], numerator: int, denominator: int) -> list[int]:
    parts, remainders = [], []
    for weight in weights:
        quotient, rest = divmod(weight * numerator, denominator)
        parts.append(quotient)
        remainders.append(rest)
    missing = total - sum(parts)
    for index in sorted(range(len(parts)), key=lambda i: -remainders[i])[:missing]:
        parts[index] += 1
    return parts
