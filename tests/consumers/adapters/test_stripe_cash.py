"""Stripe's charges, refunds and balance transactions: given this object, then these commands, booked once each."""

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from stripe_objects import (
    AT,
    LATER,
    charge,
    credit_note,
    encode,
    event,
    held,
    invoice,
    kinds,
    line,
    moved,
    one,
    read,
    refund,
    stripe,
)

from domain.commands import RecordPayment, RecordRefund, ReverseDocument
from ledger.digest import digest
from ledger.outcomes import Acknowledged, Submission, Unreadable

APART = {"fees": "apart"}
DEDUCTED = {"fees": "deducted"}


def refunds(*those: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(those), "has_more": False}


# --- payments


def test_a_captured_charge_is_a_payment() -> None:
    command = one(event("charge.succeeded", charge(invoice="in_1")))
    assert isinstance(command, RecordPayment)
    assert (command.source_id, command.number, command.customer, command.currency) == ("ch_1", "ch_1", "cus_1", "EUR")
    assert (command.amount, command.method, command.cash, command.deductions) == (10_000, "provider", None, [])
    assert command.effective_on == date(2024, 1, 31)
    assert [paid.reference for paid in command.remittance] == ["invoice::in_1"]


def test_the_same_charge_is_the_same_fact_however_it_comes() -> None:
    ways = [
        event("charge.succeeded", charge()),
        event("charge.captured", charge(), before={"captured": False}),
        event("charge.updated", charge(description="changed", metadata={"a": "b"})),
        charge(balance_transaction=moved("txn_1", 10_000, 320)),
        charge(customer={"id": "cus_1", "object": "customer"}, refunds={}, status=None, amount_captured=None),
        moved("txn_1", 10_000, 320, source=charge()),
    ]
    assert {len(read(way)) for way in ways} == {1}
    assert len({digest(one(way)) for way in ways}) == 1


@pytest.mark.parametrize(
    "message",
    [
        event("charge.succeeded", charge(captured=False, amount_captured=0)),
        event("charge.failed", charge(status="failed", paid=False, captured=False)),
        event("charge.pending", charge(status="pending")),
        charge(paid=False),
        event("charge.expired", charge(captured=False, refunded=True, refunds=refunds(refund()))),
        event("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent", "latest_charge": "ch_1"}),
        event("checkout.session.completed", {"id": "cs_1", "object": "checkout.session"}),
        event("invoice_payment.paid", {"id": "inpay_1", "object": "invoice_payment"}),
        event("payout.paid", {"id": "po_1", "object": "payout"}),
        moved("txn_3", -9_000, type="payout"),
        moved("txn_4", -25, type="stripe_fee"),
        moved("txn_1", 10_000, 320, source="ch_1"),
    ],
    ids=lambda message: message.get("type") or message["object"],
)
def test_what_is_no_payment_or_is_told_elsewhere_is_acknowledged(message: dict[str, Any]) -> None:
    [entry] = read(message)
    assert isinstance(entry, Acknowledged)
    expected = message["type"] if message["object"] == "event" else message["object"]
    assert (entry.book, entry.source, entry.kind) == ("main", "stripe", expected)


def test_only_what_was_captured_is_paid_and_the_release_of_the_rest_is_no_refund() -> None:
    rest = refund(id="re_rest", amount=4_000, balance_transaction=None)
    captured = charge(amount_captured=6_000, amount_refunded=4_000, refunds=refunds(rest))
    assert one(event("charge.captured", captured)).amount == 6_000


@pytest.mark.parametrize(
    ("message", "code", "field", "value"),
    [
        (charge(amount=Decimal("100.0"), amount_captured=None), "command_must_be_valid", "amount", "100.0"),
        (charge(amount_captured="10000"), "command_must_be_valid", "amount_captured", "10000"),
        (charge(amount=None, amount_captured=None), "command_must_be_valid", "amount", ""),
        (charge(customer=None), "customer_must_be_given", "customer", ""),
        (charge(customer={"name": "Jenny Rosen"}), "command_must_be_valid", "customer.id", ""),
        (charge(currency="bitcoin"), "command_must_be_valid", "currency", "bitcoin"),
        (charge(created=None), "command_must_be_valid", "created", ""),
        (charge(status="dreamt"), "command_must_be_valid", "status", "dreamt"),
        (charge(captured="yes"), "command_must_be_valid", "captured", "yes"),
        (charge(id="ch_" + "1" * 99), "command_must_be_valid", "number", "ch_" + "1" * 99),
    ],
)
def test_a_wrong_charge_is_held(message: dict[str, Any], code: str, field: str, value: str) -> None:
    wrong = held(message)
    assert (wrong.code, wrong.field, wrong.value) == (code, field, value)


