"""Payments that came back, and came back once more: returned by the bank, charged back, won."""

import pytest
from given import (
    Books,
    adjustment,
    given,
    invoice,
    kinds,
    payment,
    postings,
    refund,
    reinstated,
    returned,
    reverse,
)

from domain.commands import Command
from domain.events import PaymentReinstated, PaymentReturned
from domain.refusals import Code

INVOICE, PAYMENT, RETURN = "invoice::1:1#1", "payment::P:1", "return::R:1"
FEE = [{"reason": "provider_fee", "amount": 3}]


def returning(books: Books, command: Command) -> PaymentReturned:
    [event] = [event for event in books.booked(command) if isinstance(event, PaymentReturned)]
    return event


def reinstating(books: Books, command: Command) -> PaymentReinstated:
    [event] = [event for event in books.booked(command) if isinstance(event, PaymentReinstated)]
    return event


def test_a_bounced_cheque_opens_its_invoice_again_on_the_banks_day() -> None:
    books = given(invoice("1", 100), payment("P", 100, pays=["1"]))
    outcome = books.booked(returned("R", PAYMENT, 100))
    assert kinds(outcome) == ["AllocationReleased", "PaymentReturned"]
    assert postings(outcome[1]) == [("2203", "D", 100, 100), ("1002", "C", 100, 100)]
    assert [event.effective_on.isoformat() for event in outcome] == ["2024-02-10", "2024-02-10"]
    assert (books.open(INVOICE), books.open(f"{PAYMENT}#1")) == (100, 0)


def test_what_the_payment_has_open_is_taken_before_its_newest_allocations() -> None:
    books = given(invoice("1", 40), invoice("2", 40), payment("P", 100, pays=["1", "2"]))
    outcome = books.booked(returned("R", PAYMENT, 70))
    assert kinds(outcome) == ["AllocationReleased", "AllocationReleased", "PaymentReturned"]
    assert (books.open(INVOICE), books.open("invoice::2:1#1")) == (10, 40)


def test_allocations_that_it_names_are_released_first() -> None:
    books = given(invoice("1", 40), invoice("2", 40), payment("P", 80, pays=["1", "2"]))
    books.booked(returned("R", PAYMENT, 40, allocations=["4.1"]))
    assert (books.open(INVOICE), books.open("invoice::2:1#1")) == (40, 0)


def test_a_chargeback_gives_deductions_back_and_costs_a_fee() -> None:
    books = given(payment("P", 100, deductions=FEE, method="provider"))
    event = returning(books, returned("R", PAYMENT, 100, kind="chargeback", deductions=FEE, fee=15))
    assert postings(event) == [
        ("2203", "D", 100, 100),
        ("6603", "C", 3, 3),
        ("6603", "D", 15, 15),
        ("1012", "C", 112, 112),
    ]
    assert event.cash == 112


def test_what_was_refunded_before_it_was_charged_back_is_owed() -> None:
    books = given(payment("P", 100), refund("F", 60, of=PAYMENT))
    event = returning(books, returned("R", PAYMENT, 100, kind="chargeback"))
    assert (event.taken, event.excess, event.flags) == (40, 60, ["return_exceeds_payment"])
    assert postings(event) == [("2203", "D", 40, 40), ("1122", "D", 60, 60), ("1002", "C", 100, 100)]
    assert books.open(f"{RETURN}#1") == 60
    books.booked(payment("Q", 100, "02-20"))
    assert books.open(f"{RETURN}#1") == 0


def test_a_foreign_payment_that_comes_back_at_another_rate_leaves_an_exchange_difference() -> None:
    usd = {"currency": "USD"}
    books = given(payment("P", 100, rate="7", **usd))
    event = returning(books, returned("R", PAYMENT, 100, rate="7.2", fee=10, **usd))
    assert postings(event) == [
        ("2203", "D", 100, 700),
        ("6603", "D", 10, 72),
        ("1002", "C", 110, 792),
        ("6603", "D", 0, 20),
    ]


def test_a_dispute_that_was_won_settles_the_invoice_again() -> None:
    books = given(invoice("1", 100), payment("P", 100, pays=["1"]), returned("R", PAYMENT, 100, fee=15))
    outcome = books.booked(reinstated("W", RETURN, 100, fee=15))
    assert kinds(outcome) == ["PaymentReinstated", "Allocated"]
    assert postings(outcome[0]) == [("6603", "C", 15, 15), ("1002", "D", 115, 115), ("2203", "C", 100, 100)]
    assert (books.open(INVOICE), books.open(f"{PAYMENT}#1")) == (0, 0)


def test_a_dispute_won_after_the_invoice_was_paid_otherwise_leaves_the_money_with_the_customer() -> None:
    books = given(
        invoice("1", 100),
        payment("P", 100, pays=["1"]),
        returned("R", PAYMENT, 100, kind="chargeback"),
        payment("Q", 100, "02-20", pays=["1"]),
    )
    assert kinds(books.booked(reinstated("W", RETURN, 100))) == ["PaymentReinstated"]
    assert books.open(f"{PAYMENT}#1") == 100


def test_a_reinstatement_gives_the_payment_back_what_was_taken_and_the_rest_to_the_excess() -> None:
    books = given(payment("P", 100), refund("F", 60, of=PAYMENT), returned("R", PAYMENT, 100))
    event = reinstating(books, reinstated("W", RETURN, 90))
    assert (event.given, event.excess, event.flags) == (40, 50, [])
    # The rest settles what is owed, and what the payment has open settles what is left of it.
    assert (books.open(f"{RETURN}#1"), books.open("reinstatement::W:1#1"), books.open(f"{PAYMENT}#1")) == (0, 0, 30)


