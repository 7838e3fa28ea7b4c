"""Files of feeds: strict, and wrong ones are explained by field, value and rule."""

from pathlib import Path

import pytest
from stripe_objects import book

from consumers.adapters.feeds import StripeFeed, adapter, load_feed, read_feed
from consumers.adapters.generic import Generic
from consumers.adapters.stripe import Stripe
from consumers.mapping import MappingError

ROOT = Path(__file__).parents[3]
FEED = """
[source]
name = "billing"
[message]
type = "event"
[defaults]
currency = "EUR"
[messages]
"account.changed" = "acknowledge"
[messages."invoice.posted"]
becomes = "invoice"
[messages."invoice.posted".fields]
number = "data.number"
customer = "data.customer"
effective_on = "data.day"
[messages."invoice.posted".rows]
each = "data.lines"
net = "net"
[messages."refund.bounced"]
becomes = "reversal"
of = "refund"
[messages."refund.bounced".fields]
number = "data.number"
customer = "data.customer"
effective_on = "data.day"
"""
POSTED = "messages.invoice.posted"
BOUNCED = "messages.refund.bounced"


def test_a_feed_says_which_adapter_reads_it() -> None:
    assert isinstance(adapter(read_feed(FEED), book()), Generic)
    assert isinstance(adapter(read_feed("[stripe]"), book()), Stripe)


def test_the_settings_of_stripe() -> None:
    feed = read_feed('[source]\nname = "eu"\n[stripe]\nfees = "deducted"\ntax_rates = { txr_1 = "19.0" }')
    assert isinstance(feed, StripeFeed)
    assert (feed.source.name, feed.stripe.fees, feed.stripe.tax_rates) == ("eu", "deducted", {"txr_1": "19"})
    assert feed.stripe.livemode


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.feed.toml")), ids=lambda path: path.name)
def test_the_examples_are_valid(path: Path) -> None:
    assert load_feed(path).source.name


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (("[source]", "[sauce]"), "source", "must be given"),
        (('name = "billing"', 'nome = "billing"'), "source.name", "must be given"),
        (('name = "billing"', 'name = "billing"\ncolour = 1'), "source.colour", "is not a field here; there are: name"),
        (('name = "billing"', 'name = "billing"\ndates = ["%m"]'), "source.dates.0", "day, month and year"),
        (('name = "billing"', 'name = "billing"\nepoch = "days"'), "source.epoch", "must be one of 'seconds'"),
        (('name = "billing"', 'name = "billing"\nthousands = "."'), "source.thousands", "another character"),
        (('name = "billing"', 'name = "billing"\nprivate = ["a..b"]'), "source.private.0", "names joined by dots"),
        (('type = "event"', 'typ = "event"'), "message.type", "must be given"),
        (('type = "event"', 'type = "event"\nunknown = "drop"'), "message.unknown", "must be one of 'quarantine'"),
        (('"acknowledge"', '"ignore"'), "messages.account.changed.becomes", "must be one of 'invoice'"),
        (('becomes = "invoice"', 'becomes = "bill"'), f"{POSTED}.becomes", "must be one of 'invoice'"),
        (('becomes = "invoice"', 'becomes = "quarantine"'), f"{POSTED}.fields", "means nothing for what becomes"),
        (('becomes = "invoice"', 'becomes = "invoice"\ncolour = 1'), f"{POSTED}.colour", "there are: becomes, of"),
        (('becomes = "invoice"', 'becomes = "invoice"\nof = "refund"'), f"{POSTED}.of", "means nothing"),
        (
            ('becomes = "invoice"', 'becomes = "invoice"\nwhen_negative = "refund"'),
            f"{POSTED}.when_negative",
            "an invoice or debit note becomes a credit-note",
        ),
        (('becomes = "invoice"', 'becomes = "invoice"\nfinal = { "a.b" = [] }'), f"{POSTED}.final.a.b", "at least 1"),
        (
            ('becomes = "invoice"', 'becomes = "invoice"\ndefaults = { due_days = "x" }'),
            f"{POSTED}.defaults.due_days",
            "must be a whole number",
        ),
        (
            ('becomes = "invoice"', 'becomes = "invoice"\ndefaults = { kind = "refund" }'),
            "defaults.kind",
            "is what a type of message becomes",
        ),
        (('currency = "EUR"', 'currency = "Euro"'), "defaults.currency", "three capital letters"),
        (('currency = "EUR"', ""), f"{POSTED}.fields.currency", "must be mapped, or"),
        (('number = "data.number"', ""), f"{POSTED}.fields.number", "must be given"),
        (('number = "data.number"', 'number = "data."'), f"{POSTED}.fields.number", "names joined by dots"),
        (('number = "data.number"', "number = 3"), f"{POSTED}.fields.number", "must be given, as a path"),
        (('customer = "data.customer"', ""), f"{POSTED}.fields.customer", "must be mapped, unless"),
        (('number = "data.number"', 'number = "a"\nname = "b"'), f"{POSTED}.fields.name", "who a customer is"),
        (('number = "data.number"', 'number = "a"\ncolour = "b"'), f"{POSTED}.fields.colour", "is not a field here"),
        (
            ('number = "data.number"', 'number = "a"\ndimensions.Region = "b"'),
            f"{POSTED}.fields.dimensions.Region",
            "must be a word",
        ),
        (('each = "data.lines"', ""), f"{POSTED}.rows.each", "must be given"),
        (('net = "net"', 'net = ""'), f"{POSTED}.rows.net", "must be given, as a path"),
        (('net = "net"', 'net = "n"\ndeductions.Fee = "f"'), f"{POSTED}.rows.deductions.Fee", "must be a word"),
        (('net = "net"', 'number = "no"'), f"{POSTED}.rows.number", "is not a field of a row; there are: each"),
        (('net = "net"', 'tax_amount = "t"\nnet = "n"'), f"{POSTED}.fields.tax_code", "must be mapped with tax_amount"),
        (('net = "net"', 'quantity = "q"'), f"{POSTED}.fields.unit_price", "go together"),
        (('net = "net"', ""), f"{POSTED}.fields.amount", "must be mapped"),
        (('number = "data.number"', 'number = "a"\nnet = "b"'), f"{POSTED}.rows.net", "must not be in fields, too"),
        (('of = "refund"', ""), f"{BOUNCED}.of", "which kind of document"),
        (('of = "refund"', 'of = "invoice"'), f"{BOUNCED}.fields.effective_on", "on which a refund failed"),
        (('of = "refund"', 'of = "refund"\nrows = { each = "a" }'), f"{BOUNCED}.rows", "means nothing"),
        (('[message]\ntype = "event"', "[message"), "", "must be TOML"),
    ],
)
def test_a_wrong_feed_is_explained(change: tuple[str, str], field: str, rule: str) -> None:
    text = FEED.replace(change[0], change[1], 1)
    with pytest.raises(MappingError) as caught:
        read_feed(text)
    assert caught.value.field == field
    assert rule in caught.value.rule


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (
            ('number = "data.number"', 'number = "n"\ntotal = "x"'),
            "fields.total",
            "is not a field here; there are: number",
        ),
        (('number = "data.number"', ""), "fields.number", "must be mapped"),
        (('customer = "data.customer"', ""), "fields.customer", "must be mapped"),
        (('number = "data.number"', 'number = ".n"'), "fields.number", "names joined by dots"),
    ],
)
def test_a_wrong_reversal_is_explained(change: tuple[str, str], field: str, rule: str) -> None:
    head, mark, tail = FEED.partition('[messages."refund.bounced"]')
    text = head + mark + tail.replace(change[0], change[1], 1)
    with pytest.raises(MappingError) as caught:
        read_feed(text)
    assert caught.value.field == f"{BOUNCED}.{field}"
    assert rule in caught.value.rule


