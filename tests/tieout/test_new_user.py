"""What a new user gets wrong: the error says what is wrong and what to do next, on stderr, with an exit code."""

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from commandline import COMMANDS, Run

import ledger.sqlite
from tieout.errors import Exit

INVOICE = (
    '{"command": "IssueInvoice", "source": "s", "source_id": "%s", "book": "main", "customer": "C1", "currency": "CNY",'
    ' "number": "1", "effective_on": "%s", "total": %s, "lines": [{"net": 100}],'
    ' "instalments": [{"due_on": "2026-01-31", "amount": 100}]}\n'
)


@pytest.fixture
def opened(run: Run) -> Run:
    """A store with an empty book."""
    assert run("init").code == Exit.OK
    assert run("book", "open", "main", "--currency", "CNY").code == Exit.OK
    return run


@pytest.mark.parametrize(
    "arguments",
    [
        ["balance"],
        ["book", "list"],
        ["status"],
        ["replay"],
        ["rebuild"],
        ["post", "x.jsonl"],
        ["customer", "list"],
        ["quarantine", "list"],
    ],
    ids=" ".join,
)
def test_without_a_store_every_command_says_how_to_make_one(arguments: list[str], run: Run) -> None:
    Path("x.jsonl").write_text("{}\n")
    ran = run(*arguments)
    assert ran.code == Exit.NOT_FOUND
    assert ran.out == ""
    assert "there is no store at tieout.sqlite" in ran.err
    assert "tieout init" in ran.err
    assert not Path("tieout.sqlite").exists()


def test_a_file_that_is_no_store_is_left_alone(run: Run) -> None:
    Path("notes.txt").write_text("not a database, and longer than a header of one would be " * 9)
    ran = run("-s", "notes.txt", "balance")
    assert ran.code == Exit.NOT_FOUND
    assert "is not a store" in ran.err
    assert Path("notes.txt").read_text().startswith("not a database")


def test_init_may_be_repeated(run: Run) -> None:
    assert "is ready" in run("init").out
    again = run("init")
    assert (again.code, "there already" in again.out) == (Exit.OK, True)


def test_without_a_book_every_question_says_how_to_open_one(run: Run) -> None:
    run("init")
    for arguments in (["balance"], ["book", "list"], ["book", "show"], ["customer", "list"]):
        ran = run(*arguments)
        assert ran.code == Exit.NOT_FOUND
        assert "tieout book open main --currency CNY" in ran.err


def test_a_book_that_is_missing_is_named(opened: Run) -> None:
    ran = opened("balance", "--book", "other")
    assert ran.code == Exit.NOT_FOUND
    assert "there is no book other" in ran.err


def test_with_two_books_one_has_to_be_named(opened: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened("book", "open", "second", "-c", "USD").code == Exit.OK
    ran = opened("customer", "list")
    assert ran.code == Exit.USAGE
    assert "main, second" in ran.err
    assert opened("customer", "list", "-b", "second").code == Exit.OK
    monkeypatch.setenv("TIEOUT_BOOK", "main")
    assert opened("customer", "list").code == Exit.OK


def test_a_book_is_opened_once(opened: Run) -> None:
    assert "already" in opened("book", "open", "main", "--currency", "CNY").out
    ran = opened("book", "open", "main", "--currency", "USD")
    assert ran.code == Exit.REFUSED
    assert "book_must_not_exist" in ran.out


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("--currency", "CNX", "--currency CNX"),
        ("--time-zone", "Mars", "--time-zone Mars"),
        ("--first-on", "2026-02-30", "--first-on 2026-02-30"),
        ("--role", "fee", "--role fee"),
        ("--tolerance", "CNY=0.05", "--tolerance 0.05"),
        ("--standard", "gaap", "--standard gaap"),
    ],
)
def test_a_wrong_option_is_named_as_it_was_typed(option: str, value: str, named: str, run: Run) -> None:
    run("init")
    currency = [] if option == "--currency" else ["--currency", "CNY"]
    ran = run("book", "open", "main", *currency, option, value)
    assert ran.code == Exit.USAGE
    assert named in ran.err


def test_json_that_is_none_is_refused_with_its_line(opened: Run) -> None:
    Path("c.jsonl").write_text(INVOICE % ("a", "2026-01-05", 100) + '{"command": }\n')
    ran = opened("post", "c.jsonl")
    assert ran.code == Exit.REFUSED
    assert ran.out.splitlines()[0].startswith("line 1  booked")
    assert ran.out.splitlines()[1].startswith("line 2  REFUSED")
    assert "must be JSON" in ran.out


def test_a_date_that_does_not_exist_is_refused_with_field_and_value(opened: Run) -> None:
    Path("c.jsonl").write_text(INVOICE % ("a", "2026-02-30", 100))
    [outcome] = opened("post", "c.jsonl", "--json").lines
    assert (outcome["status"], outcome["code"]) == ("refused", "command_must_be_valid")
    assert (outcome["field"], outcome["value"]) == ("effective_on", "2026-02-30")


