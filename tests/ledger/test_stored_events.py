"""Every event that was ever written stays readable: golden files of each topic, an event a line.

The first is full, the second bare, the later ones have what was added since.

The files are written by ``--update-snapshots`` and only ever added to: a line that changes means that old logs read
otherwise.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from domain.events import (
    TOPICS,
    AccountTerms,
    AccountTermsChanged,
    AdjustmentPosted,
    Allocated,
    AllocationLine,
    AllocationReleased,
    AllowanceBucket,
    AllowanceLine,
    AllowanceMatrix,
    AllowanceMatrixChanged,
    AllowancePosted,
    ApprovalGiven,
    ApprovalRefused,
    ApprovalRequested,
    Authorities,
    AuthoritiesChanged,
    BookOpened,
    BookPolicies,
    BookPoliciesChanged,
    ClosingCheck,
    ControlTotalsStated,
    CreditLimitSet,
    CreditNoteIssued,
    Deduction,
    Deferral,
    DeferredFactApplied,
    DeferredFactRejected,
    DiscountTerms,
    DocumentReversed,
    Event,
    FactDeferred,
    Funding,
    Instalment,
    InvoiceIssued,
    ItemImage,
    ItemTransferredIn,
    ItemTransferredOut,
    Limit,
    Line,
    MessageDismissed,
    PaymentReceived,
    PaymentReinstated,
    PaymentReturned,
    PeriodClosed,
    PeriodReopened,
    Posting,
    PostingTemplateChanged,
    Rate,
    RatesStated,
    RecognisedPart,
    RefundPaid,
    ReliefReturned,
    Remittance,
    RevaluationLine,
    RevaluationPosted,
    RevenueRecognised,
    Tax,
    VatReliefClaimed,
    WriteOffLine,
    WriteOffRecovered,
    WrittenOff,
)
from ledger.codec import TOPIC_OF, decode, encode

GOLDEN = Path(__file__).parent.parent / "snapshots" / "events"
ON = date(2024, 1, 31)
WHO: dict[str, Any] = {"source": "billing", "source_id": "4711", "actor": "zhang.san"}
BARE: dict[str, Any] = {**WHO, "effective_on": ON, "template": 1}
FULL: dict[str, Any] = {
    **BARE,
    "reason": "keyed twice 重复录入",
    "requested_effective_on": date(2023, 12, 31),
    "caused_by": "invoice:A:1001:1",
    "flags": ["tax_differs_from_rate"],
}
NORTH = {"shop": "north"}
INVOICE, PAYMENT, REFUND = "invoice:A:1001:1", "payment::P:7:1", "refund::R1:1"
RECEIVABLE = Posting("receivable", "1122", "D", 11_300, 80_230, f"{INVOICE}#1", NORTH)
REVENUE = Posting("revenue", "6001", "C", 10_000, 71_000, None, {"shop": "north", "goods": "tea"})
OUTPUT_TAX = Posting("output_tax", "2221", "C", 1_300, 9_230, None, NORTH)
LINE = Line(10_000, "revenue", {"goods": "tea"}, date(2024, 1, 1), date(2024, 12, 31))
TAX = Tax("VAT13", "13", 10_000, 1_300)
IMAGE = ItemImage(
    item=f"{INVOICE}#1",
    side="D",
    role="receivable",
    account="1122",
    due_on=date(2024, 2, 29),
    effective_on=ON,
    amount=11_300,
    base_amount=80_230,
    movements=[(ON, 11_300), (date(2024, 2, 1), -11_300)],
    dimensions=NORTH,
)
MATRIX = AllowanceMatrix([AllowanceBucket(0, "1", {"north": "0.5"}), AllowanceBucket(None, "50")], "shop")
BILLED: dict[str, Any] = {
    "total": 11_300,
    "base_total": 80_230,
    "document_on": date(2024, 1, 30),
    "tax_point_on": date(2024, 1, 29),
}
BILLED_IN_FULL: dict[str, Any] = {
    **BILLED,
    "rate": "7.1",
    "rate_source": "pboc",
    "opening": True,
    "fiscal_number": "24312000000000000001",
    "lines": [LINE, Line(1)],
    "lines_digest": "9f86d081884c7d65",
    "tax": [TAX],
    "bill_to": "C1",
    "sold_to": "C2",
    "dimensions": NORTH,
    "deferrals": [
        Deferral("revenue", "6001", "220502", 10_000, 71_000, date(2024, 1, 1), date(2024, 12, 31), "month", NORTH)
    ],
}
LINK: dict[str, Any] = {
    "credit_item": f"{PAYMENT}#1",
    "debit_item": f"{INVOICE}#1",
    "amount": 100,
    "credit_base": 720,
    "debit_base": 710,
}

EVENTS: dict[str, tuple[Event, Event]] = {
    "invoice-issued.v1": (
        InvoiceIssued(
            **FULL,
            **BILLED_IN_FULL,
            document=INVOICE,
            instalments=[Instalment(date(2024, 2, 29), 11_300)],
            remittance=[Remittance("payment::P:7", 100, True), Remittance("payment::P:8")],
            discount=DiscountTerms("2.5", date(2024, 2, 10)),
            postings=[RECEIVABLE, REVENUE, OUTPUT_TAX],
        ),
        InvoiceIssued(**BARE, document=INVOICE, total=0, base_total=0, document_on=ON, tax_point_on=ON, postings=[]),
    ),
    "credit-note-issued.v1": (
        CreditNoteIssued(
            **FULL,
            **BILLED_IN_FULL,
            document="credit-note::K:1",
            against=INVOICE,
            against_waits=True,
            postings=[REVENUE, OUTPUT_TAX, RECEIVABLE],
        ),
        CreditNoteIssued(**BARE, **BILLED, document="credit-note::K:1", postings=[REVENUE]),
    ),
    "payment-received.v1": (
        PaymentReceived(
            **FULL,
            document=PAYMENT,
            amount=100,
            base_amount=720,
            rate="7.2",
            rate_source="pboc",
            opening=True,
            value_on=date(2024, 1, 30),
            method="bank",
            cash=97,
            deductions=[Deduction("bank_charge", 3)],
            deposit_class="contract",
            remittance=[Remittance("invoice:A:1001", 100, True)],
            dimensions=NORTH,
            postings=[Posting("cash", "1002", "D", 97, 698), Posting("fee", "6603", "D", 3, 22)],
        ),
        PaymentReceived(
            **BARE, document=PAYMENT, amount=100, base_amount=100, value_on=ON, method="bank", cash=100, postings=[]
        ),
    ),
    "allocated.v1": (
        Allocated(
            **FULL,
            lines=[AllocationLine(allocation="12.1", **LINK)],
            mode="policy",
            policy="oldest_due_first",
            policy_version=1,
            policy_of="account",
            postings=[RECEIVABLE, Posting("exchange_difference", "6603", "C", 0, 10)],
        ),
        Allocated(**BARE, lines=[AllocationLine(allocation="12.1", **LINK)], mode="hand", postings=[]),
    ),
    "allocation-released.v1": (
        AllocationReleased(
            **FULL, **LINK, mode="reference", allocation="12.1", restored=[IMAGE], postings=[RECEIVABLE]
        ),
        AllocationReleased(**BARE, **LINK, mode="hand", allocation="12.1", postings=[]),
    ),
    "refund-paid.v1": (
        RefundPaid(
            **FULL,
            document=REFUND,
            amount=100,
            base_amount=720,
            rate="7.2",
            rate_source="pboc",
            value_on=ON,
            method="bank",
            original_payment=PAYMENT,
            funded_by=[Funding(f"{PAYMENT}#1", 70, 504)],
            excess=30,
            dimensions=NORTH,
            postings=[Posting("receivable", "1122", "D", 30, 216, f"{REFUND}#1", NORTH)],
        ),
        RefundPaid(**BARE, document=REFUND, amount=100, base_amount=100, value_on=ON, method="bank", postings=[]),
    ),
    "payment-returned.v1": (
        PaymentReturned(
            **FULL,
            document="return::T1:1",
            payment=PAYMENT,
            kind="chargeback",
            amount=100,
            base_amount=720,
            rate="7.2",
            rate_source="pboc",
            value_on=ON,
            cash=112,
            deductions=[Deduction("provider_fee", 3)],
            fee=15,
            taken=40,
            taken_base=284,
            excess=60,
            dimensions=NORTH,
            postings=[Posting("receivable", "1122", "D", 60, 432, "return::T1:1#1", NORTH)],
        ),
        PaymentReturned(
            **BARE,
            document="return::T1:1",
            payment=PAYMENT,
            kind="returned",
            amount=100,
            base_amount=100,
            value_on=ON,
            cash=100,
            taken=100,
            taken_base=100,
            postings=[],
        ),
    ),
    "payment-reinstated.v1": (
        PaymentReinstated(
            **FULL,
            document="reinstatement::W1:1",
            returned="return::T1:1",
            payment=PAYMENT,
            amount=100,
            base_amount=720,
            rate="7.2",
            rate_source="pboc",
            value_on=ON,
            cash=112,
            deductions=[Deduction("provider_fee", 3)],
            fee=15,
            given=40,
            given_base=284,
            excess=60,
            dimensions=NORTH,
            restored=[IMAGE],
            postings=[Posting("unapplied", "2203", "C", 60, 432, "reinstatement::W1:1#1", NORTH)],
        ),
        PaymentReinstated(
            **BARE,
            document="reinstatement::W1:1",
            returned="return::T1:1",
            payment=PAYMENT,
            amount=100,
            base_amount=100,
            value_on=ON,
            cash=100,
            given=100,
            given_base=100,
            postings=[],
        ),
    ),
    "adjustment-posted.v1": (
        AdjustmentPosted(
            **FULL,
            document="adjustment::A:1",
            item=f"{INVOICE}#1",
            reason_code="short_payment",
            amount=113,
            base_amount=802,
            tax=[TAX],
            linked_to=PAYMENT,
            postings=[RECEIVABLE],
        ),
        AdjustmentPosted(
            **BARE,
            document="adjustment::A:1",
            item=f"{INVOICE}#1",
            reason_code="short_payment",
            amount=113,
            base_amount=113,
            postings=[],
        ),
    ),
    "written-off.v1": (
        WrittenOff(
            **FULL,
            document="write-off::W1:1",
            lines=[WriteOffLine(f"{INVOICE}#1", 113, 802)],
            amount=113,
            base_amount=802,
            postings=[Posting("allowance", "1231", "D", 113, 802, None, NORTH)],
        ),
        WrittenOff(**BARE, document="write-off::W1:1", lines=[], amount=113, base_amount=113, postings=[]),
    ),
    "write-off-recovered.v1": (
        WriteOffRecovered(
            **FULL,
            document="recovery::B1:1",
            write_off="write-off::W1:1",
            item=f"{INVOICE}#1",
            amount=113,
            base_amount=802,
            relief=[ReliefReturned("vat-relief::V1:1", 13, 92)],
            restored=[IMAGE],
            postings=[RECEIVABLE],
        ),
        WriteOffRecovered(
            **BARE,
            document="recovery::B1:1",
            write_off="write-off::W1:1",
            item=f"{INVOICE}#1",
            amount=113,
            base_amount=113,
            postings=[],
        ),
    ),
    "item-transferred-out.v1": (
        ItemTransferredOut(
            **FULL,
            transfer="transfer::T1:1",
            item=f"{INVOICE}#1",
            amount=113,
            base_amount=802,
            to_customer="C2",
            due_on=date(2024, 2, 29),
            received_role="receivable",
            received_account="1122",
            postings=[RECEIVABLE],
        ),
        ItemTransferredOut(
            **BARE,
            transfer="transfer::T1:1",
            item=f"{INVOICE}#1",
            amount=113,
            base_amount=113,
            to_customer="C2",
            due_on=date(2024, 2, 29),
            received_role="receivable",
            received_account="1122",
            postings=[],
        ),
    ),
    "item-transferred-in.v1": (
        ItemTransferredIn(
            **FULL,
            document="transfer::T1:1",
            item=f"{INVOICE}#1",
            amount=113,
            base_amount=802,
            from_customer="C2",
            due_on=date(2024, 2, 29),
            postings=[RECEIVABLE],
        ),
        ItemTransferredIn(
            **BARE,
            document="transfer::T1:1",
            item=f"{INVOICE}#1",
            amount=113,
            base_amount=113,
            from_customer="C2",
            due_on=date(2024, 2, 29),
            postings=[],
        ),
    ),
    "vat-relief-claimed.v1": (
        VatReliefClaimed(
            **FULL,
            document="vat-relief::V1:1",
            write_off="write-off::W1:1",
            item=f"{INVOICE}#1",
            amount=13,
            base_amount=92,
            postings=[OUTPUT_TAX],
        ),
        VatReliefClaimed(
            **BARE,
            document="vat-relief::V1:1",
            write_off="write-off::W1:1",
            item=f"{INVOICE}#1",
            amount=13,
            base_amount=13,
            postings=[],
        ),
    ),
    "document-reversed.v1": (
        DocumentReversed(
            **FULL,
            document=REFUND,
            event="acct:main:C1:USD:14",
            named=[PAYMENT],
            mode="failed",
            restored=[IMAGE],
            postings=[Posting("cash", "1002", "C", -100, -720)],
        ),
        DocumentReversed(**BARE, document=INVOICE, event="acct:main:C1:USD:1", mode="error", postings=[]),
    ),
    "account-terms-changed.v1": (
        AccountTermsChanged(
            **WHO,
            reason="as agreed",
            before=AccountTerms("none"),
            after=AccountTerms("largest_first", "suggested"),
        ),
        AccountTermsChanged(**WHO, before=AccountTerms(), after=AccountTerms()),
    ),
    "revenue-recognised.v1": (
        RevenueRecognised(
            **FULL,
            document=INVOICE,
            until_on=date(2024, 1, 31),
            parts=[RecognisedPart(1, -833, -5_917)],
            amount=-833,
            base_amount=-5_917,
            reverses="acct:main:C1:USD:7",
            postings=[Posting("deferred_revenue", "220502", "D", -833, -5_917, None, NORTH)],
        ),
        RevenueRecognised(
            **BARE,
            document=INVOICE,
            until_on=date(2024, 1, 31),
            parts=[RecognisedPart(1, 833, 833)],
            amount=833,
            base_amount=833,
            postings=[],
        ),
    ),
    "credit-limit-set.v1": (
        CreditLimitSet(**WHO, reason="reviewed", before=1_000_000, after=500_000),
        CreditLimitSet(**WHO),
    ),
    "book-opened.v1": (
        BookOpened(
            **WHO,
            reason="opened",
            book="main",
            name="茶叶批发有限公司",
            standard="cas",
            base_currency="CNY",
            time_zone="Asia/Shanghai",
            calendar="month",
            first_on=date(2024, 1, 1),
            allocation="oldest_due_first",
            settlement="suggested",
            tolerance_percents={"CNY": "0.5"},
            late_facts="refuse",
            recognition="month",
            tolerances={"CNY": 100},
        ),
        BookOpened(
            **WHO,
            book="main",
            standard="cas",
            base_currency="CNY",
            time_zone="UTC",
            calendar="month",
            first_on=date(1900, 1, 1),
            allocation="none",
        ),
    ),
    "posting-template-changed.v1": (
        PostingTemplateChanged(
            **WHO,
            reason="new chart",
            version=2,
            roles={"receivable": "1122.01"},
            methods={"bank": "1002"},
            reasons={"bank_charge": "fee"},
        ),
        PostingTemplateChanged(**WHO, version=1, roles={}, methods={}, reasons={}),
    ),
    "book-policies-changed.v1": (
        BookPoliciesChanged(
            **WHO,
            reason="as agreed",
            before=BookPolicies("oldest_due_first", {}),
            after=BookPolicies("largest_first", {"CNY": 100}, "refuse", "suggested", {"CNY": "0.5"}, "month", "pboc"),
        ),
        BookPoliciesChanged(
            **WHO, before=BookPolicies("none", {}), after=BookPolicies("oldest_due_first", {"CNY": 100})
        ),
    ),
    "period-closed.v1": (
        PeriodClosed(
            **WHO,
            reason="the bank is a day late",
            period="2024-01",
            first_on=date(2024, 1, 1),
            last_on=date(2024, 1, 31),
            position="0:99",
            checks=[ClosingCheck("quarantine", False, 2, True), ClosingCheck("control", True)],
        ),
        PeriodClosed(
            **WHO,
            period="2024-01",
            first_on=date(2024, 1, 1),
            last_on=date(2024, 1, 31),
            position="0:99",
            checks=[],
        ),
    ),
    "period-reopened.v1": (
        PeriodReopened(
            **WHO,
            reason="a statement was forgotten",
            period="2024-01",
            first_on=date(2024, 1, 1),
            last_on=date(2024, 1, 31),
        ),
        PeriodReopened(**WHO, period="2024-01", first_on=date(2024, 1, 1), last_on=date(2024, 1, 31)),
    ),
    "authorities-changed.v1": (
        AuthoritiesChanged(
            **WHO,
            reason="a new controller",
            before=Authorities(),
            after=Authorities(
                {"li.si": ["controller"]},
                [
                    Limit(command="ReverseDocument", kind="invoice", currency="CNY", alone=100),
                    Limit(command="ChangeAuthorities", role="controller", approves=0),
                ],
                ["WriteOff"],
            ),
        ),
        AuthoritiesChanged(**WHO, before=Authorities(), after=Authorities()),
    ),
    "approval-requested.v1": (
        ApprovalRequested(
            **WHO,
            reason="as agreed with the customer",
            request="2024-17",
            instruction="RecordRefund",
            customer="C:1",
            currency="USD",
            maker="wang.wu",
            document=REFUND,
            amount=100,
            base_amount=710,
            digest="00ff",
            command={"command": "RecordRefund", "number": "R1", "amount": 100, "effective_on": "2024-01-31"},
        ),
        ApprovalRequested(
            **WHO, request="2024-17", instruction="ReopenPeriod", maker="wang.wu", digest="00ff", command={}
        ),
    ),
    "approval-given.v1": (
        ApprovalGiven(
            **WHO, reason="seen", request="2024-17", instruction="RecordRefund", customer="C:1", currency="USD"
        ),
        ApprovalGiven(**WHO, request="2024-17", instruction="ReopenPeriod"),
    ),
    "approval-refused.v1": (
        ApprovalRefused(
            **WHO,
            reason="not agreed with the customer",
            request="2024-17",
            instruction="RecordRefund",
            customer="C:1",
            currency="USD",
        ),
        ApprovalRefused(**WHO, request="2024-17", instruction="ReopenPeriod"),
    ),
    "allowance-matrix-changed.v1": (
        AllowanceMatrixChanged(**WHO, reason="by last year's losses", before=MATRIX, after=MATRIX),
        AllowanceMatrixChanged(**WHO, after=AllowanceMatrix([AllowanceBucket(None, "5")])),
    ),
    "allowance-posted.v1": (
        AllowancePosted(
            **FULL,
            currency="CNY",
            position="0:99",
            matrix=MATRIX,
            lines=[AllowanceLine("USD", 1, 100, 720, 4, "north"), AllowanceLine("CNY", 2, 500, 500, 250)],
            required=254,
            before=200,
            difference=54,
            postings=[Posting("impairment", "6702", "D", 54, 54), Posting("allowance", "1231", "C", 54, 54)],
        ),
        AllowancePosted(
            **BARE,
            currency="CNY",
            position="0:99",
            matrix=MATRIX,
            lines=[],
            required=0,
            before=200,
            difference=-200,
            postings=[],
        ),
    ),
    "rates-stated.v1": (
        RatesStated(**WHO, reason="as published", rate_source="pboc", rates=[Rate(ON, "USD", "7.1039")]),
        RatesStated(**WHO, rate_source="pboc", rates=[]),
    ),
    "revaluation-posted.v1": (
        RevaluationPosted(
            **FULL,
            currency="CNY",
            position="0:99",
            rate_source="pboc",
            lines=[RevaluationLine("USD", "1122", 10_000, 71_000, "7.2", date(2024, 1, 30), 72_000, 400, 600)],
            difference=-600,
            mirrors="book:main:3",
            postings=[
                Posting("revaluation", "112298", "D", -600, -600, None, {"control_account": "1122", "currency": "USD"}),
                Posting("unrealised_exchange", "6603", "C", -600, -600),
            ],
        ),
        RevaluationPosted(
            **BARE, currency="CNY", position="0:99", rate_source="pboc", lines=[], difference=0, postings=[]
        ),
    ),
    "fact-deferred.v1": (
        FactDeferred(
            **WHO,
            reason="as the bank says",
            awaited=PAYMENT,
            document=REFUND,
            customer="C:1",
            currency="USD",
            digest="00ff",
            command={"command": "RecordRefund", "number": "R1", "amount": 100, "effective_on": "2024-01-31"},
        ),
        FactDeferred(**WHO, awaited=PAYMENT, customer="C1", currency="USD", digest="00ff", command={}),
    ),
    "deferred-fact-applied.v1": (
        DeferredFactApplied(
            **WHO,
            reason="as the bank says",
            fact=1,
            outcome="refused",
            code="refund_must_not_exceed_refundable",
            field="amount",
            value="160 (refundable: 100)",
        ),
        DeferredFactApplied(**WHO, fact=1, outcome="booked"),
    ),
    "deferred-fact-rejected.v1": (
        DeferredFactRejected(**WHO, reason="sent by mistake", fact=2),
        DeferredFactRejected(**WHO, fact=2),
    ),
    "message-dismissed.v1": (
        MessageDismissed(
            **WHO,
            reason="a test row",
            entry=7,
            message_source="shop",
            message_source_id="A-2",
            code="customer_must_be_given",
            digest="00ff",
        ),
        MessageDismissed(**WHO, entry=7, code="command_must_be_valid", digest="00ff"),
    ),
    "control-totals-stated.v1": (
        ControlTotalsStated(
            **WHO, reason="end of day", feed="shop:1", day=ON, currency="USD", count=3, amount=11_400, highest=3
        ),
        ControlTotalsStated(**WHO, feed="shop:1", day=ON, currency="USD", count=0, amount=0),
    ),
}
ADDED: dict[str, Any] = {"sequence": 17, "approval": "2024-17"}
"""Fields that every event may have and that the first goldens do not, in the order in which they came."""
EXAMPLES = {
    topic: (full, bare, replace(full, sequence=ADDED["sequence"]), replace(full, **ADDED))
    for topic, (full, bare) in EVENTS.items()
}


def optional_fields(event: Event) -> list[str]:
    """The fields that may be left out of a stored body."""
    return [field.name for field in msgspec.structs.fields(event) if not field.required]


def test_every_topic_has_its_examples() -> None:
    assert list(EVENTS) == list(TOPICS)
    assert all(type(full) is type(bare) is TOPICS[topic] for topic, (full, bare) in EVENTS.items())
    assert all(TOPIC_OF[type_] == topic for topic, type_ in TOPICS.items())


@pytest.mark.parametrize("topic", TOPICS)
def test_the_full_example_has_every_field_and_the_bare_one_only_those_required(topic: str) -> None:
    full, bare, *_, later = EXAMPLES[topic]
    stored = msgspec.json.decode(encode(full))
    assert set(stored) == set(full.__struct_fields__) - set(ADDED)
    assert set(msgspec.json.decode(encode(later))) == set(full.__struct_fields__)
    assert not set(msgspec.json.decode(encode(bare))) & set(optional_fields(bare))


@pytest.mark.parametrize("topic", TOPICS)
def test_events_are_written_as_they_always_were(topic: str, snapshot: Callable[[str, str], None]) -> None:
    snapshot(f"events/{topic}.json", "".join(f"{encode(event).decode()}\n" for event in EXAMPLES[topic]))


@pytest.mark.parametrize("topic", TOPICS)
def test_what_was_written_is_read_as_what_it_was(topic: str) -> None:
    lines = (GOLDEN / f"{topic}.json").read_bytes().splitlines()
    assert [decode(topic, line) for line in lines] == list(EXAMPLES[topic])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_stored_field_that_is_not_known_is_an_error(topic: str) -> None:
    stored = msgspec.json.decode(encode(EVENTS[topic][1]))
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        decode(topic, msgspec.json.encode(stored | {"from_the_future": 1}))


def test_every_topic_has_its_golden_file_and_no_file_is_without_a_topic() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(TOPICS)
