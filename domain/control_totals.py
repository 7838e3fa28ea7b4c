"""Control totals 控制总数: how much a source says that it sent, so that whoever reads the books sees what is missing.

They post nothing and change nothing: they stand in a stream of their feed, beside what they are compared with.
"""

from datetime import date

from domain.book import Book
from domain.checks import check_horizon
from domain.commands import StateControlTotals
from domain.events import ControlTotalsStated


def state_control_totals(command: StateControlTotals, book: Book, today: date) -> ControlTotalsStated:
    """ControlTotalsStated. Refuses a day before the book's first one or more than a year from today."""
    check_horizon(command.day, book, today, "day")
    return ControlTotalsStated(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        feed=command.feed,
        day=command.day,
        currency=command.currency,
        count=command.count,
        amount=command.amount,
        highest=command.highest,
    )