def test_what_is_held_names_nobody() -> None:
    billed = {"name": "Jenny Rosen", "address": {"line1": "Main Street"}, "email": "jenny@example.com"}
    by_card = {"source": {"id": "card_1", "name": "Jenny Rosen"}, "receipt_email": "jenny@example.com"}
    disputed = {"id": "dp_1", "object": "dispute", "charge": charge(billing_details=billed, **by_card), "amount": 7}
    messages = [charge(customer=None, **by_card), charge(amount_captured="x", billing_details=billed)]
    for message in [*messages, event("charge.dispute.created", disputed)]:
        wrong = held(message)
        assert "enny" not in wrong.raw
        assert "Main" not in wrong.raw
        assert "7" in wrong.raw or "ch_1" in wrong.raw


def test_unknown_customers_share_a_house_account_with_their_refunds() -> None:
    paid = charge(customer=None, amount_refunded=3_000, refunds=refunds(refund(customer=None)))
    entries = read(paid, missing_customer="house")
    assert kinds(entries) == ["RecordPayment ch_1", "RecordRefund re_1"]
    assert {e.command.customer for e in entries if isinstance(e, Submission)} == {"~stripe:2024-01"}  # type: ignore[union-attr]
    assert held(refund(customer=None), missing_customer="house").code == "customer_must_be_given"


# --- fees


def test_fees_are_deducted_where_the_feed_says_so() -> None:
    command = one(charge(balance_transaction=moved("txn_1", 10_000, 320, created=LATER)), **DEDUCTED)
    assert (command.amount, command.effective_on) == (10_000, date(2024, 2, 1))
    assert [(deduction.reason, deduction.amount) for deduction in command.deductions] == [("provider_fee", 320)]
    named = one(charge(balance_transaction=moved("txn_1", 10_000)), **DEDUCTED, method="bank", fee_reason="bank_charge")
    assert (named.deductions, named.method) == ([], "bank")


def test_a_balance_transaction_that_brings_its_charge_is_that_payment() -> None:
    whole = charge(balance_transaction=moved("txn_1", 10_000, 320))
    brought = moved("txn_1", 10_000, 320, source=charge())
    assert digest(one(brought, **DEDUCTED)) == digest(one(whole, **DEDUCTED))
    returned = moved("txn_2", -3_000, source=refund(), created=LATER)
    assert digest(one(returned, **DEDUCTED)) == digest(one(refund(balance_transaction=returned), **DEDUCTED))


@pytest.mark.parametrize(
    ("message", "code", "field", "value"),
    [
        (charge(), "fee_must_be_known", "balance_transaction", "txn_1"),
        (charge(balance_transaction=None), "fee_must_be_known", "balance_transaction", ""),
        (
            charge(balance_transaction=moved("txn_1", 9_999, 320)),
            "command_must_be_valid",
            "balance_transaction.amount",
            "9999",
        ),
        (
            charge(balance_transaction=moved("txn_1", 10_000, 320, net=9_681)),
            "command_must_be_valid",
            "balance_transaction.net",
            "9681",
        ),
        (
            charge(balance_transaction=moved("txn_1", 10_000, Decimal("3.2"), net=None)),
            "command_must_be_valid",
            "balance_transaction.fee",
            "3.2",
        ),
        (
            charge(balance_transaction=moved("txn_1", 10_800, 346, currency="usd")),
            "event_not_yet_supported",
            "balance_transaction.currency",
            "USD",
        ),
        (refund(), "fee_must_be_known", "balance_transaction", "txn_2"),
        (
            refund(balance_transaction=moved("txn_2", -3_000, -30)),
            "event_not_yet_supported",
            "balance_transaction.fee",
            "-30",
        ),
    ],
)
def test_where_fees_are_deducted_the_balance_transaction_must_be_there_and_agree(
    message: dict[str, Any], code: str, field: str, value: str
) -> None:
    wrong = held(message, **DEDUCTED)
    assert (wrong.code, wrong.field, wrong.value) == (code, field, value)


# --- refunds


def test_a_refund_gives_back_its_charge() -> None:
    command = one(event("refund.created", refund()))
    assert isinstance(command, RecordRefund)
    assert (command.source_id, command.number, command.customer, command.nature) == ("re_1", "re_1", "cus_1", "fact")
    assert (command.amount, command.method, command.effective_on) == (3_000, "provider", date(2024, 2, 1))
    assert command.original_payment is not None
    assert command.original_payment.document == "payment::ch_1:1"