def test_a_reversal_needs_a_currency() -> None:
    head, mark, tail = FEED.partition('[messages."refund.bounced"]')
    head = head[: head.index("[messages]")].replace('[defaults]\ncurrency = "EUR"\n', "")
    with pytest.raises(MappingError) as caught:
        read_feed(head + mark + tail)
    assert caught.value.field == f"{BOUNCED}.fields.currency"


@pytest.mark.parametrize(
    ("text", "field", "rule"),
    [
        ('[stripe]\nfees = "free"', "stripe.fees", "must be one of 'apart' or 'deducted'"),
        ("[stripe]\nfee = 1", "stripe.fee", "is not a field here; there are: livemode, fees"),
        ('[stripe]\ntax_rates = { txr_1 = "a" }', "stripe.tax_rates.txr_1", "must be a decimal number as text"),
        ("[stripe]\nlivemode = 1", "stripe.livemode", "must be true or false"),
        ('[source]\nname = ""\n[stripe]', "source.name", "must have at least 1"),
        ('[stripe]\n[messages]\nx = "acknowledge"', "messages", "is not a field here; there are: source, stripe"),
    ],
)
def test_wrong_settings_of_stripe_are_explained(text: str, field: str, rule: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_feed(text)
    assert caught.value.field == field
    assert rule in caught.value.rule


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="must be a text file in UTF-8"):
        load_feed(tmp_path / "none.toml")
