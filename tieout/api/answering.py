"""What is answered to a command: its outcome, as JSON with status and headers; the same for the same command again."""

from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ledger.outcomes import FAILED, Outcome, Status, token
from tieout.api.problems import refused

POSITION = "Tieout-Position"
"""The header with the log position that a write reached, or that a read was made at."""
HIT = "Idempotency-Hit"
_STATUS = {Status.BOOKED: 201, Status.WAITING: 202}
_WHAT = ("document", "awaited")
# Not the document: of what is not in the books it repeats what was sent.
_WHY = ("code", "field", "rule")

_encode = msgspec.json.Encoder().encode


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON members; what does not apply is absent. The value of a refusal stays with us."""
    fields: dict[str, Any] = {"status": outcome.status.value}
    if outcome.position is not None:
        fields["position"] = token(outcome.position)
    if outcome.status not in FAILED:
        fields["events"] = outcome.events
    for name in _WHY if outcome.status in FAILED else _WHAT:
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
    headers = [(b"content-type", b"application/json")]
    if outcome.position is not None:
        headers.append((b"tieout-position", token(outcome.position).encode()))
    if outcome.version is not None:
        headers.append((b"etag", b'"%d"' % outcome.version))
    if hit:
        headers.append((b"idempotency-hit", b"true"))
    # What changes nothing has created nothing.
    status = _STATUS[outcome.status] if outcome.events else 200
    return Ready(status, headers, _encode(outcome_fields(outcome)))


class Ready(Response):
    """A response whose header is already as it goes over the wire."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})
