"""docs/events.md is what the code says."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "docs" / "event_catalogue.py"


def test_the_page_is_what_the_code_says(request: pytest.FixtureRequest) -> None:
    spec = importlib.util.spec_from_file_location("event_catalogue", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.catalogue()
    if request.config.getoption("--update-snapshots"):
        module.PAGE.write_text(text, encoding="utf-8", newline="\n")
    assert text == module.PAGE.read_text(encoding="utf-8"), "write it again with make update-snapshots"
