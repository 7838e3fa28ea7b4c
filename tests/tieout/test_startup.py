"""A command loads only what it uses: help and settings answer at once, and nothing makes a store but ``init``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SLOW = (
    "alembic",
    "argon2",
    "consumers.tables",
    "duckdb",
    "eventsourcing",
    "httpx2",
    "joserfc",
    "kafka",
    "prometheus_client",
    "psycopg",
    "pydantic_settings",
    "rich",
    "sqlalchemy",
    "structlog",
)
# The framework brings opentelemetry's interfaces, and only these.
EXTRA = ("kafka", "opentelemetry.exporter", "opentelemetry.instrumentation", "opentelemetry.sdk", "requests")


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The slow modules that a run of the command line has loaded by its end."""
    program = (
        "import sys; from tieout.cli import main; code = main(sys.argv[1:]);"
        f"print('LOADED', code, *[name for name in {SLOW!r} if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "TIEOUT_STORE": "tieout.sqlite"},
    )
    _, code, *names = ran.stdout.splitlines()[-1].split()
    assert code == "0", ran.stderr
    return set(names)


HELP = [
    ["--help"],
    ["balance", "--help"],
    ["worker", "--help"],
    ["topics", "--help"],
    ["key", "create", "--help"],
    ["--version"],
]


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_loads_nothing_slow(arguments: list[str], tmp_path: Path) -> None:
    assert loaded(tmp_path, *arguments) == set()


def test_only_init_loads_alembic_and_only_import_loads_duckdb(tmp_path: Path) -> None:
    assert {"alembic", "sqlalchemy"} <= loaded(tmp_path, "init")
    assert "duckdb" not in loaded(tmp_path, "book", "open", "main", "--currency", "CNY")
    assert not {"alembic", "duckdb", "consumers.tables"} & loaded(tmp_path, "balance")
    assert not {"alembic", "duckdb", "sqlalchemy"} & loaded(tmp_path, "book", "list")


def test_an_embedded_store_loads_nothing_of_servers(tmp_path: Path) -> None:
    loaded(tmp_path, "init")
    loaded(tmp_path, "book", "open", "main", "--currency", "CNY")
    for command in ("status", "balance", "replay"):
        assert not {"kafka", "prometheus_client", "psycopg"} & loaded(tmp_path, command)


def test_the_api_loads_nothing_of_kafka_and_traces_unless_asked(tmp_path: Path) -> None:
    program = (
        "import sys; from tieout.api.application import create; from tieout.settings import load; create(load({}));"
        f"print(*[name for name in {EXTRA!r} if name in sys.modules])"
    )

    def found(**environment: str) -> set[str]:
        ran = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": os.environ["PATH"], **environment},
        )
        return set(ran.stdout.split())

    collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    assert found() == found(TIEOUT_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1") == set()
    assert found(**collector, OTEL_SDK_DISABLED="true") == set()
    assert found(**collector) == set(EXTRA) - {"kafka"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands_and_options(shell: str, tmp_path: Path) -> None:
    def completed(line: str) -> str:
        words = line.split(" ")
        told = {"_TIEOUT_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": line, "COMP_WORDS": line}
        told |= {"COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        ran = subprocess.run(
            [sys.executable, "-m", "tieout"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"]} | told,
        )
        return ran.stdout

    assert "trial-balance" in completed("tieout tri")
    assert "--known-as-of" in completed("tieout balance --kn")
    assert "retry" in completed("tieout quarantine re")
