"""Ageing as of a past day over all items, against the same sums in SQL over all movements.

The floor is one statement a reader could write: open amount of each item by summing everything that moved it up to the
day, then buckets by its due day. Both give the same totals, which is asserted.
"""

from collections.abc import Iterator
from datetime import date
from statistics import median

from benchmarks.measure import Measure, median_ratio, seconds
from ledger.database import Connection, Location
from ledger.store import connect
from projections.answers import AsOf
from projections.reader import Reader

ON = date(2025, 9, 30)
BUCKETS = (30, 60, 90)
TURNS = 5

_FLOOR = """
SELECT currency, CASE WHEN side = 'C' THEN 'credit' WHEN days < 1 THEN 'not_due' WHEN days < 31 THEN '30'
    WHEN days < 61 THEN '60' WHEN days < 91 THEN '90' ELSE 'more' END AS bucket, sum(open)
FROM (
    SELECT substr(i.stream, length(i.stream) - 2) AS currency, i.side, {days} AS days, sum(m.amount) AS open
    FROM item i JOIN (
        SELECT stream, item, effective_on, amount FROM movement
        UNION ALL
        SELECT stream, item, effective_on, CASE side WHEN 'C' THEN -amount ELSE amount END AS amount FROM item
    ) m ON m.stream = i.stream AND m.item = i.item
    WHERE m.effective_on <= :on AND i.effective_on <= :on
    GROUP BY i.stream, i.item, i.side, i.due_on
) x
GROUP BY 1, 2
"""
_DAYS = {False: "julianday(:on) - julianday(i.due_on)", True: "CAST(:on AS date) - CAST(i.due_on AS date)"}
"""Days overdue, on SQLite and on PostgreSQL."""


def _floor(connection: Connection) -> dict[tuple[str, str], int]:
    statement = _FLOOR.format(days=_DAYS[connection.postgres])
    return {(c, b): s for c, b, s in connection.execute(statement, {"on": ON.isoformat()})}


def run(store: Location, book: str) -> Iterator[Measure]:
    """The ratio of ours to the floor."""
    with Reader(store) as reader:
        connection = connect(store, read_only=True)
        turns = []
        for _ in range(TURNS):
            floor: dict[tuple[str, str], int] = {}
            ours: dict[tuple[str, str], int] = {}

            def sum_in_sql(into: dict[tuple[str, str], int] = floor) -> None:
                into.update(_floor(connection))

            def ask(into: dict[tuple[str, str], int] = ours) -> None:
                for row in reader.ageing_totals(book, AsOf(ON), BUCKETS):
                    into[row.currency, "not_due"] = row.not_due
                    into[row.currency, "credit"] = -row.unapplied
                    for name, bucket in zip(("30", "60", "90", "more"), row.buckets, strict=True):
                        into[row.currency, name] = bucket.amount

            base = seconds(sum_in_sql)
            turns.append((seconds(ask), base))
            assert {k: v for k, v in ours.items() if v} == {k: v for k, v in floor.items() if v}, (ours, floor)
        (items,) = connection.execute("SELECT count(*) FROM item").fetchone()
        connection.close()
    detail = (
        f"{items} items, {median(o for o, _ in turns) * 1e3:.0f} ms, floor {median(f for _, f in turns) * 1e3:.0f} ms"
    )
    yield Measure(name="ageing_past_day", ratio=median_ratio(turns), goal=0.5, detail=detail)
