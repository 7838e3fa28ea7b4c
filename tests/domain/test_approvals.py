"""Maker and checker: who may do what alone, what somebody else must approve, and what an approval books."""

from typing import Any

import pytest
from given import (
    BOOK,
    adjustment,
    allocate,
    approve,
    authorities,
    close,
    credit_note,
    disapprove,
    given,
    invoice,
    kinds,
    limit,
    matrix,
    payment,
    post_allowance,
    recover,
    refund,
    release,
    reopen,
    request,
    returned,
    revalue,
    reverse,
    terms,
    transfer,
    write_off,
)
from pydantic import ValidationError

from domain.approvals import instruction_of
from domain.authority import SENSITIVE
from domain.commands import COMMANDS, ChangeBookPolicies, ChangePostingTemplate, Command, Controlled
from domain.decide_book import BookCommand
from domain.documents import approval_stream
from domain.events import (
    ApprovalGiven,
    ApprovalRefused,
    ApprovalRequested,
    Authorities,
    AuthoritiesChanged,
    DeferredFactApplied,
    FactDeferred,
    Limit,
    RefundPaid,
    WrittenOff,
)
from domain.refusals import Code

P1 = "payment::P1:1"
I1 = "invoice::I1:1#1"
ROLES = {"li": ["supervisor"], "wang": ["controller", "supervisor"]}
CHANGING = {"command": "ChangeAuthorities", "role": "controller", "approves": 0}
"""A controller may approve other authorities."""


def limits(*rules: dict[str, Any], **more: Any) -> Any:
    return authorities(roles=ROLES, limits=[*rules, CHANGING], **more)


REFUNDS = limits(
    {"command": "RecordRefund", "alone": 100}, {"command": "RecordRefund", "role": "supervisor", "approves": 500}
)


def test_without_authorities_nothing_needs_an_approval() -> None:
    books = given(payment("P1", 1_000))
    assert kinds(books.booked(refund("R1", 1_000))) == ["RefundPaid"]
    assert books.book.authorities == Authorities()


def test_a_change_of_authorities_is_stored_with_what_was_before() -> None:
    books = given(authorities(reason_required=["WriteOff"]))
    [event] = books.booked(limits({"command": "WriteOff", "currency": "CNY", "alone": 5}))
    assert isinstance(event, AuthoritiesChanged)
    assert event.before == Authorities({}, [], ["WriteOff"])
    assert event.after == Authorities(
        ROLES,
        [
            Limit(command="WriteOff", currency="CNY", alone=5),
            Limit(command="ChangeAuthorities", role="controller", approves=0),
        ],
        ["WriteOff"],
    )
    assert books.book.authorities == event.after


def test_what_is_within_the_limit_is_booked_and_what_is_beyond_it_needs_an_approval() -> None:
    books = given(payment("P1", 1_000), REFUNDS)
    assert kinds(books.booked(refund("R1", 100, actor="zhang"))) == ["RefundPaid"]
    refused = books.refused(refund("R2", 101, actor="zhang"))
    assert (refused.code, refused.value) == (Code.APPROVAL, "zhang (101)")


def test_an_approved_command_is_booked_as_its_makers_and_names_the_approval() -> None:
    books = given(payment("P1", 1_000), REFUNDS)
    [asked] = books.booked(request("7", refund("R1", 300, actor="zhang", reason="goods came back")))
    assert isinstance(asked, ApprovalRequested)
    assert (asked.maker, asked.document, asked.amount, asked.base_amount) == ("zhang", "refund::R1:1", 300, 300)
    assert books.pending() == [asked]
    given_, paid = books.booked(approve("7", "li"))
    assert isinstance(given_, ApprovalGiven)
    assert isinstance(paid, RefundPaid)
    assert (given_.actor, given_.customer) == ("li", "C1")
    assert (paid.actor, paid.reason, paid.approval, paid.amount) == ("zhang", "goods came back", "7", 300)
    assert books.pending() == []
    assert books.open(f"{P1}#1") == 700


def test_all_events_of_an_approved_command_name_the_approval() -> None:
    books = given(invoice("I1", 1_000), payment("P1", 1_000), REFUNDS)
    books.booked(request("7", refund("R1", 300, of=P1, actor="zhang")))
    events = books.booked(approve("7", "li"))
    assert kinds(events) == ["ApprovalGiven", "AllocationReleased", "RefundPaid"]
    assert [event.approval for event in events] == [None, "7", "7"]


