"""The log as Parquet: another engine reads it and finds the same trial balance, and an export goes on where it ended."""

from pathlib import Path

import duckdb
import given
import logs

from ledger.database import Location
from ledger.ledger import Ledger
from projections.exporting import export
from projections.reader import Reader

_TRIAL_BALANCE = """
    SELECT p.account, right(stream, 3) AS currency, sum(CASE p.side WHEN 'D' THEN p.amount ELSE -p.amount END) AS closing
    FROM (SELECT stream, unnest(from_json(body -> '$.postings',
            '[{"account": "VARCHAR", "side": "VARCHAR", "amount": "BIGINT"}]')) AS p
          FROM read_parquet(?) WHERE stream LIKE 'acct:main:%')
    GROUP BY ALL ORDER BY ALL"""


def test_another_engine_finds_the_trial_balance_in_the_files(year: Location, reader: Reader, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    export(year, tmp_path / "it's", lambda done, head: told.append((done, head)), per_file=100)
    assert told[-1] == (reader.position, reader.position)
    found = duckdb.connect().execute(_TRIAL_BALANCE, [str(tmp_path / "it's" / "*.parquet")]).fetchall()
    expected: dict[tuple[str, str], int] = {}
    for row in reader.trial_balance("main"):
        key = (row.account, row.currency)
        expected[key] = expected.get(key, 0) + row.closing
    assert {(account, currency): closing for account, currency, closing in found} == expected


def test_an_export_made_again_writes_only_what_is_new(store: Location, ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    logs.book(ledger, [given.invoice(f"{n}", 100) for n in range(10)])
    first = export(store, folder, per_file=5)
    assert [file.name for file in first] == [
        "events-000000000000001-000000000000005.parquet",
        "events-000000000000006-000000000000010.parquet",
        "events-000000000000011-000000000000012.parquet",
    ]
    full = first[0].stat().st_mtime_ns
    logs.book(ledger, [given.invoice("more", 100)])
    assert [file.name for file in export(store, folder, per_file=5)] == [
        "events-000000000000011-000000000000013.parquet"
    ]
    assert export(store, folder, per_file=5) == []
    assert first[0].stat().st_mtime_ns == full
    files = sorted(file.name for file in folder.iterdir())
    assert files == [first[0].name, first[1].name, "events-000000000000011-000000000000013.parquet"]
    rows = duckdb.connect().execute(f"SELECT position, topic FROM '{folder}/*.parquet' ORDER BY 1").fetchall()
    assert [position for position, _ in rows] == list(range(1, 14))
