"""The messages of feeds that were not booked, or not again: waiting, in quarantine, parked, refused, doubled.

What waits, or waited and was refused, stands in the log, and is as of K. Quarantine, parked messages and doubles stand
beside it and are as of now. A message that could not be read is read here as far as it goes.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

import msgspec

from domain.commands import COMMANDS
from domain.events import DeferredFactApplied, DeferredFactRejected, FactDeferred
from domain.money import is_currency
from ledger.codec import decode
from ledger.outcomes import token
from projections.answers import Message
from projections.arrivals import COUNTED_TOPICS, message
from projections.view import Moment, View

_UNCOUNTED = frozenset(
    {
        "OpenBook",
        "ChangePostingTemplate",
        "ChangeBookPolicies",
        "ClosePeriod",
        "ReopenPeriod",
        "ChangeAllowanceMatrix",
        "PostAllowance",
        "PostRevaluation",
        "Allocate",
        "ReleaseAllocation",
        "Resettle",
        "ChangeAccountTerms",
        "RecogniseRevenue",
        "SetCreditLimit",
        "StateControlTotals",
        "StateRates",
        "RejectDeferredFact",
        "DismissMessage",
        "ChangeAuthorities",
        "RequestApproval",
        "GiveApproval",
        "RefuseApproval",
    }
)
"""Commands that control totals do not count."""
_COMMAND_OF = {name.lower(): name for name in COMMANDS}


def unbooked(view: View, book: str, feed: str | None, at: Moment) -> Iterator[Message]:
    """All of them, of one feed or of all of a book."""
    parameters = {"book": book, "feed": feed}
    for one in _deferred(view, book, at):
        if feed in (None, one.source):
            yield one
    yield from _quarantined(view, parameters)
    yield from _parked(view, parameters)
    yield from _doubled(view, book, feed)


_WAITING = """SELECT position, originator_id, originator_version, topic, state FROM events
    WHERE shard = 0 AND originator_id >= :first AND originator_id < :last AND position <= :K
    ORDER BY originator_id, originator_version"""


def _deferred(view: View, book: str, at: Moment) -> Iterator[Message]:
    """What waits at K, and what had waited and was refused by then."""
    waiting: dict[tuple[str, int], tuple[int, FactDeferred]] = {}
    rows = view.connection.stream(_WAITING, {"first": f"wait:{book}:", "last": f"wait:{book};", "K": at.position})
    for position, stream, version, topic, state in rows:
        event = decode(topic, state)
        if isinstance(event, FactDeferred):
            waiting[stream, version] = (position, event)
        elif isinstance(event, DeferredFactApplied):
            since, fact = waiting.pop((stream, event.fact))
            if event.outcome == "refused":
                yield _fact(since, fact, status="refused", code=event.code)
        elif isinstance(event, DeferredFactRejected):
            since, fact = waiting.pop((stream, event.fact))
            yield _fact(since, fact, status="dismissed")
    for since, fact in waiting.values():
        yield _fact(since, fact, status="waiting")


def _fact(position: int, fact: FactDeferred, **more: Any) -> Message:
    said = _said(fact.command)
    own = {"source": fact.source, "source_id": fact.source_id, "currency": fact.currency, "document": fact.document}
    return Message(**said | own | {"position": token(position)} | more)


_QUARANTINE = """SELECT id, source, source_id, origin, code, raw, status FROM quarantine WHERE shard = 0 AND book = :book
    AND (:feed IS NULL OR source = :feed) AND status <> 'booked' ORDER BY id"""


def _quarantined(view: View, parameters: dict[str, Any]) -> Iterator[Message]:
    for entry, source, source_id, origin, code, raw, status in view.connection.execute(_QUARANTINE, parameters):
        command = _bare(raw)
        if command.get("command") not in _UNCOUNTED:
            yield Message(
                **_said(command),
                status="quarantined" if status == "open" else "dismissed",
                source=source,
                source_id=source_id,
                origin=origin or None,
                quarantine=entry,
                code=code,
            )


_PARKED = """SELECT source, source_id, origin, raw FROM parked WHERE shard = 0 AND book = :book
    AND (:feed IS NULL OR source = :feed) ORDER BY id"""


def _parked(view: View, parameters: dict[str, Any]) -> Iterator[Message]:
    for source, source_id, origin, raw in view.connection.execute(_PARKED, parameters):
        command = _bare(raw)
        if command.get("command") not in _UNCOUNTED:
            own = {"source": source, "source_id": source_id, "origin": origin or None}
            yield Message(**_said(command) | own, status="parked")


# What was booked at first leads to its day; a receipt names the last event of its command.
_DOUBLES = f"""SELECT d.source, d.source_id, d.origin, d.sequence, r.origin, e.position, e.originator_id, e.topic, e.state
    FROM doubles d JOIN receipts r ON r.shard = d.shard AND r.source = d.source AND r.source_id = d.source_id
    JOIN events e ON e.position > r.position - r.events AND e.position <= r.position
    WHERE d.shard = 0 AND (:feed IS NULL OR d.source = :feed) AND e.topic IN ('fact-deferred.v1', {COUNTED_TOPICS})
    ORDER BY d.recorded_us, d.source, d.source_id, d.origin, e.position"""


def _doubled(view: View, book: str, feed: str | None) -> Iterator[Message]:
    last = None
    rows = view.connection.execute(_DOUBLES, {"feed": feed})
    for source, source_id, origin, number, first, position, stream, topic, state in rows:
        if (source, source_id, origin) == last or stream.split(":", 2)[1] != book:
            continue
        if topic == "fact-deferred.v1":
            booked: Message | None = _fact(position, decode(topic, state), status="doubled")
        else:
            booked = message(position, stream, state)
        if booked is not None:
            # A command may book more than one counted event: first its own, then what had waited for it.
            last = (source, source_id, origin)
            own = {"source": source, "source_id": source_id, "sequence": number, "origin": origin, "first": first}
            yield msgspec.structs.replace(booked, status="doubled", **own)


# --- reading what could not be read


def _bare(raw: str) -> dict[str, Any]:
    """The command in a message, without its envelope; what is no command of ours is empty."""
    held: Any = None
    with suppress(ValueError, RecursionError):
        held = msgspec.json.decode(raw)
    if not isinstance(held, dict):
        return {}
    if "specversion" in held:
        data = held.get("data")
        kebab = str(held.get("type")).removeprefix("tieout.").rpartition(".")[0]
        named = {"command": _COMMAND_OF.get(kebab.replace("-", "")), "sequence": held.get("sequence")}
        held = named | (data if isinstance(data, dict) else {})
    return held if held.get("command") in COMMANDS else {}


def _said(command: dict[str, Any]) -> dict[str, Any]:
    """What a command says that is counted, as far as it can be read."""
    currency = command.get("currency")
    amount = 0 if command.get("command") == "ReverseDocument" else command.get("total", command.get("amount"))
    return {
        "sequence": _whole(command.get("sequence")),
        "day": _day(command.get("effective_on")),
        "currency": currency if isinstance(currency, str) and is_currency(currency) else None,
        "amount": _whole(amount),
    }


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:19])
    return value if type(value) is int else None


def _day(value: Any) -> date | None:
    with suppress(ValueError, TypeError):
        return date.fromisoformat(value)
    return None
