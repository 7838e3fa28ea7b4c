"""One row a refusal code, in the order in which they are checked; and which of two comes first."""

from collections.abc import Callable
from typing import Any

import pytest
from given import (
    BOOK,
    Books,
    adjustment,
    allocate,
    approve,
    authorities,
    close,
    credit_note,
    dismiss,
    given,
    invoice,
    matrix,
    payment,
    post_allowance,
    recognise,
    recover,
    refund,
    reinstated,
    reject,
    release,
    relieve,
    reopen,
    request,
    returned,
    reverse,
    round_off,
    service,
    transfer,
    write_off,
)

from domain.commands import ChangeBookPolicies, ChangePostingTemplate, Command
from domain.refusals import CONFLICTS, RULES, Code, Refusal

OF_THE_LEDGER = [
    Code.COMMAND_MUST_BE_VALID,
    Code.BOOK_MUST_EXIST,
    Code.BOOK_MUST_NOT_EXIST,
    Code.SAME_SOURCE_ID,
    Code.SAME_NUMBER,
    Code.VERSION,
    Code.INSTRUCTION_NEW,
    Code.UNEXPECTED,
]
"""Codes that only the ledger or the border raises: pure rules know neither receipts nor messages."""

TAXED = [{"code": "VAT", "rate": "13", "base": 10_000, "amount": 1_300}]


def usd(**more: Any) -> dict[str, Any]:
    return {"currency": "USD", "rate": "7"} | more


def template(**more: Any) -> ChangePostingTemplate:
    return ChangePostingTemplate(source="test", source_id="template", book=BOOK, **more)


def policies(**more: Any) -> ChangeBookPolicies:
    return ChangeBookPolicies(source="test", source_id="policies", book=BOOK, **more)


SETTLED = [invoice("I1", 10_000), payment("P1", 10_000)]
"""An invoice of 10 January settled by a payment of 20 January; the allocation is 3.1."""

UNDER_CONTROL = authorities(
    roles={"li": ["supervisor"], "wang": ["controller"]},
    limits=[
        {"command": "RecordRefund", "alone": 100},
        {"command": "RecordRefund", "role": "supervisor", "approves": 500},
        {"command": "ChangeAuthorities", "role": "controller", "approves": 0},
    ],
    reason_required=["WriteOff"],
)
"""Anybody refunds 1.00 alone; a supervisor approves up to 5.00."""

