"""Commands that ask what customers owe and what the accounts say, as of any day, as known at any moment."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.session import Question, Session, day
from tieout.cli.shown import Shown, limited, show
from tieout.errors import Exit, NotFound, UsageFault


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "balance")(balance)
    command(app, "items")(items)
    command(app, "ageing")(ageing)
    command(app, "statement")(statement)
    command(app, "journal")(journal)
    command(app, "trial-balance")(trial_balance)
    command(app, "control")(control)


def balance(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> None:
    """What customers have on each control account."""
    asked = session.question(as_of, known_as_of)
    found = asked.reader.balances(asked.book.book, customer, currency, asked.as_of)
    check_customer(session, asked, customer, found)
    if session.as_json:
        output.json(asked.head | {"balances": found})
        return
    from tieout.render.receivables import balance_table

    names = known_names(session, asked, (one.customer for one in found))
    output.show(balance_table(found, session.texts, asked.book.base_currency, names))
    session.footer(asked)


def items(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    account: options.Account = None,
    document: Annotated[str | None, typer.Option("--document", metavar="DOCUMENT", help="option.document")] = None,
    settled: Annotated[bool, typer.Option("--settled", help="option.settled")] = False,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Open items."""
    asked = session.question(as_of, known_as_of, today=True)
    found = asked.reader.items(
        asked.book.book, customer, currency, asked.as_of, settled=settled, account=account, document=document
    )
    if session.as_json:
        output.json_with_rows(asked.head, "items", limited(found, limit))
        return
    from tieout.render.receivables import items_table

    shown = Shown(found, limit)
    check_customer(session, asked, customer, shown.rows)
    show(session, asked, shown, items_table)


def ageing(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    buckets: Annotated[str, typer.Option("--buckets", metavar="DAYS", help="option.buckets")] = "30,60,90",
    total: Annotated[bool, typer.Option("--total", help="option.total")] = False,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> None:
    """Ageing of each customer, or of all together."""
    days = _buckets(buckets)
    if total and customer:
        raise UsageFault("error.total_of_one")
    asked = session.question(as_of, known_as_of, today=True)
    if total:
        found = asked.reader.ageing_totals(asked.book.book, asked.as_of, days, currency)
    else:
        found = asked.reader.ageing(asked.book.book, asked.as_of, days, customer, currency)
        check_customer(session, asked, customer, found)
    if session.as_json:
        output.json(asked.head | {"ageing": found})
        return
    from tieout.render.receivables import ageing_table

    names = known_names(session, asked, (one.customer for one in found if one.customer is not None))
    output.show(ageing_table(found, session.texts, names))
    session.footer(asked)


def statement(
    session: Session,
    customer: options.OneCustomer,
    currency: options.Currency = None,
    from_on: options.FromDay = None,
    as_of: options.ToDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> None:
    """A customer's statement, one for each currency."""
    first = day(from_on, "--from")
    asked = session.question(as_of, known_as_of)
    currencies = session.app.currencies(asked.book.book, customer)
    if not currencies:
        raise NotFound("error.customer_missing", customer=customer, book=asked.book.book)
    wanted = [currency] if currency else currencies
    found = [asked.reader.statement(asked.book.book, customer, one, first, asked.as_of) for one in wanted]
    if session.as_json:
        output.json(asked.head | {"statements": found})
        return
    from tieout.render.receivables import statement_table

    party = session.app.ledger.party(asked.book.book, customer)
    for number, one in enumerate(found):
        if number:
            output.write("")
        output.show(statement_table(one, session.texts, party.name if party else ""))
    session.footer(asked)


def journal(
    session: Session,
    customer: options.AnyCustomer = None,
    account: options.Account = None,
    from_on: options.FromDay = None,
    as_of: options.ToDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Events with their postings, in the order of the log."""
    first = day(from_on, "--from")
    asked = session.question(as_of, known_as_of)
    last = asked.as_of.effective_on
    found = asked.reader.journal(asked.book.book, first, last, customer, account, asked.as_of)
    if session.as_json:
        output.json_with_rows(asked.head, "entries", limited(found, limit))
        return
    from tieout.render.accounts import journal_table

    shown = Shown(found, limit)
    check_customer(session, asked, customer, shown.rows)
    show(session, asked, shown, journal_table)


def trial_balance(
    session: Session,
    from_on: options.FromDay = None,
    dimensions: options.Dimensions = False,
    as_of: options.ToDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> None:
    """Opening, turnover and closing of each account."""
    first = day(from_on, "--from")
    asked = session.question(as_of, known_as_of)
    found = asked.reader.trial_balance(asked.book.book, first, asked.as_of)
    if session.as_json:
        output.json(asked.head | {"from": first, "rows": found})
        return
    from tieout.render.accounts import by_account, trial_balance_table

    output.show(
        trial_balance_table(found if dimensions else by_account(found), session.texts, asked.book.base_currency)
    )
    session.footer(asked)


def control(
    session: Session,
    dimensions: options.Dimensions = False,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> int:
    """Subledger = control, for each control account."""
    asked = session.question(as_of, known_as_of)
    found = asked.reader.control(asked.book.book, asked.as_of)
    holds = all(one.holds for one in found)
    if session.as_json:
        output.json(asked.head | {"holds": holds, "rows": found})
    else:
        from tieout.render.accounts import by_account, control_table

        # A difference is never summed away.
        output.show(control_table(found if dimensions or not holds else by_account(found), session.texts))
        session.say("control.holds" if holds else "control.broken")
        session.footer(asked)
    return Exit.OK if holds else Exit.UNPROVED


def known_names(session: Session, asked: Question, customers: Iterable[str]) -> dict[str, str]:
    """Customer → name, of those that somebody named."""
    names = {}
    for customer in dict.fromkeys(customers):
        party = session.app.ledger.party(asked.book.book, customer)
        if party is not None:
            names[customer] = party.name
    return names


def check_customer(session: Session, asked: Question, customer: str | None, found: Iterable[Any]) -> None:
    """An empty answer is an answer only for a customer that the book knows; raises ``NotFound`` for another."""
    if customer is None or any(True for _ in found) or session.app.currencies(asked.book.book, customer):
        return
    if session.app.ledger.party(asked.book.book, customer) is None:
        raise NotFound("error.customer_missing", customer=customer, book=asked.book.book)


def _buckets(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    days = [int(part) for part in parts if part.isdigit()]
    if len(days) != len(parts) or days != sorted(set(days)) or days[0] < 1:
        raise UsageFault("error.buckets_wrong", value=text)
    return days
