"""Revenue over time: what is deferred, by which schedule it is earned, and what becomes of it with its document."""

from datetime import date, timedelta
from typing import Any

import pytest
from given import (
    close,
    credit_note,
    given,
    invoice,
    kinds,
    payment,
    postings,
    recognise,
    reverse,
    service,
)
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.commands import ChangeBookPolicies, ChangePostingTemplate
from domain.events import Deferral, InvoiceIssued, RecognisedPart, RevenueRecognised
from domain.recognition import earned_parts, time_elapsed
from domain.refusals import Code

INVOICE = "invoice::1:1"
YEAR = service(1200, "2024-01-01", "2024-12-31")
LATER = date(2025, 1, 31)
"""A day from which on the whole year can be recognised."""


def test_a_line_with_a_service_period_credits_deferred_revenue() -> None:
    [event] = given().booked(invoice("1", 1200, "01-01", **YEAR))
    assert postings(event) == [("1122", "D", 1200, 1200), ("220502", "C", 1200, 1200)]
    first, last = date(2024, 1, 1), date(2024, 12, 31)
    assert event.deferrals == [Deferral("revenue", "6001", "220502", 1200, 1200, first, last)]
    assert event.lines[0].role == "revenue"


def test_lines_and_tax_beside_it_are_booked_at_once() -> None:
    lines = [{"net": 100}, {"net": 600, **YEAR["lines"][0], "dimensions": {"plan": "a"}}]
    lines[1]["net"] = 600
    tax = [{"code": "VAT", "rate": "6", "base": 700, "amount": 42}]
    [event] = given().booked(invoice("1", 742, "01-01", lines=lines, tax=tax))
    assert postings(event)[1:] == [("6001", "C", 100, 100), ("220502", "C", 600, 600), ("2221", "C", 42, 42)]
    assert [(one.amount, one.dimensions) for one in event.deferrals] == [(600, {"plan": "a"})]


def test_lines_of_one_period_are_one_deferral_and_what_cancels_out_is_none() -> None:
    period = {"service_from": "2024-01-01", "service_to": "2024-12-31"}
    other = {"service_from": "2024-01-01", "service_to": "2024-06-30"}
    lines = [{"net": 500, **period}, {"net": 700, **period}, {"net": 5, **other}, {"net": -5, **other}]
    [event] = given().booked(invoice("1", 1200, "01-01", lines=lines))
    assert [one.amount for one in event.deferrals] == [1200]


def test_an_opening_item_defers_nothing() -> None:
    [event] = given().booked(invoice("1", 1200, "01-01", opening=True, **YEAR))
    assert (event.deferrals, postings(event)[1]) == ([], ("1901", "C", 1200, 1200))


def test_revenue_is_recognised_by_the_day() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR))
    [event] = books.booked(recognise(INVOICE, "01-31"))
    # 31 of 366 days.
    assert postings(event) == [("220502", "D", 102, 102), ("6001", "C", 102, 102)]
    assert (event.effective_on, event.parts) == (date(2024, 1, 31), [RecognisedPart(1, 102, 102)])
    [event] = books.booked(recognise(INVOICE, "02-29"))
    assert event.amount == 197 - 102
    [event] = books.booked(recognise(INVOICE, "12-31"))
    assert event.amount == 1200 - 197


def test_by_the_month_a_month_counts_when_it_has_ended() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), recognition="month")
    assert books.booked(recognise(INVOICE, "03-30"))[0].amount == 200
    assert books.booked(recognise(INVOICE, "03-31"))[0].amount == 100


def test_a_period_that_is_not_of_whole_months_is_earned_by_the_day() -> None:
    half = service(1200, "2024-01-16", "2024-12-31")
    books = given(invoice("1", 1200, "01-01", **half), recognition="month")
    assert books.booked(recognise(INVOICE, "01-31"))[0].amount == round(1200 * 16 / 351)


def test_the_policy_holds_for_what_is_invoiced_from_then_on() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR))
    books.booked(ChangeBookPolicies(source="t", source_id="p", book="main", recognition="month"))
    books.booked(invoice("2", 1200, "01-01", **YEAR))
    assert books.booked(recognise(INVOICE, "01-31"))[0].amount == 102
    assert books.booked(recognise("invoice::2:1", "01-31"))[0].amount == 100