def test_nobody_approves_what_he_made_or_asked_for() -> None:
    books = given(payment("P1", 1_000), REFUNDS)
    books.booked(request("7", refund("R1", 300, actor="zhang"), actor="li"))
    assert books.refused(approve("7", "li")).code == Code.CHECKER_DIFFERS
    assert books.refused(approve("7", "zhang")).code == Code.CHECKER_DIFFERS
    assert kinds(books.booked(approve("7", "wang"))) == ["ApprovalGiven", "RefundPaid"]


def test_the_checker_must_have_a_role_that_may_approve_as_much() -> None:
    books = given(payment("P1", 1_000), REFUNDS, request("7", refund("R1", 501, actor="zhang")))
    assert books.refused(approve("7", "li")).code == Code.CHECKER_AUTHORITY
    assert books.refused(approve("7", "zhao")).code == Code.CHECKER_AUTHORITY
    assert len(books.pending()) == 1
    books.booked(disapprove("7", "li"))
    assert books.refused(approve("7", "wang")).code == Code.APPROVAL_PENDING


def test_a_request_is_decided_once() -> None:
    books = given(payment("P1", 1_000), REFUNDS, request("7", refund("R1", 300, actor="zhang")))
    [refused] = books.booked(disapprove("7", "zhang", "the amount was wrong"))
    assert isinstance(refused, ApprovalRefused)
    assert (refused.actor, refused.reason) == ("zhang", "the amount was wrong")
    for again in (approve("7", "li"), disapprove("7", "li"), approve("8", "li")):
        assert books.refused(again).code == Code.APPROVAL_PENDING
    assert books.open(f"{P1}#1") == 1_000


def test_what_would_be_refused_anyway_cannot_be_asked_for() -> None:
    books = given(payment("P1", 1_000), REFUNDS)
    assert books.refused(request("7", refund("R1", 1_001, actor="zhang"))).code == Code.REFUNDABLE
    assert books.pending() == []


def test_what_is_refused_when_it_is_approved_is_not_booked_and_stays_pending() -> None:
    books = given(payment("P1", 1_000), REFUNDS, request("7", refund("R1", 300, actor="zhang")))
    books.booked(returned("T1", P1, 800))
    before = len(books.log)
    assert books.refused(approve("7", "li")).code == Code.REFUNDABLE
    assert len(books.log) == before
    books.booked(payment("P2", 200))
    assert kinds(books.booked(approve("7", "li"))) == ["ApprovalGiven", "RefundPaid"]


def test_a_limit_that_was_lowered_in_between_is_seen() -> None:
    books = given(payment("P1", 1_000), REFUNDS, request("7", refund("R1", 300, actor="zhang")))
    lower = {"command": "RecordRefund", "role": "supervisor", "approves": 299}
    books.booked(request("8", limits(lower, actor="wang")))
    assert books.refused(approve("8", "li")).code == Code.CHECKER_AUTHORITY
    books.booked(disapprove("8", "wang"))
    books.booked(request("9", limits(lower, actor="li")))
    assert kinds(books.booked(approve("9", "wang"))) == ["ApprovalGiven", "AuthoritiesChanged"]
    assert books.refused(approve("7", "wang")).code == Code.CHECKER_AUTHORITY


def test_what_needs_no_approval_may_have_one_by_anybody_else() -> None:
    books = given(payment("P1", 1_000), request("7", refund("R1", 300, actor="zhang")))
    assert books.refused(approve("7", "zhang")).code == Code.CHECKER_DIFFERS
    assert kinds(books.booked(approve("7", "zhao"))) == ["ApprovalGiven", "RefundPaid"]


def test_facts_need_no_approval() -> None:
    never = [
        {"command": name, "role": "nobody", "alone": 0}
        for name in ("RecordRefund", "IssueCreditNote", "ReverseDocument")
    ]
    books = given(limits(*never, reason_required=["RecordRefund", "ReverseDocument"]), payment("P1", 1_000))
    books.booked(refund("R1", 500, nature="fact"))
    books.booked(invoice("I1", 100))
    books.booked(credit_note("K1", 100, against="invoice::I1:1"))
    books.booked(reverse("refund::R1:1", "02-14"))
    assert books.refused(reverse("credit-note::K1:1", reason="keyed twice")).code == Code.APPROVAL


