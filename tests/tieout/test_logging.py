"""Logs go to stderr, and never say who somebody is."""

import json
from collections.abc import Iterator

import pytest
import structlog

from tieout.logging import HIDDEN, configure


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_log_is_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    structlog.get_logger("x").info("imported", rows=3, code="amount_must_be_positive")
    captured = capsys.readouterr()
    entry = json.loads(captured.err)
    assert captured.out == ""
    assert (entry["event"], entry["level"], entry["rows"], entry["code"]) == (
        *("imported", "info", 3, "amount_must_be_positive"),
    )


def test_what_lies_below_the_level_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning", "console")
    structlog.get_logger("x").info("imported")
    assert capsys.readouterr().err == ""


def test_names_addresses_rows_and_secrets_are_hidden_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    party = {"customer": "C1", "name": "Lin", "address": "Long Road 1"}
    structlog.get_logger("x").info("seen", party=party, raw="{}", token="t", parties=[party], customer="C1")
    text = capsys.readouterr().err
    assert "Lin" not in text
    assert "Long Road" not in text
    assert json.loads(text)["party"] == {"customer": "C1", "name": HIDDEN, "address": HIDDEN}
    assert json.loads(text)["token"] == HIDDEN
