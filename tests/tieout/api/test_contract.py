"""The contract that is published is that of the code, says what every field is, and its examples are true."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import KINDS, store_of
from jsonschema import Draft202012Validator
from served import Served, served

from consumers.contracts.examples import EXAMPLES
from consumers.envelope import kebab
from domain.commands import COMMANDS
from tieout.api import contract
from tieout.api.application import framework
from tieout.settings import Settings

DOCUMENT: dict[str, Any] = json.loads(contract.FILE.read_text(encoding="utf-8"))
PAGE = Path(contract.__file__).parent / "page"
MADE_BY_ANOTHER = {"GiveApproval", "RefuseApproval", "RejectDeferredFact", "RequestApproval", "ReopenPeriod"}
"""Of the story, what needs two people or a book as another has left it: tried in test_commands.py."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_document_is_current(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("--update-snapshots"):
        contract.main()
    made = contract.text(framework(Settings.model_construct()))
    assert contract.FILE.read_text(encoding="utf-8") == made, "read the difference, then make update-snapshots"


def test_every_operation_has_a_name_of_its_own_a_summary_and_roles() -> None:
    found = list(operations())
    names = [operation["operationId"] for _, _, operation in found]
    assert len(names) == len(set(names)) >= 80
    for path, _, operation in found:
        assert operation["summary"], path
        assert operation["description"], path
        open_to_all = path in ("/healthz", "/readyz") or path.endswith("/inbox/{inbox}")
        assert open_to_all == ("x-tieout-roles" not in operation), path


def test_every_command_has_a_path() -> None:
    paths = {path for path, _, _ in operations()}
    assert {f"/v1/books/{{book}}/commands/{kebab(name)}" for name in COMMANDS} <= paths


def test_every_parameter_says_what_it_is_and_its_examples_are_some() -> None:
    for path, _, operation in operations():
        for parameter in operation.get("parameters", ()):
            where = f"{path} {parameter['name']}"
            schema = parameter["schema"]
            branches = [schema, *schema.get("anyOf", ())]
            assert parameter.get("description") or any(one.get("description") for one in branches), where
            given = [one for branch in branches for one in branch.get("examples", ())]
            given += [parameter["example"]] if "example" in parameter else []
            for example in given:
                Draft202012Validator(schema).validate(example)


def test_references_lead_somewhere() -> None:
    text = json.dumps(DOCUMENT)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        at: Any = DOCUMENT
        for part in reference.split("/"):
            at = at[part]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with store_of(request.param, tmp_path_factory.mktemp("contract")) as store, served(store) as found:
        yield found


def test_the_examples_are_booked_in_their_order(server: Served) -> None:
    with server.client() as client:
        for name in EXAMPLES:
            path = f"/v1/books/main/commands/{kebab(name)}"
            body = DOCUMENT["paths"][path.replace("main", "{book}")]["post"]["requestBody"]["content"]
            example = body["application/json"]["example"]
            answer = client.post(path, json=example, headers={"Idempotency-Key": name})
            if name in MADE_BY_ANOTHER:
                assert answer.status_code < 500, (name, answer.text)
                continue
            if answer.status_code == 422:
                # The story has limits for who may do what; here one key does everything.
                assert answer.json()["code"] in ("approval_must_be_given", "evidence_must_be_current"), answer.text
                continue
            assert answer.status_code in (200, 201, 202), (name, answer.text)


def test_the_page_loads_nothing_from_elsewhere(server: Served) -> None:
    with server.client() as client:
        page = client.get("/docs")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert not re.findall(r'(?:src|href)="(?:https?:)?//', page.text)
        loaded = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert len(loaded) >= 4
        for name in loaded:
            assert client.get(name).status_code == 200, name
        assert client.get("/openapi.json").json() == DOCUMENT


def test_a_browser_is_asked_for_a_key(server: Served) -> None:
    with server.client(key="none") as client:
        assert client.get("/docs").headers["www-authenticate"].startswith("Basic ")
        client.headers.pop("authorization")
        assert client.get("/docs", auth=("anybody", server.key)).status_code == 200
        assert client.get("/v1/me", auth=("anybody", server.key)).status_code == 401


def test_what_was_taken_over_is_as_it_was_released() -> None:
    sums = dict(reversed(line.split()) for line in (PAGE / "SHA256SUMS").read_text().splitlines())  # type: ignore[arg-type]
    assert sums == {name: hashlib.sha256((PAGE / name).read_bytes()).hexdigest() for name in sums}
    assert (PAGE / "LICENSE").read_text().strip().startswith("Apache License")
