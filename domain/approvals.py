"""Approvals 审批: what goes beyond its maker's limit waits, whole, until somebody else approves or refuses it.

A request is a stream of its own: asked for once, decided once, so that of two who decide at the same time one is a
version conflict. The command is decided again when it is approved; what is refused then is not booked, and the request
stays. Who may do what is in ``domain.authority``.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from domain.authority import amounts
from domain.commands import COMMAND, GiveApproval, Instruction, RefuseApproval, RequestApproval, ReverseDocument
from domain.decide import entered_document
from domain.events import ApprovalGiven, ApprovalRefused, ApprovalRequested, Event
from domain.refusals import Code, Refusal


def request_approval(command: RequestApproval, digest: str, events: Sequence[Event] | None) -> ApprovalRequested:
    """The event by which a command waits for an approval.

    ``digest`` (hex) is that of the instruction; ``events`` what it would lead to now, None where it would have to wait.
    """
    instruction = command.instruction
    amount, base_amount = (None, None) if events is None else amounts(events)
    if isinstance(instruction, ReverseDocument):
        document: str | None = instruction.document.document
    else:
        document = entered_document(instruction)
    return ApprovalRequested(
        **_said(command),
        request=command.request,
        instruction=instruction.command,
        customer=getattr(instruction, "customer", None),
        currency=getattr(instruction, "currency", None),
        maker=instruction.actor,
        document=document,
        amount=amount,
        base_amount=base_amount,
        digest=digest,
        # Defaults are written out: one that changes later must not change what is approved.
        command=instruction.model_dump(mode="json", exclude_none=True),
    )


def pending(command: GiveApproval | RefuseApproval, stream: Sequence[Event]) -> ApprovalRequested:
    """The request that a command decides. ``stream``: the events of its stream. Refuses one that is not pending."""
    if len(stream) != 1:
        raise Refusal(Code.APPROVAL_PENDING, "request", command.request)
    [request] = stream
    assert isinstance(request, ApprovalRequested)
    return request


def give_approval(command: GiveApproval, request: ApprovalRequested) -> ApprovalGiven:
    """The event by which a command is approved. Refuses whoever made it or asked for the approval."""
    if command.actor in (request.maker, request.actor):
        raise Refusal(Code.CHECKER_DIFFERS, "actor", command.actor)
    return ApprovalGiven(**_said(command), **_about(request))


def refuse_approval(command: RefuseApproval, request: ApprovalRequested) -> ApprovalRefused:
    """The event by which a request comes to nothing."""
    return ApprovalRefused(**_said(command), **_about(request))


def instruction_of(request: ApprovalRequested) -> Instruction:
    """The command that is to be approved, as it came."""
    command = COMMAND.validate_json(msgspec.json.encode(request.command))
    assert isinstance(command, Instruction)
    return command


def _said(command: RequestApproval | GiveApproval | RefuseApproval) -> dict[str, Any]:
    return {
        "source": command.source,
        "source_id": command.source_id,
        "actor": command.actor,
        "reason": command.reason,
        "sequence": command.sequence,
    }


def _about(request: ApprovalRequested) -> dict[str, Any]:
    return {
        "request": request.request,
        "instruction": request.instruction,
        "customer": request.customer,
        "currency": request.currency,
    }
