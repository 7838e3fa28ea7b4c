"""Commands about settlement: what the policy would settle, rounding off, and where every cent of tolerance went."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from tieout.cli import options, output
from tieout.cli.program import command
from tieout.cli.session import Question, Session, day
from tieout.cli.shown import Shown, limited

if TYPE_CHECKING:
    from ledger.outcomes import Outcome
    from projections.answers import OpenItem

BATCH = 100
"""Items a commit."""
_NUMBER = 90
"""Characters that a document's number may have."""


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "suggest")(suggest)
    command(app, "round-off", key="round_off")(round_off)
    command(app, "tolerance")(tolerance)


def suggest(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    commands: Annotated[bool, typer.Option("--commands", help="option.commands")] = False,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """What the policy would settle now; with --commands as commands that post takes."""
    asked = session.question()
    found = _suggested(session, asked, customer, currency)
    if commands:
        for account, version, links in found:
            output.json(_allocate(account, version, links))
        return
    rows = ((account.customer, account.currency, *link) for account, _, links in found for link in links)
    if session.as_json:
        names = ("customer", "currency", "credit_item", "debit_item", "amount")
        output.json_with_rows(
            asked.head, "suggested", (dict(zip(names, one, strict=True)) for one in limited(rows, limit))
        )
        return
    from tieout.render.settling import suggested_table

    shown = Shown(rows, limit)
    if shown.rows:
        output.show(suggested_table(shown.rows, session.texts))
        shown.tell(session)
        session.say("suggest.next")
    else:
        session.say("suggest.empty")
    session.footer(asked)


def _suggested(session: Session, asked: Question, customer: str | None, currency: str | None) -> Iterator[Any]:
    """Accounts with something to settle: their name, version and the links."""
    from domain.documents import AccountName
    from domain.suggestion import suggested

    sides: dict[tuple[str, str], set[str]] = {}
    for item in asked.reader.items(asked.book.book, customer, currency):
        sides.setdefault((item.customer, item.currency), set()).add(item.side)
    for (who, code), both in sides.items():
        if len(both) == 2:
            account = session.app.ledger.account(asked.book.book, who, code)
            links = suggested(account, asked.book)
            if links:
                yield AccountName(asked.book.book, who, code), account.version, links


def _allocate(account: Any, version: int, links: Any) -> dict[str, Any]:
    """The command that settles what is suggested; the same account as it stands is the same command."""
    names = ("credit_item", "debit_item", "amount")
    return {
        "command": "Allocate",
        "source": "suggest",
        "source_id": f"{account.book}:{account.customer}:{account.currency}:{version}"[-200:],
        "book": account.book,
        "customer": account.customer,
        "currency": account.currency,
        "lines": [dict(zip(names, link, strict=True)) for link in links],
    }


def round_off(
    session: Session,
    on: Annotated[str, typer.Argument(metavar="YYYY-MM-DD", help="argument.round_off_day")],
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    actor: options.Actor = None,
    reason: options.Reason = None,
    json: options.Json = False,
) -> None:
    """Round off what payments left of items, by the book's rules; again, nothing is left to do."""
    effective_on = day(on, "YYYY-MM-DD")
    assert effective_on is not None
    asked = session.question()
    partly = [
        item
        for item in asked.reader.items(asked.book.book, customer, currency)
        if item.open < item.amount and item.effective_on <= effective_on
    ]
    who: dict[str, Any] = {name: value for name, value in (("actor", actor), ("reason", reason)) if value is not None}
    done: list[tuple[OpenItem, Outcome]] = []
    with output.bar(session.texts("word.rounding_off"), session.texts("unit.items")) as told:
        for at in range(0, len(partly), BATCH):
            batch = partly[at : at + BATCH]
            entries = [_round_off(asked.book.book, item, effective_on, who) for item in batch]
            done += zip(batch, session.app.ledger.submit(entries, now_us=session.settings.now_us), strict=True)
            if told is not None:
                told(len(done), len(partly))
    _show_rounded(session, asked, done)


def _round_off(book: str, item: "OpenItem", on: date, who: dict[str, Any]) -> Any:
    """The command for one item. Its number says which item and day, so that the same again is a duplicate."""
    from domain.commands import RoundOff
    from ledger.outcomes import Submission

    number = f"{item.document}/{item.instalment}@{on}"
    if len(number) > _NUMBER:
        number = f"{hashlib.sha256(item.item.encode()).hexdigest()[:32]}@{on}"
    return Submission(
        RoundOff(
            source="round-off",
            source_id=f"{book}:{number}",
            book=book,
            customer=item.customer,
            currency=item.currency,
            series="round-off",
            number=number,
            effective_on=on,
            item=item.item,
            **who,
        )
    )


def _show_rounded(session: Session, asked: Question, done: "list[tuple[OpenItem, Outcome]]") -> None:
    rounded = [(item, outcome) for item, outcome in done if outcome.status == "booked"]
    left = Counter(outcome.code or outcome.status.value for _, outcome in done if outcome.status != "booked")
    if session.as_json:
        rows = [
            {"item": item.item, "customer": item.customer, "currency": item.currency, "amount": item.open}
            | {"document": outcome.document}
            for item, outcome in rounded
        ]
        output.json({"book": asked.book.book, "rounded_off": rows, "left": dict(sorted(left.items()))})
        return
    from tieout.render.settling import left_table, rounded_table

    if rounded:
        output.show(rounded_table(rounded, session.texts))
    session.say("round_off.done", count=len(rounded), left=sum(left.values()))
    if left:
        output.show(left_table(sorted(left.items()), session.texts))


def tolerance(
    session: Session,
    customer: options.AnyCustomer = None,
    currency: options.Currency = None,
    from_on: options.FromDay = None,
    as_of: options.ToDay = None,
    known_as_of: options.KnownAsOf = None,
    limit: options.Limit = None,
    json: options.Json = False,
) -> None:
    """Where every cent of tolerance and discount went, and what it comes to by reason and period."""
    first = day(from_on, "--from")
    asked = session.question(as_of, known_as_of)
    found = asked.reader.differences(asked.book, customer, currency, first, asked.as_of)
    sums: dict[tuple[str, str, str], list[int]] = {}
    rows = _summed(found, sums)
    if session.as_json:
        head = asked.head | {"from": first}
        output.json_with_rows(head, "differences", limited(rows, limit), lambda: {"sums": _sums(rows, sums)})
        return
    from tieout.render.settling import differences_table, sums_table

    shown = Shown(list(rows), limit)
    if shown.rows:
        output.show(differences_table(shown.rows, session.texts))
        shown.tell(session)
        output.write("")
        output.show(sums_table(sorted(sums.items()), session.texts))
    else:
        session.say("tolerance.empty")
    session.footer(asked)


def _summed(found: Iterator[Any], sums: dict[tuple[str, str, str], list[int]]) -> Iterator[dict[str, Any]]:
    """The rows as they are, added up on the way by reason, period and currency."""
    for one in found:
        total = sums.setdefault((one.reason_code, one.period, one.currency), [0, 0])
        total[0] += one.amount
        total[1] += one.base_amount
        yield msgspec.structs.asdict(one)


def _sums(rest: Iterator[Any], sums: dict[tuple[str, str, str], list[int]]) -> list[dict[str, Any]]:
    """The sums of all rows, of those that were not shown too."""
    for _ in rest:
        pass
    names = ("reason_code", "period", "currency", "amount", "base_amount")
    return [dict(zip(names, (*key, *total), strict=True)) for key, total in sorted(sums.items())]
