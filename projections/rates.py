"""Exchange rates as sources state them, from the log: which holds for a day, and what it superseded."""

from datetime import date, timedelta

from domain.documents import rate_stream
from domain.events import RatesStated
from domain.rates import MAX_AGE
from ledger.outcomes import token
from projections import log
from projections.answers import RateRow, SupersededRate
from projections.view import Moment, View


def rates(view: View, book: str, source: str | None, at: Moment) -> list[RateRow]:
    """By source and currency the rate of the latest day up to E; without E of the latest day there is."""
    streams = log.rate_streams(view.connection, book) if source is None else [rate_stream(book, source)]
    said: dict[tuple[str, str], dict[date, list[SupersededRate]]] = {}
    for logged in log.events_of(view.connection, streams, at.position):
        event = logged.event
        assert isinstance(event, RatesStated)
        for one in event.rates:
            if at.covers(one.day):
                days = said.setdefault((event.rate_source, one.currency), {})
                days.setdefault(one.day, []).append(SupersededRate(rate=one.rate, position=token(logged.position)))
    found = []
    for (name, currency), days in sorted(said.items()):
        last = max(days)
        *superseded, holds = days[last]
        found.append(
            RateRow(
                rate_source=name,
                currency=currency,
                day=last,
                rate=holds.rate,
                position=holds.position,
                superseded=superseded,
            )
        )
    return found


def stated(view: View, book: str, source: str) -> dict[tuple[date, str], str]:
    """The rate that a source states of each day and currency."""
    found: dict[tuple[date, str], str] = {}
    for logged in log.events_of(view.connection, [rate_stream(book, source)], view.position):
        assert isinstance(logged.event, RatesStated)
        found |= {(one.day, one.currency): one.rate for one in logged.event.rates}
    return found


def usable(view: View, book: str, source: str, on: date, at: Moment) -> dict[str, RateRow]:
    """By currency the rate to value by on a day: that of the day itself, or of one few days before."""
    return {one.currency: one for one in rates(view, book, source, at) if one.day >= on - timedelta(days=MAX_AGE)}
