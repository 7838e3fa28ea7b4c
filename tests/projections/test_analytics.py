"""Receivable analytics: worked by hand, and at random (E, K) against a plain recomputation, on both databases."""

import random
from datetime import date, timedelta
from fractions import Fraction

import given
import logs
import pytest
from plain_analytics import PlainAnalytics

from domain.events import FLAGS
from domain.money import round_half_away
from ledger.database import Location
from ledger.ledger import Ledger
from projections.answers import AsOf, Payer
from projections.dso import count_back, one_digit
from projections.follow import follow
from projections.reader import Reader

SEEN = logs.noon_us(date(2024, 6, 30))


@pytest.fixture(scope="session")
def folded(year: Location) -> PlainAnalytics:
    """The year, recomputed."""
    return PlainAnalytics(year)


def moments(reader: Reader, count: int, seed: int) -> list[tuple[date, int]]:
    pick = random.Random(seed)
    days = [logs.START + timedelta(days=n) for n in range(-2, logs.DAYS + 40)]
    positions = [reader.position, *pick.choices(range(reader.position + 1), k=count)]
    return [(pick.choice(days), pick.choice(positions)) for _ in range(count)]


def asked(on: str, position: int | None = None) -> AsOf:
    return AsOf(given.day(on), position)


def shown(value: Fraction | None) -> str | None:
    return None if value is None else one_digit(value)


# --- against the plain recomputation


@pytest.mark.parametrize("by_customer", [True, False])
def test_dso_at_random_moments(reader: Reader, folded: PlainAnalytics, by_customer: bool) -> None:
    for on, position in moments(reader, 40, seed=1):
        days = random.Random(position).choice([1, 30, 90, 365])
        ask = reader.dso if by_customer else reader.dso_totals
        found = {
            (row.customer, row.currency): (
                *(row.receivable, row.overdue, row.sales, row.dso, row.best_possible, row.delinquent),
                *(row.count_back, row.uncovered),
            )
            for row in ask("main", AsOf(on, position), days)
        }
        assert found == {
            key: (*row[:3], *map(shown, row[3:7]), row[7])
            for key, row in folded.dso(on, position, days, by_customer).items()
        }


def test_payers_at_random_moments(reader: Reader, folded: PlainAnalytics) -> None:
    for on, position in moments(reader, 60, seed=2):
        first = on - timedelta(days=random.Random(position).choice([0, 30, 400]))
        found = reader.payers("main", first, AsOf(on, position))
        expected = folded.payers(first, on, position)
        assert {(row.customer, row.currency): (row.amount, row.days_to_pay, row.days_late) for row in found} == {
            key: (amount, one_digit(to_pay), one_digit(late)) for key, (amount, to_pay, late) in expected.items()
        }
    assert sum(raw.kind == "allocation-released" for raw in folded.vouchers) > 10


def test_exposures_at_random_moments(reader: Reader, folded: PlainAnalytics) -> None:
    held = set()
    for on, position in moments(reader, 60, seed=3):
        found = reader.exposures("main", AsOf(on, position), 30)
        assert {
            (row.customer, row.currency): (row.limit, row.open, row.unapplied, row.overdue) for row in found
        } == folded.exposures(on, position)
        for row in found:
            assert row.exposure == row.open - row.unapplied
            assert row.headroom == (None if row.limit is None else row.limit - row.exposure)
            assert ("over_limit" in row.reasons) == (row.headroom is not None and row.headroom < 0)
            assert ("overdue" in row.reasons) == (row.overdue > 30)
            assert row.hold == bool(row.reasons)
            held.update(row.reasons)
    assert held == {"over_limit", "overdue"}


def test_what_is_unusual_at_random_moments(reader: Reader, folded: PlainAnalytics) -> None:
    kinds = set()
    for on, position in moments(reader, 40, seed=4):
        found = reader.unusual("main", AsOf(on, position), 2)
        kinds |= {row.kind for row in found}
        balances = {(row.customer, row.currency): row.amount for row in found if row.kind == "credit_balance"}
        assert balances == {key: net for key, net in folded.nets(on, position).items() if net < 0}
        jumps = {(row.customer, row.currency): (row.amount, row.usual) for row in found if row.kind == "jump"}
        assert jumps == {
            key: (change, round_half_away(*usual.as_integer_ratio()))
            for key, (change, usual) in folded.jumps(on, position, 2).items()
        }
        flagged = [(row.events, row.flags) for row in found if row.kind == "flag"]
        assert flagged == [
            ([f"{raw.stream}:{raw.version}"], raw.event["flags"])
            for raw in folded.vouchers
            if "flags" in raw.event
            and raw.known(on, position)
            and raw.event["effective_on"] >= on.replace(day=1).isoformat()
        ]
        for row in found:
            assert row.events or row.kind == "jump"
            assert set(row.flags) <= set(FLAGS)
            for event in row.events:
                stream, _, version = event.rpartition(":")
                assert any((raw.stream, raw.version) == (stream, int(version)) for raw in folded.events)
    assert kinds == {"credit_balance", "jump", "flag"}


