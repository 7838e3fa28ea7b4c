"""schemathesis asks what the contract allows, and what it does not: every answer is as documented, and none is an error of ours.

All of its checks, over all operations; ``schemathesis.toml`` says which refusals no schema can foresee. More examples by
hand: ``TIEOUT_TEST_EXAMPLES=50``.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import KINDS, store_of
from served import Served, served

from tieout.api.contract import FILE

EXAMPLES = os.environ.get("TIEOUT_TEST_EXAMPLES", "1")
CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with store_of(request.param, tmp_path) as store, served(store) as found:
        with found.client() as client:
            opened = {"base_currency": "CNY", "source_id": "open"}
            assert client.post("/v1/books/main/commands/open-book", json=opened).status_code == 201
        yield found


def test_every_answer_is_as_the_contract_says(server: Served) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "--no-color", "run", FILE),
            *("--url", server.url, "--header", f"Authorization: Bearer {server.key}", "--checks", "all"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "1"),
            *("--request-timeout", "20", "--generation-database", "none", "--continue-on-failure"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    [tested] = re.findall(r"Tested: (\d+)", done.stdout)
    assert int(tested) >= 78, done.stdout[-3_000:]
    assert "unexpected_error" not in server.log
    assert "request_failed" not in server.log
