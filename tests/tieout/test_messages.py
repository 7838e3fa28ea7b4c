"""Every language says everything: the same keys, the same placeholders, and a text for every code."""

import re
from pathlib import Path
from string import Formatter

import pytest

from consumers import words
from consumers.problems import ROW_RULES, ImportFailed
from domain import commands
from domain.events import FLAGS, TOPICS
from domain.refusals import Code
from tieout.cli.tree import ORDER
from tieout.errors import Exit
from tieout.messages import LANGS, Texts, en, from_locale, match, zh
from tieout.render.grid import NUMBERS
from tieout.settings import Settings

TABLES = {"en": en.TEXTS, "zh": zh.TEXTS}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_there_is_a_table_for_each_language() -> None:
    assert set(TABLES) == set(LANGS)


def test_all_tables_have_the_same_keys() -> None:
    assert set(en.TEXTS) == set(zh.TEXTS)


def test_a_text_has_the_same_placeholders_in_every_language() -> None:
    differing = [key for key in sorted(en.TEXTS) if placeholders(zh.TEXTS[key]) != placeholders(en.TEXTS[key])]
    assert differing == []


@pytest.mark.parametrize("lang", LANGS)
def test_every_refusal_says_what_the_rule_is_and_what_to_do_next(lang: str) -> None:
    keys = [f"{part}.{code}" for code in (*Code, *ROW_RULES) for part in ("refusal", "next")]
    assert [key for key in keys if not TABLES[lang].get(key)] == []


def test_every_failure_of_an_import_has_a_text_with_its_values() -> None:
    for code, text in ImportFailed.TEXTS.items():
        assert placeholders(zh.TEXTS[f"failed.{code}"]) == placeholders(text), code


def test_what_the_checks_of_fields_say_is_said_in_chinese_too() -> None:
    said = {text for text in (*words._PATTERNS.values(), *words._WORDS.values()) if isinstance(text, str)}
    said |= set(re.findall(r'raise ValueError\("([^"]+)"\)', Path(commands.__file__).read_text()))
    assert said - set(zh.DETAILS) == set()


def test_a_detail_keeps_the_value_that_it_ends_in() -> None:
    assert Texts("zh").detail("must not be less than 1") == "不得小于 1"
    assert Texts("zh").detail("something new") == "something new"
    assert Texts("en").detail("must not be less than 1") == "must not be less than 1"


@pytest.mark.parametrize("lang", LANGS)
def test_every_error_says_what_to_do_next(lang: str) -> None:
    word = {"en": "Next:", "zh": "下一步："}[lang]
    silent = {"error.said", "error.aborted"}
    told = {key for key in TABLES[lang] if key.startswith(("error.", "usage."))} - silent
    assert [key for key in sorted(told) if word not in TABLES[lang][key]] == []


def test_nothing_that_is_chinese_was_left_in_english() -> None:
    same = {key for key in en.TEXTS if en.TEXTS[key] == zh.TEXTS[key]}
    # Nothing but placeholders and marks.
    assert same <= {"demo.step", "outcome.field", "usage.wrong"}


def test_every_column_of_numbers_is_a_column() -> None:
    assert {f"column.{name}" for name in NUMBERS} <= set(en.TEXTS)


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "C"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh"}, "zh"),
    ],
)
def test_the_locale_decides_the_language(environ: dict[str, str], lang: str) -> None:
    assert from_locale(environ) == lang


@pytest.mark.parametrize(
    ("tag", "lang"),
    [("zh", "zh"), ("zh-Hans-CN", "zh"), ("ZH_TW.Big5", "zh"), ("en-US", "en"), ("fr", None), ("", None)],
)
def test_a_tag_names_a_language(tag: str, lang: str | None) -> None:
    assert match(tag) == lang


def test_a_text_is_filled_in() -> None:
    assert Texts("en")("footer.day", day="2026-01-31") == "effective as of 2026-01-31"
    assert Texts("zh")("footer.day", day="2026-01-31") == "截至 2026-01-31"


@pytest.mark.parametrize("lang", LANGS)
def test_every_kind_of_event_has_a_name(lang: str) -> None:
    assert [topic for topic in TOPICS if f"kind.{topic.rpartition('.')[0]}" not in TABLES[lang]] == []


@pytest.mark.parametrize("lang", LANGS)
def test_every_flag_has_a_name(lang: str) -> None:
    assert [flag for flag in FLAGS if f"flag.{flag}" not in TABLES[lang]] == []


def test_the_page_on_the_command_line_names_every_command_setting_and_exit_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    named = [f"`{name}" for name in ORDER] + [f"`TIEOUT_{name.upper()}`" for name in Settings.model_fields]
    named += [f"| {code:d} | " for code in Exit]
    assert [name for name in named if name not in page] == []
