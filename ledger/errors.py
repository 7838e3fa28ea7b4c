"""What can go wrong with a store, beside the refusals of commands.

LedgerError
    StoreMissing      there is no store at the path: ``tieout init`` makes one
    StoreOutdated     its tables are of another version: ``tieout init`` brings them up to date
    Contention        other writers were always faster; nothing was written
"""


class LedgerError(Exception):
    """An error of the ledger as a whole; no command of the batch was booked."""


class StoreMissing(LedgerError):
    """There is no store at the path."""


class StoreOutdated(LedgerError):
    """The store's tables are of an older or newer version than this program's."""


class StaleTracking(LedgerError):
    """The tracking position is not beyond the one that is saved: somebody has booked this batch before."""


class Contention(LedgerError):
    """The batch could not be committed because other writers moved the head each time."""


class HeadMoved(Exception):
    """The head is not where the batch was decided: another writer committed in between. Decide again."""
