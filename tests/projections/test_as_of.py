"""Given a random year, when asked at any (E, K), then the answers are those of a fold in plain Python."""

import json
import random
from datetime import date, timedelta

import logs
import pytest
from plain_fold import Plain

from projections.answers import AgeingRow, AsOf
from projections.reader import NotFollowed, Reader

BUCKETS = (30, 60, 90)


def moments(reader: Reader, count: int, seed: int) -> list[AsOf]:
    """Pairs (E, K) over the whole year, each clock also left open."""
    pick = random.Random(seed)
    days = [logs.START + timedelta(days=n) for n in range(-2, logs.DAYS + 70)]
    return [
        AsOf(
            pick.choice([None, *pick.choices(days, k=6)]),
            pick.choice([None, *pick.choices(range(reader.position + 1), k=4)]),
        )
        for _ in range(count)
    ]


def test_enough_facts_are_recorded_late(plain: Plain, reader: Reader) -> None:
    recorded = {row.position: row.recorded_at.date() for row in reader.audit("main")}
    late = [line for line in plain.lines if recorded[f"0:{line.position}"] - line.on > timedelta(days=7)]
    assert len(late) / len(plain.lines) > 0.05


def test_balances(plain: Plain, reader: Reader) -> None:
    for as_of in moments(reader, 200, seed=1):
        position = reader.position if as_of.position is None else as_of.position
        expected = plain.balances("main", as_of.effective_on, position)
        found = reader.balances("main", as_of=as_of)
        assert {(b.customer, b.currency, b.role, b.account): (b.amount, b.base_amount) for b in found} == expected
        assert found == sorted(found, key=lambda b: (b.customer, b.currency, b.account, b.role))
        customer, currency = random.Random(position).choice(logs.CUSTOMERS), "USD"
        own = [b for b in found if (b.customer, b.currency) == (customer, currency)]
        assert reader.balances("main", customer, currency, as_of) == own


def test_items(plain: Plain, reader: Reader) -> None:
    for as_of in moments(reader, 60, seed=2):
        position = reader.position if as_of.position is None else as_of.position
        expected = plain.open_items("main", as_of.effective_on, position)
        found = list(reader.items("main", as_of=as_of, settled=True))
        assert {i.item: (i.open, i.base_open) for i in found} == {k: v[1:] for k, v in expected.items()}
        for item in found:
            opening = expected[item.item][0]
            assert (item.customer, item.currency, item.side) == (opening.customer, opening.currency, opening.side)
            assert (item.role, item.account) == (opening.role, opening.account)
            assert (item.amount, item.base_amount) == (opening.amount, opening.base)
            assert (item.due_on, item.effective_on) == (opening.due_on, opening.on)
            assert item.open >= 0
        assert found == sorted(found, key=lambda i: (i.customer, i.currency, i.due_on, i.item))
        something = [item for item in found if item.open or item.base_open]
        assert list(reader.items("main", as_of=as_of)) == something
        for account in ("1122", "2203"):
            assert list(reader.items("main", as_of=as_of, account=account)) == [
                i for i in something if i.account == account
            ]


def test_items_of_one_document(reader: Reader) -> None:
    for item in list(reader.items("main", settled=True))[::7]:
        found = list(reader.items("main", document=item.document, settled=True))
        assert item in found
        assert {other.document for other in found} == {item.document}
        assert not list(reader.items("main", customer="C9", document=item.document, settled=True))


def test_ageing_per_customer_and_in_total(plain: Plain, reader: Reader) -> None:
    for as_of in moments(reader, 200, seed=3):
        on = as_of.effective_on or date(2024, 12, 31)
        position = reader.position if as_of.position is None else as_of.position
        for by_customer in (True, False):
            expected = plain.ageing("main", on, position, BUCKETS, customer=by_customer)
            ask = reader.ageing if by_customer else reader.ageing_totals
            found = ask("main", AsOf(on, as_of.position), BUCKETS)
            assert {
                (r.customer, r.currency): (r.not_due, [b.amount for b in r.buckets], r.unapplied, r.net, r.base_net)
                for r in found
            } == expected
            for row in found:  # identity 12
                assert row.not_due + sum(bucket.amount for bucket in row.buckets) - row.unapplied == row.net
            assert found == sorted(found, key=lambda r: (r.customer or "", r.currency))


