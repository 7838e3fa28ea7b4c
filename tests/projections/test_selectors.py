"""Selectors stand for the same number whatever characters the ids hold."""

import shlex
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.selectors import Due, ItemOpen, Net, Position, Selector, Share, Turnover, parse

ids = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs", "Cc"]), min_size=1)
days = st.none() | st.dates()
positions = st.integers(0, 10**12).map(Position)


@settings(max_examples=200)
@given(ids, ids, days, positions)
def test_items_of_any_name(customer: str, item: str, on: date | None, position: Position) -> None:
    selector = ItemOpen(book="main", customer=customer, currency="CNY", item=item, effective_on=on, position=position)
    assert parse(selector.text) == selector
    assert shlex.split(selector.text) == [selector.text]


@settings(max_examples=200)
@given(st.dictionaries(ids, ids), days, days, positions)
def test_any_dimensions(dimensions: dict[str, str], from_on: date | None, on: date | None, position: Position) -> None:
    selector = Turnover(
        book="main",
        account="1122",
        currency="CNY",
        dimensions=dimensions,
        part="debit",
        from_on=from_on,
        effective_on=on,
        position=position,
    )
    assert parse(selector.text) == selector


@given(ids, st.none() | ids, st.none() | ids, st.none() | st.integers(0, 9999), st.dates(), positions)
def test_a_share_of_any_value(
    customer: str, value: str | None, dimension: str | None, days: int | None, on: date, position: Position
) -> None:
    selector = Share(
        book="main",
        customer=customer,
        currency="CNY",
        dimension=dimension or "project",
        value=value,
        side="D",
        from_days=days,
        to_days=None,
        effective_on=on,
        position=position,
    )
    assert parse(selector.text) == selector
    assert shlex.split(selector.text) == [selector.text]


def test_what_is_absent_is_empty() -> None:
    total = Due(
        book="main",
        customer=None,
        currency="CNY",
        from_days=31,
        to_days=None,
        effective_on=date(2024, 6, 30),
        position=Position(7),
    )
    assert total.text == "due/main//CNY/31//2024-06-30/0:7"
    assert parse(total.text) == total
    net = Net(book="main", customer="C1", currency="CNY", effective_on=None, position=Position(7))
    assert net.text == "net/main/C1/CNY//0:7"


def test_it_can_be_typed_into_a_shell() -> None:
    selector = ItemOpen(
        book="main",
        customer="客户 三/|%'",
        currency="CNY",
        item="invoice::A#1:1#1",
        effective_on=date(2024, 6, 30),
        position=Position(9),
    )
    assert selector.text == "item/main/客户%20三%2F%7C%25%27/CNY/invoice::A#1:1#1/2024-06-30/0:9"


@pytest.mark.parametrize(
    "text",
    [
        "due/main//CNY/x//2024-06-30/0:7",
        "due/main//CNY/31//2024-06-30/1:7",
        "due/main//CNY/31///0:7",
        "turnover/main/1122/CNY//middle///0:7",
        "net/main/C1/CNY//0:7/more",
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a selector"):
        parse(text)


def test_a_kind_and_its_fields_are_all_that_a_selector_is() -> None:
    assert all(kind.__struct_fields__[0] == "book" for kind in Selector.__subclasses__())
    assert len(Selector.__subclasses__()) == 10
