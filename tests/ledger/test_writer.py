"""Group commit: many callers share commits, each gets its own outcomes."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from shop import invoice

from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Status, Submission
from ledger.writer import Writer


class Gate:
    """Holds up the commits of a ledger until told to go on; ``commits`` are their sizes."""

    def __init__(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits: list[int] = []
        self.is_in, self.go_on = Event(), Event()
        self._submit = ledger.submit
        monkeypatch.setattr(ledger, "submit", self.submit)

    def submit(self, batch: list[Submission], **how: Any) -> list[Outcome]:
        self.commits.append(len(batch))
        self.is_in.set()
        assert self.go_on.wait(30)
        return self._submit(batch, **how)


def test_each_caller_gets_the_outcomes_of_its_own_batch(ledger: Ledger) -> None:
    with Writer(ledger) as writer, ThreadPoolExecutor(16) as callers:

        def call(n: int) -> list[Outcome]:
            wrong = invoice(f"w{n}", 5, currency="USD")
            return writer.submit([Submission(invoice(str(n), 100 + n)), Submission(wrong)])

        answers = list(callers.map(call, range(200)))
    for n, (booked, refused) in enumerate(answers):
        assert (booked.status, booked.document) == (Status.BOOKED, f"invoice::{n}:1")
        assert refused.code == "rate_must_be_given"
    positions = [booked.position for booked, _ in answers]
    assert sorted(positions) == list(range(3, 203))  # type: ignore[type-var]


def test_what_queues_during_a_commit_is_booked_in_the_next_one(ledger: Ledger, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    gate = Gate(ledger, monkeypatch)
    with Writer(ledger) as writer:
        futures = [writer.enqueue([Submission(invoice("first", 1))])]
        assert gate.is_in.wait(30)
        futures += [writer.enqueue([Submission(invoice(str(n), 100))]) for n in range(50)]
        gate.go_on.set()
        assert all(future.result()[0].status == Status.BOOKED for future in futures)
    assert gate.commits == [1, 50]


def test_a_commit_is_of_bounded_size_but_for_one_callers_batch(ledger: Ledger, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    gate = Gate(ledger, monkeypatch)
    monkeypatch.setattr("ledger.writer.MAX_ENTRIES", 4)
    with Writer(ledger) as writer:
        futures = [writer.enqueue([Submission(invoice("first", 1))])]
        assert gate.is_in.wait(30)
        sizes = [3, 1, 2, 6, 1]
        for size in sizes:
            batch = [Submission(invoice(f"{len(futures)}-{n}", 100)) for n in range(size)]
            futures.append(writer.enqueue(batch))
        gate.go_on.set()
        assert [len(future.result()) for future in futures] == [1, *sizes]
    assert gate.commits == [1, 4, 2, 6, 1]


def test_an_error_reaches_every_caller_and_the_writer_goes_on(ledger: Ledger, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def fail(_: object, **how: object) -> None:
        raise OSError("no space left")

    with Writer(ledger) as writer:
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "submit", fail)
            with pytest.raises(OSError, match="no space left"):
                writer.submit([Submission(invoice("1", 100))])
        assert writer.submit([Submission(invoice("1", 100))])[0].status == Status.BOOKED


def test_a_closed_writer_takes_nothing_more(ledger: Ledger) -> None:
    writer = Writer(ledger)
    pending = writer.enqueue([Submission(invoice("1", 100))])
    writer.close()
    assert pending.result()[0].status == Status.BOOKED
    with pytest.raises(RuntimeError, match="closed"):
        writer.submit([Submission(invoice("2", 100))])


def test_all_or_nothing_shares_its_commit_with_nobody(ledger: Ledger, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    gate = Gate(ledger, monkeypatch)
    with Writer(ledger) as writer:
        futures = [writer.enqueue([Submission(invoice("first", 1))])]
        assert gate.is_in.wait(30)
        wrong = Submission(invoice("w", 5, currency="USD"))
        futures.append(writer.enqueue([Submission(invoice("a", 1))]))
        futures.append(writer.enqueue([Submission(invoice("b", 1)), wrong], whole=True))
        futures.append(writer.enqueue([Submission(invoice("c", 1))]))
        gate.go_on.set()
        found = [[outcome.status.value for outcome in future.result()] for future in futures]
    assert found == [["booked"], ["booked"], ["not_booked", "refused"], ["booked"]]
    assert gate.commits == [1, 1, 2, 1]


def test_whoever_waits_elsewhere_is_told_once_a_commit(ledger: Ledger, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    gate = Gate(ledger, monkeypatch)
    told: list[list[str]] = []
    with Writer(ledger, lambda bookings: told.append([booking.caller for booking in bookings])) as writer:
        writer.enqueue([Submission(invoice("first", 1))], "first")
        assert gate.is_in.wait(30)
        for n in range(3):
            writer.enqueue([Submission(invoice(str(n), 100))], str(n))
        gate.go_on.set()
    assert told == [["first"], ["0", "1", "2"]]
