"""What receivables are worth on a day: the allowance by its matrix, exchange rates, revaluation."""

from collections.abc import Iterable

from rich.table import Table

from projections.answers import AllowanceAnswer, RateRow, RevaluationAnswer
from tieout.messages import Texts
from tieout.render.amounts import amount
from tieout.render.grid import grid, row


def allowance_table(found: AllowanceAnswer, base_currency: str, texts: Texts) -> Table:
    """A currency, bucket and group a line: what is open, the loss rate, and what it requires."""
    grouped = any(one.group for one in found.lines)
    in_base = texts("column.in_base", currency=base_currency)
    needed = texts("column.required_in", currency=base_currency)
    columns = ["currency", "days_overdue", *(["group"] if grouped else []), "open", f"={in_base}"]
    table = grid(texts, [*columns, f"={texts('column.loss_rate')}", f"={needed}"])
    for one in found.lines:
        bucket = found.matrix.buckets[one.bucket - 1]
        row(
            table,
            one.currency,
            _days(found, one.bucket),
            *([one.group] if grouped else []),
            amount(one.amount, one.currency),
            amount(one.base_amount, base_currency),
            bucket.groups.get(one.group, bucket.rate),
            amount(one.required, base_currency),
        )
    return table


def _days(found: AllowanceAnswer, bucket: int) -> str:
    """The days past due of a bucket: ``≤ 0``, ``1–30``, ``> 90``."""
    ends = [one.to_days for one in found.matrix.buckets]
    last, before = ends[bucket - 1], ends[bucket - 2] if bucket > 1 else None
    if last is None:
        return f"> {before}" if before is not None else ""
    return f"≤ {last}" if before is None else f"{before + 1}–{last}"


def rates_table(found: Iterable[RateRow], texts: Texts) -> Table:
    """A source and currency a line, with what was said of the same day before."""
    table = grid(texts, ["rate_source", "currency", "day", "rate", "position", "superseded"])
    for one in found:
        before = " ".join(f"{past.rate} ({past.position})" for past in one.superseded)
        row(table, one.rate_source, one.currency, one.day, one.rate, one.position, before)
    return table


def revaluation_table(found: RevaluationAnswer, base_currency: str, texts: Texts) -> Table:
    """A currency and control account a line: what is open, what it is worth, and the difference."""
    columns = ["currency", "account", "open", f"={texts('column.in_base', currency=base_currency)}", "rate", "rate_on"]
    table = grid(texts, [*columns, f"={texts('column.at_rate')}", f"={texts('column.before')}", "difference"])
    for one in found.lines:
        figures = (one.value, one.before, one.difference)
        row(
            table,
            one.currency,
            one.account,
            amount(one.amount, one.currency),
            amount(one.base_amount, base_currency),
            one.rate,
            one.rate_on,
            *(amount(figure, base_currency) for figure in figures),
        )
    return table
