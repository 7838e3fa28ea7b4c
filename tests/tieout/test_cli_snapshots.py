"""Golden output of every command in both languages, from one small store on a clock that stands still."""

from collections.abc import Callable

import pytest
import typer
from commandline import COMMANDS, Run, make_store
from commandline import run as run_here

from tieout.cli.tree import program
from tieout.messages import LANGS, Lang

MATRIX, RATES = COMMANDS.with_name("matrix.json"), COMMANDS.with_name("rates.csv")
QUESTIONS = {
    "balance": [["balance"], ["balance", "C1", "--as-of", "2026-02-28"], ["balance", "--currency", "USD"]],
    "items": [["items"], ["items", "C1", "--settled", "--as-of", "2026-06-30"], ["items", "--limit", "2"]],
    "ageing": [
        ["ageing"],
        ["ageing", "--total", "--as-of", "2026-05-31"],
        ["ageing", "C1", "--buckets", "15,45", "--as-of", "2026-06-30"],
    ],
    "statement": [
        ["statement", "C1", "--from", "2026-02-01", "--to", "2026-06-30"],
        ["statement", "C2"],
    ],
    "journal": [["journal", "C1"], ["journal", "--account", "1002", "--from", "2026-06-01"]],
    "trial-balance": [["trial-balance"], ["trial-balance", "--dimensions", "--from", "2026-03-01"]],
    "control": [["control"], ["control", "--dimensions", "--as-of", "2026-02-15"]],
    "documents": [["documents"], ["documents", "C2", "--kind", "payment"]],
    "document": [["document", "invoice::1001:1"], ["document", "invoice::2009:1"]],
    "history": [["history"], ["history", "invoice::2009:1"], ["history", "--customer", "C3"]],
    "explain": [
        ["explain", "invoice::1001:1", "--file", str(COMMANDS)],
        ["explain", "invoice::1001:1#1"],
        ["explain", "acct:main:C3:JPY:1"],
        ["explain", "book:main:1"],
    ],
    "suggest": [["suggest"]],
    "tolerance": [["tolerance"], ["tolerance", "C1", "--from", "2026-07-01"]],
    "status": [["status"]],
    "waiting": [["waiting"]],
    "analytics": [
        ["dso", "--as-of", "2026-02-28"],
        ["dso", "--total", "--days", "180"],
        ["payers", "--from", "2026-01-01"],
        ["exposure"],
        ["exposure", "--hold", "--overdue", "60"],
        ["unusual", "--times", "2"],
        ["unusual", "C1", "--as-of", "2026-01-31"],
        ["changes", "C1", "--on", "2026-02-28", "--since", "0:8"],
    ],
    "periods": [["periods"], ["close", "2026-05", "--check"], ["close", "2026-05"], ["moved"]],
    "replay": [["replay"]],
    "rebuild": [["rebuild"]],
    "book": [["book", "list"], ["book", "show"], ["book", "template"], ["book", "open", "main", "-c", "EUR"]],
    "customer": [["customer", "list"], ["customer", "show", "C2"], ["customer", "show", "C9"]],
    "quarantine": [
        ["quarantine", "list"],
        ["quarantine", "show", "1"],
        ["quarantine", "show", "2"],
        ["quarantine", "retry"],
    ],
    "post": [["post", str(COMMANDS)]],
    "known": [
        ["balance", "--known-as-of", "0:8"],
        ["balance", "--known-as-of", "2026-06-29"],
        ["balance", "--known-as-of", "0:999"],
        ["statement", "C1", "--known-as-of", "2026-06-30T12:00:00"],
    ],
}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_people_read(name: str, lang: Lang, books: Run, snapshot: Callable[[str, str], None]) -> None:
    text = ""
    for arguments in QUESTIONS[name]:
        ran = books(*arguments, "--lang", lang)
        shown = " ".join(arguments).replace(str(COMMANDS), COMMANDS.name)
        text += f"$ tieout {shown}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    snapshot(f"cli/{lang}/{name}.txt", text.replace(str(COMMANDS), COMMANDS.name))


VALUATION = (
    ("allowance", "--on", "2026-06-30"),
    ("allowance", "--on", "2026-06-30", "--matrix", str(MATRIX)),
    ("allowance", "--on", "2026-06-30", "--matrix", str(MATRIX), "--post"),
    ("allowance", "--on", "2026-06-30", "--post"),
    ("revalue", "--on", "2026-06-30"),
    ("rates", str(RATES), "--rates", "pboc"),
    ("rates",),
    ("revalue", "--on", "2026-06-30"),
    ("revalue", "--on", "2026-06-30", "--post"),
    ("revalue", "--on", "2026-06-30", "--post"),
)


@pytest.mark.parametrize("lang", LANGS)
def test_what_receivables_are_worth(lang: Lang, run: Run, snapshot: Callable[[str, str], None]) -> None:
    make_store()
    text = ""
    for arguments in VALUATION:
        ran = run(*arguments, "--lang", lang)
        text += f"$ tieout {' '.join(arguments)}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    snapshot(f"cli/{lang}/valuation.txt", text.replace(f"{COMMANDS.parent}/", ""))


DISMISSAL = (
    ("quarantine", "dismiss", "1", "--reason", "test data", "--actor", "wang"),
    ("quarantine", "dismiss", "1", "--reason", "again"),
    ("quarantine", "dismiss", "9", "--reason", "test data"),
    ("quarantine", "dismiss", "2", "--reason", ""),
    ("quarantine", "show", "1"),
    ("explain", "quar:main:1:1"),
)


@pytest.mark.parametrize("lang", LANGS)
def test_what_is_dismissed(lang: Lang, run: Run, snapshot: Callable[[str, str], None]) -> None:
    make_store()
    text = ""
    for arguments in DISMISSAL:
        ran = run(*arguments, "--lang", lang)
        text += f"$ tieout {' '.join(arguments)}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    snapshot(f"cli/{lang}/dismissal.txt", text)


@pytest.mark.parametrize("lang", LANGS)
def test_what_help_says(lang: Lang, books: Run, snapshot: Callable[[str, str], None]) -> None:
    def words(tree: typer.core.TyperGroup, before: list[str]) -> list[list[str]]:
        found = [before]
        for name, inner in tree.commands.items():
            path = [*before, name]
            found += words(inner, path) if isinstance(inner, typer.core.TyperGroup) else [path]
        return found

    text = "".join(
        f"$ tieout {' '.join([*path, '--help'])}\n{run_here(*path, '--help', '--lang', lang).out}\n"
        for path in words(program(lang), [])
    )
    snapshot(f"cli/{lang}/help.txt", text)


JSON = [
    name for name in QUESTIONS if name not in ("rebuild", "book", "customer", "quarantine", "post", "known", "explain")
]


@pytest.mark.parametrize("name", JSON)
def test_what_programs_read(name: str, books: Run, snapshot: Callable[[str, str], None]) -> None:
    english = [books(*arguments, "--json") for arguments in QUESTIONS[name]]
    assert english == [books(*arguments, "--json", "--lang", "zh") for arguments in QUESTIONS[name]]
    assert all(ran.json is not None for ran in english)
    snapshot(f"cli/json/{name}.jsonl", "".join(ran.out for ran in english))
