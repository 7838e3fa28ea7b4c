"""What becomes of odd rows of the sales data that its first months do not have: docs/import.md says it, this holds it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.mapping import load_mapping

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def retail(more_books: Callable[..., Any]) -> Any:
    books = more_books("retail", book="retail", source_id="open retail", base_currency="GBP", time_zone="Europe/London")
    books.summary = books.take(EXAMPLES / "retail_odd.csv", load_mapping(EXAMPLES / "retail.toml"))
    return books


def nets(event: Any) -> list[int]:
    return [line.net for line in event.lines]


def test_three_decimal_prices_are_rounded_line_by_line(retail: Any) -> None:
    assert nets(retail.documents()["invoice::900001:1"]) == [0, 101]


def test_a_positive_quantity_under_a_credit_prefix_takes_back_a_part(retail: Any) -> None:
    event = retail.documents()["credit-note::C900002:1"]
    assert (nets(event), event.total) == ([1980, -330], 1650)


def test_a_discount_within_a_sale_is_a_negative_line(retail: Any) -> None:
    event = retail.documents()["invoice::900005:1"]
    assert (nets(event), event.total) == ([-500, 2000], 1500)


def test_two_days_are_the_earlier_one(retail: Any) -> None:
    assert retail.documents()["invoice::900006:1"].effective_on.isoformat() == "2011-03-31"


def test_lost_stock_is_an_invoice_of_nothing_in_the_house_account(retail: Any) -> None:
    event = retail.documents()["invoice::900008:1"]
    assert (event.total, event.instalments, event.postings) == (0, [], [])
    assert retail.balances()["~online-retail:2011-03"] == 0


def test_identical_lines_are_kept(retail: Any) -> None:
    assert nets(retail.documents()["invoice::900009:1"]) == [620, 620]


def test_what_nobody_can_tell_is_left_to_a_person(retail: Any) -> None:
    assert [(problem.lines, problem.code) for problem in retail.summary.problems] == [
        ("2", "kind_must_be_entered_by_hand"),
        ("3", "kind_must_be_entered_by_hand"),
        ("4", "kind_must_be_entered_by_hand"),
        ("9", "amount_must_be_positive"),
        ("10", "negative_total_must_be_credit_note"),
        ("15-16", "rows_of_a_document_must_agree"),
    ]
    assert retail.summary.booked == 6
    assert retail.balances() == {"17850": 101 - 1650 + 1500 + 400 + 1240, "~online-retail:2011-03": 0}
