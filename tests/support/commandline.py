"""Runs command lines in this process, as a user would type them."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tieout.cli import main

NOW = "2026-06-30T12:00:00+08:00"
COMMANDS = Path(__file__).parent.parent / "tieout" / "commands.jsonl"
REFUSED = COMMANDS.with_name("refused.jsonl")


class Ran(NamedTuple):
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer of a ``--json`` command."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """The answer of a command that gives a JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


def clear_environment(monkeypatch: pytest.MonkeyPatch, given: Mapping[str, str]) -> None:
    """Nothing of ours and no locale in the environment, but what is given."""
    for name in list(os.environ):
        if name.startswith(("TIEOUT_", "LC_")) or name in ("LANG", "LANGUAGE", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str) -> Ran:
    """``run("balance", "--json")`` runs ``tieout balance --json`` in the working directory, and gives what it printed."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return Ran(code, out.getvalue(), err.getvalue())


def make_store() -> None:
    """A book with three customers, three currencies and the commonest kinds of event, in the working directory."""
    for arguments in (
        ("init",),
        ("book", "open", "main", "--currency", "CNY", "--time-zone", "Asia/Shanghai"),
        ("customer", "set", "C1", "--name", "Lin Wholesale"),
        ("customer", "set", "C2", "--name", "北方贸易有限公司", "--language", "zh", "--address", "上海市长宁路1号"),
        ("post", str(COMMANDS)),
    ):
        ran = run(*arguments)
        assert ran.code == 0, (arguments, ran)
    assert run("post", str(REFUSED), "--quarantine").code == 3


def amounts(part: Any) -> Iterator[tuple[str, int, int | None, str]]:
    """Name, amount, base amount (if it has one) and selector of every amount in an answer."""
    if isinstance(part, list):
        for one in part:
            yield from amounts(one)
    elif isinstance(part, dict):
        for name, selector in part.get("explain", {}).items():
            base = part.get("base_amount" if name == "amount" else f"base_{name}")
            yield name, part[name], base, selector
        for inner in part.values():
            yield from amounts(inner)
