"""What is sent: invoices as commands, into a store directly or as the lines of a bulk request."""

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

from benchmarks.servers.running import BOOK
from consumers.commands import parse_command
from ledger.garbage import spare_collections
from ledger.ledger import Ledger

BATCH = 500


def lines(count: int, name: str) -> Iterator[bytes]:
    """So many invoices, one a line, of one customer in twenty each; ``name`` tells them from those of another turn."""
    for n in range(count):
        amount = 10_000 + n % 977
        yield (
            json.dumps(
                {
                    "command": "IssueInvoice",
                    "source": "bench",
                    "source_id": f"{name}-{n}",
                    "book": BOOK,
                    "customer": f"C{n // 20:06}",
                    "currency": "CNY",
                    "number": f"{name}-{n}",
                    "effective_on": f"2026-{1 + n % 5:02}-{1 + n % 28:02}",
                    "total": amount,
                    "lines": [{"net": amount}],
                    "instalments": [{"due_on": f"2026-{2 + n % 5:02}-{1 + n % 28:02}", "amount": amount}],
                }
            ).encode()
            + b"\n"
        )


def invoices(store: str, count: int, name: str = "I") -> None:
    """Book so many, 500 a commit."""
    spare_collections()
    sent = lines(count, name)
    with closing(Ledger.open(store)) as ledger:
        while batch := [parse_command(line, origin="bench") for line in islice(sent, BATCH)]:
            outcomes = ledger.submit(batch)
            assert all(outcome.code is None for outcome in outcomes), outcomes[0]
