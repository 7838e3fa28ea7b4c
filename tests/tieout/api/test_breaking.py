"""A change to the contract that would break a client of the last release is found, by oasdiff.

It is ``TIEOUT_TEST_OASDIFF``, or on the path, or where ``make oasdiff`` puts it; where there is Go and none of these, it is
built. Where it cannot be had the tests are skipped; with ``CI=true`` and a Go that is a failure.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tieout.api.contract import FILE

RELEASED = Path(__file__).parent / "released" / "openapi.json"
ROOT = Path(__file__).resolve().parents[3]
OURS = ROOT / ".servers" / "bin" / "oasdiff"

Breaking = Callable[[dict[str, Any]], list[str]]
"""The ids of what a document breaks of the released one."""


@pytest.fixture(scope="module")
def oasdiff() -> str:
    found = os.environ.get("TIEOUT_TEST_OASDIFF") or shutil.which("oasdiff")
    if found:
        return found
    if not OURS.is_file():
        if shutil.which("go") is None or shutil.which("make") is None:
            pytest.skip("there is no oasdiff, and no Go to build it with")
        built = subprocess.run(["make", "oasdiff"], cwd=ROOT, capture_output=True, text=True, check=False)
        if built.returncode:
            assert os.environ.get("CI") != "true", built.stderr
            pytest.skip(f"oasdiff could not be built: {built.stderr[-300:]}")
    return str(OURS)


@pytest.fixture
def breaking(oasdiff: str, tmp_path: Path) -> Breaking:
    def compared(document: dict[str, Any]) -> list[str]:
        present = tmp_path / "present.json"
        present.write_text(json.dumps(document))
        command = [oasdiff, "breaking", str(RELEASED), str(present), "--format", "json"]
        # A field of an answer does not go away, even if it was not always there.
        command += ["--severity-levels", str(RELEASED.with_name("severity.txt"))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [one["id"] for one in json.loads(done.stdout or "null") or []]

    return compared


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return deepcopy(found)


def test_nothing_breaks_a_client_of_the_last_release(breaking: Breaking, document: dict[str, Any]) -> None:
    assert breaking(document) == []


def test_a_path_that_is_gone_would_be_found(breaking: Breaking, document: dict[str, Any]) -> None:
    del document["paths"]["/v1/books/{book}/balances"]
    assert breaking(document)


def test_a_field_that_an_answer_has_no_more_would_be_found(breaking: Breaking, document: dict[str, Any]) -> None:
    balance = document["components"]["schemas"]["Balance"]
    del balance["properties"]["amount"]
    balance["required"].remove("amount")
    assert breaking(document)


def test_a_field_that_was_not_always_there_and_is_gone_would_be_found(
    breaking: Breaking, document: dict[str, Any]
) -> None:
    del document["components"]["schemas"]["PublicEvent"]["properties"]["subject"]
    assert set(breaking(document)) == {"response-optional-property-removed"}


def test_a_bound_that_is_narrower_would_be_found(breaking: Breaking, document: dict[str, Any]) -> None:
    parameters = document["paths"]["/v1/books/{book}/items"]["get"]["parameters"]
    [known] = [one for one in parameters if one["name"] == "known_as_of"]
    known["schema"]["maxLength"] = 10
    assert breaking(document)


def test_a_field_that_a_command_needs_from_now_on_would_be_found(breaking: Breaking, document: dict[str, Any]) -> None:
    document["components"]["schemas"]["RecordPayment"]["required"].append("method")
    assert breaking(document)


def test_a_parameter_that_is_needed_from_now_on_would_be_found(breaking: Breaking, document: dict[str, Any]) -> None:
    [customer] = [
        one for one in document["paths"]["/v1/books/{book}/items"]["get"]["parameters"] if one["name"] == "customer"
    ]
    customer["required"] = True
    assert breaking(document)


def test_what_is_only_added_breaks_nothing(breaking: Breaking, document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Balance"]["properties"]["more"] = {"type": "string"}
    assert breaking(document) == []
