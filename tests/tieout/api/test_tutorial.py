"""docs/tutorial-http.md is true: its commands are run as they stand there, with curl, and answer what it says.

A block of JSON says what must be in the answer, ``"..."`` standing for anything; a block of text is the answer itself.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served import Served, served

PAGE = Path(__file__).parents[3] / "docs" / "tutorial-http.md"
BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_HAND = ("tieout serve\n", "KEY=tieout_...\n")
"""What the test does otherwise: it has its server, and its key."""
STATE = "state.sh"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "tieout.sqlite") as found:
        yield found


def blocks() -> list[tuple[str, str]]:
    return [(kind, text) for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if text not in BY_HAND]


def test_the_walk(server: Served, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        assert os.environ.get("CI") != "true", "there is no curl"
        pytest.skip("there is no curl")
    (tmp_path / STATE).write_text(f"KEY={server.key}\nURL={server.url}\n")
    said, checked = "", 0
    for kind, text in blocks():
        if kind == "sh":
            said = run(text, tmp_path)
        elif kind == "json":
            assert_within(json.loads(text), json.loads(said), "$")
            checked += 1
        else:
            assert [line.rstrip() for line in said.splitlines()] == text.splitlines()
            checked += 1
    assert checked == 15


def run(text: str, folder: Path) -> str:
    """What a block prints; what it sets is there for the next one."""
    script = (
        f". ./{STATE}\n{text}\n{{ set | grep -E '^(KEY|URL|BOOK|BEFORE|AFTER|SELECTOR)='; echo '{API}'; }} > {STATE}\n"
    )
    done = subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


API = next(line for _, text in blocks() for line in text.splitlines() if line.startswith("api()"))


def assert_within(expected: Any, found: Any, at: str) -> None:
    """Whether everything that is expected is there, and nothing in its place that is not."""
    if expected == "...":
        return
    if isinstance(expected, dict):
        assert isinstance(found, dict), at
        assert expected.keys() == found.keys(), at
        for name, value in expected.items():
            assert_within(value, found[name], f"{at}.{name}")
    elif isinstance(expected, list):
        assert isinstance(found, list), at
        assert len(expected) == len(found), at
        for n, (one, other) in enumerate(zip(expected, found, strict=True)):
            assert_within(one, other, f"{at}[{n}]")
    else:
        assert expected == found, at
