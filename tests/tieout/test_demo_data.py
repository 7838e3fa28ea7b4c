"""The made-up year: the same bytes for the same seed, and every line meets the outcome that it was made for."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from consumers.commands import parse_command
from domain.commands import COMMAND
from domain.events import TOPICS
from ledger import store
from ledger.ledger import Ledger
from ledger.outcomes import Outcome
from tieout.demo import bulk, company, showcase, year
from tieout.demo.days import LAST, is_working
from tieout.demo.outbox import Message

Snapshot = Callable[[str, str], None]
BOOK = "demo"


@cache
def as_made() -> list[Message]:
    """The year that ``make demo`` shows."""
    return year.messages_of(1, 200, BOOK)


def content_of(message: Message) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(message.line)
    return decoded


def digest_of(lines: Iterator[bytes]) -> str:
    found = hashlib.sha256()
    for line in lines:
        found.update(line + b"\n")
    return found.hexdigest()


def facts() -> Iterator[tuple[Message, dict[str, Any]]]:
    """What is booked, sooner or later, with the content of each message."""
    for message in as_made():
        if message.outcome in ("booked", "waiting"):
            yield message, content_of(message)


def lateness() -> list[int]:
    """The days from a fact's effect to its recording, of those that say when they took effect."""
    return [
        (message.recorded - date.fromisoformat(content["effective_on"])).days
        for message, content in facts()
        if "effective_on" in content and content["command"] != "ReverseDocument"
    ]


def per_mille(part: int, whole: int) -> int:
    return part * 1000 // whole


def test_the_same_seed_gives_the_same_bytes(snapshot: Snapshot) -> None:
    late = lateness()
    lines = [
        f"sha256 {digest_of(line for delivery in year.deliveries() for line in delivery.lines)}",
        f"deliveries {len(list(year.deliveries()))}",
        f"facts {len(list(facts()))}",
        f"recorded within 2 days: {per_mille(sum(days <= 2 for days in late), len(late))} per mille",
        f"recorded after more than 7 days: {per_mille(sum(days > 7 for days in late), len(late))} per mille",
    ]
    outcomes = Counter(message.outcome for message in as_made())
    lines += [f"outcome {outcome} {count}" for outcome, count in sorted(outcomes.items())]
    commands = Counter(content["command"] for _, content in facts())
    lines += [f"command {command} {count}" for command, count in sorted(commands.items())]
    snapshot("demo/year.txt", "\n".join(lines) + "\n")


