"""Text → exact numbers and days."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.mapping import Source
from consumers.values import Days, Numbers, RowFault


def numbers(decimal: str = ".", thousands: str = "", **more: str) -> Numbers:
    return Numbers(Source(name="s", decimal=decimal, thousands=thousands, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("decimal", "thousands", "text", "cents"),
    [
        (".", "", "12.5", 1250),
        (".", "", "12.50", 1250),
        (".", "", "12.500000", 1250),
        (".", "", "12", 1200),
        (".", "", ".5", 50),
        (".", "", "5.", 500),
        (".", "", "-0.01", -1),
        (".", "", "+7", 700),
        (".", "", "7.00-", -700),
        (".", "", "(7.00)", -700),
        (".", "", "−7", -700),
        (".", "", "0", 0),
        (".", "", "-0", 0),
        (".", ",", "1,234,567.89", 123456789),
        (".", ",", "1234567.89", 123456789),
        (",", ".", "1.234,5", 123450),
        (",", "", "0,07", 7),
        (",", " ", "12 345,00", 1234500),
        (",", " ", "12\u00a0345,00", 1234500),
        (",", " ", "12\u202f345,00", 1234500),
        (".", "'", "12'345.00", 1234500),
        (".", "", "9" * 30, int("9" * 30) * 100),
    ],
)
def test_numbers_are_read_with_the_separators_of_the_source(
    decimal: str, thousands: str, text: str, cents: int
) -> None:
    assert numbers(decimal, thousands).minor(text, "net", 2) == cents


@pytest.mark.parametrize(
    ("decimal", "thousands", "text"),
    [
        (".", "", "1,234.50"),
        (".", ",", "1,23"),
        (".", ",", "1,2345"),
        (".", ",", "12,34,567"),
        (".", ",", ",123"),
        (",", ".", "1.5"),
        (".", "", "12.5.0"),
        (".", "", "1e3"),
        (".", "", "1e+20"),
        (".", "", "NaN"),
        (".", "", "€5"),
        (".", "", "٣"),
        (".", "", "--5"),
        (".", "", "-"),
        (".", "", "."),
        (".", "", "1 000"),
        (".", "", "9" * 61),
    ],
)
def test_another_notation_is_refused_and_never_guessed(decimal: str, thousands: str, text: str) -> None:
    with pytest.raises(RowFault) as caught:
        numbers(decimal, thousands).minor(text, "net", 2)
    assert caught.value.fault[:3] == ("amount_must_be_a_decimal", "net", text)


@pytest.mark.parametrize(("text", "digits"), [("10.005", 2), ("0.001", 2), ("1.5", 0), ("0.0001", 3)])
def test_a_stated_amount_that_does_not_fit_its_currency_is_refused(text: str, digits: int) -> None:
    with pytest.raises(RowFault) as caught:
        numbers().minor(text, "net", digits)
    assert caught.value.fault.code == "amount_must_fit_the_currency"


def test_amounts_may_be_in_minor_units() -> None:
    minor = numbers(amounts="minor")
    assert minor.minor("1250", "net", 2) == 1250
    assert minor.product("3", "1250", 2, exact=True) == 3750
    with pytest.raises(RowFault):
        minor.minor("12.50", "net", 2)


@pytest.mark.parametrize(
    ("quantity", "price", "digits", "amount"),
    [
        ("3", "0.335", 2, 101),
        ("-3", "0.335", 2, -101),
        ("1", "0.005", 2, 1),
        ("1", "0.0049", 2, 0),
        ("-1", "0.005", 2, -1),
        ("150", "0.333", 2, 4995),
        ("1.5", "1.5", 0, 2),
        ("-40", "0", 2, 0),
        ("0.1", "0.2", 3, 20),
    ],
)
def test_quantity_times_price_is_rounded_half_away_from_zero(
    quantity: str, price: str, digits: int, amount: int
) -> None:
    assert numbers().product(quantity, price, digits, exact=False) == amount


def test_an_inexact_product_can_be_refused() -> None:
    assert numbers().product("2", "0.335", 2, exact=True) == 67
    with pytest.raises(RowFault) as caught:
        numbers().product("3", "0.335", 2, exact=True)
    assert caught.value.fault.code == "amount_must_fit_the_currency"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12))
def test_any_decimal_is_read_exactly(value: object) -> None:
    assert numbers().minor(f"{value:f}", "net", 4) == int(f"{value:.4f}".replace(".", ""))


@pytest.mark.parametrize(
    ("text", "plain"), [("7.10", "7.1"), ("007", "7"), ("19 %", "19"), ("19%", "19"), ("0.50", "0.5"), ("-1.0", "-1")]
)
def test_rates_are_plain_decimals(text: str, plain: str) -> None:
    assert numbers().plain(text, "rate") == plain


def days(*formats: str, zone: str = "UTC", source_zone: str | None = None) -> Days:
    return Days(Source(name="s", dates=list(formats) or ["iso"], time_zone=source_zone), zone)


@pytest.mark.parametrize(
    ("reader", "text", "day"),
    [
        (days(), "2010-12-01", "2010-12-01"),
        (days(), "20101201", "2010-12-01"),
        (days(), "2010-12-01 08:26:00", "2010-12-01"),
        (days(), "2010-12-01T23:59:59.999", "2010-12-01"),
        (days(zone="Asia/Shanghai"), "2010-12-01T17:00:00Z", "2010-12-02"),
        (days(zone="Asia/Shanghai"), "2010-12-01T17:00:00+08:00", "2010-12-01"),
        (days(zone="Asia/Shanghai"), "2010-12-01 17:00:00", "2010-12-01"),
        (days(zone="Asia/Shanghai", source_zone="UTC"), "2010-12-01 17:00:00", "2010-12-02"),
        (days(zone="Asia/Shanghai", source_zone="UTC"), "2010-12-01", "2010-12-01"),
        (days("%d.%m.%Y"), "1.12.2010", "2010-12-01"),
        (days("%m/%d/%y"), "12/01/10", "2010-12-01"),
        (days("iso", "%d %b %Y"), "01 Dec 2010", "2010-12-01"),
        (days("%d.%m.%Y %H:%M", zone="Asia/Shanghai", source_zone="UTC"), "01.12.2010 17:00", "2010-12-02"),
        (days("%d.%m.%Y", zone="Asia/Shanghai", source_zone="America/New_York"), "01.12.2010", "2010-12-01"),
    ],
)
def test_days_are_read_in_the_formats_of_the_source_and_the_zone_of_the_book(reader: Days, text: str, day: str) -> None:
    assert reader.day(text, "effective_on") == date.fromisoformat(day)
    assert reader.sortable(text) == day


def test_an_instant_at_the_end_of_time_is_no_day_elsewhere() -> None:
    assert days(zone="Asia/Shanghai", source_zone="UTC").sortable("9999-12-31 23:59:59") == "~"


@pytest.mark.parametrize("text", ["2010-02-30", "01.12.2010", "", "yesterday", "2010-12"])
def test_what_is_no_day_is_refused_and_sorts_last(text: str) -> None:
    with pytest.raises(RowFault) as caught:
        days().day(text, "effective_on")
    assert caught.value.fault.code == "date_must_be_in_a_given_format"
    assert days().sortable(text) > days().sortable("2199-12-31")
