"""Importing files into a real ledger: once, whatever happens, and with every problem named."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from textwrap import dedent
from typing import Any

import duckdb
import msgspec
import pytest

from consumers.mapping import Mapping
from consumers.problems import ImportFailed
from consumers.tables import Problem, Progress, Summary

HEADER = "Number,Customer,Date,Quantity,Price\n"
ROWS = [
    "1,C1,2025-01-10,2,10.00",
    "2,C2,2025-01-11,1,5.55",
    "1,C1,2025-01-10,1,3.33",
    "C3,C2,2025-01-12,-1,5.55",
    "4,C1,2025-01-09,4,0.25",
]


def counts(summary: Summary) -> dict[str, int]:
    names = ("booked", "duplicate", "conflict", "refused", "waiting", "quarantined")
    return {name: getattr(summary, name) for name in names if getattr(summary, name)}


def test_rows_of_one_document_need_not_be_adjacent(books: Any) -> None:
    summary = books.rows(*ROWS)
    assert (summary.rows, summary.commands, counts(summary)) == (5, 4, {"booked": 4})
    assert books.documents()["invoice::1:1"].total == 2333
    assert books.balances() == {"C1": 2433, "C2": 0}


def test_documents_are_booked_by_accounting_day_then_by_their_first_line(books: Any) -> None:
    books.rows(*ROWS)
    assert list(books.documents()) == ["invoice::4:1", "invoice::1:1", "invoice::2:1", "credit-note::C3:1"]


def test_the_origin_names_the_file_and_the_lines(books: Any) -> None:
    summary = books.rows(*ROWS)
    origins = books.ledger._connection.execute("SELECT origin FROM receipts WHERE source = 'shop' ORDER BY source_id")
    lines = [origin.removeprefix(f"file:{summary.file_digest}:") for (origin,) in origins]
    assert lines == ["5", "2,4", "3", "6"]


# --- the same fact once


def test_the_same_file_again_books_nothing_whatever_its_name(books: Any, sales: Mapping) -> None:
    books.rows(*ROWS)
    before = list(books.events())
    again = books.take(books.file(HEADER + "\n".join(ROWS), "another name.csv"), sales)
    assert counts(again) == {"duplicate": 4}
    assert list(books.events()) == before


@pytest.mark.parametrize("seed", range(5))
def test_its_rows_in_another_order_book_nothing_and_give_the_same_in_a_fresh_store(
    books: Any, more_books: Callable[..., Any], seed: int
) -> None:
    books.rows(*ROWS)
    shuffled = ROWS.copy()
    Random(seed).shuffle(shuffled)
    assert counts(books.rows(*shuffled)) == {"duplicate": 4}
    fresh = more_books("fresh")
    assert counts(fresh.rows(*shuffled)) == {"booked": 4}
    assert fresh.balances() == books.balances()
    assert fresh.documents() == books.documents()


def test_rows_that_disagree_give_the_same_in_any_order(more_books: Callable[..., Any]) -> None:
    mapping = dedent("""
        [source]
        name = "shop"
        [defaults]
        currency = "EUR"
        inconsistent = "first"
        [columns]
        number = "Number"
        customer = "Customer"
        effective_on = "Date"
        net = "Price"
        dimensions.size = "Quantity"
    """)
    rows = ["1,C1,2025-01-11,a,1", "1,C1,2025-01-10,c,2", "1,C1,2025-01-10,b,3"]
    first, second = more_books("first"), more_books("second")
    assert counts(first.rows(*rows, mapping=mapping)) == {"booked": 1}
    second.rows(*reversed(rows), mapping=mapping)
    assert first.documents() == second.documents()
    [event] = first.documents().values()
    assert (event.effective_on.isoformat(), event.dimensions) == ("2025-01-10", {"size": "b"})


def test_a_file_that_grew_books_the_rest(books: Any) -> None:
    books.rows(*ROWS[:2])
    assert counts(books.rows(ROWS[0], ROWS[1], *ROWS[3:])) == {"booked": 2, "duplicate": 2}
    assert books.balances() == {"C1": 2100, "C2": 0}


def test_a_document_that_gained_rows_is_a_conflict_that_can_be_seen(books: Any) -> None:
    books.rows(*ROWS[:2])
    before = books.balances()
    summary = books.rows(*ROWS[:3])
    assert counts(summary) == {"conflict": 1, "duplicate": 1, "quarantined": 1}
    assert [(problem.lines, problem.code) for problem in summary.problems] == [
        ("2,4", "same_source_id_must_have_same_content")
    ]
    assert books.balances() == before
    assert books.quarantine() == [("same_source_id_must_have_same_content", "invoice::1:1")]


def test_the_same_document_from_another_source_is_a_duplicate(books: Any, sales: Mapping) -> None:
    books.rows(*ROWS)
    other = sales.model_copy(update={"source": sales.source.model_copy(update={"name": "till"})})
    assert counts(books.take(books.file(HEADER + "\n".join(ROWS)), other)) == {"duplicate": 4}


# --- other formats


def test_csv_parquet_and_json_lines_are_the_same_facts(books: Any, sales: Mapping) -> None:
    csv = books.file(HEADER + "\n".join(ROWS) + "\n")
    assert counts(books.take(csv, sales)) == {"booked": 4}
    parquet = books.folder / "sales.parquet"
    types = (
        "{'Number': 'VARCHAR', 'Customer': 'VARCHAR', 'Date': 'DATE', 'Quantity': 'INTEGER', 'Price': 'DECIMAL(10, 2)'}"
    )
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{csv}', columns = {types})) TO '{parquet}'")
    assert counts(books.take(parquet, sales)) == {"duplicate": 4}
    names = HEADER.strip().split(",")
    lines = [json.dumps(dict(zip(names, row.split(","), strict=True))) for row in ROWS]
    assert counts(books.take(books.file("\n".join(lines), "sales.jsonl"), sales)) == {"duplicate": 4}


def command(number: int, **changes: Any) -> dict[str, Any]:
    given = {"command": "IssueInvoice", "source": "billing", "source_id": f"evt-{number}", "customer": "C1"}
    given |= {"currency": "EUR", "number": f"B{number}", "effective_on": "2025-02-01", "total": 100}
    return given | {"lines": [{"net": 100}], "instalments": [{"due_on": "2025-02-01", "amount": 100}]} | changes


def as_lines(*commands: dict[str, Any] | str) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in commands)


def test_commands_as_lines_need_no_mapping(books: Any) -> None:
    event = {"specversion": "1.0", "type": "tieout.record-payment.v1", "source": "bank", "id": "7"}
    event |= {"data": {"customer": "C1", "currency": "EUR", "number": "P7", "effective_on": "2025-03-01", "amount": 60}}
    file = books.file(as_lines(command(1), "", command(2, book="main"), event), "commands.jsonl")
    assert counts(books.take(file)) == {"booked": 3}
    assert counts(books.take(file)) == {"duplicate": 3}
    assert books.balances() == {"C1": 140}


def test_a_bad_line_does_not_spoil_the_others(books: Any) -> None:
    lines = as_lines(
        command(1), "nonsense", command(2, total=1.5), command(3, book="other"), command(4, total=99), command(5)
    )
    summary = books.take(books.file(lines, "commands.jsonl"))
    assert counts(summary) == {"booked": 2, "refused": 4, "quarantined": 4}
    assert [(problem.lines, problem.field, problem.source_id) for problem in summary.problems] == [
        ("2", "", None),
        ("3", "total", "evt-2"),
        ("4", "book", "evt-3"),
        ("5", "total", "evt-4"),
    ]


def test_in_a_group_of_its_own_only_the_first_row_need_say_what_is_the_documents(books: Any, sales: Mapping) -> None:
    mapping = Mapping.model_validate(sales.model_dump() | {"group": {"columns": ["Order"]}})
    header = "Order," + HEADER
    rows = "A,1,C1,2025-01-10,2,10.00\nB,2,C2,2025-01-11,1,1.00\nA,,,,1,3.00\n,,,2025-01-11,1,1.00\n"
    summary = books.take(books.file(header + rows), mapping)
    assert counts(summary) == {"booked": 2, "refused": 1, "quarantined": 1}
    assert [problem.code for problem in summary.problems] == ["number_must_be_given"]
    assert books.balances() == {"C1": 2300, "C2": 100}


# --- what cannot be booked


def test_problems_are_told_by_line_field_value_and_rule(books: Any, snapshot: Callable[[str, str], None]) -> None:
    summary = books.rows(
        "1,C1,2025-01-10,2,10.00",
        "2,C1,2025-01-35,1,5.55",
        "2,C1,2025-01-35,1,5.55",
        "3,,2025-01-11,1,5.55",
        "4,C1,2025-01-11,one,5.55",
        "5,C1,2025-01-11,-1,5.55",
        "C6,C1,2025-01-11,1,5.55",
        "7,C1,2025-01-11,1,5.55,extra",
        ",C1,2025-01-11,1,5.55",
        "8,C1,2025-01-11,1,5.55",
        "8,C2,2025-01-11,1,5.55",
        "9,C1,2025-01-11,1,",
        "10,~c,2025-01-11,1,1",
        "11,C1,1890-01-11,1,1",
    )
    assert counts(summary) == {"booked": 1, "refused": 11, "quarantined": 11}
    text = "\n".join(msgspec.json.encode(problem).decode() for problem in summary.problems) + "\n"
    snapshot("consumers/problems.jsonl", text)


def test_only_the_first_problems_are_told_but_all_are_kept(books: Any) -> None:
    summary = books.rows(*(f"{n},,2025-01-10,1,1" for n in range(1, 51)))
    assert len(summary.problems) == 20
    assert counts(summary) == {"refused": 50, "quarantined": 50}
    assert len(books.quarantine()) == 50


def test_the_same_problem_again_makes_no_second_entry(books: Any) -> None:
    books.rows("1,,2025-01-10,1,1", "2,C1,2025-01-10,x,1")
    books.rows("2,C1,2025-01-10,x,1", "3,C1,2025-01-10,1,1", "1,,2025-01-10,1,1")
    assert len(books.quarantine()) == 2


def test_entries_leave_when_the_corrected_file_is_imported(books: Any) -> None:
    books.rows("1,,2025-01-10,1,1", "2,C1,2025-01-10,x,1", "3,C1,2025-01-10,1,1,1", "4,C1,x,1,1")
    assert len(books.quarantine()) == 4
    summary = books.rows(*(f"{n},C1,2025-01-10,1,1" for n in range(1, 5)))
    assert counts(summary) == {"booked": 4}
    assert books.quarantine() == []


def test_a_document_is_booked_whole_or_not_at_all(books: Any, sales: Mapping) -> None:
    # The number does not stand first, and a stray comma has moved it: the row may belong to document 1.
    header = "Customer,Number,Date,Quantity,Price\n"
    rows = "C1,1,2025-01-10,1,1\nSmith, Ltd,1,2025-01-10,1,1\nC1,2,2025-01-10,1,1\n"
    summary = books.take(books.file(header + rows), sales)
    assert [problem.lines for problem in summary.problems] == ["2", "3"]
    assert list(books.documents()) == ["invoice::2:1"]


def test_who_customers_are_is_put_beside_the_log(books: Any, sales: Mapping) -> None:
    mapping = Mapping.model_validate(sales.model_dump() | {"columns": sales.columns.model_dump() | {"name": "Name"}})
    header = HEADER.strip() + ",Name\n"
    books.take(
        books.file(header + "1,C1,2025-01-10,1,1,Ann\n2,C2,2025-01-10,1,1,Bob\n3,C1,2025-02-10,1,1,Anna\n"), mapping
    )
    assert [(party.customer, party.name) for party in books.ledger.parties("main")] == [("C1", "Anna"), ("C2", "Bob")]
    assert not any(b"Ann" in state for (state,) in books.ledger._connection.execute("SELECT state FROM events"))


# --- files that cannot be imported


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("sales.csv", "Number,Customer\n1,C1\n", "columns_must_be_there"),
        ("sales.csv", HEADER + '1,C1,2025-01-10,1,1\n2,"C1,2025-01-10,1,1\n', "quotes_must_be_closed"),
        (
            "sales.csv",
            (HEADER + "1,C1,2025-01-10,1,1\n2,Müller,2025-01-10,1,1\n").encode("cp1252"),
            "text_must_be_in_encoding",
        ),
    ],
)
def test_a_file_that_cannot_be_read_books_nothing(
    books: Any, sales: Mapping, name: str, content: str | bytes, code: str
) -> None:
    with pytest.raises(ImportFailed) as caught:
        books.take(books.file(content, name), sales)
    assert caught.value.code == code
    assert not books.documents()
    assert not books.quarantine()


def test_a_table_needs_a_mapping_and_an_open_book(books: Any, sales: Mapping, tmp_path: Path) -> None:
    file = books.file(HEADER + ROWS[0])
    with pytest.raises(ImportFailed, match="its columns must be mapped"):
        books.take(file)
    books.book = "other"
    with pytest.raises(ImportFailed, match="The book other has not been opened"):
        books.take(file, sales)
    with pytest.raises(ImportFailed, match="cannot be read"):
        books.take(tmp_path / "none.csv", sales)


def test_commands_need_no_mapping_and_take_none(books: Any, sales: Mapping) -> None:
    with pytest.raises(ImportFailed, match="JSON lines of commands, which a mapping cannot be used with"):
        books.take(books.file(as_lines(command(1)), "commands.jsonl"), sales)


def test_a_header_without_rows_is_no_error(books: Any, sales: Mapping) -> None:
    summary = books.take(books.file(HEADER), sales)
    assert (summary.rows, summary.commands, summary.problems) == (0, 0, [])


# --- progress


def test_progress_is_told_as_batches_are_committed(books: Any, sales: Mapping) -> None:
    told: list[Progress] = []
    rows = "".join(f"{n // 2},C1,2025-01-10,1,1\n" for n in range(2, 12))
    books.take(books.file(HEADER + rows), sales, batch_size=2, progress=told.append)
    assert told == [Progress(4, 10, 2), Progress(8, 10, 4), Progress(10, 10, 5)]


def test_a_problem_can_be_written_as_json() -> None:
    problem = Problem(lines="2", source_id=None, code="c", field="f", value="v", rule="r")
    assert json.loads(msgspec.json.encode(problem))["lines"] == "2"