def test_another_process_with_other_hashes_gives_the_same_bytes() -> None:
    script = (
        "import hashlib; from tieout.demo import year\n"
        "lines = [line for delivery in year.deliveries(7, 60) for line in delivery.lines]\n"
        "print(hashlib.sha256(b'|'.join(lines)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_another_seed_gives_another_year() -> None:
    assert [d.lines for d in year.deliveries(1, 20)] != [d.lines for d in year.deliveries(2, 20)]


def test_deliveries_come_on_working_days_and_bring_nothing_from_the_future() -> None:
    nights = [delivery.on for delivery in year.deliveries()]
    assert nights == sorted(set(nights))
    assert all(is_working(night) for night in nights)
    assert nights[-1] > LAST
    assert min(lateness()) >= 0


def test_most_facts_are_recorded_soon_and_some_weeks_later() -> None:
    late = lateness()
    assert sum(days > 7 for days in late) * 100 >= 8 * len(late)
    assert sum(days <= 2 for days in late) * 100 >= 75 * len(late)
    assert any(message.recorded > LAST for message, _ in facts())


def test_every_kind_of_thing_happens() -> None:
    seen: Counter[str] = Counter()
    for message, content in facts():
        command = content["command"]
        seen["instalments"] += len(content.get("instalments", ())) > 1
        seen["three lines"] += len(content.get("lines", ())) == 3 and command == "IssueInvoice"
        seen["opening"] += content.get("opening", False)
        seen["fiscal number"] += "fiscal_number" in content
        seen["credit against"] += "against" in content
        seen["prepaid"] += command == "IssueInvoice" and "remittance" in content
        seen["charge"] += any(part["reason"] == "bank_charge" for part in content.get("deductions", ()))
        seen["withholding"] += any(part["reason"] == "withholding" for part in content.get("deductions", ()))
        seen["base given"] += "base_total" in content
        seen["security"] += content.get("deposit_class") == "security"
        seen["house"] += content.get("customer", "").startswith("~")
        seen["again"] += content.get("revision", 1) == 2 and command in ("IssueInvoice", "RecordPayment")
        seen["failed refund"] += content.get("mode") == "failed"
        seen["by hand"] += command in ("Allocate", "ReleaseAllocation")
        seen["adjusted"] += command == "PostAdjustment"
        seen["taken back"] += command == "ReturnPayment"
        seen["won"] += command == "ReinstatePayment"
        seen["written off"] += command == "WriteOff"
        seen["recovered"] += command == "RecoverWriteOff"
        seen["payer found"] += command == "TransferItem"
        seen["waits"] += message.outcome == "waiting"
    assert [what for what, count in seen.items() if not count] == []
    currencies = {content["currency"] for _, content in facts()}
    assert currencies == set(company.CURRENCIES)


def test_every_line_is_a_command_but_for_those_that_are_meant_not_to_be() -> None:
    for message in as_made():
        if message.code == "command_must_be_valid":
            with pytest.raises(ValidationError):
                COMMAND.validate_json(message.line)
        else:
            COMMAND.validate_json(message.line)


def test_every_customer_has_a_name() -> None:
    known = {party.customer for party in company.parties()}
    dealt_with = {content["customer"] for _, content in facts()}
    assert {customer for customer in dealt_with if not customer.startswith("~")} <= known
    assert len(known) == 200


def test_a_delivery_is_a_file_of_lines(tmp_path: Path) -> None:
    written = year.write_deliveries(tmp_path / "a b", seed=1, customers=20)
    made = list(year.deliveries(seed=1, customers=20))
    assert [path.stem for path, _ in written] == [delivery.on.isoformat() for delivery in made]
    assert [now_us for _, now_us in written] == sorted({now_us for _, now_us in written})
    for (path, _), delivery in zip(written, made, strict=True):
        assert path.read_bytes().splitlines() == delivery.lines


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    path = tmp_path_factory.mktemp("year") / "store.sqlite"
    store.create(path)
    with Ledger.open(path) as ledger:
        yield ledger


@pytest.fixture(scope="module")
def outcomes(ledger: Ledger) -> list[Outcome]:
    """The outcome of each message of the year, sent as its deliveries are."""
    opening = parse_command(company.opening(BOOK), origin="test")
    ledger.submit([opening], now_us=next(year.deliveries()).now_us - 1)
    found: list[Outcome] = []
    for delivery in year.deliveries():
        entries = [parse_command(line, origin="test", book=BOOK, quarantine=True) for line in delivery.lines]
        found += ledger.submit(entries, now_us=delivery.now_us)
    return found


def test_the_ledger_answers_each_line_as_it_was_meant(outcomes: list[Outcome]) -> None:
    differing = [
        (message.outcome, message.code, outcome, message.line)
        for message, outcome in zip(as_made(), outcomes, strict=True)
        if outcome.status.value != message.outcome or (message.code and outcome.code != message.code)
    ]
    assert differing == []


def test_all_that_waited_is_booked_and_what_was_wrong_stands_in_quarantine(
    ledger: Ledger, outcomes: list[Outcome]
) -> None:
    waited = sum(outcome.status == "waiting" for outcome in outcomes)
    events = [event for event in log_of(ledger) if type(event).__name__ == "DeferredFactApplied"]
    assert [event.outcome for event in events] == ["booked"] * waited
    wrong = sum(outcome.status in ("refused", "conflict") for outcome in outcomes)
    kept = Counter(entry.status for entry in ledger.quarantined(BOOK, status=None))
    assert kept["open"] + kept["booked"] == wrong
    assert kept["booked"] >= 5
    assert kept["open"] >= 5


def test_the_year_ends_as_a_company_would_like_it(ledger: Ledger, outcomes: list[Outcome]) -> None:
    open_by_age: Counter[str] = Counter()
    for stream in {stream for stream, _ in streams_of(ledger)}:
        _, book, rest = stream.split(":", 2)
        customer, _, currency = rest.rpartition(":")
        for item in ledger.account(book, customer, currency).items.values():
            if item.side == "D" and currency == "CNY":
                overdue = (LAST - item.due_on).days
                open_by_age["recent" if overdue <= 30 else "old" if overdue <= 90 else "very old"] += item.open
    whole = sum(open_by_age.values())
    assert 750 <= per_mille(open_by_age["recent"], whole) <= 950
    assert per_mille(open_by_age["very old"], whole) >= 5


def test_the_customer_whose_story_is_told_owes_what_its_story_says(ledger: Ledger, outcomes: list[Outcome]) -> None:
    customer = next(company.parties()).customer
    items = ledger.account(BOOK, customer, "USD").items
    assert {name: item.open for name, item in items.items()} == {
        f"invoice:{showcase.SERIES}:X004:1#1": 300_000,
        f"invoice:{showcase.SERIES}:X006:1#1": 575_000,
    }


def log_of(ledger: Ledger) -> Iterator[Any]:
    for note in ledger.recorder.select_notifications(start=1, limit=1_000_000):
        yield msgspec.json.decode(note.state, type=TOPICS[note.topic])


def streams_of(ledger: Ledger) -> Iterator[tuple[str, int]]:
    for note in ledger.recorder.select_notifications(start=1, limit=1_000_000):
        if str(note.originator_id).startswith("acct:"):
            yield str(note.originator_id), note.id


@pytest.mark.parametrize("seed", [2, 3])
def test_other_seeds_meet_their_outcomes_too(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "store.sqlite"
    store.create(path)
    messages = year.messages_of(seed, 60, BOOK)
    with Ledger.open(path) as ledger:
        ledger.submit([parse_command(company.opening(BOOK), origin="test")], now_us=1_735_700_000_000_000)
        position = 0
        for delivery in year.deliveries(seed, 60):
            entries = [parse_command(line, origin="test", book=BOOK, quarantine=True) for line in delivery.lines]
            for outcome in ledger.submit(entries, now_us=delivery.now_us):
                assert outcome.status == messages[position].outcome, messages[position].line
                position += 1


def test_documents_in_bulk_are_all_booked(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store.create(path)
    with Ledger.open(path) as ledger:
        ledger.submit([parse_command(company.opening(BOOK), origin="test")])
        entries = [parse_command(line, origin="test", book=BOOK) for line in bulk.documents(1, 3000, customers=50)]
        assert Counter(outcome.status.value for outcome in ledger.submit(entries)) == {"booked": 3000}


def test_documents_in_bulk_are_as_many_as_asked_for_and_the_same_each_time() -> None:
    lines = list(bulk.documents(5, 20_000))
    assert len(lines) == 20_000
    assert lines == list(bulk.documents(5, 20_000))
    kinds = Counter(msgspec.json.decode(line)["command"] for line in lines)
    assert 10_000 < kinds["IssueInvoice"] < 14_000
    assert len(list(bulk.documents(1, 3, customers=1))) == 3
