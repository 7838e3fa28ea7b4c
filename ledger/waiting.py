"""Facts that wait for a document which is not in the books, as anybody may see them. Money never waits; these do."""

from datetime import date

import msgspec


class WaitingFact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that waits for ``awaited``, since an instant; ``document`` is its own, if it enters one.

    ``effective_on``: the day that it asks for, if it names one.
    """

    book: str
    awaited: str
    document: str | None
    customer: str
    currency: str
    source: str
    source_id: str
    effective_on: date | None
    since_us: int
