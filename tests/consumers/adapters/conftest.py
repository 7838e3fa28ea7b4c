"""What adapters make of messages, on its way into a real ledger."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from consumers.adapters.adapter import Adapter
from ledger.outcomes import Outcome

NOW_US = 1_767_225_600_000_000
"""2026-01-01, UTC."""

Post = Callable[..., list[Outcome]]


@pytest.fixture
def post() -> Post:
    """``post(books, adapter, *messages)``: each message a batch of its own, in this order; an outcome an entry."""

    def given(books: Any, adapter: Adapter, *messages: bytes) -> list[Outcome]:
        outcomes = []
        for n, message in enumerate(messages):
            outcomes += books.ledger.submit(adapter.read(message, origin=f"test:0:{n}"), now_us=NOW_US)
        return outcomes

    return given


@pytest.fixture
def balance() -> Callable[[Any], Counter[str]]:
    """``balance(books)``: account code → debit less credit of everything in the log, zero ones left out."""

    def of(books: Any) -> Counter[str]:
        found: Counter[str] = Counter()
        for _, event in books.events():
            for posting in getattr(event, "postings", ()):
                found[posting.account] += posting.amount if posting.side == "D" else -posting.amount
        return Counter({account: amount for account, amount in found.items() if amount})

    return of
