"""Where the projections of a store stand: which version of tables there is, and the log position that they reached.

The position is the row ``projections`` of the store's ``tracking``. It moves only in the transaction that writes the
rows of the events up to it, and only from where the rows were computed (the *fence*): however many processes follow at
once, each page is merged in once.
"""

from ledger.database import Connection
from projections.tables import NAME, TABLES, VERSION


class NotFollowed(Exception):
    """The projections do not reach the position asked for, or are of another version: follow (or rebuild) first."""


_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS projection_version (shard INTEGER PRIMARY KEY, version INTEGER) STRICT"
_POSITION = """SELECT notification_id FROM tracking WHERE application_name = ?1
    AND (SELECT version FROM projection_version WHERE shard = 0) = ?2"""
_MOVE = """UPDATE tracking SET notification_id = ?3 WHERE application_name = ?1 AND notification_id = ?4
    AND (SELECT version FROM projection_version WHERE shard = 0) = ?2"""


def reached(connection: Connection) -> int | None:
    """The position reached; None where tables are missing or of another version, so that a rebuild is due."""
    names = [table.name for table in TABLES] + ["projection_version"]
    marks = ", ".join("?" * len(names))
    found = connection.execute(f"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ({marks})", names)
    if found.fetchone() != (len(names),):
        return None
    row = connection.execute(_POSITION, (NAME, VERSION)).fetchone()
    return int(row[0]) if row is not None else None


def advance(connection: Connection, before: int, after: int) -> bool:
    """Move the position, within a transaction that has the write lock; False if it is no longer ``before``."""
    return connection.execute(_MOVE, (NAME, VERSION, after, before)).rowcount == 1


def declare(connection: Connection, position: int) -> None:
    """Say that the tables are of this version and reach a position; within the transaction that puts them there."""
    connection.execute(_VERSION_TABLE)
    connection.execute("INSERT OR REPLACE INTO projection_version VALUES (0, ?)", (VERSION,))
    connection.execute("INSERT OR REPLACE INTO tracking VALUES (?, ?)", (NAME, position))
