"""Two writers at once: what neither could see when it decided is a commit that fails, and is decided again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from eventsourcing.persistence import OperationalError
from shop import Meanwhile, invoice, payment, refund, reversal, submit

from domain.commands import OpenBook
from ledger.commit import Commit
from ledger.ledger import AT_ONCE, Ledger
from ledger.outcomes import Outcome, Status


def statuses(outcomes: list[Outcome]) -> list[Status]:
    return [outcome.status for outcome in outcomes]


def test_a_document_that_arrives_while_a_fact_is_let_wait_for_it(
    pair: tuple[Ledger, Ledger], meanwhile: Meanwhile
) -> None:
    first, second = pair
    meanwhile(first, lambda: submit(second, payment("1", 50, customer="C2")))
    submit(first, reversal("payment", "1", customer="C2"))
    assert first.waiting() == []
    assert first.account("main", "C2", "CNY").items == {}


def test_a_fact_that_is_let_wait_while_its_document_arrives(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    meanwhile(first, lambda: submit(second, reversal("payment", "1", customer="C2")))
    assert statuses(submit(first, payment("1", 50, customer="C2"))) == [Status.BOOKED]
    assert first.waiting() == []
    assert first.account("main", "C2", "CNY").items == {}


def test_a_fact_that_waits_and_its_document_in_one_batch(pair: tuple[Ledger, Ledger]) -> None:
    first, second = pair
    assert statuses(submit(first, reversal("payment", "1"), payment("1", 50))) == [Status.WAITING, Status.BOOKED]
    assert second.waiting() == []


def test_what_is_refused_on_an_account_that_is_behind_is_decided_again(pair: tuple[Ledger, Ledger]) -> None:
    first, second = pair
    submit(first, invoice("1", 100))
    submit(second, payment("1", 80))
    # The first has not seen the payment: on what it remembers there is nothing to refund.
    submit(second, payment("2", 50))
    assert statuses(submit(first, refund("1", 30, nature="instruction", on="04-01"))) == [Status.BOOKED]


def test_other_accounts_do_not_disturb_each_other(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    submit(first, invoice("1", 100))
    decided = []
    meanwhile(first, lambda: decided.extend(submit(second, invoice("2", 7, customer="C2"))))
    (outcome,) = submit(first, payment("1", 100))
    assert outcome.status is Status.BOOKED
    # Positions are those of the log, not those that it had when the batch was decided.
    assert outcome.position is not None
    assert decided[0].position is not None
    assert decided[0].position < outcome.position == first.head().position


def test_who_loses_again_and_again_is_let_decide_while_nobody_else_can_commit(
    pair: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    lost = []

    def beaten(commit: Commit) -> object:
        """Somebody else books on the same account, each time before this one."""
        lost.append(submit(second, invoice(f"other-{len(lost)}", 1)))
        return write(commit)

    write = first.recorder.commit
    monkeypatch.setattr(first.recorder, "commit", beaten)
    assert statuses(submit(first, invoice("1", 100))) == [Status.BOOKED]
    assert len(lost) == AT_ONCE
    assert first.account("main", "C1", "CNY").version == AT_ONCE + 1


def test_nobody_commits_while_another_has_the_turn(pair: tuple[Ledger, Ledger]) -> None:
    first, second = pair
    with ThreadPoolExecutor(1) as pool:
        with first.recorder.turn():
            waiting = pool.submit(submit, second, invoice("1", 100))
            with pytest.raises(TimeoutError):
                waiting.result(timeout=1)
        assert statuses(waiting.result(timeout=30)) == [Status.BOOKED]


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``cut(ledger, done=…)``: the connection is lost over the next commit, before or after it is done."""

    def arrange(ledger: Ledger, *, done: bool, then: Callable[[], object] = lambda: None) -> None:
        commit = ledger.recorder.commit

        def lost(given: Commit) -> object:
            monkeypatch.setattr(ledger.recorder, "commit", commit)
            if done:
                commit(given)
            then()
            raise OperationalError("server closed the connection")

        monkeypatch.setattr(ledger.recorder, "commit", lost)

    return arrange


def test_a_commit_that_was_done_though_the_connection_was_lost(
    pair: tuple[Ledger, Ledger], cut: Callable[..., None]
) -> None:
    first, second = pair
    # Another writer goes on at once, and opens a book: the first must not believe that it has seen that.
    other = OpenBook(source="test", source_id="open-b", book="b", base_currency="USD")
    assert first.book("b") is None
    cut(first, done=True, then=lambda: submit(second, invoice("3", 5, customer="C3"), other))
    outcomes = submit(first, invoice("1", 100), reversal("payment", "9"))
    head = second.head().position
    assert statuses(outcomes) == [Status.BOOKED, Status.WAITING]
    # The other's events came after: an invoice, a book and its template.
    assert [outcome.position for outcome in outcomes] == [head - 4, head - 3]
    assert first.book("b") is not None
    assert statuses(submit(first, payment("1", 100))) == [Status.BOOKED]


def test_a_commit_that_was_not_done_is_not_believed(pair: tuple[Ledger, Ledger], cut: Callable[..., None]) -> None:
    first, _ = pair
    cut(first, done=False)
    with pytest.raises(OperationalError):
        submit(first, invoice("1", 100))
    assert statuses(submit(first, invoice("1", 100))) == [Status.BOOKED]


def test_an_operators_pause_is_seen_by_all(pair: tuple[Ledger, Ledger]) -> None:
    first, second = pair
    assert not first.is_paused("kafka")
    assert first.pause("kafka", "upstream is being repaired")
    assert not second.pause("kafka", "again")
    assert second.is_paused("kafka")
    assert not second.is_paused("publish")
    assert second.resume("kafka")
    assert not first.resume("kafka")
    assert not first.is_paused("kafka")
