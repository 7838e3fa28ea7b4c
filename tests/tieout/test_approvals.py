"""Maker and checker on the command line: list what waits, approve it, refuse it, and see in the end who did what."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commandline import Run
from databases import KINDS

from tieout.errors import Exit
from tieout.messages import LANGS, Lang

WHO = {"source": "desk", "book": "main"}
ACCOUNT = {**WHO, "customer": "C1", "currency": "CNY"}
REFUND = {
    **ACCOUNT,
    "command": "RecordRefund",
    "source_id": "r-1",
    "actor": "zhang",
    "number": "R1",
    "effective_on": "2026-06-02",
    "amount": 30_000,
}
TEMPLATE = {**WHO, "command": "ChangePostingTemplate", "source_id": "t-1", "actor": "li", "roles": {"fee": "6603.01"}}
AUTHORITIES = {
    **WHO,
    "command": "ChangeAuthorities",
    "source_id": "a-1",
    "actor": "wang",
    "roles": {"li": ["supervisor"], "wang": ["controller"]},
    "limits": [
        {"command": "RecordRefund", "alone": 10_000},
        {"command": "RecordRefund", "role": "supervisor", "approves": 50_000},
        {"command": "ChangeAuthorities", "role": "controller", "approves": 0},
        {"command": "ChangePostingTemplate", "role": "controller", "approves": 0},
    ],
}
PAYMENT = {
    **ACCOUNT,
    "command": "RecordPayment",
    "source_id": "p-1",
    "number": "P1",
    "effective_on": "2026-06-01",
    "amount": 90_000,
}


def request(number: str, instruction: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    asked = {**WHO, "command": "RequestApproval", "source_id": f"q-{number}", "actor": instruction["actor"]}
    return asked | {"request": number, "instruction": instruction} | ({"reason": reason} if reason else {})


@pytest.fixture
def asked(run: Run, empty_folder: Path) -> Run:
    """A book with limits, in which a refund and a change of the template wait for an approval."""
    run("init")
    run("book", "open", "main", "--currency", "CNY")
    commands = [AUTHORITIES, PAYMENT, request("A1", REFUND, "agreed by telephone"), request("A2", TEMPLATE)]
    (empty_folder / "commands.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in commands))
    assert run("post", "commands.jsonl").code == 0
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_a_refund_beyond_the_limit_is_booked_once_another_approves_it(asked: Run, empty_folder: Path) -> None:
    (empty_folder / "refund.json").write_text(json.dumps(REFUND))
    refused = asked("post", "refund.json")
    assert refused.code == Exit.REFUSED
    assert "approval_must_be_given" in refused.out
    first, second = asked("approvals", "--json").json["approvals"]
    assert (first["request"], first["document"], first["amount"], first["maker"]) == (
        "A1",
        "refund::R1:1",
        30_000,
        "zhang",
    )
    assert first["since"].startswith("2026-06-30")
    assert (second["instruction"], second["customer"], second["decided_at"]) == ("ChangePostingTemplate", None, None)
    own = asked("approve", "A1", "--as", "zhang")
    assert (own.code, "checker_must_differ_from_maker" in own.out) == (Exit.REFUSED, True)
    assert asked("approve", "A1", "--as", "wang").code == Exit.REFUSED
    assert asked("approve", "A1", "--as", "li").code == 0
    assert asked("approve", "A1", "--as", "li").code == 0
    assert "duplicate" in asked("post", "refund.json").out
    assert asked("disapprove", "A2", "--reason", "not before the year ends").code == 0
    assert "Nothing waits" in asked("approvals").out
    assert asked("status", "--json").json["books"][0]["documents"] == {"payment": 1, "refund": 1}
    decided = [
        (one["request"], one["status"], one["decided_by"])
        for one in asked("approvals", "--all", "--json").json["approvals"]
    ]
    assert decided == [("A1", "approved", "li"), ("A2", "refused", "system")]
    paid = asked("explain", "refund::R1:1", "--json").json["document"]["history"][0]
    assert (paid["actor"], paid["approved"]["by"], paid["approved"]["request"]) == ("zhang", "li", "A1")


@pytest.mark.parametrize("lang", LANGS)
def test_what_people_read(asked: Run, lang: Lang, snapshot: Callable[[str, str], None]) -> None:
    text = ""
    for arguments in (
        ["approvals"],
        ["approve", "A1", "--as", "zhang"],
        ["approve", "A1", "--as", "wang"],
        ["approve", "A1", "--as", "li", "--reason", "seen"],
        ["approve", "A1"],
        ["disapprove", "A2", "--as", "wang", "--reason", "not before the year ends"],
        ["disapprove", "A2", "--as", "li", "--reason", "again"],
        ["approvals"],
        ["approvals", "--all"],
        ["explain", "refund::R1:1"],
        ["explain", "appr:main:A1:2"],
        ["history", "--customer", "C1"],
    ):
        ran = asked(*arguments, "--lang", lang)
        text += f"$ tieout {' '.join(arguments)}\n{ran.out}{ran.err}# exit {ran.code:d}\n\n"
    snapshot(f"cli/{lang}/approvals.txt", text)
