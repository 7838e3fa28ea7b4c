"""docs/import.md: its examples are the files in examples/, they do what it says, and it leaves out no key or code."""

import re
from pathlib import Path
from typing import Any

import pytest

from consumers.commands import parse_command
from consumers.mapping import Columns, Defaults, Group, Kind, Source, load_mapping
from consumers.problems import RowCode
from ledger.outcomes import Submission

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")


def test_the_files_that_the_page_shows_are_the_examples() -> None:
    shown = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert len(shown) == 4
    for name, text in shown:
        assert (ROOT / name).read_text(encoding="utf-8") == text, name


def take(books: Any, table: str, text: str | None = None) -> Any:
    path = ROOT / "examples" / f"{table}.csv"
    file = path if text is None else books.file(text, path.name)
    return books.take(file, load_mapping(ROOT / "examples" / f"{table}.toml"))


def test_the_walk_through_ends_as_it_says(books: Any) -> None:
    invoices = take(books, "invoices")
    assert (invoices.rows, invoices.booked) == (5, 4)
    payments = take(books, "payments")
    assert (payments.rows, payments.booked) == (4, 3)
    assert books.balances() == {"C001": 0, "C002": 43200 - 5400 - 30000, "C003": 5994 - 2000}
    assert books.balances("unapplied")["C003"] == -100_000
    assert take(books, "invoices").duplicate == 4
    assert take(books, "payments").duplicate == 3


def test_three_mistakes_are_found_where_the_page_says_and_a_corrected_file_is_booked(books: Any) -> None:
    text = (ROOT / "examples" / "invoices.csv").read_text(encoding="utf-8")
    wrong = text.replace("2025-01-15", "2025-01-35").replace(",C003,", ",,").replace("-1,45.00", "-1,45.0x")
    problems = take(books, "invoices", wrong).problems
    table = re.findall(r"^\| (\d+) \| `(\S+)` \| `(\S+)` \| (\S+) \| ?(\S*) \|$", PAGE, re.MULTILINE)
    assert sorted(table) == sorted((p.lines, p.source_id, p.code, p.field, p.value) for p in problems)
    assert take(books, "invoices").booked == 3
    assert books.quarantine() == []


@pytest.mark.parametrize("section", [Source, Columns, Defaults, Group, Kind])
def test_the_page_tells_every_key_of_the_mapping(section: Any) -> None:
    told = set(re.findall(r"`([a-z_]+)[`. ]", PAGE))
    assert set(section.model_fields) <= told, set(section.model_fields) - told


def test_the_page_tells_every_code() -> None:
    assert {f"`{code}`" for code in RowCode} <= set(re.findall(r"`[a-z_]+`", PAGE))


def test_the_command_that_the_page_shows_is_valid() -> None:
    [line] = re.findall(r"```json\n(.*)\n```", PAGE)
    assert isinstance(parse_command(line, origin="page", book="main"), Submission)
