"""Exchange rates 汇率 as facts: what a source says of a day, kept as it was said; a later statement supersedes it.

They post nothing and change nothing: they stand in a stream of their source, and what is valued by them stores the rate.
A foreign document that brings neither rate nor base amount is converted at the rate of its day, or of the latest day before,
that the book's own source states; it is refused as ever where there is none.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from domain.book import Book
from domain.commands import StateRates
from domain.events import Rate, RatesStated
from domain.refusals import Code, Refusal

MAX_AGE = 10
"""Days that a rate may be older than the day it is used for: over any run of holidays, and no more."""


def state_rates(command: StateRates, book: Book) -> RatesStated:
    """RatesStated. Refuses a rate of the base currency itself."""
    for n, one in enumerate(command.rates):
        if one.currency == book.base_currency:
            raise Refusal(Code.BASE_MUST_MATCH, f"rates.{n}.currency", one.currency)
    return RatesStated(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        rate_source=command.rate_source,
        rates=[Rate(one.day, one.currency, one.rate) for one in command.rates],
    )


class Rates:
    """What one source states now, by currency and day."""

    def __init__(self, events: Iterable[RatesStated] = ()) -> None:
        self._rates: dict[tuple[str, date], str] = {}
        for event in events:
            self.add(event)

    def add(self, event: RatesStated) -> None:
        """What it states next: it holds from now on."""
        self._rates |= {(one.currency, one.day): one.rate for one in event.rates}

    def on(self, currency: str, day: date) -> str | None:
        """The rate of a day, or of the latest day before that is not too old."""
        for age in range(MAX_AGE + 1):
            rate = self._rates.get((currency, day - timedelta(days=age)))
            if rate is not None:
                return rate
        return None


def lacks_rate(command: Any, book: Book) -> bool:
    """Whether a command is to be converted at a rate of the book's own source."""
    if not book.rate_source or command.currency == book.base_currency:
        return False
    return getattr(command, "rate", "") is None and command.base_total is None
