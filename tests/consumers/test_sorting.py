"""Rows of one document come together, however far apart they stand."""

from pathlib import Path
from random import Random
from tempfile import gettempdir

from consumers.sorting import Gathered, Spool


def gathered(rows: list[tuple[str, str, int, str]]) -> list[Gathered]:
    with Spool() as spool:
        for day, key, line, cell in rows:
            spool.put(day, [key], line, [key, cell])
        return list(spool.documents())


def test_documents_come_by_day_then_by_first_line_and_their_rows_by_day_and_content() -> None:
    rows = [("02", "B", 1, "z"), ("01", "A", 2, "y"), ("03", "B", 3, "a"), ("02", "C", 4, "m"), ("01", "A", 5, "b")]
    assert gathered(rows) == [
        Gathered([5, 2], [["A", "b"], ["A", "y"]], True),
        Gathered([1, 3], [["B", "z"], ["B", "a"]], True),
        Gathered([4], [["C", "m"]], True),
    ]


def test_the_rows_of_a_document_are_the_same_whatever_their_order_in_the_file() -> None:
    cells = [f"{n % 7}" for n in range(50)]
    expected = gathered([("01", "A", n, cell) for n, cell in enumerate(cells)])[0].rows
    Random(3).shuffle(cells)
    assert gathered([("01", "A", n, cell) for n, cell in enumerate(cells)])[0].rows == expected


def test_any_text_survives() -> None:
    odd = ["", "a,b", 'say "hi"', "two\nlines", "tab\t", "\x1f\x1e\x00", "中文", "null", "\\", "~"]
    with Spool() as spool:
        spool.put("01", [None, 1], 1, odd)
        spool.put("01", ["\x1f\n"], 2, odd, False)
        assert list(spool.documents()) == [Gathered([1], [odd], True), Gathered([2], [odd], False)]


def test_a_row_of_absurd_length_does_not_fit() -> None:
    with Spool() as spool:
        spool.put("01", ["A"], 1, ["A", "x" * 3_000_000])
        [document] = spool.documents()
    assert not document.fits
    assert document.rows == [["A", "x" * 1000]]


def test_nothing_is_left_behind() -> None:
    before = set(Path(gettempdir()).glob("tieout-import-*"))
    with Spool() as spool:
        spool.put("01", ["A"], 1, ["A"])
        assert set(Path(gettempdir()).glob("tieout-import-*")) != before
        assert len(list(spool.documents())) == 1
    assert set(Path(gettempdir()).glob("tieout-import-*")) <= before


def test_no_rows_are_no_documents() -> None:
    with Spool() as spool:
        assert list(spool.documents()) == []
