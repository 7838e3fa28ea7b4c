"""Commands about revenue over time: recognise what is earned up to a day, and what is deferred by month."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.questions import check_customer
from tieout.cli.session import Session, day
from tieout.errors import Exit

if TYPE_CHECKING:
    from ledger.outcomes import Outcome
    from projections.answers import DueRecognition

    Recognised = tuple[DueRecognition, Outcome | None]

Until = Annotated[str, typer.Option("--until", metavar="YYYY-MM-DD", help="option.until")]
OfCustomer = Annotated[str | None, typer.Option("--customer", metavar="CUSTOMER", help="option.of_customer")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="option.dry_run")]
BATCH = 500
"""Documents a commit: a run that is stopped keeps what it has booked, and run again it books the rest."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "recognise")(recognise)
    command(app, "deferred")(deferred)


def recognise(
    session: Session,
    until: Until,
    customer: OfCustomer = None,
    dry_run: DryRun = False,
    actor: options.Actor = None,
    reason: options.Reason = None,
    json: options.Json = False,
) -> int:
    """Recognise the revenue of all documents that is earned up to a day; the same again books nothing."""
    until_on = day(until, "--until")
    assert until_on is not None
    asked = session.question()
    due = list(asked.reader.due_recognitions(asked.book.book, until_on, customer))
    check_customer(session, asked, customer, due)
    given = {"source": "cli", "actor": actor, "reason": reason, "book": asked.book.book, "until_on": until}
    with output.bar(session.texts("word.recognising"), session.texts("unit.documents")) as told:
        found = []
        for one in _dry(due) if dry_run else _run(session, due, given):
            found.append(one)
            if told is not None:
                told(len(found), len(due))
    session.log("recognised", book=asked.book.book, until=until, documents=len(due), dry_run=dry_run)
    if session.as_json:
        head = {"book": asked.book.book, "until_on": until_on, "dry_run": dry_run}
        output.json_with_rows(head, "recognitions", (_fields(*one) for one in found))
    else:
        _show(session, found, until, dry_run)
    return Exit.REFUSED if any(_is_refused(outcome) for _, outcome in found) else Exit.OK


def _dry(due: "list[DueRecognition]") -> "Iterator[Recognised]":
    return ((one, None) for one in due)


def _run(session: Session, due: "list[DueRecognition]", given: dict[str, Any]) -> "Iterator[Recognised]":
    """Each document's recognition with its outcome. Its source id is made of document and day, for whoever asks again."""
    from consumers.commands import parse_command

    named = {name: value for name, value in given.items() if value is not None}
    rest = iter(due)
    while batch := list(islice(rest, BATCH)):
        entries = [parse_command(named | _command(one, given), origin="cli") for one in batch]
        yield from zip(batch, session.app.ledger.submit(entries, now_us=session.settings.now_us), strict=True)


def _command(one: "DueRecognition", given: dict[str, Any]) -> dict[str, Any]:
    from domain.documents import parse_document

    name = hashlib.sha256(f"{one.customer}:{one.currency}:{one.document}".encode()).hexdigest()[:32]
    return {
        "command": "RecogniseRevenue",
        "source_id": f"RecogniseRevenue:{given['book']}:{given['until_on']}:{name}",
        "customer": one.customer,
        "currency": one.currency,
        "document": parse_document(one.document)._asdict(),
    }


def _is_refused(outcome: "Outcome | None") -> bool:
    return outcome is not None and outcome.status in ("refused", "conflict")


def _fields(one: "DueRecognition", outcome: "Outcome | None") -> dict[str, Any]:
    told = {} if outcome is None else {"status": outcome.status, "code": outcome.code}
    return msgspec.structs.asdict(one) | {name: value for name, value in told.items() if value is not None}


def _show(session: Session, found: "list[Recognised]", until: str, dry_run: bool) -> None:
    from tieout.render.outcomes import outcome_text
    from tieout.render.revenue import recognised_table

    if not found:
        session.say("recognise.nothing", until=until)
        return
    done = [one for one, outcome in found if not _is_refused(outcome)]
    if done:
        output.show(recognised_table(done, session.texts))
        session.say("recognise.due" if dry_run else "recognise.done", count=f"{len(done):,}", until=until)
    for one, outcome in found:
        if outcome is not None and _is_refused(outcome):
            output.write(outcome_text(one.document, outcome, session.texts))


def deferred(
    session: Session,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> int:
    """What is deferred and recognised by month, against the accounts of deferred revenue."""
    asked = session.question(as_of, known_as_of)
    found = asked.reader.deferred(asked.book.book, asked.as_of)
    holds = all(one.holds for one in found)
    if session.as_json:
        output.json(asked.head | {"holds": holds, "months": found})
    elif not found:
        session.say("deferred.empty")
        session.footer(asked)
    else:
        from tieout.render.revenue import deferred_table

        output.show(deferred_table(found, session.texts, asked.book.base_currency))
        session.say("deferred.holds" if holds else "deferred.broken")
        session.footer(asked)
    return Exit.OK if holds else Exit.UNPROVED
