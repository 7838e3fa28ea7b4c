"""Exchange rates 汇率 as facts: what a source says of a day, kept as it was said; a later statement supersedes it.

They post nothing and change nothing: they stand in a stream of their source, and what is valued by them stores the rate.
"""

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
