"""Minor units as people read them: decimal point by ISO 4217, thousands separators, a minus for the negative."""

from domain.money import minor_digits


def amount(minor: int, currency: str) -> str:
    """``-1234567`` minor units of CNY as ``-12,345.67``; of JPY as ``-1,234,567``."""
    digits = minor_digits(currency)
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}.{rest:0{digits}d}" if digits else f"{sign}{whole:,}"


def money(minor: int, currency: str) -> str:
    """An amount with its currency code before it: ``CNY 12,345.67``."""
    return f"{currency} {amount(minor, currency)}"


def count(number: int) -> str:
    """A count with thousands separators."""
    return f"{number:,}"
