"""Files as the world writes them: what is read all the same, and what each failure says to do."""

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest

from consumers.mapping import Source
from consumers.problems import ImportFailed
from consumers.reading import MALFORMED_LIMIT, read_rows

COLUMNS = ["No", "Name"]


def read(path: Path, content: bytes | str, columns: list[str] = COLUMNS, **source: Any) -> list[tuple[Any, ...]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    rows = read_rows(path, Source(name="s", **source), columns)
    return [(row.line, *row.cells) if row.fits else (row.line, "?", *row.stray) for row in rows]


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    return tmp_path / "a file.csv"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("No,Name\n1,a\n2,b\n", [(2, "1", "a"), (3, "2", "b")]),
        ("No,Name\r\n1,a\r\n2,b", [(2, "1", "a"), (3, "2", "b")]),
        ("No,Name\r1,a\r2,b\r", [(2, "1", "a"), (3, "2", "b")]),
        ("\ufeffNo,Name\n1,a\n", [(2, "1", "a")]),
        ("\n\nNo,Name\n\n1,a\n\n,\n2,b\n", [(5, "1", "a"), (8, "2", "b")]),
        (" No , Name\n 1 ,  a  \n", [(2, "1", "a")]),
        ("Name,More,No\na,x,1\n", [(2, "1", "a")]),
        ('No,Name\n1,"a, b\nc"\n2,"say ""hi"""\n', [(2, "1", "a, b\nc"), (4, "2", 'say "hi"')]),
        ("No,Name\n1,\n", [(2, "1", "")]),
    ],
    ids=["plain", "crlf", "cr", "bom", "empty lines", "spaces", "order", "quotes", "empty cell"],
)
def test_csv_is_read_as_it_is_written(csv: Path, content: str, rows: list[tuple[Any, ...]]) -> None:
    assert read(csv, content) == rows


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "cp936", "big5"])
def test_other_encodings_are_read_where_the_mapping_names_them(csv: Path, encoding: str) -> None:
    assert read(csv, "No,Name\n1,中文\n".encode(encoding), encoding=encoding) == [(2, "1", "中文")]


def test_delimiters_quotes_and_lines_above_the_header(csv: Path) -> None:
    content = "Bank of Somewhere\n\nNo;Name\n1;'a;b'\n"
    assert read(csv, content, delimiter=";", quote="'", skip_lines=2) == [(4, "1", "a;b")]
    assert read(csv, 'No,Name\n1,5" nail\n', quote="") == [(2, "1", '5" nail')]
    assert read(csv.with_suffix(".tsv"), "No\tName\n1\ta,b\n") == [(2, "1", "a,b")]


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    assert read(tmp_path / "x.csv.gz", gzip.compress(b"No,Name\n1,a\n")) == [(2, "1", "a")]
    assert read(tmp_path / "x.jsonl.gz", gzip.compress(b'{"No": 1, "Name": "a"}\n')) == [(1, "1", "a")]


def test_rows_that_do_not_fit_the_header_are_handed_on_as_such(csv: Path) -> None:
    content = 'No,Name,More\n1,a\n2,b,c,d\n3,"c"x,d\n4,d,e\n'
    assert read(csv, content) == [(2, "?"), (3, "?"), (4, "?"), (5, "4", "d")]


def test_if_the_number_does_not_stand_first_any_cell_of_such_a_row_may_be_it(csv: Path) -> None:
    assert read(csv, "Name,No\na,b,1\n") == [(2, "?", "a", "b", "1")]
    assert read(csv, 'Name,No\n"a"b,1\n') == [(2, "?", 'a"b', "1")]


def test_json_lines_keep_the_text_of_numbers(tmp_path: Path) -> None:
    content = (
        '{"No": 1, "Name": 0.10}\n\n{"Name": 12345678901234567890.123456789, "No": "2"}\n{"No": 3, "Name": null}\n'
    )
    rows = [(1, "1", "0.10"), (3, "2", "12345678901234567890.123456789"), (4, "3", "")]
    assert read(tmp_path / "x.jsonl", content) == rows


