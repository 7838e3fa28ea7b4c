"""Commands about what receivables are worth on a day: the allowance for bad debts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tieout.cli import options, output
from tieout.cli.entry import submitted
from tieout.cli.program import command
from tieout.cli.session import Question, Session
from tieout.errors import Exit, NotFound, UsageFault

if TYPE_CHECKING:
    from domain.commands import ChangeAllowanceMatrix
    from projections.answers import AllowanceAnswer, JournalEntry

OnDay = Annotated[str, typer.Option("--on", metavar="YYYY-MM-DD", help="option.on")]
Post = Annotated[bool, typer.Option("--post", help="option.post")]
Matrix = Annotated[Path | None, typer.Option("--matrix", metavar="FILE", help="option.matrix")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "allowance")(allowance)


def allowance(
    session: Session,
    on: OnDay,
    matrix: Matrix = None,
    post: Post = False,
    known_as_of: options.KnownAsOf = None,
    reason: options.Reason = None,
    actor: options.Actor = None,
    json: options.Json = False,
) -> int:
    """The evidence and the difference; with ``post`` booked, and its voucher."""
    from domain.allowance import matrix_of

    book = session.app.book()
    change = None if matrix is None else _matrix(session, book.book, matrix)
    given = None if change is None else matrix_of(change)
    who = {"actor": actor, "reason": reason, "book": book.book}
    if post and change is not None and given != book.matrix:
        rules = change.model_dump(include={"command", "buckets", "dimension"}, exclude_none=True)
        if submitted(session, rules | who, book.version) is None:
            return Exit.REFUSED
    asked = session.question(on, known_as_of)
    found = asked.reader.allowance(book.book, None if post else given, asked.as_of)
    if found is None:
        raise UsageFault("error.matrix_missing", book=book.book)
    entries: list[JournalEntry] = []
    if post and found.difference:
        lines = [{name: getattr(one, name) for name in _EVIDENCE} for one in found.lines]
        names = ("effective_on", "position", "book_version", "before")
        body = {"command": "PostAllowance", "lines": lines} | {name: getattr(found, name) for name in names}
        if (posted := _posted(session, body | who)) is None:
            return Exit.REFUSED
        entries = posted
    _show_allowance(session, asked, found, entries, post)
    return Exit.OK


_EVIDENCE = ("currency", "bucket", "group", "amount", "base_amount")


def _matrix(session: Session, book: str, path: Path) -> "ChangeAllowanceMatrix":
    """The matrix in a file."""
    from consumers.commands import parse_command
    from consumers.envelope import prepend
    from domain.commands import ChangeAllowanceMatrix
    from ledger.outcomes import Unreadable

    if not path.is_file():
        raise NotFound("error.file_missing", path=path)
    named = {"command": "ChangeAllowanceMatrix", "source": "cli", "source_id": "matrix", "book": book}
    entry = parse_command(prepend(named, path.read_bytes().strip()), origin="cli")
    if isinstance(entry, Unreadable):
        fault = f"{entry.field} {session.texts.detail(entry.rule)}".strip()
        raise UsageFault("error.matrix_wrong", path=path, fault=fault)
    assert isinstance(entry.command, ChangeAllowanceMatrix)
    return entry.command


def _posted(session: Session, given: dict[str, Any]) -> "list[JournalEntry] | None":
    """The voucher of a command; None where it is refused."""
    outcome = submitted(session, given, given["book_version"])
    if outcome is None:
        return None
    assert outcome.position is not None
    return session.reader().voucher(outcome.position, outcome.events)


def _show_allowance(
    session: Session, asked: Question, found: "AllowanceAnswer", entries: "list[JournalEntry]", post: bool
) -> None:
    if session.as_json:
        output.json(asked.head | msgspec.structs.asdict(found) | {"posted": entries})
        return
    from tieout.render.amounts import money
    from tieout.render.valuation import allowance_table

    base = asked.book.base_currency
    output.show(allowance_table(found, base, session.texts))
    figures = {name: money(getattr(found, name), base) for name in ("required", "before", "difference")}
    session.say("allowance.difference", **figures)
    _show_voucher(session, entries, "allowance", found.difference == 0, post)
    session.footer(asked)


def _show_voucher(session: Session, entries: "list[JournalEntry]", name: str, stands: bool, post: bool) -> None:
    """What was booked; else that there is nothing to book, or how to book it."""
    if entries:
        from tieout.render.accounts import journal_table

        output.write("")
        output.show(journal_table(entries, session.texts))
    elif stands:
        session.say(f"{name}.stands")
    elif not post:
        session.say(f"{name}.next")
