"""One record → entries: whatever a message and an adapter do, something is kept, with origin and lane."""

from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from members import bare

from consumers.adapters.adapter import Entry
from consumers.kafka.backoff import Backoff
from consumers.kafka.messages import Feed, entries, key_text, place_of
from domain.commands import COMMAND
from ledger.outcomes import Acknowledged, Submission, Unreadable


class Record(NamedTuple):
    value: bytes | None = b"{}"
    key: bytes | None = b"C1"
    headers: Any = ()
    topic: str = "shop"
    partition: int = 2
    offset: int = 7


class Adapter:
    """Answers what it is given, or fails."""

    def __init__(self, *answers: Entry | Exception) -> None:
        self.answers = answers
        self.asked: list[Any] = []

    def read(self, data: bytes, *, origin: str, lane: str | None = None, key: str | None = None) -> list[Entry]:
        self.asked.append((data, origin, lane, key))
        found: list[Entry] = []
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
            found.append(answer)
        return found


def one(record: Any, feed: Feed = Feed()) -> Entry:
    [entry] = entries(record, feed)
    return entry


def test_a_command_has_the_origin_and_the_lane_of_its_message() -> None:
    found = one(Record(bare("P1", "C1")))
    assert isinstance(found, Submission)
    assert (found.origin, found.lane, found.quarantine) == ("kafka:shop:2:7", "shop:C1", True)
    assert one(Record(bare("P1", "C1"), key=None)).lane == "shop/2"  # type: ignore[union-attr]


def test_a_feed_for_one_book_takes_commands_of_no_other() -> None:
    assert isinstance(one(Record(bare("P1", "C1")), Feed(book="main")), Submission)
    found = one(Record(bare("P1", "C1")), Feed(book="other"))
    assert isinstance(found, Unreadable)
    assert (found.book, found.field) == ("other", "book")


def test_an_adapter_is_given_the_message_and_its_entries_get_origin_and_lane() -> None:
    command = COMMAND.validate_json(bare("P1", "C1"))
    odd = Unreadable("main", "a\0b", "i\ud800", "", "code", "f\0", "v\0", "r", '"x"')
    adapter = Adapter(Submission(command), odd, Acknowledged("main", "shop", "k\0"))
    first, second, third = entries(Record(b"text"), Feed("main", adapter))
    assert adapter.asked == [(b"text", "kafka:shop:2:7", "shop:C1", "C1")]
    assert first == Submission(command, "kafka:shop:2:7", True, "shop:C1")
    assert isinstance(second, Unreadable)
    assert (second.origin, second.lane) == ("kafka:shop:2:7", "shop:C1")
    assert (second.source, second.source_id, second.field) == ("a\ufffdb", "i?", "f\ufffd")
    assert third == Acknowledged("main", "shop", "k\ufffd")


@pytest.mark.parametrize("adapter", [Adapter(ValueError("secret")), Adapter(), Adapter(RecursionError())])
def test_a_message_that_an_adapter_fails_with_is_kept(adapter: Adapter) -> None:
    found = one(Record(b'{"id": 1}'), Feed("main", adapter))
    assert isinstance(found, Unreadable)
    assert (found.code, found.book, found.lane) == ("unexpected_error_must_be_reported", "main", "shop:C1")
    assert found.raw == '{"id": 1}'
    assert "secret" not in str(found)


@pytest.mark.parametrize("feed", [Feed(), Feed("main", Adapter(ValueError()))])
def test_a_tombstone_is_counted(feed: Feed) -> None:
    assert one(Record(None), feed) == Acknowledged(feed.book or "", "shop", "tombstone")


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_keys_that_differ_are_different_lanes_that_any_database_holds(one: bytes, other: bytes) -> None:
    text = key_text(one)
    assert "\0" not in text
    assert len(text) <= 200
    assert text.encode().decode() == text
    if one != other and b"\\" not in one + other:
        assert text != key_text(other)


@pytest.mark.parametrize(
    ("origin", "place"),
    [("kafka:a.b-c_d:0:12", ("a.b-c_d", 0, 12)), ("file:ab:1-2", None), ("", None), ("request-7", None)],
)
def test_an_origin_leads_back_to_its_place(origin: str, place: Any) -> None:
    assert place_of(origin) == place


def test_waits_grow_up_to_the_longest_and_begin_again() -> None:
    backoff = Backoff(first=1, longest=8, rng=Random(1))
    tops = [1, 2, 4, 8, 8]
    for top in tops:
        assert top / 2 <= backoff.next() <= top
    backoff.reset()
    assert backoff.next() <= 1
