"""Settings: option over environment over file over default, and clear errors."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieout.errors import UsageFault
from tieout.settings import load
from tieout.settings_file import choose_language


@pytest.fixture(autouse=True)
def _alone(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIEOUT_NOW")


def test_without_anything_there_are_defaults() -> None:
    settings = load({})
    assert (settings.store, settings.book, settings.lang) == (Path("tieout.sqlite"), None, None)
    assert (settings.log_level, settings.log_format, settings.now_us) == ("warning", "auto", None)


def test_an_option_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tieout.toml").write_text('book = "file"\nlang = "zh"\nlog_level = "info"\n')
    monkeypatch.setenv("TIEOUT_BOOK", "environment")
    monkeypatch.setenv("TIEOUT_LOG_LEVEL", "error")
    settings = load({"log_level": "debug", "book": None})
    assert (settings.book, settings.lang, settings.log_level) == ("environment", "zh", "debug")


def test_a_store_in_a_file_lies_beside_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "own.toml").write_text('store = "books.sqlite"\n')
    assert load({"config": folder / "own.toml"}).store == folder / "books.sqlite"


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.toml").write_text('book = "own"\n')
    monkeypatch.setenv("TIEOUT_CONFIG", "own.toml")
    assert load({}).book == "own"


def test_now_is_an_instant_in_microseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_NOW", "2026-06-30T12:00:00.000001+08:00")
    settings = load({})
    assert settings.now == datetime(2026, 6, 30, 4, 0, 0, 1, tzinfo=UTC)
    assert settings.now_us == 1_782_792_000_000_001


@pytest.mark.parametrize("language", ["zh", "zh_CN.UTF-8", "ZH-hans"])
def test_a_language_may_be_any_tag_of_it(language: str) -> None:
    assert load({"lang": language}).lang == "zh"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lang", "fr"),
        ("book", "Main Book"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("now", "2026-06-30T12:00:00"),
    ],
)
def test_a_wrong_setting_is_named_where_it_was_made(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault) as by_option:
        load({name: value})
    assert by_option.value.values["where"] == f"--{name.replace('_', '-')}"
    monkeypatch.setenv(f"TIEOUT_{name.upper()}", value)
    with pytest.raises(UsageFault) as by_environment:
        load({})
    assert by_environment.value.values["where"] == f"TIEOUT_{name.upper()}"
    assert by_environment.value.values["rule"] == f"setting.{name}"
    monkeypatch.delenv(f"TIEOUT_{name.upper()}")
    Path("tieout.toml").write_text(f'{name} = "{value}"\n')
    with pytest.raises(UsageFault) as by_file:
        load({})
    assert by_file.value.values["where"] == name


def test_an_unknown_entry_of_the_file_is_named() -> None:
    Path("tieout.toml").write_text('stoer = "x"\n')
    with pytest.raises(UsageFault) as fault:
        load({})
    assert fault.value.key == "error.setting_unknown"
    assert fault.value.values["name"] == "stoer"


def test_a_file_that_is_not_toml_is_said_to_be_none() -> None:
    Path("tieout.toml").write_text("store: x\n")
    with pytest.raises(UsageFault, match=r"error\.config_unreadable"):
        load({})


def test_a_named_file_must_be_there() -> None:
    with pytest.raises(UsageFault, match=r"error\.config_missing"):
        load({"config": Path("none.toml")})


def test_the_language_is_that_of_option_environment_file_locale_in_this_order() -> None:
    locale = {"LANG": "zh_CN.UTF-8"}
    assert choose_language([], locale) == "zh"
    Path("tieout.toml").write_text('lang = "en"\n')
    assert choose_language([], locale) == "en"
    assert choose_language([], locale | {"TIEOUT_LANG": "zh"}) == "zh"
    assert choose_language(["balance", "--lang", "en"], locale | {"TIEOUT_LANG": "zh"}) == "en"
    assert choose_language(["--lang=zh"], {}) == "zh"


def test_a_language_that_we_have_not_is_passed_over_until_settings_are_loaded() -> None:
    assert choose_language(["--lang", "fr"], {"LANG": "zh"}) == "zh"
