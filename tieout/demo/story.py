"""``tieout demo``: a fresh store, a year of deliveries on a simulated clock, and then the questions one would ask.

Everything goes the way that a user's own files go: the import books, the projections follow, the reader answers.
"""

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from shlex import quote
from shutil import which
from time import monotonic
from zoneinfo import ZoneInfo

from consumers.commands import parse_command
from consumers.mapping import load_mapping
from consumers.tables import Summary, import_file
from domain.documents import is_house
from ledger.ledger import Ledger
from ledger.outcomes import token
from ledger.store import create
from projections.answers import AgeingRow, AsOf, Balance, ExplainedPosting, Statement
from projections.follow import follow
from projections.reader import Reader
from projections.replay import replay
from tieout.cli import output
from tieout.demo.scenes import Scene, retail, wholesale
from tieout.errors import Exit, NotFound
from tieout.messages import Lang, Texts
from tieout.render.accounts import by_account, control_table, trial_balance_table
from tieout.render.amounts import count, money
from tieout.render.outcomes import quarantine_table, summary_table
from tieout.render.receivables import ageing_table, statement_table
from tieout.render.traces import explanation_table

STORE = "demo.sqlite"
LARGEST = 10
"""Customers in the list of those that owe most."""
_QUARANTINE_SHOWN = 20
_LINES_SHOWN = 5
_MOVEMENTS = range(6, 26)
"""How many movements a statement has that is worth reading, where the customer is to be found."""


def run_demo(directory: Path, lang: Lang, *, is_retail: bool = False, seed: int = 1, customers: int = 200) -> Exit:
    """Play the demo in a folder, whose ``demo.sqlite`` is made anew.

    UNPROVED if any of its proofs fails, NOT_FOUND where real sales are asked for and the sample data is not there.
    """
    started = monotonic()
    texts = Texts(lang)
    files = directory / "deliveries"
    try:
        scene = retail(files) if is_retail else wholesale(files, seed, customers)
    except NotFound as missing:
        output.note(texts(missing.key, **missing.values))
        return missing.exit
    store = directory / STORE
    for name in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        (directory / name).unlink(missing_ok=True)
    create(store)
    with Ledger.open(store) as ledger:
        story = _Story(scene, ledger, store, texts)
        story.tell()
    story.end(monotonic() - started)
    return Exit.OK if story.proved else Exit.UNPROVED


