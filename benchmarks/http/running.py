"""A server of ours and a trivial one of the same framework, each one process, over one PostgreSQL."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep


class Server:
    """A server in processes of its own, from the moment at which it listens; ``key``: the administrator's, of ours."""

    def __init__(self, *module: str, ours: bool = False, **environment: str) -> None:
        self.port = _free_port()
        where = ["serve", "--listen", f"127.0.0.1:{self.port}"] if ours else [str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", *module, *where],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        _await_port(self.port)
        self.key = ""
        if ours:
            assert self._process.stdout is not None
            os.set_blocking(self._process.stdout.fileno(), False)
            found = re.search(rb"tieout_\S+", self._process.stdout.read() or b"")
            self.key = found[0].decode() if found else ""

    @property
    def resident(self) -> int:
        """Bytes that all of its processes have in memory, as the kernel counts them (what they share, several times)."""
        pages = 0
        for process in _tree(self._process.pid):
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def serving(store: str) -> Iterator[Server]:
    """Ours, over a store, with the settings that it comes with."""
    server = Server("tieout", ours=True, TIEOUT_DATABASE_URL=store, TIEOUT_LANG="en")
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def trivial() -> Iterator[Server]:
    """The floor."""
    server = Server("benchmarks.http.trivial")
    try:
        yield server
    finally:
        server.stop()


def _tree(process: int) -> list[int]:
    # Each thread has its own children.
    threads = Path(f"/proc/{process}/task").iterdir()
    children = [child for thread in threads for child in (thread / "children").read_text().split()]
    return [process, *(one for child in children for one in _tree(int(child)))]


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def _await_port(port: int) -> None:
    until = monotonic() + 60
    while monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                # It listens before its application is there.
                sleep(3)
                return
        sleep(0.05)
    raise AssertionError(f"nothing listens at {port}")
