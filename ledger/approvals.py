"""Requests for approval as anybody may see them: what is to be done, who made it, since when, and what became of it."""

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.documents import approval_stream
from domain.events import ApprovalGiven, ApprovalRequested
from domain.fields import BookId, CurrencyCode, CustomerId, Reason
from ledger.codec import decode
from ledger.database import Connection

_REQUESTS = """SELECT originator_id, topic, state, recorded_us FROM events asked
    WHERE shard = 0 AND originator_id >= :first AND originator_id < :last AND (:every OR NOT EXISTS (
        SELECT 1 FROM events decided WHERE decided.shard = 0 AND decided.originator_id = asked.originator_id
        AND decided.originator_version = 2)) ORDER BY originator_id, originator_version"""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request. ``amount`` in minor units of ``currency``: what it would have posted when it was asked for.

    ``decided_by`` approved or refused it, and ``said`` why, if he did.
    """

    book: BookId
    request: Annotated[str, Meta(description="The number of the request.")]
    status: Annotated[Literal["pending", "approved", "refused"], Meta(description="What became of it.")]
    instruction: Annotated[str, Meta(description="The command that is to be approved, such as RecordRefund.")]
    document: Annotated[
        str | None, Meta(description="The document that it enters or reverses: kind:series:number:revision.")
    ]
    customer: CustomerId | None
    currency: CurrencyCode | None
    amount: Annotated[
        int | None, Meta(description="What it would have posted when it was asked for, in minor units of the currency.")
    ]
    maker: Annotated[str, Meta(description="Who made the command.")]
    reason: Reason | None
    since_us: Annotated[int, Meta(description="When it was asked for: microseconds since 1970, UTC.")]
    decided_by: Annotated[str | None, Meta(description="Who approved or refused it.")] = None
    decided_us: Annotated[int | None, Meta(description="When: microseconds since 1970, UTC.")] = None
    said: Annotated[str | None, Meta(description="Why, if he said so.")] = None


def requests(connection: Connection, book: str | None, *, every: bool) -> Iterator[Request]:
    """The pending requests, or every one, of one book or of all; by book and number."""
    first = "appr:" if book is None else approval_stream(book, "")
    rows = connection.execute(_REQUESTS, {"first": first, "last": f"{first[:-1]};", "every": every}).fetchall()
    for stream, events in groupby(rows, key=lambda row: row[0]):
        (asked, since_us), *decided = ((decode(topic, state), at) for _, topic, state, at in events)
        assert isinstance(asked, ApprovalRequested)
        found = Request(
            book=stream.split(":", 2)[1],
            request=asked.request,
            status="pending",
            instruction=asked.instruction,
            document=asked.document,
            customer=asked.customer,
            currency=asked.currency,
            amount=asked.amount,
            maker=asked.maker,
            # The command's own, if the request gives none.
            reason=asked.reason or asked.command.get("reason"),
            since_us=since_us,
        )
        for event, at in decided:
            found = msgspec.structs.replace(
                found,
                status="approved" if isinstance(event, ApprovalGiven) else "refused",
                decided_by=event.actor,
                decided_us=at,
                said=event.reason,
            )
        yield found
