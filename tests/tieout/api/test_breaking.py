"""What was released is kept: no change of the contract breaks a client of the last release (oasdiff)."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from differ import breaking

from tieout.api.contract import FILE

RELEASED = Path(__file__).parent / "released" / "openapi.json"
Change = Callable[[dict[str, Any]], None]
BALANCES = "/v1/books/{book}/balances"
INVOICE = "/v1/books/{book}/commands/issue-invoice"


def test_nothing_that_was_released_is_broken() -> None:
    found = breaking(RELEASED, FILE)
    assert not found, f"released/README.md says what to do where it is meant:\n{found}"


def _parameter(document: dict[str, Any], name: str) -> dict[str, Any]:
    parameters = document["paths"][BALANCES]["get"]["parameters"]
    found: dict[str, Any] = next(one for one in parameters if one["name"] == name)
    return found


def without_a_field_of_an_answer(document: dict[str, Any]) -> None:
    balance = document["components"]["schemas"]["Balance"]
    del balance["properties"]["base_amount"]
    balance["required"].remove("base_amount")


def without_a_field_that_was_not_always_there(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["Outcome"]["properties"]["awaited"]


def with_a_parameter_that_must_be_given(document: dict[str, Any]) -> None:
    _parameter(document, "customer")["required"] = True


def with_a_narrower_bound(document: dict[str, Any]) -> None:
    _parameter(document, "limit")["schema"]["maximum"] = 10


def with_a_field_that_a_body_must_have(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["IssueInvoice"]["required"].append("reason")


def without_a_path(document: dict[str, Any]) -> None:
    del document["paths"][INVOICE]


@pytest.mark.parametrize(
    "change",
    [
        without_a_field_of_an_answer,
        without_a_field_that_was_not_always_there,
        with_a_parameter_that_must_be_given,
        with_a_narrower_bound,
        with_a_field_that_a_body_must_have,
        without_a_path,
    ],
)
def test_what_breaks_is_found(change: Change, tmp_path: Path) -> None:
    assert breaking(RELEASED, _changed(change, tmp_path))


def with_more_to_ask_and_to_answer(document: dict[str, Any]) -> None:
    operation = document["paths"][BALANCES]["get"]
    operation["parameters"].append({"name": "branch", "in": "query", "schema": {"type": "string"}})
    document["components"]["schemas"]["Balance"]["properties"]["branch"] = {"type": "string"}
    document["components"]["schemas"]["IssueInvoice"]["properties"]["branch"] = {"type": "string"}
    document["paths"]["/v1/branches"] = {"get": {**operation, "operationId": "list-branches", "parameters": []}}


def test_what_only_adds_passes(tmp_path: Path) -> None:
    assert not breaking(RELEASED, _changed(with_more_to_ask_and_to_answer, tmp_path))


def _changed(change: Change, folder: Path) -> Path:
    """The released contract after a change."""
    document = json.loads(RELEASED.read_text(encoding="utf-8"))
    change(document)
    path = folder / "changed.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
