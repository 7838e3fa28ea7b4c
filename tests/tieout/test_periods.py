"""Closing periods from the command line, as a controller does it, over a file and over PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit

pytestmark = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def book(run: Run) -> Run:
    """A book with an invoice of January, on 30 June 2026."""
    assert run("init").code == 0
    assert run("book", "open", "main", "--currency", "CNY").code == 0
    assert post(run, invoice("1", "2026-01-10")) == [("booked", None)]
    return run


def invoice(number: str, on: str) -> dict[str, Any]:
    return {
        "command": "IssueInvoice",
        "source": "billing",
        "source_id": number,
        "book": "main",
        "customer": "C1",
        "currency": "CNY",
        "number": number,
        "effective_on": on,
        "total": 100,
        "lines": [{"net": 100}],
        "instalments": [{"due_on": on, "amount": 100}],
    }


def post(run: Run, *commands: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What becomes of commands: status and code."""
    Path("commands.jsonl").write_text("\n".join(json.dumps(one) for one in commands), encoding="utf-8")
    return [(one["status"], one.get("code")) for one in run("post", "commands.jsonl", "--json").lines]


def test_a_period_is_closed_by_its_list_and_opened_again(book: Run) -> None:
    checked = book("close", "2026-01", "--check", "--json")
    assert (checked.code, checked.json["holds"]) == (Exit.OK, True)
    assert [one["check"] for one in checked.json["checks"]] == [
        "waiting",
        "quarantine",
        "completeness",
        "clearing",
        "control",
    ]
    closed = book("close", "2026-01", "--actor", "chen")
    assert (closed.code, closed.out) == (Exit.OK, "Period 2026-01 is closed.\n")
    [first, *others] = book("periods", "--json").json["periods"]
    assert (first["period"], first["status"], first["actor"]) == ("2026-01", "closed", "chen")
    assert [(one["period"], one["status"]) for one in others] == [
        (f"2026-{month:02d}", "open") for month in range(2, 7)
    ]
    assert book("close", "2026-01").code == Exit.REFUSED
    assert book("close", "2026-06").code == Exit.REFUSED
    assert book("reopen", "2026-01", "--reason", "a statement was forgotten").out == "Period 2026-01 is open again.\n"
    assert book("periods", "--json").json["periods"][0]["status"] == "reopened"
    # The same again is another close, not a repetition of the first.
    assert book("close", "2026-01", "--actor", "chen").out == "Period 2026-01 is closed.\n"


def test_what_stands_in_quarantine_keeps_a_period_open_unless_somebody_accepts_it(book: Run) -> None:
    wrong = invoice("2", "2026-01-11") | {"total": 99}
    Path("wrong.jsonl").write_text(json.dumps(wrong), encoding="utf-8")
    assert book("post", "wrong.jsonl", "--quarantine").code == Exit.REFUSED
    checked = book("close", "2026-01", "--json")
    assert checked.code == Exit.UNPROVED
    assert [one["check"] for one in checked.json["checks"] if not one["holds"]] == ["quarantine"]
    assert book("close", "2026-01", "--accept", "quarantine").code == Exit.USAGE
    assert book("close", "2026-01", "--accept", "weather", "--reason", "x").code == Exit.USAGE
    assert book("close", "2026-01", "--accept", "quarantine", "--reason", "a test message").code == Exit.OK
    [period] = [one for one in book("periods", "--json").json["periods"] if one["status"] == "closed"]
    assert (period["accepted"], period["reason"]) == (["quarantine"], "a test message")


def test_what_comes_late_is_moved_and_listed_with_the_period_that_it_belongs_to(book: Run) -> None:
    assert book("moved").out.startswith("Nothing was asked for a closed period.")
    assert book("close", "2026-01").code == Exit.OK
    late = invoice("2", "2026-01-31")
    reversal = {name: late[name] for name in ("source", "book", "customer", "currency")} | {
        "command": "ReverseDocument",
        "source_id": "undo",
        "document": {"kind": "invoice", "number": "1"},
    }
    assert post(book, late, invoice("3", "2026-02-02"), reversal) == [("booked", None)] * 3
    moved = book("moved", "2026-01", "--json").json["moved"]
    assert [(one["document"], one["requested_effective_on"], one["effective_on"], one["amount"]) for one in moved] == [
        ("invoice::2:1", "2026-01-31", "2026-02-01", 100),
        ("invoice::1:1", "2026-01-10", "2026-02-01", -100),
    ]
    assert book("moved", "2026-02", "--json").json["moved"] == []
    assert "invoice::2:1" in book("moved").out
    # The closed month is as it was.
    assert book("balance", "--as-of", "2026-01-31", "--json").json["balances"][0]["amount"] == 100


def test_a_fact_that_waits_keeps_its_period_open(book: Run) -> None:
    refund = {
        "command": "RecordRefund",
        "source": "bank",
        "source_id": "r1",
        "book": "main",
        "customer": "C1",
        "currency": "CNY",
        "number": "R1",
        "effective_on": "2026-01-20",
        "amount": 40,
        "nature": "fact",
        "original_payment": {"kind": "payment", "number": "P9"},
    }
    assert post(book, refund) == [("waiting", None)]
    found = {one["check"]: one["found"] for one in book("close", "2026-01", "--json").json["checks"]}
    assert found["waiting"] == 1
    refused = book("close", "2026-01", "--accept", "waiting", "--reason", "no matter")
    assert refused.code == Exit.REFUSED
    assert "no_fact_may_be_waiting" in refused.out


def test_what_is_no_period_is_said_to_be_none(book: Run) -> None:
    for arguments in (("close", "2026-13"), ("reopen", "January", "--reason", "x"), ("moved", "2026-1")):
        ran = book(*arguments)
        assert (ran.code, "YYYY-MM" in ran.err) == (Exit.USAGE, True)
