"""What a command would book: its outcome and its events with their postings, in the form in which events go out."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from ledger.codec import Recorded
from ledger.outcomes import FAILED, Status, Submission
from projections.log import Logged
from projections.outbound.outgoing import outgoing
from projections.reader import Reader
from tieout.api.answering import HIT, first_answer, outcome_fields
from tieout.api.problems import refused
from tieout.api.service import Service


async def rehearsed(service: Service, made: Submission, body: Any) -> Response:
    """The answer to a dry run, with status 200. Raises ``Problem`` for what would be refused or in conflict."""
    outcome, recorded = await service.rehearse(made)
    if outcome.status in FAILED:
        raise refused(outcome, body)
    events = await service.ask(lambda reader: list(_events(reader, recorded)))
    is_known = outcome.status is Status.DUPLICATE
    if is_known:
        outcome = first_answer(outcome, None)
    said = {**outcome_fields(outcome), "dry_run": True, "booked": False, "data": events}
    headers = {HIT: "true"} if is_known else None
    return Response(msgspec.json.encode(said), headers=headers, media_type="application/json")


def _events(reader: Reader, recorded: Sequence[Recorded]) -> Iterator[dict[str, Any]]:
    """The events that would be: what they will be called, and what they will say."""
    logged = [Logged(0, one.originator_id, one.originator_version, 0, one.event) for one in recorded]
    for one, event in outgoing(logged, reader.event):
        said = {} if event is None else {"type": event.type, "data": event.data}
        yield {"id": one.event_id, "kind": one.kind, **said}
