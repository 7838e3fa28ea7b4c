"""From an origin back to the rows of the file."""

import gzip
import hashlib
import json
from pathlib import Path

import duckdb
import pytest

from tieout.errors import NotFound, UsageFault
from tieout.origins import line_numbers, rows_behind


def test_line_numbers_are_single_and_ranges() -> None:
    assert list(line_numbers("3,7-9,12")) == [3, 7, 8, 9, 12]
    assert list(line_numbers("3,+17 more")) == [3]


def test_the_rows_of_a_file_with_that_digest_are_given(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes("n,amount\r\n1,5\r\n2,六\r\n3,7\r\n".encode())
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert list(rows_behind([f"file:{digest}:2-3", "stdin:1"], file)) == [(2, "1,5"), (3, "2,六")]


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv.gz"
    with gzip.open(file, "wb") as stream:
        stream.write(b"n,amount\n1,5\n2,6\n")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert list(rows_behind([f"file:{digest}:3"], file)) == [(3, "2,6")]


def test_the_rows_of_a_parquet_file_are_shown_as_json(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    duckdb.sql(f"COPY (SELECT * FROM (VALUES (1, 'five'), (2, 'six'), (3, 'seven')) t(n, amount)) TO '{file}'")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    found = dict(rows_behind([f"file:{digest}:1,3"], file))
    assert {line: json.loads(text)["amount"] for line, text in found.items()} == {1: "five", 3: "seven"}


def test_a_file_that_was_changed_is_not_the_origin(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("changed\n")
    with pytest.raises(UsageFault, match="file_is_not_origin"):
        rows_behind([f"file:{'0' * 64}:2"], file)


def test_what_came_from_no_file_has_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("x\n")
    with pytest.raises(NotFound):
        rows_behind(["stdin:1"], file)
