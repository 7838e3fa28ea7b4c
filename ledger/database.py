"""The database of a store: one SQLite file or PostgreSQL, as the rest of the program sees it.

Statements are written once, with parameters by name (``:name``), and mean the same on both. Where they cannot, the
connection says which database it is. A *location* is a path, or a ``postgresql://`` URL.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Engine

Location = str | Path
Parameters = Mapping[str, Any] | Sequence[Any]
Row = tuple[Any, ...]


class Rows(Protocol):
    """What a statement answers."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def __iter__(self) -> Iterator[Any]: ...

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""


class Connection(Protocol):
    """A connection in autocommit mode; transactions are begun by ``writing``.

    Raises the ``eventsourcing`` library's ``IntegrityError`` and ``OperationalError`` for what they are named after. A
    connection that was lost is made anew by the next statement outside a transaction.
    """

    @property
    def postgres(self) -> bool:
        """Whether the database is PostgreSQL."""

    @property
    def execute(self) -> Callable[..., Rows]:
        """Run one statement with its parameters; its rows are in memory."""

    @property
    def again(self) -> Callable[..., Rows]:
        """``execute`` for what is asked again and again with other values: planned once, without knowing them."""

    @property
    def stream(self) -> Callable[..., Iterator[Row]]:
        """The rows of a statement as they are read, within ``snapshot``; never all of them in memory."""

    @property
    def fetch(self) -> Callable[..., list[Row]]:
        """All rows of a statement that answers no sums, in the quickest way that there is."""

    def together(self, statements: Sequence[tuple[str, Parameters]]) -> list[list[Row]]:
        """All rows of each of some statements, in one round trip."""

    def executemany(self, statement: str, rows: Sequence[Parameters], /) -> None:
        """Run one statement for many rows, whose parameters are positional (``?``)."""

    def among(self, column: str, name: str) -> str:
        """The condition that a column's value is among the parameter ``name``, made by ``values``."""

    def values(self, values: Sequence[str] | Sequence[int]) -> Any:
        """A parameter that holds many values."""

    def writing(self) -> AbstractContextManager[None]:
        """A transaction: all or nothing."""

    def snapshot(self, tables: Sequence[str], *, temporary: bool = False) -> None:
        """Begin a transaction that only reads, and sees one state to the end of the connection.

        None of ``tables`` is replaced meanwhile. ``temporary``: it may have tables of its own.
        """

    def moment(self, tables: Sequence[str], statement: str, parameters: Parameters) -> Any:
        """``snapshot``, and the row of a first statement in it, all in one round trip; no transaction if it fails."""

    def leave(self) -> None:
        """End the transaction that ``snapshot`` or ``moment`` began."""

    def close(self) -> None:
        """Let go of it."""


class Database(Protocol):
    """Where a store is, and how to get at it."""

    @property
    def name(self) -> str:
        """As it may be shown: without user and password."""

    def connect(self, *, read_only: bool = False) -> Connection:
        """A new connection. ``OperationalError`` where there is no getting at it."""

    def exists(self) -> bool:
        """Whether there is a database; ``OperationalError`` where a server cannot be asked."""

    def is_taken(self) -> bool:
        """Whether there is something that is not to be written into, unless it is a store."""

    def prepare(self) -> None:
        """Make the place for a new store; ``ProgrammingError`` where it can hold none."""

    def engine(self) -> "Engine":
        """SQLAlchemy's way in, for migrations."""


def is_url(location: Location) -> bool:
    """Whether a location is a PostgreSQL URL rather than a path."""
    return isinstance(location, str) and location.startswith(("postgresql://", "postgres://"))


def database(location: Location) -> Database:
    """The database at a location; nothing is opened yet."""
    if is_url(location):
        # Imported here: the embedded default does without the driver.
        from ledger.postgres import Postgres

        return Postgres(str(location))
    from ledger.sqlite import Sqlite

    return Sqlite(Path(location))


def connect(location: Location, *, read_only: bool = False) -> Connection:
    """A connection to the database at a location."""
    return database(location).connect(read_only=read_only)
