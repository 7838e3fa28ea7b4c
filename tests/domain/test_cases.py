"""The worked cases of ``docs/cases`` come out as they are written down there."""

from pathlib import Path

import pytest
from case import STEP, Case

FOLDER = Path(__file__).parents[2] / "docs" / "cases"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_case_comes_out_as_it_is_written(page: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(STEP.findall(text)) > 1, "a case has steps"
    played = Case(text).played()
    if request.config.getoption("--update-snapshots"):
        page.write_text(played, encoding="utf-8", newline="\n")
        text = played
    assert played == text, "write it with make update-snapshots, and read it"


def test_the_list_names_every_case() -> None:
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES if f"({page.name})" not in listed] == []
