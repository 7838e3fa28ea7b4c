"""What the writer remembers is what the log says: restarts, snapshots, other writers."""

import subprocess
import sys
from pathlib import Path

from shop import allocation, invoice, opened, payment, submit

import ledger.state
from domain.account import payload
from domain.commands import OpenBook
from ledger.codec import SNAPSHOT_TOPIC
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission


def test_a_restart_changes_nothing(store: Location) -> None:
    with opened(store) as first:
        submit(first, invoice("1", 100), payment("1", 70))
        before = payload(first.account("main", "C1", "CNY"))
    with opened(store) as second:
        assert payload(second.account("main", "C1", "CNY")) == before
        submit(second, payment("2", 30))
        assert second.account("main", "C1", "CNY").items == {}


def test_a_long_account_is_loaded_from_its_snapshot(store: Location, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(ledger.state, "SNAPSHOT_EVERY", 10)
    with opened(store) as first:
        for n in range(12):
            submit(first, invoice(str(n), 100 + n), payment(str(n), 99))
        (row,) = first._connection.execute("SELECT originator_version, topic FROM snapshots").fetchall()
        assert row[1] == SNAPSHOT_TOPIC
        assert row[0] >= 30
        with_snapshot = payload(first.account("main", "C1", "CNY"))
    with opened(store) as second:
        submit(second, payment("last", 1))
        after = payload(second._state.account("main", "C1", "CNY"))
        second._connection.execute("DELETE FROM snapshots")
        assert payload(second.account("main", "C1", "CNY")) == after
    assert with_snapshot["version"] < after["version"]


def test_a_snapshot_of_an_unknown_version_is_ignored(store: Location) -> None:
    with opened(store) as first:
        submit(first, invoice("1", 100))
        stream = "acct:main:C1:CNY"
        first._connection.execute("INSERT INTO snapshots VALUES (?, 7, 'account-state.v99', '{}')", (stream,))
    with opened(store) as second:
        submit(second, payment("1", 40))
        assert second._state.account("main", "C1", "CNY").items["invoice::1:1#1"].open == 60


def test_a_failed_commit_leaves_no_trace_in_memory(ledger: Ledger, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    submit(ledger, invoice("1", 100))
    before = payload(ledger.account("main", "C1", "CNY"))

    def disk_full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.recorder, "commit", disk_full)
        try:
            submit(ledger, payment("1", 40))
        except OSError:
            pass
        else:
            raise AssertionError("the error was swallowed")
    assert payload(ledger.account("main", "C1", "CNY")) == before
    assert submit(ledger, payment("1", 40))[0].status == Status.BOOKED
    stored = ledger.account("main", "C1", "CNY")
    assert stored.items["invoice::1:1#1"].open == 60
    assert payload(ledger._state.account("main", "C1", "CNY")) == payload(stored)
    assert stored.version == 3  # An invoice, a payment, its allocation: no version was left out.


def test_memory_equals_the_log(ledger: Ledger) -> None:
    submit(ledger, invoice("1", 100), payment("1", 30, on="01-01"), allocation("none", policy="proportional"))
    stored = ledger.account("main", "C1", "CNY")
    assert payload(ledger._state.account("main", "C1", "CNY")) == payload(stored)


WRITER = """
import sys
from shop import invoice, payment
from ledger.ledger import Ledger
from ledger.outcomes import Submission, Status
who, path = sys.argv[1], sys.argv[2]
with Ledger.open(path) as ledger:
    for n in range(60):
        batch = [invoice(f"{who}-{n}", 100), invoice(f"both-{n}", 7), payment(f"{who}-{n}", 50)]
        for outcome in ledger.submit([Submission(command) for command in batch]):
            assert outcome.status in (Status.BOOKED, Status.DUPLICATE), outcome
"""


def test_two_processes_write_to_one_store_and_nothing_is_lost_or_doubled(store: Location) -> None:
    with opened(store) as first:
        support = str(Path(__file__).parents[1] / "support")
        root = str(Path(__file__).parents[2])
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, who, str(store)],
                env={"PYTHONPATH": f"{root}:{support}", "PATH": ""},
                stderr=subprocess.PIPE,
                text=True,
            )
            for who in ("a", "b")
        ]
        for writer in writers:
            _, error = writer.communicate(timeout=120)
            assert writer.returncode == 0, error
        documents = first._connection.execute(
            "SELECT count(*) FROM documents WHERE document LIKE 'invoice%'"
        ).fetchone()
        assert documents == (180,)
        positions = [p for (p,) in first._connection.execute("SELECT position FROM events ORDER BY position")]
        assert positions == list(range(1, first.head().position + 1))
        found = first.account("main", "C1", "CNY")
        assert sum(i.open if i.side == "D" else -i.open for i in found.items.values()) == 120 * 100 + 60 * 7 - 120 * 50
        # This process remembered an older head.
        assert submit(first, payment("late", 1))[0].status == Status.BOOKED


def test_a_commit_without_events_is_seen_by_the_other_writer_too(store: Location) -> None:
    with opened(store) as first, Ledger.open(store) as second:
        submit(first, invoice("1", 100))
        wrong = Submission(invoice("2", 5, currency="USD"), quarantine=True)
        by_kafka = invoice("1", 100, source="kafka", source_id="m1")
        assert submit(second, payment("1", 1))[0].status == Status.BOOKED
        # From here on each remembers the same head; then the first writes a receipt and a quarantine entry, no event.
        assert submit(first, payment("2", 1))[0].status == Status.BOOKED
        assert submit(second, invoice("0", 7))[0].status == Status.BOOKED
        first.submit([Submission(by_kafka), wrong])
        assert submit(second, by_kafka)[0].status == Status.DUPLICATE
        submit(second, invoice("2", 5, currency="USD", rate="7"))
        assert list(second.quarantined()) == []


def test_a_batch_is_decided_again_when_another_writer_came_between(store: Location, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    with opened(store) as first, Ledger.open(store) as second:
        submit(second, invoice("0", 1))
        commit, others = first.recorder.commit, [invoice("1", 100), payment("1", 100)]

        def late(*arguments: object, **options: object) -> object:
            if others:
                submit(second, others.pop(0))
            return commit(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(first.recorder, "commit", late)
        outcomes = submit(first, invoice("1", 100), invoice("2", 40))
        assert [o.status for o in outcomes] == [Status.DUPLICATE, Status.BOOKED]
        monkeypatch.undo()
        # Twice the other writer came first: its payment has settled invoice 0 and all but 1 of invoice 1.
        assert sum(item.open for item in first.account("main", "C1", "CNY").items.values()) == 41


def test_other_books_are_other_streams(ledger: Ledger) -> None:
    other = OpenBook(source="test", source_id="open-b", book="b", base_currency="USD")
    elsewhere = invoice("1", 40, currency="USD", source_id="in-b", book="b")
    outcomes = ledger.submit([Submission(c) for c in (other, invoice("1", 100), elsewhere)])
    assert [o.status for o in outcomes] == [Status.BOOKED] * 3
    assert [book.book for book in ledger.books()] == ["main", "b"]
    assert ledger.account("b", "C1", "USD").stream == "acct:b:C1:USD"
