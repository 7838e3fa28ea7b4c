"""The rows of events are one definition, and merge whatever the order."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from typing import Any, get_args, get_type_hints

import logs
import msgspec
import pytest

from domain.events import TOPICS, Deferral, Instalment, Posting, Voucher
from ledger.database import Location, connect
from projections import rows, tables
from projections.rows import Deltas
from projections.writing import Rows


def test_every_topic_is_either_projected_or_has_no_rows() -> None:
    assert set(rows.LEAN) == set(TOPICS)
    for topic, lean in rows.LEAN.items():
        assert (lean is not None) == issubclass(TOPICS[topic], Voucher), topic


@pytest.mark.parametrize(
    ("lean", "whole"),
    [
        (rows._Posting, Posting),
        (rows._Instalment, Instalment),
        (rows._Deferral, Deferral),
        *((lean, TOPICS[topic]) for topic, lean in rows.LEAN.items() if lean is not None),
    ],
)
def test_lean_events_have_fields_of_the_whole_ones(lean: type[Any], whole: type[Any]) -> None:
    """A missing optional field must mean the same in both."""
    hints = get_type_hints(whole)
    for field in msgspec.structs.fields(lean):
        name = field.encode_name
        if name in ("instalments", "amount") and name not in hints:
            continue
        [own] = [other for other in msgspec.structs.fields(whole) if other.name == name]
        assert field.required == own.required, name
        kind = hints[name]
        assert (
            field.type in (kind, str)
            or str in get_args(kind)
            or (kind, field.type) == (date | None, str | None)
            or field.name in ("side", "postings", "instalments", "deferrals", "dimensions")
        )
        assert kind is not date or field.type is str


def test_an_unknown_topic_is_an_error() -> None:
    with pytest.raises(KeyError):
        Deltas().add([(1, "acct:main:C1:CNY", "invoice-issued.v99", b"{}")])


Stored = tuple[int, str, str, bytes]
Written = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def written(store: Location) -> Iterator[Callable[[list[Stored], int], Written]]:
    """The rows of events in tables of a connection's own, merged page by page."""
    with closing(connect(store)) as connection:

        def write(events: list[Stored], page: int) -> Written:
            for table in tables.TABLES:
                name = f"own_{table.name}"
                connection.execute(f"DROP TABLE IF EXISTS {name}")
                connection.execute(tables.create_table(table, name, postgres=connection.postgres, temporary=True))
            own = Rows(connection, "own_")
            for start in range(0, len(events), page):
                deltas = Deltas()
                deltas.add(events[start : start + page])
                with connection.writing():
                    own.write(deltas)
            return {
                table.name: sorted(connection.execute(f"SELECT * FROM own_{table.name}").fetchall())
                for table in tables.TABLES
            }

        yield write


def test_pages_may_be_taken_in_any_order(year: Location, written: Callable[[list[Stored], int], Written]) -> None:
    with closing(connect(year)) as connection:
        events = connection.execute("SELECT position, originator_id, topic, state FROM events").fetchall()
    expected = written(events, 10_000)
    shuffled = list(events)
    logs.random.Random(1).shuffle(shuffled)
    for order, page in itertools.product((events, events[::-1], shuffled), (1, 37)):
        assert written(order, page) == expected


def test_two_postings_of_an_event_to_one_item_are_one_movement(
    written: Callable[[list[Stored], int], Written],
) -> None:
    state = msgspec.json.encode(
        {
            "source": "test",
            "effective_on": "2024-01-02",
            "postings": [
                {
                    "role": "receivable",
                    "account": "1122",
                    "side": "C",
                    "amount": n,
                    "base_amount": n,
                    "item": "invoice::1:1#1",
                }
                for n in (3, 4)
            ],
        }
    )
    found = written([(5, "acct:main:C1:CNY", "allocated.v1", state)], 1)
    assert found["movement"] == [(0, "acct:main:C1:CNY", "invoice::1:1#1", 5, "2024-01-02", -7, -7)]
