"""``import`` and ``quarantine`` on the command line: three mistakes in a small file, understood and put right."""

from pathlib import Path

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit

pytestmark = pytest.mark.parametrize("kind", KINDS)

MAPPING = """
[source]
name = "shop"
[defaults]
currency = "CNY"
due_days = 30
[columns]
number = "No"
effective_on = "Date"
customer = "Customer"
amount = "Amount"
"""
GOOD = "No,Date,Customer,Amount\nA-1,2026-01-05,C1,113.00\n"
BAD = GOOD + "A-2,2026-01-06,,50.00\nA-3,2026-13-06,C2,20.00\nA-4,2026-01-07,C2,1O.00\n"


@pytest.fixture
def shop(run: Run) -> Run:
    """A store with an empty book, and a mapping."""
    run("init")
    run("book", "open", "main", "--currency", "CNY")
    Path("m.toml").write_text(MAPPING)
    return run


def test_a_good_file_is_booked_and_again_books_nothing(shop: Run) -> None:
    Path("sales.csv").write_text(GOOD)
    first = shop("import", "sales.csv", "--mapping", "m.toml", "--json")
    assert (first.code, first.json["booked"], first.json["duplicate"]) == (Exit.OK, 1, 0)
    again = shop("import", "sales.csv", "--mapping", "m.toml", "--json")
    assert (again.code, again.json["booked"], again.json["duplicate"]) == (Exit.OK, 0, 1)


def test_mistakes_are_listed_with_their_lines_and_what_to_do(shop: Run) -> None:
    Path("sales.csv").write_text(BAD)
    ran = shop("import", "sales.csv", "-m", "m.toml")
    assert ran.code == Exit.REFUSED
    problems = {line.split()[0]: line for line in ran.out.splitlines() if "must_be" in line and "invoice" in line}
    assert "customer_must_be_given" in problems["3"]
    assert "date_must_be_in_a_given_format" in problems["4"]
    assert "1O.00" in problems["5"]
    assert "Next: tieout quarantine list" in ran.out


def test_a_corrected_file_books_the_rest_and_empties_the_quarantine(shop: Run) -> None:
    Path("sales.csv").write_text(BAD)
    shop("import", "sales.csv", "-m", "m.toml")
    assert len(shop("quarantine", "list", "--json").json["quarantine"]) == 3
    Path("sales.csv").write_text(BAD.replace(",,", ",C3,").replace("-13-", "-01-").replace("1O", "10"))
    ran = shop("import", "sales.csv", "-m", "m.toml", "--json")
    assert (ran.code, ran.json["booked"], ran.json["duplicate"]) == (Exit.OK, 3, 1)
    assert shop("quarantine", "list", "--json").json["quarantine"] == []
    assert "Nothing is open" in shop("quarantine", "list").out
    every = shop("quarantine", "list", "--all", "--json").json["quarantine"]
    assert {one["status"] for one in every} == {"booked"}
    assert all(one["position"].startswith("0:") for one in every)


def test_an_entry_is_shown_set_right_retried_or_dismissed(shop: Run) -> None:
    Path("sales.csv").write_text(BAD)
    shop("import", "sales.csv", "-m", "m.toml")
    entries = {one["code"]: one["id"] for one in shop("quarantine", "list", "--json").json["quarantine"]}
    missing = str(entries["customer_must_be_given"])
    shown = shop("quarantine", "show", missing)
    assert "Next: fill in the customer" in shown.out
    assert '"number":"A-2"' in shown.out
    assert shop("quarantine", "retry", missing, "--json").code == Exit.REFUSED
    retried = shop("quarantine", "retry", missing, "--set", "customer=C3", "--json")
    assert (retried.code, retried.lines[0]["status"]) == (Exit.OK, "booked")
    dated = str(entries["date_must_be_in_a_given_format"])
    assert shop("quarantine", "dismiss", dated, "--reason", "entered by hand", "--actor", "wang").code == Exit.OK
    closed = shop("quarantine", "show", dated, "--json").json
    assert (closed["status"], closed["reason"]) == ("dismissed", "entered by hand")
    told = shop("history", "--json").json["history"][-1]
    assert (told["kind"], told["event"]) == ("message-dismissed", f"quar:main:{dated}:1")
    assert (told["actor"], told["reason"]) == ("wang", "entered by hand")
    assert told["position"] == closed["position"]
    assert shop("quarantine", "dismiss", dated, "--reason", "again").code == Exit.USAGE
    assert shop("quarantine", "dismiss", "99", "--reason", "x").code == Exit.NOT_FOUND
    assert shop("quarantine", "show", "99").code == Exit.NOT_FOUND


