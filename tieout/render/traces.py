"""Where numbers come from: explanations, documents with their links, the audit trail, what a replay found."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from projections.answers import AuditRow, Difference, DocumentRow, ExplainedPosting, Link
from tieout.messages import Texts
from tieout.render.amounts import amount
from tieout.render.grid import dimensions, grid, row

ORIGIN_SHOWN = 48
"""Origins are shortened to this many characters in tables; ``--json`` gives them whole."""


def short_origin(origin: str | None) -> str:
    """``file:<sha256>:<lines>`` with the digest cut to its first twelve digits; anything else cut at the end."""
    if not origin:
        return ""
    scheme, _, rest = origin.partition(":")
    digest, _, lines = rest.partition(":")
    text = f"file:{digest[:12]}…:{lines}" if scheme == "file" and len(digest) == 64 else origin
    return text if len(text) <= ORIGIN_SHOWN else f"{text[: ORIGIN_SHOWN - 1]}…"


def explanation_table(postings: Iterable[ExplainedPosting], currency: str, texts: Texts) -> Table:
    """The postings behind a number, each with what it adds to it and where it came from."""
    columns = [
        "position",
        "effective_on",
        "kind",
        "customer",
        "document",
        "account",
        "side",
        "contribution",
        "source_id",
    ]
    table = grid(texts, [*columns, "origin"])
    for one in postings:
        row(
            table,
            one.position,
            one.effective_on,
            texts.get(f"kind.{one.kind}", one.kind),
            one.customer,
            one.document,
            one.posting.account,
            one.posting.side,
            amount(one.contribution, currency),
            f"{one.source}/{one.source_id}",
            short_origin(one.origin),
        )
    return table


def documents_table(documents: Iterable[DocumentRow], texts: Texts) -> Table:
    """Documents, a line each."""
    table = grid(texts, ["position", "effective_on", "document", "customer", "currency", "amount", "open", "status"])
    for one in documents:
        row(
            table,
            one.position,
            one.effective_on,
            one.document,
            one.customer,
            one.currency,
            amount(one.amount, one.currency),
            amount(one.open, one.currency),
            texts(f"status.{one.status}"),
        )
    return table


def links_table(links: Sequence[Link], currency: str, texts: Texts) -> Table:
    """What documents did to each other."""
    table = grid(texts, ["position", "effective_on", "from_document", "link", "to_document", "amount", "allocation"])
    for one in links:
        row(
            table,
            one.position,
            one.effective_on,
            one.from_item or one.from_document,
            texts(f"link.{one.kind}"),
            one.to_item or one.to_document,
            amount(one.amount, currency),
            one.allocation,
        )
    return table


def audit_table(found: Iterable[AuditRow], texts: Texts) -> Table:
    """The audit trail: who booked what, when, why, and from which message."""
    columns = ["position", "recorded_at", "kind", "effective_on", "document", "actor", "reason", "source_id", "origin"]
    table = grid(texts, columns)
    for one in found:
        row(
            table,
            one.position,
            f"{one.recorded_at:%Y-%m-%dT%H:%M:%SZ}",
            texts.get(f"kind.{one.kind}", one.kind),
            one.effective_on,
            one.document or one.caused_by,
            one.actor,
            one.reason,
            f"{one.source}/{one.source_id}",
            short_origin(one.origin),
        )
    return table


def differences_table(found: Sequence[Difference], texts: Texts) -> Table:
    """Stored rows that a replay does not confirm, by table, key and column."""
    table = grid(texts, ["table", "key", "column", "stored", "replayed"])
    for one in found:
        key = dimensions({name: str(value) for name, value in one.key.items()})
        missing = texts("word.missing")
        row(
            table,
            one.table,
            key,
            one.column or texts("word.whole_row"),
            missing if one.stored is None and one.column is None else one.stored,
            missing if one.replayed is None and one.column is None else one.replayed,
        )
    return table
