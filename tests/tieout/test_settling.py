"""Settling from the command line: what is suggested is posted as it is printed, and what is rounded off is all listed."""

import json
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit

pytestmark = pytest.mark.parametrize("kind", KINDS)
ACCOUNT = {"source": "billing", "book": "main", "customer": "C1", "currency": "CNY"}


def invoice(number: str, total: int, on: str, **more: Any) -> dict[str, Any]:
    own = {"lines": [{"net": total}], "instalments": [{"due_on": on, "amount": total}], "effective_on": on}
    return {"command": "IssueInvoice", "source_id": number, "number": number, "total": total} | own | ACCOUNT | more


def payment(number: str, amount: int, on: str, *pays: str, **more: Any) -> dict[str, Any]:
    own = {"remittance": [{"number": name} for name in pays], "amount": amount, "effective_on": on}
    return {"command": "RecordPayment", "source_id": number, "number": number} | own | ACCOUNT | more


def post(run: Run, *commands: dict[str, Any]) -> list[str]:
    Path("commands.jsonl").write_text("\n".join(json.dumps(one) for one in commands), encoding="utf-8")
    return [one["status"] for one in run("post", "commands.jsonl", "--json").lines]


def opened(run: Run, *options: str) -> None:
    assert run("init").code == 0
    assert run("book", "open", "main", "--currency", "CNY", *options).code == 0


def test_what_is_suggested_is_posted_and_then_there_is_nothing_more(run: Run) -> None:
    opened(run, "--settlement", "suggested")
    post(run, invoice("1", 100, "2026-01-10"), invoice("2", 50, "2026-01-11"), payment("P", 120, "2026-01-20"))
    found = run("suggest", "--json").json["suggested"]
    assert [(one["debit_item"], one["amount"]) for one in found] == [("invoice::1:1#1", 100), ("invoice::2:1#1", 20)]
    assert "invoice::2:1#1" in run("suggest", "C1").out
    commands = run("suggest", "--commands").out
    assert len(commands.splitlines()) == 1
    Path("suggested.jsonl").write_text(commands, encoding="utf-8")
    assert [one["status"] for one in run("post", "suggested.jsonl", "--json").lines] == ["booked"]
    assert [one["status"] for one in run("post", "suggested.jsonl", "--json").lines] == ["duplicate"]
    assert run("suggest", "--json").json["suggested"] == []
    assert run("suggest", "--commands").out == ""
    assert "nothing" in run("suggest").out


def test_a_run_rounds_off_what_it_may_and_says_why_it_left_the_rest(run: Run) -> None:
    opened(run, "--tolerance", "CNY=5", "--tolerance-percent", "CNY=4")
    discount = {"discount": {"percent": "2", "until_on": "2026-01-20"}}
    sent = [
        invoice("1", 100, "2026-01-10"),
        payment("P1", 96, "2026-01-19", "1"),
        invoice("2", 100, "2026-01-10", customer="C2"),
        payment("P2", 95, "2026-01-19", "2", customer="C2"),
        invoice("3", 1000, "2026-01-10", customer="C3", **discount),
        payment("P3", 980, "2026-01-20", "3", customer="C3"),
        payment("P4", 98, "2026-01-19", customer="C4") | {"deductions": [{"reason": "short_payment", "amount": 2}]},
    ]
    assert set(post(run, *sent)) == {"booked"}
    ran = run("round-off", "2026-01-31", "--actor", "chen", "--json").json
    rounded = {(one["customer"], one["amount"]) for one in ran["rounded_off"]}
    assert rounded == {("C1", 4), ("C3", 20)}
    assert ran["left"] == {"tolerance_must_not_be_exceeded": 1}
    assert run("round-off", "2026-01-31", "--json").json["rounded_off"] == []
    assert "tolerance_must_not_be_exceeded" in run("round-off", "2026-02-28").out

    assert post(run, reversal("P3", "C3")) == ["booked"]
    listed = run("tolerance", "--json").json
    rows = [(one["customer"], one["reason_code"], one["amount"], one["linked_to"]) for one in listed["differences"]]
    assert rows == [
        ("C3", "cash_discount", 20, "payment::P3:1"),
        ("C3", "cash_discount", -20, "payment::P3:1"),
        ("C4", "short_payment", 2, None),
        ("C1", "short_payment", 4, "payment::P1:1"),
    ]
    assert [(one["reason_code"], one["period"], one["amount"]) for one in listed["sums"]] == [
        ("cash_discount", "2026-01", 0),
        ("short_payment", "2026-01", 6),
    ]
    # Nothing else was posted to this account: the report is the trial balance's line.
    balance = {row["account"]: row["closing"] for row in run("trial-balance", "--json").json["rows"]}
    assert balance["6603"] == sum(one["amount"] for one in listed["differences"]) == 6
    assert "payment::P1:1" in run("tolerance", "C1").out
    assert run("tolerance", "C2").out.startswith("Nothing")


def reversal(number: str, customer: str) -> dict[str, Any]:
    named = {"document": {"kind": "payment", "number": number}, "source_id": f"undo-{number}"}
    return {"command": "ReverseDocument"} | ACCOUNT | named | {"customer": customer}


def test_a_day_that_is_none_is_refused(run: Run) -> None:
    opened(run)
    assert run("round-off", "soon").code == Exit.USAGE
