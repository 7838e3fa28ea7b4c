"""An example of each command, as JSON would give it. They stand in the contracts, and tests execute them.

In their order they are one story, which a new book takes from the first to the last: a year of service is billed in two
instalments, the first of them paid but for a little, disputed and won; of the second a part is credited, a part goes to
another customer, and the rest is a bad debt. What is to be rejected, dismissed or refused must have been sent before.
"""

from typing import Any

_BOOK: dict[str, Any] = {"book": "main"}
_ACCOUNT = {**_BOOK, "customer": "C000123", "currency": "CNY"}
_INVOICE = {"kind": "invoice", "number": "2026-0001"}
_PAYMENT = {"kind": "payment", "number": "BK-0203-17"}
_WRITE_OFF = {"kind": "write-off", "number": "W-1"}
_FIRST, _SECOND = "invoice::2026-0001:1#1", "invoice::2026-0001:1#2"


def _from(source: str, source_id: str, command: str, shared: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"command": command, "source": source, "source_id": source_id, **shared, **fields}


_STORY = [
    _from(
        *("desk", "open-main", "OpenBook", _BOOK),
        actor="wang",
        name="上海远通贸易有限公司",
        base_currency="CNY",
        time_zone="Asia/Shanghai",
        first_on="2026-01-01",
        tolerances={"CNY": 100},
    ),
    _from(
        *("desk", "template-2", "ChangePostingTemplate", _BOOK),
        actor="wang",
        reason="支付宝单独核算",
        methods={"alipay": "101203"},
    ),
    _from(
        *("desk", "policies-2", "ChangeBookPolicies", _BOOK),
        actor="wang",
        tolerances={"CNY": 100, "USD": 20},
        tolerance_percents={"CNY": "0.5"},
        recognition="month",
        rate_source="pboc",
    ),
    _from(
        *("desk", "matrix-2026", "ChangeAllowanceMatrix", _BOOK),
        actor="wang",
        reason="losses of the last three years",
        buckets=[{"to_days": 0, "rate": "1"}, {"to_days": 90, "rate": "5"}, {"rate": "50"}],
    ),
    _from(
        *("rates", "pboc-2026-01-30", "StateRates", _BOOK),
        rate_source="pboc",
        rates=[{"day": "2026-01-30", "currency": "USD", "rate": "7.25"}],
    ),
    _from(
        *("desk", "limit-C000123", "SetCreditLimit", _ACCOUNT),
        actor="wang",
        reason="rated by the bank in January",
        limit=5_000_000,
    ),
    _from(*("desk", "terms-C000123", "ChangeAccountTerms", _ACCOUNT), actor="wang", allocation="exact_amount_first"),
    _from(
        *("billing", "inv-2026-0001", "IssueInvoice", _ACCOUNT),
        sequence=1,
        number="2026-0001",
        effective_on="2026-01-05",
        lines=[
            {
                "net": 1_200_000,
                "dimensions": {"project": "p-17"},
                "service_from": "2026-01-01",
                "service_to": "2026-12-31",
            }
        ],
        tax=[{"code": "VAT6", "rate": "6", "base": 1_200_000, "amount": 72_000}],
        total=1_272_000,
        instalments=[{"due_on": "2026-02-04", "amount": 636_000}, {"due_on": "2026-07-04", "amount": 636_000}],
    ),
    _from(
        *("billing", "totals-2026-01-05", "StateControlTotals", _BOOK),
        feed="billing",
        day="2026-01-05",
        currency="CNY",
        count=1,
        amount=1_272_000,
        highest=1,
    ),
    _from(
        *("desk", "recognise-2026-01", "RecogniseRevenue", _ACCOUNT),
        document=_INVOICE,
        until_on="2026-01-31",
    ),
    _from(
        *("bank", "statement-0203-17", "RecordPayment", _ACCOUNT),
        number="BK-0203-17",
        effective_on="2026-02-03",
        amount=635_950,
        deductions=[{"reason": "bank_charge", "amount": 500}],
        remittance=[{"number": "2026-0001", "amount": 635_950}],
    ),
    _from(
        *("desk", "round-off-1", "RoundOff", _ACCOUNT),
        number="R-1",
        effective_on="2026-02-03",
        item=_FIRST,
    ),
    _from(
        *("bank", "chargeback-88", "ReturnPayment", _ACCOUNT),
        number="CB-88",
        effective_on="2026-02-20",
        kind="chargeback",
        payment=_PAYMENT,
        amount=100_000,
        fee=2_500,
    ),
    _from(
        *("bank", "chargeback-88-won", "ReinstatePayment", _ACCOUNT),
        number="CB-88-W",
        effective_on="2026-03-10",
        returned={"kind": "return", "number": "CB-88"},
        amount=100_000,
        fee=2_500,
    ),
    _from(
        *("desk", "release-1", "ReleaseAllocation", _ACCOUNT),
        actor="zhang",
        reason="paid for the second instalment",
        allocation="6.1",
        amount=36_000,
    ),
    _from(
        *("desk", "allocate-1", "Allocate", _ACCOUNT),
        actor="zhang",
        lines=[{"credit_item": "payment::BK-0203-17:1#1", "debit_item": _SECOND, "amount": 30_000}],
    ),
    _from(
        *("desk", "refund-1", "RecordRefund", _ACCOUNT),
        actor="zhang",
        reason="the rest is not owed",
        number="RF-1",
        effective_on="2026-03-12",
        amount=6_000,
        original_payment=_PAYMENT,
    ),
    _from(
        *("bank", "refund-1-failed", "ReverseDocument", _ACCOUNT),
        reason="the bank knows no such account",
        document={"kind": "refund", "number": "RF-1"},
        mode="failed",
        effective_on="2026-03-14",
    ),
    _from(
        *("desk", "adjust-1", "PostAdjustment", _ACCOUNT),
        actor="zhang",
        reason="certificate of tax withheld, no. 5521",
        number="A-1",
        effective_on="2026-03-20",
        item=_FIRST,
        reason_code="withholding",
        amount=20_000,
    ),
    _from(*("desk", "resettle-C000123", "Resettle", _ACCOUNT), actor="zhang"),
    _from(
        *("billing", "cn-2026-0001", "IssueCreditNote", _ACCOUNT),
        sequence=2,
        number="2026-K-0001",
        effective_on="2026-04-01",
        lines=[{"net": 300_000, "service_from": "2026-07-01", "service_to": "2026-12-31"}],
        tax=[{"code": "VAT6", "rate": "6", "base": 300_000, "amount": 18_000}],
        total=318_000,
        against=_INVOICE,
    ),
    _from(
        *("desk", "transfer-1", "TransferItem", _ACCOUNT),
        actor="zhang",
        reason="taken over by the parent company",
        number="T-1",
        effective_on="2026-04-10",
        item=_SECOND,
        amount=100_000,
        to_customer="C000456",
    ),
    _from(
        *("desk", "write-off-1", "WriteOff", _ACCOUNT),
        actor="zhang",
        reason="客户破产",
        number="W-1",
        effective_on="2026-05-20",
        items=[{"item": _SECOND, "amount": 106_000}],
    ),
    _from(
        *("desk", "relief-1", "ClaimVatRelief", _ACCOUNT),
        actor="zhang",
        number="V-1",
        effective_on="2026-05-20",
        write_off=_WRITE_OFF,
        item=_SECOND,
        amount=6_000,
    ),
    _from(
        *("desk", "recover-1", "RecoverWriteOff", _ACCOUNT),
        actor="zhang",
        number="B-1",
        effective_on="2026-06-15",
        write_off=_WRITE_OFF,
        item=_SECOND,
        amount=31_800,
    ),
    _from(
        *("desk", "allowance-2026-06", "PostAllowance", _BOOK),
        effective_on="2026-06-30",
        position="0:33",
        book_version=5,
        lines=[{"currency": "CNY", "bucket": 1, "amount": 223_800, "base_amount": 223_800}],
        before=-70_000,
    ),
    _from(
        *("desk", "revaluation-2026-01", "PostRevaluation", _BOOK),
        effective_on="2026-01-31",
        position="0:34",
        book_version=6,
        rate_source="pboc",
        lines=[
            {
                "currency": "USD",
                "account": "1122",
                "amount": 1_000_000,
                "base_amount": 7_100_000,
                "rate": "7.25",
                "rate_on": "2026-01-30",
            }
        ],
    ),
    _from(
        *("desk", "reject-1", "RejectDeferredFact", _BOOK),
        actor="wang",
        reason="the payment was never ours",
        fact_source="bank",
        fact_source_id="chargeback-91",
    ),
    _from(
        *("desk", "dismiss-1", "DismissMessage", _BOOK),
        actor="wang",
        reason="a message of a test system",
        entry=1,
    ),
    _from(
        *("desk", "close-2026-01", "ClosePeriod", _BOOK),
        actor="wang",
        reason="one message of a test system stands in quarantine",
        period="2026-01",
        position="0:38",
        checks=[
            {"check": "waiting", "holds": True},
            {"check": "quarantine", "holds": False, "found": 1, "accepted": True},
            {"check": "completeness", "holds": True},
            {"check": "clearing", "holds": True},
            {"check": "control", "holds": True},
        ],
    ),
    _from(
        *("desk", "reopen-2026-01", "ReopenPeriod", _BOOK),
        actor="wang",
        reason="an invoice of January was left out",
        period="2026-01",
    ),
    _from(
        *("desk", "authorities-1", "ChangeAuthorities", _BOOK),
        actor="wang",
        reason="授权管理办法 2026",
        roles={"li": ["supervisor"], "wang": ["controller"]},
        limits=[
            {"command": "WriteOff", "alone": 10_000},
            {"command": "WriteOff", "role": "supervisor", "approves": 5_000_000},
            {"command": "ChangeAuthorities", "role": "controller", "approves": 0},
        ],
        reason_required=["WriteOff"],
    ),
    _from(
        *("desk", "request-2026-1", "RequestApproval", _BOOK),
        actor="zhang",
        request="2026-1",
        instruction=_from(
            *("desk", "write-off-2", "WriteOff", _ACCOUNT),
            actor="zhang",
            reason="破产程序终结，余额无法收回",
            number="W-2",
            effective_on="2026-06-30",
            items=[{"item": _SECOND}],
        ),
    ),
    _from(*("desk", "approve-2026-1", "GiveApproval", _BOOK), actor="li", reason="附法院裁定书", request="2026-1"),
    _from(
        *("desk", "refuse-2026-2", "RefuseApproval", _BOOK),
        actor="li",
        reason="the bank has rated the customer down",
        request="2026-2",
    ),
]
EXAMPLES: dict[str, dict[str, Any]] = {example["command"]: example for example in _STORY}
"""Command → its example."""
