"""The committed contracts are those of the code."""

import json
from pathlib import Path

import pytest

from consumers.contracts import FOLDER, contracts, write


def test_the_committed_contracts_are_current(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-snapshots"):
        write()
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    assert committed == contracts(), "a contract has changed: read the difference, then make update-snapshots"


def test_a_contract_names_its_command_and_lets_nothing_else_in(tmp_path: Path) -> None:
    assert set(write(tmp_path)) == set(contracts())
    assert write(tmp_path) == []
    invoice = json.loads((tmp_path / "tieout.issue-invoice.v1.json").read_text(encoding="utf-8"))
    named = invoice["properties"]["command"]
    assert named["const"] == "IssueInvoice"
    assert "default" not in named
    assert invoice["additionalProperties"] is False
    assert {"command", "source", "source_id", "book", "customer", "total"} <= set(invoice["required"])
