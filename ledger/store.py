"""The store: the log, its register and, later, the projections, in one database.

Tables are made and changed by migrations only, forward only.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from ledger.database import Connection, Database, Location, connect, database
from ledger.errors import StoreMissing, StoreOutdated

__all__ = ["REVISION", "check", "connect", "create", "revision"]

REVISION = "0004"
"""The migration that this program's tables are of."""


def create(location: Location) -> bool:
    """Make a store, or bring an older one up to date; whether anything was done. Safe to repeat.

    Raises ``StoreMissing``, with nothing changed, where the database is there and is something else.
    """
    # Imported here: alembic takes longer to load than most commands take to run, and only this needs it.
    from alembic import command
    from alembic.config import Config

    at = database(location)
    found = _revision(at) if at.exists() else None
    if found == REVISION:
        return False
    if found is None and at.is_taken():
        raise StoreMissing(f"{at.name} is not a store of Tieout, and is left as it is")
    at.prepare()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = at.engine()
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # Two that make the store at once: the second waits, and finds it made.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('tieout migration'))")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    return True


def revision(location: Location) -> str | None:
    """The migration that a store's tables are of; None for what is no store, which is only read."""
    return _revision(database(location))


def _revision(at: Database) -> str | None:
    with closing(at.connect(read_only=True)) as connection:
        try:
            if not connection.execute(_is_store(connection)).fetchone():
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError:
            # Some other file.
            return None
    return str(row[0]) if row else None


def _is_store(connection: Connection) -> str:
    if connection.postgres:
        return "SELECT 1 WHERE to_regclass('ledger_head') IS NOT NULL AND to_regclass('alembic_version') IS NOT NULL"
    return "SELECT 1 WHERE (SELECT count(*) FROM sqlite_master WHERE name IN ('ledger_head', 'alembic_version')) = 2"


def check(location: Location) -> Location:
    """The location of a store that this program can open; raises ``StoreMissing`` or ``StoreOutdated``."""
    at = database(location)
    if not at.exists():
        raise StoreMissing(f"there is no store at {at.name}")
    found = _revision(at)
    if found is None:
        raise StoreMissing(f"{at.name} is not a store of Tieout")
    if found != REVISION:
        raise StoreOutdated(f"the tables of {at.name} are of version {found}, this program's of {REVISION}")
    return location
