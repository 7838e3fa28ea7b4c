"""Commands that bring facts in: ``post`` takes commands as JSON, ``import`` a table with a mapping."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tieout.cli import output
from tieout.cli.options import Json
from tieout.cli.program import command
from tieout.cli.session import Session
from tieout.errors import Exit, NotFound, UsageFault

if TYPE_CHECKING:
    from ledger.outcomes import Outcome, Submission, Unreadable

    Line = tuple[int, Submission | Unreadable]

_OPTIONS = {
    "book": "BOOK",
    "request": "REQUEST",
    "base_currency": "--currency",
    "tolerances": "--tolerance",
    "tolerance_percents": "--tolerance-percent",
    "roles": "--role",
    "methods": "--method",
    "reasons": "--reason-role",
}
"""Field of a command → where it stands on the command line, unless it is the option of that name."""
BATCH = 500
"""Commands a commit: enough that the commit costs little, few enough that an answer comes soon."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "import")(import_table)
    command(app, "post")(post)


def import_table(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="argument.table")],
    mapping: Annotated[Path | None, typer.Option("--mapping", "-m", metavar="FILE", help="option.mapping")] = None,
    json: Json = False,
) -> int:
    """Book the documents of a table; the same rows again book nothing."""
    from consumers.mapping import load_mapping
    from consumers.tables import import_file

    book = session.app.book()
    for path in (file, mapping):
        if path is not None and not path.is_file():
            raise NotFound("error.file_missing", path=path)
    rules = load_mapping(mapping) if mapping is not None else None
    with output.bar(session.texts("word.importing"), session.texts("unit.rows")) as told:
        progress = None if told is None else lambda at: told(at.rows_done, at.rows_total)
        summary = import_file(
            session.app.ledger,
            file,
            book=book.book,
            mapping=rules,
            progress=progress,
            now_us=session.settings.now_us,
        )
    session.log("imported", book=book.book, **msgspec.structs.asdict(summary) | {"problems": len(summary.problems)})
    if session.as_json:
        output.json(msgspec.structs.asdict(summary))
    else:
        _show_summary(session, summary)
    return Exit.REFUSED if summary.conflict or summary.refused or summary.quarantined else Exit.OK


def post(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="argument.commands")] = "-",
    quarantine: Annotated[bool, typer.Option("--quarantine", help="option.quarantine")] = False,
    schema: Annotated[str | None, typer.Option("--schema", metavar="COMMAND", help="option.schema")] = None,
    json: Json = False,
) -> int:
    """Book commands given as JSON, one object or one a line; an outcome each."""
    if schema is not None:
        return _show_schema(schema)
    worst = Exit.OK
    for batch in _batches(_entries(session, file, quarantine)):
        for line, outcome in _book(session, batch, quarantine):
            _show_outcome(session, session.texts("outcome.line", line=line), {"line": line}, outcome)
            if outcome.status in ("refused", "conflict"):
                worst = Exit.REFUSED
    return worst


def submit_one(
    session: Session, given: Mapping[str, Any], *, done: str, again: str, after: int = 0, **values: object
) -> int:
    """Book one command of the command line itself; ``done`` and ``again`` are the messages for booked and known.

    Its source id is made of its content, so that the same again is a duplicate and anything else is decided anew;
    ``after`` is the version that it changes, for what may be set back and set again.
    """
    outcome = submitted(session, given, after)
    if outcome is None:
        return Exit.REFUSED
    session.say(done if outcome.status == "booked" else again, **values)
    return Exit.OK


def submitted(session: Session, given: Mapping[str, Any], after: int = 0) -> "Outcome | None":
    """What becomes of one command of the command line itself; None where it is refused, which is said here."""
    from consumers.commands import parse_command
    from ledger.outcomes import Unreadable

    filled = {name: value for name, value in given.items() if value not in (None, {}, [])}
    content = hashlib.sha256(msgspec.json.encode(filled, order="sorted")).hexdigest()
    filled |= {"source": "cli", "source_id": f"{given['command']}:{given['book']}:{after}:{content[:16]}"}
    entry = parse_command(filled, origin="cli")
    if isinstance(entry, Unreadable):
        name = entry.field.split(".")[0]
        option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        raise UsageFault("error.option_wrong", option=option, value=entry.value, rule=session.texts.detail(entry.rule))
    [outcome] = session.app.ledger.submit([entry], now_us=session.settings.now_us)
    if outcome.status in ("refused", "conflict"):
        _show_outcome(session, session.texts("outcome.command"), {}, outcome)
        return None
    return outcome


def _entries(session: Session, file: str, quarantine: bool) -> Iterator["Line"]:
    """Line numbers with what stands there; the origin names the file by its digest, so that ``explain`` finds it."""
    import sys

    from consumers.commands import parse_command, read_lines

    book = session.settings.book
    if file == "-":
        if sys.stdin.isatty():
            session.note("post.reading")
        for line, text in read_lines(sys.stdin.buffer):
            yield line, parse_command(text, origin=f"stdin:{line}", book=book, quarantine=quarantine)
        return
    path = Path(file)
    if not path.is_file():
        raise NotFound("error.file_missing", path=path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        for line, text in read_lines(stream):
            yield line, parse_command(text, origin=f"file:{digest}:{line}", book=book, quarantine=quarantine)


def _book(session: Session, batch: "list[Line]", quarantine: bool) -> "Iterator[tuple[int, Outcome]]":
    """Book a batch in one commit. What is no command is refused; it is kept only where that is asked for."""
    from ledger.outcomes import Outcome, Status, Unreadable

    kept = [entry for _, entry in batch if quarantine or not isinstance(entry, Unreadable)]
    outcomes = iter(session.app.ledger.submit(kept, now_us=session.settings.now_us))
    for line, entry in batch:
        if isinstance(entry, Unreadable) and not quarantine:
            wrong = {name: getattr(entry, name) for name in ("code", "field", "value", "rule")}
            yield line, Outcome(Status.REFUSED, **wrong)
        else:
            yield line, next(outcomes)


def _batches(entries: "Iterable[Line]") -> "Iterator[list[Line]]":
    iterator = iter(entries)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _show_schema(name: str) -> int:
    from consumers.contracts import FOLDER
    from consumers.envelope import event_type
    from domain.commands import COMMANDS

    if name not in COMMANDS:
        raise UsageFault("error.command_unknown", name=name, names=", ".join(COMMANDS))
    output.write((FOLDER / f"{event_type(name)}.json").read_text(encoding="utf-8").rstrip())
    return Exit.OK


def _show_outcome(session: Session, name: str, head: Mapping[str, object], outcome: "Outcome") -> None:
    from tieout.render.outcomes import outcome_fields, outcome_text

    if session.as_json:
        output.json({**head, **outcome_fields(outcome)})
    else:
        output.write(outcome_text(name, outcome, session.texts))


def _show_summary(session: Session, summary: Any) -> None:
    from tieout.render.outcomes import problems_table, summary_table

    output.show(summary_table(summary, session.texts))
    if summary.problems:
        output.write("")
        output.show(problems_table(summary.problems, session.texts))
        _advise(session, [problem.code for problem in summary.problems])
    if summary.quarantined:
        session.say("import.quarantined", count=f"{summary.quarantined:,}")


def _advise(session: Session, codes: Sequence[str]) -> None:
    """What to do next about each kind of problem."""
    for code in dict.fromkeys(codes):
        advice = session.texts.get(f"next.{code}", "")
        if advice:
            output.write(f"{code}: {advice}")
