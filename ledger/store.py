"""The embedded store: one SQLite file with the log, its register and, later, the projections.

WAL, so that readers never wait for the writer; ``synchronous=FULL``, so that what was acknowledged survives a power
cut. Tables are made and changed by migrations only, forward only.
"""

import sqlite3
from pathlib import Path

from ledger.errors import StoreMissing, StoreOutdated

REVISION = "0001"
"""The migration that this program's tables are of."""
LOCK_SECONDS = 30


def create(path: str | Path) -> bool:
    """Make a store, or bring an older one up to date; whether anything was done. Safe to repeat.

    Raises ``StoreMissing``, with nothing changed, where the file is there and is something else.
    """
    # Imported here: alembic takes longer to load than most commands take to run, and only this needs it.
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    file = Path(path)
    if file.exists() and file.stat().st_size and revision(file) is None:
        raise StoreMissing(f"{file} is not a store of Tieout, and is left as it is")
    if file.exists() and revision(file) == REVISION:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = create_engine("sqlite://", creator=lambda: connect(file))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()
    return True


def revision(path: Path) -> str | None:
    """The migration that a store's tables are of; None for a file that is no store, which is only read."""
    connection = connect(path, read_only=True)
    try:
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'ledger_head'").fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return str(row[0]) if row else None


def check(path: str | Path) -> Path:
    """The path of a store that this program can open; raises ``StoreMissing`` or ``StoreOutdated``."""
    file = Path(path)
    if not file.is_file():
        raise StoreMissing(f"there is no store at {file}")
    found = revision(file)
    if found is None:
        raise StoreMissing(f"{file} is not a store of Tieout")
    if found != REVISION:
        raise StoreOutdated(f"the tables of {file} are of version {found}, this program's of {REVISION}")
    return file


def connect(path: str | Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection to a store in autocommit mode; transactions are begun by hand."""
    uri = Path(path).absolute().as_uri() + ("?mode=ro" if read_only else "")
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=LOCK_SECONDS, check_same_thread=False)
    if not read_only:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    return connection
