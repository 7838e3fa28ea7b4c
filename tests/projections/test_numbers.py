"""A hash total tells whether numbers are 1 to n, each once; if not, which are missing and which came twice."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from projections.numbers import hashed, is_complete, missing, twice

NUMBERS = st.lists(st.integers(1, 12), max_size=12)


@given(NUMBERS)
def test_only_all_numbers_each_once_are_complete(numbers: list[int]) -> None:
    highest = max(numbers, default=0)
    said = is_complete(len(numbers), highest, sum(map(hashed, numbers)))
    assert said == (sorted(numbers) == list(range(1, highest + 1)))


def test_a_million_numbers_and_one_that_is_out_of_all_proportion() -> None:
    total = sum(map(hashed, range(1, 1_000_001)))
    assert is_complete(1_000_000, 1_000_000, total)
    assert not is_complete(1_000_000, 1_000_000, total + 1)
    # Lost 1 and 12, came twice 9 and 10: sums, and sums of cubes, would not tell.
    assert not is_complete(12, 12, sum(map(hashed, [2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 10, 11])) + hashed(12) - hashed(11))
    assert not is_complete(2, 2**63 - 1, hashed(1) + hashed(2**63 - 1))


@given(NUMBERS, st.integers(0, 15))
def test_what_is_missing_is_what_is_not_there(numbers: list[int], highest: int) -> None:
    ranges = missing(numbers, highest)
    assert [n for first, last in ranges for n in range(first, last + 1)] == [
        n for n in range(1, highest + 1) if n not in numbers
    ]
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(ranges))


@given(NUMBERS)
def test_what_came_twice_is_named_once(numbers: list[int]) -> None:
    assert list(twice(numbers)) == sorted({n for n in numbers if numbers.count(n) > 1})
