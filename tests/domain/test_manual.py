"""Allocate 核销 and ReleaseAllocation 反核销 by hand."""

from given import Books, allocate, given, invoice, kinds, payment, postings, refund, release

from domain.commands import Command
from domain.events import Allocated, AllocationReleased
from domain.refusals import Code

I1, I2, P1, P2 = "invoice::1:1#1", "invoice::2:1#1", "payment::P1:1#1", "payment::P2:1#1"


def open_books(**settings: object) -> Books:
    """Two invoices of 100 and two payments of 80, nothing allocated."""
    return given(
        invoice("1", 100, due="02-01"),
        invoice("2", 100, due="03-01"),
        payment("P1", 80, "01-20"),
        payment("P2", 80, "01-25"),
        allocation="none",
        **settings,
    )


def refused(books: Books, command: Command) -> tuple[Code, str]:
    outcome = books.refused(command)
    return outcome.code, outcome.field


def test_explicit_links_settle_what_they_name() -> None:
    books = open_books()
    [event] = books.booked(allocate((P1, I2, 50), (P1, I1, 30)))
    assert isinstance(event, Allocated)
    assert event.mode == "hand"
    assert [line.allocation for line in event.lines] == ["5.1", "5.2"]
    assert postings(event) == [("2203", "D", 80, 80), ("1122", "C", 50, 50), ("1122", "C", 30, 30)]
    assert (books.open(I1), books.open(I2), books.open(P1)) == (70, 50, 0)


def test_a_link_without_an_amount_is_for_as_much_as_both_sides_have_left() -> None:
    books = open_books()
    books.booked(allocate((P1, I1), (P2, I1), (P2, I2)))
    assert (books.open(I1), books.open(I2), books.open(P1), books.open(P2)) == (0, 40, 0, 0)


def test_links_together_must_not_exceed_what_an_item_has_open() -> None:
    assert refused(open_books(), allocate((P1, I1, 50), (P1, I2, 31))) == (Code.ALLOCATION_CREDIT, "lines.1.amount")
    assert refused(open_books(), allocate((P1, I1, 80), (P2, I1, 21))) == (Code.ALLOCATION_DEBIT, "lines.1.amount")
    assert refused(open_books(), allocate((P1, I1, 80), (P1, I2))) == (Code.CREDIT_ITEM_OPEN, "lines.1.credit_item")


def test_an_amount_must_be_positive() -> None:
    assert refused(open_books(), allocate((P1, I1, 0))) == (Code.AMOUNT_MUST_BE_POSITIVE, "lines.0.amount")


def test_items_of_other_accounts_and_currencies_are_named_as_such() -> None:
    books = open_books()
    books.booked(invoice("9", 100, customer="C2"))
    books.booked(payment("P9", 100, currency="USD", rate="7"))
    assert refused(books, allocate((P1, "invoice::9:1#1"))) == (Code.ITEMS_SHARE_ACCOUNT, "lines.0.debit_item")
    assert refused(books, allocate(("payment::P9:1#1", I1))) == (Code.CURRENCY_MUST_MATCH, "currency")


def test_the_sides_may_not_be_swapped() -> None:
    assert refused(open_books(), allocate((I1, P1))) == (Code.CREDIT_ITEM_OPEN, "lines.0.credit_item")


def test_a_policy_spreads_the_items_named() -> None:
    books = open_books()
    [event] = books.booked(allocate(policy="proportional", credit_items=[P2]))
    assert isinstance(event, Allocated)
    assert (event.mode, event.policy) == ("hand", "proportional")
    assert (books.open(I1), books.open(I2), books.open(P1), books.open(P2)) == (60, 60, 80, 0)


def test_a_policy_spreads_all_that_is_open_if_none_is_named() -> None:
    books = open_books()
    books.booked(payment("S", 100, deposit_class="security"))
    assert kinds(books.booked(allocate(policy="oldest_due_first"))) == ["Allocated", "Allocated"]
    assert (books.open(I1), books.open(I2), books.open("payment::S:1#1")) == (0, 40, 100)


def test_a_policy_leaves_what_waits_for_its_document_unless_it_is_named() -> None:
    books = given(invoice("1", 100), payment("P1", 80, pays=["9"]), allocation="none")
    assert refused(books, allocate(policy="oldest_due_first")) == (Code.CREDIT_ITEM_OPEN, "policy")
    assert kinds(books.booked(allocate(policy="oldest_due_first", credit_items=[P1]))) == ["Allocated"]


def test_a_policy_needs_something_to_settle() -> None:
    books = given(payment("P1", 80))
    assert refused(books, allocate(policy="oldest_due_first")) == (Code.DEBIT_ITEM_OPEN, "policy")
    assert refused(books, allocate(policy="proportional", credit_items=[P2])) == (
        Code.CREDIT_ITEM_OPEN,
        "credit_items.0",
    )


def test_a_policy_never_spends_a_security_deposit() -> None:
    books = given(invoice("1", 100), payment("P1", 80, deposit_class="security"))
    named = allocate(policy="proportional", credit_items=[P1])
    assert refused(books, named) == (Code.SECURITY_DEPOSIT, "credit_items.0")


def test_a_release_is_the_exact_inverse_on_the_day_of_the_allocation() -> None:
    books = given(invoice("1", 100, currency="USD", rate="7"), payment("P1", 100, currency="USD", rate="7.1"))
    [event] = books.booked(release("3.1", currency="USD"))
    assert isinstance(event, AllocationReleased)
    assert event.effective_on.isoformat() == "2024-01-20"
    assert postings(event) == [("2203", "D", -100, -710), ("1122", "C", -100, -700), ("6603", "C", 0, -10)]
    assert (books.open(I1), books.open(P1)) == (100, 100)


def test_a_part_release_and_the_rest_give_back_exactly_what_was_taken() -> None:
    books = given(invoice("1", 3, currency="USD", base_total=20), payment("P1", 3, currency="USD", base_total=22))
    bases = []
    for amount in (1, 1, None):
        [event] = books.booked(release("3.1", amount, currency="USD"))
        assert isinstance(event, AllocationReleased)
        bases.append((event.debit_base, event.credit_base))
    assert [sum(part) for part in zip(*bases, strict=True)] == [20, 22]
    item = books.item(I1)
    assert item is not None
    assert (item.open, item.open_base) == (3, 20)


def test_a_release_names_one_link_of_its_own_account() -> None:
    books = given(invoice("1", 100), payment("P1", 100))
    for allocation in ("3.2", "2.1", "9.1", "3", "three", "03.1"):
        assert refused(books, release(allocation)) == (Code.ALLOCATION_LIVE, "allocation")
    assert refused(books, release("3.1", customer="C2")) == (Code.ALLOCATION_LIVE, "allocation")


def test_what_is_released_is_not_released_again() -> None:
    books = given(invoice("1", 100), payment("P1", 100), release("3.1", 60))
    assert refused(books, release("3.1", 41)) == (Code.RELEASE, "amount")
    books.booked(release("3.1"))
    assert refused(books, release("3.1")) == (Code.ALLOCATION_LIVE, "allocation")


def test_what_a_refund_released_is_no_more_of_the_link() -> None:
    books = given(invoice("1", 100), payment("P1", 100), refund("R", 60, of="payment::P1:1"))
    assert refused(books, release("3.1", 41)) == (Code.RELEASE, "amount")
    assert kinds(books.booked(release("3.1", 40))) == ["AllocationReleased"]
