"""Whatever comes, an adapter gives at least one entry and no exception, and nothing that is kept is broken."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stripe_objects import book, charge, credit_note, encode, event, invoice, line, moved, read, refund, stripe, tax

from consumers.adapters.adapter import Adapter, Entry
from consumers.adapters.feeds import adapter, load_feed
from domain.commands import COMMAND
from ledger.outcomes import Acknowledged, Submission, Unreadable

SAME_EVERYWHERE = settings(deadline=None, derandomize=True, database=None)
ROOT = Path(__file__).parents[3]
BILLING = adapter(load_feed(ROOT / "examples" / "billing.feed.toml"), book())
TAXED = line(500, taxes=[tax(80, 420, inclusive=True)], period={"start": 1, "end": 2}, discount_amounts=[{"amount": 1}])
MESSAGES: list[dict[str, Any]] = [
    event("invoice.finalized", invoice(TAXED, line(3), total_taxes=[tax(80, 420, "txr_x")], default_tax_rates=[])),
    invoice(status="void", amount_shipping=5, shipping_cost={"amount_subtotal": 5}),
    invoice(status="paid", paid_out_of_band=True, amount_paid=3),
    event("credit_note.voided", credit_note(status="void")),
    event("charge.refunded", charge(refunds={"data": [refund()]}, amount_refunded=3_000), before={"status": "x"}),
    charge(balance_transaction=moved("txn_1", 10_000, 5)),
    event("refund.failed", refund(status="failed", failure_balance_transaction=moved("txn_2", 3_000))),
    moved("txn_1", 10_000, 3, source=charge()),
    {"object": "list", "data": [charge(), {"object": "dispute", "id": "dp_1"}]},
    {
        "event": "invoice.posted",
        "data": {
            "number": "I1",
            "account": {"id": "C1", "name": "N"},
            "posted_at": 1_706_720_400_000,
            "total": "12.00",
            "lines": [{"net": "10.00", "vat": {"amount": "2.00", "percent": 20, "code": "S"}}],
        },
    },
    {"event": "invoice.cancelled", "data": {"number": "I1", "account": {"id": "C1"}, "why": "typo"}},
    {"event": "chargeback.opened", "data": {"contacts": [{"email": "e"}]}},
    {
        "event": "payment.changed",
        "data": {
            "id": "P1",
            "account": {"id": "C1"},
            "settled_on": "2024-01-31",
            "amount": 5,
            "state": "settled",
            "charge": 1,
        },
    },
]
ADAPTERS: list[Adapter] = [
    stripe(),
    stripe(fees="deducted", missing_customer="house", lines="one", tax_rates={"txr_x": "19"}),
    BILLING,
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**30)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["", "paid", "void", "failed", "succeeded", "eur", "isk", "list", "event", "charge", "refund"])
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["id", "data", "x"]), SCALARS)


def places(part: Any) -> list[tuple[Any, Any]]:
    """Every container of a message with each of its keys."""
    keys = part.keys() if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ()
    found = [(part, key) for key in keys]
    return found + [place for key in keys for place in places(part[key])]


def check(entries: list[Entry]) -> None:
    assert entries
    for entry in entries:
        if isinstance(entry, Submission):
            assert COMMAND.validate_json(COMMAND.dump_json(entry.command, exclude_none=True)) == entry.command
        elif isinstance(entry, Unreadable):
            assert entry.code
            assert entry.rule
            assert json.loads(entry.raw) is not None
        else:
            assert isinstance(entry, Acknowledged)
            assert entry.kind


@settings(SAME_EVERYWHERE, max_examples=300)
@given(
    st.sampled_from(MESSAGES),
    st.sampled_from(ADAPTERS),
    st.lists(st.tuples(st.integers(min_value=0), VALUES), min_size=1, max_size=3),
)
def test_a_message_with_anything_anywhere_becomes_entries(
    message: dict[str, Any], reader: Adapter, changes: list[tuple[int, Any]]
) -> None:
    changed = deepcopy(message)
    for at, value in changes:
        found = places(changed)
        if found:
            part, key = found[at % len(found)]
            part[key] = value
    check(reader.read(encode(changed), origin="t:0:1", key="C1"))


@settings(SAME_EVERYWHERE)
@given(st.binary(max_size=200), st.sampled_from(ADAPTERS))
def test_any_bytes_become_an_entry(data: bytes, reader: Adapter) -> None:
    check(reader.read(data, origin="t:0:1"))


@pytest.mark.parametrize("reader", ADAPTERS[::2], ids=["stripe", "billing"])
@pytest.mark.parametrize(
    ("data", "field", "rule"),
    [
        (b"", "", "must be JSON"),
        (b"[]", "", "must be a JSON object"),
        (b"\xff{}", "", "must be JSON"),
        (b'{"id": 1, "id": 2}', "id", "must stand only once in an object"),
        (b'{"a": {"amount": 1, "amount": 1}}', "amount", "must stand only once in an object"),
        (b'{"amount": NaN}', "", "must be a number"),
        (b'{"amount": 1e99999999999999999999}', "", "must be JSON"),
        (b'{"name": "\\ud800"}', "", "must be text in UTF-8"),
        (b'{"n": ' + b"9" * 5000 + b"}", "", "must be JSON"),
        (b'{"a":' * 100_000, "", "must be JSON"),
    ],
    ids=["empty", "list", "no UTF-8", "key twice", "inner key twice", "NaN", "exponent", "half", "long", "deep"],
)
def test_what_is_no_message_is_held_as_json_text(reader: Adapter, data: bytes, field: str, rule: str) -> None:
    [entry] = reader.read(data, origin="t:0:1", lane="t:k")
    assert isinstance(entry, Unreadable)
    assert (entry.code, entry.field, entry.origin, entry.lane) == ("command_must_be_valid", field, "t:0:1", "t:k")
    assert entry.rule.startswith(rule)
    assert json.loads(entry.raw) == data.decode("utf-8", "replace")


def test_a_byte_order_mark_and_unknown_fields_change_nothing() -> None:
    assert read(b"\xef\xbb\xbf" + encode(charge(brand_new={"deep": [1, None]}))) == read(charge())


def test_lists_within_lists_are_taken_apart_and_what_is_deep_is_cut() -> None:
    nested: dict[str, Any] = {"object": "dispute", "id": "dp_1"}
    for _ in range(100):
        nested = {"object": "list", "data": [nested]}
    [entry] = read(nested)
    assert isinstance(entry, Unreadable)
    assert entry.source_id == "dp_1"
    deep: dict[str, Any] = {"object": "dispute", "id": "dp_2"}
    for _ in range(200):
        deep = {"object": "dispute", "id": "dp_3", "charge": deep}
    [cut] = read(deep)
    assert isinstance(cut, Unreadable)
    assert len(cut.raw) < 2_000
