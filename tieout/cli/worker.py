"""Commands of the worker: run parts, have one pause, let it go on."""

import sys
from typing import Annotated

import typer

from tieout.cli.program import command
from tieout.cli.session import Session
from tieout.errors import Exit
from tieout.worker import parts as known

Part = Annotated[str, typer.Argument(metavar="PART", help="argument.part")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for name, function in (("worker", worker), ("pause", pause), ("resume", resume)):
        command(app, name)(function)


def worker(
    session: Session,
    parts: Annotated[list[str] | None, typer.Argument(metavar="PART", help="argument.parts")] = None,
) -> int:
    """Run parts until a signal comes."""
    chosen = known.chosen(session.settings, parts or [])
    from tieout.worker.running import run

    def started() -> None:
        # Elsewhere the log says it.
        if sys.stderr.isatty():
            session.note("worker.started", parts=", ".join(chosen), store=session.settings.location_name)

    return Exit.OK if run(session.settings, chosen, started) else Exit.FAILED


def pause(
    session: Session,
    part: Part,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="option.pause_reason")],
) -> None:
    """Have a part pause in every worker, until it is resumed."""
    done = session.app.ledger.pause(known.check(part), reason, now_us=session.settings.now_us)
    session.say("worker.paused" if done else "worker.paused_before", part=part)


def resume(session: Session, part: Part) -> None:
    """Let it go on."""
    done = session.app.ledger.resume(known.check(part))
    session.say("worker.resumed" if done else "worker.not_paused", part=part)
