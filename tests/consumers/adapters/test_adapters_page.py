"""docs/adapters.md: its example is the file, its settings can be read, and it leaves out no key, state or code."""

import re
from pathlib import Path
from typing import Any

import pytest
from stripe_objects import charge, credit_note, invoice, kinds, line, read, refund

from consumers.adapters.feeds import StripeFeed, read_feed
from consumers.adapters.generic_mapping import REVERSAL_FIELDS, Envelope, MessageType, Source
from consumers.adapters.stripe import BOOKED, UNSUPPORTED
from consumers.adapters.stripe_message import Settings
from consumers.problems import MessageCode

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
WORDS = set(re.findall(r"`([a-z_.-]+)`", PAGE))


def test_the_file_that_the_page_shows_is_the_example() -> None:
    [(name, text)] = re.findall(r"<!-- file: (\S+) -->\n```toml\n(.*?)```", PAGE, re.DOTALL)
    assert (ROOT / name).read_text(encoding="utf-8") == text


def test_every_feed_on_the_page_can_be_read() -> None:
    assert [type(read_feed(text)).__name__ for text in BLOCKS] == ["StripeFeed", "FeedMapping"]
    feed = read_feed(BLOCKS[0])
    assert isinstance(feed, StripeFeed)
    assert feed.stripe.missing_customer == "house"


@pytest.mark.parametrize("section", [Settings, Source, Envelope, MessageType], ids=lambda section: section.__name__)
def test_the_page_tells_every_key(section: Any) -> None:
    assert set(section.model_fields) - WORDS == set()


def test_the_page_tells_every_code_and_object_and_field_of_a_reversal() -> None:
    assert {code.value for code in MessageCode} - WORDS == set()
    assert set(BOOKED) - WORDS == set()
    assert set(REVERSAL_FIELDS) - WORDS == set()
    assert "payment_record" in UNSUPPORTED & WORDS


def told() -> set[tuple[str, str]]:
    """Command and source id, the id without its own part, of each row of the table of what is booked."""
    found = set()
    for row in re.findall(r"^\| .*….* \|$", PAGE, re.MULTILINE):
        becomes, source_id = row.split("|")[2], row.split("|")[4].strip(" `").replace("…", "")
        undone = source_id.endswith((":voided", ":failed"))
        commands = re.findall(r"(?:Issue|Record|Reverse)[A-Za-z]+", becomes)
        found |= {(command, source_id) for command in commands if command.startswith("Reverse") is undone}
    return found


def test_the_table_of_what_is_booked_is_right() -> None:
    paid_outside = {"paid_out_of_band": True, "amount_paid": 1, "status_transitions": {"paid_at": 1}}
    messages: list[dict[str, Any]] = [
        invoice(status="open"),
        invoice(status="void"),
        invoice(line(-1)),
        invoice(status="paid", **paid_outside),
        credit_note(status="void"),
        charge(),
        refund(status="failed", failure_balance_transaction={"id": "txn_9", "created": 1}),
    ]
    made = [kind.split() for message in messages for kind in kinds(read(message, out_of_band="bank"))]
    assert {(command, re.sub(r"\d+", "", source_id)) for command, source_id in made} == told()
