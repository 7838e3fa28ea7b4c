"""Bad debts: written off against the allowance, recovered into it, and either undone."""

import pytest
from given import (
    adjustment,
    credit_note,
    given,
    invoice,
    kinds,
    payment,
    postings,
    recover,
    reverse,
    write_off,
)

from domain.refusals import Code

INVOICE = "invoice::1:1#1"
SECOND = "invoice::2:1#1"
WRITTEN = "write-off::W:1"


def test_a_write_off_takes_what_is_open_against_the_allowance() -> None:
    books = given(invoice("1", 100), payment("P", 30, pays=["1"]))
    [event] = books.booked(write_off("W", INVOICE))
    assert postings(event) == [("1231", "D", 70, 70), ("1122", "C", 70, 70)]
    assert (event.amount, event.base_amount) == (70, 70)
    assert books.open(INVOICE) == 0


def test_several_items_are_one_write_off_by_dimensions() -> None:
    north, south = {"dimensions": {"shop": "north"}}, {"dimensions": {"shop": "south"}}
    books = given(invoice("1", 100, **north), invoice("2", 50, **south), invoice("3", 10, **north))
    [event] = books.booked(write_off("W", (INVOICE, 40), SECOND, "invoice::3:1#1"))
    assert [(p.account, p.side, p.amount, p.dimensions) for p in event.postings] == [
        ("1231", "D", 50, {"shop": "north"}),
        ("1231", "D", 50, {"shop": "south"}),
        ("1122", "C", 40, {"shop": "north"}),
        ("1122", "C", 50, {"shop": "south"}),
        ("1122", "C", 10, {"shop": "north"}),
    ]
    assert [books.open(item) for item in (INVOICE, SECOND, "invoice::3:1#1")] == [60, 0, 0]


def test_small_enterprises_have_no_allowance_but_a_loss() -> None:
    books = given(invoice("1", 100), standard="cas-small")
    [event] = books.booked(write_off("W", INVOICE))
    assert postings(event)[0] == ("5711", "D", 100, 100)


def test_a_recovery_opens_the_item_again_and_what_is_paid_settles_it() -> None:
    books = given(invoice("1", 100), write_off("W", INVOICE))
    [event] = books.booked(recover("R", WRITTEN, INVOICE, 60))
    assert postings(event) == [("1122", "D", 60, 60), ("1231", "C", 60, 60)]
    assert books.open(INVOICE) == 60
    assert kinds(books.booked(payment("P", 60, "05-02", pays=["1"]))) == ["PaymentReceived", "Allocated"]
    assert books.open(INVOICE) == 0


def test_money_that_came_before_its_recovery_settles_the_item() -> None:
    books = given(invoice("1", 100), write_off("W", INVOICE), payment("P", 60, "04-29", pays=["1"]))
    assert books.open("payment::P:1#1") == 60
    assert kinds(books.booked(recover("R", WRITTEN, INVOICE, 60))) == ["WriteOffRecovered", "Allocated"]
    assert books.open("payment::P:1#1") == 0


def test_recoveries_share_the_base_of_the_write_off_and_the_last_takes_the_rest() -> None:
    books = given(invoice("1", 3, currency="USD", base_total=20), write_off("W", INVOICE, currency="USD"))
    found = [books.booked(recover(f"R{n}", WRITTEN, INVOICE, 1, currency="USD"))[0] for n in range(3)]
    assert [event.base_amount for event in found] == [7, 7, 6]
    assert books.refused(recover("R3", WRITTEN, INVOICE, 1, currency="USD")).code == Code.RECOVERY


def test_a_reversed_write_off_leaves_the_item_as_it_was() -> None:
    books = given(invoice("1", 100), payment("P", 30, pays=["1"]), write_off("W", INVOICE))
    books.booked(reverse(WRITTEN))
    item = books.item(INVOICE)
    assert item is not None
    assert (item.open, [on.isoformat() for on, _ in item.movements]) == (70, ["2024-01-10", "2024-01-20"])


