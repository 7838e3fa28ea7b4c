"""A million generated documents: import and balance in absolute terms beside hledger, and what needs so large a store."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from benchmarks import ageing, rebuilding
from benchmarks.importing import new_store, write_documents
from benchmarks.measure import Measure, seconds
from consumers.tables import import_file
from domain.documents import parse_account_stream
from domain.events import Voucher
from domain.money import minor_digits
from ledger.codec import decode
from ledger.store import connect
from projections.follow import follow
from projections.reader import Reader


def run(folder: Path, quick: bool) -> Iterator[Measure]:
    """Import, balance, hledger; then ageing, rebuild and its memory on the same store."""
    count = 20_000 if quick else 1_000_000
    store = folder / "large.sqlite"
    importing = _import(folder, store, count)
    following = seconds(lambda: follow(store))
    started = perf_counter()
    with Reader(store) as reader:
        balances = len(reader.balances("demo"))
    balance = perf_counter() - started
    detail = (
        f"{count} documents: import {importing:.1f} s, follow {following:.1f} s, {balances} balances {balance:.2f} s"
    )
    yield Measure(name="million_import_follow_balance_s", ratio=importing + following + balance, detail=detail)
    yield from _hledger(folder, store)
    yield from ageing.run(store, "demo")
    yield from rebuilding.time(store)
    small = folder / "small.sqlite"
    _import(folder, small, count // 10)
    yield from rebuilding.memory(store, small)


def _import(folder: Path, store: Path, count: int) -> float:
    file = write_documents(folder / "documents.jsonl", count)
    with new_store(store) as ledger:
        taken = seconds(lambda: import_file(ledger, file, book="demo"))
        assert sum(1 for _ in ledger.quarantined()) == 0
    return taken


def _hledger(folder: Path, store: Path) -> Iterator[Measure]:
    """``hledger balance`` over the same postings, a transaction a voucher, where hledger is installed."""
    if shutil.which("hledger") is None:
        return
    journal = folder / "all.journal"
    transactions = _write_journal(store, journal)
    command = ["hledger", "-f", str(journal), "balance", "1122", "--depth", "1"]
    taken = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    yield Measure(name="million_hledger_balance_s", ratio=taken, detail=f"{transactions} transactions of the same log")


def _write_journal(store: Path, journal: Path) -> int:
    """The log as a journal for hledger: postings of all events of a command together, amounts in their currency."""
    connection = connect(store, read_only=True)
    rows = connection.execute("SELECT originator_id, topic, state FROM events ORDER BY position")
    transactions, previous = 0, ""
    with journal.open("w", encoding="utf-8") as out:
        for stream, topic, state in rows:
            event, name = decode(topic, state), parse_account_stream(stream)
            if name is None or not isinstance(event, Voucher):
                continue
            # Events of one command are of one voucher, but a transaction has one date.
            head = f"{event.effective_on} {event.source_id}\n"
            if head != previous:
                out.write(f"\n{head}")
                previous = head
                transactions += 1
            digits = minor_digits(name.currency)
            for posting in event.postings:
                amount = posting.amount if posting.side == "D" else -posting.amount
                whole, part = divmod(abs(amount), 10**digits)
                text = f"{'-' if amount < 0 else ''}{whole}" + (f".{part:0{digits}}" if digits else "")
                out.write(f"    {posting.account}:{name.customer}  {name.currency} {text}\n")
    connection.close()
    return transactions
