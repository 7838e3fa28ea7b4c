"""Columns of values as PostgreSQL receives arrays in binary.

The driver makes an array value by value, in Python: with some twenty columns a message that took as long as deciding it.
"""

import struct
from collections.abc import Sequence
from functools import partial

from eventsourcing.persistence import DataError
from psycopg.adapt import Dumper
from psycopg.pq import Format

_LENGTHS = [length.to_bytes(4, "big") for length in range(4096)]
_NULL = b"\xff\xff\xff\xff"
_HEAD = struct.Struct(">iiIii").pack
"""Dimensions, whether any is null, type of the elements, how many, index of the first."""
_NO_DIMENSION = struct.Struct(">iiI").pack
_BYTEA, _INT8, _INT4, _TEXT = 17, 20, 23, 25


class Array(bytes):
    """An array as it is sent; its type is that of the cast in the statement."""


class ArrayDumper(Dumper):
    """Hands it to the server as it is."""

    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        """The same bytes."""
        return obj


def texts(values: Sequence[str | None]) -> Array:
    """``text[]``."""
    encoded = [None if value is None else value.encode() for value in values]
    return _array(_TEXT, [_NULL if one is None else _sized(one) for one in encoded], null=None in values)


def byteas(values: Sequence[bytes]) -> Array:
    """``bytea[]``."""
    return _array(_BYTEA, [_sized(value) for value in values])


def _integers(type_: int, layout: str, size: int, values: Sequence[int]) -> Array:
    pack = struct.Struct(layout).pack
    try:
        return _array(type_, [pack(size, value) for value in values])
    except struct.error as error:
        raise DataError(f"an integer has more than {size} bytes") from error


int4s = partial(_integers, _INT4, ">ii", 4)
int8s = partial(_integers, _INT8, ">iq", 8)


def _sized(value: bytes) -> bytes:
    length = len(value)
    return (_LENGTHS[length] if length < 4096 else length.to_bytes(4, "big")) + value


def _array(type_: int, elements: list[bytes], *, null: bool = False) -> Array:
    if not elements:
        return Array(_NO_DIMENSION(0, 0, type_))
    return Array(_HEAD(1, null, type_, len(elements), 1) + b"".join(elements))
