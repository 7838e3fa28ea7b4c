"""What a customer account had at the end of each day on which it changed: the balance along the calendar, as known at K.

It is the net over all control accounts, so an allocation, which moves between two items of the account, changes nothing.
"""

from datetime import date
from itertools import accumulate

from domain.documents import account_stream
from ledger.outcomes import token
from projections.answers import BalanceDay, BalanceHistory
from projections.selectors import Net, Position
from projections.statement import ENTRIES, day_before
from projections.view import Moment, View

_DAYS = f"""SELECT CASE WHEN effective_on < :first THEN '' ELSE effective_on END AS day, sum(amount), sum(base_amount)
    {ENTRIES} AND effective_on <= :last GROUP BY 1 ORDER BY 1"""


def balance_history(
    view: View, book: str, customer: str, currency: str, from_on: date, to_on: date, at: Moment
) -> BalanceHistory:
    """The balance before a day, and after each day from that one to another on which it changed; days after E are none."""
    stream = account_stream(book, customer, currency)
    days = {"first": from_on.isoformat(), "last": to_on.isoformat()}
    found = view.connection.execute(_DAYS, at.parameters | {"stream": stream} | days).fetchall()
    # What lies before the first day comes first, as one row.
    opening, base_opening = (int(found[0][1]), int(found[0][2])) if found and not found[0][0] else (0, 0)
    changes = [(date.fromisoformat(on), int(amount), int(base)) for on, amount, base in found if on]
    nets = list(accumulate((amount for _, amount, _ in changes), initial=opening))
    base_nets = list(accumulate((base for _, _, base in changes), initial=base_opening))

    def explained(on: date) -> dict[str, str]:
        own = {"book": book, "customer": customer, "currency": currency}
        return {"net": Net(**own, effective_on=on, position=Position(at.position)).text}

    return BalanceHistory(
        book=book,
        customer=customer,
        currency=currency,
        from_on=from_on,
        to_on=to_on,
        position=token(at.position),
        opening=BalanceDay(
            effective_on=day_before(from_on, at),
            net=opening,
            base_net=base_opening,
            explain=explained(day_before(from_on, at)),
        ),
        days=[
            BalanceDay(effective_on=on, net=net, base_net=base_net, explain=explained(on))
            for (on, amount, base), net, base_net in zip(changes, nets[1:], base_nets[1:], strict=True)
            if amount or base
        ],
    )