Row = tuple[Code, list[Command], Command, str, str]
ROWS: list[Row] = [
    (Code.FACT_WAITING, [invoice("I1", 100)], reject(invoice("I2", 1, source_id="X")), "fact_source_id", "X"),
    (Code.ENTRY_EXISTS, [], dismiss(9), "entry", "9"),
    (Code.ENTRY_OPEN, [dismiss(2)], dismiss(2), "entry", "2"),
    (Code.APPROVAL_PENDING, [], approve("7", "li"), "request", "7"),
    (
        Code.CHECKER_DIFFERS,
        [payment("P1", 300), UNDER_CONTROL, request("7", refund("R1", 200, actor="li"))],
        approve("7", "li"),
        "actor",
        "li",
    ),
    (Code.REVISION, [invoice("I1", 100)], invoice("I1", 200, revision=2), "revision", "2"),
    (
        Code.CURRENCY_MUST_MATCH,
        SETTLED,
        refund("R1", 100, of="payment::P1:1", **usd()),
        "currency",
        "USD (CNY)",
    ),
    (Code.RATE_MUST_BE_GIVEN, [], invoice("I1", 100, currency="USD"), "rate", ""),
    (Code.BASE_MUST_MATCH, [], invoice("I1", 100, base_total=700), "base_total", "700"),
    (Code.AMOUNT_MUST_BE_POSITIVE, [], payment("P1", 0), "amount", "0"),
    (Code.AMOUNT_WITHIN_LIMIT, [], payment("P1", 10**15 + 1), "amount", "1000000000000001"),
    (Code.DATE_WITHIN_HORIZON, [], invoice("I1", 100, "2025-07-02"), "effective_on", "2025-07-02"),
    (
        Code.PERIOD_OPEN,
        [close("2024-01"), policies(late_facts="refuse")],
        invoice("I1", 100, "01-31"),
        "effective_on",
        "2024-01-31",
    ),
    (
        Code.DATE_PRECEDES_ITEM,
        [invoice("I1", 100, "01-10")],
        adjustment("A1", "invoice::I1:1#1", 10, "01-09"),
        "effective_on",
        "2024-01-09",
    ),
    (Code.NEGATIVE_TOTAL, [], invoice("I1", -100), "total", "-100"),
    (
        Code.LINES_AND_TAX,
        [],
        invoice("I1", 11_300, lines=[{"net": 10_000}], tax=[TAXED[0] | {"amount": 1_301}]),
        "total",
        "11300 (lines and tax: 11301)",
    ),
    (
        Code.INSTALMENTS,
        [],
        invoice(
            "I1", 100, instalments=[{"due_on": "2024-02-01", "amount": 60}, {"due_on": "2024-03-01", "amount": 39}]
        ),
        "instalments",
        "99",
    ),
    (Code.ROLE, [], invoice("I1", 100, lines=[{"net": 100, "role": "unheard_of"}]), "lines.0.role", "unheard_of"),
    (
        Code.SERVICE_PERIOD,
        [],
        invoice("I1", 100, **service(100, "02-01", "01-31")),
        "lines.0.service_to",
        "2024-01-31",
    ),
    (Code.METHOD, [], payment("P1", 100, method="pigeon"), "method", "pigeon"),
    (
        Code.REASON,
        [],
        payment("P1", 100, deductions=[{"reason": "toll", "amount": 1}]),
        "deductions.0.reason",
        "toll",
    ),
    (
        Code.CASH_AND_DEDUCTIONS,
        [],
        payment("P1", 100, cash=98, deductions=[{"reason": "bank_charge", "amount": 1}]),
        "cash",
        "98",
    ),
    (
        Code.ITEMS_SHARE_ACCOUNT,
        SETTLED,
        reverse("payment::P1:1", customer="C2"),
        "document",
        "payment::P1:1",
    ),
    (
        Code.CREDITED_INVOICE,
        [],
        credit_note("K1", 100, against="invoice::I1:1", nature="instruction"),
        "against",
        "invoice::I1:1",
    ),
    (
        Code.CREDIT_CAP,
        [invoice("I1", 11_400, lines=[{"net": 10_100}], tax=TAXED), credit_note("K0", 30, against="invoice::I1:1")],
        credit_note("K1", 71, against="invoice::I1:1", nature="instruction"),
        "total",
        "71 (left of untaxed: 70)",
    ),
    (
        Code.CREDIT_ITEM_OPEN,
        SETTLED,
        allocate(("payment::P1:1#1", "invoice::I1:1#1")),
        "lines.0.credit_item",
        "payment::P1:1#1",
    ),
    (
        Code.DEBIT_ITEM_OPEN,
        [payment("P1", 100)],
        allocate(("payment::P1:1#1", "invoice::I1:1#1")),
        "lines.0.debit_item",
        "invoice::I1:1#1",
    ),
    (
        Code.SECURITY_DEPOSIT,
        [invoice("I1", 100), payment("P1", 100, deposit_class="security")],
        allocate(("payment::P1:1#1", "invoice::I1:1#1")),
        "lines.0.credit_item",
        "payment::P1:1#1",
    ),
    (
        Code.ALLOCATION_CREDIT,
        [invoice("I1", 100), payment("P1", 50, deposit_class="contract")],
        allocate(("payment::P1:1#1", "invoice::I1:1#1", 51)),
        "lines.0.amount",
        "51 (open: 50)",
    ),
    (
        Code.ALLOCATION_DEBIT,
        [invoice("I1", 100), payment("P1", 150, deposit_class="contract")],
        allocate(("payment::P1:1#1", "invoice::I1:1#1", 101)),
        "lines.0.amount",
        "101 (open: 100)",
    ),
    (Code.ALLOCATION_LIVE, SETTLED, release("3.2"), "allocation", "3.2"),
    (Code.RELEASE, SETTLED, release("3.1", 10_001), "amount", "10001 (left: 10000)"),
    (
        Code.REFUNDABLE,
        [*SETTLED, payment("P2", 5_000)],
        refund("R1", 10_001, of="payment::P1:1"),
        "amount",
        "10001 (refundable: 10000)",
    ),
    (
        Code.FUNDED,
        [payment("P1", 100)],
        refund("R1", 101, funded_by=[{"item": "payment::P1:1#1", "amount": 101}]),
        "amount",
        "101 (funded: 100)",
    ),
    (
        Code.REINSTATEMENT,
        [payment("P1", 100), returned("R1", "payment::P1:1", 60)],
        reinstated("B1", "return::R1:1", 61, nature="instruction"),
        "amount",
        "61 (left: 60)",
    ),
    (Code.ITEM_OPEN, SETTLED, adjustment("A1", "invoice::I1:1#1", 1), "item", "invoice::I1:1#1"),
    (
        Code.ADJUSTMENT,
        [invoice("I1", 100)],
        adjustment("A1", "invoice::I1:1#1", 101),
        "amount",
        "101 (open: 100)",
    ),
    (Code.LEFT_BY_PAYMENT, [invoice("I1", 3)], round_off("A1", "invoice::I1:1#1"), "item", "invoice::I1:1#1"),
    (
        Code.SETTLED_OTHERWISE,
        [invoice("I1", 100), payment("P1", 97), credit_note("K1", 2)],
        round_off("A1", "invoice::I1:1#1"),
        "item",
        "credit-note::K1:1#1",
    ),
    (
        Code.TOLERANCE,
        [invoice("I1", 100), adjustment("A1", "invoice::I1:1#1", 7)],
        adjustment("A2", "invoice::I1:1#1", 4),
        "amount",
        "4 (limit: 10, used: 7)",
    ),
    (
        Code.WRITE_OFF,
        [invoice("I1", 100)],
        write_off("W1", ("invoice::I1:1#1", 101)),
        "items.0.amount",
        "101 (open: 100)",
    ),
    (
        Code.ITEM_WRITTEN_OFF,
        [invoice("I1", 100)],
        recover("B1", "write-off::W1:1", "invoice::I1:1#1", 1),
        "write_off",
        "write-off::W1:1",
    ),
    (
        Code.RECOVERY,
        [
            invoice("I1", 100),
            write_off("W1", ("invoice::I1:1#1", 60)),
            recover("B1", "write-off::W1:1", "invoice::I1:1#1", 50),
        ],
        recover("B2", "write-off::W1:1", "invoice::I1:1#1", 11),
        "amount",
        "11 (written off: 10)",
    ),
    (
        Code.DEPOSIT_CLASS,
        [invoice("I1", 100)],
        transfer("T1", "invoice::I1:1#1", "C2", deposit_class="unapplied"),
        "deposit_class",
        "unapplied",
    ),
    (Code.ACCOUNTS_DIFFER, [invoice("I1", 100)], transfer("T1", "invoice::I1:1#1", "C1"), "to_customer", "C1"),
    (
        Code.TRANSFER,
        [invoice("I1", 100)],
        transfer("T1", "invoice::I1:1#1", "C2", 101),
        "amount",
        "101 (open: 100)",
    ),
    (Code.DEFERRED, [invoice("I1", 100)], recognise("invoice::I1:1", "01-31"), "document", "invoice::I1:1"),
    (
        Code.EARNED,
        [invoice("I1", 100, **service(100, "01-01", "01-31")), recognise("invoice::I1:1", "01-31")],
        recognise("invoice::I1:1", "02-29"),
        "until_on",
        "2024-02-29",
    ),
    (
        Code.RELIEF,
        [
            invoice("I1", 11_300, lines=[{"net": 10_000}], tax=TAXED),
            write_off("W1", ("invoice::I1:1#1", 5_650)),
            relieve("V1", "write-off::W1:1", "invoice::I1:1#1", 600),
        ],
        relieve("V2", "write-off::W1:1", "invoice::I1:1#1", 51),
        "amount",
        "51 (claimable: 50)",
    ),
    (Code.MATRIX, [], post_allowance(Books(), (1, 100), on="01-31"), "book", BOOK),
    (
        Code.EVIDENCE,
        [matrix((None, "5"))],
        post_allowance(Books(), (1, 100), on="01-31"),
        "book_version",
        "2 (book: 3)",
    ),
    (
        Code.DIFFERENCE,
        [matrix((None, "5"))],
        post_allowance(given(matrix((None, "5"))), (1, 100), before=5, on="01-31"),
        "before",
        "5",
    ),
    (Code.PERIOD_ENDED, [], close("2024-06"), "period", "2024-06"),
    (Code.EARLIER_PERIODS, [close("2024-01")], close("2024-03"), "period", "2024-03"),
    (
        Code.NO_FACT_WAITING,
        [refund("R1", 100, "01-31", of="payment::P1:1", source_id="R1")],
        close("2024-01"),
        "period",
        "2024-01 (test R1)",
    ),
    (Code.CHECKS_HOLD, [], close("2024-01").model_copy(update={"checks": []}), "checks", "waiting"),
    (Code.LAST_PERIOD, [close("2024-01"), close("2024-02")], reopen("2024-01"), "period", "2024-01"),
    (
        Code.AUTHORITIES_CHANGEABLE,
        [],
        authorities(roles={}, limits=[{"command": "ChangeAuthorities", "role": "controller", "approves": 0}]),
        "limits",
        "ChangeAuthorities",
    ),
    (
        Code.REVERSED_TWICE,
        [invoice("I1", 100), reverse("invoice::I1:1")],
        reverse("invoice::I1:1"),
        "document",
        "invoice::I1:1",
    ),
    (
        Code.TRANSFER_BACK,
        [invoice("I1", 100), transfer("T1", "invoice::I1:1#1", "C2")],
        reverse("transfer::T1:1", customer="C2"),
        "document",
        "transfer::T1:1",
    ),
    (
        Code.FISCAL,
        [invoice("I1", 100, fiscal_number="24312000000000000001")],
        reverse("invoice::I1:1"),
        "document",
        "invoice::I1:1",
    ),
    (Code.REVERSAL_MODE, [invoice("I1", 100)], reverse("invoice::I1:1", "02-01"), "mode", "failed"),
    (
        Code.DEPENDANTS,
        [*SETTLED, refund("R1", 100, of="payment::P1:1")],
        reverse("payment::P1:1"),
        "document",
        "refund::R1:1",
    ),
    (
        Code.REASON_GIVEN,
        [invoice("I1", 100), UNDER_CONTROL],
        write_off("W1", "invoice::I1:1#1", reason=" "),
        "reason",
        "",
    ),
    (
        Code.APPROVAL,
        [payment("P1", 300), UNDER_CONTROL],
        refund("R1", 101, actor="zhang"),
        "actor",
        "zhang (101)",
    ),
    (
        Code.CHECKER_AUTHORITY,
        [payment("P1", 900), UNDER_CONTROL, request("7", refund("R1", 501, actor="zhang"))],
        approve("7", "li"),
        "actor",
        "li (501)",
    ),
]


