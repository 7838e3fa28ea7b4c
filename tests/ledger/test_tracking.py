"""Positions that move from exactly where they are believed to be: no part of a batch is booked a second time."""

import pytest
from eventsourcing.persistence import Tracking
from shop import payment

from ledger.commit import Advance
from ledger.errors import StaleTracking
from ledger.ledger import Ledger
from ledger.outcomes import Acknowledged, Submission

NAME = "kafka:main:topic:0"
COUNTED = Acknowledged("main", "billing", "tombstone")


def stands_at(ledger: Ledger) -> int | None:
    return ledger.tracked(NAME).get(NAME)


def test_a_position_moves_on_from_where_it_stands(ledger: Ledger) -> None:
    for before, after in ((0, 10), (10, 11), (11, 400)):
        ledger.submit([COUNTED], tracking=(Advance(NAME, after, before),))
        assert stands_at(ledger) == after


@pytest.mark.parametrize("before", [0, 5, 9, 11])
def test_a_batch_that_begins_elsewhere_is_refused_whole_though_it_ends_beyond(ledger: Ledger, before: int) -> None:
    ledger.submit([COUNTED], tracking=(Advance(NAME, 10, 0),))
    head = ledger.head()
    with pytest.raises(StaleTracking):
        ledger.submit([Submission(payment("P1", 100)), COUNTED], tracking=(Advance(NAME, 20, before),))
    assert (ledger.head(), stands_at(ledger)) == (head, 10)


def test_one_partition_that_stands_elsewhere_holds_up_the_whole_batch(ledger: Ledger) -> None:
    other = "kafka:main:topic:1"
    ledger.submit([COUNTED], tracking=(Advance(NAME, 10, 0), Advance(other, 7, 0)))
    with pytest.raises(StaleTracking):
        ledger.submit([Submission(payment("P1", 100))], tracking=(Advance(NAME, 20, 10), Advance(other, 9, 6)))
    assert ledger.tracked("kafka:") == {NAME: 10, other: 7}
    ledger.submit([Submission(payment("P1", 100))], tracking=(Advance(NAME, 20, 10), Tracking(other, 9)))
    assert ledger.tracked("kafka:") == {NAME: 20, other: 9}


@pytest.mark.parametrize("before", [0, 10])
def test_a_writer_that_was_overtaken_after_it_had_looked_is_refused_by_the_database(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    if before:
        ledger.submit([COUNTED], tracking=(Advance(NAME, before, 0),))
    with Ledger.open(ledger.location) as late:
        monkeypatch.setattr(late, "_refuse_stale", lambda tracking: None)
        ledger.submit([COUNTED], tracking=(Advance(NAME, before + 3, before),))
        with pytest.raises(StaleTracking):
            late.submit([Submission(payment("P1", 100))], tracking=(Advance(NAME, before + 5, before),))
        assert stands_at(ledger) == before + 3
