"""What became of commands: one outcome in a line or two, the summary of an import and its problems."""

from collections.abc import Iterable
from typing import Any

from rich.table import Table

from consumers.problems import ROW_RULES
from domain.refusals import Code
from ledger.approvals import Request
from ledger.outcomes import Outcome, token
from ledger.quarantine import Quarantined
from ledger.waiting import WaitingFact
from tieout.clock import iso
from tieout.messages import Texts
from tieout.render.amounts import amount, count
from tieout.render.grid import grid, plain, row
from tieout.render.traces import short_origin


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON fields; its position is a token, what does not apply is left out."""
    fields: dict[str, Any] = {"status": outcome.status.value}
    if outcome.position is not None:
        fields |= {"position": token(outcome.position), "events": outcome.events}
    for name in ("document", "awaited", "code", "field", "value", "rule"):
        if getattr(outcome, name) is not None:
            fields[name] = getattr(outcome, name)
    return fields


def outcome_text(name: str, outcome: Outcome, texts: Texts) -> str:
    """An outcome for people: what became of the command and, where it was not booked, why and what to do next.

    ``name`` says of which command, such as its line.
    """
    status = texts(f"outcome.{outcome.status.value}")
    head = [name, status]
    if outcome.position is not None:
        head.append(texts("outcome.at", position=token(outcome.position), events=outcome.events))
    if outcome.document:
        head.append(plain(outcome.document))
    if outcome.awaited:
        head.append(texts("outcome.awaits", document=plain(outcome.awaited)))
    text = "  ".join(head)
    return text if outcome.code is None else f"{text}\n{refusal_text(outcome, texts, indent='    ')}"


def refusal_text(refused: Any, texts: Texts, indent: str = "") -> str:
    """Code, field, value and rule of whatever was refused, and what to do next, in the reader's language."""
    field, value = plain(refused.field or ""), plain(refused.value or "")
    at = texts("outcome.field", field=field, value=value) if value else field
    lines = [f"{refused.code}: {at}" if at else refused.code, rule_text(refused.code, refused.rule or "", texts)]
    advice = texts.get(f"next.{refused.code}", "")
    if advice:
        lines.append(texts("outcome.next", advice=advice))
    return "\n".join(indent + line for line in lines)


def rule_text(code: str, rule: str, texts: Texts) -> str:
    """The rule of a code in the reader's language; where a message was not readable, what exactly was wrong with it."""
    if rule and code == Code.COMMAND_MUST_BE_VALID:
        return plain(texts.detail(rule))
    # A row's rule may end in what it means here, such as the formats of the mapping: values, in no language.
    general = ROW_RULES.get(code, rule)  # type: ignore[call-overload]
    return plain(texts.get(f"refusal.{code}", general) + rule.removeprefix(general))


def summary_table(summary: Any, texts: Texts) -> Table:
    """What an import did, in counts, and how fast."""
    table = grid(texts, ["fact", "count"])
    for name in ("rows", "commands", "booked", "duplicate", "waiting", "conflict", "refused", "quarantined"):
        row(table, texts(f"summary.{name}"), count(getattr(summary, name)))
    rate = round(summary.rows / summary.seconds) if summary.seconds else summary.rows
    row(table, texts("summary.rate"), count(rate))
    return table


def problems_table(problems: Iterable[Any], texts: Texts) -> Table:
    """The first problems of an import, with the lines of the file that they are on."""
    table = grid(texts, ["lines", "source_id", "code", "field", "value", "rule"])
    for one in problems:
        row(table, one.lines, one.source_id, one.code, one.field, one.value, rule_text(one.code, one.rule, texts))
    return table


def waiting_table(facts: Iterable[WaitingFact], texts: Texts) -> Table:
    """What waits for a document, a fact a line."""
    table = grid(texts, ["awaited", "book", "customer", "currency", "document", "source_id", "since"])
    for one in facts:
        source_id = f"{one.source}/{one.source_id}"
        row(table, one.awaited, one.book, one.customer, one.currency, one.document, source_id, iso(one.since_us)[:10])
    return table


def approvals_table(requests: Iterable[Request], texts: Texts) -> Table:
    """What is to be approved, a request a line, and what became of it."""
    columns = ["request", "book", "instruction", "document", "customer", "currency", "amount", "maker", "reason"]
    table = grid(texts, [*columns, "since", "status", "decided_by", "said"])
    for one in requests:
        row(
            table,
            one.request,
            one.book,
            one.instruction,
            one.document,
            one.customer,
            one.currency,
            amount(one.amount, one.currency) if one.amount is not None and one.currency else "",
            one.maker,
            one.reason,
            iso(one.since_us)[:10],
            texts(f"approval.{one.status}"),
            one.decided_by,
            one.said,
        )
    return table


def quarantine_table(entries: Iterable[Quarantined], texts: Texts) -> Table:
    """What stands in quarantine, an entry a line."""
    table = grid(texts, ["entry", "book", "source_id", "code", "field", "value", "origin", "entry_status"])
    for one in entries:
        row(
            table,
            one.id,
            one.book,
            f"{one.source}/{one.source_id or '?'}",
            one.code,
            one.field,
            one.value,
            short_origin(one.origin),
            texts(f"entry.{one.status}"),
        )
    return table
