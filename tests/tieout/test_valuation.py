"""What receivables are worth, from the command line, over a file and over PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit

pytestmark = pytest.mark.parametrize("kind", KINDS)

MATRIX = {
    "buckets": [
        {"to_days": 0, "rate": "0.5"},
        {"to_days": 30, "rate": "2"},
        {"rate": "50", "groups": {"export": "80"}},
    ],
    "dimension": "segment",
}
ACCOUNT = {"source": "t", "book": "main", "customer": "C1", "currency": "CNY"}
USD = {"currency": "USD", "rate": "7"}


@pytest.fixture
def book(run: Run) -> Run:
    """A book with invoices of different ages, on 30 June 2026."""
    assert run("init").code == 0
    assert run("book", "open", "main", "--currency", "CNY").code == 0
    Path("matrix.json").write_text(json.dumps(MATRIX), encoding="utf-8")
    post(
        run,
        invoice("1", 100_000, "2026-06-30"),
        invoice("2", 10_000, "2026-06-10", customer="C2"),
        invoice("3", 4_000, "2026-01-31", dimensions={"segment": "export"}),
        invoice("4", 1_000, "2026-01-31", **USD),
        {
            "command": "RecordPayment",
            "number": "P",
            "amount": 500,
            "effective_on": "2026-06-30",
            "deposit_class": "security",
        },
    )
    return run


def invoice(number: str, total: int, due: str, **more: Any) -> dict[str, Any]:
    lines = {"lines": [{"net": total}], "instalments": [{"due_on": due, "amount": total}]}
    return {"command": "IssueInvoice", "number": number, "effective_on": "2026-01-10", "total": total} | lines | more


def post(run: Run, *commands: dict[str, Any]) -> None:
    """Commands that are booked."""
    rows = [ACCOUNT | {"source_id": f"{one['command']}{one['number']}"} | one for one in commands]
    Path("commands.jsonl").write_text("\n".join(json.dumps(one) for one in rows), encoding="utf-8")
    ran = run("post", "commands.jsonl", "--json")
    assert [one["status"] for one in ran.lines] == ["booked"] * len(rows), ran.out


def figures(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["required"], answer["before"], answer["difference"]


def balance_of(run: Run, account: str, *more: str) -> int:
    """What an account has over all currencies, in base."""
    rows = run("trial-balance", "--json", *more).json["rows"]
    return sum(row["base_closing"] for row in rows if row["account"] == account)


def test_the_allowance_is_shown_posted_once_and_brought_up_after_a_write_off(book: Run) -> None:
    assert book("allowance", "--on", "2026-06-30").code == Exit.USAGE, "there is no matrix yet"
    shown = book("allowance", "--on", "2026-06-30", "--matrix", "matrix.json", "--json").json
    # The customer's deposit does not reduce what is at risk.
    assert [(line["currency"], line["bucket"], line.get("group", ""), line["required"]) for line in shown["lines"]] == [
        ("CNY", 1, "", 500),
        ("CNY", 2, "", 200),
        ("CNY", 3, "export", 3_200),
        ("USD", 3, "", 3_500),
    ]
    assert figures(shown) == (7_400, 0, 7_400)
    assert shown["posted"] == []
    assert book("history", "--json").json["history"][-1]["kind"] != "allowance-matrix-changed", "it was only looked at"

    posted = book("allowance", "--on", "2026-06-30", "--matrix", "matrix.json", "--post", "--json").json
    [entry] = posted["posted"]
    assert (entry["kind"], entry["customer"], entry["currency"]) == ("allowance-posted", None, "CNY")
    assert [(p["account"], p["side"], p["amount"]) for p in entry["postings"]] == [
        ("6702", "D", 7_400),
        ("1231", "C", 7_400),
    ]
    again = book("allowance", "--on", "2026-06-30", "--post")
    assert (again.code, "nothing to post" in again.out) == (Exit.OK, True)
    assert figures(book("allowance", "--on", "2026-06-30", "--json").json) == (7_400, 7_400, 0)

    write_off = {"command": "WriteOff", "number": "W", "effective_on": "2026-06-30"}
    post(book, write_off | {"items": [{"item": "invoice::3:1#1"}]})
    after = book("allowance", "--on", "2026-06-30", "--post", "--json").json
    # 4,000 are written off against 3,200 that stood for them.
    assert figures(after) == (4_200, 3_400, 800)
    assert balance_of(book, "1231") == -4_200
    assert balance_of(book, "6702") == 8_200


def test_what_an_earlier_account_has_counts_when_the_template_changes(book: Run) -> None:
    post = ("allowance", "--on", "2026-06-30", "--post")
    assert book(*post, "--matrix", "matrix.json").code == Exit.OK
    assert book("book", "template", "--role", "allowance=1231.01").code == Exit.OK
    assert figures(book("allowance", "--on", "2026-06-30", "--json").json) == (7_400, 7_400, 0)


def test_the_books_still_prove_themselves(book: Run) -> None:
    assert book("allowance", "--on", "2026-06-30", "--matrix", "matrix.json", "--post").code == Exit.OK
    assert sum(row["base_closing"] for row in book("trial-balance", "--json").json["rows"]) == 0
    assert book("trial-balance", "--json", "--as-of", "2026-06-29").json["rows"][-1]["account"] != "6702"
    assert all(row["account"] in ("1122", "2241") for row in book("balance", "--json").json["balances"])
    [row] = [one for one in book("trial-balance", "--dimensions", "--json").json["rows"] if one["account"] == "1231"]
    explained = book("explain", row["explain"]["closing"], "--json").json
    assert [(one["customer"], one["contribution"]) for one in explained["postings"]] == [(None, -7_400)]
    assert book("explain", explained["postings"][0]["event"]).code == Exit.OK
    assert len(book("journal", "--account", "1231", "--json").json["entries"]) == 1
    for proof in (["control"], ["replay"], ["rebuild"], ["replay"], ["export", "log"]):
        assert book(*proof).code == Exit.OK, proof
    assert balance_of(book, "1231") == -7_400, "a rebuild sees the vouchers of the book as well"


def test_a_matrix_that_is_none_is_refused_with_its_field(book: Run) -> None:
    for buckets, said in (
        ([{"to_days": 30, "rate": "1"}], "buckets must end"),
        ([{"rate": "101"}], "buckets.0.rate"),
        ([{"rate": "1", "groups": {"export": "2"}}], "groups need"),
    ):
        Path("wrong.json").write_text(json.dumps({"buckets": buckets}), encoding="utf-8")
        ran = book("allowance", "--on", "2026-06-30", "--matrix", "wrong.json")
        assert ran.code == Exit.USAGE
        assert f"wrong.json is no provision matrix: {said}" in ran.err
    assert book("allowance", "--on", "2026-06-30", "--matrix", "none.json").code == Exit.NOT_FOUND


RATES = """day,currency,rate
2026-06-29,USD,7.1000
2026-06-30,USD,7.2
2026-06-30,JPY,0.049
"""


def stated(run: Run, text: str, *more: str) -> tuple[int, int]:
    """How many rates of a table were new, and how many known."""
    Path("rates.csv").write_text(text, encoding="utf-8")
    answer = run("rates", "rates.csv", "--rates", "pboc", "--json", *more).json
    return answer["stated"], answer["known"]


def test_rates_are_stated_once_and_a_later_statement_supersedes(book: Run) -> None:
    assert stated(book, RATES) == (3, 0)
    assert stated(book, RATES) == (0, 3)
    assert stated(book, RATES.replace("7.2\n", "7.25\n")) == (1, 2)
    assert stated(book, RATES) == (1, 2), "what was said before can be said again"
    found = {one["currency"]: one for one in book("rates", "--on", "2026-06-30", "--json").json["rates"]}
    assert (found["USD"]["rate"], found["USD"]["day"]) == ("7.2", "2026-06-30")
    assert [one["rate"] for one in found["USD"]["superseded"]] == ["7.2", "7.25"]
    [usd] = book("rates", "--on", "2026-06-29", "--json").json["rates"]
    assert (usd["rate"], usd["superseded"]) == ("7.1", [])
    assert "7.25" in book("rates").out
    assert book("history", "--json").json["history"][-1]["kind"] == "rates-stated"


def test_a_table_that_is_wrong_states_nothing(book: Run) -> None:
    for text, said in (
        (RATES + "2026-06-30,USD,0\n", "Line 5 of rates.csv: rate '0'"),
        (RATES + "2026-06-31,USD,7\n", "Line 5 of rates.csv: day"),
        ("date,currency,rate\n", "day, currency, rate"),
    ):
        Path("rates.csv").write_text(text, encoding="utf-8")
        ran = book("rates", "rates.csv", "--rates", "pboc")
        assert (ran.code, said in ran.err) == (Exit.USAGE, True), ran.err
    assert book("rates", "--json").json["rates"] == []
    Path("rates.csv").write_text("day,currency,rate\n2026-06-30,CNY,1\n", encoding="utf-8")
    assert book("rates", "rates.csv", "--rates", "pboc").code == Exit.REFUSED


def test_what_is_open_is_revalued_once_and_taken_back_on_the_next_day(book: Run) -> None:
    assert book("revalue", "--on", "2026-06-30").code == Exit.USAGE, "there are no rates yet"
    assert stated(book, RATES.replace("USD", "EUR")) == (3, 0)
    assert "no rate of USD" in book("revalue", "--on", "2026-06-30").err
    assert stated(book, RATES) == (2, 1)
    early = book("revalue", "--on", "2026-06-30", "--rates", "pboc", "--known-as-of", "0:0")
    assert (early.code, "was not open yet" in early.err) == (Exit.USAGE, True), early.err
    shown = book("revalue", "--on", "2026-06-30", "--json").json
    [line] = shown["lines"]
    # 10.00 USD at 7.2, where the invoice had 7.
    assert (line["currency"], line["account"], line["amount"], line["value"], line["difference"]) == (
        *("USD", "1122", 1_000, 7_200, 200),
    )
    posted = book("revalue", "--on", "2026-06-30", "--post", "--json").json["posted"]
    assert [(one["effective_on"], one["kind"]) for one in posted] == [
        ("2026-06-30", "revaluation-posted"),
        ("2026-07-01", "revaluation-posted"),
    ]
    assert balance_of(book, "112298", "--to", "2026-06-30") == 200
    assert balance_of(book, "112298", "--to", "2026-07-01") == 0
    assert "nothing to post" in book("revalue", "--on", "2026-06-30", "--post").out
    # A rate that is corrected leads to what it changes alone.
    assert stated(book, RATES.replace("7.2\n", "7.25\n"))[0] == 1
    again = book("revalue", "--on", "2026-06-30", "--post", "--json").json
    assert [(one["before"], one["difference"]) for one in again["lines"]] == [(200, 50)]
    assert balance_of(book, "112298", "--to", "2026-06-30") == 250
    assert book("items", "--currency", "USD", "--json").json["items"][0]["base_open"] == 7_000
    for proof in (["control"], ["replay"], ["rebuild"], ["replay"]):
        assert book(*proof).code == Exit.OK, proof
    rows = book("trial-balance", "--to", "2026-06-30", "--json").json["rows"]
    assert sum(row["base_closing"] for row in rows) == 0
