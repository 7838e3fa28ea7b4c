"""Who logs in to a server, and with which password, is not shown anywhere: in no answer, log, error or traceback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from commandline import Run
from databases import named, postgres_store, server_or_skip
from psycopg.conninfo import conninfo_to_dict

from tieout.secrets import without_secrets
from tieout.settings import load

PASSWORD = "s3cretPassw0rd"
USER = "bobthebuilder"
HERE = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/books"
COMMANDS = (["init"], ["status"], ["status", "--json"], ["book", "list"], ["pause", "project", "--reason", "x"])


def tieout(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A command line in a process of its own, so that all that it writes is seen."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
    return subprocess.run(
        [sys.executable, "-m", "tieout", *arguments],
        cwd=folder,
        env=environment | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def shown(ran: subprocess.CompletedProcess[str]) -> str:
    text = ran.stdout + ran.stderr
    assert PASSWORD not in text
    return text


@pytest.fixture
def guest() -> Iterator[str]:
    """The URL of a store that a role with a password may use, on a server that asks for it."""
    url = server_or_skip()
    with psycopg.connect(url, autocommit=True) as connection:
        [[file]] = connection.execute("SHOW hba_file").fetchall()
        hba = Path(file)
        if not (hba.is_file() and os.access(hba, os.W_OK)):
            pytest.skip("who may log in to this server cannot be changed from here")
        before = hba.read_text()
        connection.execute(f"CREATE ROLE {USER} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
        hba.write_text(f"local all {USER} scram-sha-256\nhost all {USER} all scram-sha-256\n{before}")
        connection.execute("SELECT pg_reload_conf()")
        try:
            with postgres_store() as store:
                yield store
        finally:
            hba.write_text(before)
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f"DROP ROLE {USER}")


def as_guest(url: str, password: str = PASSWORD) -> str:
    """The same database for the guest."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    host = parts["host"].replace("/", "%2F")
    return f"postgresql://{USER}:{password}@{host}:{parts.get('port', '5432')}/{parts['dbname']}"


def test_a_store_on_a_server_is_shown_without_user_and_password(guest: str, tmp_path: Path) -> None:
    url = as_guest(guest)
    for arguments in (["init"], ["book", "open", "main", "-c", "CNY"], ["status"], ["status", "--json"]):
        ran = tieout(tmp_path, *arguments, TIEOUT_DATABASE_URL=url, TIEOUT_LOG_LEVEL="debug")
        assert ran.returncode == 0, ran.stderr
        assert USER not in shown(ran)
    assert conninfo_to_dict(guest)["dbname"] in ran.stdout


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_wrong_password_is_said_to_be_wrong_and_not_shown(debug: list[str], guest: str, tmp_path: Path) -> None:
    url = as_guest(guest, f"{PASSWORD}x")
    ran = tieout(tmp_path, "status", *debug, TIEOUT_DATABASE_URL=url)
    assert ran.returncode == 1
    assert "password authentication failed" in shown(ran)
    assert ("Traceback" in ran.stderr) == bool(debug)
    if not debug:
        assert USER not in ran.stderr
        assert conninfo_to_dict(guest)["dbname"] in ran.stderr
        assert "Next: check that its server runs" in ran.stderr


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_database_that_is_not_there_is_named(debug: list[str], tmp_path: Path) -> None:
    url = named(server_or_skip(), "nowhere") + f"&password={PASSWORD}"
    ran = tieout(tmp_path, "status", *debug, TIEOUT_DATABASE_URL=url)
    assert ran.returncode == 1
    assert 'database "nowhere" does not exist' in shown(ran)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_server_that_is_away_is_named_with_what_to_do(
    arguments: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIEOUT_DATABASE_URL", HERE)
    ran = run(*arguments, "--log-level", "debug")
    assert ran.code == 1
    assert "the database postgresql://127.0.0.1:1/books cannot be used: " in ran.err
    assert "Connection refused" in ran.err
    assert "Next: " in ran.err
    assert PASSWORD not in ran.out + ran.err
    assert USER not in ran.out + ran.err


def test_where_in_the_program_that_was_is_shown_without_the_password(tmp_path: Path) -> None:
    ran = tieout(tmp_path, "init", "--debug", TIEOUT_DATABASE_URL=HERE)
    assert ran.returncode == 1
    assert "Traceback" in shown(ran)
    assert USER not in ran.stderr


WRONG = (
    f"postgres//{USER}:{PASSWORD}@localhost/books",
    f"mysql://{USER}:{PASSWORD}@localhost/books",
    # Signs in the password that are not escaped: a part of it would be taken for something that is shown.
    f"postgresql://{USER}:a@{PASSWORD}@localhost/books",
    f"postgresql://{USER}:a/{PASSWORD}@localhost/books",
    f"postgresql://{USER}:1/{PASSWORD}@localhost/books",
    f"postgresql://{USER}:a@b/{PASSWORD}@localhost/books",
    f"postgresql://{USER}:1/a?sslmode={PASSWORD}@localhost/books",
    f"postgresql://{USER}:{PASSWORD}",
    f"postgresql://{USER}:{PASSWORD}%zz@localhost/books",
    f"postgresql://{USER}:{PASSWORD}@localhost:{PASSWORD}/books",
    f"postgresql://localhost/books?pasword={PASSWORD}",
)


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_url_is_an_error_of_usage_that_does_not_repeat_it(
    url: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("tieout.toml").write_text(f'database_url = "{url}"\n')
    ran = run("status")
    assert "database_url is [hidden]" in ran.err
    monkeypatch.setenv("TIEOUT_DATABASE_URL", url)
    for arguments in (["status"], ["worker"], ["status", "--debug"]):
        ran = run(*arguments)
        assert ran.code == 2
        assert "TIEOUT_DATABASE_URL is [hidden], but it must be postgresql://" in ran.err
        assert PASSWORD not in ran.out + ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--store", HERE, "status"],
        ["status", "-s", HERE],
        ["status", HERE],
        ["import", HERE],
        ["--config", HERE, "status"],
        [HERE],
    ],
    ids=["store", "s", "argument", "file", "config", "command"],
)
def test_a_url_in_the_wrong_place_is_not_repeated(arguments: list[str], run: Run) -> None:
    run("init")
    ran = run(*arguments)
    assert ran.code != 0
    assert PASSWORD not in ran.out + ran.err
    assert USER not in ran.out + ran.err


def test_a_url_is_no_store(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_STORE", HERE)
    ran = run("status")
    assert ran.code == 2
    assert "the URL of a database goes into TIEOUT_DATABASE_URL" in ran.err
    assert PASSWORD not in ran.err


def test_settings_can_be_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_DATABASE_URL", HERE)
    monkeypatch.setenv("TIEOUT_KAFKA_SASL_PASSWORD", PASSWORD)
    settings = load({})
    assert PASSWORD not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert settings.location == HERE
    assert settings.location_name == "postgresql://127.0.0.1:1/books"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("at postgresql://u:p@h:1/d", "at postgresql://[hidden]@h:1/d"),
        ("at postgresql:/u:p@q@h/d", "at postgresql:/[hidden]@h/d"),
        ("postgresql:///d?user=u&password=p&host=h", "postgresql:///d?user=[hidden]&password=[hidden]&host=h"),
        ('failed for user "bob" here', "failed for user [hidden] here"),
        ("role 'bob' does not exist", "role [hidden] does not exist"),
        ("a note to a user: none", "a note to a user: none"),
        ("https://example.org/a", "https://example.org/a"),
    ],
)
def test_a_text_of_others_loses_what_is_secret(text: str, safe: str) -> None:
    assert without_secrets(text) == safe
