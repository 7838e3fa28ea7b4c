"""One round: a seeded business sent through real servers and workers, with injections, and all checks at its end.

The seed gives the messages, the injections and their order. When exactly a kill hits is not in its hands, so a failure
may take some tries to come again.
"""

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from crashing import Database, until
from members import Brokers
from shop import dismissal

from deploy.kafka.local_broker import Broker
from domain.commands import OpenBook
from domain.dismissal import book_of
from ledger.ledger import Ledger
from ledger.outcomes import Submission
from ledger.store import create
from projections.follow import follow
from tests.reliability import checks
from tests.reliability.expected import expected
from tests.reliability.feeding import Feed
from tests.reliability.injecting import INJECTIONS, TAKING_UP, kill_taking_up
from tests.reliability.messages import BOOK, CURRENCY, Business
from tests.reliability.process import Worker

PARTITIONS = 4
INJECTED = 6
BROKER = "broker killed"
DRAINED = 60.0
"""Seconds in which everything sent should have been done."""
_TEMPLATE = "tieout_template"
_HEARD = {
    "kafka_position_stale": "batches of woken or overtaken members refused",
    "outbound_position_stale": "positions of an overtaken publisher refused",
    "kafka_database_away": "waits of members for the database",
    "kafka_broker_away": "waits of members for the broker",
    "part_failed": "parts that failed and were started again",
}
"""What workers say → what it is called in the summary."""
SENT = (
    "messages",
    "messages sent again",
    "messages before one they name",
    "messages without a value",
    "poison",
    "conflicts",
)
SEEN = ("events", "events published again", *_HEARD.values())


