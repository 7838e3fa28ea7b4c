"""Commands about what receivables are worth on a day: the allowance for bad debts, exchange rates, revaluation."""

import csv
from itertools import chain, islice
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
    from collections.abc import Iterator
    from datetime import date

    from domain.commands import ChangeAllowanceMatrix
    from projections.answers import AllowanceAnswer, JournalEntry, RevaluationAnswer

OnDay = Annotated[str, typer.Option("--on", metavar="YYYY-MM-DD", help="option.on")]
Post = Annotated[bool, typer.Option("--post", help="option.post")]
RateSource = Annotated[str | None, typer.Option("--rates", metavar="SOURCE", help="option.rates")]
RateFile = Annotated[Path | None, typer.Argument(metavar="FILE", help="argument.rates")]
MaybeDay = Annotated[str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="option.rates_on")]
Matrix = Annotated[Path | None, typer.Option("--matrix", metavar="FILE", help="option.matrix")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "allowance")(allowance)
    command(app, "rates")(rates)
    command(app, "revalue")(revalue)


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


def rates(
    session: Session,
    file: RateFile = None,
    source: RateSource = None,
    on: MaybeDay = None,
    known_as_of: options.KnownAsOf = None,
    actor: options.Actor = None,
    reason: options.Reason = None,
    json: options.Json = False,
) -> int:
    """State the rates of a table that are not in force yet; or show those that hold."""
    asked = session.question(on, known_as_of)
    book = asked.book.book
    if file is not None:
        if source is None:
            raise UsageFault("error.rates_source", names="--rates SOURCE")
        given = _table(file)
        known = asked.reader.stated_rates(book, source)
        new = [one for one in given if known.get((one[0], one[1])) != one[2]]
        who = {"actor": actor, "reason": reason, "book": book, "rate_source": source}
        for rows in _chunks(new):
            stated = [dict(zip(_RATE, row, strict=True)) for row in rows]
            if submitted(session, {"command": "StateRates", "rates": stated} | who, asked.reader.position) is None:
                return Exit.REFUSED
        if session.as_json:
            output.json(asked.head | {"rate_source": source, "stated": len(new), "known": len(given) - len(new)})
        else:
            session.say("rates.stated", count=f"{len(new):,}", known=f"{len(given) - len(new):,}")
        return Exit.OK
    found = asked.reader.rates(book, source, asked.as_of)
    if session.as_json:
        output.json_with_rows(asked.head, "rates", found)
        return Exit.OK
    from tieout.render.valuation import rates_table

    output.show(rates_table(found, session.texts))
    session.footer(asked)
    return Exit.OK


_RATE = ("day", "currency", "rate")
_AT_ONCE = 500
"""Rates a command."""


def _chunks(rows: "list[tuple[date, str, str]]") -> "Iterator[list[tuple[date, str, str]]]":
    """Rows a command each: of two for one day and currency the later one stands in a later command."""
    left = iter(rows)
    while chunk := list(islice(left, _AT_ONCE)):
        while len({row[:2] for row in chunk}) < len(chunk):
            left = chain([chunk.pop()], left)
        yield chunk


def _table(path: Path) -> "list[tuple[date, str, str]]":
    """The rows of a CSV file with columns day, currency and rate; what they say is checked here, all or none."""
    from pydantic import ValidationError

    from consumers.words import first_error
    from domain.commands import StatedRate

    if not path.is_file():
        raise NotFound("error.file_missing", path=path)
    found = []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        if not set(_RATE) <= set(reader.fieldnames or ()):
            raise UsageFault("error.rates_columns", path=path, columns=", ".join(_RATE))
        for row in reader:
            try:
                one = StatedRate.model_validate_strings({name: row[name] for name in _RATE})
            except ValidationError as error:
                field, value, rule = first_error(error)
                fault = f"{field} {value!r} {rule}"
                raise UsageFault("error.rates_wrong", path=path, line=reader.line_num, fault=fault) from None
            found.append((one.day, one.currency, one.rate))
    return list(dict.fromkeys(found))


def revalue(
    session: Session,
    on: OnDay,
    source: RateSource = None,
    post: Post = False,
    known_as_of: options.KnownAsOf = None,
    reason: options.Reason = None,
    actor: options.Actor = None,
    json: options.Json = False,
) -> int:
    """The evidence and the differences; with ``post`` booked and taken back on the next day, and the vouchers."""
    asked = session.question(on, known_as_of)
    book = asked.book.book
    if source is None:
        names = sorted({one.rate_source for one in asked.reader.rates(book)})
        if len(names) != 1:
            raise UsageFault("error.rates_source", names=", ".join(names) or "tieout rates FILE --rates SOURCE")
        [source] = names
    found = asked.reader.revaluation(book, source, asked.as_of)
    if found is None:
        raise UsageFault("error.book_later", book=book, position=asked.position)
    if found.missing:
        raise UsageFault("error.rates_missing", source=source, currencies=", ".join(found.missing), day=on)
    entries: list[JournalEntry] = []
    stands = not any(line.difference for line in found.lines)
    if post and not stands:
        lines = [{name: getattr(one, name) for name in _VALUED} for one in found.lines]
        names_of = ("effective_on", "position", "book_version", "rate_source")
        body = {"command": "PostRevaluation", "lines": lines, "actor": actor, "reason": reason, "book": book}
        if (posted := _posted(session, body | {name: getattr(found, name) for name in names_of})) is None:
            return Exit.REFUSED
        entries = posted
    _show_revaluation(session, asked, found, entries, stands, post)
    return Exit.OK


_VALUED = ("currency", "account", "amount", "base_amount", "rate", "rate_on", "before")


def _show_revaluation(
    session: Session,
    asked: Question,
    found: "RevaluationAnswer",
    entries: "list[JournalEntry]",
    stands: bool,
    post: bool,
) -> None:
    if session.as_json:
        output.json(asked.head | msgspec.structs.asdict(found) | {"posted": entries})
        return
    from tieout.render.valuation import revaluation_table

    output.show(revaluation_table(found, asked.book.base_currency, session.texts))
    _show_voucher(session, entries, "revalue", stands, post)
    session.footer(asked)


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