def books_for(commands: list[Command]) -> Books:
    return given(*commands, tolerances={"CNY": 10})


@pytest.mark.parametrize(("code", "before", "command", "field", "value"), ROWS, ids=[row[0].value for row in ROWS])
def test_each_rule_refuses(code: Code, before: list[Command], command: Command, field: str, value: str) -> None:
    books = books_for(before)
    length = len(books.log)
    outcome = books.refused(command)
    assert (outcome.code, outcome.field, outcome.value) == (code, field, value)
    assert len(books.log) == length


def test_every_code_has_a_row_in_the_order_of_the_checks() -> None:
    assert [row[0] for row in ROWS] == [code for code in Code if code not in OF_THE_LEDGER]


def test_every_code_has_its_rule_in_words() -> None:
    assert set(RULES) == set(Code)
    assert set(Code) > CONFLICTS
    assert str(Refusal(Code.ITEM_OPEN, "item", "invoice::I1:1#1")) == (
        "item_must_be_open: item 'invoice::I1:1#1' (the item must be open)"
    )


INVOICE_FAULTS: list[tuple[Code, dict[str, Any]]] = [
    (Code.REVISION, {"revision": 2}),
    (Code.RATE_MUST_BE_GIVEN, {"currency": "USD"}),
    (Code.AMOUNT_MUST_BE_POSITIVE, {"instalments": [{"due_on": "2024-02-01", "amount": -1}]}),
    (Code.AMOUNT_WITHIN_LIMIT, {"tax": [{"code": "VAT", "rate": "13", "base": 10**16, "amount": 0}]}),
    (Code.DATE_WITHIN_HORIZON, {"effective_on": "2030-01-01"}),
    (Code.LINES_AND_TAX, {"lines": [{"net": 99, "role": "unheard_of"}]}),
    (Code.INSTALMENTS, {"instalments": [{"due_on": "2024-02-01", "amount": 1}]}),
]
PAYMENT_FAULTS: list[tuple[Code, dict[str, Any]]] = [
    (Code.REVISION, {"revision": 2}),
    (Code.RATE_MUST_BE_GIVEN, {"currency": "USD"}),
    (Code.AMOUNT_MUST_BE_POSITIVE, {"remittance": [{"number": "I1", "amount": 0}]}),
    (Code.DATE_WITHIN_HORIZON, {"effective_on": "2030-01-01"}),
    (Code.METHOD, {"method": "pigeon"}),
    (Code.REASON, {"deductions": [{"reason": "toll", "amount": 3}]}),
    (Code.CASH_AND_DEDUCTIONS, {"cash": 1}),
]
REFUND_FAULTS: list[tuple[Code, dict[str, Any]]] = [
    (Code.CURRENCY_MUST_MATCH, {"original_payment": {"kind": "payment", "number": "PUSD"}}),
    (Code.RATE_MUST_BE_GIVEN, {"currency": "JPY"}),
    (Code.AMOUNT_MUST_BE_POSITIVE, {"funded_by": [{"item": "payment::P9:1#1", "amount": -1}]}),
    (Code.DATE_WITHIN_HORIZON, {"effective_on": "2030-01-01"}),
    (Code.METHOD, {"method": "pigeon"}),
    (Code.ITEMS_SHARE_ACCOUNT, {"original_payment": {"kind": "payment", "number": "P2"}}),
    (Code.CREDIT_ITEM_OPEN, {"funded_by": [{"item": "payment::P9:1#1", "amount": 10}]}),
    (Code.REFUNDABLE, {}),
]


def pairs(build: Callable[..., Command], faults: list[tuple[Code, dict[str, Any]]]) -> list[Any]:
    """Each two faults that can be made together, the earlier one first."""
    found = []
    for n, (code, fault) in enumerate(faults):
        for later, other in faults[n + 1 :]:
            if not fault.keys() & other.keys():
                found.append(pytest.param(code, build(**(fault | other)), id=f"{code.value} before {later.value}"))
    return found


@pytest.mark.parametrize(
    ("code", "command"),
    [
        *pairs(lambda **more: invoice("I9", 100, **more), INVOICE_FAULTS),
        *pairs(lambda **more: payment("P9", 100, **more), PAYMENT_FAULTS),
        *pairs(lambda **more: refund("R9", 100, **more), REFUND_FAULTS),
    ],
)
def test_of_two_faults_the_earlier_in_the_list_is_named(code: Code, command: Command) -> None:
    books = given(payment("P2", 100, customer="C2"), payment("PUSD", 100, **usd()))
    outcome = books.refused(command)
    assert outcome.code == code
