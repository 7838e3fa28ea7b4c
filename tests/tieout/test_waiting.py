"""What waits is seen until the document that it waits for arrives."""

import json
from pathlib import Path

import pytest
from commandline import Run
from databases import KINDS

REFUND = {
    "command": "RecordRefund",
    "source": "bank",
    "source_id": "r-1",
    "customer": "C1",
    "currency": "CNY",
    "number": "R1",
    "effective_on": "2026-06-02",
    "amount": 500,
    "original_payment": {"kind": "payment", "number": "P1"},
}
PAYMENT = {
    "command": "RecordPayment",
    "source": "bank",
    "source_id": "p-1",
    "customer": "C1",
    "currency": "CNY",
    "number": "P1",
    "effective_on": "2026-06-01",
    "amount": 900,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_refund_is_listed_until_its_payment_comes(run: Run, empty_folder: Path) -> None:
    run("init")
    run("book", "open", "main", "--currency", "CNY")
    for command in (REFUND, PAYMENT):
        (empty_folder / f"{command['source_id']}.json").write_text(json.dumps(command))
    assert run("post", "r-1.json", "--book", "main").code == 0
    shown = run("waiting")
    assert "payment::P1:1" in shown.out
    assert "refund::R1:1" in shown.out
    assert "bank/r-1" in shown.out
    assert run("status", "--json").json["books"][0]["waiting"] == 1
    assert "tieout waiting" in run("status").out
    [fact] = run("waiting", "--json").json["waiting"]
    assert (fact["awaited"], fact["document"], fact["customer"]) == ("payment::P1:1", "refund::R1:1", "C1")
    assert fact["since"].startswith("2026-")
    assert run("post", "p-1.json", "--book", "main").code == 0
    assert run("waiting", "--json").json["waiting"] == []
    assert "Nothing waits" in run("waiting").out
