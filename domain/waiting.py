"""Facts that wait: a refund or reversal whose original is not in the books yet.

Money never waits, only references do. What cannot be booked without its original is kept whole, as ``FactDeferred`` in
the stream of the document that it awaits; when that document arrives, each fact is decided in the order of arrival and
``DeferredFactApplied`` says what became of it. A fact that is booked so may itself be what another one waits for. One
whose document never comes is rejected by hand, with a reason.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from domain.commands import COMMAND, AccountCommand, RejectDeferredFact
from domain.decide import entered_document
from domain.events import DeferredFactApplied, DeferredFactRejected, Event, FactDeferred
from domain.refusals import Code, Refusal


def defer(command: AccountCommand, awaited: str, digest: str, approval: str | None = None) -> FactDeferred:
    """The event by which a command waits for a document. ``digest`` (hex) is that of the fact, as the register has it.

    ``approval``: the request by whose approval it waits.
    """
    return FactDeferred(
        source=command.source,
        source_id=command.source_id,
        actor=command.actor,
        reason=command.reason,
        sequence=command.sequence,
        approval=approval,
        awaited=awaited,
        document=entered_document(command),
        customer=command.customer,
        currency=command.currency,
        digest=digest,
        # Defaults are written out: one that changes later must not change what was asked for today.
        command=command.model_dump(mode="json", exclude_none=True),
    )


def asked_for(fact: FactDeferred) -> date | None:
    """The day that a fact asks for; a reversal of an error names none."""
    on = fact.command.get("effective_on")
    return None if on is None else date.fromisoformat(on)


def deferred_command(fact: FactDeferred) -> AccountCommand:
    """The command that waited, as it came."""
    command = COMMAND.validate_json(msgspec.json.encode(fact.command))
    assert isinstance(command, AccountCommand)
    return command


def applied(fact: FactDeferred, version: int, refusal: Refusal | None = None) -> DeferredFactApplied:
    """The event by which a fact waits no more. ``version``: of its FactDeferred; ``refusal``: why it was not booked."""
    return DeferredFactApplied(
        source=fact.source,
        source_id=fact.source_id,
        actor=fact.actor,
        reason=fact.reason,
        sequence=fact.sequence,
        approval=fact.approval,
        fact=version,
        outcome="booked" if refusal is None else "refused",
        code=refusal.code.value if refusal else None,
        field=refusal.field if refusal else None,
        value=refusal.value if refusal else None,
    )


def rejected(command: RejectDeferredFact, waiting: Iterable[tuple[int, FactDeferred]]) -> DeferredFactRejected:
    """The event by which a fact is given up. ``waiting``: the facts of a waiting stream that still wait, by version.

    Refuses one that does not wait.
    """
    for version, fact in waiting:
        if (fact.source, fact.source_id) == (command.fact_source, command.fact_source_id):
            return DeferredFactRejected(
                source=command.source,
                source_id=command.source_id,
                actor=command.actor,
                reason=command.reason,
                sequence=command.sequence,
                fact=version,
            )
    raise Refusal(Code.FACT_WAITING, "fact_source_id", command.fact_source_id)


def still_waiting(stream: Iterable[tuple[int, Event]]) -> dict[int, FactDeferred]:
    """The facts of a waiting stream that still wait, by version, oldest first. ``stream``: (version, event) in order."""
    waiting: dict[int, FactDeferred] = {}
    for version, event in stream:
        if isinstance(event, FactDeferred):
            waiting[version] = event
        elif isinstance(event, (DeferredFactApplied, DeferredFactRejected)):
            del waiting[event.fact]
    return waiting
