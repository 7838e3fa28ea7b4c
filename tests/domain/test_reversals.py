"""ReverseDocument 红字冲销: the same accounts and sides with negative amounts; the account's net is as if neither was."""

import pytest
from given import (
    Books,
    adjustment,
    allocate,
    credit_note,
    given,
    invoice,
    kinds,
    payment,
    postings,
    refund,
    release,
    reverse,
)

from domain.commands import Command
from domain.events import Allocated, AllocationReleased, DocumentReversed, Event
from domain.refusals import Code

I1, P1, R1 = "invoice::1:1", "payment::P1:1", "refund::R1:1"


def undone(books: Books, command: Command) -> list[Event]:
    return books.booked(command)


def test_a_reversal_keeps_accounts_and_sides_and_negates_the_amounts() -> None:
    tax = [{"code": "VAT13", "rate": "13", "base": 100, "amount": 13}]
    books = given(invoice("1", 113, "01-10", lines=[{"net": 100}], tax=tax))
    [event] = undone(books, reverse(I1))
    assert isinstance(event, DocumentReversed)
    assert postings(event) == [("1122", "D", -113, -113), ("6001", "C", -100, -100), ("2221", "C", -13, -13)]
    assert (event.event, event.effective_on.isoformat()) == ("acct:main:C1:CNY:1", "2024-01-10")
    assert books.account().items == {}


@pytest.mark.parametrize(
    ("before", "document"),
    [
        ([invoice("1", 100)], "invoice::1:1"),
        ([invoice("1", 0)], "invoice::1:1"),
        ([invoice("1", 100, kind="debit-note")], "debit-note::1:1"),
        ([credit_note("K", 100)], "credit-note::K:1"),
        ([payment("P", 100, deductions=[{"reason": "bank_charge", "amount": 1}])], "payment::P:1"),
        ([payment("P", 100), refund("R", 60, of="payment::P:1")], "refund::R:1"),
        ([refund("R", 60, nature="fact")], "refund::R:1"),
        ([invoice("1", 100), adjustment("A", "invoice::1:1#1", 10)], "adjustment::A:1"),
    ],
    ids=["invoice", "zero invoice", "debit note", "credit note", "payment", "refund", "excess refund", "adjustment"],
)
def test_each_kind_is_undone_as_if_it_had_never_been(before: list[Command], document: str) -> None:
    without = given(*before[:-1])
    books = given(*before)
    undone(books, reverse(document))
    assert books.account().items == without.account().items
    again = books.refused(reverse(document))
    assert again.code == Code.REVERSED_TWICE


def test_its_allocations_are_released_on_their_own_days_before() -> None:
    books = given(invoice("1", 100), invoice("2", 100, due="02-01"), payment("P1", 150, "01-20"))
    outcome = undone(books, reverse(P1))
    assert kinds(outcome) == ["AllocationReleased", "AllocationReleased", "DocumentReversed"]
    assert {e.effective_on.isoformat() for e in outcome if isinstance(e, AllocationReleased)} == {"2024-01-20"}
    assert [e.allocation for e in outcome if isinstance(e, AllocationReleased)] == ["4.2", "4.1"]
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (100, 100)


def test_what_had_settled_a_reversed_invoice_is_unapplied_again() -> None:
    books = given(invoice("1", 100), payment("P1", 100))
    assert kinds(undone(books, reverse(I1))) == ["AllocationReleased", "DocumentReversed"]
    assert books.open(f"{P1}#1") == 100


def test_what_is_linked_is_reversed_with_it() -> None:
    books = given(invoice("1", 100), payment("P1", 95))
    books.booked(adjustment("A", f"{I1}#1", 5, reason="short_payment", linked_to=P1))
    outcome = undone(books, reverse(P1))
    assert kinds(outcome) == ["AllocationReleased", "DocumentReversed", "DocumentReversed"]
    assert [(e.document, e.caused_by) for e in outcome if isinstance(e, DocumentReversed)] == [
        ("adjustment::A:1", P1),
        (P1, None),
    ]
    assert books.open(f"{I1}#1") == 100


