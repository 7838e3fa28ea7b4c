"""Arrays that are encoded here mean to PostgreSQL what the driver's would."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from databases import postgres_store
from eventsourcing.persistence import DataError

from ledger.postgres import PostgresConnection
from ledger.postgres_arrays import byteas, int4s, int8s, texts


@pytest.fixture(scope="module")
def connection() -> Iterator[PostgresConnection]:
    with postgres_store() as url:
        made = PostgresConnection(url, read_only=True)
        yield made
        made.close()


@pytest.mark.parametrize(
    ("made", "type_", "values"),
    [
        (texts, "text", ["", "plain", "发票 — €", "x" * 5_000, 'a "quoted", {braced} \\ text']),
        (texts, "text", [None, "one", None]),
        (byteas, "bytea", [b"", b"\x00\xff", b"y" * 100_000]),
        (int4s, "int4", [0, 1, -1, 2**31 - 1, -(2**31)]),
        (int8s, "int8", [0, 1, -1, 2**63 - 1, -(2**63)]),
        (texts, "text", []),
        (int8s, "int8", []),
    ],
)
def test_an_array_arrives_as_it_is(connection: PostgresConnection, made: Any, type_: str, values: list[Any]) -> None:
    cursor = psycopg.Cursor(connection.raw)
    [(arrived,)] = cursor.execute(f"SELECT %s::{type_}[]", (made(values),), binary=True).fetchall()
    assert arrived == values


@pytest.mark.parametrize(("made", "value"), [(int4s, 2**31), (int8s, 2**63), (int8s, -(2**63) - 1)])
def test_an_integer_that_is_too_large_is_an_error_of_data(made: Any, value: int) -> None:
    with pytest.raises(DataError):
        made([value])
