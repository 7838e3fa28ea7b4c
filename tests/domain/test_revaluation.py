"""Rates as facts, and unrealised exchange differences: posted on the day, taken back on the next, items untouched."""

from datetime import date
from typing import Any

import pytest
from given import BOOK, close, given, invoice, kinds, payment, policies, postings, revalue
from hypothesis import given as drawn
from hypothesis import strategies as st

from domain.commands import StateRates
from domain.events import Rate
from domain.rates import state_rates
from domain.refusals import Code, Refusal

USD = {"currency": "USD", "rate": "7.1"}
LABELS = {"currency": "USD", "control_account": "1122"}


def stated(*rates: tuple[str, str, str]) -> StateRates:
    rows = [{"day": date.fromisoformat(on), "currency": currency, "rate": rate} for on, currency, rate in rates]
    return StateRates.model_validate(
        {"source": "t", "source_id": "1", "book": BOOK, "rate_source": "bank", "rates": rows}
    )


def test_rates_are_kept_as_they_were_stated() -> None:
    event = state_rates(stated(("2024-01-30", "USD", "7.10"), ("2024-01-31", "EUR", "7.8")), given().book)
    assert event.rate_source == "bank"
    assert event.rates == [Rate(date(2024, 1, 30), "USD", "7.1"), Rate(date(2024, 1, 31), "EUR", "7.8")]


def test_the_base_currency_has_no_rate() -> None:
    with pytest.raises(Refusal) as refused:
        state_rates(stated(("2024-01-30", "USD", "7.1"), ("2024-01-31", "CNY", "1")), given().book)
    assert (refused.value.code, refused.value.field) == (Code.BASE_MUST_MATCH, "rates.1.currency")


def test_what_is_open_is_valued_on_the_day_and_taken_back_on_the_next() -> None:
    books = given(invoice("1", 10_000, **USD))
    version = books.book.version
    posted, mirror = books.booked(revalue(books, ("USD", 10_000, 71_000, "7.2345")))
    assert postings(posted) == [("112298", "D", 1_345, 1_345), ("6603", "C", 1_345, 1_345)]
    assert postings(mirror) == [("112298", "D", -1_345, -1_345), ("6603", "C", -1_345, -1_345)]
    assert all(posting.dimensions == LABELS for posting in (*posted.postings, *mirror.postings))
    assert (posted.effective_on, mirror.effective_on) == (date(2024, 1, 31), date(2024, 2, 1))
    assert (posted.mirrors, mirror.mirrors) == (None, f"book:{BOOK}:{version + 1}")
    assert books.book.version == version + 2
    item = books.item("invoice::1:1#1")
    assert item is not None
    assert item.open_base == 71_000


def test_a_loss_and_what_we_owe_go_the_other_way() -> None:
    books = given()
    posted, _ = books.booked(revalue(books, ("EUR", -1_000, -7_800, "7.9"), ("USD", 10_000, 71_000, "7")))
    assert [line.difference for line in posted.lines] == [-100, -1_000]
    assert postings(posted) == [
        *(("6603", "D", 100, 100), ("112298", "C", 100, 100)),
        *(("6603", "D", 1_000, 1_000), ("112298", "C", 1_000, 1_000)),
    ]
    assert posted.difference == -1_100


def test_only_what_was_not_posted_for_the_day_before_is_posted() -> None:
    books = given()
    posted, _ = books.booked(revalue(books, ("USD", 10_000, 71_000, "7.2", 400)))
    assert posted.difference == 600
    assert books.refused(revalue(books, ("USD", 10_000, 71_000, "7.2", 1_000))).code is Code.DIFFERENCE