def test_what_is_linked_gives_back_to_an_item_that_it_had_settled_alone() -> None:
    books = given(payment("P1", 95), invoice("2", 5, "03-01"), allocation="none")
    books.booked(adjustment("A", "invoice::2:1#1", 5, "03-01", linked_to=P1))
    [linked, _] = undone(books, reverse(P1))
    assert [image.item for image in linked.restored] == ["invoice::2:1#1"]
    assert books.open("invoice::2:1#1") == 5


def test_an_adjustment_linked_to_the_invoice_that_it_reduces_goes_with_it() -> None:
    books = given(invoice("1", 100), adjustment("A", f"{I1}#1", 100, linked_to=I1))
    assert kinds(undone(books, reverse(I1))) == ["DocumentReversed", "DocumentReversed"]
    assert books.account().items == {}


@pytest.mark.parametrize(
    ("built", "dependant"),
    [
        ([payment("P1", 100), refund("R1", 10, of=P1)], ("payment::P1:1", "refund::R1:1")),
        ([payment("P1", 100), refund("R1", 10)], ("payment::P1:1", "refund::R1:1")),
        ([credit_note("K", 100), refund("R1", 10)], ("credit-note::K:1", "refund::R1:1")),
        ([invoice("1", 100), credit_note("K", 10, against=I1)], ("invoice::1:1", "credit-note::K:1")),
        ([credit_note("K", 10, against=I1), invoice("1", 100)], ("invoice::1:1", "credit-note::K:1")),
        ([invoice("1", 100), adjustment("A", f"{I1}#1", 5)], ("invoice::1:1", "adjustment::A:1")),
        (
            [payment("P1", 50), invoice("1", 100), adjustment("A", f"{I1}#1", 5, linked_to=P1)],
            ("invoice::1:1", "adjustment::A:1"),
        ),
    ],
)
def test_what_was_built_upon_it_is_undone_first(built: list[Command], dependant: tuple[str, str]) -> None:
    books = given(*built)
    document, first = dependant
    outcome = books.refused(reverse(document))
    assert (outcome.code, outcome.value) == (Code.DEPENDANTS, first)
    undone(books, reverse(first))
    undone(books, reverse(document))


def test_a_refund_that_failed_comes_back_on_the_banks_day() -> None:
    books = given(payment("P1", 100), refund("R1", 60, "02-10", of=P1))
    [event] = undone(books, reverse(R1, "02-14"))
    assert isinstance(event, DocumentReversed)
    assert (event.mode, event.effective_on.isoformat()) == ("failed", "2024-02-14")
    item = books.item(f"{P1}#1")
    assert item is not None
    assert [(on.isoformat(), amount) for on, amount in item.movements] == [
        ("2024-01-20", 100),
        ("2024-02-10", -60),
        ("2024-02-14", 60),
    ]


def test_a_refund_cannot_fail_before_it_was_paid() -> None:
    outcome = given(payment("P1", 100), refund("R1", 60, "02-10", of=P1)).refused(reverse(R1, "02-09"))
    assert outcome.code == Code.DATE_PRECEDES_ITEM


def test_what_an_undone_refund_had_released_is_allocated_again() -> None:
    books = given(invoice("1", 100), payment("P1", 100), refund("R1", 60, "02-10", of=P1))
    outcome = undone(books, reverse(R1, "02-14"))
    assert kinds(outcome) == ["DocumentReversed", "Allocated"]
    assert isinstance(outcome[1], Allocated)
    assert (outcome[1].effective_on.isoformat(), outcome[1].lines[0].amount) == ("2024-02-14", 60)
    assert books.account().items == {}


def test_as_far_as_it_is_still_open() -> None:
    books = given(invoice("1", 100), payment("P1", 100), refund("R1", 60, "02-10", of=P1), payment("P2", 40))
    undone(books, reverse(R1))
    assert (books.open(f"{I1}#1"), books.open(f"{P1}#1")) == (0, 40)