def test_once_a_rule_names_a_command_what_no_rule_lets_pass_needs_an_approval() -> None:
    books = given(
        limits(
            {"command": "RecordRefund", "currency": "CNY", "alone": 100},
            {"command": "RecordRefund", "role": "clerk", "alone": 50},
        ),
        payment("P1", 1_000),
        payment("P2", 1_000, currency="USD", rate="7"),
    )
    books.booked(refund("R1", 100, actor="zhang"))
    assert books.refused(refund("R2", 1, currency="USD", rate="7", actor="zhang")).code == Code.APPROVAL


def test_a_limit_without_a_currency_is_of_base_currency() -> None:
    books = given(limits({"command": "RecordRefund", "alone": 700}), payment("P1", 1_000, currency="USD", rate="7"))
    books.booked(refund("R1", 100, currency="USD", rate="7"))
    refused = books.refused(refund("R2", 101, currency="USD", rate="7"))
    assert (refused.code, refused.value) == (Code.APPROVAL, "system (101)")


@pytest.mark.parametrize(
    ("command", "amount"),
    [
        (refund("R9", 40, actor="zhang"), 40),
        (credit_note("K9", 70, nature="instruction", actor="zhang"), 70),
        (adjustment("A9", I1, 30, actor="zhang"), 30),
        (write_off("W9", I1, ("invoice::I2:1#1", 25), actor="zhang"), 525),
        (recover("B9", "write-off::W1:1", "invoice::I3:1#1", 60, actor="zhang"), 60),
        (transfer("T9", I1, "C2", 35, actor="zhang"), 35),
        (allocate((f"{P1}#1", I1, 45), (f"{P1}#1", "invoice::I2:1#1", 15), actor="zhang"), 60),
        (release("7.1", 20, actor="zhang"), 20),
        (reverse("invoice::I1:1", actor="zhang"), 500),
    ],
)
def test_the_amount_of_a_command_is_what_its_own_events_post(command: Command, amount: int) -> None:
    books = given(
        *(invoice(f"I{n}", total) for n, total in ((1, 500), (2, 100), (3, 80), (4, 90))),
        payment("P1", 1_000),
        write_off("W1", ("invoice::I3:1#1", 80)),
        allocate((f"{P1}#1", "invoice::I4:1#1", 50)),
        allocation="none",
    )
    name = type(command).__name__
    books.booked(limits({"command": name, "alone": amount - 1}))
    refused = books.refused(command)
    assert (refused.code, refused.value) == (Code.APPROVAL, f"zhang ({amount})")
    books.booked(request("7", limits({"command": name, "alone": amount}, actor="li")))
    books.booked(approve("7", "wang"))
    books.booked(command)


def test_limits_may_tell_reversals_by_the_kind_of_document() -> None:
    rules = [{"command": "ReverseDocument", "kind": "payment", "alone": 10**15}]
    books = given(invoice("I1", 500), payment("P1", 900), limits(*rules), allocation="none")
    assert books.refused(reverse("invoice::I1:1")).code == Code.APPROVAL
    books.booked(reverse(P1))


def test_both_halves_of_an_approved_transfer_name_the_approval() -> None:
    rules = [
        {"command": "TransferItem", "alone": 0},
        {"command": "TransferItem", "role": "supervisor", "approves": 500},
    ]
    books = given(invoice("I1", 500), payment("P2", 500, customer="C2"), limits(*rules))
    books.booked(request("7", transfer("T1", I1, "C2", actor="zhang")))
    events = books.booked(approve("7", "li"))
    assert kinds(events) == ["ApprovalGiven", "ItemTransferredOut", "ItemTransferredIn", "Allocated"]
    assert [event.approval for event in events] == [None, "7", "7", "7"]


def test_the_terms_of_an_account_may_need_an_approval_too() -> None:
    rules = [{"command": "ChangeAccountTerms", "role": "supervisor", "approves": 0}]
    books = given(limits(*rules))
    command = terms(allocation="none", actor="zhang")
    assert books.refused(command).code == Code.APPROVAL
    books.booked(request("7", command))
    _, changed = books.booked(approve("7", "li"))
    assert (type(changed).__name__, changed.approval) == ("AccountTermsChanged", "7")


