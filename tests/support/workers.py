"""``tieout worker`` as a process of its own, and what it answers to whoever watches it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from members import until
from prometheus_client.parser import text_string_to_metric_families

END_SECONDS = 30.0


class Worker:
    """A running worker; it listens where there is room, and logs as JSON into a file."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *parts: str) -> None:
        self._log = folder / f"worker-{len(list(folder.glob('worker-*.log')))}.log"
        own = {"TIEOUT_WORKER_LISTEN": "127.0.0.1:0", "TIEOUT_LOG_LEVEL": "info", "TIEOUT_LOG_FORMAT": "json"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tieout", "worker", *parts],
                cwd=folder,
                env=inherited | own | dict(environment),
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    # --- what it says

    @property
    def text(self) -> str:
        """All that it wrote."""
        return self._log.read_text(encoding="utf-8")

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Its log entries of an event."""
        lines = [line for line in self.text.splitlines(keepends=True) if line.endswith("\n") and line.startswith("{")]
        return [entry for line in lines if (entry := json.loads(line))["event"] == event]

    @property
    def address(self) -> str:
        """Where it listens, once it does."""
        return str(until(lambda: self._failed_early() or self.logged("worker_started"))[0]["listen"])

    def _failed_early(self) -> None:
        assert self._process.poll() is None, self.text

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer."""
        try:
            with urlopen(f"http://{self.address}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def is_ready(self) -> bool:
        """Whether it says so."""
        return self.get("/readyz")[0] == 200

    def parts(self) -> dict[str, str]:
        """Part → how it is."""
        return dict(json.loads(self.get("/healthz")[1])["parts"])

    def metric(self, name: str, **labels: str) -> float | None:
        """A sample of /metrics; None where there is none."""
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    # --- its end

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ended(self) -> int:
        """Wait for its end; the exit code, negative where a signal ended it."""
        return self._process.wait(END_SECONDS)

    def stop(self) -> int:
        """Have it stop, and wait."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> None:
        """End it at once, whatever it is at."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(END_SECONDS)
