"""Money never waits; references do, and so do facts whose original is unknown. Each fires once, on arrival."""

import pytest
from given import TODAY, allocate, credit_note, given, invoice, kinds, payment, refund, reject, returned, reverse

from domain.commands import RecordRefund, ReverseDocument
from domain.decide import awaited_document
from domain.documents import waiting_stream
from domain.draft import NOTHING_NAMED
from domain.events import Allocated, DeferredFactApplied, DeferredFactRejected, FactDeferred, PaymentReceived
from domain.refusals import Code
from domain.waiting import deferred_command, still_waiting

P1 = "payment::P1:1"


def test_a_payment_is_booked_at_once_and_its_reference_waits() -> None:
    books = given()
    [event] = books.booked(payment("P1", 100, pays=["1"]))
    assert isinstance(event, PaymentReceived)
    assert [entry.waits for entry in event.remittance] == [True]
    assert books.open(f"{P1}#1") == 100


def test_the_reference_fires_when_the_invoice_arrives() -> None:
    books = given(invoice("2", 100), payment("P1", 100, pays=["1"]))
    assert books.open("invoice::2:1#1") == 100, "money that waits for a document is not spent otherwise"
    outcome = books.booked(invoice("1", 100, due="05-01"))
    assert kinds(outcome) == ["InvoiceIssued", "Allocated"]
    assert isinstance(outcome[1], Allocated)
    assert (outcome[1].mode, outcome[1].caused_by) == ("reference", "invoice::1:1")
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (0, 100)


def test_it_fires_once() -> None:
    books = given(payment("P1", 100, pays=["1"]), invoice("1", 60), allocation="none")
    assert books.account().awaiting == books.account().waits == {}
    books.booked(reverse("invoice::1:1"))
    assert kinds(books.booked(invoice("1", 60, revision=2))) == ["InvoiceIssued"]


def test_only_so_much_waits_as_the_reference_names() -> None:
    books = given(invoice("2", 100), payment("P1", 100, pays=[("1", 30)]))
    assert books.open("invoice::2:1#1") == 30
    books.booked(invoice("1", 100))
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1"), books.open(f"{P1}#1")) == (70, 30, 0)


def test_what_a_fired_reference_leaves_is_spent_by_policy() -> None:
    books = given(invoice("2", 100), payment("P1", 100, pays=["1"]))
    books.booked(invoice("1", 40))
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1")) == (0, 40)


def test_several_that_wait_fire_in_the_order_of_arrival() -> None:
    books = given(payment("P2", 60, "01-21", pays=["1"]), payment("P1", 60, "01-20", pays=["1"]))
    books.booked(invoice("1", 100))
    assert (books.open("payment::P2:1#1"), books.open(f"{P1}#1")) == (0, 20)


def test_a_reference_names_any_live_revision() -> None:
    books = given(invoice("1", 100), reverse("invoice::1:1"), payment("P1", 100, pays=["1"]), allocation="none")
    assert books.account().awaiting == {"invoice::1": [(P1, None)]}
    books.booked(invoice("1", 90, revision=2))
    assert books.open("invoice::1:2#1") == 0


def test_a_settled_invoice_is_known_and_nothing_waits_for_it() -> None:
    books = given(invoice("1", 100), payment("P1", 100))
    [event] = books.booked(payment("P2", 50, pays=["1"]))
    assert isinstance(event, PaymentReceived)
    assert [entry.waits for entry in event.remittance] == [False]


def test_a_security_deposit_waits_for_nothing_and_nobody_gets_it() -> None:
    books = given(payment("P1", 100, pays=["1"], deposit_class="security"))
    assert books.account().awaiting == {}
    books.booked(invoice("1", 100, remittance=[{"kind": "payment", "number": "P1"}]))
    assert books.open(f"{P1}#1") == 100


def test_a_contract_deposit_is_spent_by_reference_only() -> None:
    books = given(payment("P1", 100, pays=["1"], deposit_class="contract"), invoice("2", 50))
    books.booked(invoice("1", 60))
    assert (books.open("invoice::1:1#1"), books.open("invoice::2:1#1"), books.open(f"{P1}#1")) == (0, 50, 40)


def test_what_was_spent_by_hand_meanwhile_fires_for_what_is_left() -> None:
    books = given(invoice("2", 80), payment("P1", 100, pays=["1"]), allocate((f"{P1}#1", "invoice::2:1#1")))
    books.booked(invoice("1", 100))
    assert books.open("invoice::1:1#1") == 80


def test_a_reference_to_a_zero_invoice_is_met_by_it() -> None:
    books = given(payment("P1", 100, pays=["1"]), invoice("1", 0))
    assert books.account().awaiting == {}
    books.booked(invoice("2", 100))
    assert books.open("invoice::2:1#1") == 0


