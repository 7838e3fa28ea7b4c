"""All rows of the projections and all answers of a reader as plain data, to be compared whole."""

from contextlib import closing
from datetime import date
from typing import Any

import msgspec

from ledger.database import Location, connect
from projections.answers import AsOf
from projections.reader import Reader
from projections.tables import TABLES, keys


def rows(store: Location) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, in key order."""
    with closing(connect(store, read_only=True)) as connection:
        return {
            t.name: connection.execute(f"SELECT * FROM {t.name} ORDER BY {', '.join(keys(t))}").fetchall()
            for t in TABLES
        }


def answers(store: Location, as_of: AsOf, book: str = "main") -> dict[str, Any]:
    """Every answer about a book at one (E, K), as JSON would have it."""
    on = as_of.effective_on or date(2025, 6, 30)
    with Reader(store) as reader:
        items = list(reader.items(book, as_of=as_of, settled=True))
        accounts = sorted({(item.customer, item.currency) for item in items})
        documents = list(reader.documents(book, as_of=as_of))
        found = {
            "balances": reader.balances(book, as_of=as_of),
            "items": items,
            "ageing": reader.ageing(book, AsOf(on, as_of.position)),
            "totals": reader.ageing_totals(book, AsOf(on, as_of.position)),
            "statements": [reader.statement(book, *account, date(2024, 5, 1), as_of) for account in accounts],
            "journal": list(reader.journal(book, as_of=as_of)),
            "trial_balance": reader.trial_balance(book, date(2024, 4, 1), as_of),
            "control": reader.control(book, as_of),
            "deferred": reader.deferred(book, as_of),
            "documents": documents,
            "views": [reader.document(book, row.document, as_of) for row in documents],
            "audit": list(reader.audit(book, as_of=as_of)),
        }
    return dict(msgspec.to_builtins(found))
