"""RecordPayment 收款: D cash and deductions, C the deposit in full; what it settles is an allocation of its own."""

import pytest
from given import Books, given, invoice, kinds, payment, postings

from domain.commands import RecordPayment
from domain.events import Allocated, Event, PaymentReceived

BILLED = [invoice("1", 100, due="02-01"), invoice("2", 100, due="03-01"), invoice("3", 100, due="04-01")]


def booked(books: Books, command: RecordPayment) -> list[Event]:
    return books.booked(command)


def opens(books: Books, *numbers: str) -> list[int]:
    return [books.open(f"invoice::{number}:1#1") for number in numbers]


def test_a_payment_debits_cash_and_credits_the_deposit_in_full() -> None:
    [event] = booked(given(), payment("P", 100))
    assert postings(event) == [("1002", "D", 100, 100), ("2203", "C", 100, 100)]


def test_deductions_are_part_of_what_was_paid() -> None:
    kept = [{"reason": "bank_charge", "amount": 3}, {"reason": "withholding", "amount": 10}]
    [event] = booked(given(), payment("P", 100, deductions=kept))
    assert postings(event) == [
        ("1002", "D", 87, 87),
        ("6603", "D", 3, 3),
        ("2221", "D", 10, 10),
        ("2203", "C", 100, 100),
    ]
    assert isinstance(event, PaymentReceived)
    assert event.cash == 87


def test_deductions_of_one_role_are_one_posting() -> None:
    kept = [{"reason": "bank_charge", "amount": 3}, {"reason": "provider_fee", "amount": 4}]
    [event] = booked(given(), payment("P", 100, deductions=kept))
    assert postings(event) == [("1002", "D", 93, 93), ("6603", "D", 7, 7), ("2203", "C", 100, 100)]
    assert isinstance(event, PaymentReceived)
    assert [deduction.amount for deduction in event.deductions] == [3, 4]


def test_cash_and_deductions_share_the_base_amount() -> None:
    kept = [{"reason": "bank_charge", "amount": 1}]
    [event] = booked(given(), payment("P", 3, currency="USD", base_total=20, deductions=kept))
    assert postings(event) == [("1002", "D", 2, 13), ("6603", "D", 1, 7), ("2203", "C", 3, 20)]


def test_all_may_be_deducted() -> None:
    [event] = booked(given(), payment("P", 5, deductions=[{"reason": "bank_charge", "amount": 5}]))
    assert postings(event) == [("6603", "D", 5, 5), ("2203", "C", 5, 5)]


@pytest.mark.parametrize(
    ("method", "account"), [("bank", "1002"), ("provider", "1012"), ("bill", "1121"), ("contra", "2202")]
)
def test_cash_is_where_the_method_puts_it(method: str, account: str) -> None:
    [event] = booked(given(), payment("P", 100, method=method))
    assert postings(event)[0][0] == account


@pytest.mark.parametrize(
    ("deposit", "account"),
    [("unapplied", "2203"), ("contract", "2205"), ("unidentified", "2241"), ("security", "2241")],
)
def test_the_deposit_is_of_its_class(deposit: str, account: str) -> None:
    books = given()
    [event] = booked(books, payment("P", 100, deposit_class=deposit))
    assert postings(event)[1][0] == account
    item = books.item("payment::P:1#1")
    assert item is not None
    assert item.role == deposit


def test_an_opening_payment_stands_against_migration() -> None:
    [event] = booked(given(), payment("P", 100, opening=True))
    assert postings(event) == [("1901", "D", 100, 100), ("2203", "C", 100, 100)]


def test_the_voucher_of_a_payment_and_its_allocation_nets_to_cash_against_receivable() -> None:
    paid, allocated = booked(given(invoice("1", 100)), payment("P", 100))
    assert (paid.source, paid.source_id) == (allocated.source, allocated.source_id)
    net: dict[str, int] = {}
    for account, side, amount, _ in postings(paid) + postings(allocated):
        net[account] = net.get(account, 0) + (amount if side == "D" else -amount)
    assert {account: amount for account, amount in net.items() if amount} == {"1002": 100, "1122": -100}


def test_the_default_policy_settles_what_is_due_first() -> None:
    books = given(*BILLED)
    assert kinds(booked(books, payment("P", 150))) == ["PaymentReceived", "Allocated"]
    assert opens(books, "1", "2", "3") == [0, 50, 100]


