"""Periods 会计期间: closing them in order 结账, and opening the last one again 反结账.

Identity 9: no event is recorded into a period while it is closed. What is asked for a closed period is moved to the
first open day, and says where it belonged, or is refused, by the book's policy. The fence against those who book at the
same time is the generation of the book (the ledger's head row). A period is closed by a list of checks which is
recorded with it: whoever closes although one does not hold says why. Periods are calendar months, ``2024-01``.
"""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date

from domain.book import Book
from domain.commands import ClosePeriod, ReopenPeriod
from domain.events import ClosingCheck, FactDeferred, PeriodClosed, PeriodReopened
from domain.refusals import Code, Refusal
from domain.waiting import asked_for

CHECKS = ("waiting", "quarantine", "completeness", "clearing", "control")
"""What a closing list must answer: no fact of the period waits; nothing stands in quarantine; every source's messages are
all there; transfers in flight are none; per control account the open items are what the postings say."""


def period_of(day: date) -> str:
    """The period of a day."""
    return f"{day:%Y-%m}"


def days_of(period: str) -> tuple[date, date]:
    """The first and the last day of a period."""
    year, month = int(period[:4]), int(period[5:])
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])


def close_period(book: Book, command: ClosePeriod, today: date, waiting: Iterable[FactDeferred]) -> PeriodClosed:
    """PeriodClosed. ``waiting``: the facts of the book that wait.

    Refuses a period that is closed, has not ended or is not the next; one of which a fact waits; a list that is not
    whole or does not hold.
    """
    first_on, last_on = days_of(command.period)
    if last_on < book.open_from:
        raise Refusal(Code.PERIOD_OPEN, "period", command.period)
    if last_on >= today:
        raise Refusal(Code.PERIOD_ENDED, "period", command.period)
    if book.closed and first_on > book.open_from:
        raise Refusal(Code.EARLIER_PERIODS, "period", command.period)
    for fact in waiting:
        asked = asked_for(fact)
        if asked is not None and asked <= last_on:
            raise Refusal(Code.NO_FACT_WAITING, "period", f"{command.period} ({fact.source} {fact.source_id})")
    _check(command)
    return PeriodClosed(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        period=command.period,
        first_on=first_on,
        last_on=last_on,
        position=command.position,
        checks=[ClosingCheck(c.check, c.holds, c.found, c.accepted) for c in command.checks],
    )


def _check(command: ClosePeriod) -> None:
    answered = {check.check for check in command.checks}
    for name in CHECKS:
        if name not in answered:
            raise Refusal(Code.CHECKS_HOLD, "checks", name)
    for n, check in enumerate(command.checks):
        if not (check.holds or check.accepted):
            raise Refusal(Code.CHECKS_HOLD, f"checks.{n}.holds", check.check)


def reopen_period(book: Book, command: ReopenPeriod) -> PeriodReopened:
    """PeriodReopened. Refuses any but the one that was closed last."""
    first_on, last_on = days_of(command.period)
    if not book.closed or book.closed[-1] != last_on:
        raise Refusal(Code.LAST_PERIOD, "period", command.period)
    return PeriodReopened(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        period=command.period,
        first_on=first_on,
        last_on=last_on,
    )