def test_changes_tie_two_statements_together(reader: Reader, folded: PlainAnalytics) -> None:
    pick = random.Random(5)
    prior = 0
    for _ in range(80):
        customer, currency = pick.choice(logs.CUSTOMERS), pick.choice(["CNY", "USD"])
        first, later = sorted(pick.choices(range(logs.DAYS), k=2))
        on, end = logs.START + timedelta(days=first), logs.START + timedelta(days=later)
        since, position = sorted(pick.choices(range(reader.position + 1), k=2))
        then, now = AsOf(on, since), AsOf(pick.choice([end, None]), position)
        found = reader.changes("main", customer, currency, then, now)
        assert found.before == reader.statement("main", customer, currency, None, then).closing
        assert found.after == reader.statement("main", customer, currency, None, now).closing
        assert found.before + sum(change.amount for change in found.changes) == found.after
        for change in found.changes:
            assert change.prior == (change.effective_on <= on)
            assert int(change.position.partition(":")[2]) > since or not change.prior
        prior += any(change.prior for change in found.changes)
    assert prior > 10


def test_every_amount_explains_itself(reader: Reader) -> None:
    for on, position in moments(reader, 3, seed=6):
        now = AsOf(on, position)
        rows = [*reader.dso("main", now), *reader.dso_totals("main", now), *reader.exposures("main", now)]
        rows.append(reader.changes("main", "C1", "CNY", AsOf(on, position // 2), now))
        for row in rows:
            for name, selector in row.explain.items():
                explained = reader.explain(selector)
                assert explained.amount == getattr(row, name), selector
                assert sum(posting.contribution for posting in explained.postings) == explained.amount, selector


# --- worked by hand


def test_dso_by_hand(store: Location, ledger: Ledger) -> None:
    """Sales of 90 days to 30 June: April 3,000, May 6,000, June 4,000 less a credit note of 1,000; sum 12,000.

    Unpaid are 2,000 of May, due 15 June, and 4,000 of June, due 31 July; the credit note has settled nothing. DSO =
    6,000 × 90 / 12,000 = 45; best possible 4,000 × 90 / 12,000 = 30; delinquent 15. Count-back: June takes 3,000 and
    30 days; of May's 6,000 the 3,000 left are half, 15.5 of 31 days: 45.5.
    """
    logs.book(
        ledger,
        [
            given.invoice("1", 3_000, "04-10", due="05-10"),
            given.payment("P1", 3_000, "05-10"),
            given.invoice("2", 6_000, "05-15", due="06-15"),
            given.payment("P2", 4_000, "06-15"),
            given.invoice("3", 4_000, "06-20", due="07-31"),
            given.credit_note("K", 1_000, "06-30"),
            given.invoice("4", 50, "06-30"),
        ],
        SEEN,
    )
    logs.book(ledger, [given.reverse("invoice::4:1")], SEEN + 1)
    with _followed(store) as reader:
        [row] = reader.dso("main", asked("06-30"), 90)
        assert (row.receivable, row.overdue, row.sales) == (6_000, 2_000, 12_000)
        assert (row.dso, row.best_possible, row.delinquent, row.count_back) == ("45.0", "30.0", "15.0", "45.5")
        [total] = reader.dso_totals("main", asked("06-30"), 90)
        assert (total.customer, total.dso, total.count_back) == (None, "45.0", "45.5")
        # Before the reversal was known, the wrong invoice was a sale, and owed.
        [then] = reader.dso("main", asked("06-30", reader.position - 1), 90)
        assert (then.receivable, then.sales) == (6_050, 12_050)


def test_count_back_by_hand() -> None:
    """9,000 on 20 June: June has sold 4,000 in 20 days, May 3,000 in 31, and of April's 8,000 the 2,000 left are a
    quarter, 7.5 of 30 days: 58.5. A month of credit notes gives back what is left to take."""
    on, months = date(2024, 6, 20), {"2024-06": 4_000, "2024-05": 3_000, "2024-04": 8_000}
    assert count_back(9_000, months, on) == (Fraction(117, 2), 0)
    assert count_back(9_000, months | {"2024-05": -3_000}, on) == (Fraction(81), 0)
    assert count_back(15_001, months, on) == (None, 1)
    assert count_back(1, {}, on) == (None, 1)
    assert count_back(0, {}, on) == (Fraction(0), 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(1, 20), "0.1"), (Fraction(-1, 20), "-0.1"), (Fraction(1, 21), "0.0"), (Fraction(-455, 10), "-45.5")],
)
def test_days_are_shown_with_one_digit_half_away(value: Fraction, text: str) -> None:
    assert one_digit(value) == text


def test_payers_by_hand(store: Location, ledger: Ledger) -> None:
    """Of an invoice of 10 January, due 9 February, 300 are paid on 30 January (20 days, 10 early) and 100 on 19 February
    (40 days, 10 late): (300 × 20 + 100 × 40) / 400 = 25 days, (300 × −10 + 100 × 10) / 400 = −5 days late."""
    logs.book(
        ledger,
        [
            given.invoice("1", 1_000, "01-10", due="02-09"),
            given.payment("P1", 300, "01-30"),
            given.payment("P2", 100, "02-19"),
            given.credit_note("K", 200, "03-01", "invoice::1:1"),
        ],
        SEEN,
    )
    with _followed(store) as reader:
        assert reader.payers("main", date(2024, 1, 1), asked("03-31")) == [
            Payer(customer="C1", currency="CNY", amount=400, days_to_pay="25.0", days_late="-5.0")
        ]
        [january] = reader.payers("main", date(2024, 1, 1), asked("01-31"))
        assert (january.amount, january.days_to_pay) == (300, "20.0")
    # The first payment bounces in April: it never paid anything, in whatever month one asks.
    logs.book(ledger, [given.returned("T", "payment::P1:1", 300, "04-02")], SEEN + 1)
    with _followed(store) as reader:
        [left] = reader.payers("main", date(2024, 1, 1), asked("04-30"))
        assert (left.amount, left.days_to_pay, left.days_late) == (100, "40.0", "10.0")
        assert reader.payers("main", date(2024, 4, 1), asked("04-30")) == []
        [then] = reader.payers("main", date(2024, 1, 1), asked("03-31"))
        assert then.amount == 400


def test_a_payment_and_a_credit_note_allocated_together_count_for_what_was_paid(
    store: Location, ledger: Ledger
) -> None:
    commands = [
        given.payment("P", 60, "01-05", deposit_class="contract"),
        given.credit_note("K", 40, "01-05"),
        given.invoice("1", 100, "01-01"),
        given.allocate(("payment::P:1#1", "invoice::1:1#1"), ("credit-note::K:1#1", "invoice::1:1#1")),
    ]
    logs.book(ledger, commands, SEEN)
    with _followed(store) as reader:
        [row] = reader.payers("main", date(2024, 1, 1), asked("01-31"))
        assert (row.amount, row.days_to_pay) == (60, "4.0")


def test_a_limit_holds_from_its_position_on(store: Location, ledger: Ledger) -> None:
    logs.book(ledger, [given.invoice("1", 1_000, "01-10", due="02-09"), given.limit(800)], SEEN)
    logs.book(ledger, [given.limit(1_200)], SEEN + 1)
    logs.book(ledger, [given.limit(None)], SEEN + 2)
    with _followed(store) as reader:
        last = reader.position
        found = [reader.exposures("main", asked("02-09", last - back)) for back in (3, 2, 1, 0)]
        assert [(row.limit, row.headroom, row.hold) for [row] in found] == [
            (None, None, False),
            (800, -200, True),
            (1_200, 200, False),
            (None, None, False),
        ]
        [late] = reader.exposures("main", asked("03-11"), 30)
        assert (late.overdue, late.reasons) == (31, ["overdue"])
        assert reader.exposures("main", asked("03-11"), 31)[0].reasons == []


def test_a_jump_is_named_with_the_events_that_make_it_up(store: Location, ledger: Ledger) -> None:
    """January to April change by 100, 120, 80 and 100: the median is 100. May changes by 400, three times it is 300."""
    months = [("01", 100), ("02", 120), ("03", 80), ("04", 100), ("05", 400)]
    logs.book(ledger, [given.invoice(month, amount, f"{month}-10") for month, amount in months], SEEN)
    with _followed(store) as reader:
        [jump] = reader.unusual("main", asked("05-31"), 3)
        assert (jump.kind, jump.amount, jump.usual) == ("jump", 400, 100)
        assert (jump.documents, jump.events) == (["invoice::05:1"], ["acct:main:C1:CNY:5"])
        assert reader.unusual("main", asked("05-31"), 4) == []
        assert reader.unusual("main", asked("03-31"), 1) == []


def test_a_late_fact_is_a_change_of_a_prior_period(store: Location, ledger: Ledger) -> None:
    logs.book(ledger, [given.invoice("1", 100, "01-10"), given.invoice("2", 30, "02-10")], SEEN)
    with _followed(store) as reader:
        since = reader.position
    logs.book(ledger, [given.payment("P", 40, "01-31")], SEEN + 1)
    with _followed(store) as reader:
        found = reader.changes("main", "C1", "CNY", asked("01-31", since), asked("02-29"))
        assert (found.before, found.after) == (100, 90)
        assert [(change.prior, change.document, change.amount) for change in found.changes] == [
            (True, "payment::P:1", -40),
            (False, "invoice::2:1", 30),
        ]
        with pytest.raises(ValueError, match="in both clocks"):
            reader.changes("main", "C1", "CNY", asked("01-31"), asked("02-29", since))


def _followed(store: Location) -> Reader:
    follow(store)
    return Reader(store)