class _Story:
    """The demo's steps, in order; ``proved`` stays true as long as every proof holds."""

    def __init__(self, scene: Scene, ledger: Ledger, store: Path, texts: Texts) -> None:
        self.scene = scene
        self.ledger = ledger
        self.store = store
        self.texts = texts
        self.base: str = scene.opening["base_currency"]
        self.names = {party.customer: party.name for party in scene.parties}
        self.proved = True
        self._steps = 0

    def tell(self) -> None:
        """All of it."""
        self.say(self.scene.title, **self.scene.title_values)
        self.say("demo.store", store=self.store)
        self.open()
        self.take_in()
        self.follow()
        with Reader(self.store) as reader:
            self.waited(reader)
            rows = self.ageing(reader)
            statement = self.statement(reader, rows)
            self.explain(reader, statement)
            self.two_clocks(reader)
            self.trial_balance(reader)
            self.control(reader)
        self.again()

    def say(self, key: str, **values: object) -> None:
        output.write(self.texts(key, **values))

    def step(self, key: str, **values: object) -> None:
        self._steps += 1
        output.write("")
        self.say("demo.step", number=self._steps, title=self.texts(key, **values))
        output.write("")

    def open(self) -> None:
        """The book, and the customers' names beside it."""
        self.step("demo.step.book")
        nights = [now_us for _, now_us in self.scene.files]
        [outcome] = self.ledger.submit([parse_command(self.scene.opening, origin="demo")], now_us=nights[0] - 1)
        assert outcome.status == "booked"
        known = self.ledger.put_parties(self.scene.parties)
        time_zone = self.scene.opening["time_zone"]
        self.say("demo.book", book=self.scene.book, currency=self.base, time_zone=time_zone, parties=known)

    def take_in(self) -> None:
        """Every delivery through the import, each recorded in its own night."""
        self.step("demo.step.import")
        files = self.scene.files
        first, last = (_day_of(now_us) for now_us in (files[0][1], files[-1][1]))
        self.say("demo.deliveries", count=len(files), first=first, last=last)
        mapping = load_mapping(self.scene.mapping) if self.scene.mapping else None
        totals = Summary(file_digest="")
        expected = sum(path.read_bytes().count(b"\n") for path, _ in files)
        started = monotonic()
        with output.bar(self.texts("demo.importing"), self.texts("unit.rows")) as told:
            for path, now_us in files:
                summary = import_file(self.ledger, path, book=self.scene.book, mapping=mapping, now_us=now_us)
                for name in ("rows", "commands", "booked", "duplicate", "waiting", "conflict", "refused"):
                    setattr(totals, name, getattr(totals, name) + getattr(summary, name))
                if told is not None:
                    told(totals.rows, expected)
        totals.seconds = monotonic() - started
        kept = list(self.ledger.quarantined(self.scene.book, status=None))
        totals.quarantined = sum(entry.status == "open" for entry in kept)
        output.show(summary_table(totals, self.texts))
        if kept:
            self.say("demo.quarantine")
            output.show(quarantine_table(kept[:_QUARANTINE_SHOWN], self.texts))
            if len(kept) > _QUARANTINE_SHOWN:
                self.say("demo.quarantine_more", count=len(kept) - _QUARANTINE_SHOWN)

    def follow(self) -> None:
        """The projections, from nothing to the head of the log."""
        started = monotonic()
        with output.bar(self.texts("word.following"), self.texts("unit.events")) as told:
            position = follow(self.store, told)
        self.say("demo.followed", events=count(position), seconds=_seconds(monotonic() - started))

    def waited(self, reader: Reader) -> None:
        """What came before the document that it names, and whether that has come."""
        kinds = Counter(row.kind for row in reader.audit(self.scene.book))
        waiting = kinds["fact-deferred"]
        if waiting:
            self.say("demo.applied", waiting=waiting, left=waiting - kinds["deferred-fact-applied"])

    def ageing(self, reader: Reader) -> list[AgeingRow]:
        """In total, and of the customers that owe most, which are given back."""
        scene = self.scene
        self.step("demo.step.ageing", day=scene.day)
        as_of = AsOf(scene.day)
        self.say("demo.ageing_total")
        output.show(ageing_table(reader.ageing_totals(scene.book, as_of), self.texts))
        rows = sorted(reader.ageing(scene.book, as_of), key=lambda row: -row.base_net)
        self.say("demo.ageing_largest", count=LARGEST)
        output.show(ageing_table(rows[:LARGEST], self.texts, self.names))
        return rows

    def statement(self, reader: Reader, rows: Sequence[AgeingRow]) -> Statement:
        """The statement of the customer whose story is told."""
        self.step("demo.step.statement")
        statement = self._found(reader, rows)
        output.show(statement_table(statement, self.texts, self.names.get(statement.customer, "")))
        return statement

    def _found(self, reader: Reader, rows: Sequence[AgeingRow]) -> Statement:
        """The statement of the scene's customer, or else of one with a credit note and neither few nor many movements."""
        scene = self.scene
        named = [row for row in rows if row.customer == scene.customer]
        others = [row for row in rows if row.customer is not None and not is_house(row.customer)]
        found: Statement | None = None
        for row in named or others:
            assert row.customer is not None
            statement = reader.statement(scene.book, row.customer, row.currency, scene.first, AsOf(scene.day))
            credited = any(movement.kind == "credit-note-issued" for movement in statement.movements)
            if named or (credited and len(statement.movements) in _MOVEMENTS):
                return statement
            found = found or statement
        assert found is not None, "nobody owes anything"
        return found

    def explain(self, reader: Reader, statement: Statement) -> None:
        """The customer's receivable balance: its postings, and the very message behind the last of them."""
        self.step("demo.step.explain")
        scene = self.scene
        balances = reader.balances(scene.book, statement.customer, statement.currency, AsOf(scene.day))
        balance = next(one for one in balances if one.role == "receivable")
        shown = money(balance.amount, balance.currency)
        self.say("demo.explain", customer=balance.customer, amount=shown, account=balance.account, day=scene.day)
        postings = list(reader.explain(balance.explain["amount"]).postings)
        output.show(explanation_table(postings, balance.currency, self.texts))
        self._tie_out(balance, postings)
        self._message(postings[-1])

    def _tie_out(self, balance: Balance, postings: Sequence[ExplainedPosting]) -> None:
        summed = sum(posting.contribution for posting in postings)
        in_base = sum(posting.base_contribution for posting in postings)
        amount = money(summed, balance.currency)
        if (summed, in_base) == (balance.amount, balance.base_amount):
            self.say("demo.ties", count=len(postings), amount=amount)
        else:
            self.proved = False
            whole = money(balance.amount, balance.currency)
            self.say("demo.broken", count=len(postings), amount=amount, balance=whole)

    def _message(self, posting: ExplainedPosting) -> None:
        """The lines of the file that a posting's origin names; of a document of many lines the first ones."""
        _, digest, lines = (posting.origin or "").split(":")
        first, _, last = lines.split(",")[0].partition("-")
        for path, _ in self.scene.files:
            content = path.read_bytes()
            if sha256(content).hexdigest() == digest:
                self.say("demo.message", line=lines, file=path)
                for text in content.splitlines()[int(first) - 1 : int(last or first)][:_LINES_SHOWN]:
                    output.write(text.decode())
                return
        raise AssertionError(f"{posting.origin} is none of the deliveries")

    def two_clocks(self, reader: Reader) -> None:
        """The ageing of one day, as known at its end and as known now."""
        self.step("demo.step.clocks")
        scene = self.scene
        zone = ZoneInfo(scene.opening["time_zone"])
        end = datetime.combine(scene.earlier + timedelta(1), time(), zone) - timedelta(microseconds=1)
        known = reader.position_at(end)
        self.say("demo.clocks", day=scene.earlier, known_on=scene.earlier, position=token(known))
        output.show(ageing_table(reader.ageing_totals(scene.book, AsOf(scene.earlier, known)), self.texts))
        since = reader.position - known
        self.say("demo.clocks_now", position=token(reader.position), count=count(since))
        output.show(ageing_table(reader.ageing_totals(scene.book, AsOf(scene.earlier)), self.texts))

    def trial_balance(self, reader: Reader) -> None:
        """By account and currency."""
        scene = self.scene
        self.step("demo.step.trial", first=scene.first, day=scene.day)
        rows = reader.trial_balance(scene.book, scene.first, AsOf(scene.day))
        output.show(trial_balance_table(by_account(rows), self.texts, self.base))
        if any(row.dimensions for row in rows):
            self.say("demo.trial")

    def control(self, reader: Reader) -> None:
        """Subledger = control for every pair; shown by account and currency."""
        self.step("demo.step.control")
        rows = reader.control(self.scene.book)
        output.show(control_table(by_account(rows), self.texts))
        holding = sum(row.holds for row in rows)
        self.say("demo.control", count=len(rows), holding=holding)
        self.proved = self.proved and holding == len(rows)

    def again(self) -> None:
        """A full replay beside what is stored."""
        self.step("demo.step.replay")
        with output.bar(self.texts("word.replaying"), self.texts("unit.events")) as told:
            report = replay(self.store, told)
        compared = {
            "events": count(report.events),
            "rows": count(sum(report.rows.values())),
            "tables": len(report.rows),
        }
        if report.identical:
            self.say("demo.identical", **compared)
        else:
            self.proved = False
            self.say("demo.differs", differences=report.differences, **compared)

    def end(self, seconds: float) -> None:
        """How long it took, and how to go on."""
        output.write("")
        self.say("demo.done", seconds=_seconds(seconds))
        self.say("demo.further")
        for question in ("status", f"ageing --total --as-of {self.scene.day}", "quarantine list", "replay"):
            output.write(f"  {_program()} --store {quote(str(self.store))} {question}")


def _program() -> str:
    """How this program is called from here: by its name where that is on the path, else by where it lies."""
    beside = Path(sys.executable).with_name("tieout")
    if which("tieout") is not None or not beside.is_file():
        return "tieout"
    return quote(str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside))


def _day_of(now_us: int) -> date:
    return datetime.fromtimestamp(now_us // 1_000_000, UTC).date()


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}"
