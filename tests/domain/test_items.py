"""An item's room: as of no day may it be below zero, and what takes from it waits for the first day with room."""

from datetime import date, timedelta

from given import day
from hypothesis import given
from hypothesis import strategies as st

from domain.items import OpenItem, from_image

OPENED_ON = day("01-10")


def item(*movements: tuple[date, int]) -> OpenItem:
    """An item of 100 opened on 10 January, and moved since; its base is twice its amount."""
    opened = OpenItem(
        "invoice::1:1#1", "D", "receivable", "1122", {}, OPENED_ON, OPENED_ON, 100, 200, 100, 200, ((OPENED_ON, 100),)
    )
    for on, amount in movements:
        opened = opened.moved(on, amount, 2 * amount)
    return opened


def test_movements_are_netted_per_day_in_order_of_days() -> None:
    moved = item((day("01-20"), -60), (day("01-15"), -10), (day("01-20"), 20))
    assert moved.movements == ((OPENED_ON, 100), (day("01-15"), -10), (day("01-20"), -40))
    assert (moved.open, moved.open_base) == (50, 100)


def test_what_nets_to_nothing_on_a_day_leaves_no_movement() -> None:
    assert item((day("01-20"), -60), (day("01-20"), 60)).movements == ((OPENED_ON, 100),)


def test_room_is_the_least_that_is_open_from_a_day_on() -> None:
    moved = item((day("01-20"), -80), (day("01-25"), 50))
    assert moved.room(day("01-09")) == 0
    assert moved.room(day("01-10")) == 20
    assert moved.room(day("01-24")) == 20
    assert moved.room(day("01-25")) == 70


def test_the_first_day_with_room_is_after_what_took_it() -> None:
    moved = item((day("01-20"), -80), (day("01-25"), 50))
    assert moved.first_day_with_room(20) == day("01-10")
    assert moved.first_day_with_room(21) == day("01-25")
    assert moved.first_day_with_room(20, day("01-12")) == day("01-12")
    assert moved.first_day_with_room(70, day("01-12")) == day("01-25")


def test_an_image_brings_a_settled_item_back_as_it_was() -> None:
    settled = item((day("01-20"), -100))
    assert from_image(settled.image()) == settled


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-30, 30).filter(bool)), max_size=12), st.integers(1, 100))
def test_room_agrees_with_looking_at_every_day(steps: list[tuple[int, int]], amount: int) -> None:
    moved = item()
    for after, change in steps:
        on = OPENED_ON + timedelta(after)
        if change > 0 or moved.room(on) >= -change:
            moved = moved.moved(on, change, 2 * change)
    days = [OPENED_ON + timedelta(n) for n in range(-1, 11)]
    balance = {on: sum(change for at, change in moved.movements if at <= on) for on in days}
    assert min(balance.values()) >= 0
    for on in days:
        assert moved.room(on) == min(balance[later] for later in days if later >= on)
    if amount <= moved.open:
        assert moved.first_day_with_room(amount) == min(on for on in days if moved.room(on) >= amount)
