"""Commands about periods: list them, close the next one by its list, open the last one again, and what came too late."""

from typing import Annotated, Any

import msgspec
import typer

from tieout.cli import options, output
from tieout.cli.entry import submit_one
from tieout.cli.program import command
from tieout.cli.session import Question, Session
from tieout.cli.shown import Shown, limited, show
from tieout.errors import Exit, UsageFault

OnePeriod = Annotated[str, typer.Argument(metavar="YYYY-MM", help="argument.period")]
AnyPeriod = Annotated[str | None, typer.Argument(metavar="YYYY-MM", help="argument.any_period")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "periods")(periods)
    command(app, "close")(close)
    command(app, "reopen")(reopen)
    command(app, "moved")(moved)


def periods(session: Session, limit: options.Limit = None, json: options.Json = False) -> None:
    """Which periods are closed, and which are open."""
    asked = session.question()
    found = asked.reader.periods(asked.book.book, session.app.today(asked.book))
    if session.as_json:
        output.json_with_rows(asked.head, "periods", limited(found, limit))
        return
    from tieout.render.periods import periods_table

    show(session, asked, Shown(found, limit), periods_table)


def close(
    session: Session,
    period: OnePeriod,
    check: Annotated[bool, typer.Option("--check", help="option.check")] = False,
    accept: Annotated[list[str] | None, typer.Option("--accept", metavar="CHECK", help="option.accept")] = None,
    reason: options.Reason = None,
    actor: options.Actor = None,
    json: options.Json = False,
) -> int:
    """Answer the closing list of a period, and close it if every point holds or is accepted."""
    from domain.periods import CHECKS

    _check_period(period)
    accepted = set(accept or ())
    for name in sorted(accepted - set(CHECKS)):
        raise UsageFault("error.check_unknown", name=name, names=", ".join(CHECKS))
    asked = session.question()
    found = asked.reader.closing_list(asked.book.book, period, _waiting(session, asked, period))
    stands = all(one.holds for one in found)
    if check or not all(one.holds or one.check in accepted for one in found):
        _show_list(session, asked, period, found)
        return Exit.OK if stands else Exit.UNPROVED
    if not stands and not reason:
        raise UsageFault("error.accept_reason")
    checks = [msgspec.structs.asdict(one) | {"accepted": not one.holds and one.check in accepted} for one in found]
    given = {"command": "ClosePeriod", "actor": actor, "reason": reason, "book": asked.book.book, "period": period}
    more = {"position": asked.position, "checks": checks}
    done = "period.closed"
    return submit_one(session, given | more, done=done, again=done, after=asked.book.version, period=period)


def reopen(
    session: Session,
    period: OnePeriod,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="option.reopen_reason")],
    actor: options.Actor = None,
    json: options.Json = False,
) -> int:
    """Open the period that was closed last again."""
    _check_period(period)
    book = session.app.book()
    given = {"command": "ReopenPeriod", "actor": actor, "reason": reason, "book": book.book, "period": period}
    done = "period.reopened"
    return submit_one(session, given, done=done, again=done, after=book.version, period=period)


def moved(
    session: Session,
    period: AnyPeriod = None,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """What belongs to a prior period: asked for a closed day, booked on the first open one."""
    if period is not None:
        _check_period(period)
    asked = session.question(as_of, known_as_of)
    found = asked.reader.moved(asked.book.book, period, asked.as_of)
    if session.as_json:
        output.json_with_rows(asked.head, "moved", limited(found, limit))
        return
    from tieout.render.periods import moved_table

    show(session, asked, Shown(found, limit), moved_table, empty="moved.empty")


def _check_period(period: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    from domain.commands import Period

    try:
        TypeAdapter(Period).validate_python(period)
    except ValidationError:
        raise UsageFault("error.period_wrong", value=period) from None


def _waiting(session: Session, asked: Question, period: str) -> int:
    from domain.periods import days_of
    from ledger.waiting import asked_by

    return asked_by(session.app.ledger.waiting(asked.book.book), days_of(period)[1])


def _show_list(session: Session, asked: Question, period: str, found: list[Any]) -> None:
    stands = all(one.holds for one in found)
    if session.as_json:
        output.json(asked.head | {"period": period, "holds": stands, "checks": found})
        return
    from tieout.render.periods import closing_table

    output.show(closing_table(found, session.texts))
    session.say("closing.holds" if stands else "closing.broken", period=period)
    session.footer(asked)
