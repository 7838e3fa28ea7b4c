"""A server as a user starts it: ``tieout serve`` in a process of its own, and how to talk to it."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import httpx2

from ledger.database import Location

START_SECONDS = 60.0


class Served:
    """A server that runs; ``key`` is the administrator's, ``url`` where it listens."""

    def __init__(
        self, store: Location, *options: str, key: str | None = None, port: int | None = None, **environment: str
    ) -> None:
        self.store, self.port = store, port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        where = {"TIEOUT_DATABASE_URL" if isinstance(store, str) else "TIEOUT_STORE": str(store)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tieout", "serve", "--listen", f"127.0.0.1:{self.port}", *options],
            env=kept | where | {"TIEOUT_LANG": "en"} | environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )
        try:
            self._await_health()
            self.key = key or self._first_key()
        except BaseException:
            # Nobody else knows of it yet.
            if self._process.poll() is None:
                self.kill()
            raise

    @property
    def process_id(self) -> int:
        """Of the server itself; those that serve are its children."""
        return self._process.pid

    def _await_health(self) -> None:
        until = monotonic() + START_SECONDS
        while True:
            try:
                if httpx2.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            if self._process.poll() is not None or monotonic() > until:
                raise AssertionError(f"the server did not start:\n{self.log}")
            sleep(0.05)

    def _first_key(self) -> str:
        assert self._process.stdout is not None
        # Printed before the first process is up; a store that has keys gets none.
        os.set_blocking(self._process.stdout.fileno(), False)
        try:
            said = os.read(self._process.stdout.fileno(), 4096).decode()
        except BlockingIOError:
            return ""
        found = re.search(r"tieout_\S+", said)
        return found[0] if found else ""

    @property
    def log(self) -> str:
        """What it has said so far."""
        self._log.seek(0)
        return self._log.read().decode()

    def client(self, key: str | None = None, **options: Any) -> httpx2.Client:
        """A client with a key, by default the administrator's."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        # A disk that stands still for half a minute is no failure of what is tested.
        return httpx2.Client(base_url=self.url, headers=headers, timeout=90, **options)

    def kill(self) -> None:
        """As a power cut does: all of its processes at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> int:
        """As an operator ends it; its exit code. What it has said can still be read."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(30)
        finally:
            if self._process.poll() is None:
                self.kill()

    def stop(self) -> int:
        """End it, and forget what it has said; its exit code."""
        try:
            return self.end()
        finally:
            self._log.close()


@contextmanager
def served(store: Location, *options: str, port: int | None = None, **environment: str) -> Iterator[Served]:
    """A server over a store, stopped at the end."""
    server = Served(store, *options, port=port, **environment)
    try:
        yield server
    except BaseException:
        # Shown by pytest with the failure.
        print(server.log)
        raise
    finally:
        server.stop()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port