def test_reinstatements_share_the_base_and_the_last_takes_the_rest() -> None:
    usd = {"currency": "USD"}
    books = given(payment("P", 3, base_total=20, **usd), returned("R", PAYMENT, 3, base_total=20, **usd))
    found = [reinstating(books, reinstated(f"W{n}", RETURN, 1, base_total=7, **usd)) for n in range(3)]
    assert [event.given_base for event in found] == [7, 7, 6]


def test_more_than_was_returned_is_flagged_as_a_fact_and_refused_as_an_instruction() -> None:
    books = given(payment("P", 100), returned("R", PAYMENT, 50))
    refused = books.refused(reinstated("W", RETURN, 51, nature="instruction"))
    assert (refused.code, refused.value) == (Code.REINSTATEMENT, "51 (left: 50)")
    event = reinstating(books, reinstated("W", RETURN, 51))
    assert (event.given, event.excess, event.flags) == (50, 1, ["reinstatement_exceeds_return"])
    assert (books.open(f"{PAYMENT}#1"), books.open("reinstatement::W:1#1")) == (100, 1)


def test_a_reinstatement_is_not_booked_before_its_return() -> None:
    books = given(payment("P", 100), returned("R", PAYMENT, 50, "02-10"))
    event = reinstating(books, reinstated("W", RETURN, 50, "02-05"))
    assert (event.effective_on.isoformat(), str(event.requested_effective_on)) == ("2024-02-10", "2024-02-05")


def test_a_return_of_an_unknown_payment_and_its_reinstatement_wait() -> None:
    books = given(invoice("1", 100))
    assert kinds(books.booked(returned("R", PAYMENT, 100))) == ["FactDeferred"]
    assert kinds(books.booked(reinstated("W", RETURN, 100))) == ["FactDeferred"]
    outcome = books.booked(payment("P", 100, pays=["1"]))
    assert kinds(outcome) == [
        "PaymentReceived",
        "Allocated",
        "AllocationReleased",
        "PaymentReturned",
        "PaymentReinstated",
        "Allocated",
        "DeferredFactApplied",
        "DeferredFactApplied",
    ]
    assert books.open(INVOICE) == 0


def test_an_undone_return_settles_again_what_it_had_released() -> None:
    books = given(invoice("1", 100), payment("P", 100, pays=["1"]), returned("R", PAYMENT, 100))
    assert kinds(books.booked(reverse(RETURN))) == ["DocumentReversed", "Allocated"]
    assert books.open(INVOICE) == 0


def test_an_undone_reinstatement_releases_what_it_has_settled_since() -> None:
    books = given(
        invoice("1", 100), payment("P", 100, pays=["1"]), returned("R", PAYMENT, 100), reinstated("W", RETURN, 100)
    )
    assert kinds(books.booked(reverse("reinstatement::W:1"))) == ["AllocationReleased", "DocumentReversed"]
    assert (books.open(INVOICE), books.open(f"{PAYMENT}#1")) == (100, 0)


def test_what_is_built_upon_another_is_undone_before_it() -> None:
    books = given(payment("P", 100), returned("R", PAYMENT, 100), reinstated("W", RETURN, 100))
    books.booked(adjustment("A", f"{PAYMENT}#1", 5, "03-31"))
    for document, dependant in (
        (PAYMENT, "adjustment::A:1, return::R:1"),
        (RETURN, "reinstatement::W:1"),
        ("reinstatement::W:1", "adjustment::A:1"),
    ):
        refused = books.refused(reverse(document))
        assert (refused.code, refused.value) == (Code.DEPENDANTS, dependant)
    for document in ("adjustment::A:1", "reinstatement::W:1", RETURN, PAYMENT):
        books.booked(reverse(document))
    assert books.open(f"{PAYMENT}#1") == 0


def test_a_refund_can_be_of_what_was_not_returned() -> None:
    books = given(payment("P", 100), payment("Q", 100), returned("R", PAYMENT, 60))
    refused = books.refused(refund("F", 41, "02-20", of=PAYMENT))
    assert (refused.code, refused.value) == (Code.REFUNDABLE, "41 (refundable: 40)")
    books.booked(reinstated("W", RETURN, 10, "02-15"))
    books.booked(refund("F", 50, "02-20", of=PAYMENT))


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (returned("R", PAYMENT, 0), Code.AMOUNT_MUST_BE_POSITIVE, "amount"),
        (returned("R", PAYMENT, 2, deductions=FEE), Code.CASH_AND_DEDUCTIONS, "deductions"),
        (returned("R", PAYMENT, 5, deductions=[{"reason": "none", "amount": 1}]), Code.REASON, "deductions.0.reason"),
        (returned("R", "payment::X:1", 5), Code.ITEMS_SHARE_ACCOUNT, "payment"),
        (returned("R", PAYMENT, 5, currency="USD", rate="7"), Code.CURRENCY_MUST_MATCH, "currency"),
        (returned("R", PAYMENT, 5, on="2199-12-31"), Code.DATE_WITHIN_HORIZON, "effective_on"),
        (reinstated("W", "return::R0:1", 5, "01-31", nature="instruction"), Code.DATE_PRECEDES_ITEM, "effective_on"),
        (reinstated("W", "return::R0:1", 5, fee=10**15 + 1), Code.AMOUNT_WITHIN_LIMIT, "fee"),
    ],
    ids=str,
)
def test_what_is_refused(command: Command, code: Code, field: str) -> None:
    books = given(payment("P", 100), payment("X", 10, customer="C2"), returned("R0", PAYMENT, 20))
    refused = books.refused(command)
    assert (refused.code, refused.field) == (code, field)
