"""Another company's Stripe tables: every balance transaction adds up, and what leads nowhere is counted."""

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stripe_objects import encode, kinds, stripe

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("TIEOUT_SAMPLE_DATA") or ROOT.parent / "shared" / "data") / "stripe_tables"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the Stripe tables are not here: set TIEOUT_SAMPLE_DATA")

LINKS = {
    # table, column, table that it leads to: rows that have the link, those of them that lead nowhere
    ("balance_transaction", "payout_id", "payout"): (7, 5),
    ("balance_transaction", "source", "charge payout refund"): (9, 9),
    ("charge", "balance_transaction_id", "balance_transaction"): (9, 0),
    ("charge", "customer_id", "customer"): (16, 16),
    ("charge", "invoice_id", "invoice"): (0, 0),
    ("charge", "payment_intent_id", "payment_intent"): (16, 16),
    ("credit_note", "invoice_id", "invoice"): (2, 2),
    ("credit_note", "refund_id", "refund"): (2, 2),
    ("credit_note_line_item", "credit_note_id", "credit_note"): (2, 0),
    ("dispute", "balance_transaction", "balance_transaction"): (12, 12),
    ("dispute", "charge_id", "charge"): (12, 12),
    ("invoice", "customer_id", "customer"): (2, 2),
    ("invoice_line_item", "invoice_id", "invoice"): (3, 2),
    ("payment_intent", "customer_id", "customer"): (7, 7),
    ("payout", "balance_transaction_id", "balance_transaction"): (15, 15),
    ("payout_balance_transaction", "balance_transaction_id", "balance_transaction"): (15, 6),
    ("payout_balance_transaction", "payout_id", "payout"): (15, 0),
    ("refund", "balance_transaction_id", "balance_transaction"): (4, 4),
    ("refund", "charge_id", "charge"): (4, 4),
}


def table(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}_data.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_in_each_balance_transaction_the_amount_less_the_fee_is_the_net() -> None:
    rows = table("balance_transaction")
    assert len(rows) == 9
    assert [row["id"] for row in rows if int(row["amount"]) - int(row["fee"]) != int(row["net"])] == []
    assert sum(int(row["net"]) for row in rows) == 20_463_341


@pytest.mark.parametrize("link", LINKS, ids=" ".join)
def test_orphans_are_counted(link: tuple[str, str, str]) -> None:
    name, column, others = link
    known = {row["id"] for other in others.split() for row in table(other)}
    given = [row[column] for row in table(name) if row[column]]
    assert (len(given), sum(value not in known for value in given)) == LINKS[link]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def objects(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a table as the objects that they once were, as far as they tell."""
    for row in table(name):
        whole: dict[str, Any] = {key.removesuffix("_id"): value or None for key, value in row.items() if key != "id"}
        whole |= {"id": row["id"], "object": name, "amount": int(row["amount"]), "created": seconds(row["created"])}
        for flag in ("captured", "paid", "livemode", "refunded"):
            if flag in row:
                whole[flag] = row[flag].lower() == "true"
        if "fee" in row:
            whole |= {"fee": int(row["fee"]), "net": int(row["net"])}
        whole.pop("amount_refunded", None)
        yield whole


def test_their_rows_are_booked_acknowledged_or_held_like_any_other_object() -> None:
    found = {
        name: sorted(
            {kind.split()[0] for row in objects(name) for kind in kinds(stripe().read(encode(row), origin="table"))}
        )
        for name in ("balance_transaction", "charge", "refund")
    }
    # All its charges have failed; a refund names no customer there.
    assert found == {
        "balance_transaction": ["acknowledged"],
        "charge": ["acknowledged"],
        "refund": ["customer_must_be_given"],
    }
