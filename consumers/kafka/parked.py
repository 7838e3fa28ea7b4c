"""Messages that were parked behind one in quarantine, once that is booked or dismissed: taken up again, in order."""

from itertools import islice
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError

from domain.commands import COMMAND
from ledger.errors import StaleTracking
from ledger.outcomes import Outcome, Status, Submission
from ledger.quarantine import Parked

if TYPE_CHECKING:
    from ledger.ledger import Ledger

log = structlog.get_logger(__name__)

BATCH = 500


def take_up(ledger: "Ledger", *, batches: int = 20, now_us: int | None = None) -> list[Outcome]:
    """Book what was parked in lanes that are free, as far as some batches go; an outcome each.

    A lane is left where one of its messages is refused in its turn, or where another process is at it.
    """
    answers: list[Outcome] = []
    for lane in ledger.freed_lanes():
        while batches > 0:
            batch = list(islice(ledger.parked(lane), BATCH))
            if not batch:
                break
            batches -= 1
            try:
                outcomes = ledger.submit([_again(parked) for parked in batch], now_us=now_us)
            except StaleTracking:
                break
            except ValidationError:
                # Only a program older than the one that parked it cannot read it.
                log.error("parked_command_unreadable", lane=lane, id=batch[0].id)
                break
            answers += outcomes
            if any(outcome.status is Status.PARKED for outcome in outcomes):
                break
    return answers


def _again(parked: Parked) -> Submission:
    command = COMMAND.validate_json(parked.raw)
    return Submission(command, parked.origin, quarantine=True, lane=parked.lane, parked=parked.id)
