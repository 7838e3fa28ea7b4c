"""The border: what is no command of ours is refused with the field at fault, before any rule is asked."""

import json
from datetime import date
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
    disapprove,
    dismiss,
    invoice,
    limit,
    matrix,
    payment,
    post_allowance,
    recognise,
    recover,
    refund,
    reinstated,
    release,
    relieve,
    reopen,
    request,
    resettle,
    returned,
    revalue,
    reverse,
    round_off,
    terms,
    transfer,
    write_off,
)
from pydantic import ValidationError

from domain.commands import (
    COMMAND,
    COMMANDS,
    ChangeBookPolicies,
    ChangePostingTemplate,
    Command,
    OpenBook,
    RejectDeferredFact,
    StateControlTotals,
    StatedRate,
    StateRates,
)

EXAMPLES: list[Command] = [
    OpenBook(source="t", source_id="1", book=BOOK, base_currency="CNY", tolerances={"USD": 5}),
    ChangePostingTemplate(source="t", source_id="2", book=BOOK, roles={"fee": "6603"}),
    ChangeBookPolicies(source="t", source_id="5", book=BOOK, allocation="largest_first", tolerances={"CNY": 5}),
    authorities(
        roles={"li": ["controller"]},
        limits=[
            {"command": "RecordRefund", "currency": "CNY", "alone": 5},
            {"command": "ReverseDocument", "kind": "invoice", "role": "controller", "approves": 9},
            {"command": "ChangeAuthorities", "role": "controller", "approves": 0},
        ],
        reason_required=["WriteOff"],
    ),
    request("7", refund("R", 100, actor="zhang")),
    approve("7", "li"),
    disapprove("7", "li"),
    close("2024-01", quarantine=2, reason="as agreed"),
    matrix((0, "0.5"), (None, "50", {"north": "60"}), dimension="shop"),
    revalue(Books(), ("USD", 100, 710, "7.2", 5)),
    StateRates(
        source="t",
        source_id="6",
        book=BOOK,
        rate_source="bank",
        rates=[StatedRate(day=date(2024, 1, 31), currency="USD", rate="7.1")],
    ),
    post_allowance(Books(), (1, 10_000), (2, 500, "north"), before=20),
    reopen("2024-01"),
    invoice("1", 100, remittance=[{"kind": "payment", "number": "P", "amount": 5}], rate="7.1", currency="USD"),
    credit_note("K", 100, against="invoice::1:1"),
    payment("P", 100, pays=[("1", 5), "2"], deductions=[{"reason": "bank_charge", "amount": 1}]),
    refund("R", 100, of="payment::P:1", funded_by=[{"item": "payment::P:1#1", "amount": 5}]),
    adjustment("A", "invoice::1:1#1", 5, linked_to="payment::P:1"),
    round_off("A", "invoice::1:1#1"),
    returned("T", "payment::P:1", 5, fee=2, allocations=["3.1"]),
    reinstated("Q", "return::T:1", 5, deductions=[{"reason": "bank_charge", "amount": 1}]),
    write_off("W", "invoice::1:1#1", ("invoice::2:1#1", 5)),
    recover("B", "write-off::W:1", "invoice::1:1#1", 5),
    transfer("X", "payment::P:1#1", "C2", 5, deposit_class="contract"),
    relieve("V", "write-off::W:1", "invoice::1:1#1", 5),
    allocate(("payment::P:1#1", "invoice::1:1#1", 5)),
    allocate(policy="proportional", credit_items=["payment::P:1#1"]),
    release("3.1", 5),
    resettle(),
    terms(allocation="none", settlement="suggested"),
    reverse("refund::R:1", "02-14"),
    recognise("invoice::1:1", "01-31", "02-05"),
    limit(5_000_000),
    RejectDeferredFact(
        source="t", source_id="4", book=BOOK, reason="sent by mistake", fact_source="t", fact_source_id="9"
    ),
    dismiss(1),
    StateControlTotals(
        source="t", source_id="3", book=BOOK, feed="billing", day=date(2026, 1, 31), currency="CNY", count=2, amount=200
    ),
]


