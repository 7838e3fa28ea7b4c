"""The examples of the contracts: each keeps to its schema, and a new book takes them all, in their order."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import KINDS, store_of
from jsonschema import Draft202012Validator
from shop import NOW_US, unreadable

from consumers.commands import parse_command
from consumers.contracts import contracts
from consumers.contracts.examples import EXAMPLES
from consumers.envelope import event_type
from domain.commands import COMMAND, COMMANDS
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Status, Submission
from ledger.store import create

CONTRACTS = contracts()
BEFORE: dict[str, dict[str, Any]] = {
    "RejectDeferredFact": EXAMPLES["ReturnPayment"]
    | {"source_id": "chargeback-91", "number": "CB-91", "payment": {"kind": "payment", "number": "BK-0219-4"}},
    "RefuseApproval": EXAMPLES["RequestApproval"]
    | {
        "source_id": "request-2026-2",
        "request": "2026-2",
        "instruction": EXAMPLES["SetCreditLimit"] | {"source_id": "limit-2", "limit": 9_000_000},
    },
}
"""What is sent before an example: what it rejects or refuses."""


@pytest.fixture(params=KINDS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger on a new store without a book."""
    with store_of(request.param, tmp_path) as location:
        create(location)
        with Ledger.open(location) as ledger:
            yield ledger


def sent(ledger: Ledger, example: dict[str, Any]) -> Outcome:
    """What becomes of an example that comes as JSON."""
    entry = parse_command(example, origin="examples")
    assert isinstance(entry, Submission), entry
    [outcome] = ledger.submit([entry], now_us=NOW_US)
    return outcome


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_keeps_to_its_contract(name: str) -> None:
    contract = json.loads(CONTRACTS[f"{event_type(name)}.json"])
    assert contract["examples"] == [EXAMPLES[name]]
    Draft202012Validator(contract).validate(EXAMPLES[name])
    assert type(COMMAND.validate_json(json.dumps(EXAMPLES[name]))) is COMMANDS[name]


def test_a_new_book_takes_all_examples_in_their_order(ledger: Ledger) -> None:
    ledger.submit([unreadable("main", "what DismissMessage dismisses")])
    for name, example in EXAMPLES.items():
        if name in BEFORE:
            assert sent(ledger, BEFORE[name]).status in (Status.BOOKED, Status.WAITING)
        outcome = sent(ledger, example)
        assert outcome.status is Status.BOOKED, (name, outcome)
        assert outcome.events, f"{name} changes nothing"
        assert sent(ledger, example).status is Status.DUPLICATE
