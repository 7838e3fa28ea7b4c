"""What can go wrong with a store, beside the refusals of commands.

LedgerError
    StoreMissing      there is no store at the location: ``tieout init`` makes one
    StoreOutdated     its tables are of another version: ``tieout init`` brings them up to date
    StaleTracking     this very batch was booked before, by us or by another process; nothing was written
    Contention        other writers were always faster; nothing was written

The library's ``OperationalError`` says that the database cannot be reached, or went away.
"""

from eventsourcing.persistence import IntegrityError


class LedgerError(Exception):
    """An error of the ledger as a whole; no command of the batch was booked."""


class StoreMissing(LedgerError):
    """There is no store at the path."""


class StoreOutdated(LedgerError):
    """The store's tables are of an older or newer version than this program's."""


class StaleTracking(LedgerError, IntegrityError):
    """The tracking position is not beyond the one that is saved: somebody has booked this batch before."""


class Contention(LedgerError):
    """The batch could not be committed because other writers moved the head each time."""


class GenerationMoved(Exception):
    """Another writer changed what the batch was decided on: a book, or who waits for what. Decide again."""