def test_so_may_a_credit_limit() -> None:
    books = given(limits({"command": "SetCreditLimit", "role": "supervisor", "approves": 0}))
    command = limit(None, actor="zhang")
    assert books.refused(command).code == Code.APPROVAL
    books.booked(request("7", command))
    _, changed = books.booked(approve("7", "li"))
    assert (type(changed).__name__, changed.approval) == ("CreditLimitSet", "7")


OF_THE_BOOK: list[Any] = [
    ChangePostingTemplate(source="test", source_id="b1", actor="zhang", book=BOOK, roles={"cash_bank": "1002.01"}),
    ChangeBookPolicies(source="test", source_id="b2", actor="zhang", book=BOOK, tolerances={"CNY": 5}),
    matrix((None, "5"), actor="zhang"),
    limits({"command": "WriteOff", "alone": 0}, actor="zhang"),
    reopen("2024-01").model_copy(update={"actor": "zhang"}),
]


@pytest.mark.parametrize("command", OF_THE_BOOK, ids=lambda command: type(command).__name__)
def test_sensitive_changes_of_a_book_need_an_approval_once_there_are_limits(command: BookCommand) -> None:
    name = type(command).__name__
    may = [] if name == "ChangeAuthorities" else [{"command": name, "role": "controller", "approves": 0}]
    books = given(close("2024-01"), limits(*may))
    refused = books.refused(command)
    assert (refused.code, refused.value) == (Code.APPROVAL, "zhang (0)")
    version = books.book.version
    books.booked(request("7", command))
    assert books.refused(approve("7", "li")).code == Code.CHECKER_AUTHORITY
    assert books.book.version == version
    _, changed = books.booked(approve("7", "wang"))
    assert (changed.actor, changed.approval, books.book.version) == ("zhang", "7", version + 1)


def test_all_sensitive_commands_are_tried() -> None:
    assert {type(command).__name__ for command in OF_THE_BOOK} == SENSITIVE


def test_limits_can_be_taken_away_again_by_those_who_may() -> None:
    books = given(REFUNDS, payment("P1", 1_000))
    nobody = authorities(limits=[{"command": "RecordRefund", "alone": 5}], actor="li")
    assert books.refused(request("7", nobody)).code == Code.AUTHORITIES_CHANGEABLE
    books.booked(request("8", authorities(limits=[], actor="li")))
    books.booked(approve("8", "wang"))
    books.booked(refund("R1", 1_000))
    books.booked(ChangeBookPolicies(source="test", source_id="b3", book=BOOK, tolerances={"CNY": 9}))


def test_a_voucher_of_the_book_is_measured_by_what_it_posts_and_approved_like_any_other() -> None:
    rules = [{"command": name, "alone": 1_000} for name in ("PostAllowance", "PostRevaluation")]
    rules += [one | {"role": "supervisor", "approves": 5_000} for one in rules]
    books = given(matrix((None, "5")), limits(*rules))
    allowance = post_allowance(books, (1, 40_000), on="01-31", actor="zhang")
    revalued = revalue(books, ("USD", 10_000, 71_000, "7.3"), actor="zhang")
    # The mirror of the next day does not count again.
    for command in (allowance, revalued):
        assert books.refused(command).value == "zhang (2000)"
    books.booked(request("7", allowance))
    _, posted = books.booked(approve("7", "li"))
    assert (posted.difference, posted.approval) == (2_000, "7")
    assert books.refused(revalued).code == Code.EVIDENCE, "what it was collected from has changed"


def test_a_reason_is_asked_for_where_the_authorities_say_so() -> None:
    names = ["ReverseDocument", "ReleaseAllocation", "WriteOff"]
    books = given(invoice("I1", 100), invoice("I2", 100), payment("P1", 100), authorities(reason_required=names))
    for command in (release("4.1"), reverse(P1), write_off("W1", "invoice::I2:1#1")):
        assert books.refused(command).code == Code.REASON_GIVEN
        assert books.refused(request("7", command)).code == Code.REASON_GIVEN
        books.booked(command.model_copy(update={"reason": "as agreed"}))


def test_of_reason_and_approval_the_reason_is_asked_for_first_and_both_last() -> None:
    books = given(invoice("I1", 100), limits({"command": "WriteOff", "alone": 0}, reason_required=["WriteOff"]))
    assert books.refused(write_off("W1", (I1, 101))).code == Code.WRITE_OFF
    assert books.refused(write_off("W1", I1)).code == Code.REASON_GIVEN
    assert books.refused(write_off("W1", I1, reason="bankrupt")).code == Code.APPROVAL