@pytest.mark.parametrize(("dimension", "groups"), [("dept", {None}), ("project", {None, "p/1|=,"}), ("", {None})])
def test_ageing_by_a_dimension_sums_to_the_totals(reader: Reader, dimension: str, groups: set[str | None]) -> None:
    for as_of in moments(reader, 20, seed=7):
        at = AsOf(as_of.effective_on or date(2024, 12, 31), as_of.position)
        for customer in (None, "C:2"):
            rows = reader.ageing(
                "main", at, BUCKETS, customer, by=f"dimension:{dimension}" if dimension else "currency"
            )
            assert {row.group for row in rows} <= groups
            sums: dict[str, list[int]] = {}
            for row in rows:
                assert row.customer == customer
                assert row.not_due + sum(bucket.amount for bucket in row.buckets) - row.unapplied == row.net
                figures = figures_of(row)
                before = sums.setdefault(row.currency, [0] * len(figures))
                sums[row.currency] = [a + b for a, b in zip(before, figures, strict=True)]
            totals = {
                currency: [sum(column) for column in zip(*found, strict=True)]
                for currency in ("CNY", "USD")
                if (
                    found := [
                        figures_of(row)
                        for row in reader.ageing("main", at, BUCKETS, customer)
                        if row.currency == currency
                    ]
                )
            }
            assert {currency: figures for currency, figures in sums.items() if any(figures)} == {
                currency: figures for currency, figures in totals.items() if any(figures)
            }
            if customer is None:
                in_all = {row.currency: figures_of(row) for row in reader.ageing_totals("main", at, BUCKETS)}
                assert in_all == totals
            nets: dict[tuple[str, str | None], int] = {}
            for item in reader.items("main", customer, as_of=at):
                key = (item.currency, item.dimensions.get(dimension))
                nets[key] = nets.get(key, 0) + (item.open if item.side == "D" else -item.open)
            assert {(row.currency, row.group): row.net for row in rows if row.net} == {
                k: v for k, v in nets.items() if v
            }


def figures_of(row: AgeingRow) -> list[int]:
    return [row.not_due, *(bucket.amount for bucket in row.buckets), row.unapplied, row.net, row.base_net]


def test_ageing_is_by_what_there_is(reader: Reader) -> None:
    at = AsOf(date(2024, 6, 30))
    assert reader.ageing("main", at, by="customer") == reader.ageing("main", at)
    assert reader.ageing("main", at, by="currency") == reader.ageing_totals("main", at)
    rows = reader.ageing("main", at, by="dimension:project")
    for n in range(len(rows)):
        assert reader.ageing("main", at, by="dimension:project", after=rows[n].key, limit=2) == rows[n + 1 : n + 3]
    for by in ("dimension:", "country", ""):
        with pytest.raises(ValueError, match="dimension:<name>"):
            reader.ageing("main", at, by=by)


def test_ageing_has_the_net_of_the_balances(reader: Reader) -> None:
    for as_of in moments(reader, 30, seed=4):
        on = as_of.effective_on or date(2024, 12, 31)
        at = AsOf(on, as_of.position)
        nets: dict[tuple[str, str], int] = {}
        for balance in reader.balances("main", as_of=at):
            key = (balance.customer, balance.currency)
            nets[key] = nets.get(key, 0) + balance.amount
        ageing = {(row.customer, row.currency): row.net for row in reader.ageing("main", at)}
        assert {key: net for key, net in ageing.items() if net} == {key: net for key, net in nets.items() if net}


def test_trial_balance(plain: Plain, reader: Reader) -> None:
    for as_of in moments(reader, 60, seed=5):
        position = reader.position if as_of.position is None else as_of.position
        for from_on in (None, date(2024, 6, 1)):
            expected = plain.trial_balance("main", from_on, as_of.effective_on, position)
            found = reader.trial_balance("main", from_on, as_of)
            assert {
                (r.account, r.currency, json.dumps(r.dimensions, sort_keys=True, ensure_ascii=False)): (
                    r.opening, r.debit, r.credit, r.base_opening, r.base_debit, r.base_credit,
                )
                for r in found
            } == expected  # fmt: skip
            for row in found:
                assert row.opening + row.debit - row.credit == row.closing
                assert row.base_opening + row.base_debit - row.base_credit == row.base_closing
            assert sum(row.base_closing for row in found) == 0
            for currency in ("CNY", "USD"):
                assert sum(row.closing for row in found if row.currency == currency) == 0


def test_subledger_is_control(reader: Reader) -> None:
    """Identity 2, at every (E, K), in amount and in base amount."""
    for as_of in moments(reader, 200, seed=6):
        rows = reader.control("main", as_of)
        assert all(row.holds for row in rows), [row for row in rows if not row.holds]
    assert {row.account for row in reader.control("main")} == {"1122", "2203", "2205", "2241"}


@pytest.mark.parametrize("buckets", [(0, 30), (30, 30), (60, 30), (-1,)])
def test_buckets_must_ascend(reader: Reader, buckets: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        reader.ageing("main", AsOf(date(2024, 6, 30)), buckets)


def test_ageing_needs_a_day(reader: Reader) -> None:
    with pytest.raises(ValueError, match="needs a day"):
        reader.ageing("main", AsOf())


def test_a_position_beyond_what_was_followed_is_refused(reader: Reader) -> None:
    with pytest.raises(NotFollowed):
        reader.balances("main", as_of=AsOf(None, reader.position + 1))


def test_another_book_has_nothing(reader: Reader) -> None:
    assert reader.balances("mai") == []
    assert reader.trial_balance("mai") == []
    assert list(reader.audit("mai")) == []
