"""RecordRefund 退款: funded by credit items in a fixed order; an instruction in full, a fact as far as possible."""

from given import TODAY, Books, allocate, credit_note, given, invoice, kinds, payment, postings, refund, reverse

from domain.commands import RecordRefund
from domain.decide import decide
from domain.events import AllocationReleased, RefundPaid
from domain.refusals import Code

P1, P2 = "payment::P1:1", "payment::P2:1"


def paid(books: Books, command: RecordRefund) -> RefundPaid:
    outcome = books.booked(command)
    [event] = [event for event in outcome if isinstance(event, RefundPaid)]
    return event


def funding(event: RefundPaid) -> list[tuple[str, int]]:
    return [(part.item, part.amount) for part in event.funded_by]


def code(books: Books, command: RecordRefund) -> Code:
    outcome = books.refused(command)
    return outcome.code


def test_a_refund_debits_what_funds_it_and_credits_cash() -> None:
    event = paid(given(payment("P1", 100)), refund("R", 30, of=P1))
    assert postings(event) == [("2203", "D", 30, 30), ("1002", "C", 30, 30)]


def test_the_original_comes_first_then_other_credit_items_the_oldest_first_then_its_own_allocations() -> None:
    books = given(
        invoice("1", 60),
        payment("P0", 10, "01-12", deposit_class="contract"),
        payment("P1", 100, "01-20", pays=["1"]),
        credit_note("K", 20, "01-11"),
        payment("S", 500, "01-05", deposit_class="security"),
    )
    outcome = books.booked(refund("R", 80, of=P1))
    assert kinds(outcome) == ["AllocationReleased", "RefundPaid"]
    assert isinstance(outcome[1], RefundPaid)
    assert funding(outcome[1]) == [(f"{P1}#1", 50), ("credit-note::K:1#1", 20), ("payment::P0:1#1", 10)]
    assert isinstance(outcome[0], AllocationReleased)
    assert (outcome[0].amount, outcome[0].caused_by) == (10, "refund::R:1")
    assert books.open("invoice::1:1#1") == 10


def test_allocations_are_released_the_newest_first_as_far_as_needed() -> None:
    books = given(invoice("1", 40), invoice("2", 40), payment("P1", 80, pays=["1"]), allocation="none")
    books.booked(allocate((f"{P1}#1", "invoice::2:1#1")))
    paid(books, refund("R", 50, of=P1))
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (10, 40)


def test_a_release_takes_the_refunds_date_so_that_what_was_due_before_stays_settled() -> None:
    books = given(invoice("1", 100), payment("P1", 100, "01-20"))
    outcome = books.booked(refund("R", 100, "04-02", of=P1))
    assert isinstance(outcome[0], AllocationReleased)
    assert outcome[0].effective_on.isoformat() == "2024-04-02"


def test_a_refund_before_the_allocation_releases_it_on_its_own_day() -> None:
    books = given(payment("P1", 100, "01-05"), invoice("1", 100, "01-20"))
    outcome = books.booked(refund("R", 100, "01-10", of=P1))
    assert isinstance(outcome[0], AllocationReleased)
    assert outcome[0].effective_on.isoformat() == "2024-01-20"


def test_without_an_original_whatever_is_open_funds_it_the_oldest_first() -> None:
    books = given(payment("P1", 30, "01-20"), payment("P2", 30, "01-19"))
    assert funding(paid(books, refund("R", 40))) == [(f"{P2}#1", 30), (f"{P1}#1", 10)]


def test_named_items_fund_it_from_their_own_allocations_too_even_a_security_deposit() -> None:
    books = given(
        invoice("1", 30),
        payment("P1", 50),
        payment("P2", 100),
        payment("S", 10, deposit_class="security"),
    )
    parts = [{"item": f"{P1}#1", "amount": 40}, {"item": "payment::S:1#1", "amount": 10}]
    assert funding(paid(books, refund("R", 50, funded_by=parts))) == [(f"{P1}#1", 40), ("payment::S:1#1", 10)]
    assert (books.open("invoice::1:1#1"), books.open(f"{P2}#1")) == (20, 100)


def test_an_instruction_for_more_than_can_be_refunded_is_refused() -> None:
    books = given(payment("P1", 100), payment("P2", 100), refund("R0", 30, of=P1))
    assert code(books, refund("R", 71, of=P1)) == Code.REFUNDABLE
    assert code(books, refund("R", 171)) == Code.REFUNDABLE
    assert paid(books, refund("R", 70, of=P1)).excess == 0


def test_an_original_that_was_refunded_is_not_refunded_again_by_naming_its_items() -> None:
    books = given(payment("P1", 100), credit_note("K", 100), refund("R0", 100, of=P1))
    more = {"funded_by": [{"item": "credit-note::K:1#1", "amount": 50}]}
    assert code(books, refund("R", 50, of=P1, **more)) == Code.REFUNDABLE


def test_a_refund_that_failed_makes_the_payment_refundable_again() -> None:
    books = given(payment("P1", 100), refund("R0", 100, of=P1), reverse("refund::R0:1", "03-01"))
    assert paid(books, refund("R", 100, "03-01", of=P1)).excess == 0