def test_a_message_for_a_book_that_there_is_not_is_dismissed(shop: Run) -> None:
    good = '{"command": "RecordPayment", "source": "bank", "source_id": "1", "customer": "C1", "currency": "CNY",'
    good += ' "number": "P1", "effective_on": "2026-01-05", "amount": 100, "book": "%s"}\n'
    Path("c.jsonl").write_text(good % "shops" + good % "My Shop" + '"no command"\n')
    assert shop("post", "c.jsonl", "--quarantine").code == Exit.REFUSED
    kept = shop("quarantine", "list", "--json").json["quarantine"]
    assert [one["book"] for one in kept] == ["shops", "My Shop", ""]
    for one in kept:
        assert shop("quarantine", "dismiss", str(one["id"]), "--reason", "not ours").code == Exit.OK
    assert shop("quarantine", "list", "--json").json["quarantine"] == []
    assert shop("replay").code == Exit.OK


def test_an_entry_is_retried_with_a_corrected_command(shop: Run) -> None:
    Path("sales.csv").write_text(BAD)
    shop("import", "sales.csv", "-m", "m.toml")
    entries = {one["code"]: one["id"] for one in shop("quarantine", "list", "--json").json["quarantine"]}
    Path("fixed.json").write_text(
        '{"command": "IssueInvoice", "customer": "C2", "currency": "CNY", "number": "A-4", "effective_on": "2026-01-07",'
        ' "total": 1000, "lines": [{"net": 1000}], "instalments": [{"due_on": "2026-02-06", "amount": 1000}]}'
    )
    entry = str(entries["amount_must_be_a_decimal"])
    ran = shop("quarantine", "retry", entry, "--file", "fixed.json")
    assert ran.code == Exit.OK
    assert "booked" in ran.out
    Path("fixed.json").write_text("[1]")
    assert shop("quarantine", "retry", entry, "--file", "fixed.json").code == Exit.USAGE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("No", "Nr"), "sales.csv lacks columns that the mapping names: Nr"),
        (("due_days = 30", "due_day = 30"), "the mapping is wrong at defaults.due_day"),
        (('name = "shop"', ""), "the mapping is wrong at source.name"),
        (("[source]", "[source"), "the mapping cannot be read: must be TOML"),
    ],
    ids=["column", "entry", "missing", "syntax"],
)
def test_a_wrong_mapping_is_said_to_be_wrong_where_it_is(change: tuple[str, str], said: str, shop: Run) -> None:
    Path("sales.csv").write_text(GOOD)
    Path("m.toml").write_text(MAPPING.replace(*change, 1))
    ran = shop("import", "sales.csv", "-m", "m.toml")
    assert ran.code == Exit.USAGE
    assert said in ran.err


def test_a_table_needs_a_mapping(shop: Run) -> None:
    Path("sales.csv").write_text(GOOD)
    ran = shop("import", "sales.csv")
    assert ran.code == Exit.USAGE
    assert "docs/import.md" in ran.err
    assert "映射文件" in shop("--lang", "zh", "import", "sales.csv").err


@pytest.mark.parametrize("arguments", [["none.csv", "-m", "m.toml"], ["sales.csv", "-m", "none.toml"]], ids=" ".join)
def test_a_file_that_is_not_there_is_named(arguments: list[str], shop: Run) -> None:
    Path("sales.csv").write_text(GOOD)
    ran = shop("import", *arguments)
    assert ran.code == Exit.NOT_FOUND
    assert "there is no file none" in ran.err


def test_commands_as_lines_need_no_mapping(shop: Run) -> None:
    Path("c.jsonl").write_text(
        '{"command": "RecordPayment", "source": "bank", "source_id": "1", "customer": "C1", "currency": "CNY",'
        ' "number": "P1", "effective_on": "2026-01-05", "amount": 100}\n'
    )
    assert shop("import", "c.jsonl", "--json").json["booked"] == 1