@pytest.mark.parametrize(
    "bad",
    ["nonsense", "[1]", '{"No": 1, "No": 2}', '{"No": [1]}', '{"No": NaN}', '{"No": "\\ud800"}', b"\xff"],
)
def test_a_line_that_is_no_row_is_handed_on_as_such(tmp_path: Path, bad: str | bytes) -> None:
    bad = bad if isinstance(bad, bytes) else bad.encode()
    assert read(tmp_path / "x.jsonl", b'{"No": 1, "Name": "a"}\n' + bad + b"\n") == [(1, "1", "a"), (2, "?")]


def test_parquet_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "it's.parquet"
    values = "('1', 12345678901234567.89::DECIMAL(20, 2), DATE '2010-12-01'), ('2', NULL, NULL), (NULL, NULL, NULL)"
    duckdb.sql(
        f'COPY (SELECT * FROM (VALUES {values}) t("No", "Na""me", d)) TO \'{str(path).replace(chr(39), chr(39) * 2)}\''
    )
    rows = read_rows(path, Source(name="s"), ["No", 'Na"me', "d"])
    assert [(row.line, *row.cells) for row in rows] == [
        (1, "1", "12345678901234567.89", "2010-12-01"),
        (2, "2", "", ""),
    ]


# --- files that cannot be read at all


def failure(path: Path, content: bytes | str | None, **source: Any) -> tuple[str, str]:
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ImportFailed) as caught:
        list(read_rows(path, Source(name="s", **source), COLUMNS))
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("", "header_must_be_there", "has no line with the names"),
        ("\n\n", "header_must_be_there", "skip_lines"),
        ("No,Nom\n1,a\n", "columns_must_be_there", "lacks columns that the mapping names: Name. It has: No, Nom."),
        ("No;Name\n1;a\n", "columns_must_be_there", "the header has ';', not ','"),
        ("No,Name,Name\n1,a,b\n", "columns_must_be_unique", "has the column Name 2 times"),
        ('No,Name\n1,a\n2,"b\n3,c\n', "quotes_must_be_closed", "opened in line 3"),
        ('No,Name\n1,"' + "a" * 200_000, "quotes_must_be_closed", "opened in line 2"),
        ("No,Name\n" + "1\n" * (MALFORMED_LIMIT + 1), "rows_must_fit_header", "do not have the 2 cells"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(csv: Path, content: str, code: str, says: str) -> None:
    found, text = failure(csv, content)
    assert found == code
    assert says in text


def test_a_wrong_encoding_names_the_line_and_a_likely_one(csv: Path) -> None:
    code, text = failure(csv, "No,Name\n1,中文\n".encode("gb18030"))
    assert code == "text_must_be_in_encoding"
    assert "not utf-8" in text
    assert "(perhaps gb18030)" in text


def test_columns_that_no_json_row_has_are_missing(tmp_path: Path) -> None:
    code, text = failure(tmp_path / "x.jsonl", '{"No": 1}\n{"No": 2, "Nom": "x"}\n')
    assert code == "columns_must_be_there"
    assert "It has: No, Nom." in text


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("x.csv", None, "file_must_be_readable"),
        ("x.xlsx", b"PK", "file_format_must_be_known"),
        ("x.csv.gz", b"No,Name\n1,a\n", "file_must_be_whole"),
        ("x.csv.gz", gzip.compress(b"No,Name\n1,a\n" * 1000)[:-20], "file_must_be_whole"),
        ("x.parquet", b"PAR1 not really", "file_must_be_whole"),
    ],
)
def test_files_that_are_missing_damaged_or_of_another_kind(
    tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    assert failure(tmp_path / name, content)[0] == code


def test_a_column_missing_in_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    duckdb.sql(f"COPY (SELECT 1 AS \"No\") TO '{path}'")
    assert failure(path, None)[0] == "columns_must_be_there"
