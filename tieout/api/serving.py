"""The server: granian's processes, each with the application in an event loop of its own.

What the command line gave reaches the processes through an environment variable, since they start from nothing.
"""

import multiprocessing
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns
from typing import Any

import msgspec
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from ledger.api_keys import ApiKeys
from ledger.database import connect
from ledger.garbage import spare_collections
from ledger.store import create, revision
from tieout.api.addresses import is_of_this_machine
from tieout.api.follower import OVERRIDES
from tieout.api.keys import first_key
from tieout.api.measuring import MULTIPROCESS
from tieout.api.outer import App
from tieout.api.parent import end_with_parent
from tieout.api.tracing import refuse_missing
from tieout.errors import UserError
from tieout.settings import Settings, load

STOP_SECONDS = 25
"""How long what is in flight may take at a stop; less than orchestrators wait before they kill."""
_AGAIN_SECONDS = 1.0
_SWITCH_SECONDS = 0.0005


def serve(settings: Settings, overrides: Mapping[str, Any], started: Callable[[str], None]) -> None:
    """Serve until a signal comes. ``started`` is called with the URL, before the first process is up."""
    host, port = _address(settings)
    # They start from nothing, not as copies of this one, which has threads by then and has imported what reads the
    # environment.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ[OVERRIDES] = msgspec.json.encode({name: str(value) for name, value in overrides.items()}).decode()
    with _counted_together(settings.api_workers), _followed(settings):
        server = Server(
            "tieout.api.serving:application",
            address=host,
            port=port,
            interface=Interfaces.ASGI,
            factory=True,
            workers=settings.api_workers,
            loop=Loops.auto,
            websockets=False,
            workers_kill_timeout=STOP_SECONDS,
            respawn_failed_workers=True,
            log_level=LogLevels.error,
        )
        started(f"http://{settings.api_listen}")
        server.serve()


def refuse_unservable(settings: Settings) -> None:
    """Raises ``UserError`` where it cannot be served so; to be asked before anything is made for it."""
    if settings.api_workers > 1 and isinstance(settings.location, Path):
        raise UserError("error.serve_workers")
    refuse_missing()
    _refuse_taken(settings.api_listen, *_address(settings))


def _address(settings: Settings) -> tuple[str, int]:
    host, _, port = settings.api_listen.rpartition(":")
    return host.strip("[]"), int(port)


def application() -> App:
    """The application of a process that granian has started."""
    from tieout.api.application import create as create_application
    from tieout.logging import configure

    overrides = msgspec.json.decode(os.environ[OVERRIDES], type=dict[str, str])
    settings = load(overrides)
    configure(settings.log_level, settings.log_format)
    app = create_application(settings)
    spare_collections()
    # A thread that comes back from the database waits so long for one that computes: five milliseconds by default.
    sys.setswitchinterval(_SWITCH_SECONDS)
    end_with_parent()
    return app


def prepare(settings: Settings) -> bool:
    """Make the store if there is none; whether it was made. One that is older is left to ``tieout init``."""
    at = settings.location
    if isinstance(at, Path) and not at.exists():
        return create(at)
    return revision(at) is None and create(at)


def first_key_of(settings: Settings) -> str | None:
    """The text of the administrator's key, if the store never had a key and only this machine reaches the server.

    Where others do, what it prints is kept in somebody's log.
    """
    if not is_of_this_machine(_address(settings)[0]):
        return None
    with closing(connect(settings.location)) as connection:
        return first_key(connection, time_ns() // 1000 if settings.now_us is None else settings.now_us)


def has_keys(settings: Settings) -> bool:
    """Whether the store ever had a key."""
    with closing(connect(settings.location, read_only=True)) as connection:
        return not ApiKeys(connection).is_empty()


def _refuse_taken(listen: str, host: str, port: int) -> None:
    """Say so here where the address cannot be had: the processes would only die of it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except (OSError, OverflowError) as error:
        raise UserError("error.serve_listen", where=listen, reason=getattr(error, "strerror", None) or error) from None


@contextmanager
def _followed(settings: Settings) -> Iterator[None]:
    """Have the log followed, and whoever follows it started again should it die."""
    if not settings.api_follow:
        yield
        return
    stopping = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stopping.is_set():
            running[:] = [subprocess.Popen([sys.executable, "-m", "tieout.api.follower"])]
            running[0].wait()
            stopping.wait(_AGAIN_SECONDS)

    keeper = threading.Thread(target=keep, name="tieout-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        for one in running:
            one.terminate()
        keeper.join(STOP_SECONDS)


@contextmanager
def _counted_together(workers: int) -> Iterator[None]:
    """Several processes count into files of one folder."""
    if workers == 1:
        yield
        return
    with TemporaryDirectory(prefix="tieout-metrics-") as folder:
        os.environ[MULTIPROCESS] = folder
        try:
            yield
        finally:
            with suppress(KeyError):
                del os.environ[MULTIPROCESS]
