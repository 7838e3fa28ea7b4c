"""What a feed delivers again is booked once, and kept as a double; what is merely read again is none."""

from typing import Any

from shop import NOW_US, invoice

from ledger.ledger import Ledger
from ledger.outcomes import Status, Submission


def delivered(ledger: Ledger, *deliveries: tuple[Any, str | None], lane: str | None = "orders:C1") -> list[Status]:
    batch = [Submission(command, origin, True, lane) for command, origin in deliveries]
    return [outcome.status for outcome in ledger.submit(batch, now_us=NOW_US)]


def kept(ledger: Ledger) -> list[tuple[Any, ...]]:
    """Source id and origin of each double, and the first delivery's origin and log position."""
    return ledger._connection.execute(
        "SELECT d.source_id, d.origin, r.origin, r.position FROM doubles d JOIN receipts r"
        " ON r.source = d.source AND r.source_id = d.source_id ORDER BY d.recorded_us"
    ).fetchall()


def test_the_same_message_under_another_origin_is_a_double_once(ledger: Ledger) -> None:
    command = invoice("1", 100)
    assert delivered(ledger, (command, "kafka:orders:0:1")) == [Status.BOOKED]
    for _ in range(2):
        # As when the process died after the commit, and reads the same offset again.
        assert delivered(ledger, (command, "kafka:orders:0:5")) == [Status.DUPLICATE]
    assert kept(ledger) == [("invoice-1", "kafka:orders:0:5", "kafka:orders:0:1", 3)]


def test_the_same_delivery_again_is_none(ledger: Ledger) -> None:
    for _ in range(2):
        delivered(ledger, (invoice("1", 100), "kafka:orders:0:1"))
    assert kept(ledger) == []


def test_a_double_within_one_batch(ledger: Ledger) -> None:
    command = invoice("1", 100)
    assert delivered(ledger, (command, "kafka:orders:0:1"), (command, "kafka:orders:0:2")) == [
        Status.BOOKED,
        Status.DUPLICATE,
    ]
    assert kept(ledger) == [("invoice-1", "kafka:orders:0:2", "kafka:orders:0:1", 3)]


def test_a_document_that_came_under_another_name_is_a_double_of_its_own_origin(ledger: Ledger) -> None:
    delivered(ledger, (invoice("1", 100), "kafka:orders:0:1"))
    renamed = invoice("1", 100, source_id="again", sequence=4)
    for _ in range(2):
        assert delivered(ledger, (renamed, "kafka:orders:0:2")) == [Status.DUPLICATE]
    assert kept(ledger) == [("again", "kafka:orders:0:2", "kafka:orders:0:2", 3)]


def test_a_table_that_is_imported_again_leaves_none(ledger: Ledger) -> None:
    delivered(ledger, (invoice("1", 100), "file:aa:2"), lane=None)
    assert delivered(ledger, (invoice("1", 100), "file:bb:2"), lane=None) == [Status.DUPLICATE]
    assert delivered(ledger, (invoice("1", 100), None)) == [Status.DUPLICATE]
    assert kept(ledger) == []