def test_the_same_refund_is_the_same_fact_however_it_comes() -> None:
    of_charge = charge(amount_refunded=3_000, refunds=refunds(refund(customer=None)))
    ways = [
        event("refund.created", refund()),
        event("refund.updated", refund(metadata={"a": "b"}), before={"metadata": {}}),
        event("charge.refund.updated", refund(status=None)),
        refund(customer=None, charge=charge()),
        event("charge.refunded", of_charge, before={"amount_refunded": 0}),
    ]
    commands = [entry.command for way in ways for entry in read(way) if isinstance(entry, Submission)]
    refunded = [command for command in commands if isinstance(command, RecordRefund)]
    assert len(refunded) == len(ways)
    assert {command.source_id for command in refunded} == {"re_1"}
    assert len({digest(command) for command in refunded}) == 1


def test_a_refund_names_no_customer_then_it_is_the_charges_or_the_keys() -> None:
    nameless = refund(customer=None)
    wrong = held(nameless)
    assert wrong.code == "customer_must_be_given"
    assert "with the charge expanded" in wrong.rule
    assert '"command":"RecordRefund"' in wrong.raw
    [keyed] = read(nameless, key="cus_7", customer_from_key=True)
    assert isinstance(keyed, Submission)
    assert keyed.command.customer == "cus_7"  # type: ignore[union-attr]
    [ignored] = read(nameless, key="cus_7")
    assert isinstance(ignored, Unreadable)


def test_a_sum_of_refunds_without_the_refunds_is_left_to_the_refunds() -> None:
    entries = read(event("charge.refunded", charge(amount_refunded=3_000), before={"amount_refunded": 0}))
    assert kinds(entries) == ["RecordPayment ch_1", "acknowledged charge.refunded (refunds come by themselves)"]
    assert len(read(charge(amount_refunded=3_000, refunds=refunds(refund())))) == 2
    some = charge(amount_refunded=3_001, refunds=refunds(refund()) | {"has_more": True})
    assert kinds(read(some)) == [
        "RecordPayment ch_1",
        "RecordRefund re_1",
        "acknowledged charge (refunds come by themselves)",
    ]


@pytest.mark.parametrize("status", ["pending", "requires_action", "canceled"])
def test_a_refund_that_is_not_final_is_acknowledged(status: str) -> None:
    assert kinds(read(event("refund.updated", refund(status=status)))) == ["acknowledged refund.updated"]


def test_a_refund_that_moved_no_money_is_held_until_somebody_knows() -> None:
    wrong = held(refund(balance_transaction=None))
    assert (wrong.code, wrong.source_id) == ("refund_must_have_moved_money", "re_1")
    failed = refund(balance_transaction=None, status="failed")
    assert kinds(read(failed)) == ["acknowledged refund"]


def test_a_refund_of_no_charge_cannot_be_booked_yet() -> None:
    assert held(refund(charge=None)).code == "event_not_yet_supported"
    assert held(refund(status="lost")).field == "status"


def failed(**more: Any) -> dict[str, Any]:
    return refund(status="failed", failure_balance_transaction="txn_9") | more


@pytest.mark.parametrize(
    "message",
    [
        event("refund.failed", failed(), at=LATER + 86_400),
        event("charge.refund.updated", failed(), at=LATER + 86_400, before={"status": "succeeded"}),
        failed(failure_balance_transaction=moved("txn_9", 3_000, created=LATER + 86_400)),
        charge(refunds=refunds(failed(failure_balance_transaction=moved("txn_9", 3_000, created=LATER + 86_400)))),
    ],
    ids=["refund.failed", "charge.refund.updated", "expanded", "in its charge"],
)
def test_a_failed_refund_was_paid_and_came_back(message: dict[str, Any]) -> None:
    entries = [entry for entry in read(message) if isinstance(entry, Submission)]
    assert kinds(entries)[-2:] == ["RecordRefund re_1", "ReverseDocument re_1:failed"]  # type: ignore[arg-type]
    command = entries[-1].command
    assert isinstance(command, ReverseDocument)
    assert (command.document.document, command.mode) == ("refund::re_1:1", "failed")
    assert command.effective_on == date(2024, 2, 2)