def fields(**changes: Any) -> bytes:
    """An invoice as JSON, with changes; None takes a field out."""
    known = json.loads(COMMAND.dump_json(invoice("1", 100), exclude_none=True)) | changes
    return json.dumps({key: value for key, value in known.items() if value is not None}).encode()


def test_every_command_has_an_example() -> None:
    assert {type(command) for command in EXAMPLES} == set(COMMANDS.values())


@pytest.mark.parametrize("command", EXAMPLES, ids=lambda command: type(command).__name__)
def test_a_command_is_read_back_from_its_json(command: Command) -> None:
    assert COMMAND.validate_json(COMMAND.dump_json(command)) == command
    assert COMMAND.validate_json(COMMAND.dump_json(command, exclude_none=True)) == command


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"command": "VoidInvoice"}, ""),
        ({"unheard_of": 1}, "unheard_of"),
        ({"customer": None}, "customer"),
        ({"total": 100.0}, "total"),
        ({"total": "100"}, "total"),
        ({"total": True}, "total"),
        ({"total": 2**63}, "total"),
        ({"effective_on": "2024-02-30"}, "effective_on"),
        ({"effective_on": "1899-12-31"}, "effective_on"),
        ({"currency": "RMB"}, "currency"),
        ({"currency": "XAU"}, "currency"),
        ({"rate": "7,1"}, "rate"),
        ({"rate": "0"}, "rate"),
        ({"rate": 7.1}, "rate"),
        ({"base_total": -1}, "base_total"),
        ({"number": ""}, "number"),
        ({"number": "a\u0000b"}, "number"),
        ({"number": "x" * 91}, "number"),
        ({"series": "a:b"}, "series"),
        ({"revision": 0}, "revision"),
        ({"customer": "a\nb"}, "customer"),
        ({"book": "Main"}, "book"),
        ({"dimensions": {"Shop": "north"}}, "dimensions.Shop"),
        ({"instalments": [{"due_on": "2024-01-31"}]}, "instalments.0.amount"),
        ({"remittance": [{"kind": "invoice", "number": "2"}]}, ""),
        ({"sequence": 0}, "sequence"),
        ({"sequence": "7"}, "sequence"),
    ],
)
def test_what_is_not_valid_names_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        COMMAND.validate_json(fields(**change))
    places = [
        ".".join(str(part) for part in error["loc"] if part != "IssueInvoice") for error in refused.value.errors()
    ]
    assert any(place.startswith(field) for place in places), places


@pytest.mark.parametrize(
    "build",
    [
        lambda: credit_note("K", 100, against="payment::P:1"),
        lambda: payment("P", 100, remittance=[{"kind": "payment", "number": "Q"}]),
        lambda: refund("R", 100, of="invoice::1:1"),
        lambda: adjustment("A", "invoice::1:1#1", 5, linked_to="adjustment::B:1"),
        lambda: adjustment("A", "invoice::1:1", 5),
        lambda: adjustment("A", "invoice::1:1#0", 5),
        lambda: allocate(),
        lambda: allocate(("payment::P:1#1", "invoice::1:1#1"), policy="proportional"),
        lambda: allocate(("payment::P:1#1", "invoice::1:1#1"), credit_items=["payment::P:1#1"]),
        lambda: reverse("refund::R:1", mode="failed"),
        lambda: reverse("refund::R:1", effective_on="2024-02-14"),
        lambda: recognise("invoice::1:1", "01-31", "01-30"),
        lambda: OpenBook(source="t", source_id="1", book=BOOK, base_currency="CNY", time_zone="Peking"),
    ],
)
def test_what_makes_no_sense_together_is_refused(build: Any) -> None:
    with pytest.raises(ValidationError):
        build()


@pytest.mark.parametrize(("given", "kept"), [("7.10", "7.1"), ("10", "10"), ("100.00", "100"), ("007.1", "7.1")])
def test_a_rate_is_kept_without_idle_zeros(given: str, kept: str) -> None:
    assert invoice("1", 100, currency="USD", rate=given).rate == kept
    taxed = invoice("1", 100, tax=[{"code": "VAT", "rate": given, "base": 1, "amount": 1}])
    assert taxed.tax[0].rate == kept