def test_a_refund_of_an_unknown_payment_waits_whole_and_is_booked_on_its_arrival() -> None:
    command = refund("R1", 60, of=P1)
    books = given()
    [deferred] = books.booked(command)
    assert isinstance(deferred, FactDeferred)
    assert (deferred.awaited, deferred.document, deferred.customer) == (P1, "refund::R1:1", "C1")
    assert deferred_command(deferred) == command
    assert books.waiting() == [deferred]
    outcome = books.booked(payment("P1", 100))
    assert kinds(outcome) == ["PaymentReceived", "RefundPaid", "DeferredFactApplied"]
    applied = outcome[2]
    assert isinstance(applied, DeferredFactApplied)
    assert (applied.fact, applied.outcome, applied.source_id) == (1, "booked", command.source_id)
    assert books.open(f"{P1}#1") == 40
    assert books.waiting() == []


def test_a_waiting_instruction_may_be_refused_on_arrival_and_says_why() -> None:
    books = given(refund("R1", 160, of=P1))
    outcome = books.booked(payment("P1", 100))
    assert kinds(outcome) == ["PaymentReceived", "DeferredFactApplied"]
    applied = outcome[1]
    assert isinstance(applied, DeferredFactApplied)
    assert (applied.outcome, applied.code, applied.field) == ("refused", "refund_must_not_exceed_refundable", "amount")
    assert applied.value == "160 (refundable: 100)"


def test_a_waiting_fact_is_booked_with_its_excess() -> None:
    books = given(refund("R1", 160, of=P1, nature="fact"), payment("P1", 100))
    assert books.open("refund::R1:1#1") == 60


def test_a_reversal_of_an_unknown_document_waits() -> None:
    books = given(reverse("invoice::1:1"))
    assert kinds(books.booked(invoice("1", 100))) == ["InvoiceIssued", "DocumentReversed", "DeferredFactApplied"]
    assert books.account().items == {}


def test_a_fact_that_had_waited_is_itself_an_arrival() -> None:
    books = given(reverse("refund::R1:1"), refund("R1", 60, of=P1))
    outcome = books.booked(payment("P1", 100))
    assert kinds(outcome) == [
        "PaymentReceived",
        "RefundPaid",
        "DocumentReversed",
        "DeferredFactApplied",
        "DeferredFactApplied",
    ]
    assert books.open(f"{P1}#1") == 100


def test_several_facts_are_decided_in_the_order_in_which_they_came() -> None:
    books = given(refund("R1", 60, of=P1), refund("R2", 60, of=P1), payment("P1", 100))
    stream = books.events(waiting_stream("main", P1))
    outcomes = [event.outcome for _, event in stream if isinstance(event, DeferredFactApplied)]
    assert outcomes == ["booked", "refused"]
    assert still_waiting(stream) == {}


def test_a_fact_for_another_account_than_its_originals_is_refused_on_arrival() -> None:
    books = given(refund("R1", 60, of=P1, customer="C2"))
    outcome = books.booked(payment("P1", 100))
    assert isinstance(outcome[1], DeferredFactApplied)
    assert outcome[1].code == "items_must_share_account"


def test_only_the_revision_that_is_named_ends_the_waiting() -> None:
    books = given(payment("P1", 100), reverse(P1), refund("R1", 60, of="payment::P1:2"))
    assert len(books.waiting()) == 1
    books.booked(payment("P1", 90, revision=2))
    assert books.open("payment::P1:2#1") == 30


@pytest.mark.parametrize(
    "command", [refund("R1", 60, of=P1), reverse(P1), reverse("adjustment::A:1")], ids=["refund", "reversal", "other"]
)
def test_these_commands_wait(command: RecordRefund | ReverseDocument) -> None:
    assert awaited_document(command, NOTHING_NAMED) is not None


@pytest.mark.parametrize(
    "command", [refund("R1", 60), credit_note("K", 10, against="invoice::1:1"), payment("P1", 1, pays=["1"])]
)
def test_these_commands_never_wait(command: RecordRefund) -> None:
    assert awaited_document(command, NOTHING_NAMED) is None


def test_what_waited_is_decided_by_the_day_of_the_arrival() -> None:
    books = given(refund("R1", 60, "2024-08-01", of=P1))
    books.booked(payment("P1", 100), TODAY)
    assert books.open(f"{P1}#1") == 40


def test_a_fact_that_is_given_up_waits_no_more_and_is_not_booked() -> None:
    first, second = refund("R1", 10, of=P1, nature="fact"), returned("T1", P1, 20)
    books = given(first, second)
    [event] = books.booked(reject(first, "the payment was never made"))
    assert isinstance(event, DeferredFactRejected)
    assert (event.fact, event.reason) == (1, "the payment was never made")
    assert books.refused(reject(first)).code == Code.FACT_WAITING
    assert kinds(books.booked(payment("P1", 100))) == ["PaymentReceived", "PaymentReturned", "DeferredFactApplied"]
    assert books.open(f"{P1}#1") == 80
