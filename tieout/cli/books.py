"""Commands about books: open one, list and show them, and their posting templates."""

from typing import Annotated, Any

import typer

from tieout.cli import output
from tieout.cli.entry import submit_one
from tieout.cli.options import Actor, Json, Reason
from tieout.cli.program import command, group
from tieout.cli.session import Session, day
from tieout.errors import NotFound, UsageFault

Roles = Annotated[list[str] | None, typer.Option("--role", metavar="ROLE=ACCOUNT", help="option.role")]
Methods = Annotated[list[str] | None, typer.Option("--method", metavar="METHOD=ACCOUNT", help="option.method")]
Reasons = Annotated[list[str] | None, typer.Option("--reason-role", metavar="REASON=ROLE", help="option.reason_role")]
BookName = Annotated[str, typer.Argument(metavar="BOOK", help="argument.book")]
AnyBook = Annotated[str | None, typer.Argument(metavar="BOOK", help="argument.any_book")]


def register(app: typer.Typer) -> None:
    """Add the group to the program."""
    books = group("book")
    command(books, "open", key="book_open")(open_book)
    command(books, "list", key="book_list")(list_books)
    command(books, "show", key="book_show")(show_book)
    command(books, "template", key="book_template")(template)
    app.add_typer(books)


def open_book(
    session: Session,
    new: BookName,
    currency: Annotated[str, typer.Option("--currency", "-c", metavar="CODE", help="option.base_currency")],
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="option.book_name")] = None,
    standard: Annotated[
        str | None, typer.Option("--standard", metavar="cas|cas-small|ifrs", help="option.standard")
    ] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", metavar="ZONE", help="option.time_zone")] = None,
    first_on: Annotated[str | None, typer.Option("--first-on", metavar="YYYY-MM-DD", help="option.first_on")] = None,
    allocation: Annotated[str | None, typer.Option("--allocation", metavar="POLICY", help="option.allocation")] = None,
    settlement: Annotated[
        str | None, typer.Option("--settlement", metavar="automatic|suggested", help="option.settlement")
    ] = None,
    tolerance: Annotated[
        list[str] | None, typer.Option("--tolerance", metavar="CODE=AMOUNT", help="option.tolerance")
    ] = None,
    tolerance_percent: Annotated[
        list[str] | None,
        typer.Option("--tolerance-percent", metavar="CODE=PERCENT", help="option.tolerance_percent"),
    ] = None,
    recognition: Annotated[
        str | None, typer.Option("--recognition", metavar="day|month", help="option.recognition")
    ] = None,
    late_facts: Annotated[
        str | None, typer.Option("--late-facts", metavar="move|refuse", help="option.late_facts")
    ] = None,
    role: Roles = None,
    method: Methods = None,
    reason_role: Reasons = None,
    actor: Actor = None,
    reason: Reason = None,
) -> int:
    """Open a book; opening it again with the same content does nothing."""
    day(first_on, "--first-on")
    given = {
        "command": "OpenBook",
        "actor": actor,
        "reason": reason,
        "book": new,
        "name": name,
        "standard": standard,
        "base_currency": currency,
        "time_zone": time_zone,
        "first_on": first_on,
        "allocation": allocation,
        "settlement": settlement,
        "recognition": recognition,
        "late_facts": late_facts,
        "tolerance_percents": _pairs(tolerance_percent, "--tolerance-percent"),
        "tolerances": {code: _minor(units, "--tolerance") for code, units in _pairs(tolerance, "--tolerance").items()},
        "roles": _pairs(role, "--role"),
        "methods": _pairs(method, "--method"),
        "reasons": _pairs(reason_role, "--reason-role"),
    }
    return submit_one(session, given, done="book.opened", again="book.there", book=new)


def list_books(session: Session, json: Json = False) -> None:
    """The books of the store."""
    books = session.app.ledger.books()
    if session.as_json:
        output.json({"books": [_facts(book) for book in books]})
        return
    if not books:
        raise NotFound("error.no_book", store=session.settings.location_name)
    from tieout.render.grid import grid, row

    table = grid(session.texts, ["book", "name", "standard", "base_currency", "time_zone", "first_on", "allocation"])
    for book in books:
        facts = _facts(book)
        row(table, *(facts[column] for column in ("book", "name", "standard", "base_currency", "time_zone", "first_on")),
            facts["allocation"])  # fmt: skip
    output.show(table)


def show_book(session: Session, name: AnyBook = None, json: Json = False) -> None:
    """What a book was opened with."""
    book = session.app.book(name)
    facts = _facts(book)
    if session.as_json:
        output.json(facts)
        return
    from tieout.render.grid import dimensions, grid, row

    table = grid(session.texts, ["fact", "value"])
    for fact, value in facts.items():
        shown = dimensions({k: str(v) for k, v in value.items()}) if isinstance(value, dict) else value
        row(table, session.texts(f"column.{fact}"), shown)
    output.show(table)


def template(
    session: Session,
    name: AnyBook = None,
    role: Roles = None,
    method: Methods = None,
    reason_role: Reasons = None,
    actor: Actor = None,
    reason: Reason = None,
    json: Json = False,
) -> int:
    """Show a book's posting template, or set entries of it."""
    book = session.app.book(name)
    changes = {
        "roles": _pairs(role, "--role"),
        "methods": _pairs(method, "--method"),
        "reasons": _pairs(reason_role, "--reason-role"),
    }
    now = book.template
    if all(getattr(now, kind) | entries == getattr(now, kind) for kind, entries in changes.items()):
        _show_template(session, book)
        return 0
    given = {"command": "ChangePostingTemplate", "actor": actor, "reason": reason, "book": book.book, **changes}
    done = "book.template_set"
    return submit_one(session, given, done=done, again=done, after=now.version, version=now.version + 1)


def _show_template(session: Session, book: Any) -> None:
    if session.as_json:
        output.json({"book": book.book, "template": book.template})
        return
    from tieout.render.grid import grid, row

    table = grid(session.texts, ["entry", "name", "means"])
    for kind in ("roles", "methods", "reasons"):
        for entry, means in getattr(book.template, kind).items():
            row(table, session.texts(f"template.{kind}"), entry, means)
    output.show(table)
    session.say("book.template_version", book=book.book, version=book.template.version)


def _facts(book: Any) -> dict[str, Any]:
    names = (
        "book",
        "name",
        "standard",
        "base_currency",
        "time_zone",
        "calendar",
        "first_on",
        "allocation",
        "settlement",
        "tolerances",
        "tolerance_percents",
        "recognition",
        "late_facts",
        "rate_source",
        "open_from",
    )
    return {name: getattr(book, name) for name in names} | {"template_version": book.template.version}


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for text in texts or []:
        name, mark, value = text.partition("=")
        if not (name and mark and value):
            raise UsageFault("error.pair_wrong", option=option, value=text)
        pairs[name] = value
    return pairs


def _minor(text: str, option: str) -> int:
    if not text.isdigit():
        raise UsageFault("error.minor_wrong", option=option, value=text)
    return int(text)
