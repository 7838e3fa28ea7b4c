"""The contract that is published is that of the code, says what every field is, and its examples are true."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from databases import KINDS, store_of
from described import undescribed
from jsonschema import Draft202012Validator
from served import Served, served
from shop import unreadable

from consumers.contracts.examples import EXAMPLES
from consumers.envelope import kebab
from domain.commands import COMMANDS
from ledger.ledger import Ledger
from tieout.api import contract
from tieout.api.application import framework
from tieout.settings import Settings

DOCUMENT: dict[str, Any] = json.loads(contract.FILE.read_text(encoding="utf-8"))
PAGE = Path(contract.__file__).parent / "page"


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


def test_every_schema_is_one_and_says_what_each_field_is() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), name
    assert not list(undescribed(schemas, "#"))
    assert not list(undescribed(DOCUMENT["paths"], "#"))


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
    """Each as the document has it, by whoever it is of in the story: nobody approves there what he asked for himself."""
    with server.client() as admin:

        def client_of(name: str) -> httpx2.Client:
            made = admin.post("/v1/keys", json={"name": name, "grants": ["admin:*"]}).json()["data"]["key"]
            return server.client(made)

        people = {example.get("actor", "desk") for example in EXAMPLES.values()}
        clients = {name: client_of(name) for name in people}
    with Ledger.open(server.store) as ledger:
        ledger.submit([unreadable("main", "what DismissMessage dismisses")])
    for name in EXAMPLES:
        told = [BEFORE[name]] if name in BEFORE else []
        for one in (*told, _as_documented(name)):
            path = f"/v1/books/main/commands/{kebab(one['command'])}"
            body = {field: value for field, value in one.items() if field not in ("command", "key")}
            client = clients[EXAMPLES[one["command"]].get("actor", "desk")]
            answer = client.post(path, json=body, headers={"Idempotency-Key": one["key"]})
            assert answer.status_code in (201, 202), (name, answer.text)
            assert answer.json()["events"], f"{name} changes nothing"
    for client in clients.values():
        client.close()


BEFORE: dict[str, dict[str, Any]] = {
    "RejectDeferredFact": {
        field: value for field, value in EXAMPLES["ReturnPayment"].items() if field not in ("book", "source_id")
    }
    | {"key": "chargeback-91", "number": "CB-91", "payment": {"kind": "payment", "number": "BK-0219-4"}},
    "RefuseApproval": {
        "command": "RequestApproval",
        "key": "request-2026-2",
        "request": "2026-2",
        "instruction": {
            field: value
            for field, value in (EXAMPLES["SetCreditLimit"] | {"limit": 9_000_000}).items()
            if field not in ("book", "actor", "source", "source_id")
        },
    },
}
"""What is sent before an example: what it rejects or refuses."""


def _as_documented(name: str) -> dict[str, Any]:
    """A command's example as its path has it; the people of its authorities are the subjects of keys here."""
    body = DOCUMENT["paths"][f"/v1/books/{{book}}/commands/{kebab(name)}"]["post"]["requestBody"]["content"]
    example = dict(body["application/json"]["example"])
    if name == "ChangeAuthorities":
        example["roles"] = {f"key:{person}": roles for person, roles in example["roles"].items()}
    return {"command": name, "key": EXAMPLES[name]["source_id"], **example}


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
