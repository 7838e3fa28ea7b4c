"""The public contract stays as it is whatever the stored events become: golden files, schemas, and the page about it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.account import AccountState
from domain.events import TOPICS, BookOpened, DeferredFactApplied, DeferredFactRejected, FactDeferred
from ledger.codec import TOPIC_OF, decode
from projections.log import Logged
from projections.outbound.contracts import contracts
from projections.outbound.events import NOT_PUBLISHED, TYPE_OF, cloud_event, encode, kind_of
from projections.outbound.types import TYPES

SNAPSHOTS = Path(__file__).parents[2] / "snapshots"
STORED = SNAPSHOTS / "events"
PAGE = Path(__file__).parents[3] / "docs" / "outbound.md"
RECORDED_US = 1_767_225_600_000_007
STREAMS = {
    "book-opened": "book:main",
    "posting-template-changed": "book:main",
    "book-policies-changed": "book:main",
    "period-closed": "book:main",
    "period-reopened": "book:main",
    "authorities-changed": "book:main",
    "approval-requested": "appr:main:2024-17",
    "approval-given": "appr:main:2024-17",
    "approval-refused": "appr:main:2024-17",
    "allowance-matrix-changed": "book:main",
    "allowance-posted": "book:main",
    "rates-stated": "rate:main:pboc",
    "revaluation-posted": "book:main",
    "control-totals-stated": "feed:main:billing",
    "fact-deferred": "wait:main:payment::P:7:1",
    "deferred-fact-applied": "wait:main:payment::P:7:1",
    "deferred-fact-rejected": "wait:main:payment::P:7:1",
    "message-dismissed": "quar:main:7",
}
DEFERRED: FactDeferred = decode("fact-deferred.v1", (STORED / "fact-deferred.v1.json").read_bytes().splitlines()[0])
PUBLISHED = [topic for topic in TOPICS if topic.rpartition(".")[0] not in NOT_PUBLISHED]
SCHEMAS: dict[str, Any] = {name: json.loads(text) for name, text in contracts().items()}


def logged(topic: str, number: int, body: bytes) -> Logged:
    stream = STREAMS.get(topic.rpartition(".")[0], "acct:main:C:1:USD")
    return Logged(100 + number, stream, number + 1, RECORDED_US, decode(topic, body))


def published(topic: str) -> list[bytes]:
    """What the stored golden events of a topic are to the world."""
    found = []
    for number, body in enumerate((STORED / f"{topic}.json").read_bytes().splitlines(), 1):
        event = logged(topic, number, body)
        out = cloud_event(
            event, DEFERRED if isinstance(event.event, (DeferredFactApplied, DeferredFactRejected)) else None
        )
        assert out is not None
        found.append(encode(out))
    return found


def faults(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "$") -> list[str]:
    """What is wrong with a value by the words of JSON Schema that the contracts use; surplus fields are wrong here."""
    if "$ref" in schema:
        return faults(value, whole["$defs"][schema["$ref"].removeprefix("#/$defs/")], whole, at)
    if "const" in schema or "enum" in schema:
        return [] if value in schema.get("enum", [schema.get("const")]) else [f"{at} is {value!r}"]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if type(value) is not kinds[schema["type"]]:
        return [f"{at} is no {schema['type']}"]
    if schema.get("format") == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return [f"{at} is no date"]
    if "minimum" in schema and value < schema["minimum"]:
        return [f"{at} is too small"]
    if isinstance(value, list):
        return [fault for n, one in enumerate(value) for fault in faults(one, schema["items"], whole, f"{at}[{n}]")]
    found = []
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{at}.{name} is missing" for name in schema["required"] if name not in value]
        found += [f"{at}.{name} is not in the contract" for name in value if name not in schema["properties"]]
    if isinstance(value, dict):
        for name, one in value.items():
            of = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            if isinstance(of, dict):
                found += faults(one, of, whole, f"{at}.{name}")
    return found


def test_every_stored_kind_has_one_public_type_or_is_said_not_to_go_out() -> None:
    events = [type_ for type_ in TOPIC_OF if type_ is not AccountState]
    published = {kind_of(event) for event in TYPE_OF}
    assert published | set(NOT_PUBLISHED) == {kind_of(event) for event in events}
    assert not published & set(NOT_PUBLISHED)
    assert sorted(TYPE_OF.values()) == sorted(TYPES), "no type is of two kinds, and none of no kind"


@pytest.mark.parametrize("topic", sorted(set(TOPICS) - set(PUBLISHED)))
def test_what_does_not_go_out_is_nothing_to_the_world(topic: str) -> None:
    for number, body in enumerate((STORED / f"{topic}.json").read_bytes().splitlines(), 1):
        assert cloud_event(logged(topic, number, body)) is None


def test_what_is_dismissed_in_no_book_is_nobodys() -> None:
    event = logged("message-dismissed.v1", 1, (STORED / "message-dismissed.v1.json").read_bytes().splitlines()[0])
    assert cloud_event(event) is not None
    assert cloud_event(event._replace(stream="quar::7")) is None


@pytest.mark.parametrize("topic", PUBLISHED)
def test_events_go_out_as_they_always_did(topic: str, snapshot: Callable[[str, str], None]) -> None:
    snapshot(f"outbound/{topic}.json", "".join(f"{value.decode()}\n" for value in published(topic)))


def test_every_golden_file_is_of_a_stored_topic() -> None:
    assert {path.stem for path in (SNAPSHOTS / "outbound").glob("*.json")} == set(PUBLISHED)


@pytest.mark.parametrize("topic", PUBLISHED)
def test_what_goes_out_keeps_to_the_published_schemas(topic: str) -> None:
    for value in published(topic):
        event = json.loads(value)
        assert faults(event, SCHEMAS["cloudevent.json"], {}) == []
        schema = SCHEMAS[f"{event['type']}.json"]
        assert faults(event["data"], schema, schema) == []


@pytest.mark.parametrize("topic", PUBLISHED)
def test_between_them_the_golden_events_have_every_field_of_the_contract(topic: str) -> None:
    events = [json.loads(value) for value in published(topic)]
    schema = SCHEMAS[f"{events[0]['type']}.json"]
    assert {name for event in events for name in event["data"]} == set(schema["properties"])


def test_an_event_says_where_it_is_from_and_whose_it_is() -> None:
    invoice, book = (json.loads(published(f"{kind}.v1")[0]) for kind in ("invoice-issued", "book-opened"))
    waiting, applied = (json.loads(published(f"{kind}.v1")[0]) for kind in ("fact-deferred", "deferred-fact-applied"))
    said = ("specversion", "id", "source", "subject", "time", "position", "partitionkey")
    assert [invoice[name] for name in said] == [
        *("1.0", "acct:main:C:1:USD:2", "tieout/main", "invoice:A:1001:1"),
        *("2026-01-01T00:00:00.000007Z", "0:101", "main:C:1"),
    ]
    assert [invoice["data"][name] for name in ("book", "customer", "currency", "version")] == ["main", "C:1", "USD", 2]
    assert (book["id"], book["partitionkey"], book["data"]["version"]) == ("book:main:2", "main", 2)
    assert "subject" not in book
    for event in (waiting, applied):
        assert (event["partitionkey"], event["subject"]) == ("main:C:1", "refund::R1:1")
        assert (event["data"]["customer"], event["data"]["currency"]) == ("C:1", "USD")
    assert applied["data"]["deferred"] == "wait:main:payment::P:7:1:1"


def test_who_asked_for_it_and_how_the_ledger_remembers_it_stays_inside() -> None:
    for topic in PUBLISHED:
        for value in published(topic):
            data = json.loads(value)["data"]
            assert not {"actor", "digest", "restored", "policy_version"} & set(data)
            assert "zhang.san" not in value.decode()
            assert "wang.wu" not in value.decode()


def test_a_time_without_fraction_is_written_with_microseconds_all_the_same() -> None:
    opened = decode("book-opened.v1", (STORED / "book-opened.v1.json").read_bytes().splitlines()[1])
    assert isinstance(opened, BookOpened)
    event = cloud_event(Logged(1, "book:main", 1, 1_767_225_600_000_000, opened))
    assert event is not None
    assert event.time == "2026-01-01T00:00:00.000000Z"


def shown(event: dict[str, Any]) -> str:
    """An event to be read: a field a line, and a line for each element of a list of objects."""

    def block(fields: dict[str, Any], indent: str) -> str:
        lines = []
        for name, value in fields.items():
            text = json.dumps(value, ensure_ascii=False)
            if name == "data":
                text = block(value, f"{indent}  ")
            elif isinstance(value, list) and value and isinstance(value[0], dict):
                rows = ",\n".join(f"{indent}    {json.dumps(row, ensure_ascii=False)}" for row in value)
                text = f"[\n{rows}\n{indent}  ]"
            lines.append(f"{indent}  {json.dumps(name)}: {text}")
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"

    return block(event, "")


def test_the_page_shows_the_golden_event_of_every_type(pytestconfig: pytest.Config) -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = re.compile(r"^### `(tieout\.[^`]+)`$(.*?)^```json\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
    golden = {TYPE_OF[TOPICS[topic]]: shown(json.loads(published(topic)[0])) for topic in PUBLISHED}
    if pytestconfig.getoption("--update-snapshots"):
        text = example.sub(lambda m: f"### `{m[1]}`{m[2]}```json\n{golden[m[1]]}\n```", text)
        PAGE.write_text(text, encoding="utf-8", newline="\n")
    assert {found[1]: found[3] for found in example.finditer(text)} == golden, "write it with make update-snapshots"
