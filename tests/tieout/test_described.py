"""Every field that somebody outside sees says what it is: of commands, of answers, of outcomes and of public events."""

from typing import Any

import msgspec
import pytest
from described import undescribed

from domain.commands import COMMANDS
from ledger.approvals import Request
from ledger.outcomes import Outcome
from ledger.quarantine import Parked, Quarantined
from ledger.waiting import WaitingFact
from projections.answers import Answer
from projections.outbound.types import TYPES

SCHEMAS = {name: model.model_json_schema() for name, model in COMMANDS.items()}


def of_structs(types: list[type[Any]]) -> dict[str, Any]:
    """The JSON Schemas of structs and of all that is in them. What is streamed is a list."""
    return msgspec.json.schema_components(types, schema_hook=lambda _: {"type": "array"})[1]


def answers(of: type[Any] = Answer) -> list[type[Any]]:
    """Every record that a reader answers with."""
    return [one for inner in of.__subclasses__() for one in (inner, *answers(inner))]


@pytest.mark.parametrize(
    ("schemas", "least"),
    [
        pytest.param(SCHEMAS, 34, id="commands"),
        pytest.param(of_structs(answers()), 40, id="answers"),
        pytest.param(of_structs([Outcome, Request, WaitingFact, Quarantined, Parked]), 5, id="ledger"),
        pytest.param(of_structs(list(TYPES.values())), 32, id="events"),
    ],
)
def test_every_field_says_what_it_is(schemas: dict[str, Any], least: int) -> None:
    assert len(schemas) >= least
    found = list(undescribed(schemas, "#"))
    assert not found, f"{len(found)} fields have no description: {', '.join(found[:10])}"
    unsaid = [name for name, schema in schemas.items() if not schema.get("description")]
    assert not unsaid, f"no description: {unsaid[:10]}"


def test_a_field_without_a_description_is_found_wherever_it_is() -> None:
    class Inner(msgspec.Struct):
        """What is inside."""

        bare: int
        told: int = msgspec.field(default=0)

    class Outer(msgspec.Struct):
        """What is outside."""

        inner: list[Inner] | None = None

    places = list(undescribed(of_structs([Outer]), "#"))
    assert sorted(places) == ["#/Inner.bare", "#/Inner.told", "#/Outer.inner"]