def test_the_same_id_with_other_content_is_a_conflict(opened: Run) -> None:
    Path("c.jsonl").write_text(INVOICE % ("a", "2026-01-05", 100) + INVOICE % ("a", "2026-01-06", 100))
    ran = opened("post", "c.jsonl", "--json")
    assert ran.code == Exit.REFUSED
    assert [one["status"] for one in ran.lines] == ["booked", "conflict"]


def test_posting_again_books_nothing_and_is_no_error(opened: Run) -> None:
    Path("c.jsonl").write_text(INVOICE % ("a", "2026-01-05", 100))
    first = opened("post", "c.jsonl", "--json").lines
    again = opened("post", "c.jsonl", "--json")
    assert again.code == Exit.OK
    assert [one["status"] for one in again.lines] == ["duplicate"]
    assert again.lines[0]["position"] == first[0]["position"]


def test_what_is_refused_is_kept_only_where_that_is_asked_for(opened: Run) -> None:
    Path("c.jsonl").write_text(INVOICE % ("a", "2026-01-05", 99) + "{}\n")
    opened("post", "c.jsonl")
    assert opened("quarantine", "list", "--json").json["quarantine"] == []
    opened("post", "c.jsonl", "--quarantine")
    assert len(opened("quarantine", "list", "--json").json["quarantine"]) == 2


def test_the_fields_of_a_command_can_be_looked_up(run: Run) -> None:
    assert "effective_on" in run("post", "--schema", "IssueInvoice").json["required"]
    ran = run("post", "--schema", "Issue")
    assert ran.code == Exit.USAGE
    assert "IssueInvoice" in ran.err


def test_a_store_that_another_program_holds_is_an_error_that_says_so(
    opened: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.sqlite, "LOCK_SECONDS", 0.05)
    with closing(sqlite3.connect("tieout.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ran = opened("post", str(COMMANDS))
        other.execute("ROLLBACK")
    assert ran.code == 1
    assert "the store cannot be used: database is locked" in ran.err
    assert opened("post", str(COMMANDS)).code == 0


def test_a_missing_file_is_named(opened: Run) -> None:
    ran = opened("post", "none.jsonl")
    assert ran.code == Exit.NOT_FOUND
    assert "there is no file none.jsonl" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["statement"], "CUSTOMER is missing"),
        (["book", "open", "x"], "--currency is missing"),
        (["balance", "--curency", "CNY"], "did you mean --currency?"),
        (["blance"], "No such command"),
        (["quarantine", "show", "x"], "ENTRY: "),
        (["items", "--limit", "-1"], "--limit: "),
        (["customer", "set", "C1"], "has no name yet"),
        (["ageing", "--buckets", "30,20"], "--buckets 30,20"),
        (["ageing", "C1", "--total"], "--total takes all customers together"),
        (["balance", "--as-of", "yesterday"], "--as-of yesterday is no day"),
        (["statement", "C1", "--from", "2026-1-1"], "--from 2026-1-1 is no day"),
        (["quarantine", "retry", "--set", "a=b"], "correct one entry"),
        (["balance", "--lang", "fr"], "--lang is fr, but it must be zh or en"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_wrong_usage_says_what_is_wrong(arguments: list[str], said: str, opened: Run) -> None:
    ran = opened(*arguments)
    assert ran.code == Exit.USAGE
    assert said in ran.err
    assert "Next: " in ran.err
    assert "Traceback" not in ran.err


def test_without_arguments_there_is_help(run: Run) -> None:
    ran = run()
    assert ran.code == Exit.USAGE
    assert "Usage: tieout" in ran.err


def test_errors_are_in_the_reader_s_language(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "下一步" in run("--lang", "zh", "balance").err
    assert "下一步" in run("balance", "--lang=zh").err
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "没有选项 --x" in run("balance", "--x").err
    monkeypatch.setenv("TIEOUT_LANG", "en")
    assert "there is no option --x" in run("balance", "--x").err


def test_a_terminal_is_not_steered_by_what_was_typed(opened: Run) -> None:
    assert "\x1b" not in opened("customer", "show", "C\x1b[2J1").err


def test_an_error_of_ours_is_shown_whole_only_with_debug(opened: Run) -> None:
    with closing(sqlite3.connect("tieout.sqlite")) as store, store:
        store.execute("UPDATE events SET state = ?", (b"not JSON",))
    ran = opened("book", "list")
    assert ran.code == Exit.FAILED
    assert "an error of Tieout itself: " in ran.err
    assert "Traceback" not in ran.err
    with pytest.raises(msgspec.DecodeError):
        opened("book", "list", "--debug")


def test_a_store_without_its_tables_is_said_to_be_unusable(opened: Run) -> None:
    with closing(sqlite3.connect("tieout.sqlite")) as store, store:
        store.execute("DROP TABLE parties")
    ran = opened("customer", "list")
    assert ran.code == Exit.FAILED
    assert "the store cannot be used: no such table: parties" in ran.err