def test_the_settled_excess_of_a_failed_refund_is_released_on_the_banks_day_or_its_own_if_later() -> None:
    books = given(refund("R1", 60, "02-10", nature="fact"), payment("P1", 20, "02-12"), payment("P2", 40, "03-01"))
    outcome = undone(books, reverse(R1, "02-20"))
    days = {e.credit_item: e.effective_on.isoformat() for e in outcome if isinstance(e, AllocationReleased)}
    assert days == {"payment::P1:1#1": "2024-02-20", "payment::P2:1#1": "2024-03-01"}
    assert isinstance(outcome[-1], DocumentReversed)
    assert outcome[-1].effective_on.isoformat() == "2024-02-20"


def test_where_a_later_fact_has_used_the_room_it_is_dated_the_first_day_with_room() -> None:
    books = given(invoice("1", 100), payment("P1", 100, "01-20"), refund("R1", 100, "02-10", of=P1))
    undone(books, reverse(R1, "02-14"))  # allocated again on 14 February, so that nothing was open from 10 to 13
    outcome = undone(books, reverse(P1))
    assert isinstance(outcome[-1], DocumentReversed)
    assert outcome[-1].effective_on.isoformat() == "2024-02-14"


def test_a_linked_adjustment_of_a_failed_refund_is_not_undone_before_its_own_day() -> None:
    books = given(invoice("1", 100), payment("P1", 50, "01-20"), refund("R1", 10, "02-10", of=P1))
    books.booked(adjustment("A", f"{I1}#1", 5, "03-01", linked_to=R1))
    outcome = undone(books, reverse(R1, "02-14"))
    days = {e.document: e.effective_on.isoformat() for e in outcome if isinstance(e, DocumentReversed)}
    assert days == {R1: "2024-02-14", "adjustment::A:1": "2024-03-01"}


def test_a_fiscal_credit_note_is_not_reversed_either() -> None:
    outcome = given(credit_note("K", 100, fiscal_number="24")).refused(reverse("credit-note::K:1"))
    assert outcome.code == Code.FISCAL


def test_a_document_of_another_currency_is_named_as_such() -> None:
    outcome = given(invoice("1", 100, currency="USD", rate="7")).refused(reverse(I1))
    assert outcome.code == Code.CURRENCY_MUST_MATCH


def test_a_reversed_payment_waits_for_nothing() -> None:
    books = given(payment("P1", 100, pays=["1", ("2", 30)]), payment("P2", 100, pays=["1"]))
    undone(books, reverse(P1))
    assert books.account().awaiting == {"invoice::1": [("payment::P2:1", None)]}
    assert books.account().waits == {"payment::P2:1": [("invoice::1", None)]}


def test_the_reversal_of_a_payment_gives_back_the_base_and_the_exchange_difference() -> None:
    books = given(invoice("1", 100, currency="USD", rate="7"), payment("P1", 100, currency="USD", rate="7.2"))
    outcome = undone(books, reverse(P1, currency="USD"))
    total: dict[str, int] = {}
    for source in books.log:
        for account, side, _, base in postings(source.event) if hasattr(source.event, "postings") else ():
            total[account] = total.get(account, 0) + (base if side == "D" else -base)
    assert kinds(outcome) == ["AllocationReleased", "DocumentReversed"]
    assert {account: base for account, base in total.items() if base} == {"1122": 700, "6001": -700}


def test_a_payment_whose_allocation_was_changed_by_hand_is_reversed_on_its_own_day() -> None:
    books = given(invoice("1", 100), invoice("2", 100, due="02-01"), payment("P1", 100, "01-20"), release("4.1", 30))
    books.booked(allocate((f"{P1}#1", "invoice::2:1#1", 30)))
    outcome = undone(books, reverse(P1))
    assert isinstance(outcome[-1], DocumentReversed)
    assert outcome[-1].effective_on.isoformat() == "2024-01-20"
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (100, 100)