def test_the_accounts_are_those_of_the_invoice() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR))
    roles = {"revenue": "6051", "deferred_revenue": "2401"}
    books.booked(ChangePostingTemplate(source="t", source_id="p", book="main", roles=roles))
    assert [row[0] for row in postings(books.booked(recognise(INVOICE, "01-31"))[0])] == ["220502", "6001"]


def test_a_foreign_invoice_gives_its_own_base_amount_to_the_last_unit() -> None:
    fields: dict[str, Any] = {"currency": "JPY", "rate": "0.0473"}
    books = given(invoice("1", 1000, "01-01", **service(1000, "2024-01-01", "2024-03-31"), **fields))
    found = [books.booked(recognise(INVOICE, day, currency="JPY"))[0] for day in ("01-31", "02-29", "03-31")]
    assert [(event.amount, event.base_amount) for event in found] == [(341, 1611), (318, 1508), (341, 1611)]
    assert sum(event.base_amount for event in found) == 4730


def test_run_again_there_is_nothing_more() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), recognise(INVOICE, "03-31"))
    for until in ("03-31", "02-29"):
        assert books.refused(recognise(INVOICE, until)).code == Code.EARNED


def test_a_credit_note_is_a_schedule_of_its_own_and_the_sum_is_the_cut() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), recognise(INVOICE, "06-30"), recognition="month")
    # The contract ends in August: the last four months are credited.
    rest = service(400, "2024-09-01", "2024-12-31")
    [note, _] = books.booked(credit_note("C", 400, "07-10", INVOICE, **rest))
    assert postings(note)[0] == ("220502", "D", 400, 400)
    [event] = books.booked(recognise("credit-note::C:1", "09-30"), LATER)
    assert postings(event) == [("220502", "D", -100, -100), ("6001", "C", -100, -100)]
    books.booked(recognise("credit-note::C:1", "12-31"), LATER)
    books.booked(recognise(INVOICE, "12-31"), LATER)
    assert balance(books, "6001") == -800
    assert balance(books, "220502") == 0


def test_a_credit_note_without_a_period_takes_from_revenue_at_once() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR))
    [note, _] = books.booked(credit_note("C", 400, "07-10", INVOICE))
    assert (postings(note)[0], note.deferrals) == (("6001", "D", 400, 400), [])


def test_a_reversed_invoice_takes_what_was_recognised_with_it() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), recognise(INVOICE, "01-31"), recognise(INVOICE, "02-29"))
    outcome = books.booked(reverse(INVOICE))
    assert kinds(outcome) == ["RevenueRecognised", "RevenueRecognised", "DocumentReversed"]
    first = outcome[0]
    assert postings(first) == [("220502", "D", -102, -102), ("6001", "C", -102, -102)]
    assert (first.effective_on, first.caused_by) == (date(2024, 1, 31), INVOICE)
    assert [event.reverses for event in outcome[:2]] == ["acct:main:C1:CNY:2", "acct:main:C1:CNY:3"]
    assert {account: balance(books, account) for account in ("1122", "220502", "6001")} == dict.fromkeys(
        ("1122", "220502", "6001"), 0
    )
    assert books.refused(recognise(INVOICE, "03-31")).code == Code.DEFERRED


def test_what_was_recognised_in_a_closed_month_is_undone_in_the_open_one() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), recognise(INVOICE, "01-31"), close("2024-01"))
    outcome = books.booked(reverse(INVOICE))
    asked = [(event.effective_on.isoformat(), str(event.requested_effective_on)) for event in outcome]
    assert asked == [("2024-02-01", "2024-01-31"), ("2024-02-01", "2024-01-01")]


def test_a_run_for_a_closed_month_is_booked_on_the_first_open_day() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), close("2024-01"))
    [event] = books.booked(recognise(INVOICE, "01-31"))
    found = (event.until_on, event.requested_effective_on, event.effective_on)
    assert [str(day) for day in found] == ["2024-01-31", "2024-01-31", "2024-02-01"]


