"""Commands about the store as a whole: make it, look at it, prove it, rebuild what is derived."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tieout.cli import output
from tieout.cli.options import Json
from tieout.cli.program import command
from tieout.cli.session import Session
from tieout.clock import iso
from tieout.errors import Exit, UserError


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for name, function in (
        ("init", init),
        ("status", status),
        ("replay", replay),
        ("rebuild", rebuild),
        ("export", export),
    ):
        command(app, name)(function)


def init(session: Session) -> None:
    """Make the store; done before, it does nothing."""
    from ledger.store import create

    made = create(session.settings.location)
    session.say("init.made" if made else "init.there", store=session.settings.location_name)
    if not session.app.ledger.books():
        session.say("init.next")


def status(session: Session, json: Json = False) -> None:
    """Head of the log, how far the projections are, books, what stands in quarantine, and how the feeds stand."""
    from ledger.outcomes import token
    from tieout.register import feeds

    ledger = session.app.ledger
    head = ledger.head()
    position = session.reader().position
    books = [_book_counts(session, book.book, book.base_currency) for book in ledger.books()]
    found = feeds(session.settings.location)
    answer = {
        "store": session.settings.location_name,
        "head": token(head.position),
        "recorded_at": iso(head.recorded_us) if head.position else None,
        "position": token(position),
        "lag": head.position - position,
        "books": books,
        "kafka": [msgspec.structs.asdict(one) for one in found.positions],
        "paused": [{"part": one.part, "since": iso(one.since_us), "reason": one.reason} for one in found.paused],
        "parked": found.parked,
    }
    if session.as_json:
        output.json(answer)
    else:
        _show_status(session, answer)


def replay(
    session: Session,
    repair: Annotated[bool, typer.Option("--repair", help="option.repair")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="option.differences")] = 100,
    json: Json = False,
) -> int:
    """Prove the projections by making them anew beside the stored ones."""
    from ledger.store import check
    from projections.replay import replay as prove

    store = check(session.settings.location)
    session.app.follow()
    with output.bar(session.texts("word.replaying"), session.texts("unit.events")) as told:
        report = prove(store, told, limit=limit)
    if session.as_json:
        output.json(
            {name: getattr(report, name) for name in report.__struct_fields__} | {"identical": report.identical}
        )
    else:
        _show_report(session, report)
    if report.identical:
        return Exit.OK
    if repair:
        _rebuild(session)
    return Exit.UNPROVED


def rebuild(
    session: Session,
    workers: Annotated[int, typer.Option("--workers", min=1, metavar="N", help="option.workers")] = 1,
) -> None:
    """Make the projections anew from the whole log."""
    _rebuild(session, workers)


def export(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="argument.export")],
) -> None:
    """Write the log as Parquet files, or what is new in it."""
    from projections.exporting import export as write

    location = session.settings.location
    try:
        with output.bar(session.texts("word.exporting"), session.texts("unit.events")) as told:
            files = write(location, folder, told)
    except OSError as error:
        raise UserError("error.export", path=folder, reason=error.strerror or error) from None
    session.say("export.done", files=len(files), folder=folder)


def _rebuild(session: Session, workers: int = 1) -> None:
    from ledger.outcomes import token
    from ledger.store import check
    from projections.rebuild import rebuild as make_anew

    with output.bar(session.texts("word.rebuilding"), session.texts("unit.events")) as told:
        position = make_anew(check(session.settings.location), told, workers=workers)
    session.note("rebuild.done", position=token(position))


def _book_counts(session: Session, book: str, base_currency: str) -> dict[str, Any]:
    from tieout.register import document_counts

    entries = {"open": 0, "booked": 0, "dismissed": 0}
    for entry in session.app.ledger.quarantined(book, status=None):
        entries[entry.status] += 1
    return {
        "book": book,
        "base_currency": base_currency,
        "documents": document_counts(session.settings.location, book),
        "quarantine": entries,
        "waiting": len(session.app.ledger.waiting(book)),
    }


def _show_status(session: Session, answer: dict[str, Any]) -> None:
    from tieout.render.amounts import count
    from tieout.render.grid import grid, row

    texts = session.texts
    table = grid(texts, ["fact", "value"])
    for name in ("store", "head", "recorded_at", "position", "lag"):
        row(table, texts(f"status_of.{name}"), answer[name])
    output.show(table)
    output.write("")
    columns = ("documents", "quarantined", "waiting")
    books = grid(texts, ["book", "base_currency", *(f"={texts(f'column.{name}')}" for name in columns)])
    for book in answer["books"]:
        documents = sum(book["documents"].values())
        counts = (documents, book["quarantine"]["open"], book["waiting"])
        row(books, book["book"], book["base_currency"], *map(count, counts))
    output.show(books)
    _show_feeds(session, answer)
    if any(book["quarantine"]["open"] for book in answer["books"]):
        session.say("status.quarantine")
    if any(book["waiting"] for book in answer["books"]):
        session.say("status.waiting")


def _show_feeds(session: Session, answer: dict[str, Any]) -> None:
    """What comes from Kafka, where anything does, and what an operator has paused."""
    from tieout.render.amounts import count
    from tieout.render.grid import grid, rows

    for name, columns in (
        ("kafka", ["cluster", "topic", "partition", "next"]),
        ("paused", ["part", "since", "reason"]),
    ):
        if answer[name]:
            output.write("")
            output.show(rows(grid(session.texts, columns), ([one[part] for part in columns] for one in answer[name])))
    if answer["parked"]:
        session.say("status.parked", count=count(answer["parked"]))


def _show_report(session: Session, report: Any) -> None:
    from tieout.render.amounts import count
    from tieout.render.grid import grid, row
    from tieout.render.traces import differences_table

    table = grid(session.texts, ["table", "rows"])
    for name, compared in report.rows.items():
        row(table, name, count(compared))
    output.show(table)
    events, position = count(report.events), report.position
    if report.identical:
        session.say("replay.identical", events=events, position=position)
        return
    output.write("")
    output.show(differences_table(report.first, session.texts))
    session.say("replay.differs", differences=count(report.differences), shown=len(report.first), position=position)