def test_what_waits_for_a_document_carries_its_approval_and_is_judged_when_it_arrives() -> None:
    books = given(REFUNDS)
    [asked] = books.booked(request("7", refund("R1", 300, of=P1, actor="zhang")))
    assert isinstance(asked, ApprovalRequested)
    assert (asked.document, asked.amount) == ("refund::R1:1", None)
    books.booked(request("8", refund("R2", 501, of=P1, actor="zhang")))
    for number in ("7", "8"):
        _, fact = books.booked(approve(number, "li"))
        assert isinstance(fact, FactDeferred)
        assert fact.approval == number
    outcome = books.booked(payment("P1", 1_000))
    assert kinds(outcome) == ["PaymentReceived", "RefundPaid", "DeferredFactApplied", "DeferredFactApplied"]
    assert [event.approval for event in outcome] == [None, "7", "7", "8"]
    assert isinstance(outcome[3], DeferredFactApplied)
    assert (outcome[3].outcome, outcome[3].code) == ("refused", "checker_must_have_authority")


def test_an_instruction_that_waited_without_an_approval_is_refused_beyond_the_limit() -> None:
    books = given(REFUNDS, refund("R1", 300, of=P1, actor="zhang"))
    applied = books.booked(payment("P1", 1_000))[1]
    assert isinstance(applied, DeferredFactApplied)
    assert (applied.outcome, applied.code) == ("refused", "approval_must_be_given")


def test_the_request_keeps_the_command_as_it_came() -> None:
    command = write_off("W1", (I1, 60), actor="zhang", reason="bankrupt")
    books = given(invoice("I1", 100), request("7", command))
    [(version, asked)] = books.events(approval_stream(BOOK, "7"))
    assert isinstance(asked, ApprovalRequested)
    assert version == 1
    assert instruction_of(asked) == command
    books.booked(approve("7", "li"))
    assert isinstance(books.log[-1].event, WrittenOff)


EVERYTHING_ELSE = {
    "OpenBook": "there is nobody yet who may do what",
    "ClosePeriod": "is done by a list, which says who accepted what and why",
    "IssueInvoice": "is a fact",
    "RecordPayment": "is a fact",
    "ReturnPayment": "is a fact",
    "ReinstatePayment": "is a fact",
    "RoundOff": "keeps within what the book's policies say",
    "Resettle": "changes nothing that is owed",
    "RecogniseRevenue": "follows the schedule that its document was issued with",
    "StateControlTotals": "is said by the source",
    "StateRates": "books nothing, and is superseded by the next statement",
    "RejectDeferredFact": "books nothing, and has a reason",
    "DismissMessage": "books nothing, and has a reason",
    "RequestApproval": "is what asks for it",
    "GiveApproval": "is what gives it",
    "RefuseApproval": "books nothing, and has a reason",
}


def test_every_command_can_be_limited_or_says_why_not() -> None:
    assert {*Controlled.__args__, *EVERYTHING_ELSE} == set(COMMANDS)  # type: ignore[attr-defined]
    assert not {*Controlled.__args__} & set(EVERYTHING_ELSE)  # type: ignore[attr-defined]


def test_an_instruction_is_for_the_book_of_its_request_and_has_a_name_of_its_own() -> None:
    inner = refund("R1", 100)
    with pytest.raises(ValidationError, match="same book"):
        request("7", inner.model_copy(update={"book": "other"}))
    with pytest.raises(ValidationError, match="source id of its own"):
        request("7", inner, source=inner.source, source_id=inner.source_id)
    with pytest.raises(ValidationError, match="50000 bytes"):
        request("7", allocate(*[(f"{P1}#1", I1, 1)] * 1_000))
    with pytest.raises(ValidationError, match="RecordPayment"):
        request("7", payment("P1", 100))


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"command": "RecordRefund"}, "alone or approves"),
        ({"command": "RecordRefund", "kind": "refund", "alone": 1}, "ReverseDocument only"),
        ({"command": "IssueInvoice", "alone": 1}, "RecordRefund"),
    ],
)
def test_a_limit_must_say_something(limit: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        authorities(limits=[limit])
