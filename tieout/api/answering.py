"""What is answered to a command: its outcome, as JSON with status and headers; the same for the same command again."""

from typing import Any

import msgspec
from starlette.responses import Response

from ledger.outcomes import FAILED, Outcome, Status, token
from tieout.api.problems import refused

POSITION = "Tieout-Position"
"""The header with the log position that a write reached, or that a read was made at."""
HIT = "Idempotency-Hit"
_STATUS = {Status.BOOKED: 201, Status.WAITING: 202}
_FIELDS = ("document", "awaited", "code", "field", "rule")

_encode = msgspec.json.Encoder().encode


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON members; what does not apply is absent. The value of a refusal stays with us."""
    fields: dict[str, Any] = {"status": outcome.status.value}
    if outcome.position is not None:
        fields["position"] = token(outcome.position)
    if outcome.status not in FAILED:
        fields["events"] = outcome.events
    for name in _FIELDS:
        value = getattr(outcome, name)
        if value is not None:
            fields[name] = value
    if outcome.version is not None:
        fields["version"] = outcome.version
    return fields


def first_answer(outcome: Outcome, version: int | None) -> Outcome:
    """The outcome of what was booked before, as it was answered then."""
    assert outcome.status is Status.DUPLICATE
    status = Status.BOOKED if outcome.awaited is None else Status.WAITING
    return msgspec.structs.replace(outcome, status=status, version=version)


def answer(outcome: Outcome, body: Any = None, *, hit: bool = False) -> Response:
    """The response. Raises ``Problem`` for what is refused or in conflict; ``body`` is what was sent."""
    if outcome.status in FAILED:
        raise refused(outcome, body)
    headers = {}
    if outcome.position is not None:
        headers[POSITION] = token(outcome.position)
    if outcome.version is not None:
        headers["ETag"] = f'"{outcome.version}"'
    if hit:
        headers[HIT] = "true"
    return Response(
        _encode(outcome_fields(outcome)), _STATUS.get(outcome.status, 200), headers, media_type="application/json"
    )