def test_a_balance_transaction_is_one_movement_whatever_its_source_tells_beside() -> None:
    back = moved("txn_9", 3_000, type="refund_failure", created=LATER + 86_400, source=failed())
    [returned] = read(back, **DEDUCTED)
    assert isinstance(returned, Submission)
    assert returned.command.source_id == "re_1:failed"
    of_refund = event("refund.failed", failed(), at=LATER + 86_400)
    assert digest(returned.command) == digest(read(of_refund)[1].command)  # type: ignore[union-attr]
    for type_ in ("refund", "payment_refund"):
        assert kinds(read(moved("txn_2", -3_000, type=type_, source=failed()), **DEDUCTED)) == ["RecordRefund re_1"]
    listing = charge(amount_refunded=3_000, refunds=refunds(refund()))
    assert kinds(read(moved("txn_1", 10_000, 320, source=listing), **DEDUCTED)) == ["RecordPayment ch_1"]


def test_both_halves_of_a_failed_refund_are_held_where_its_customer_is_missing() -> None:
    nameless = event("refund.failed", failed(customer=None))
    assert kinds(read(nameless)) == ["customer_must_be_given re_1", "customer_must_be_given re_1:failed"]
    of_charge = read(event("refund.failed", failed(customer=None, charge=charge(customer="cus_5"))))
    assert {e.command.customer for e in of_charge if isinstance(e, Submission)} == {"cus_5"}  # type: ignore[union-attr]
    assert len(of_charge) == 2
    assert kinds(read(event("refund.failed", failed(charge=None)))) == ["event_not_yet_supported re_1"]


def test_when_a_refund_failed_is_never_guessed() -> None:
    bare = read(failed())
    assert kinds(bare) == ["RecordRefund re_1", "date_of_failure_must_be_known re_1:failed"]
    of_charge = event("charge.updated", charge(refunds=refunds(failed())))
    assert kinds(read(of_charge))[1:] == ["RecordRefund re_1", "date_of_failure_must_be_known re_1:failed"]
    later = event("refund.updated", failed(metadata={"a": "b"}), before={"metadata": {}})
    assert kinds(read(later)) == ["RecordRefund re_1", "acknowledged refund.updated"]
    undeducted = refund(
        status="failed", failure_balance_transaction="txn_9", balance_transaction=moved("txn_2", -3_000)
    )
    assert kinds(read(undeducted, **DEDUCTED)) == ["RecordRefund re_1", "fee_must_be_known re_1:failed"]


# --- what cannot be booked yet


@pytest.mark.parametrize(
    ("message", "source_id", "value"),
    [
        ({"id": "pyr_1", "object": "payment_record"}, "pyr_1", "payment_record"),
        ({"id": "cbtxn_1", "object": "customer_balance_transaction"}, "cbtxn_1", None),
        (moved("txn_5", -10_000, 1_500, type="adjustment", reporting_category="other"), "txn_5", None),
        (moved("txn_6", -10_000, type="payment_reversal"), "txn_6", None),
        (event("brand.new", {"id": "bn_1", "object": "brand.new"}, id="evt_3"), "evt_3", None),
        ({"id": "evt_4", "object": "event", "type": "v2.money.moved", "related_object": {"id": "x"}}, "evt_4", None),
    ],
)
def test_what_may_matter_is_held_with_its_type(message: dict[str, Any], source_id: str, value: str | None) -> None:
    wrong = held(message)
    assert (wrong.code, wrong.field, wrong.source_id) == ("event_not_yet_supported", "type", source_id)
    assert '"id":' in wrong.raw or "id" not in message.get("data", {}).get("object", message)
    assert wrong.value == (value or message["type"] if message["object"] == "event" else message["object"])


def test_a_feed_can_say_what_else_means_nothing() -> None:
    for name in ("brand", "brand.new", "brand.new.created"):
        message = event("brand.new.created", {"id": "bn_1", "object": "brand.new"})
        assert kinds(read(message, acknowledge=[name])) == ["acknowledged brand.new.created"]


# --- in the ledger


def facts() -> dict[str, bytes]:
    """An invoice, the charge that pays it, two partial refunds by three ways, a credit note."""
    second = refund(id="re_2", amount=1_000, balance_transaction="txn_3")
    once = charge(invoice="in_1", amount_refunded=3_000, refunds=refunds(refund()))
    twice = charge(invoice="in_1", amount_refunded=4_000, refunds=refunds(second, refund()))
    return {
        "invoice": encode(event("invoice.finalized", invoice(line(10_000)))),
        "charge": encode(event("charge.succeeded", charge(invoice="in_1"))),
        "refund": encode(event("refund.created", refund())),
        "charge refunded": encode(event("charge.refunded", once, before={"amount_refunded": 0})),
        "charge refunded twice": encode(event("charge.refunded", twice, before={"amount_refunded": 3_000})),
        "credit note": encode(event("credit_note.created", credit_note(line(4_000), customer="cus_1"))),
    }


