"""Given a dispute of Stripe's, then what it withdrew is returned, and what it gave back is reinstated."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from stripe_objects import AT, LATER, charge, encode, event, held, kinds, moved, one, read, stripe

from domain.commands import ReinstatePayment, ReturnPayment

OUT = moved("txn_1", -10_000, 1_500, type="adjustment", reporting_category="dispute", created=AT)
BACK = moved("txn_2", 10_000, -1_500, type="adjustment", reporting_category="dispute_reversal", created=LATER)


def dispute(*moves: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "dp_1",
        "object": "dispute",
        "charge": charge(),
        "amount": 10_000,
        "currency": "eur",
        "status": "needs_response",
        "balance_transactions": list(moves),
    } | more


def test_what_it_withdraws_is_a_chargeback_of_its_charge() -> None:
    command: ReturnPayment = one(event("charge.dispute.funds_withdrawn", dispute(OUT)))
    assert (command.payment.document, command.kind) == ("payment::ch_1:1", "chargeback")
    assert (command.number, command.source_id, command.customer) == ("dp_1", "dp_1", "cus_1")
    assert (command.amount, command.fee, command.effective_on) == (10_000, 0, date(2024, 1, 31))
    assert one(dispute(OUT), fees="deducted").fee == 1_500


def test_what_it_gives_back_is_a_reinstatement_and_both_come_whenever_it_is_told() -> None:
    entries = read(event("charge.dispute.closed", dispute(OUT, BACK, status="won")), fees="deducted")
    assert kinds(entries) == ["ReturnPayment dp_1", "ReinstatePayment dp_1:reinstated"]
    command: Any = entries[1].command  # type: ignore[union-attr]
    assert isinstance(command, ReinstatePayment)
    assert (command.returned.document, command.amount, command.fee) == ("return::dp_1:1", 10_000, 1_500)
    assert command.effective_on == date(2024, 2, 1)


def test_an_inquiry_moves_no_money() -> None:
    assert kinds(read(event("charge.dispute.created", dispute(status="warning_needs_response")))) == [
        "acknowledged charge.dispute.created (no money has moved)"
    ]


def test_a_balance_transaction_of_a_dispute_is_the_same_fact_or_told_by_it() -> None:
    assert kinds(read(OUT | {"source": dispute(OUT)})) == ["ReturnPayment dp_1"]
    assert kinds(read(OUT | {"source": "dp_1"})) == ["acknowledged balance_transaction"]


def test_a_second_withdrawal_has_the_name_of_its_transaction() -> None:
    more = moved("txn_3", -500, 0, type="adjustment", reporting_category="dispute", created=LATER)
    assert kinds(read(dispute(OUT, more))) == ["ReturnPayment dp_1", "ReturnPayment txn_3"]


def test_a_charge_in_another_currency_than_ours_at_stripe() -> None:
    dollars = OUT | {"currency": "usd", "amount": -10_800}
    assert one(dispute(dollars)).amount == 10_000
    assert held(dispute(dollars), fees="deducted").code == "event_not_yet_supported"


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        (dispute(OUT, charge="ch_1"), "customer_must_be_given", "customer"),
        (dispute(OUT, charge=None), "command_must_be_valid", "charge"),
        (dispute(OUT | {"created": None}), "command_must_be_valid", "balance_transactions.0.created"),
        (dispute(moved("txn_4", 0, 1_500)), "event_not_yet_supported", "type"),
        ({"id": "dp_1", "object": "dispute"}, "event_not_yet_supported", "type"),
    ],
)
def test_a_dispute_that_lacks_something_is_held(message: dict[str, Any], code: str, field: str) -> None:
    wrong = held(message)
    assert (wrong.code, wrong.field) == (code, field)


def test_in_the_ledger_a_dispute_that_comes_before_its_charge_and_is_won_changes_nothing(
    books: Any, post: Any, balance: Callable[[Any], Counter[str]]
) -> None:
    adapter = stripe()
    lost = event("charge.dispute.closed", dispute(OUT, BACK))
    outcomes = post(books, adapter, encode(lost), encode(charge()), encode(dispute(OUT, BACK)))
    assert [outcome.status.value for outcome in outcomes] == ["waiting", "waiting", "booked", "duplicate", "duplicate"]
    assert balance(books) == Counter({"1012": 10_000, "2203": -10_000})
