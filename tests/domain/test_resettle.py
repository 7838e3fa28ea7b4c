"""Resettle: the items as the facts alone make them, whatever came first; what was done by hand stays."""

from datetime import date

from given import (
    Books,
    allocate,
    close,
    credit_note,
    given,
    invoice,
    kinds,
    payment,
    policies,
    refund,
    release,
    resettle,
    reverse,
)

from domain.events import Allocated, AllocationReleased


def links(books: Books) -> list[tuple[str, str, int, str]]:
    """The live links: credit item, debit item, amount, mode."""
    found = {}
    for source in books.log:
        event = source.event
        if isinstance(event, Allocated):
            for line in event.lines:
                found[line.allocation] = [line.credit_item, line.debit_item, line.amount, event.mode]
        elif isinstance(event, AllocationReleased):
            found[event.allocation][2] -= event.amount
    return sorted((a, b, amount, mode) for a, b, amount, mode in found.values() if amount)


def test_the_older_payment_settles_the_older_invoice_although_it_came_later() -> None:
    books = given(
        invoice("1", 100, "01-01"), payment("P2", 100, "01-20"), payment("P1", 60, "01-10"), invoice("2", 50, "02-01")
    )
    assert [link[:3] for link in links(books)] == [
        ("payment::P1:1#1", "invoice::2:1#1", 50),
        ("payment::P2:1#1", "invoice::1:1#1", 100),
    ]
    events = books.booked(resettle())
    assert kinds(events) == ["AllocationReleased"] * 2 + ["Allocated"] * 3
    assert [link[:3] for link in links(books)] == [
        ("payment::P1:1#1", "invoice::1:1#1", 60),
        ("payment::P2:1#1", "invoice::1:1#1", 40),
        ("payment::P2:1#1", "invoice::2:1#1", 50),
    ]
    assert [e.effective_on for e in events if isinstance(e, Allocated)] == [
        date(2024, 1, 10),
        date(2024, 1, 20),
        date(2024, 2, 1),
    ]


def test_what_is_settled_as_it_must_be_is_left_alone() -> None:
    books = given(invoice("1", 100), payment("P", 70, pays=["1"]), payment("Q", 20))
    assert books.booked(resettle()) == []


def test_an_empty_account_has_nothing_to_resettle() -> None:
    assert given().booked(resettle()) == []


def test_what_was_settled_by_hand_stays() -> None:
    books = given(invoice("1", 100, "01-01"), invoice("2", 100, "01-02"), allocation="none")
    books.booked(payment("P", 100))
    books.booked(allocate(("payment::P:1#1", "invoice::2:1#1", 40)))
    books.booked(policies(allocation="oldest_due_first"))
    books.booked(resettle())
    assert links(books) == [
        ("payment::P:1#1", "invoice::1:1#1", 60, "policy"),
        ("payment::P:1#1", "invoice::2:1#1", 40, "hand"),
    ]


def test_what_was_settled_by_hand_counts_for_the_amount_of_a_reference() -> None:
    books = given(invoice("1", 100), allocation="none")
    books.booked(payment("P", 100, pays=[("1", 50)]))
    books.booked(release("3.1"))
    books.booked(allocate(("payment::P:1#1", "invoice::1:1#1", 30)))
    books.booked(resettle())
    assert links(books) == [
        ("payment::P:1#1", "invoice::1:1#1", 20, "reference"),
        ("payment::P:1#1", "invoice::1:1#1", 30, "hand"),
    ]


def test_references_go_before_the_policy_although_the_payment_is_younger() -> None:
    books = given(invoice("1", 100, "01-01"), payment("P1", 100, "01-10"), payment("P2", 100, "01-20", pays=["1"]))
    books.booked(resettle())
    assert links(books) == [("payment::P2:1#1", "invoice::1:1#1", 100, "reference")]


def test_an_invoice_refers_to_what_prepaid_it_and_a_credit_note_to_its_invoice() -> None:
    books = given(invoice("1", 100, "01-01"), payment("P", 80, "01-05"), allocation="oldest_due_first")
    books.booked(credit_note("K", 30, "01-06", against="invoice::1:1"))
    books.booked(invoice("2", 60, "01-07", remittance=[{"kind": "payment", "number": "P", "amount": 60}]))
    books.booked(resettle())
    assert links(books) == [
        ("credit-note::K:1#1", "invoice::1:1#1", 30, "reference"),
        ("payment::P:1#1", "invoice::1:1#1", 20, "policy"),
        ("payment::P:1#1", "invoice::2:1#1", 60, "reference"),
    ]


def test_an_excess_refund_refers_to_its_payment() -> None:
    books = given(payment("P", 100, "01-05"), refund("R", 130, "01-10", of="payment::P:1", nature="fact"))
    books.booked(payment("Q", 30, "01-20"))
    assert books.booked(resettle()) == []
    assert links(books) == [("payment::Q:1#1", "refund::R:1#1", 30, "policy")]


def test_money_waits_for_a_document_that_was_reversed() -> None:
    books = given(invoice("1", 100, "01-01"), payment("P", 100, pays=["1"]), invoice("2", 50, "01-02"))
    books.booked(reverse("invoice::1:1"))
    assert books.booked(resettle()) == []
    books.booked(invoice("1", 90, "01-03", revision=2))
    books.booked(resettle())
    assert links(books) == [
        ("payment::P:1#1", "invoice::1:2#1", 90, "reference"),
        ("payment::P:1#1", "invoice::2:1#1", 10, "policy"),
    ]


def test_in_a_house_account_nothing_is_settled_by_rule() -> None:
    house = {"customer": "~shop:2024-01"}
    books = given(invoice("1", 100, **house), payment("P", 100, pays=["1"], **house))
    books.booked(allocate(("payment::P:1#1", "invoice::1:1#1", 40), **house))
    assert books.booked(resettle(**house)) == []


def test_a_closed_period_stays_as_it_was() -> None:
    books = given(invoice("1", 100, "01-01"), payment("P2", 100, "01-20"), payment("P1", 60, "01-10"))
    books.booked(close("2024-01"))
    events = books.booked(resettle())
    assert {event.effective_on for event in events} == {date(2024, 2, 1)}
    assert books.booked(resettle()) == []


def test_what_a_closed_period_settled_as_it_must_be_is_left_alone() -> None:
    books = given(invoice("1", 100, "01-01"), payment("P", 60, "01-10"))
    books.booked(close("2024-01"))
    assert books.booked(resettle()) == []
