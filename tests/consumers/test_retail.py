"""The real sales file, imported completely, against an independent computation in SQL over the CSV itself."""

import csv
import gzip
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from consumers.mapping import load_mapping
from consumers.tables import Summary

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TIEOUT_SAMPLE_DATA") or ROOT.parent / "shared" / "data") / "online_retail"
FILES = sorted(DATA.glob("A_dev_*.csv.gz")) if DATA.is_dir() else []
MAPPING = load_mapping(ROOT / "examples" / "retail.toml")
RETAIL = {"book": "retail", "source_id": "open retail", "base_currency": "GBP", "time_zone": "Europe/London"}

pytestmark = pytest.mark.skipif(not FILES, reason="the Online Retail file is not here: set TIEOUT_SAMPLE_DATA")

# Shares nothing with the import: decimals, rounded per line, house accounts by month.
LINES = """CREATE TABLE lines AS SELECT
    InvoiceNo AS number,
    InvoiceNo LIKE 'C%' AS credit,
    coalesce(CustomerID, '~online-retail:' || min(InvoiceDate[:7]) OVER (PARTITION BY InvoiceNo)) AS customer,
    Country AS country,
    round(Quantity::DECIMAL(12, 0) * UnitPrice::DECIMAL(18, 6), 2)::DECIMAL(18, 2) AS amount,
    * FROM read_csv(?, header = true, all_varchar = true)"""


@pytest.fixture(scope="module")
def sql() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(LINES, [str(FILES[0])])
        yield connection


def cents(sql: duckdb.DuckDBPyConnection, key: str, more: str = "") -> dict[str, int]:
    query = f"SELECT {key}, (sum(amount) * 100)::BIGINT FROM lines {more} GROUP BY 1"
    return dict(sql.execute(query).fetchall())


@pytest.fixture
def retail(more_books: Callable[..., Any]) -> Any:
    return more_books("retail", **RETAIL)


def take(books: Any, file: Path) -> Summary:
    summary: Summary = books.take(file, MAPPING)
    return summary


def test_every_balance_document_and_total_agrees_to_the_cent_and_again_nothing_is_booked(
    retail: Any, sql: duckdb.DuckDBPyConnection
) -> None:
    summary = take(retail, FILES[0])
    assert (summary.rows, summary.commands, summary.booked) == (105_335, 4_894, 4_894)
    assert summary.problems == []

    assert retail.balances() == cents(sql, "customer")
    assert sum(retail.balances().values()) == cents(sql, "'all'")["all"] == 180_701_993
    documents = retail.documents()
    kinds = Counter(document.partition(":")[0] for document in documents)
    assert kinds == dict(
        sql.execute(
            "SELECT if(credit, 'credit-note', 'invoice'), count(DISTINCT number) FROM lines GROUP BY 1"
        ).fetchall()
    )
    assert kinds == {"invoice": 4_089, "credit-note": 805}
    totals = {event.document.split(":")[2]: event.total for event in documents.values()}
    assert totals == cents(sql, "number", "WHERE NOT credit") | {
        number: -amount for number, amount in cents(sql, "number", "WHERE credit").items()
    }
    assert revenue_by_country(retail) == cents(sql, "country")

    before = list(retail.events())
    again = take(retail, FILES[0])
    assert (again.booked, again.duplicate, again.problems) == (0, 4_894, [])
    assert list(retail.events()) == before


def test_its_rows_in_another_order_book_nothing_new_and_give_a_fresh_store_the_same(
    retail: Any, more_books: Callable[..., Any]
) -> None:
    take(retail, FILES[0])
    with gzip.open(FILES[0], "rt", encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    Random(11).shuffle(rows)
    shuffled = retail.folder / "shuffled.csv"
    with shuffled.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *rows])

    assert take(retail, shuffled).duplicate == 4_894
    fresh = more_books("fresh", **RETAIL)
    assert take(fresh, shuffled).booked == 4_894
    assert fresh.balances() == retail.balances()
    assert fresh.documents() == retail.documents()


def revenue_by_country(books: Any) -> Counter[str]:
    """Country → credit less debit of revenue."""
    found: Counter[str] = Counter()
    for _, event in books.events():
        for posting in getattr(event, "postings", ()):
            if posting.role == "revenue":
                found[posting.dimensions["country"]] += posting.amount if posting.side == "C" else -posting.amount
    return found


def test_the_page_about_odd_rows_counts_them_rightly(sql: duckdb.DuckDBPyConnection) -> None:
    by_number = "SELECT sum(n)::BIGINT, count(*) FROM (SELECT count(*) n FROM lines GROUP BY number HAVING {})"
    by_row = "SELECT count(*), count(DISTINCT number) FROM lines WHERE {}"
    columns = "InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country"
    expected = {
        "no customer": by_row.format("CustomerID IS NULL"),
        "document that totals zero": by_number.format("sum(amount) = 0"),
        "zero price": by_row.format("UnitPrice::DECIMAL(18, 6) = 0"),
        "quantity below zero without a credit prefix": by_row.format("Quantity::INT < 0 AND NOT credit"),
        "one number with two times": by_number.format("count(DISTINCT InvoiceDate) > 1"),
        "identical lines": "SELECT sum(n - 1)::BIGINT, count(DISTINCT number) FROM (SELECT count(*) n, number FROM lines"
        f" GROUP BY number, {columns} HAVING n > 1)",
    }
    page = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    said = {
        what: (int(rows.replace(",", "")), int(documents.replace(",", "")))
        for what, rows, documents in re.findall(
            r"^\| ([^|]+) \| ([\d,]+)(?: repeats)? \| ([\d,]+) \|", page, re.MULTILINE
        )
    }
    assert said == {what: sql.execute(query).fetchone() for what, query in expected.items()}
