"""Policies spread an amount over open items, exact to the minor unit."""

from hypothesis import given
from hypothesis import strategies as st

from domain.allocation import POLICIES, exact_amount_first, largest_first, oldest_due_first, proportional

OPENS = st.lists(st.integers(1, 10**12), max_size=12).map(lambda amounts: [(f"i{n}", a) for n, a in enumerate(amounts)])


def test_oldest_due_first_settles_one_after_the_other() -> None:
    assert oldest_due_first(250, [("a", 100), ("b", 100), ("c", 100)]) == [("a", 100), ("b", 100), ("c", 50)]


def test_proportional_gives_each_its_share_of_a_part_payment() -> None:
    assert proportional(1_000, [("a", 3_333), ("b", 3_333), ("c", 3_334)]) == [("a", 333), ("b", 333), ("c", 334)]


def test_proportional_gives_the_odd_cents_to_the_largest_remainders_the_earlier_first() -> None:
    assert proportional(100, [("a", 100), ("b", 100), ("c", 100)]) == [("a", 34), ("b", 33), ("c", 33)]


def test_proportional_leaves_out_what_would_get_nothing() -> None:
    assert proportional(1, [("a", 10), ("b", 90)]) == [("b", 1)]


def test_largest_first_settles_the_largest_and_of_equal_ones_the_earlier() -> None:
    assert largest_first(250, [("a", 50), ("b", 100), ("c", 200), ("d", 100)]) == [("b", 50), ("c", 200)]


def test_exact_amount_first_settles_what_is_as_much_and_otherwise_the_oldest() -> None:
    opens = [("a", 50), ("b", 100), ("c", 100)]
    assert exact_amount_first(100, opens) == [("b", 100)]
    assert exact_amount_first(101, opens) == [("a", 50), ("b", 51)]


def test_a_policy_over_nothing_gives_nothing() -> None:
    assert [policy(100, []) for policy in POLICIES.values()] == [[]] * len(POLICIES)


@given(st.integers(1, 10**13), OPENS, st.sampled_from(sorted(POLICIES)))
def test_a_policy_spends_all_it_can_and_never_more_than_is_open(
    amount: int, opens: list[tuple[str, int]], policy: str
) -> None:
    spread = POLICIES[policy](amount, opens)
    open_of = dict(opens)
    assert sum(part for _, part in spread) == min(amount, sum(open_of.values()))
    assert all(0 < part <= open_of[item] for item, part in spread)
    assert len({item for item, _ in spread}) == len(spread)
    assert [item for item, _ in spread] == [item for item, _ in opens if item in dict(spread)]
