"""Documents that bring no rate are converted at that of the book's source, by the same writer and by another one."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from databases import KINDS, store_of

from domain.commands import COMMAND, ChangeBookPolicies, IssueInvoice, OpenBook, StatedRate, StateRates
from domain.events import InvoiceIssued
from ledger.database import connect
from ledger.ledger import Ledger
from ledger.outcomes import Submission
from projections.log import logged

HEAD: dict[str, Any] = {"source": "t", "book": "main"}


def invoice(number: str) -> IssueInvoice:
    fields = {"command": "IssueInvoice", "source": "t", "source_id": number, "book": "main", "number": number}
    fields |= {"customer": "C1", "currency": "USD", "effective_on": date(2026, 1, 31), "total": 100}
    items = {"lines": [{"net": 100}], "instalments": [{"due_on": date(2026, 1, 31), "amount": 100}]}
    command = COMMAND.validate_python(fields | items)
    assert isinstance(command, IssueInvoice)
    return command


def stated(source_id: str, rate: str) -> StateRates:
    one = StatedRate(day=date(2026, 1, 30), currency="USD", rate=rate)
    return StateRates(**HEAD, source_id=source_id, rate_source="pboc", rates=[one])


def submitted(ledger: Ledger, *commands: Any) -> list[str]:
    return [outcome.status.value for outcome in ledger.submit([Submission(command) for command in commands])]


@pytest.mark.parametrize("kind", KINDS)
def test_the_rate_that_holds_when_a_document_is_booked_applies(kind: str, tmp_path: Path) -> None:
    with store_of(kind, tmp_path) as location, Ledger.open(location) as one, Ledger.open(location) as other:
        policy = ChangeBookPolicies(**HEAD, source_id="policy", rate_source="pboc")
        opened = OpenBook(**HEAD, source_id="open", base_currency="CNY")
        # In one batch: what was stated before it in the batch holds.
        assert submitted(one, opened, policy, stated("a", "7.1"), invoice("1")) == ["booked"] * 4
        assert submitted(other, invoice("2"), stated("b", "7.2")) == ["booked"] * 2
        assert submitted(one, invoice("3")) == ["booked"], "it has seen what the other writer stated"
        assert submitted(other, invoice("1"), invoice("3")) == ["duplicate"] * 2
        log = logged(connect(location, read_only=True), 0, one.head().position)
        events = [found.event for found in log if isinstance(found.event, InvoiceIssued)]
        assert [(event.rate, event.rate_source) for event in events] == [
            ("7.1", "pboc"),
            ("7.1", "pboc"),
            ("7.2", "pboc"),
        ]
