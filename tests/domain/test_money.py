"""Money is exact: rounding half away from zero, parts that sum to the whole, rates as exact fractions."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.money import (
    apportion,
    apportion_at,
    convert,
    is_currency,
    minor_digits,
    parse_rate,
    round_half_away,
    share,
)

AMOUNTS = st.integers(-(10**15), 10**15)
WEIGHTS = st.lists(AMOUNTS, min_size=1, max_size=8)
RATES = st.decimals("0.000001", "100000", places=6).map(str)


@pytest.mark.parametrize(("code", "digits"), [("CNY", 2), ("USD", 2), ("JPY", 0), ("KWD", 3)])
def test_minor_digits_are_those_of_the_standard(code: str, digits: int) -> None:
    assert minor_digits(code) == digits


@pytest.mark.parametrize("code", ["XAU", "XXX", "RMB", "cny", ""])
def test_gold_and_inventions_are_no_currencies(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize("text", ["0", "-1", "NaN", "Infinity", "seven", ""])
def test_a_rate_is_a_positive_finite_decimal(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_rate(text)


@pytest.mark.parametrize(("numerator", "rounded"), [(5, 1), (-5, -1), (4, 0), (-4, 0), (15, 2), (25, 3), (-25, -3)])
def test_halves_are_rounded_away_from_zero(numerator: int, rounded: int) -> None:
    assert round_half_away(numerator, 10) == rounded


@given(AMOUNTS, st.integers(1, 10**6))
def test_rounding_is_that_of_decimal_arithmetic(numerator: int, denominator: int) -> None:
    assume(denominator % 2 == 0 or denominator % 5 == 0 or numerator % denominator == 0)
    exact = Fraction(numerator, denominator)
    assert abs(round_half_away(numerator, denominator) - exact) * 2 <= 1
    if 10**6 % denominator == 0:
        text = Decimal(numerator) / Decimal(denominator)
        assert round_half_away(numerator, denominator) == int(text.quantize(Decimal(1), ROUND_HALF_UP))


def test_a_rate_is_for_whole_units_whatever_their_minor_digits() -> None:
    assert convert(10_000, "USD", "CNY", "7.0823") == 70_823
    assert convert(10_000, "JPY", "CNY", "0.0482") == 48_200  # 10,000 yen are 482.00 yuan
    assert convert(1_000, "KWD", "CNY", "23.1") == 2_310  # 1.000 dinar
    assert convert(1_001, "CNY", "JPY", "20.5") == 205  # 10.01 yuan


@given(AMOUNTS, RATES)
def test_conversion_is_symmetric_about_zero(amount: int, rate: str) -> None:
    assert convert(-amount, "USD", "CNY", rate) == -convert(amount, "USD", "CNY", rate)


@given(st.integers(0, 10**15), st.lists(st.integers(1, 10**12), min_size=1, max_size=8))
def test_the_last_share_takes_all_that_is_left(base: int, parts: list[int]) -> None:
    left, left_base = sum(parts), base
    for part in parts:
        taken = share(left_base, part, left)
        assert 0 <= taken <= left_base
        left, left_base = left - part, left_base - taken
    assert left_base == 0


@given(AMOUNTS, WEIGHTS)
def test_what_is_apportioned_sums_to_the_whole_and_each_part_is_off_by_less_than_one(
    total: int, weights: list[int]
) -> None:
    whole = sum(weights)
    assume(whole != 0)
    parts = apportion(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, whole)) < 1
        if weight == 0:
            assert part == 0


def test_ties_go_to_the_earlier_part() -> None:
    assert apportion(100, [1, 1, 1]) == [34, 33, 33]
    assert apportion(2, [1, 1, 1, 1]) == [1, 1, 0, 0]


def test_weights_that_cancel_out_carry_nothing() -> None:
    assert apportion(0, [5, -5]) == [0, 0]


@given(WEIGHTS, RATES)
def test_at_a_rate_the_parts_sum_to_the_converted_total(weights: list[int], rate: str) -> None:
    total = convert(sum(weights), "USD", "CNY", rate)
    parts = apportion_at(total, weights, parse_rate(rate))
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - weight * parse_rate(rate)) <= 1
        if weight == 0:
            assert part == 0


def test_at_a_rate_lines_that_cancel_out_keep_their_worth() -> None:
    assert apportion_at(0, [10_000, -10_000], Fraction(7)) == [70_000, -70_000]