def test_cumulative_refunds_are_booked_once_each(books: Any, post: Any, balance: Any) -> None:
    outcomes = post(books, stripe(), *facts().values())
    assert Counter(outcome.status.value for outcome in outcomes) == {"booked": 5, "duplicate": 4}
    assert balance(books) == {"1012": 6_000, "6001": -6_000}
    assert books.balances() == {"cus_1": 0}


@pytest.mark.parametrize("order", list(permutations(("invoice", "charge", "refund", "credit note"))))
def test_any_order_of_arrival_gives_the_same(books: Any, post: Any, balance: Any, order: tuple[str, ...]) -> None:
    messages = facts()
    post(books, stripe(), *(messages[name] for name in order))
    assert books.ledger.waiting() == []
    # 100.00 paid, 30.00 given back; 60.00 billed in the end: 10.00 are the customer's.
    found = balance(books)
    assert (found["1012"], found["6001"]) == (7_000, -6_000)
    assert found["1122"] + found["2203"] == -1_000
    outcomes = post(books, stripe(), *(messages[name] for name in reversed(order)))
    assert {outcome.status.value for outcome in outcomes} == {"duplicate"}
    assert balance(books) == found


def test_a_refund_before_its_charge_waits_for_it(books: Any, post: Any, balance: Any) -> None:
    [outcome] = post(books, stripe(), encode(refund()))
    assert (outcome.status.value, outcome.awaited) == ("waiting", "payment::ch_1:1")
    assert balance(books) == {}
    post(books, stripe(), encode(charge()))
    assert balance(books) == {"1012": 7_000, "2203": -7_000}


def test_a_failed_refund_leaves_the_money_with_us(books: Any, post: Any, balance: Any) -> None:
    message = encode(event("refund.failed", failed(), at=LATER + 86_400))
    outcomes = post(books, stripe(), message, encode(charge()), message, encode(refund()))
    assert [outcome.status.value for outcome in outcomes] == ["waiting", "waiting", "booked", *["duplicate"] * 3]
    assert balance(books) == {"1012": 10_000, "2203": -10_000}
    assert books.quarantine() == []


def test_a_voided_invoice_leaves_nothing_owed_whatever_came_first(books: Any, post: Any, balance: Any) -> None:
    void = encode(event("invoice.voided", invoice(status="void")))
    outcomes = post(books, stripe(), void, encode(event("invoice.finalized", invoice())), void)
    assert [outcome.status.value for outcome in outcomes] == ["booked", "booked", *["duplicate"] * 3]
    assert balance(books) == {}
    assert books.balances() == {"cus_1": 0}


def test_a_foreign_currency_without_a_rate_is_refused_and_held(books: Any, post: Any) -> None:
    messages = [encode(invoice(currency="usd")), encode(charge(currency="usd"))]
    outcomes = post(books, stripe(), *messages)
    assert {(outcome.status.value, outcome.code) for outcome in outcomes} == {("refused", "rate_must_be_given")}
    assert books.quarantine() == [("rate_must_be_given", "in_1"), ("rate_must_be_given", "ch_1")]


def test_an_entry_leaves_the_quarantine_when_its_message_comes_right(books: Any, post: Any) -> None:
    post(
        books,
        stripe(),
        encode(refund(customer=None)),
        encode(invoice(total=9)),
        encode(refund(balance_transaction=None)),
    )
    assert sorted(books.quarantine()) == [
        ("customer_must_be_given", "re_1"),
        ("lines_and_tax_must_sum_to_total", "in_1"),
        ("refund_must_have_moved_money", "re_1"),
    ]
    post(books, stripe(), encode(charge()), encode(refund()), encode(invoice()))
    assert books.quarantine() == []


def test_another_amount_under_the_same_id_is_a_conflict_that_can_be_seen(books: Any, post: Any, balance: Any) -> None:
    outcomes = post(books, stripe(), encode(charge()), encode(charge(amount=9_000)))
    assert [outcome.status.value for outcome in outcomes] == ["booked", "conflict"]
    assert balance(books) == {"1012": 10_000, "2203": -10_000}
    assert books.quarantine() == [("same_source_id_must_have_same_content", "ch_1")]


def test_the_day_is_the_accounting_day(books: Any, post: Any) -> None:
    post(books, stripe(), encode(charge(created=AT)))
    assert books.documents()["payment::ch_1:1"].effective_on == date(2024, 1, 31)
