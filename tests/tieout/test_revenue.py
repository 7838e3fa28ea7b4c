"""Revenue over time from the command line: a run a month, again and again, and what it comes to by month."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit
from tieout.messages import LANGS


@pytest.fixture
def book(run: Run) -> Run:
    """A book with two yearly contracts, one of them in euros, and a sale, on 30 June 2026."""
    assert run("init").code == 0
    assert run("book", "open", "main", "--currency", "CNY").code == 0
    post(run, invoice("1", 1_200_00, "2026-01-01", "2026-12-31"))
    post(run, invoice("2", 365_00, "2026-02-01", "2027-01-31", customer="C2", currency="EUR", rate="8"))
    post(run, invoice("3", 100))
    return run


def invoice(number: str, total: int, first: str | None = None, last: str | None = None, **more: Any) -> dict[str, Any]:
    served = {"service_from": first, "service_to": last} if first else {}
    known = {
        "command": "IssueInvoice",
        "source": "billing",
        "source_id": number,
        "book": "main",
        "customer": "C1",
        "currency": "CNY",
        "number": number,
        "effective_on": "2026-01-05",
        "total": total,
        "lines": [{"net": total} | served],
        "instalments": [{"due_on": "2026-02-05", "amount": total}],
    }
    return known | more


def post(run: Run, command: dict[str, Any]) -> None:
    Path("command.json").write_text(json.dumps(command), encoding="utf-8")
    assert run("post", "command.json").code == Exit.OK


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_books_what_is_earned_and_again_nothing(book: Run) -> None:
    shown = book("recognise", "--until", "2026-02-28", "--dry-run", "--json").json
    due = [(one["document"], one["amount"], one["base_amount"]) for one in shown["recognitions"]]
    assert due == [("invoice::1:1", 19_397, 19_397), ("invoice::2:1", 2_800, 22_400)]
    assert book("deferred", "--json").json["months"][0]["recognised"] == 0
    booked = book("recognise", "--until", "2026-02-28", "--customer", "C2", "--json").json
    assert [(one["document"], one["status"]) for one in booked["recognitions"]] == [("invoice::2:1", "booked")]
    booked = book("recognise", "--until", "2026-02-28", "--json").json
    assert [(one["document"], one["status"]) for one in booked["recognitions"]] == [("invoice::1:1", "booked")]
    again = book("recognise", "--until", "2026-02-28")
    assert book("recognise", "--until", "2026-02-28", "--customer", "C9").code == Exit.NOT_FOUND
    assert (again.code, again.out) == (Exit.OK, "Up to 2026-02-28 there is nothing more to recognise.\n")
    months = book("deferred", "--as-of", "2026-02-28", "--json").json
    assert months["holds"]
    assert [(one["period"], one["currency"], one["closing"]) for one in months["months"]] == [
        ("2026-01", "CNY", 120_000),
        ("2026-02", "CNY", 100_603),
        ("2026-01", "EUR", 36_500),
        ("2026-02", "EUR", 33_700),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_else_is_posted_to_the_account_is_shown(book: Run) -> None:
    assert book("deferred").code == Exit.OK
    post(book, invoice("4", 50, lines=[{"net": 50, "role": "deferred_revenue"}]))
    ran = book("deferred")
    assert ran.code == Exit.UNPROVED
    assert "Schedules and accounts differ." in ran.out


def test_a_run_for_a_closed_month_is_refused_by_a_book_that_moves_nothing(book: Run) -> None:
    policies = {"command": "ChangeBookPolicies", "source": "t", "source_id": "p", "book": "main"}
    post(book, policies | {"late_facts": "refuse"})
    assert book("close", "2026-01").code == Exit.OK
    ran = book("recognise", "--until", "2026-01-31")
    assert ran.code == Exit.REFUSED
    assert "period_must_be_open" in ran.out


@pytest.mark.parametrize("lang", LANGS)
def test_what_people_read(book: Run, lang: str, snapshot: Callable[[str, str], None]) -> None:
    text = ""
    for arguments in (
        ["recognise", "--until", "2026-03-31", "--dry-run"],
        ["recognise", "--until", "2026-03-31"],
        ["recognise", "--until", "2026-03-31"],
        ["deferred"],
        ["document", "invoice::1:1"],
        ["recognise", "--until", "soon"],
    ):
        ran = book(*arguments, "--lang", lang)
        text += f"$ tieout {' '.join(arguments)}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    snapshot(f"cli/{lang}/revenue.txt", text)
