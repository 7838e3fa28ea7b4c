"""The demo as it is played: it proves what it says, in either language, and says plainly what it lacks."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tieout.demo import scenes
from tieout.demo.story import STORE, run_demo
from tieout.errors import Exit

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Captured], tuple[Path, str, Exit]]:
    """The demo of a small company, played once into a folder with a space in its name."""
    directory = tmp_path_factory.mktemp("a demo")
    kept: list[tuple[Path, str, Exit]] = []

    def play(capsys: Captured) -> tuple[Path, str, Exit]:
        if not kept:
            ended = run_demo(directory, "en", customers=30)
            kept.append((directory, capsys.readouterr().out, ended))
        return kept[0]

    return play


def test_every_proof_of_the_demo_holds(played: Callable[..., tuple[Path, str, Exit]], capsys: Captured) -> None:
    directory, shown, ended = played(capsys)
    assert ended is Exit.OK
    assert (directory / STORE).is_file()
    assert "NOT" not in shown.replace("NOT_", "")
    for step in range(1, 10):
        assert f"\n{step}. " in shown
    assert ": identical." in shown


def test_the_demo_shows_the_message_behind_a_balance(
    played: Callable[..., tuple[Path, str, Exit]], capsys: Captured
) -> None:
    _, shown, _ = played(capsys)
    [message] = [json.loads(line) for line in shown.splitlines() if line.startswith('{"command"')]
    assert message["customer"] == "C00001"
    assert "the balance, to the last unit" in shown


def test_the_demo_can_be_played_again_in_the_other_language(
    played: Callable[..., tuple[Path, str, Exit]], capsys: Captured
) -> None:
    directory, _, _ = played(capsys)
    assert run_demo(directory, "zh", customers=2) is Exit.OK
    again = capsys.readouterr().out
    assert "科目余额表" in again
    assert "2 个客户" in again


def test_real_sales_are_missed_by_name_where_they_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv(scenes.SAMPLE_DATA, str(tmp_path / "nowhere"))
    assert run_demo(tmp_path / "demo", "en", is_retail=True) is Exit.NOT_FOUND
    assert str(tmp_path / "nowhere") in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
