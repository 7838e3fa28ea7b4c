"""The demo's whole year, proved: as-of questions against a fold of its own, and every amount against its postings."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commandline import Run, amounts, clear_environment, run
from databases import KINDS, store_of
from year_fold import Fold, ageing, balances

from consumers.commands import parse_command
from consumers.tables import import_file
from ledger.database import Location
from ledger.ledger import Ledger
from projections.answers import AgeingRow, AsOf
from projections.follow import follow
from projections.reader import Reader
from tieout.demo import company, year

PAIRS = {"sqlite": 200, "postgresql": 40}
ACCOUNTS = {"sqlite": 50, "postgresql": 6}
"""On a server each figure takes some round trips."""
AMOUNTS = 60
"""Of one answer; long statements have hundreds."""


@pytest.fixture(scope="module", params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    """The year, through the import that users have, a file a night on the simulated clock."""
    folder = tmp_path_factory.mktemp("the year")
    with store_of(request.param, folder) as location:
        with Ledger.open(location) as ledger:
            files = year.write_deliveries(folder / "deliveries")
            opening = parse_command(company.opening("demo"), origin="test")
            ledger.submit([opening], now_us=files[0][1] - 1)
            for file, now_us in files:
                import_file(ledger, file, book="demo", now_us=now_us)
        follow(location)
        yield location


def kind_of(store: Location) -> str:
    return "sqlite" if isinstance(store, Path) else "postgresql"


@pytest.fixture(scope="module")
def fold(store: Location) -> Fold:
    return Fold(store)


@pytest.fixture(scope="module")
def books(store: Location) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        clear_environment(
            monkeypatch,
            {
                "TIEOUT_STORE" if isinstance(store, Path) else "TIEOUT_DATABASE_URL": str(store),
                "TIEOUT_NOW": "2026-02-01T00:00:00+08:00",
            },
        )
        yield run


def test_enough_of_the_year_is_recorded_late_for_two_clocks_to_matter(fold: Fold) -> None:
    late = sum(
        datetime.fromtimestamp(recorded_us // 1_000_000, UTC).date() - date.fromisoformat(on) > timedelta(days=7)
        for recorded_us, on in fold.recorded
    )
    assert late / len(fold.recorded) >= 0.05


def test_balances_and_ageing_equal_a_plain_fold_at_any_pair_of_clocks(store: Location, fold: Fold) -> None:
    chance = random.Random(20250131)
    with Reader(store) as reader:
        for _ in range(PAIRS[kind_of(store)]):
            on = date(2025, 1, 1) + timedelta(days=chance.randrange(400))
            position = chance.randrange(1, reader.position + 1)
            as_of = AsOf(on, position)
            known = fold.known(on.isoformat(), position)
            expected = ageing(fold, known, on.isoformat())
            assert {row.currency: _figures(row) for row in reader.ageing_totals("demo", as_of)} == _totals(expected)
            for customer in chance.sample(sorted({one.customer for one in fold.moved}), 3):
                found = {
                    (b.customer, b.currency, b.account): [0, 0] for b in reader.balances("demo", customer, None, as_of)
                }
                for balance in reader.balances("demo", customer, None, as_of):
                    entry = found[balance.customer, balance.currency, balance.account]
                    entry[0] += balance.amount
                    entry[1] += balance.base_amount
                wanted = {k: list(v) for k, v in balances(known).items() if k[0] == customer}
                assert {k: v for k, v in found.items() if v != [0, 0]} == wanted, (customer, on, position)
                aged = {(r.customer, r.currency): _figures(r) for r in reader.ageing("demo", as_of, customer=customer)}
                assert aged == {k: v for k, v in expected.items() if k[0] == customer}, (customer, on, position)
        every = {}
        for balance in reader.balances("demo"):
            every[balance.customer, balance.currency, balance.account] = (balance.amount, balance.base_amount)
        assert every == balances(fold.moved)


def _figures(row: AgeingRow) -> dict[str, int]:
    names = ("30", "60", "90", "more")
    buckets = {name: bucket.amount for name, bucket in zip(names, row.buckets, strict=True)}
    return {"not_due": row.not_due, **buckets, "unapplied": row.unapplied, "net": row.net}


def _totals(rows: dict[tuple[str, str], dict[str, int]]) -> dict[str, dict[str, int]]:
    totals: dict[str, Counter[str]] = {}
    for (_, currency), row in rows.items():
        total = totals.setdefault(currency, Counter(dict.fromkeys(row, 0)))
        for name, amount in row.items():
            total[name] += amount
    return {currency: dict(total) for currency, total in totals.items()}


def test_every_amount_of_many_accounts_is_the_sum_of_its_postings(store: Location, books: Run) -> None:
    count = ACCOUNTS[kind_of(store)]
    chance = random.Random(50)
    opened = books("balance", "--json").json["balances"]
    accounts = chance.sample(sorted({(row["customer"], row["currency"]) for row in opened}), count)
    explained = 0
    with Reader(store) as reader:
        for customer, currency in accounts:
            for arguments in (
                ["balance", customer],
                ["items", customer, "--as-of", "2025-11-30"],
                ["ageing", customer, "--as-of", "2025-12-31"],
                ["statement", customer, "--currency", currency, "--from", "2025-06-01", "--as-of", "2025-12-31"],
            ):
                every = list(amounts(books(*arguments, "--json").json))
                for found in chance.sample(every, min(len(every), AMOUNTS)):
                    _sums_up(reader, *found)
                    explained += 1
        rows = books("trial-balance", "--from", "2025-07-01", "--as-of", "2025-12-31", "--json").json
        for found in chance.sample(list(amounts(rows)), 40):
            _sums_up(reader, *found)
        # The command itself, as one would call it, for a few of them.
        for _, amount, _, selector in chance.sample(list(amounts(opened)), 5):
            answer: Any = books("explain", selector, "--json").json
            assert sum(posting["contribution"] for posting in answer["postings"]) == answer["amount"] == amount
    assert explained > 20 * count


def _sums_up(reader: Reader, name: str, amount: int, base_amount: int | None, selector: str) -> None:
    explanation = reader.explain(selector)
    postings = list(explanation.postings)
    assert explanation.amount == amount == sum(p.contribution for p in postings), (name, selector)
    assert explanation.base_amount == sum(p.base_contribution for p in postings), (name, selector)
    if base_amount is not None:
        assert explanation.base_amount == base_amount, (name, selector)
