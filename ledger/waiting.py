"""Facts that wait for a document which is not in the books, as anybody may see them. Money never waits; these do."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.fields import BookId, CurrencyCode, CustomerId, Source, SourceId


def asked_by(facts: Iterable["WaitingFact"], last_on: date) -> int:
    """How many of them ask for a day up to this one."""
    return sum(fact.effective_on is not None and fact.effective_on <= last_on for fact in facts)


class WaitingFact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that waits for ``awaited``, since an instant; ``document`` is its own, if it enters one.

    ``effective_on``: the day that it asks for, if it names one.
    """

    book: BookId
    awaited: Annotated[str, Meta(description="The document that it waits for: kind:series:number:revision.")]
    document: Annotated[str | None, Meta(description="The document that it enters: kind:series:number:revision.")]
    customer: CustomerId
    currency: CurrencyCode
    source: Source
    source_id: SourceId
    effective_on: Annotated[date | None, Meta(description="The accounting date that it asks for.")]
    since_us: Annotated[int, Meta(description="Since when it waits: microseconds since 1970, UTC.")]
