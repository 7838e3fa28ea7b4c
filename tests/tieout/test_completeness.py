"""``tieout completeness``: what a feed stated against what is booked, in both languages, as JSON, and its exit code."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from commandline import Run
from databases import KINDS

from consumers.commands import parse_command
from domain.commands import StateControlTotals
from ledger.outcomes import Submission
from projections.answers import BreakType
from tieout.errors import Exit
from tieout.messages import LANGS, Lang

FEED = Path(__file__).with_name("feed.jsonl")
PAGE = (Path(__file__).parents[2] / "docs" / "completeness.md").read_text(encoding="utf-8")
MISSING = """
{"command": "IssueInvoice", "source": "billing", "source_id": "e2", "sequence": 2, "customer": "C3", "currency": "CNY",
 "number": "2", "effective_on": "2026-05-04", "lines": [{"net": 5000}], "total": 5000,
 "instalments": [{"due_on": "2026-06-03", "amount": 5000}]}
"""
AWAITED = """
{"command": "RecordPayment", "source": "bank", "source_id": "9", "customer": "C2", "currency": "CNY", "number": "P9",
 "effective_on": "2026-05-03", "amount": 900}
"""


@pytest.fixture
def fed(run: Run) -> Run:
    """A book that a feed has sent two days to: something is missing, refused, waits, conflicts or cannot be read."""
    for arguments in (("init",), ("book", "open", "main", "--currency", "CNY", "--time-zone", "Asia/Shanghai")):
        assert run(*arguments).code == Exit.OK
    assert run("post", "--book", "main", str(FEED), "--quarantine").code == Exit.REFUSED
    return run


def text_of(run: Run, lang: Lang, *questions: list[str]) -> str:
    text = ""
    for question in questions:
        ran = run("completeness", *question, "--lang", lang)
        text += f"$ tieout {' '.join(['completeness', *question])}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    return text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", LANGS)
def test_what_people_read(fed: Run, lang: Lang, snapshot: Callable[[str, str], None]) -> None:
    asked = [[], ["--open", "--to", "2026-05-04"], ["--from", "2026-05-05", "--feed", "billing"], ["--feed", "nobody"]]
    snapshot(f"cli/{lang}/completeness.txt", text_of(fed, lang, *asked))


def test_what_programs_read(fed: Run, snapshot: Callable[[str, str], None]) -> None:
    ran = fed("completeness", "--json")
    assert ran.code == Exit.UNPROVED
    assert [(one["day"], one["open"]) for one in ran.json["completeness"]] == [
        ("2026-05-04", True),
        ("2026-05-05", False),
        (None, False),
    ]
    snapshot("cli/json/completeness.json", ran.out)


def test_once_all_is_there_and_settled_nothing_is_open(fed: Run, empty_folder: Path) -> None:
    (empty_folder / "more.jsonl").write_text(MISSING.replace("\n", " ") + "\n" + AWAITED.replace("\n", " ") + "\n")
    assert fed("post", "--book", "main", "more.jsonl").code == Exit.OK
    assert fed("quarantine", "retry", "1", "--set", "method=bank").code == Exit.OK
    assert fed("completeness").code == Exit.UNPROVED
    assert fed("quarantine", "dismiss", "2", "--reason", "the first is right").code == Exit.OK
    ran = fed("completeness", "--json")
    assert ran.code == Exit.OK
    day = ran.json["completeness"][0]
    assert day["booked"] == {"count": 6, "amount": 34_200}
    assert {(one["type"], one["open"]) for one in day["breaks"]} == {("late", False), ("conflicting", False)}
    # As it was known before, as far as the log tells it.
    assert fed("completeness", "--known-as-of", "0:7").code == Exit.UNPROVED


def test_the_page_tells_every_difference_and_shows_totals_that_can_be_stated() -> None:
    assert set(get_args(BreakType)) <= set(re.findall(r"`([a-z_]+)`", PAGE))
    [line] = re.findall(r"```json\n(.*)\n```", PAGE)
    stated = parse_command(line, origin="page", book="main")
    assert isinstance(stated, Submission)
    assert isinstance(stated.command, StateControlTotals)
