"""Commands about who customers are: names, languages and addresses stand beside the log and can be erased."""

from typing import Annotated

import msgspec
import typer

from tieout.cli import output
from tieout.cli.options import Json, OneCustomer
from tieout.cli.program import command, group
from tieout.cli.session import Session
from tieout.errors import NotFound, UsageFault


def register(app: typer.Typer) -> None:
    """Add the group to the program."""
    customers = group("customer")
    command(customers, "set", key="customer_set")(set_customer)
    command(customers, "show", key="customer_show")(show_customer)
    command(customers, "list", key="customer_list")(list_customers)
    command(customers, "erase", key="customer_erase")(erase_customer)
    app.add_typer(customers)


def set_customer(
    session: Session,
    customer: OneCustomer,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="option.customer_name")] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="TAG", help="option.language")] = None,
    address: Annotated[str | None, typer.Option("--address", metavar="TEXT", help="option.address")] = None,
) -> None:
    """Say who a customer is; what is not given stays."""
    from ledger.parties import Party

    book = session.app.book().book
    before = session.app.ledger.party(book, customer)
    if before is None and name is None:
        raise UsageFault("error.name_needed", customer=customer)
    party = before or Party(book=book, customer=customer, name="")
    given = {"name": name, "language": language, "address": address}
    party = msgspec.structs.replace(party, **{field: value for field, value in given.items() if value is not None})
    session.app.ledger.put_parties([party])
    session.say("customer.set", customer=customer)


def show_customer(session: Session, customer: OneCustomer, json: Json = False) -> None:
    """Who a customer is."""
    book = session.app.book().book
    party = session.app.ledger.party(book, customer)
    if party is None:
        raise NotFound("error.party_missing", customer=customer, book=book)
    if session.as_json:
        output.json(msgspec.structs.asdict(party))
        return
    from tieout.render.grid import grid, row

    table = grid(session.texts, ["fact", "value"])
    for fact, value in msgspec.structs.asdict(party).items():
        row(table, session.texts(f"column.{fact}"), value)
    output.show(table)


def list_customers(session: Session, json: Json = False) -> None:
    """Everybody that is known by name."""
    book = session.app.book().book
    parties = session.app.ledger.parties(book)
    if session.as_json:
        output.json_with_rows({"book": book}, "customers", parties)
        return
    from tieout.render.grid import grid, rows

    table = grid(session.texts, ["customer", "name", "language", "address"])
    output.show(rows(table, ((one.customer, one.name, one.language, one.address) for one in parties)))


def erase_customer(session: Session, customer: OneCustomer) -> None:
    """Forget who a customer is; its documents and balances stay."""
    book = session.app.book().book
    if not session.app.ledger.erase_party(book, customer):
        raise NotFound("error.party_missing", customer=customer, book=book)
    session.say("customer.erased", customer=customer)
