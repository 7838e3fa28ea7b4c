"""Another try for what stands in quarantine: as it is, with fields set, or as a whole corrected command.

An entry is done with when its source id is booked; where the correction gave it another one, it is dismissed with a
reason that says where it went.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Lookup
from itertools import islice
from typing import TYPE_CHECKING, Any

from consumers.commands import parse_command
from consumers.envelope import COMMAND_OF, numbered
from consumers.problems import Fault, RetryCode, invalid, row_fault
from domain.commands import Command, DismissMessage
from domain.decide import entered_document
from domain.dismissal import book_of
from domain.documents import document_id
from domain.refusals import RULES, Code
from ledger.outcomes import Outcome, Status, Submission, token
from ledger.quarantine import Quarantined

if TYPE_CHECKING:
    from ledger.ledger import Ledger

BATCH = 500


def retry(
    ledger: "Ledger",
    ids: Sequence[int] | None = None,
    changes: Lookup[str, Any] = {},
    *,
    book: str | None = None,
    now_us: int | None = None,
    may: Callable[[Command], Fault | None] = lambda _: None,
) -> list[tuple[int, Outcome]]:
    """Try entries of the quarantine again (all open ones, of ``book`` if given), and answer an outcome each.

    ``changes``: dotted field (``customer``, ``lines.0.net``) → value, None to leave the field out; a value that is text
    is also tried as JSON, one that is not also as text, whichever the field takes. Changes that have ``command`` are a
    whole command, which replaces the entry's. ``may`` says why a command must not be booked, if it must not. What is
    still no command, or must not be booked, is answered as refused, and stays as it is.
    """
    answers: list[tuple[int, Outcome]] = []
    entries = _entries(ledger, ids, book)
    while batch := list(islice(entries, BATCH)):
        made = [(id_, entry, _if_it_may(may, _again(entry, changes))) for id_, entry in batch]
        ready = [one for _, _, one in made if isinstance(one, Submission)]
        outcomes = iter(ledger.submit(ready, now_us=now_us)) if ready else iter(())
        done: list[Submission] = []
        for id_, entry, one in made:
            outcome = next(outcomes) if isinstance(one, Submission) else _refused(one)
            answers.append((id_, outcome))
            if isinstance(one, Submission):
                done += _done_with(entry, one, outcome)
        if done:
            # Refused of what somebody else was first with: then it is closed as well.
            ledger.submit(done, now_us=now_us)
    return answers


def _entries(ledger: "Ledger", ids: Sequence[int] | None, book: str | None) -> Iterator[tuple[int, Quarantined | None]]:
    if ids is None:
        # Listed first: booking while reading would change what is read.
        return iter([(entry.id, entry) for entry in ledger.quarantined(book)])
    return iter([(id_, ledger.quarantined_entry(id_)) for id_ in dict.fromkeys(ids)])


def _if_it_may(may: Callable[[Command], Fault | None], made: Submission | Fault) -> Submission | Fault:
    return made if isinstance(made, Fault) else may(made.command) or made


def _again(entry: Quarantined | None, changes: Lookup[str, Any]) -> Submission | Fault:
    """The command that an entry holds, changed, or what is wrong with it."""
    if entry is None or entry.status != "open":
        return Fault(Code.ENTRY_OPEN.value, "id", "" if entry is None else str(entry.id), RULES[Code.ENTRY_OPEN])
    if "command" in changes:
        named = {"book": entry.book, "source": entry.source, "source_id": entry.source_id}
        whole = {name: value for name, value in (named | dict(changes)).items() if value is not None}
        return _parsed(entry, whole, changes)
    held: Any = json.loads(entry.raw)
    if not isinstance(held, dict) or not (held.keys() & {"command", "specversion"}):
        return row_fault(RetryCode.COMMAND_NEEDED, "", "")
    if not changes:
        return _parsed(entry, entry.raw, changes)
    if "specversion" in held:
        held = _unwrapped(held)
    named_itself = held.get("source_id") == _own_name(held)
    for field, value in changes.items():
        fault = _set(held, field, value)
        if fault is not None:
            return fault
    made = _parsed(entry, held, changes)
    for field, value in changes.items():
        if isinstance(made, Fault) and made.field == field and value is not None:
            _set(held, field, _otherwise(value))
            made = _parsed(entry, held, changes)
    if named_itself and not isinstance(made, Fault) and "source_id" not in changes:
        # What was named by its document key is named by the key that it has now.
        held["source_id"] = entered_document(made.command)
        made = _parsed(entry, held, changes)
    return made


def _parsed(entry: Quarantined, command: str | dict[str, Any], changes: Lookup[str, Any]) -> Submission | Fault:
    # The entry's book is that of commands that name none, unless the correction names one.
    book = None if "book" in changes else entry.book or None
    made = parse_command(command, origin=entry.origin, book=book)
    return made if isinstance(made, Submission) else Fault(made.code, made.field, made.value, made.rule)


def _unwrapped(event: dict[str, Any]) -> dict[str, Any]:
    """The command of a CloudEvent as a bare command, so that its fields can be set."""
    data = event.get("data")
    named = {
        "command": COMMAND_OF.get(event.get("type", "")),
        "source": event.get("source"),
        "source_id": event.get("id"),
        "sequence": numbered(event.get("sequence"), event.get("sequencetype")),
    }
    said = {name: value for name, value in named.items() if value not in (None, "")}
    return said | (data if isinstance(data, dict) else {})


def _set(command: Any, field: str, value: Any) -> Fault | None:
    """Set (or with None, leave out) the field at a dotted path; a fault where the path leads nowhere."""
    *path, last = field.split(".")
    at = command
    try:
        for part in path:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
        if isinstance(at, list):
            at[int(last)] = value
        elif value is None:
            at.pop(last, None)
        else:
            at[last] = value
    except (AttributeError, IndexError, ValueError, TypeError):
        return invalid(field, "", "must be the path of a field that the command has, such as lines.0.net")
    return None


def _otherwise(value: Any) -> Any:
    """The other way to take a value: text as JSON, anything else as text."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        return json.loads(value)
    except ValueError:
        return value


def _own_name(command: dict[str, Any]) -> str | None:
    """The key of the document that a command enters, by which a table's documents are named."""
    kinds = {"IssueInvoice": command.get("kind", "invoice"), "IssueCreditNote": "credit-note"}
    kinds |= {"RecordPayment": "payment", "RecordRefund": "refund"}
    kind = kinds.get(command.get("command", ""))
    if kind is None:
        return None
    return document_id(kind, command.get("series", ""), command.get("number", ""), command.get("revision", 1))


def _refused(fault: Fault) -> Outcome:
    return Outcome(Status.REFUSED, code=fault.code, field=fault.field, value=fault.value, rule=fault.rule)


def _done_with(entry: Quarantined | None, made: Submission, outcome: Outcome) -> Iterator[Submission]:
    """The dismissal of an entry whose content was booked under another source id; under its own, it is done with."""
    command = made.command
    named = (command.source, command.source_id)
    if entry is None or outcome.position is None or named == (entry.source, entry.source_id):
        return
    dismissal = DismissMessage(
        source="retry",
        source_id=f"entry-{entry.id}",
        actor=command.actor,
        reason=f"booked as {command.source} {command.source_id} at {token(outcome.position)}",
        book=book_of(entry.book),
        entry=entry.id,
    )
    yield Submission(dismissal, made.origin)
