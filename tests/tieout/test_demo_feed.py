"""The made-up billing system: the same messages for a seed, all of them bookable, whoever comes before whom."""

from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

import msgspec
import pytest
from shop import opened

from consumers.commands import parse_message
from ledger.ledger import Ledger
from tieout.demo import feed

HEADERS = [("content-type", feed.CONTENT_TYPE.encode())]
COUNT = 3_000


def test_a_seed_says_what_is_sent_and_more_messages_continue_it() -> None:
    sent = list(feed.messages(7, 500, book="main"))
    assert list(feed.messages(7, 500, book="main")) == sent
    assert list(feed.messages(7, 200, book="main")) == sent[:200]
    ids = [msgspec.json.decode(one.value)["id"] for one in chain(sent, feed.messages(8, 500, book="main"))]
    assert len(set(ids)) == len(ids)


def test_the_key_is_the_customer_and_the_mix_is_that_of_a_billing_system() -> None:
    kinds: Counter[str] = Counter()
    customers = set()
    for one in feed.messages(1, COUNT, book="main"):
        event = msgspec.json.decode(one.value)
        assert one.key.decode() == event["data"]["customer"] == event["subject"]
        kinds[event["type"]] += 1
        customers.add(one.key)
    assert 200 < len(customers) <= feed.CUSTOMERS
    assert kinds["tieout.issue-invoice.v1"] > kinds["tieout.record-payment.v1"] > 0.3 * COUNT
    assert 0.01 * COUNT < kinds["tieout.issue-credit-note.v1"] < 0.1 * COUNT


@pytest.mark.parametrize("base_currency", ["CNY", "EUR"])
def test_everything_is_booked_customer_by_customer_and_again_books_nothing(base_currency: str, tmp_path: Path) -> None:
    by_customer: dict[bytes, list[feed.Message]] = defaultdict(list)
    for one in feed.messages(1, COUNT, book="main", currency=base_currency):
        by_customer[one.key].append(one)
    with opened(tmp_path / "store.sqlite", base_currency=base_currency) as ledger:
        # Another order than that in which they were made, as from several partitions.
        messages = list(chain.from_iterable(by_customer.values()))
        assert statuses(ledger, messages) == {"booked": COUNT}
        assert statuses(ledger, messages) == {"duplicate": COUNT}


def statuses(ledger: Ledger, messages: list[feed.Message]) -> Counter[str]:
    batch = [parse_message(one.value, HEADERS, origin="test") for one in messages]
    return Counter(outcome.status for outcome in ledger.submit(batch))
