"""Exposure and changes from the command line, over a file and over PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit

pytestmark = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def book(run: Run) -> Run:
    """A book with an invoice of January, on 30 June 2026."""
    assert run("init").code == 0
    assert run("book", "open", "main", "--currency", "CNY").code == 0
    assert post(run, invoice("1", 1_000, "2026-01-10")) == [("booked", None)]
    return run


def command(name: str, key: str, **more: Any) -> dict[str, Any]:
    own = {"command": name, "source": "t", "source_id": f"{name}:{key}"}
    return own | {"book": "main", "customer": "C1", "currency": "CNY"} | more


def invoice(number: str, total: int, on: str) -> dict[str, Any]:
    instalments = [{"due_on": on, "amount": total}]
    lines = {"total": total, "lines": [{"net": total}], "instalments": instalments}
    return command("IssueInvoice", number, number=number, effective_on=on, **lines)


def post(run: Run, *commands: dict[str, Any]) -> list[tuple[str, str | None]]:
    """What becomes of commands: status and code."""
    Path("commands.jsonl").write_text("\n".join(json.dumps(one) for one in commands), encoding="utf-8")
    return [(one["status"], one.get("code")) for one in run("post", "commands.jsonl", "--json").lines]


def test_beyond_the_limit_the_answer_says_hold_and_the_fact_is_booked(book: Run) -> None:
    limit = command("SetCreditLimit", "1", limit=1_500, reason="reviewed", actor="chen")
    assert post(book, limit) == [("booked", None)]
    [before] = book("exposure", "--as-of", "2026-01-31", "--json").json["exposure"]
    assert (before["limit"], before["headroom"], before["hold"]) == (1_500, 500, False)
    assert post(book, invoice("2", 800, "2026-01-20")) == [("booked", None)]
    [after] = book("exposure", "--as-of", "2026-01-31", "--json").json["exposure"]
    assert (after["exposure"], after["headroom"], after["hold"]) == (1_800, -300, True)
    assert after["reasons"] == ["over_limit"]
    assert "over the limit" in book("exposure", "C1", "--as-of", "2026-01-31", "--hold").out
    [late] = book("exposure", "--as-of", "2026-02-10", "--overdue", "30", "--json").json["exposure"]
    assert (late["overdue"], late["reasons"]) == (31, ["over_limit", "overdue"])
    [row] = [one for one in book("history", "--json").json["history"] if one["kind"] == "credit-limit-set"]
    assert (row["actor"], row["reason"], row["effective_on"]) == ("chen", "reviewed", None)


def test_a_limit_that_is_taken_away_is_none(book: Run) -> None:
    limits = [command("SetCreditLimit", str(n), limit=amount, reason="x") for n, amount in enumerate([500, None])]
    assert post(book, *limits) == [("booked", None)] * 2
    [row] = book("exposure", "--json").json["exposure"]
    assert (row["limit"], row["headroom"]) == (None, None)
    assert [one.code for one in (book("replay"), book("rebuild"), book("replay"))] == [Exit.OK] * 3
    [then] = book("exposure", "--known-as-of", "0:4", "--json").json["exposure"]
    assert (then["limit"], then["reasons"]) == (500, ["over_limit", "overdue"])


def test_a_limit_beyond_what_amounts_may_be_is_refused(book: Run) -> None:
    wrong = command("SetCreditLimit", "1", limit=10**15 + 1, reason="x")
    assert post(book, wrong) == [("refused", "amount_must_be_within_limit")]
    for more in ({"limit": -1, "reason": "x"}, {"limit": 1, "reason": ""}, {"limit": 1}):
        assert post(book, command("SetCreditLimit", "2", **more)) == [("refused", "command_must_be_valid")]


def test_what_changed_since_a_statement_ties_to_it(book: Run) -> None:
    statement = book("statement", "C1", "--to", "2026-01-31", "--json").json
    [issued] = statement["statements"]
    paid = command("RecordPayment", "1", number="P1", amount=400, effective_on="2026-01-15")
    assert post(book, paid, invoice("2", 70, "2026-02-01")) == [("booked", None)] * 2
    ran = book("changes", "C1", "--on", "2026-01-31", "--since", statement["position"], "--json")
    [found] = ran.json["changes"]
    assert (found["before"], found["after"]) == (issued["closing"], 670)
    assert [(one["prior"], one["amount"]) for one in found["changes"]] == [(True, -400), (False, 70)]
    for wrong in (["--to", "2026-01-30"], ["--known-as-of", "0:1"]):
        ran = book("changes", "C1", "--on", "2026-01-31", "--since", statement["position"], *wrong)
        assert ran.code == Exit.USAGE
    assert book("changes", "C9", "--on", "2026-01-31", "--since", "0:1").code == Exit.NOT_FOUND


def test_figures_that_cannot_be_are_said_to_be_wrong(book: Run) -> None:
    assert book("dso", "--days", "0").code == Exit.USAGE
    assert book("dso", "C1", "--total").code == Exit.USAGE
    assert book("unusual", "--times", "0").code == Exit.USAGE
    assert book("payers", "C9").code == Exit.NOT_FOUND
