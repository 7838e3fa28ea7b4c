"""What all tests share: golden files that only ``make update-snapshots`` writes, and a Kafka where one is asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from broker import kafka, kafka_of_our_own

__all__ = ["kafka", "kafka_of_our_own"]

SNAPSHOTS = Path(__file__).parent / "snapshots"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="write the golden files instead of comparing them")


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with ``tests/snapshots/<name>``, or writes it under --update-snapshots."""

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if request.config.getoption("--update-snapshots"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"no golden file {name}: write it with make update-snapshots, and read it"
        assert text == path.read_text(encoding="utf-8")

    return compare