class Servers:
    """A database and a broker, shared by the rounds, which kill them and leave them running."""

    def __init__(self, broker: Broker) -> None:
        self.database = Database()
        self.broker = broker
        self.brokers = Brokers(broker.bootstrap)
        self.database.run(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
        location = self.database.url(_TEMPLATE)
        create(location)
        with Ledger.open(location) as ledger:
            ledger.submit([Submission(OpenBook(source="test", source_id="open", book=BOOK, base_currency=CURRENCY))])
        follow(location)

    def close(self) -> None:
        """End the database; the broker is whose it was."""
        self.brokers.close()
        self.database.stop()


class Round:
    """What the injections act on."""

    def __init__(self, servers: Servers, seed: int) -> None:
        self.seed, self.name = seed, f"round_{seed}"
        self.random = Random(seed)
        self.business = Business(seed)
        self.counts: Counter[str] = Counter()
        self.database, self.broker, self._brokers = servers.database, servers.broker, servers.brokers
        self.folder = Path(tempfile.mkdtemp(prefix=f"tieout-{self.name}-"))
        self.database.run(f"CREATE DATABASE {self.name} TEMPLATE {_TEMPLATE}")
        self.books = checks.Books(self.database, self.name)
        self.commands = self._brokers.topic(PARTITIONS)
        self.events = self._brokers.topic(2)
        self.dead = self._brokers.topic(1)
        self._feed = Feed(self._brokers, self.commands, self.business)
        self._share = 0
        self._workers = self._made_workers()

    # --- for the injections

    def of(self, part: str) -> list[Worker]:
        """The workers with a part."""
        return [worker for worker in self._workers if worker.part == part]

    def count(self, kind: str) -> None:
        """Note what was done."""
        self.counts[kind] += 1

    def pause(self, longest: float) -> None:
        """A random moment, so that what follows hits whatever is going on."""
        time.sleep(self.random.uniform(0, longest))

    def send_share(self, part: float = 1.0) -> None:
        """Send (a part of what is left of) this injection's share of the messages."""
        wanted = round(self._share * part) if part < 1 else self._share
        self._share -= wanted
        self._feed.send(wanted)

    def drain(self) -> None:
        """Wait until all that was sent has been read and booked, or kept."""
        self._feed.settle()
        ends = {str(partition): end for partition, end in self._brokers.ends(self.commands).items() if end}
        self._until(lambda: self._asked(lambda: self.books.tracked(f"kafka:main:{self.commands}:")) == ends)

    def dismiss(self) -> None:
        """Close what stands open in quarantine, as an operator does."""
        with Ledger.open(self.books.url) as ledger:
            for entry in list(ledger.quarantined()):
                ledger.submit([Submission(dismissal(entry.id, "not ours", book=book_of(entry.book)))])

    def dismiss_and_go_on(self) -> None:
        """The same, amidst messages that come in."""
        self.send_share(0.2)
        self.dismiss()
        self.send_share(0.5)

    # --- the round

    def run(self, script: Sequence[str] = ()) -> None:
        """All of it, with the injections of a script or else of the seed; raises what a check finds."""
        chosen = list(script) or self._drawn()
        for worker in self._workers:
            worker.start()
        # One more for the start, one for the end, and one for the time when the operator is at work.
        share = self._feed.left // (len(chosen) + 3)
        self._send_and_see(share)
        for name in chosen:
            self._share = share
            INJECTIONS[name](self, name)
            self._send_and_see(5)
        self._share = self._feed.left - share
        self.send_share()
        self.drain()
        self._check_parked()
        self._take_up()
        self._catch_up()
        self._stop()
        self._check()

    def _drawn(self) -> list[str]:
        """Some injections, in some order. A broker takes seconds to start, so it is killed in one round of three."""
        chosen = self.random.sample([name for name in INJECTIONS if name != BROKER], INJECTED)
        if self.random.random() < 1 / 3:
            chosen[self.random.randrange(INJECTED)] = BROKER
        return chosen

    def _send_and_see(self, count: int) -> None:
        """Send some messages, and see that the books still grow: what comes next is to meet work going on."""
        before = self._grown()
        self._share = count
        self.send_share()
        self._until(lambda: (self._asked(self._grown) or before) > before)

    def _grown(self) -> int:
        return sum(self.books.tracked("kafka:").values())

    def _take_up(self) -> None:
        """The operator dismisses what stands in quarantine, again and again, until nothing is parked behind it.

        Meanwhile the last messages come in, which must not overtake what is parked and free.
        """
        self._share = self._feed.left
        kill_taking_up(self, TAKING_UP)
        self.dismiss_and_go_on()
        self.send_share()
        self.drain()
        while True:
            self.dismiss()
            self._until(lambda: self._asked(self._open) or self._asked(self._parked) == 0)
            if not self._open():
                return

    def dismissed_would_free(self) -> bool:
        """Whether anything is parked."""
        return self._parked() > 0

    def _open(self) -> int:
        return int(self.books.rows("SELECT count(*) FROM quarantine WHERE status = 'open'")[0][0])

    def _parked(self) -> int:
        return int(self.books.rows("SELECT count(*) FROM parked")[0][0])

    def _catch_up(self) -> None:
        head = self.books.head()
        last = self.books.rows("SELECT coalesce(max(id), 0) FROM quarantine")[0][0]
        wanted = {"projections": head, f"outbound:{self.events}": head, f"dead-letter:{self.dead}": last}
        self._until(lambda: wanted.items() <= self.books.tracked("").items())

    def _stop(self) -> None:
        # One that has just been started dies of the signal as any program does.
        self._until(lambda: all(worker.is_up for worker in self._workers))
        for worker in self._workers:
            worker.terminate()
        codes = {worker.name: worker.ended() for worker in self._workers}
        assert not any(codes.values()), f"exit codes: {codes}"

    # --- checks

    def _check_parked(self) -> None:
        """Behind poison and conflicts wait the later messages of their customers, and nobody else's."""
        checks.check_register(self.books, expected(self.commands, self._feed.lies_there(), dismissed=False))

    def _check(self) -> None:
        topic = self._feed.lies_there()
        sent = {content.source_id for contents in topic.values() for content in contents}
        checks.same("all was sent", sent, {content.source_id for content in self.business.contents})
        wanted = expected(self.commands, topic, dismissed=True)
        checks.check_log(self.books, wanted)
        checks.check_register(self.books, wanted)
        checks.check_positions(self.books, self.commands, topic)
        checks.check_projections(self.books)
        self.counts["messages"] = sum(map(len, topic.values()))
        self.counts["events"] = self.books.head()
        self.counts["events published again"] = checks.check_outbound(self.books, self._brokers, self.events)
        checks.check_dead_letters(self.books, self._brokers, self.dead)
        self.counts["messages sent again"] = len(wanted.doubles)
        self.counts["messages before one they name"] = self.business.early
        self.counts["poison"] = self.business.poison
        self.counts["conflicts"] = self.business.conflicts
        self.counts["messages without a value"] = wanted.counted
        for worker in self._workers:
            self.counts.update(_heard(worker.log))

    # --- servers and workers

    def _made_workers(self) -> list[Worker]:
        environment = {
            "TIEOUT_DATABASE_URL": self.books.url,
            "TIEOUT_BOOK": BOOK,
            "TIEOUT_KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "TIEOUT_KAFKA_GROUP": self.name,
            "TIEOUT_KAFKA_COMMANDS_TOPIC": self.commands,
            "TIEOUT_KAFKA_EVENTS_TOPIC": self.events,
            "TIEOUT_KAFKA_DEAD_LETTERS_TOPIC": self.dead,
            "TIEOUT_WORKER_LISTEN": "",
            "TIEOUT_LOG_LEVEL": "info",
            "TIEOUT_LOG_FORMAT": "json",
        }
        parts = ["consume", "consume", "publish"] + ["project"] * self.random.choice([1, 2])
        return [Worker(f"{part}-{n}", part, environment, self.folder) for n, part in enumerate(parts)]

    def _until(self, condition: Callable[[], Any]) -> None:
        """Wait for something that the workers are to bring about."""

        def is_true() -> Any:
            failed = [worker.log for worker in self._workers if worker.has_failed]
            assert not failed, f"ended unasked: {failed}"
            return condition()

        until(is_true, DRAINED, 0.02)

    def _asked(self, question: Any) -> Any:
        """The answer, or None while the database cannot give it."""
        with suppress(psycopg.OperationalError):
            return question()
        return None

    def close(self, *, keep: bool) -> None:
        """Let go of everything; ``keep``: what the workers have said, and the database."""
        for worker in self._workers:
            worker.end()
        self._feed.close()
        if keep:
            return
        self.database.run(f"DROP DATABASE {self.name} WITH (FORCE)")
        self._brokers.admin.delete_topics([self.commands, self.events, self.dead])
        shutil.rmtree(self.folder)


def _heard(log: Path) -> Counter[str]:
    """How often a worker has said something of interest."""
    found: Counter[str] = Counter()
    for line in log.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            event = json.loads(line).get("event")
            if event in _HEARD:
                found[_HEARD[event]] += 1
    return found


def run(servers: Servers, seed: int, script: Sequence[str] = ()) -> Counter[str]:
    """Run one round; what was injected and seen. A failure says the seed, and where the workers' logs are."""
    one = Round(servers, seed)
    failed = True
    try:
        one.run(script)
        failed = False
    except Exception as error:
        error.add_note(f"seed {seed}, so far {dict(one.counts)}; what the workers said is in {one.folder}")
        raise
    finally:
        one.close(keep=failed)
    return one.counts
