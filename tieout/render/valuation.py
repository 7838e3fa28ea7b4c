"""What receivables are worth on a day: the allowance by its matrix."""

from rich.table import Table

from projections.answers import AllowanceAnswer
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