def test_the_difference_is_realised_in_full_when_it_is_paid() -> None:
    books = given(invoice("1", 10_000, **USD))
    books.booked(revalue(books, ("USD", 10_000, 71_000, "7.2")))
    events = books.booked(payment("P", 10_000, "02-20", pays=["1"], currency="USD", rate="7.3"))
    [exchange] = [p for p in events[-1].postings if p.role == "exchange_difference"]
    assert (exchange.side, exchange.amount, exchange.base_amount) == ("C", 0, 2_000)


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"on": "01-31", "closed": True}, Code.PERIOD_OPEN, "effective_on"),
        ({"on": "02-29", "book_version": 1}, Code.EVIDENCE, "book_version"),
        ({"on": "02-29", "currency": "CNY"}, Code.EVIDENCE, "lines.0.currency"),
    ],
)
def test_what_is_refused(more: dict[str, Any], code: Code, field: str) -> None:
    books = given(*([close("2024-01")] if more.pop("closed", False) else []))
    currency = more.pop("currency", "USD")
    outcome = books.refused(revalue(books, (currency, 10_000, 71_000, "7.2"), **more))
    assert (outcome.code, outcome.field) == (code, field)


def test_a_book_without_an_account_for_it_posts_none() -> None:
    books = given()
    template = books.book.template
    template.roles.pop("revaluation")
    assert books.refused(revalue(books, ("USD", 10_000, 71_000, "7.2"))).value == "revaluation"


def test_a_foreign_document_without_a_rate_takes_that_of_the_books_source() -> None:
    books = given(policies(rate_source="bank"), stated(("2024-01-05", "USD", "7.1"), ("2024-01-10", "USD", "7.2")))
    [event] = books.booked(invoice("1", 10_000, "01-12", currency="USD"))
    assert (event.rate, event.rate_source, event.base_total) == ("7.2", "bank", 72_000)
    [own] = books.booked(invoice("2", 10_000, "01-12", currency="USD", rate="7"))
    assert (own.rate, own.rate_source) == ("7", None), "what a document brings itself holds"
    paid, settled = books.booked(payment("P", 10_000, "01-09", pays=["1"], currency="USD"))
    assert (paid.rate, paid.rate_source, kinds([settled])) == ("7.1", "bank", ["Allocated"])


def test_a_rate_is_used_for_ten_days_and_one_that_is_stated_again_holds() -> None:
    books = given(policies(rate_source="bank"), stated(("2024-01-05", "USD", "7.1")))
    assert books.refused(invoice("1", 100, "01-04", currency="USD")).code is Code.RATE_MUST_BE_GIVEN
    assert books.refused(invoice("1", 100, "01-16", currency="USD")).code is Code.RATE_MUST_BE_GIVEN
    assert books.refused(invoice("1", 100, "01-05", currency="EUR")).code is Code.RATE_MUST_BE_GIVEN
    books.when(stated(("2024-01-05", "USD", "7.3")))
    [event] = books.booked(invoice("1", 100, "01-15", currency="USD"))
    assert event.rate == "7.3"
    books.booked(policies(rate_source=""))
    assert books.refused(invoice("2", 100, "01-05", currency="USD")).code is Code.RATE_MUST_BE_GIVEN


AMOUNTS = st.integers(-(10**9), 10**9)


@drawn(amount=AMOUNTS, base=AMOUNTS, before=AMOUNTS, cents=st.integers(1, 2_000))
def test_base_and_revaluation_together_are_the_value_at_the_rate(
    amount: int, base: int, before: int, cents: int
) -> None:
    books = given()
    outcome = books.when(revalue(books, ("USD", amount, base, f"{cents // 100}.{cents % 100:02}", before)))
    if isinstance(outcome, Refusal):
        assert outcome.code is Code.DIFFERENCE
        return
    posted, mirror = outcome
    [line] = posted.lines  # type: ignore[attr-defined]
    assert abs(200 * line.value - 2 * amount * cents) <= 100
    assert line.base_amount + line.before + line.difference == line.value
    debit = sum(p.base_amount if p.side == "D" else -p.base_amount for p in posted.postings if p.role == "revaluation")  # type: ignore[attr-defined]
    assert debit == line.difference == posted.difference == -mirror.difference  # type: ignore[attr-defined]