def test_a_write_off_is_undone_after_its_recovery_and_an_invoice_after_its_write_off() -> None:
    books = given(invoice("1", 100), write_off("W", INVOICE), recover("R", WRITTEN, INVOICE, 60))
    refused = books.refused(reverse(WRITTEN))
    assert (refused.code, refused.value) == (Code.DEPENDANTS, "recovery::R:1")
    refused = books.refused(reverse("invoice::1:1"))
    assert (refused.code, refused.value) == (Code.DEPENDANTS, WRITTEN)
    for document in ("recovery::R:1", WRITTEN, "invoice::1:1"):
        books.booked(reverse(document))
    assert books.open(INVOICE) == 0


def test_an_undone_recovery_releases_what_has_settled_the_item_since() -> None:
    books = given(
        invoice("1", 100),
        payment("P", 30, pays=["1"]),
        write_off("W", INVOICE),
        recover("R", WRITTEN, INVOICE, 60),
        payment("Q", 50, "05-02", pays=["1"]),
    )
    assert kinds(books.booked(reverse("recovery::R:1"))) == ["AllocationReleased", "DocumentReversed"]
    assert [books.open(item) for item in (INVOICE, "payment::P:1#1", "payment::Q:1#1")] == [0, 0, 50]
    assert kinds(books.booked(recover("R2", WRITTEN, INVOICE, 70)))[0] == "WriteOffRecovered"


def test_an_undone_recovery_waits_for_what_took_from_the_item_since() -> None:
    again = write_off("W2", (INVOICE, 20), on="05-31")
    books = given(invoice("1", 100), write_off("W", INVOICE), recover("R", WRITTEN, INVOICE, 60), again)
    refused = books.refused(reverse("recovery::R:1"))
    assert (refused.code, refused.value) == (Code.DEPENDANTS, "write-off::W2:1")
    books.booked(reverse("write-off::W2:1"))
    books.booked(adjustment("A", INVOICE, 5, "05-31"))
    assert books.refused(reverse("recovery::R:1")).value == "adjustment::A:1"


@pytest.mark.parametrize(
    ("command", "code", "field"),
    [
        (write_off("W", "invoice::9:1#1"), Code.ITEM_OPEN, "items.0.item"),
        (write_off("W", INVOICE, "credit-note::C:1#1"), Code.DEBIT_ITEM_OPEN, "items.1.item"),
        (write_off("W", (INVOICE, 101)), Code.WRITE_OFF, "items.0.amount"),
        (write_off("W", (INVOICE, 0)), Code.AMOUNT_MUST_BE_POSITIVE, "items.0.amount"),
        (write_off("W", INVOICE, on="01-09"), Code.DATE_PRECEDES_ITEM, "effective_on"),
        (write_off("W", INVOICE, on="2199-12-31"), Code.DATE_WITHIN_HORIZON, "effective_on"),
        (write_off("W", "invoice::X:1#1"), Code.ITEMS_SHARE_ACCOUNT, "items.0.item"),
        (recover("R", "write-off::9:1", INVOICE, 1), Code.ITEM_WRITTEN_OFF, "write_off"),
        (recover("R", "write-off::W0:1", INVOICE, 1), Code.ITEM_WRITTEN_OFF, "item"),
        (recover("R", "write-off::W0:1", SECOND, 51), Code.RECOVERY, "amount"),
        (recover("R", "write-off::W0:1", SECOND, -1), Code.AMOUNT_MUST_BE_POSITIVE, "amount"),
        (recover("R", "write-off::W0:1", SECOND, 1, "02-28"), Code.DATE_PRECEDES_ITEM, "effective_on"),
    ],
    ids=str,
)
def test_what_is_refused(command: object, code: Code, field: str) -> None:
    books = given(
        invoice("1", 100),
        credit_note("C", 10, "01-05"),
        invoice("2", 50),
        write_off("W0", SECOND, on="02-29"),
        invoice("X", 10, customer="C2"),
        allocation="none",
    )
    refused = books.refused(command)  # type: ignore[arg-type]
    assert (refused.code, refused.field) == (code, field)


def test_a_recovery_of_a_reversed_write_off_is_refused() -> None:
    books = given(invoice("1", 100), write_off("W", INVOICE), reverse(WRITTEN))
    assert books.refused(recover("R", WRITTEN, INVOICE, 1)).code == Code.ITEM_WRITTEN_OFF
