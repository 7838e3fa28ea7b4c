"""The customers of the made-up wholesale company: who they are and how they pay.

Names and addresses go beside the log, as parties; the log sees ids only.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec

from ledger.parties import Party
from tieout.demo import words

BASE_CURRENCY = "CNY"
CURRENCIES = ("CNY", "USD", "EUR", "JPY")
_CURRENCY_OF = ("CNY",) * 5 + ("USD",) * 2 + ("EUR",) * 2 + ("JPY",)


class Customer(msgspec.Struct, frozen=True):
    """A customer and its habits.

    ``style``: ``each`` pays instalment by instalment, ``monthly`` once a month whatever is due, ``exact`` instalment by
    instalment and always with a reference, so that what it leaves open is known to the day. ``lateness``: the days
    after the due day about which it pays. ``second``: a currency that it buys in now and then. ``withholds``: keeps
    back a tenth of what it pays, for the tax office of its country.
    """

    customer: str
    name: str
    language: str
    address: str
    currency: str
    second: str | None
    terms: int
    style: str
    references: bool
    lateness: int
    payday: int
    weight: int
    method: str
    withholds: bool
    dimensions: dict[str, str]


def roster(rng: Random, count: int) -> list[Customer]:
    """The customers; the first is the one whose story is told (``tieout/demo/showcase.py``)."""
    return [_customer(rng, number) for number in range(1, count + 1)]


def opening(book: str = "demo") -> dict[str, Any]:
    """The command that opens the company's book."""
    return {
        "command": "OpenBook",
        "source": "demo",
        "source_id": f"open-{book}",
        "book": book,
        "name": "示例批发有限公司",
        "base_currency": BASE_CURRENCY,
        "time_zone": "Asia/Shanghai",
        "first_on": "2024-01-01",
        "tolerances": {"CNY": 10_000, "USD": 2_000, "EUR": 2_000, "JPY": 2_000},
    }


def parties(seed: int = 1, customers: int = 200, book: str = "demo") -> Iterator[Party]:
    """Names, languages and addresses of the customers that ``deliveries`` of the same seed deals with."""
    for one in roster(Random(seed), customers):
        yield Party(book=book, customer=one.customer, name=one.name, language=one.language, address=one.address)


def _customer(rng: Random, number: int) -> Customer:
    currency = _CURRENCY_OF[rng.randrange(10)] if number > 1 else "USD"
    name, language, address = _identity(rng, currency)
    dimensions = {}
    if rng.random() < 0.6:
        region = rng.choice(words.REGIONS[:4]) if currency == "CNY" else "overseas"
        dimensions = {"region": region, "salesperson": rng.choice(words.SALESPEOPLE)}
    return Customer(
        customer=f"C{number:05d}",
        name=name,
        language=language,
        address=address,
        currency=currency,
        second="USD" if currency != "USD" and rng.random() < 0.06 else None,
        terms=rng.choice((15, 30, 30, 30, 45, 60)),
        style=rng.choice(("each", "each", "monthly", "monthly", "exact")),
        references=rng.random() < 0.8,
        lateness=rng.choice((-5, -2, 0, 0, 3, 7, 12, 25, 45)),
        payday=rng.choice((5, 10, 15, 20, 25, 28)),
        weight=1 + 60 // (number % 25 + 1),
        method=rng.choice(("bank",) * 7 + ("bill", "bill", "provider")) if currency == "CNY" else "bank",
        withholds=currency != "CNY" and rng.randrange(20) == 0,
        dimensions=dimensions,
    )


def _identity(rng: Random, currency: str) -> tuple[str, str, str]:
    """Name, language and address, in the manner of the currency's country."""
    house = rng.randrange(1, 400)
    if currency == "CNY":
        city = rng.choice(words.CITIES)
        name = f"{city}{rng.choice(words.TRADE_NAMES)}{rng.choice(words.LINES_OF_TRADE)}有限公司"
        return name, "zh", f"{city}市{rng.choice(words.STREETS)}{house}号"
    if currency == "USD":
        return (
            f"{rng.choice(words.ENGLISH_NAMES)} {rng.choice(words.ENGLISH_TRADES)} Inc.",
            "en",
            f"{house} Example Street",
        )
    if currency == "EUR":
        return f"{rng.choice(words.GERMAN_NAMES)} {rng.choice(words.GERMAN_TRADES)} GmbH", "en", f"Musterweg {house}"
    return f"{rng.choice(words.JAPANESE_NAMES)}{rng.choice(words.JAPANESE_TRADES)}株式会社", "en", f"見本町{house}"