def test_the_proportional_policy_gives_each_invoice_its_share_to_the_cent() -> None:
    books = given(*BILLED, allocation="proportional")
    booked(books, payment("P1", 100))
    assert opens(books, "1", "2", "3") == [66, 67, 67]
    booked(books, payment("P2", 199))
    assert opens(books, "1", "2", "3") == [0, 0, 1]
    booked(books, payment("P3", 7))
    assert opens(books, "1", "2", "3") == [0, 0, 0]
    assert books.open("payment::P3:1#1") == 6


def test_references_come_before_the_policy() -> None:
    books = given(*BILLED)
    outcome = booked(books, payment("P", 150, pays=["3"]))
    assert opens(books, "1", "2", "3") == [50, 100, 0]
    assert [e.mode for e in outcome if isinstance(e, Allocated)] == ["reference", "policy"]
    assert [e.policy for e in outcome if isinstance(e, Allocated)] == [None, "oldest_due_first"]


def test_a_reference_with_an_amount_settles_no_more_than_that() -> None:
    books = given(*BILLED, allocation="none")
    booked(books, payment("P", 150, pays=[("3", 30), ("2", 40)]))
    assert opens(books, "1", "2", "3") == [100, 60, 70]
    assert books.open("payment::P:1#1") == 80


def test_the_same_reference_twice_is_one_link() -> None:
    books = given(*BILLED, allocation="none")
    _, allocated = booked(books, payment("P", 150, pays=[("3", 30), ("3", 40)]))
    assert isinstance(allocated, Allocated)
    assert [line.amount for line in allocated.lines] == [70]


def test_references_are_paid_in_their_own_order_until_the_money_is_used_up() -> None:
    books = given(*BILLED)
    booked(books, payment("P", 150, pays=["3", "1", "2"]))
    assert opens(books, "1", "2", "3") == [50, 100, 0]


def test_links_of_different_days_are_events_of_their_own() -> None:
    books = given(invoice("1", 100, "01-10"), invoice("2", 100, "02-10"))
    outcome = booked(books, payment("P", 200, "01-20"))
    days = [e.effective_on.isoformat() for e in outcome if isinstance(e, Allocated)]
    assert days == ["2024-01-20", "2024-02-10"]


def test_a_payment_of_more_than_is_owed_stays_unapplied() -> None:
    books = given(*BILLED)
    booked(books, payment("P", 350))
    assert (opens(books, "1", "2", "3"), books.open("payment::P:1#1")) == ([0, 0, 0], 50)


def test_the_exchange_difference_of_a_payment_is_a_gain_or_a_loss() -> None:
    books = given(invoice("1", 100, currency="USD", rate="7"))
    _, loss = booked(books, payment("P1", 40, currency="USD", rate="6.9"))
    assert postings(loss) == [("2203", "D", 40, 276), ("1122", "C", 40, 280), ("6603", "D", 0, 4)]
    _, gain = booked(books, payment("P2", 60, currency="USD", rate="7.2"))
    assert postings(gain) == [("2203", "D", 60, 432), ("1122", "C", 60, 420), ("6603", "C", 0, 12)]
    assert books.account("C1", "USD").items == {}


def test_the_last_part_payment_takes_all_the_base_that_is_left() -> None:
    books = given(invoice("1", 3, currency="USD", base_total=20))
    taken = []
    for n in range(3):
        _, allocated = booked(books, payment(f"P{n}", 1, currency="USD", base_total=7))
        assert isinstance(allocated, Allocated)
        taken.append(allocated.lines[0].debit_base)
    assert taken == [7, 7, 6]


def test_each_leg_keeps_the_account_and_dimensions_of_its_own_item() -> None:
    books = given(invoice("1", 100, dimensions={"shop": "north"}))
    _, allocated = booked(books, payment("P", 100, dimensions={"bank": "b1"}))
    assert isinstance(allocated, Allocated)
    assert [(p.account, p.dimensions) for p in allocated.postings] == [
        ("2203", {"bank": "b1"}),
        ("1122", {"shop": "north"}),
    ]


def test_a_reference_to_an_invoice_of_another_account_neither_settles_nor_waits() -> None:
    books = given(invoice("1", 100, customer="C2"), invoice("2", 100))
    paid, _ = booked(books, payment("P", 100, pays=["1"]))
    assert isinstance(paid, PaymentReceived)
    assert [entry.waits for entry in paid.remittance] == [False]
    assert opens(books, "1", "2") == [100, 0]
