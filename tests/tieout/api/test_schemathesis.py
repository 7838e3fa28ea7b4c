"""schemathesis asks what the contract allows, and what it does not: every answer is as documented, and none is an error of ours.

All operations, with all of its checks but one that is stricter here: ``schemathesis.toml``. In short each of the two
databases has half of what it thinks of field by field (its coverage phase), and all of the rest. More by hand, all of it
on both: ``TIEOUT_TEST_EXAMPLES=50``.
"""

import hmac
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest
from databases import KINDS, store_of
from served import Served, served
from valid_data import OWN_KEY

from consumers.contracts.examples import EXAMPLES
from consumers.envelope import kebab
from tieout.api.contract import FILE
from tieout.api.keys import read

EXAMPLES_EACH = os.environ.get("TIEOUT_TEST_EXAMPLES")
HERE = Path(__file__).parent
SUPPORT = HERE.parents[1] / "support"
OPERATIONS = sorted(
    operation["operationId"] for path in json.loads(FILE.read_text())["paths"].values() for operation in path.values()
)


NESTED = "request-approval"
"""It has the fields of nineteen other commands once more."""
SECRET = "whsec_test_only"
INBOXES = {"stripe": {"book": "main", "adapter": "stripe", "secret": SECRET}}


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with store_of(request.param, tmp_path) as store, served(store, TIEOUT_INBOXES=json.dumps(INBOXES)) as found:
        with found.client() as client:
            fill(client)
        yield found


def fill(client: httpx2.Client) -> None:
    """Put into the books what the examples of the contract are about, so that they are not all answered with 404."""
    for name, example in EXAMPLES.items():
        body = {field: value for field, value in example.items() if field not in ("actor", "instruction")}
        client.post(f"/v1/books/main/commands/{kebab(name)}", json=body)
    invoice = {
        field: value for field, value in EXAMPLES["IssueInvoice"].items() if field not in ("sequence", "source_id")
    }
    issued = client.post(
        "/v1/books/main/commands/issue-invoice", json=invoice | {"number": "4711", "source_id": "4711"}
    )
    assert issued.status_code == 201, issued.text
    body, now = b"{broken", int(time.time())
    signature = hmac.new(SECRET.encode(), f"{now}.".encode() + body, sha256).hexdigest()
    headers = {"Tieout-Signature": f"t={now},v1={signature}"}
    assert client.post("/v1/books/main/inbox/stripe", content=body, headers=headers).json()["data"]["quarantined"]


def test_every_answer_is_as_the_contract_says(server: Served, tmp_path: Path) -> None:
    said = run(server, tmp_path, "--phases", "examples,fuzzing,stateful", "--max-examples", EXAMPLES_EACH or "1")
    [tested] = re.findall(r"Tested: (\d+)", said)
    assert int(tested) == len(OPERATIONS), said
    run(server, tmp_path, "--phases", "coverage", *(() if EXAMPLES_EACH else half(server)))
    # What was asked would all be 401 had the run revoked its own key.
    with server.client() as client:
        assert client.get("/v1/me").json()["data"]["grants"] == ["admin:*"]
    assert "unexpected_error" not in server.log
    assert "request_failed" not in server.log


def half(server: Served) -> list[str]:
    """The options by which a database has every second operation."""
    chosen = [one for one in OPERATIONS if one != NESTED][isinstance(server.store, str) :: 2]
    return [f"--include-operation-id={one}" for one in chosen]


def run(server: Served, folder: Path, *options: str) -> str:
    """What it says where it finds nothing."""
    key = read(server.key)
    assert key is not None
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "--no-color"),
            *("run", FILE, "--url", server.url, "--header", f"Authorization: Bearer {server.key}", *options),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(SUPPORT), *sys.path)), OWN_KEY: key.key_id},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    return done.stdout
