"""The fields that records have in common, each said once: what stands in their JSON Schemas as descriptions.

For frozen records: of events, of the ledger and of answers. Commands say theirs in ``domain/commands.py``, events that
go out in ``projections/outbound/types.py``: each is a contract of its own. A description is no rule: it checks nothing.
"""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta

Minor = Annotated[int, Meta(description="Minor units of the currency.")]
BaseMinor = Annotated[int, Meta(description="Minor units of the book's base currency.")]
CurrencyCode = Annotated[str, Meta(description="ISO 4217 code.")]
ExchangeRate = Annotated[
    str, Meta(description="Units of the base currency for one unit of the currency, as decimal text.")
]
BookId = Annotated[str, Meta(description="The book 账套.")]
CustomerId = Annotated[str, Meta(description="The customer who pays.")]
DocumentId = Annotated[str, Meta(description="A document 单据: kind:series:number:revision.")]
ItemId = Annotated[str, Meta(description="An open item 未清项: kind:series:number:revision#instalment.")]
Role = Annotated[str, Meta(description="What the account is for: receivable, revenue, ...")]
AccountCode = Annotated[str, Meta(description="The account's code in the book's chart.")]
Dimensions = Annotated[dict[str, str], Meta(description="Labels 辅助核算 by name.")]
Position = Annotated[str, Meta(description="Its place in the log: an opaque token, such as 0:123.")]
KnownAt = Annotated[str, Meta(description="The place in the log as of which it is known, such as 0:123.")]
EventId = Annotated[str, Meta(description="The event's name for ever: its stream and its number in there.")]
EventKind = Annotated[str, Meta(description="What kind of event it is, such as invoice-issued.")]
EffectiveOn = Annotated[date, Meta(description="The accounting date 入账日期.")]
RequestedOn = Annotated[date, Meta(description="The accounting date asked for, where it had to be moved.")]
RecordedAt = Annotated[datetime, Meta(description="When it was recorded, UTC.")]
RecordedUs = Annotated[int, Meta(description="When it was recorded: microseconds since 1970, UTC.")]
Source = Annotated[str, Meta(description="Who sent it; with source_id the name of the command.")]
SourceId = Annotated[str, Meta(description="The sender's own id of it.")]
Actor = Annotated[str, Meta(description="Who asked for it.")]
Reason = Annotated[str, Meta(description="Why it was asked for.")]
CausedBy = Annotated[str, Meta(description="The document whose command caused the event.")]
Origin = Annotated[
    str,
    Meta(description="Where it came in: a file's digest and lines, topic:partition:offset, or the id of a request."),
]
Code = Annotated[str, Meta(description="The code of the refusal, such as period_must_be_open.")]