def test_an_instruction_before_the_money_came_is_refused_for_its_date() -> None:
    books = given(payment("P1", 100, "01-20"))
    assert code(books, refund("R", 100, "01-19", of=P1)) == Code.DATE_PRECEDES_ITEM
    assert code(books, refund("R", 101, "01-19", of=P1)) == Code.REFUNDABLE


def test_a_fact_beyond_what_is_open_opens_an_item_for_the_excess_and_is_flagged() -> None:
    books = given(payment("P1", 100))
    event = paid(books, refund("R", 130, of=P1, nature="fact"))
    assert (event.excess, event.flags) == (30, ["refund_exceeds_funding"])
    assert postings(event) == [("2203", "D", 100, 100), ("1122", "D", 30, 30), ("1002", "C", 130, 130)]
    assert books.open("refund::R:1#1") == 30


def test_a_fact_before_the_money_came_is_excess_and_releases_nothing_in_vain() -> None:
    books = given(invoice("1", 100), payment("P1", 100, "01-20"))
    outcome = books.booked(refund("R", 40, "01-15", of=P1, nature="fact"))
    assert kinds(outcome) == ["RefundPaid"]
    assert books.open("refund::R:1#1") == 40


def test_excess_is_settled_by_what_its_own_payment_has_open_before_any_other() -> None:
    books = given(payment("P2", 100, "01-25"), payment("P1", 100, "01-20"))
    outcome = books.booked(refund("R", 100, "01-15", of="payment::P2:1", nature="fact"))
    assert kinds(outcome) == ["RefundPaid", "Allocated"]
    assert (books.open("payment::P2:1#1"), books.open("payment::P1:1#1"), books.open("refund::R:1#1")) == (0, 100, 0)


def test_excess_is_paid_like_any_debit_item() -> None:
    books = given(refund("R", 30, nature="fact"))
    books.booked(payment("P1", 100))
    assert (books.open("refund::R:1#1"), books.open(f"{P1}#1")) == (0, 70)


def test_a_fact_that_names_an_unknown_item_is_all_excess_and_an_instruction_is_refused() -> None:
    unknown = {"funded_by": [{"item": "payment::P9:1#1", "amount": 30}]}
    assert code(given(), refund("R", 30, **unknown)) == Code.CREDIT_ITEM_OPEN
    assert paid(given(), refund("R", 30, nature="fact", **unknown)).excess == 30


def test_a_debit_item_funds_nothing() -> None:
    named = {"funded_by": [{"item": "invoice::1:1#1", "amount": 30}]}
    for nature in ("instruction", "fact"):
        assert code(given(invoice("1", 100)), refund("R", 30, nature=nature, **named)) == Code.CREDIT_ITEM_OPEN


def test_a_fact_of_a_reversed_payment_is_funded_by_what_else_there_is() -> None:
    books = given(payment("P1", 100), reverse(P1), payment("P2", 20))
    assert code(books, refund("R", 30, of=P1)) == Code.REFUNDABLE
    event = paid(books, refund("R", 30, of=P1, nature="fact"))
    assert (funding(event), event.excess) == ([(f"{P2}#1", 20)], 10)


def test_the_exchange_difference_of_a_refund_is_of_what_was_funded_not_of_the_excess() -> None:
    books = given(payment("P1", 100, currency="USD", rate="7"))
    event = paid(books, refund("R", 120, of=P1, currency="USD", rate="7.2", nature="fact"))
    assert postings(event) == [
        ("2203", "D", 100, 700),
        ("1122", "D", 20, 144),
        ("1002", "C", 120, 864),
        ("6603", "D", 0, 20),
    ]


def test_a_part_release_gives_back_its_share_of_what_the_allocation_took() -> None:
    books = given(
        invoice("1", 90, currency="USD", base_total=640),
        payment("P1", 90, currency="USD", base_total=630),
    )
    outcome = books.booked(refund("R", 30, of=P1, currency="USD", rate="7"))
    release, event = outcome
    assert postings(release) == [("2203", "D", -30, -210), ("1122", "C", -30, -213), ("6603", "D", 0, -3)]
    assert postings(event) == [("2203", "D", 30, 210), ("1002", "C", 30, 210)]


def test_an_item_named_twice_releases_no_more_than_its_allocations_hold() -> None:
    books = given(invoice("1", 100), payment("P1", 100))
    twice = {"funded_by": [{"item": f"{P1}#1", "amount": 60}, {"item": f"{P1}#1", "amount": 60}]}
    assert code(books, refund("R", 120, **twice)) == Code.FUNDED
    event = paid(books, refund("R", 120, nature="fact", **twice))
    assert (funding(event), event.excess) == ([(f"{P1}#1", 100)], 20)
    assert books.open("invoice::1:1#1") == 100


def test_deciding_changes_nothing_that_it_was_given() -> None:
    books = given(invoice("1", 100), payment("P1", 100))
    command = refund("R", 60, of=P1)
    named = books.named(command)
    first, again = (decide(books.account(), named, command, books.book, TODAY) for _ in range(2))
    assert first == again
    assert named.histories[P1].allocations["3.1"].amount == 100
