"""A book in a real store of either kind, files to import into it, and what the log says afterwards."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from databases import KINDS, store_of
from sales import SALES

from consumers.mapping import Mapping, read_mapping
from consumers.tables import Summary, import_file
from domain.commands import OpenBook
from domain.documents import parse_account_stream
from ledger.codec import decode
from ledger.database import Location, connect
from ledger.ledger import Ledger
from ledger.outcomes import Submission

NOW_US = 1_767_225_600_000_000
"""2026-01-01, UTC."""

HEADER = "Number,Customer,Date,Quantity,Price\n"


class Books:
    """A store with the open book ``main`` in euro, and short ways to fill and to read it."""

    def __init__(self, location: Location, folder: Path, **book: Any) -> None:
        self.folder = folder
        self.location = location
        self.ledger = Ledger.open(location)
        given = {"source": "test", "source_id": "open", "book": "main", "base_currency": "EUR"} | book
        self.book = given["book"]
        self.ledger.submit([Submission(OpenBook(**given))], now_us=NOW_US)

    def file(self, content: str | bytes, name: str = "sales.csv") -> Path:
        """A file with this content."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def take(self, file: Path, mapping: Mapping | None = None, **options: Any) -> Summary:
        """Import a file."""
        return import_file(self.ledger, file, book=self.book, mapping=mapping, now_us=NOW_US, **options)

    def rows(self, *rows: str, mapping: str = SALES) -> Summary:
        """Import these rows of sales."""
        return self.take(self.file(HEADER + "\n".join(rows) + "\n"), read_mapping(dedent(mapping)))

    def events(self) -> Iterator[tuple[str, Any]]:
        """Stream and event, in log order."""
        connection = connect(self.location, read_only=True)
        try:
            for stream, topic, state in connection.execute(
                "SELECT originator_id, topic, state FROM events ORDER BY position"
            ):
                yield stream, decode(topic, state)
        finally:
            connection.close()

    def documents(self) -> dict[str, Any]:
        """Document → the event that entered it."""
        return {event.document: event for _, event in self.events() if getattr(event, "document", None)}

    def balances(self, role: str = "receivable") -> Counter[str]:
        """Customer → what it owes (debit less credit of the role), in minor units; zero ones included."""
        found: Counter[str] = Counter()
        for stream, event in self.events():
            account = parse_account_stream(stream)
            if account is not None:
                found[account.customer] += 0
                for posting in event.postings:
                    if posting.role == role:
                        found[account.customer] += posting.amount if posting.side == "D" else -posting.amount
        return found

    def quarantine(self, status: str | None = "open") -> list[tuple[str, str | None]]:
        """Code and source id of what stands in quarantine."""
        return [(entry.code, entry.source_id) for entry in self.ledger.quarantined(status=status)]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database."""
    return str(request.param)


@pytest.fixture
def more_books(kind: str, tmp_path: Path) -> Iterator[Callable[..., Books]]:
    """Further stores, each of its own name."""
    with ExitStack() as stack:

        def make(name: str, **book: Any) -> Books:
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            made = Books(stack.enter_context(store_of(kind, folder)), folder, **book)
            stack.callback(made.ledger.close)
            return made

        yield make


@pytest.fixture
def books(more_books: Callable[..., Books]) -> Books:
    return more_books("")


@pytest.fixture
def sales() -> Mapping:
    return read_mapping(dedent(SALES))
