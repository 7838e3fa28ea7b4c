"""What tests of the deployment share: its files, the names of the settings, command lines, and Helm where there is one."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from commandline import run

from tieout.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HELM = os.environ.get("TIEOUT_TEST_HELM") or shutil.which("helm") or str(ROOT / ".servers" / "bin" / "helm")


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder with what this is all about."""
    return DEPLOY


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """The compose file."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def settings_names() -> set[str]:
    """The settings, by the names that they have in the environment."""
    return {f"TIEOUT_{name.upper()}" for name in Settings.model_fields}


@pytest.fixture(scope="session")
def accepted() -> Callable[..., bool]:
    """Whether the program knows a command with these options; what it would do is not done."""

    def knows(*arguments: str) -> bool:
        return run(*arguments, "--help").code == 0

    return knows


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Mapping[str, str]], None]:
    """Puts settings into the environment, and nothing of ours beside them."""

    def put(given: Mapping[str, str]) -> None:
        for name in [name for name in os.environ if name.startswith("TIEOUT_")]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(tmp_path)
        for name, value in given.items():
            monkeypatch.setenv(name, value)

    return put


Rendered = list[dict[str, Any]]


@pytest.fixture(scope="session")
def helm() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Helm, without a cluster; the test is skipped where there is none."""
    if not shutil.which(HELM):
        reason = "no Helm: install one, name it by TIEOUT_TEST_HELM, or put it into .servers/bin of the checkout"
        pytest.skip(reason)

    def ran(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run([HELM, *arguments], capture_output=True, text=True, input=text, check=False)

    return ran


@pytest.fixture(scope="session")
def render(helm: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., Rendered]:
    """The chart's resources with these values on top of its own."""

    def rendered(values: Mapping[str, Any] | None = None) -> Rendered:
        chart = str(DEPLOY / "helm" / "tieout")
        done = helm("template", "books", chart, "--namespace", "ar", "--values", "-", text=yaml.safe_dump(values or {}))
        assert done.returncode == 0, done.stderr
        return [one for one in yaml.safe_load_all(done.stdout) if one is not None]

    return rendered


@pytest.fixture(scope="session")
def defaults() -> Callable[[str], str]:
    """What compose makes of a text where nothing is set: ``${NAME:-default}`` becomes the default."""
    return lambda text: re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)
