"""The command that compares what upstream says that it sent with what became of it."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.session import Session, day
from tieout.cli.shown import Shown, limited
from tieout.errors import Exit

if TYPE_CHECKING:
    from projections.answers import FeedDay

Feed = Annotated[str | None, typer.Option("--feed", metavar="SOURCE", help="option.feed")]
OpenOnly = Annotated[bool, typer.Option("--open", help="option.open_only")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "completeness")(completeness)


def completeness(
    session: Session,
    feed: Feed = None,
    from_day: options.FromDay = None,
    to_day: options.ToDay = None,
    open_only: OpenOnly = False,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> int:
    """What was stated and what is there, by feed, day and currency, then every difference down to its messages."""
    from_on, to_on = day(from_day, "--from"), day(to_day, "--to")
    asked = session.question(known_as_of=known_as_of)
    found = asked.reader.completeness(asked.book.book, feed, from_on, to_on, asked.as_of, open_only=open_only)
    still_open = sum(broken.open for one in found for broken in one.breaks)
    code = Exit.UNPROVED if still_open else Exit.OK
    if session.as_json:
        rows = (msgspec.structs.asdict(one) | {"open": one.open} for one in limited(found, limit))
        output.json_with_rows(asked.head, "completeness", rows)
        return code
    _show(session, found, limit)
    if still_open:
        from tieout.render.amounts import count

        session.say("completeness.open", count=count(still_open))
    elif open_only or any(one.stated for one in found):
        session.say("completeness.complete")
    else:
        session.say("completeness.nothing")
    session.footer(asked)
    return code


def _show(session: Session, found: "list[FeedDay]", limit: int | None) -> None:
    from tieout.render.completeness import breaks_table, days_table, messages_table

    breaks = [(one, broken) for one in found for broken in one.breaks]
    messages = [(broken, message) for _, broken in breaks for message in broken.messages]
    parts: list[tuple[Any, list[Any]]] = [(days_table, found), (breaks_table, breaks), (messages_table, messages)]
    for table, rows in parts:
        if rows:
            shown = Shown(rows, limit)
            output.show(table(shown.rows, session.texts))
            shown.tell(session)
            output.write("")
