"""What feeds sent and where it is: days, differences, and the messages that those are about."""

from collections.abc import Iterable

from rich.table import Table

from projections.answers import Break, FeedDay, Message
from tieout.messages import Texts
from tieout.render.amounts import amount, count
from tieout.render.grid import grid, row
from tieout.render.traces import short_origin

_PARTS = ("waiting", "quarantined", "parked", "refused", "doubled")


def days_table(days: Iterable[FeedDay], texts: Texts) -> Table:
    """What was stated, what is booked, and how many messages stand elsewhere, a feed's day and currency a line."""
    sums = [f"={texts(f'column.{name}')}" for name in ("stated", "stated_amount", "booked", "booked_amount", *_PARTS)]
    table = grid(texts, ["feed", "day", "currency", *sums, "complete"])
    for one in days:
        stated = one.stated
        row(
            table,
            one.feed,
            one.day or "?",
            one.currency,
            count(stated.count) if stated else "",
            money(stated.amount, one.currency) if stated else "",
            count(one.booked.count),
            money(one.booked.amount, one.currency),
            *(count(number) if (number := getattr(one, name).count) else "" for name in _PARTS),
            texts("word.no") if one.open else texts("word.yes") if stated else "",
        )
    return table


def breaks_table(breaks: Iterable[tuple[FeedDay, Break]], texts: Texts) -> Table:
    """The differences of days, open and closed."""
    table = grid(texts, ["feed", "day", "currency", "break", "state", "count", "amount", "numbers"])
    for one, broken in breaks:
        row(
            table,
            one.feed,
            one.day or "?",
            one.currency,
            texts(f"break.{broken.type}"),
            texts("state.open" if broken.open else "state.closed"),
            count(broken.count),
            "" if broken.type == "sequence_gap" else money(broken.amount, one.currency),
            ranges(broken.sequences),
        )
    return table


def messages_table(about: Iterable[tuple[Break, Message]], texts: Texts) -> Table:
    """The messages of differences, and where each stands."""
    columns = ("break", "source_id", "=number", "document", "=amount", "message_status", "origin", "position", "entry")
    named = [f"={texts(f'column.{name[1:]}')}" if name.startswith("=") else name for name in columns]
    table = grid(texts, [*named, "code"])
    for broken, one in about:
        row(
            table,
            texts(f"break.{broken.type}"),
            f"{one.source}/{one.source_id or '?'}",
            one.sequence,
            one.document,
            "" if one.amount is None else money(one.amount, one.currency),
            texts(f"message.{one.status}"),
            short_origin(one.origin),
            one.position,
            one.quarantine,
            one.code,
        )
    return table


def money(minor: int, currency: str | None) -> str:
    """An amount; without a currency the minor units."""
    return count(minor) if currency is None else amount(minor, currency)


def ranges(sequences: Iterable[tuple[int, int]]) -> str:
    """Ranges of numbers: ``3, 5-7``."""
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in sequences)
