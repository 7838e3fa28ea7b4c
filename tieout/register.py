"""What the ledger's register says at once: how many documents of each kind a book has, and a customer's currencies.

Read-only, and not as of any day: for what a command has to know before it asks, and for ``status``.
"""

from contextlib import closing
from pathlib import Path

from ledger.store import connect
from projections.log import account_streams

# The register also has the opening of the book itself, which is of no kind.
_COUNTS = """SELECT substr(document, 1, instr(document, ':') - 1) AS kind, count(*) FROM documents
    WHERE shard = 0 AND book = ? AND document LIKE '%:%' GROUP BY kind ORDER BY kind"""


def document_counts(store: Path, book: str) -> dict[str, int]:
    """Kind of document → how many there are, those that wait included."""
    with closing(connect(store, read_only=True)) as connection:
        return dict(connection.execute(_COUNTS, (book,)).fetchall())


def currencies(store: Path, book: str, customer: str) -> list[str]:
    """The currencies that a customer has an account in; none where the book does not know the customer."""
    with closing(connect(store, read_only=True)) as connection:
        return sorted(stream[-3:] for stream in account_streams(connection, book, customer))
