"""Allocation policies: how an amount of credit is spread over open debit items, exact to the minor unit.

A policy is a pure function of the amount and the open amounts, in due order. Oldest due first settles one item after
the other; proportional (部分付款按比例分配) gives each its share by largest remainder; largest first and exact amount first
look at the open amounts. By reference and explicit name their items and need no policy.
"""

from collections.abc import Sequence

from domain.money import apportion

Spread = list[tuple[str, int]]
"""Debit items with what each gets, in due order; none gets nothing."""


def oldest_due_first(amount: int, opens: Sequence[tuple[str, int]]) -> Spread:
    """Settle in due order until the amount is used up. ``opens``: (item, open amount) in due order."""
    spread: Spread = []
    for item, open_amount in opens:
        if amount <= 0:
            break
        part = min(amount, open_amount)
        spread.append((item, part))
        amount -= part
    return spread


def proportional(amount: int, opens: Sequence[tuple[str, int]]) -> Spread:
    """Give each item its share of the amount in proportion to what it has open, at most that."""
    total = sum(open_amount for _, open_amount in opens)
    if total == 0:
        return []
    parts = apportion(min(amount, total), [open_amount for _, open_amount in opens])
    return [(item, part) for (item, _), part in zip(opens, parts, strict=True) if part]


def largest_first(amount: int, opens: Sequence[tuple[str, int]]) -> Spread:
    """Settle the largest open items first, of equal ones the earlier due."""
    parts = dict(oldest_due_first(amount, sorted(opens, key=lambda one: -one[1])))
    return [(item, parts[item]) for item, _ in opens if item in parts]


def exact_amount_first(amount: int, opens: Sequence[tuple[str, int]]) -> Spread:
    """Settle the item that has exactly the amount open, the earliest due of several; without one, oldest due first."""
    exact = next((item for item, open_amount in opens if open_amount == amount), None)
    return [(exact, amount)] if exact is not None else oldest_due_first(amount, opens)


POLICIES = {
    "oldest_due_first": oldest_due_first,
    "proportional": proportional,
    "largest_first": largest_first,
    "exact_amount_first": exact_amount_first,
}
LOOKS_AT_ALL = frozenset(POLICIES) - {"oldest_due_first"}
"""Policies that must see every open item, however many there are."""
