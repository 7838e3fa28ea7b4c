"""Invariant 6: every amount of every answer explains itself; the postings behind it, read from the log, sum to it."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import pytest

from projections.answers import AsOf
from projections.reader import Reader

MOMENTS = [
    AsOf(),
    AsOf(date(2024, 7, 15)),
    AsOf(None, 500),
    AsOf(date(2024, 9, 30), 700),
    AsOf(date(2024, 3, 1), 900),
]


Check = Callable[[Iterable[Any]], int]


@pytest.fixture
def check(reader: Reader, kind: str) -> Check:
    """Explains every amount of the answers, on a server every third, which takes some round trips; how many there are."""
    step = 1 if kind == "sqlite" else 3

    def check(answers: Iterable[Any]) -> int:
        count = 0
        for answer in answers:
            for name, selector in answer.explain.items():
                count += 1
                if count % step == 0:
                    sums_up(reader, answer, name, selector)
        return count

    return check


def sums_up(reader: Reader, answer: Any, name: str, selector: str) -> None:
    explanation = reader.explain(selector)
    postings = list(explanation.postings)
    assert explanation.amount == getattr(answer, name), selector
    assert sum(posting.contribution for posting in postings) == explanation.amount, selector
    assert sum(posting.base_contribution for posting in postings) == explanation.base_amount, selector
    base = {"amount": "base_amount"}.get(name, f"base_{name}")
    if hasattr(answer, base):
        assert explanation.base_amount == getattr(answer, base), selector
    assert [p.position for p in postings] == sorted((p.position for p in postings), key=lambda t: int(t[2:]))


@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_balances(reader: Reader, check: Check, as_of: AsOf) -> None:
    assert check(reader.balances("main", as_of=as_of)) > 5


@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_items(reader: Reader, check: Check, as_of: AsOf) -> None:
    items = list(reader.items("main", as_of=as_of, settled=True))
    assert check(items[::3]) > 40


@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_ageing(reader: Reader, check: Check, as_of: AsOf) -> None:
    at = AsOf(as_of.effective_on or date(2024, 12, 31), as_of.position)
    rows = [*reader.ageing("main", at, (10, 45)), *reader.ageing_totals("main", at, (10, 45))]
    rows += reader.ageing("main", at, (10, 45), by="dimension:project")
    rows += reader.ageing("main", at, (10, 45), "C:2", by="dimension:project")
    assert check(rows) > 15
    assert check([bucket for row in rows for bucket in row.buckets]) > 15


@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_statements(reader: Reader, check: Check, as_of: AsOf) -> None:
    def parts(from_on: date | None) -> Iterator[Any]:
        for balance in reader.balances("main", as_of=as_of)[::2]:
            statement = reader.statement("main", balance.customer, balance.currency, from_on, as_of)
            yield statement
            yield from statement.movements[::3]

    assert check(parts(None)) + check(parts(date(2024, 5, 1))) > 10


@pytest.mark.parametrize("as_of", MOMENTS, ids=str)
def test_trial_balance(reader: Reader, check: Check, as_of: AsOf) -> None:
    assert check(reader.trial_balance("main", date(2024, 4, 1), as_of)[::2]) > 20


def test_a_posting_says_who_when_why_and_from_which_message(reader: Reader) -> None:
    balance = reader.balances("main")[0]
    explanation = reader.explain(balance.explain["amount"])
    assert (explanation.currency, explanation.selector) == (balance.currency, balance.explain["amount"])
    posting = next(explanation.postings)
    assert posting.customer == balance.customer
    assert posting.origin is not None
    assert posting.origin.startswith("file:abc:")
    assert (posting.actor, posting.source) == ("system", "test")
    assert posting.posting.account == balance.account
    assert posting.recorded_at.tzinfo is not None


@pytest.mark.parametrize(
    "text", ["", "what/main", "item/main/C1", "net/main/C1/CNY/2024-13-01/0:1", "net/main/C1/CNY//1"]
)
def test_what_is_no_selector_is_refused(reader: Reader, text: str) -> None:
    with pytest.raises(ValueError, match="not a selector"):
        reader.explain(text)


def test_a_number_that_is_not_there_is_zero(reader: Reader) -> None:
    explanation = reader.explain(f"item/main/C1/CNY/invoice::nowhere:1%231//0:{reader.position}")
    assert (explanation.amount, list(explanation.postings)) == (0, [])
