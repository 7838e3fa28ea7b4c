"""Commands about approvals: what waits for one, and the two answers to it."""

from typing import Annotated, Any

import msgspec
import typer

from ledger.approvals import Request
from tieout.cli import options, output
from tieout.cli.entry import submit_one
from tieout.cli.program import command
from tieout.cli.session import Session
from tieout.cli.shown import Shown, limited

OneRequest = Annotated[str, typer.Argument(metavar="REQUEST", help="argument.request")]
Checker = Annotated[str, typer.Option("--as", "--actor", metavar="WHO", help="option.checker")]
AnyActor = Annotated[str | None, typer.Option("--as", "--actor", metavar="WHO", help="option.actor")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "approvals")(approvals)
    command(app, "approve")(approve)
    command(app, "disapprove")(disapprove)


def approvals(
    session: Session,
    every: Annotated[bool, typer.Option("--all", help="option.all_requests")] = False,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """What waits for an approval, who made it and since when."""
    found = session.app.ledger.approvals(session.settings.book, every=every)
    if session.as_json:
        output.json_with_rows({}, "approvals", (_fields(one) for one in limited(found, limit)))
        return
    from tieout.render.outcomes import approvals_table

    shown = Shown(found, limit)
    if not shown.rows:
        session.say("approvals.empty")
        return
    output.show(approvals_table(shown.rows, session.texts))
    shown.tell(session)
    pending = next((one for one in shown.rows if one.status == "pending"), None)
    if pending is not None:
        session.say("approvals.next", request=pending.request)


def approve(session: Session, request: OneRequest, actor: Checker, reason: options.Reason = None) -> int:
    """Approve what another one made: it is booked at once."""
    return _decide(session, "GiveApproval", request, actor, reason, done="approvals.given")


def disapprove(
    session: Session,
    request: OneRequest,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="option.disapprove_reason")],
    actor: AnyActor = None,
) -> int:
    """Refuse a request; nothing is booked."""
    return _decide(session, "RefuseApproval", request, actor, reason, done="approvals.refused")


def _decide(session: Session, name: str, request: str, actor: str | None, reason: str | None, *, done: str) -> int:
    given = {
        "command": name,
        "book": session.app.book().book,
        "request": request,
        "actor": actor,
        "reason": reason,
    }
    return submit_one(session, given, done=done, again=done, request=request)


def _fields(request: Request) -> dict[str, Any]:
    """A request as JSON fields: its instants are ISO."""
    from tieout.clock import iso

    fields = msgspec.structs.asdict(request)
    decided_us = fields.pop("decided_us")
    return fields | {
        "since": iso(fields.pop("since_us")),
        "decided_at": None if decided_us is None else iso(decided_us),
    }
