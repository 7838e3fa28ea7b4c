"""The same fact has the same digest whichever way it came; another fact has another."""

import json

import pytest
from shop import account, day, invoice, payment, refund

from domain.commands import COMMAND, Deduction, IssueInvoice, Line, RecordPayment, Tax
from ledger.digest import digest

LINES = [Line(net=60), Line(net=40, dimensions={"region": "east"}), Line(net=60)]


@pytest.mark.parametrize(
    "same",
    [
        invoice("1", 160, lines=LINES, source="kafka", source_id="m9", actor="feed", reason="again"),
        invoice("1", 160, lines=LINES, sequence=7),
        invoice("1", 160, lines=LINES[::-1]),
        invoice("1", 160, lines=LINES, kind="invoice", nature="fact", series="", dimensions={}),
        invoice("1", 160, lines=LINES, document_on=day("01-05"), tax_point_on=day("01-05")),
    ],
)
def test_who_sent_it_defaults_and_the_order_of_lines_do_not_matter(same: IssueInvoice) -> None:
    assert digest(same) == digest(invoice("1", 160, lines=LINES))


@pytest.mark.parametrize(
    "other",
    [
        invoice("2", 160, lines=LINES),
        invoice("1", 160, lines=LINES, series="A"),
        invoice("1", 160, lines=LINES, revision=2),
        invoice("1", 160, lines=LINES, customer="C2"),
        invoice("1", 160, lines=LINES, currency="USD"),
        invoice("1", 160, lines=LINES, on="01-06", due="01-05"),
        invoice("1", 160, lines=LINES, due="01-06"),
        invoice("1", 160, lines=LINES, document_on=day("01-04")),
        invoice("1", 160, lines=[Line(net=60), Line(net=100)]),
        invoice("1", 220, lines=[*LINES, Line(net=60)]),
        invoice("1", 160, lines=LINES, kind="debit-note"),
        invoice("1", 160, lines=LINES, nature="instruction"),
        invoice("1", 160, lines=LINES, tax=[Tax(code="V", rate="0", base=0, amount=0)]),
    ],
)
def test_every_field_of_the_fact_matters(other: IssueInvoice) -> None:
    assert digest(other) != digest(invoice("1", 160, lines=LINES))


def test_identical_lines_are_never_merged() -> None:
    assert digest(invoice("1", 120, lines=[LINES[0], LINES[2]])) != digest(invoice("1", 120, lines=[LINES[0]]))


def test_cash_that_only_repeats_the_amount_counts_as_absent() -> None:
    plain = RecordPayment(number="1", amount=100, effective_on=day("01-05"), source_id="p", **account())
    repeated = plain.model_copy(update={"cash": 100})
    assert digest(repeated) == digest(plain)
    deducted = plain.model_copy(update={"deductions": [Deduction(reason="bank_charge", amount=3)]})
    assert digest(deducted.model_copy(update={"cash": 97})) == digest(deducted)
    assert digest(deducted.model_copy(update={"cash": 96})) != digest(deducted)


def test_kinds_with_equal_fields_differ() -> None:
    assert digest(payment("1", 100)) != digest(refund("1", 100, nature="fact"))


def test_the_digest_survives_json() -> None:
    for command in (invoice("1", 160, lines=LINES), payment("1", 5), refund("1", 5, of="1")):
        assert digest(COMMAND.validate_json(COMMAND.dump_json(command))) == digest(command)
        assert digest(COMMAND.validate_json(json.dumps(json.loads(COMMAND.dump_json(command))))) == digest(command)
