"""The command about facts that wait: refunds and reversals whose document is not in the books yet."""

from typing import Any

import msgspec
import typer

from ledger.waiting import WaitingFact
from tieout.cli import output
from tieout.cli.options import Json, Limit
from tieout.cli.program import command
from tieout.cli.session import Session
from tieout.cli.shown import Shown, limited


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "waiting")(waiting)


def waiting(session: Session, limit: Limit = None, json: Json = False) -> None:
    """What waits, and for what."""
    found = session.app.ledger.waiting(session.settings.book)
    if session.as_json:
        output.json_with_rows({}, "waiting", (_fields(one) for one in limited(found, limit)))
        return
    from tieout.render.outcomes import waiting_table

    shown = Shown(found, limit)
    if not shown.rows:
        session.say("waiting.empty")
        return
    output.show(waiting_table(shown.rows, session.texts))
    shown.tell(session)
    session.say("waiting.next")


def _fields(fact: WaitingFact) -> dict[str, Any]:
    """A fact as JSON fields: its instant is ISO."""
    from tieout.clock import iso

    fields = msgspec.structs.asdict(fact)
    return fields | {"since": iso(fields.pop("since_us"))}
