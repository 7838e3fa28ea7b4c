"""The embedded database: one SQLite file in WAL mode, so that readers never wait for the writer.

``synchronous=FULL``, so that what was acknowledged survives a power cut. ``BEGIN IMMEDIATE`` for writing: a deferred
``BEGIN`` fails at once, whatever the timeout, when somebody else committed between its read and its write.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import msgspec
from eventsourcing.persistence import IntegrityError, OperationalError

from ledger.database import Parameters, Row

if TYPE_CHECKING:
    from sqlalchemy import Engine

LOCK_SECONDS = 30

_encode_list = msgspec.json.Encoder().encode


class SqliteConnection:
    """A connection to a file, which any thread may use, one at a time."""

    postgres = False

    def __init__(self, path: Path, *, read_only: bool) -> None:
        uri = path.absolute().as_uri() + ("?mode=ro" if read_only else "")
        with _translated():
            self.raw = sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=LOCK_SECONDS, check_same_thread=False
            )
            if not read_only:
                self.raw.execute("PRAGMA journal_mode=WAL")
                self.raw.execute("PRAGMA synchronous=FULL")
        self.close = self.raw.close
        self._streams: WeakSet[sqlite3.Cursor] = WeakSet()

    def execute(self, statement: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """Run one statement."""
        try:
            return self.raw.execute(statement, parameters)
        except sqlite3.Error as error:
            raise _as_ours(error) from error

    # The driver keeps the plans of the last statements.
    again = execute

    def stream(self, statement: str, parameters: Parameters = ()) -> sqlite3.Cursor:
        """A cursor reads as it is asked."""
        cursor = self.execute(statement, parameters)
        self._streams.add(cursor)
        return cursor

    def fetch(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """All rows."""
        return self.execute(statement, parameters).fetchall()

    def together(self, statements: Sequence[tuple[str, Parameters]]) -> list[list[Row]]:
        """One after the other: there is no round trip."""
        return [self.execute(statement, parameters).fetchall() for statement, parameters in statements]

    def executemany(self, statement: str, rows: Sequence[Parameters]) -> None:
        """Run one statement for many rows."""
        with _translated():
            self.raw.executemany(statement, rows)

    def among(self, column: str, name: str) -> str:
        """``column`` is one of the values of a parameter."""
        return f"{column} IN (SELECT value FROM json_each(:{name}))"

    def values(self, values: Sequence[str] | Sequence[int]) -> Any:
        """Many values as one parameter."""
        return _encode_list(values).decode()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that has the write lock from its first statement on; within one, a part of that one."""
        if self.raw.in_transaction:
            yield
            return
        with _translated():
            self.raw.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.raw.execute("COMMIT")
            except BaseException:
                # A full disk has ended the transaction by itself.
                if self.raw.in_transaction:
                    self.raw.execute("ROLLBACK")
                raise

    def snapshot(self, tables: Sequence[str], *, temporary: bool = False) -> None:
        """What is read first fixes the state; a file's tables may be replaced, but not in this state."""
        self.execute("BEGIN")

    def moment(self, tables: Sequence[str], statement: str, parameters: Parameters) -> Any:
        """A snapshot, fixed by a first statement."""
        self.execute("BEGIN")
        try:
            return self.execute(statement, parameters).fetchone()
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """End what was begun. Rows that nobody read to their end would keep the state for the next moment."""
        for cursor in list(self._streams):
            cursor.close()
        if self.raw.in_transaction:
            self.execute("ROLLBACK")


class Sqlite:
    """A store in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def connect(self, *, read_only: bool = False) -> SqliteConnection:
        """A new connection; the file is made if it is missing, unless it is only to be read."""
        return SqliteConnection(self.path, read_only=read_only)

    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.is_file()

    def is_taken(self) -> bool:
        """Whether there is anything in the file."""
        return self.path.exists() and self.path.stat().st_size > 0

    def prepare(self) -> None:
        """Make the folder."""
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def engine(self) -> "Engine":
        """SQLAlchemy's way in."""
        from sqlalchemy import create_engine

        return create_engine("sqlite://", creator=lambda: self.connect().raw)


def _as_ours(error: sqlite3.Error) -> Exception:
    """An error of the driver as the library's; one that the library has no name for, as it is."""
    if isinstance(error, sqlite3.IntegrityError):
        return IntegrityError(str(error))
    return OperationalError(str(error)) if isinstance(error, sqlite3.OperationalError) else error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _as_ours(error) from error
