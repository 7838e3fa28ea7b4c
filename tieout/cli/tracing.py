"""Commands that lead from a number to what is behind it: explain, history, documents."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.questions import check_customer
from tieout.cli.session import Question, Session
from tieout.cli.shown import Shown, limited, show
from tieout.errors import NotFound

if TYPE_CHECKING:
    from projections.answers import DocumentView


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "documents")(documents)
    command(app, "document")(document)
    command(app, "history")(history)


def documents(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="option.kind")] = None,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Documents, in the order of the log."""
    asked = session.question(as_of, known_as_of)
    found = asked.reader.documents(asked.book.book, customer, currency, kind, asked.as_of)
    if session.as_json:
        output.json_with_rows(asked.head, "documents", limited(found, limit))
        return
    from tieout.render.traces import documents_table

    shown = Shown(found, limit)
    check_customer(session, asked, customer, shown.rows)
    show(session, asked, shown, documents_table)


def document(
    session: Session,
    document: options.OneDocument,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> None:
    """One document with its items, links and history."""
    asked = session.question(as_of, known_as_of)
    view = find_document(asked, document)
    if session.as_json:
        output.json(asked.head | {"document": view})
    else:
        show_document(session, view)
        session.footer(asked)


def history(
    session: Session,
    document: Annotated[str | None, typer.Argument(metavar="DOCUMENT", help="argument.any_document")] = None,
    customer: Annotated[str | None, typer.Option("--customer", metavar="CUSTOMER", help="option.customer")] = None,
    after: Annotated[str | None, typer.Option("--after", metavar="POSITION", help="option.after")] = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """The audit trail: who booked what, when, why, and from which message."""
    asked = session.question(None, known_as_of)
    if document is not None:
        find_document(asked, document)
    found = asked.reader.audit(
        asked.book.book, customer, document, after=0 if after is None else position(after), as_of=asked.as_of
    )
    if session.as_json:
        output.json_with_rows(asked.head, "history", limited(found, limit))
        return
    from tieout.render.traces import audit_table

    shown = Shown(found, limit)
    check_customer(session, asked, customer, shown.rows)
    show(session, asked, shown, audit_table)


def position(text: str) -> int:
    """A log position from the command line."""
    from ledger.outcomes import read_token
    from tieout.errors import UsageFault

    try:
        return read_token(text)
    except ValueError:
        raise UsageFault("error.position_wrong", value=text) from None


def find_document(asked: Question, name: str) -> "DocumentView":
    """A document by its id; raises ``NotFound`` with what a document id looks like."""
    view = asked.reader.document(asked.book.book, name, asked.as_of)
    if view is None:
        raise NotFound("error.document_missing", document=name, book=asked.book.book)
    return view


def show_document(session: Session, view: "DocumentView") -> None:
    """A document for people: itself, its items, its links, its history."""
    from tieout.render.receivables import items_table
    from tieout.render.traces import audit_table, documents_table, links_table

    output.show(documents_table([view.row], session.texts))
    parts: list[tuple[str, Any]] = [
        ("title.items", items_table(view.items, session.texts) if view.items else None),
        ("title.links", links_table(view.links, view.row.currency, session.texts) if view.links else None),
        ("title.history", audit_table(view.history, session.texts)),
    ]
    for title, table in parts:
        if table is not None:
            output.write("")
            session.say(title)
            output.show(table)
