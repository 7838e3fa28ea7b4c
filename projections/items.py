"""Items 未清项 and balances at any (E, K). Identity 3: what an item has open is its opening and what moved it.

When all that moved an item lies within (E, K), it has ``open_now`` open. From the others that is taken back which lies
without. So a question about today reads the open items alone, and one about a past day sums few movements.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from domain.documents import account_stream, document_of
from projections.accounts import account_of, by_account, paged
from projections.answers import Balance, OpenItem
from projections.selectors import BalanceOf, ItemAmount, ItemOpen, Position
from projections.view import Moment, Parameters, Scope, View

_IS_OPEN = "(i.open_now != 0 OR i.open_base_now != 0)"
read_dimensions = msgspec.json.Decoder(dict[str, str]).decode


class Query(NamedTuple):
    """A select and its parameters."""

    text: str
    parameters: Parameters


def open_at(scope: Scope, at: Moment, columns: str, *, settled: bool = False) -> Query:
    """Select ``columns`` of the items of a scope, and ``open``, ``open_base`` as of (E, K), signed.

    Without ``settled`` items with nothing open may be among them, but need not.
    """
    where, parameters = scope.condition("i")
    parameters |= at.parameters
    names = ", ".join(f"i.{name.strip()}" for name in columns.split(","))
    within, beyond, exists = _clocks(at)
    now = f"SELECT {names}, i.open_now AS open, i.open_base_now AS open_base FROM item i WHERE {where}{within}"
    if not settled:
        now += f" AND {_IS_OPEN}"
    if not beyond:
        return Query(now, parameters)
    outside = " OR ".join(f"m.{name}" for name in beyond)
    moved_later = " OR ".join(f"i.last_{name.removeprefix('effective_')}" for name in beyond)
    then = (
        f"SELECT {names}, i.open_now - coalesce(sum(m.amount), 0), i.open_base_now - coalesce(sum(m.base_amount), 0) "
        "FROM item i LEFT JOIN movement m ON m.shard = i.shard AND m.stream = i.stream AND m.item = i.item "
        f"AND ({outside}) WHERE {where} AND ({moved_later}){exists} GROUP BY i.shard, i.stream, i.item"
    )
    return Query(f"{now} UNION ALL {then}", parameters)


def _clocks(at: Moment) -> tuple[str, list[str], str]:
    """What lies within (E, K), as a condition; what lies beyond, by column; which items exist."""
    within, beyond, exists = "", [], ""
    if at.effective_on is not None:
        within += " AND i.last_on <= :E"
        beyond.append("effective_on > :E")
        exists += " AND i.effective_on <= :E"
    if not at.is_last:
        within += " AND i.last_position <= :K"
        beyond.append("position > :K")
        exists += " AND i.position <= :K"
    return within, beyond, exists


_ITEM_COLUMNS = "stream, item, side, role, account, dimensions, due_on, effective_on, amount, base_amount"


def items(
    view: View,
    scope: Scope,
    at: Moment,
    *,
    settled: bool = False,
    after: Sequence[str] | None = None,
    limit: int | None = None,
) -> Iterator[OpenItem]:
    """Items by customer, currency, due day and item; without ``settled`` only those with something open."""

    def answer(some: Scope) -> Iterator[OpenItem]:
        return _items(view, some, at, settled, after, limit)

    return paged(view, scope, at, answer, after, limit, settled=settled)


def _items(
    view: View, scope: Scope, at: Moment, settled: bool, after: Sequence[str] | None, limit: int | None
) -> Iterator[OpenItem]:
    query = open_at(scope, at, _ITEM_COLUMNS, settled=settled)
    parameters = query.parameters
    text = f"SELECT * FROM ({query.text}) i WHERE {'1 = 1' if settled else '(open != 0 OR open_base != 0)'}"
    if after is not None:
        # An account may have more items than a page.
        text += " AND (stream != :begun OR (due_on, item) > (:due_on, :item))"
        customer, currency, due_on, item = after
        parameters |= {"begun": account_stream(scope.book, customer, currency), "due_on": due_on, "item": item}
    text += f" ORDER BY {by_account(scope.book)}, due_on, item"
    if limit is not None and scope.document is None:
        text += f" LIMIT {limit}"
    # Documents have few.
    few = limit is not None or scope.document is not None or scope.items is not None
    for row in (view.connection.execute if few else view.connection.stream)(text, parameters):
        if scope.document is None or document_of(row[1]) == scope.document:
            yield _item(row, at)


def _item(row: tuple[Any, ...], at: Moment) -> OpenItem:
    stream, item, side, role, account, dimensions, due_text, on_text, amount, base_amount, signed, signed_base = row
    name = account_of(stream)
    due_on, effective_on = date.fromisoformat(due_text), date.fromisoformat(on_text)
    sign = 1 if side == "D" else -1
    own = {"book": name.book, "customer": name.customer, "currency": name.currency, "item": item}
    position = Position(at.position)
    return OpenItem(
        item=item,
        document=document_of(item),
        instalment=int(item.rpartition("#")[2]),
        side=side,
        customer=name.customer,
        currency=name.currency,
        role=role,
        account=account,
        dimensions=read_dimensions(dimensions),
        due_on=due_on,
        effective_on=effective_on,
        amount=amount,
        base_amount=base_amount,
        open=sign * signed,
        base_open=sign * signed_base,
        overdue=(at.effective_on - due_on).days if at.effective_on is not None else None,
        explain={
            "amount": ItemAmount(**own, position=position).text,
            "open": ItemOpen(**own, effective_on=at.effective_on, position=position).text,
        },
    )


def balances(
    view: View, scope: Scope, at: Moment, after: Sequence[str] | None = None, limit: int | None = None
) -> list[Balance]:
    """What customers have on each control account, by customer, currency, account and role."""
    return list(paged(view, scope, at, lambda some: _balances(view, some, at), after, limit))


def _balances(view: View, scope: Scope, at: Moment) -> list[Balance]:
    query = open_at(scope, at, "stream, role, account")
    is_one = scope.streams is not None and len(scope.streams) == 1
    ask = view.connection.again if is_one else view.connection.execute
    rows = ask(
        f"SELECT stream, role, account, sum(open), sum(open_base) FROM ({query.text}) i "
        "GROUP BY stream, role, account HAVING sum(open) != 0 OR sum(open_base) != 0",
        query.parameters,
    )
    found = []
    for stream, role, account, amount, base_amount in rows:
        name = account_of(stream)
        selector = BalanceOf(
            book=name.book,
            customer=name.customer,
            currency=name.currency,
            role=role,
            account=account,
            effective_on=at.effective_on,
            position=Position(at.position),
        )
        found.append(
            Balance(
                customer=name.customer,
                currency=name.currency,
                role=role,
                account=account,
                amount=amount,
                base_amount=base_amount,
                explain={"amount": selector.text},
            )
        )
    return sorted(found, key=lambda balance: balance.key)
