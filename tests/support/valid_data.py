"""Hooks of schemathesis, foremost a check: what the API's document allows is refused only by a rule that no schema says.

In place of its ``positive_data_acceptance``, which knows statuses and no codes: with 422 among them it passes a schema that
allows what no command may be, and without it it fails wherever the books say no.
"""

import json
import os
import re
from typing import Any

import schemathesis

from domain.refusals import Code

OWN_KEY = "VALID_DATA_OWN_KEY"
"""The environment variable with the id of the key that the run itself has."""
_ANSWERED = range(200, 300)
_OF_WHAT_IS_THERE = (401, 403, 404, 409, 412)
"""For what no schema knows: who asks, what the books hold, and which cursors and positions were given."""
_NAMED = 428
"""A command is named by a header or in its body; each alone may be left out."""
_OF_WHAT_STANDS = {"batch_must_hold_as_a_whole", "entry_must_be_open"}
_BY_THE_BOOKS = {code.value for code in Code} - {Code.COMMAND_MUST_BE_VALID.value} | _OF_WHAT_STANDS
_BEYOND_A_SCHEMA = re.compile(
    "|".join(
        (
            # 61.0 is an integer to JSON Schema, and no amount here.
            "must be a whole number",
            # Bounds of days have no keyword, and no pattern counts the days of February.
            "must be a date that exists",
            "must not be (less|more) than (1900-01-01|2199-12-31)",
            "must be a (log )?position, such as 0:123, or an instant",
            "expires_on: must not be in the past",
            # Lists that change elsewhere.
            "must be the code of an ISO 4217 currency",
            "must be an IANA time zone",
            # What the path, the credential or a header says, a body may only repeat.
            "or be left out$",
            r"instruction\.book: must be ",
            # More than the form of a text.
            "must be an item id",
            "must not begin with ~",
            "must be at most 100 per cent",
            "must not have more than .* bytes as JSON",
        )
    )
)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Keep the run's own key from being revoked: the list of keys has it, and ids are taken from there."""
    if case.path_parameters and case.path_parameters.get("key_id") == os.environ.get(OWN_KEY):
        case.path_parameters["key_id"] = "0" * 12


@schemathesis.check
def what_is_valid_is_refused_only_by_a_rule(ctx: Any, response: Any, case: Any) -> None:
    """Raises ``AssertionError`` for a request of the document that is refused as one that is not."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    status = response.status_code
    if status in _ANSWERED or status in _OF_WHAT_IS_THERE or status == _NAMED:
        return
    problem = json.loads(response.content)
    is_whole = problem["code"] == Code.COMMAND_MUST_BE_VALID and "pointer" not in problem
    # What is wrong with no field by itself is between several of them.
    if problem["code"] in _BY_THE_BOOKS or is_whole or _BEYOND_A_SCHEMA.search(problem["rule"]):
        return
    raise AssertionError(f"valid data is refused by {problem['code']}: {problem['rule']}")
