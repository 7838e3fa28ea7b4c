"""Every webhook event and API object that others publish as a sample is booked, acknowledged, or held with a reason."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from stripe_objects import encode, stripe

from ledger.outcomes import Acknowledged, Submission, Unreadable

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("TIEOUT_SAMPLE_DATA") or ROOT.parent / "shared" / "data")
WEBHOOKS = sorted((DATA / "stripe_webhooks").glob("*.json"))
OBJECTS = DATA / "stripe_fixtures" / "fixtures3.json"

pytestmark = pytest.mark.skipif(
    not (WEBHOOKS and OBJECTS.exists()), reason="Stripe's samples are not here: set TIEOUT_SAMPLE_DATA"
)

NOW_US = 1_767_225_600_000_000
_ZEROS = re.compile(r"^([a-z]+(?:_[a-z]+)?)_0+$")


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and message. The webhooks share their ids, all zeros: each gets those of its own."""
    for path in WEBHOOKS:
        name = path.name.removesuffix(".json")
        yield f"event  {name}", with_own_ids(json.loads(path.read_text()), name.replace(".", "_"))
    for name, message in sorted(json.loads(OBJECTS.read_text())["resources"].items()):
        yield f"object {name}", message


def with_own_ids(part: Any, name: str) -> Any:
    if isinstance(part, dict):
        return {key: with_own_ids(value, name) for key, value in part.items()}
    if isinstance(part, list):
        return [with_own_ids(value, name) for value in part]
    found = _ZEROS.match(part) if isinstance(part, str) else None
    return f"{found[1]}_{name}" if found else part


def said(command: Any) -> str:
    """A command in one line."""
    amount = getattr(command, "total", None) or command.amount
    named = f"{type(command).__name__} {command.number} of {command.effective_on}"
    return f"{named}: {command.customer} {amount} {command.currency}"


def test_the_table_of_all_samples(more_books: Callable[..., Any], snapshot: Callable[[str, str], None]) -> None:
    books = more_books("stripe", base_currency="USD")
    lines, count = [], Counter[str]()
    for name, message in samples():
        adapter = stripe(livemode=bool(message.get("livemode")), missing_customer="house")
        entries = adapter.read(encode(message), origin=f"sample:{name}")
        assert entries, name
        for entry in entries:
            if isinstance(entry, Acknowledged):
                count["acknowledged"] += 1
                lines.append(f"{name:60} acknowledged")
                continue
            [outcome] = books.ledger.submit([entry], now_us=NOW_US)
            if isinstance(entry, Submission):
                count[outcome.status.value] += 1
                lines.append(f"{name:60} {outcome.status.value:12} {said(entry.command)}")
            else:
                assert isinstance(entry, Unreadable)
                assert entry.rule
                count["held"] += 1
                lines.append(f"{name:60} {'held':12} {entry.code}: {entry.field} {entry.value}".rstrip())
    totals = "\n".join(f"{status:12} {number:4}" for status, number in sorted(count.items()))
    snapshot("consumers/adapters/stripe.txt", "\n".join(lines) + f"\n\n{totals}\n")
    assert len({name for name, _ in samples()}) == 88 + 176
    assert count["booked"] + count["acknowledged"] + count["held"] == count.total()
    assert len(books.quarantine()) == count["held"]


def test_a_sample_sent_again_books_nothing(more_books: Callable[..., Any]) -> None:
    books = more_books("stripe", base_currency="USD")
    batch = [
        entry
        for name, message in samples()
        for entry in stripe(livemode=bool(message.get("livemode")), missing_customer="house").read(
            encode(message), origin=name
        )
        if isinstance(entry, Submission)
    ]
    first = books.ledger.submit(batch, now_us=NOW_US)
    events = list(books.events())
    again = books.ledger.submit(batch, now_us=NOW_US)
    assert {outcome.status.value for outcome in first} == {"booked"}
    assert {outcome.status.value for outcome in again} == {"duplicate"}
    assert list(books.events()) == events