def test_a_revision_has_a_schedule_of_its_own() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR), recognise(INVOICE, "01-31"), reverse(INVOICE))
    books.booked(invoice("1", 600, "01-01", revision=2, **service(600, "2024-01-01", "2024-12-31")))
    assert books.booked(recognise("invoice::1:2", "12-31"), LATER)[0].amount == 600


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (recognise("invoice::9:1", "01-31"), Code.DEFERRED, "document"),
        (recognise("invoice::2:1", "01-31"), Code.DEFERRED, "document"),
        (recognise("payment::P:1", "02-29"), Code.DEFERRED, "document"),
        (recognise(INVOICE, "01-31", customer="C2"), Code.ITEMS_SHARE_ACCOUNT, "document"),
        (recognise(INVOICE, "01-31", currency="JPY"), Code.CURRENCY_MUST_MATCH, "currency"),
        (recognise(INVOICE, "01-09"), Code.DATE_PRECEDES_ITEM, "effective_on"),
        (recognise(INVOICE, "2199-12-31"), Code.DATE_WITHIN_HORIZON, "effective_on"),
        (recognise(INVOICE, "01-14"), Code.EARNED, "until_on"),
        (invoice("3", 5, lines=[{"net": 5, "service_from": "2024-01-01"}]), Code.SERVICE_PERIOD, "lines.0.service_to"),
        (invoice("3", 5, **service(5, "02-01", "01-31")), Code.SERVICE_PERIOD, "lines.0.service_to"),
        (credit_note("C", 5, **service(5, "02-01", "01-31")), Code.SERVICE_PERIOD, "lines.0.service_to"),
    ],
    ids=str,
)
def test_what_is_refused(command: Any, code: Code, field: str) -> None:
    books = given(invoice("1", 1200, **service(1200, "01-15", "12-31")), invoice("2", 10), payment("P", 1))
    refused = books.refused(command)
    assert (refused.code, refused.field) == (code, field)


DAYS = st.integers(0, 800).map(lambda n: date(2024, 1, 1) + timedelta(n))


@for_all(
    amount=st.integers(-(10**15), 10**15),
    base=st.integers(-(10**6), 10**6),
    days=st.tuples(DAYS, DAYS).map(sorted),
    whole_months=st.booleans(),
    method=st.sampled_from(["day", "month"]),
    runs=st.lists(DAYS, max_size=6),
)
def test_any_runs_recognise_the_same_in_all(
    amount: int, base: int, days: list[date], whole_months: bool, method: Any, runs: list[date]
) -> None:
    first, last = days
    if whole_months:
        first, last = first.replace(day=1), (last.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
    deferral = Deferral("revenue", "6001", "220502", amount, base, first, last, method)
    own: Any = _issued(deferral)
    recognised = {1: (0, 0)}
    for until in runs:
        before = recognised[1]
        for part in earned_parts(own, recognised, until):
            recognised[1] = (before[0] + part.amount, before[1] + part.base_amount)
        for now, then, whole in zip(recognised[1], before, (amount, base), strict=True):
            assert abs(then) <= abs(now) <= abs(whole)
            assert now * whole >= 0
    at_once = earned_parts(own, {}, max(runs, default=first - timedelta(1)))
    assert recognised[1] == ((at_once[0].amount, at_once[0].base_amount) if at_once else (0, 0))
    assert time_elapsed(deferral, last) == time_elapsed(deferral, last + timedelta(400))
    rest = earned_parts(own, recognised, last)
    total = [sum(pair) for pair in zip(recognised[1], *((p.amount, p.base_amount) for p in rest), strict=True)]
    assert total == [amount, base]


def _issued(deferral: Deferral) -> InvoiceIssued:
    day = date(2024, 1, 1)
    terms: dict[str, Any] = {"source": "t", "source_id": "1", "actor": "a", "template": 1, "postings": []}
    days = {"effective_on": day, "document_on": day, "tax_point_on": day}
    return InvoiceIssued(**terms, **days, document=INVOICE, total=0, base_total=0, deferrals=[deferral])


def balance(books: Any, account: str) -> int:
    """What an account's postings come to, debit positive."""
    moving = [source.event for source in books.log if hasattr(source.event, "postings")]
    rows = [row for event in moving for row in postings(event)]
    return sum(amount if side == "D" else -amount for code, side, amount, _ in rows if code == account)


def test_recognition_moves_no_item() -> None:
    books = given(invoice("1", 1200, "01-01", **YEAR))
    before = books.item(f"{INVOICE}#1")
    [event] = books.booked(recognise(INVOICE, "01-31"))
    assert isinstance(event, RevenueRecognised)
    assert books.item(f"{INVOICE}#1") == before
