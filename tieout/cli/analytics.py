"""Commands that say how receivables do: days outstanding, how customers pay, exposure, what is unusual, what changed."""

from datetime import timedelta
from typing import Annotated

import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.questions import check_customer, known_names
from tieout.cli.session import Session, day, position
from tieout.cli.shown import Shown, limited, show
from tieout.errors import NotFound, UsageFault


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "dso")(dso)
    command(app, "payers")(payers)
    command(app, "exposure")(exposure)
    command(app, "unusual")(unusual)
    command(app, "changes")(changes)


def dso(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    days: Annotated[int, typer.Option("--days", min=1, max=3660, metavar="N", help="option.sales_days")] = 90,
    total: Annotated[bool, typer.Option("--total", help="option.total")] = False,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Days sales outstanding of each customer, or of all together."""
    if total and customer:
        raise UsageFault("error.total_of_one")
    asked = session.question(as_of, known_as_of, today=True)
    if total:
        found = asked.reader.dso_totals(asked.book.book, asked.as_of, days, currency)
    else:
        found = asked.reader.dso(asked.book.book, asked.as_of, days, customer, currency)
        check_customer(session, asked, customer, found)
    if session.as_json:
        output.json_with_rows(asked.head | {"days": days}, "dso", limited(found, limit))
        return
    from tieout.render.analytics import dso_table

    shown = Shown(found, limit)
    names = known_names(session, asked, (one.customer for one in shown.rows if one.customer is not None))
    show(session, asked, shown, dso_table, names=names)


def payers(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    from_on: options.FromDay = None,
    as_of: options.ToDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """How many days customers take to pay, and how many of them late."""
    first = day(from_on, "--from")
    asked = session.question(as_of, known_as_of, today=True)
    last = asked.as_of.effective_on
    assert last is not None
    if first is None:
        first = last - timedelta(days=364)
    found = asked.reader.payers(asked.book.book, first, asked.as_of, customer, currency)
    check_customer(session, asked, customer, found)
    if session.as_json:
        output.json_with_rows(asked.head | {"from": first}, "payers", limited(found, limit))
        return
    from tieout.render.analytics import payers_table

    shown = Shown(found, limit)
    names = known_names(session, asked, (one.customer for one in shown.rows))
    show(session, asked, shown, payers_table, names=names)


def exposure(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    overdue: Annotated[int, typer.Option("--overdue", min=0, metavar="DAYS", help="option.hold_overdue")] = 30,
    hold: Annotated[bool, typer.Option("--hold", help="option.hold")] = False,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Credit limits, what of them is used, and whom to hold for which reasons."""
    asked = session.question(as_of, known_as_of, today=True)
    found = asked.reader.exposures(asked.book.book, asked.as_of, overdue, customer, currency)
    check_customer(session, asked, customer, found)
    wanted = [one for one in found if one.hold or not hold]
    if session.as_json:
        output.json_with_rows(asked.head | {"overdue": overdue}, "exposure", limited(wanted, limit))
        return
    from tieout.render.analytics import exposure_table

    shown = Shown(wanted, limit)
    names = known_names(session, asked, (one.customer for one in shown.rows))
    show(session, asked, shown, exposure_table, names=names)


def unusual(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    times: Annotated[int, typer.Option("--times", min=1, max=1000, metavar="K", help="option.times")] = 3,
    as_of: options.AsOfDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Credit balances, jumps of a balance in the month, flagged events; each with its evidence."""
    asked = session.question(as_of, known_as_of, today=True)
    found = asked.reader.unusual(asked.book.book, asked.as_of, times, customer, currency)
    check_customer(session, asked, customer, found)
    if session.as_json:
        output.json_with_rows(asked.head | {"times": times}, "unusual", limited(found, limit))
        return
    from tieout.render.analytics import unusual_table

    show(session, asked, Shown(found, limit), unusual_table, empty="unusual.empty")


def changes(
    session: Session,
    customer: options.OneCustomer,
    on: Annotated[str, typer.Option("--on", metavar="YYYY-MM-DD", help="option.statement_on")],
    since: Annotated[str, typer.Option("--since", metavar="WHEN", help="option.statement_since")],
    currency: options.Currency = None,
    as_of: options.ToDay = None,
    known_as_of: options.KnownAsOf = None,
    json: options.Json = False,
) -> None:
    """What changed since a statement: what is known now and was not then."""
    from projections.answers import AsOf

    asked = session.question(as_of, known_as_of)
    then = AsOf(day(on, "--on"), position(asked.reader, asked.book, since))
    assert then.effective_on is not None
    assert then.position is not None
    until = asked.as_of.effective_on
    known = asked.reader.position if asked.as_of.position is None else asked.as_of.position
    if then.position > known or (until is not None and then.effective_on > until):
        raise UsageFault("error.changes_before")
    currencies = session.app.currencies(asked.book.book, customer)
    if not currencies:
        raise NotFound("error.customer_missing", customer=customer, book=asked.book.book)
    wanted = [currency] if currency else currencies
    found = [asked.reader.changes(asked.book.book, customer, one, then, asked.as_of) for one in wanted]
    if session.as_json:
        output.json(asked.head | {"changes": found})
        return
    from tieout.render.analytics import changes_table

    party = session.app.ledger.party(asked.book.book, customer)
    for number, one in enumerate(found):
        if number:
            output.write("")
        output.show(changes_table(one, session.texts, party.name if party else ""))
    session.footer(asked)
