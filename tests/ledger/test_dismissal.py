"""A message is dismissed from quarantine by an event, in whose commit its entry is closed: once, whoever else is at it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from shop import Meanwhile, dismissal, invoice, opened, payment, submit, unreadable

from domain.events import Event, MessageDismissed
from ledger.codec import decode
from ledger.database import Location
from ledger.ledger import Ledger
from ledger.outcomes import Outcome, Status, Submission
from ledger.quarantine import Quarantined, mark


def kept(ledger: Ledger, *messages: Any) -> list[int]:
    """Messages that go into quarantine; their entries there."""
    before = {entry.id for entry in ledger.quarantined(status=None)}
    ledger.submit(messages or [unreadable("main", "1")])
    return [entry.id for entry in ledger.quarantined(status=None) if entry.id not in before]


def entry_of(ledger: Ledger, entry: int) -> Quarantined:
    found = ledger.quarantined_entry(entry)
    assert found is not None
    return found


def dismissals(ledger: Ledger) -> list[tuple[str, Event]]:
    """Stream and event of all of them, in log order."""
    rows = ledger.recorder.select_notifications(start=None, limit=10_000)
    return [(row.originator_id, decode(row.topic, row.state)) for row in rows if row.topic == "message-dismissed.v1"]


def answers(outcomes: list[Outcome]) -> list[str]:
    return [outcome.code or outcome.status.value for outcome in outcomes]


def test_the_event_and_its_entry_say_the_same(ledger: Ledger) -> None:
    message = unreadable("main", '{"number": "7"}', source_id="A-7")
    [entry] = kept(ledger, message)
    [outcome] = submit(ledger, dismissal(entry, "a test row"))
    assert (outcome.status, outcome.events, outcome.document) == (Status.BOOKED, 1, None)
    closed = entry_of(ledger, entry)
    assert (closed.status, closed.reason, closed.position) == ("dismissed", "a test row", outcome.position)
    assert closed.raw == '{"number": "7"}'
    [(stream, event)] = dismissals(ledger)
    assert stream == f"quar:main:{entry}"
    assert event == MessageDismissed(
        source="desk",
        source_id=f"dismiss-{entry}",
        actor="wang",
        reason="a test row",
        entry=entry,
        message_source="shop",
        message_source_id="A-7",
        code="command_must_be_valid",
        digest=mark(message).hex(),
    )


def test_it_changes_nothing_that_others_decide_on(ledger: Ledger) -> None:
    [entry] = kept(ledger)
    generation = ledger.head().generation
    submit(ledger, dismissal(entry))
    assert ledger.head().generation == generation


def test_the_same_again_is_known_and_its_id_is_of_one_entry(ledger: Ledger) -> None:
    entry, other = kept(ledger, unreadable("main", "1"), unreadable("main", "2"))
    [first] = submit(ledger, dismissal(entry))
    # Why it is asked for is no part of what is asked for.
    for again in submit(ledger, dismissal(entry), dismissal(entry, "not ours")):
        assert (again.status, again.position) == (Status.DUPLICATE, first.position)
    assert entry_of(ledger, entry).reason == "sent by mistake"
    [conflict] = submit(ledger, dismissal(other, source_id=f"dismiss-{entry}"))
    assert answers([conflict]) == ["same_source_id_must_have_same_content"]


def test_what_is_not_there_or_not_open_or_of_another_book_is_refused(ledger: Ledger) -> None:
    mine, theirs = kept(ledger, unreadable("main", "1"), unreadable("other", "2"))
    refused = submit(ledger, dismissal(99), dismissal(theirs), dismissal(mine, book="other"))
    assert answers(refused) == ["entry_must_exist", "entry_must_exist", "book_must_exist"]
    assert [(one.field, one.value) for one in refused] == [("entry", "99"), ("entry", str(theirs)), ("book", "other")]
    submit(ledger, dismissal(mine))
    assert answers(submit(ledger, dismissal(mine, source_id="again"))) == ["entry_must_be_open"]
    assert len(dismissals(ledger)) == 1
    assert entry_of(ledger, theirs).status == "open"


@pytest.mark.parametrize(
    ("named", "book"), [("nobodys", "nobodys"), ("", ""), ("Main:1", "")], ids=["not opened", "none", "no name"]
)
def test_a_message_of_no_book_of_ours_can_be_dismissed(ledger: Ledger, named: str, book: str) -> None:
    [entry] = kept(ledger, unreadable(named, "1", source=""))
    assert answers(submit(ledger, dismissal(entry), dismissal(entry, book=book))) == ["entry_must_exist", "booked"]
    assert entry_of(ledger, entry).status == "dismissed"
    [(stream, event)] = dismissals(ledger)
    assert stream == f"quar:{book}:{entry}"
    assert isinstance(event, MessageDismissed)
    assert event.message_source is None


def test_the_same_message_again_stays_dismissed(ledger: Ledger) -> None:
    [entry] = kept(ledger)
    submit(ledger, dismissal(entry))
    assert kept(ledger) == []
    assert entry_of(ledger, entry).status == "dismissed"


def test_what_is_parked_behind_it_is_let_go(ledger: Ledger) -> None:
    bad = invoice("1", 100, customer="C1", currency="USD")
    ledger.submit([Submission(bad, "t:0", True, "t:C1"), Submission(payment("1", 5), "t:1", True, "t:C1")])
    [held] = ledger.quarantined()
    assert ledger.freed_lanes() == []
    submit(ledger, dismissal(held.id))
    assert ledger.freed_lanes() == ["t:C1"]


# --- within one batch


def test_two_in_one_batch(ledger: Ledger) -> None:
    [entry] = kept(ledger)
    assert answers(submit(ledger, dismissal(entry), dismissal(entry, source_id="other"))) == [
        "booked",
        "entry_must_be_open",
    ]


def test_what_the_batch_has_booked_is_not_open_any_more(ledger: Ledger) -> None:
    right = invoice("1", 100)
    [entry] = kept(ledger, unreadable("main", "{", source=right.source, source_id=right.source_id))
    [booked, _] = outcomes = submit(ledger, right, dismissal(entry))
    assert answers(outcomes) == ["booked", "entry_must_be_open"]
    assert (entry_of(ledger, entry).status, entry_of(ledger, entry).position) == ("booked", booked.position)


def test_what_the_batch_has_dismissed_is_not_booked_as_well(ledger: Ledger) -> None:
    right = invoice("1", 100)
    [entry] = kept(ledger, unreadable("main", "{", source=right.source, source_id=right.source_id))
    assert answers(submit(ledger, dismissal(entry), right)) == ["booked", "booked"]
    assert entry_of(ledger, entry).status == "dismissed"


def test_the_code_is_the_one_that_it_stands_there_for_by_then(ledger: Ledger) -> None:
    [entry] = kept(ledger)
    again = unreadable("main", "1", code="customer_must_be_given")
    assert answers(ledger.submit([again, Submission(dismissal(entry))])) == ["customer_must_be_given", "booked"]
    [(_, event)] = dismissals(ledger)
    assert isinstance(event, MessageDismissed)
    assert event.code == entry_of(ledger, entry).code == "customer_must_be_given"


def test_a_batch_that_is_booked_as_a_whole_or_not_at_all(ledger: Ledger) -> None:
    [entry] = kept(ledger)
    outcomes = submit(ledger, dismissal(entry), dismissal(99), whole=True)
    assert answers(outcomes) == ["not_booked", "entry_must_exist"]
    assert entry_of(ledger, entry).status == "open"
    assert dismissals(ledger) == []


def test_a_rehearsal_writes_nothing(ledger: Ledger) -> None:
    [entry] = kept(ledger)
    outcomes, recorded = ledger.rehearse([Submission(dismissal(entry))])
    assert answers(outcomes) == ["booked"]
    assert [type(one.event) for one in recorded] == [MessageDismissed]
    assert entry_of(ledger, entry).status == "open"


# --- two at the same time


@pytest.mark.parametrize(
    ("theirs", "answer"),
    [
        (lambda entry: dismissal(entry), "duplicate"),
        (lambda entry: dismissal(entry, source_id="theirs", actor="li"), "entry_must_be_open"),
    ],
    ids=["the same", "another"],
)
def test_of_two_at_the_same_time_one_is_booked(
    pair: tuple[Ledger, Ledger], meanwhile: Meanwhile, theirs: Callable[[int], Any], answer: str
) -> None:
    first, second = pair
    [entry] = kept(first)
    done: list[Outcome] = []
    meanwhile(first, lambda: done.extend(submit(second, theirs(entry))))
    assert answers(submit(first, dismissal(entry))) == [answer]
    assert answers(done) == ["booked"]
    assert len(dismissals(first)) == 1
    assert entry_of(first, entry).position == done[0].position


def test_what_is_booked_meanwhile_is_not_dismissed(pair: tuple[Ledger, Ledger], meanwhile: Meanwhile) -> None:
    first, second = pair
    right = invoice("1", 100)
    [entry] = kept(first, unreadable("main", "{", source=right.source, source_id=right.source_id))
    meanwhile(first, lambda: submit(second, right))
    assert answers(submit(first, dismissal(entry))) == ["entry_must_be_open"]
    assert dismissals(first) == []
    assert entry_of(first, entry).status == "booked"


def test_what_comes_meanwhile_with_another_fault_is_told_with_that(
    pair: tuple[Ledger, Ledger], meanwhile: Meanwhile
) -> None:
    first, second = pair
    [entry] = kept(first)
    meanwhile(first, lambda: kept(second, unreadable("main", "1", code="customer_must_be_given")))
    assert answers(submit(first, dismissal(entry))) == ["booked"]
    [(_, event)] = dismissals(first)
    assert isinstance(event, MessageDismissed)
    assert event.code == "customer_must_be_given"


def test_others_of_the_same_book_do_not_disturb_each_other(
    pair: tuple[Ledger, Ledger], meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    mine, theirs = kept(first, unreadable("main", "1"), unreadable("main", "2"))
    decided: list[object] = []
    look_up = first._look_up
    monkeypatch.setattr(first, "_look_up", lambda named: decided.append(named) or look_up(named))
    meanwhile(first, lambda: submit(second, dismissal(theirs)))
    assert answers(submit(first, dismissal(mine))) == ["booked"]
    assert len(decided) == 1


def test_of_many_writers_one_dismisses_each_entry(store: Location) -> None:
    writers, entries = 4, 12
    with opened(store) as ledger:
        numbers = kept(ledger, *(unreadable("main", str(n)) for n in range(entries)))
        together = Barrier(writers)

        def write(writer: int) -> list[Outcome]:
            with Ledger.open(store) as own:
                together.wait()
                return [submit(own, dismissal(n, source_id=f"{writer}-{n}", actor=f"w{writer}"))[0] for n in numbers]

        with ThreadPoolExecutor(writers) as pool:
            found = list(pool.map(write, range(writers)))
        for n, of_entry in zip(numbers, zip(*found, strict=True), strict=True):
            assert sorted(answers(list(of_entry))) == ["booked"] + ["entry_must_be_open"] * (writers - 1)
            [booked] = [one for one in of_entry if one.status is Status.BOOKED]
            assert entry_of(ledger, n).position == booked.position
        assert len(dismissals(ledger)) == entries
