"""What the policy would settle, what was rounded off, and where the tolerance went."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from ledger.outcomes import Outcome
from projections.answers import OpenItem
from tieout.messages import Texts
from tieout.render.amounts import amount, count
from tieout.render.grid import grid, row
from tieout.render.outcomes import rule_text


def suggested_table(links: Iterable[tuple[str, str, str, str, int]], texts: Texts) -> Table:
    """A link a line."""
    table = grid(texts, ["customer", "credit_item", "debit_item", "amount", "currency"])
    for customer, currency, credit_item, debit_item, part in links:
        row(table, customer, credit_item, debit_item, amount(part, currency), currency)
    return table


def rounded_table(rounded: Iterable[tuple[OpenItem, Outcome]], texts: Texts) -> Table:
    """An item a line that was rounded off."""
    table = grid(texts, ["customer", "item", "amount", "currency", "document"])
    for item, outcome in rounded:
        row(table, item.customer, item.item, amount(item.open, item.currency), item.currency, outcome.document)
    return table


def left_table(left: Iterable[tuple[str, int]], texts: Texts) -> Table:
    """How many items were left as they are, by why."""
    table = grid(texts, ["count", "code", "rule"])
    for code, items in left:
        row(table, count(items), code, rule_text(code, "", texts))
    return table


def differences_table(found: Iterable[dict[str, Any]], texts: Texts) -> Table:
    """A posting a line, debit positive."""
    table = grid(
        texts, ["effective_on", "customer", "reason_code", "document", "item", "linked_to", "amount", "currency"]
    )
    for one in found:
        cells = [one[name] for name in ("effective_on", "customer", "reason_code", "document", "item", "linked_to")]
        row(table, *cells, amount(one["amount"], one["currency"]), one["currency"])
    return table


def sums_table(sums: Iterable[tuple[tuple[str, str, str], list[int]]], texts: Texts) -> Table:
    """What it comes to, by reason, period and currency."""
    table = grid(texts, ["reason_code", "period", "amount", "currency"])
    for (reason, period, currency), (total, _) in sums:
        row(table, reason, period, amount(total, currency), currency)
    return table
