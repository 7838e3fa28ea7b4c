"""Questions on the command line: both clocks, what is not known, and what a program can rely on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commandline import COMMANDS, Run

from tieout.errors import Exit

READING = [
    ["balance"],
    ["items"],
    ["ageing"],
    ["ageing", "--total"],
    ["statement", "C1"],
    ["journal"],
    ["trial-balance"],
    ["control"],
    ["documents"],
    ["document", "invoice::1001:1"],
    ["history"],
    ["explain", "invoice::1001:1"],
    ["explain", "invoice::1001:1#1"],
    ["explain", "acct:main:C1:CNY:1"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_every_answer_says_which_book_and_position_it_is_of(arguments: list[str], books: Run) -> None:
    head = books("status", "--json").json["head"]
    answer = books(*arguments, "--json").json
    assert list(answer)[:4] == ["book", "as_of", "known_as_of", "position"]
    assert (answer["book"], answer["known_as_of"], answer["position"]) == ("main", None, head)
    assert f"position {head}" in books(*arguments).out


@pytest.mark.parametrize("arguments", [one for one in READING if one[0] != "explain"], ids=" ".join)
def test_asked_again_with_its_position_an_answer_is_the_same(arguments: list[str], books: Run) -> None:
    now = books(*arguments, "--json").json
    again = books(*arguments, "--json", "--known-as-of", now["position"]).json
    assert {**again, "known_as_of": None} == now


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_without_a_terminal_there_are_no_colours(arguments: list[str], lang: str, books: Run) -> None:
    assert "\x1b" not in books(*arguments, "--lang", lang).out


def test_a_moment_may_be_a_position_an_instant_or_a_day(books: Run) -> None:
    moments = {
        "0:2": "0:2",
        # All of the store was recorded at noon in Shanghai and the microseconds after: a commit each.
        "2026-06-30T12:00:00+08:00": "0:2",
        "2026-06-30T04:00:00Z": "0:2",
        "2026-06-30T12:00:00": "0:2",
        "2026-06-30T11:59:59": "0:0",
        "2026-06-29": "0:0",
        "2026-06-30": books("status", "--json").json["head"],
    }
    for moment, position in moments.items():
        assert books("balance", "--known-as-of", moment, "--json").json["position"] == position


@pytest.mark.parametrize("moment", ["yesterday", "2026-02-30", "1:3", "0:x", "0:-1", "9999-12-31"])
def test_a_moment_that_is_none_is_refused(moment: str, books: Run) -> None:
    ran = books("balance", "--known-as-of", moment)
    assert ran.code == Exit.USAGE
    assert "Next: " in ran.err


def test_both_clocks_together(books: Run) -> None:
    def net(*clocks: str) -> int:
        [row] = books("ageing", "C1", "--json", *clocks).json["ageing"]
        return int(row["net"])

    assert net("--as-of", "2026-03-31") == 543000
    assert net("--as-of", "2026-03-31", "--known-as-of", "0:6") == 656000
    assert net("--as-of", "2026-02-28", "--known-as-of", "0:6") == 430000


@pytest.mark.parametrize(
    "arguments",
    [["balance"], ["items"], ["ageing"], ["statement"], ["journal"], ["documents"], ["history", "--customer"]],
    ids=" ".join,
)
def test_an_unknown_customer_is_said_to_be_unknown(arguments: list[str], books: Run) -> None:
    ran = books(*arguments, "C404")
    assert ran.code == Exit.NOT_FOUND
    assert "knows no customer C404" in ran.err


def test_a_known_customer_with_nothing_open_is_no_error(books: Run) -> None:
    ran = books("balance", "C2", "--as-of", "2026-01-01", "--json")
    assert (ran.code, ran.json["balances"]) == (Exit.OK, [])
    assert books("balance", "C2", "--as-of", "2026-01-01").code == Exit.OK


@pytest.mark.parametrize("command", ["document", "history", "explain"])
def test_an_unknown_document_is_said_to_be_unknown(command: str, books: Run) -> None:
    ran = books(command, "invoice::404:1")
    assert ran.code == Exit.NOT_FOUND
    assert "invoice::404:1" in ran.err


def test_a_selector_that_is_broken_is_told_apart_from_an_unknown_document(books: Run) -> None:
    ran = books("explain", "balance/main/C1")
    assert ran.code == Exit.USAGE
    assert "balance has the fields book, customer" in ran.err


def test_the_rows_behind_a_number_are_shown_from_their_file(books: Run) -> None:
    [balance] = books("balance", "C3", "--json").json["balances"]
    ran = books("explain", balance["explain"]["amount"], "--file", str(COMMANDS), "--json")
    [row] = ran.json["rows"]
    assert json.loads(row["text"])["source_id"] == "INV-3001"
    assert COMMANDS.read_text().splitlines()[row["line"] - 1] == row["text"]


def test_a_file_that_is_not_the_origin_is_refused(books: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(COMMANDS.read_text() + "\n")
    ran = books("explain", "invoice::1001:1", "--file", str(other))
    assert ran.code == Exit.USAGE
    assert "is not a file that this came from" in ran.err
    assert books("explain", "book:main:1", "--file", str(COMMANDS)).code == Exit.NOT_FOUND


def test_a_limit_holds_for_people_and_programs(books: Run) -> None:
    assert len(books("documents", "--limit", "3", "--json").json["documents"]) == 3
    assert "Only the first 3 rows" in books("documents", "--limit", "3").out
    assert "Only the first" not in books("documents", "--limit", "0").out


def test_history_goes_on_after_a_position(books: Run) -> None:
    every = books("history", "--json").json["history"]
    assert books("history", "--after", every[4]["position"], "--json").json["history"] == every[5:]
    assert books("history", "--after", "x").code == Exit.USAGE


def test_names_stand_in_tables_only(books: Run) -> None:
    assert "Lin Wholesale" in books("balance").out
    for arguments in READING:
        assert "Lin Wholesale" not in books(*arguments, "--json").out


def test_a_customer_s_name_can_be_erased(books: Run) -> None:
    assert books("customer", "set", "C7", "--name", "Someone", "--address", "Somewhere 1").code == Exit.OK
    assert books("customer", "set", "C7", "--language", "en").code == Exit.OK
    shown = books("customer", "show", "C7", "--json").json
    assert (shown["name"], shown["language"], shown["address"]) == ("Someone", "en", "Somewhere 1")
    assert books("customer", "erase", "C7").code == Exit.OK
    assert books("customer", "show", "C7").code == Exit.NOT_FOUND
    assert books("customer", "erase", "C7").code == Exit.NOT_FOUND


def test_options_of_all_commands_may_stand_anywhere(books: Run) -> None:
    wanted = books("book", "list", "--lang", "zh").out
    assert books("--lang", "zh", "book", "list").out == wanted
    assert books("book", "--lang", "zh", "list").out == wanted
    assert books("--lang", "en", "book", "list", "--lang", "zh").out == wanted


def test_commands_may_come_from_standard_input_and_a_closed_pipe_is_no_error(books: Run) -> None:
    posted = subprocess.run(
        [sys.executable, "-m", "tieout", "post", "--json"], input=COMMANDS.read_bytes(), capture_output=True, check=True
    )
    assert {json.loads(line)["status"] for line in posted.stdout.splitlines()} == {"duplicate"}
    reading = subprocess.Popen([sys.executable, "-m", "tieout", "journal", "--json"], stdout=subprocess.PIPE)
    assert reading.stdout is not None
    reading.stdout.close()
    assert reading.wait() == Exit.OK


def test_a_template_is_changed_and_may_be_set_back(books: Run) -> None:
    def fee() -> tuple[str, int]:
        template = books("book", "template", "--json").json["template"]
        return template["roles"]["fee"], template["version"]

    before, version = fee()
    assert books("book", "template", "--role", "fee=6604", "--reason", "new chart").code == Exit.OK
    assert books("book", "template", "--role", "fee=6604").code == Exit.OK
    assert fee() == ("6604", version + 1)
    assert books("book", "template", "--role", f"fee={before}").code == Exit.OK
    assert books("book", "template", "--role", "fee=6604").code == Exit.OK
    assert fee() == ("6604", version + 3)
    assert books("book", "template", "--reason-role", "freight=nothing").code == Exit.REFUSED
