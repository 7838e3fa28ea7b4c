"""Where the projections of a store stand: which version of tables there is, and the log position that they reached.

The position is the row ``projections`` of the store's ``tracking``. It moves only in the transaction that writes the
rows of the events up to it, and only from where the rows were computed (the *fence*): however many processes follow at
once, each page is merged in once.
"""

from collections.abc import Sequence

from eventsourcing.persistence import OperationalError, ProgrammingError

from ledger.database import Connection
from projections.tables import NAME, TABLES, VERSION


class NotFollowed(Exception):
    """The projections do not reach the position asked for, or are of another version: follow (or rebuild) first."""


NAMES = tuple(str(table.name) for table in TABLES)
"""The tables, in the order in which they are locked."""

_ALL = (*NAMES, "projection_version")
_VERSION_TABLE = "CREATE TABLE IF NOT EXISTS projection_version (shard INTEGER PRIMARY KEY, version INTEGER)"
_POSITION = """SELECT notification_id FROM tracking WHERE application_name = :name
    AND (SELECT version FROM projection_version WHERE shard = 0) = :version"""
_MOVE = """UPDATE tracking SET notification_id = :after WHERE application_name = :name AND notification_id = :before
    AND (SELECT version FROM projection_version WHERE shard = 0) = :version"""
_SET_VERSION = """INSERT INTO projection_version VALUES (0, :version)
    ON CONFLICT (shard) DO UPDATE SET version = excluded.version"""
_SET_POSITION = """INSERT INTO tracking VALUES (:name, :position)
    ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id"""


def reached(connection: Connection) -> int | None:
    """The position reached; None where tables are missing or of another version, so that a rebuild is due."""
    if len(existing(connection, _ALL)) < len(_ALL):
        return None
    row = connection.execute(_POSITION, {"name": NAME, "version": VERSION}).fetchone()
    return int(row[0]) if row is not None else None


def moment(connection: Connection) -> int | None:
    """Begin a transaction that only reads; the position reached as of it, None (and no transaction) as for ``reached``."""
    try:
        row = connection.moment(NAMES, _POSITION, {"name": NAME, "version": VERSION})
    except (OperationalError, ProgrammingError):
        if reached(connection) is None:
            return None
        raise
    if row is None:
        connection.leave()
        return None
    return int(row[0])


def advance(connection: Connection, before: int, after: int) -> bool:
    """Move the position, within a transaction that has the write lock; False if it is no longer ``before``."""
    parameters = {"name": NAME, "version": VERSION, "before": before, "after": after}
    return connection.execute(_MOVE, parameters).rowcount == 1


def declare(connection: Connection, position: int) -> None:
    """Say that the tables are of this version and reach a position; within the transaction that puts them there."""
    connection.execute(_VERSION_TABLE)
    connection.execute(_SET_VERSION, {"version": VERSION})
    connection.execute(_SET_POSITION, {"name": NAME, "position": position})


def hold(connection: Connection) -> None:
    """Keep others from moving the position, within a transaction on PostgreSQL."""
    connection.execute("SELECT 1 FROM tracking WHERE application_name = :name FOR UPDATE", {"name": NAME})


def existing(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Those tables of these names that there are, in their order."""
    if connection.postgres:
        statement = "SELECT name FROM unnest(:names::text[]) name WHERE to_regclass(name) IS NOT NULL"
    else:
        statement = f"SELECT name FROM sqlite_master WHERE type = 'table' AND {connection.among('name', 'names')}"
    found = {name for (name,) in connection.execute(statement, {"names": connection.values(tables)})}
    return [name for name in tables if name in found]
