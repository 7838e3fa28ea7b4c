"""Mapping files: strict, and wrong ones are explained by field, value and rule."""

from pathlib import Path

import pytest

from consumers.mapping import MappingError, load_mapping, read_mapping

EXAMPLES = Path(__file__).parents[2] / "examples"
LEAST = """
[source]
name = "shop"
[defaults]
currency = "EUR"
[columns]
number = "No"
effective_on = "Date"
customer = "Who"
amount = "Sum"
"""


TABLES = sorted(path for path in EXAMPLES.glob("*.toml") if not path.name.endswith(".feed.toml"))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_the_examples_are_valid(path: Path) -> None:
    assert load_mapping(path).source.name


def test_columns_are_named_once_and_the_number_comes_first() -> None:
    mapping = read_mapping(
        LEAST + 'dimensions.region = "Region"\nsource_id = "No"\n[kind]\ncolumn = "T"\nvalues.A = "payment"'
    )
    assert mapping.used == ["No", "Date", "Who", "Region", "Sum", "T"]
    assert mapping.key == ["No", "T"]


def test_a_group_of_its_own_wins() -> None:
    assert read_mapping(LEAST + '[group]\ncolumns = ["Who", "No"]').key == ["Who", "No"]


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (("[source]", "[sauce]"), "source", "must be given"),
        (("name =", "nome ="), "source.name", "must be given"),
        (('name = "shop"', 'name = "shop"\nencodng = "x"'), "source.encodng", "is not a field here; there are: name"),
        (('name = "shop"', 'name = "shop"\nencoding = "klingon"'), "source.encoding", "must be an encoding"),
        (('name = "shop"', 'name = "shop"\ndelimiter = ";;"'), "source.delimiter", "not have more than 1"),
        (('name = "shop"', 'name = "shop"\ndates = []'), "source.dates", "must have at least 1"),
        (('name = "shop"', 'name = "shop"\ndates = ["%m/%Y"]'), "source.dates.0", "day, month and year"),
        (('name = "shop"', 'name = "shop"\ndates = ["%d.%m."]'), "source.dates.0", "day, month and year"),
        (('name = "shop"', 'name = "shop"\ntime_zone = "Mars"'), "source.time_zone", "must be an IANA time zone"),
        (('name = "shop"', 'name = "shop"\nthousands = "."'), "source.thousands", "another character than the decimal"),
        (('name = "shop"', 'name = "shop"\nskip_lines = "2"'), "source.skip_lines", "must be a whole number"),
        (('currency = "EUR"', ""), "columns.currency", "must be mapped, or"),
        (('currency = "EUR"', 'currency = "Euro"'), "defaults.currency", "three capital letters"),
        (('currency = "EUR"', 'currency = "EUR"\nkind = "bill"'), "defaults.kind", "must be one of 'invoice'"),
        (('number = "No"', "number = 3"), "columns.number", "must be text in quotes"),
        (('number = "No"', ""), "columns.number", "must be given"),
        (('customer = "Who"', ""), "columns.customer", "must be mapped, unless"),
        (('amount = "Sum"', ""), "columns.amount", "must be mapped"),
        (('amount = "Sum"', 'quantity = "Q"'), "columns.unit_price", "go together"),
        (('amount = "Sum"', 'unit_price = "Q"'), "columns.quantity", "go together"),
        (('amount = "Sum"', 'amount = "Sum"\ntax_amount = "T"\ntax_rate = "R"'), "columns.tax_code", "must be mapped"),
        (('amount = "Sum"', 'amount = "Sum"\ntax_amount = "T"\ntax_code = "R"'), "columns.tax_rate", "must be mapped"),
        (('amount = "Sum"', 'amount = "Sum"\ntax_rate = "R"'), "columns.tax_amount", "as the source computed it"),
        (('amount = "Sum"', 'amount = "Sum"\ndimensions.Region = "R"'), "columns.dimensions.Region", "must be a word"),
        (('amount = "Sum"', 'amount = "Sum"\n[kind]\nprefix.C = "refunds"'), "kind.prefix.C", "must be one of"),
        (('amount = "Sum"', 'amount = "Sum"\n[kind]\ncolumn = "T"'), "kind.values", "what the values"),
        (('amount = "Sum"', 'amount = "Sum"\n[kind]\nvalues.A = "payment"'), "kind.column", "must name the column"),
        (
            ('amount = "Sum"', 'amount = "Sum"\n[kind]\nwhen_negative.payment = "credit-note"'),
            "kind.when_negative",
            "a payment a refund",
        ),
        (("[columns]", "[columns"), "", "must be TOML"),
    ],
)
def test_a_wrong_mapping_is_explained(change: tuple[str, str], field: str, rule: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_mapping(LEAST.replace(*change))
    assert caught.value.field.removesuffix(".[key]") == field
    assert rule in caught.value.rule


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="must be a text file in UTF-8"):
        load_mapping(tmp_path / "none.toml")
