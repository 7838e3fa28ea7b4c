"""A store on PostgreSQL, 15 or newer (tests run on 18; those of ledger and projections have passed on 16 too).

Values are put into the text of a statement by the driver (never by us): one text then serves both databases, and the
planner knows the values. A session that does nothing for ``PATIENCE`` within a transaction is ended by the server: a
client that froze while it held the head must not hold up the others for ever.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
)
from psycopg import ClientCursor, IsolationLevel
from psycopg.adapt import Buffer, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PipelineStatus, TransactionStatus

from ledger.database import Parameters, Row
from ledger.postgres_arrays import Array, ArrayDumper

if TYPE_CHECKING:
    from sqlalchemy import Engine

PATIENCE = "20s"
READING_PATIENCE = "1h"
"""The same for one that only reads: it holds up nobody but a rebuild that wants to swap, and may serve a slow reader."""
FIRST_FETCHED, FETCHED = 64, 2_000
"""Rows in memory at a time while many are read: few at first, for who stops early, and at most."""
CONNECT_SECONDS = 10

_SESSION = (
    # Compiling a plan takes longer than nearly all of our statements take to run.
    "SELECT set_config('jit', 'off', false), set_config('TimeZone', 'UTC', false),"
    f" set_config('idle_in_transaction_session_timeout', '{PATIENCE}', false),"
    # What was acknowledged must survive; a server that is set to wait for its standbys as well goes on doing so.
    " CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END"
)


class _Whole(Loader):
    """A sum of integers is ``numeric`` in PostgreSQL; here it is an integer again."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


def _snapshot(tables: Sequence[str], kind: str) -> str:
    return (
        f"BEGIN ISOLATION LEVEL REPEATABLE READ {kind}; LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE;"
        f" SET LOCAL idle_in_transaction_session_timeout = '{READING_PATIENCE}'"
    )


_TOKEN = re.compile(r"'(?:[^']|'')*'|::|:([a-zA-Z_]\w*)|\?|%")


@lru_cache(1_000)
def _as_psycopg(statement: str) -> str:
    """``:name`` and ``?`` as the driver writes them."""

    def placeholder(found: re.Match[str]) -> str:
        text = found[0]
        if found[1] is not None:
            return f"%({found[1]})s"
        return "%s" if text == "?" else text.replace("%", "%%")

    return _TOKEN.sub(placeholder, statement)


@lru_cache(1_000)
def _numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """``:name`` as ``$1`` and so on, and the names in that order."""
    names: dict[str, int] = {}

    def placeholder(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return f"${names.setdefault(found[1], len(names) + 1)}"

    return _TOKEN.sub(placeholder, statement), tuple(names)


class PostgresConnection:
    """A session. One thread at a time."""

    postgres = True

    def __init__(self, conninfo: str, *, read_only: bool) -> None:
        self._conninfo = conninfo
        self._read_only = read_only
        self._cursors = count()
        self._streams: set[psycopg.ServerCursor[Row]] = set()
        self._plans: dict[str, str] = {}
        self._has_snapshot = False
        self._raw = self._connect()

    @property
    def raw(self) -> psycopg.Connection[Row]:
        """The driver's connection, made anew if it was lost."""
        # One that is cut within ``executemany`` may be stuck in its pipeline for ever, and not know that it is lost.
        if self._raw.closed or self._raw.pgconn.pipeline_status != PipelineStatus.OFF:
            if self._has_snapshot:
                raise OperationalError("the connection was lost, and with it the moment that was being read")
            self._raw.close()
            self._raw = self._connect()
        return self._raw

    def _connect(self) -> psycopg.Connection[Row]:
        with translated():
            raw = psycopg.connect(self._conninfo, autocommit=True, cursor_factory=ClientCursor)
            raw.isolation_level = IsolationLevel.READ_COMMITTED
            raw.adapters.register_loader("numeric", _Whole)
            raw.adapters.register_dumper(Array, ArrayDumper)
            raw.execute(_SESSION)
            if self._read_only:
                raw.execute("SET default_transaction_read_only = on")
            # A statement of its own is a transaction of its own: of the isolation that the session has.
            raw.execute("SET default_transaction_isolation = 'read committed'")
        self._first = b""
        self._plans.clear()
        return raw

    def execute(self, statement: str, parameters: Parameters = ()) -> psycopg.Cursor[Row]:
        """Run one statement."""
        with translated():
            return self.raw.execute(_as_psycopg(statement), parameters)

    def again(self, statement: str, parameters: Parameters = ()) -> psycopg.Cursor[Row]:
        """The values go beside the text, which is planned once a session."""
        with translated():
            return psycopg.Cursor(self.raw).execute(_as_psycopg(statement), parameters, prepare=True)

    def stream(self, statement: str, parameters: Parameters = ()) -> Iterator[Row]:
        """The rows of a statement, some at a time; within a transaction."""
        with translated(), self.raw.cursor(name=f"rows_{next(self._cursors)}") as cursor:
            cursor.execute(self._bound(statement, parameters))
            self._streams.add(cursor)
            try:
                size = FIRST_FETCHED
                while rows := cursor.fetchmany(size):
                    yield from rows
                    size = min(size * 4, FETCHED)
            finally:
                self._streams.discard(cursor)

    def fetch(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """All rows, in binary."""
        with translated(), psycopg.Cursor(self.raw) as cursor:
            return cursor.execute(self._bound(statement, parameters), binary=True).fetchall()

    def _bound(self, statement: str, parameters: Parameters) -> bytes:
        return ClientCursor(self.raw).mogrify(_as_psycopg(statement), parameters).encode()

    def together(self, statements: Sequence[tuple[str, Parameters]]) -> list[list[Row]]:
        """As one text of several statements, each planned once a session: that takes longer than to answer it.

        Within a transaction they are planned each time. A plan may be gone, since the driver drops all after a rollback,
        and not only its own; within a transaction that could not be mended.
        """
        if not statements:
            return []
        with translated(), self.raw.cursor() as cursor:
            if self.raw.info.transaction_status is not TransactionStatus.IDLE:
                cursor.execute(b"; ".join(self._bound(*one) for one in statements))
            else:
                try:
                    cursor.execute(self._planned(cursor, statements))
                except psycopg.errors.InvalidSqlStatementName:
                    self._plans.clear()
                    cursor.execute(self._planned(cursor, statements))
            found = [cursor.fetchall()]
            while cursor.nextset():
                found.append(cursor.fetchall())
            return found

    def _planned(self, cursor: psycopg.Cursor[Row], statements: Sequence[tuple[str, Parameters]]) -> bytes:
        """The text that has them answered by their plans, which are made where there are none."""
        texts: list[str] = []
        values: list[Any] = []
        for statement, parameters in statements:
            text, names = _numbered(statement)
            plan = self._plans.get(statement)
            if plan is None:
                name = f"plan_{next(self._cursors)}"
                cursor.execute(f"PREPARE {name} AS {text}".encode())
                given = f"({', '.join(['%s'] * len(names))})" if names else ""
                plan = self._plans[statement] = f"EXECUTE {name}{given}"
            texts.append(plan)
            if names:
                assert isinstance(parameters, Mapping)
                values += [parameters[name] for name in names]
        return ClientCursor(self.raw).mogrify("; ".join(texts), values).encode()

    def executemany(self, statement: str, rows: Sequence[Parameters]) -> None:
        """Run one statement for many rows, sent together."""
        with translated(), self.raw.cursor() as cursor:
            cursor.executemany(_as_psycopg(statement), rows)

    def among(self, column: str, name: str) -> str:
        """``column`` is one of the values of a parameter."""
        return f"{column} = ANY(:{name})"

    def values(self, values: Sequence[str] | Sequence[int]) -> Any:
        """Many values as one parameter."""
        return list(values)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction; errors of its ``COMMIT`` leave open whether it was done."""
        with translated(), self.raw.transaction():
            yield

    def snapshot(self, tables: Sequence[str], *, temporary: bool = False) -> None:
        """The locks come first: what waits for them must not have chosen its state already."""
        with translated():
            self.raw.execute(_snapshot(tables, "" if temporary else "READ ONLY"))
            self._has_snapshot = True

    def moment(self, tables: Sequence[str], statement: str, parameters: Parameters) -> Any:
        """One text of several statements, which the server takes as one message.

        The first question is planned once a session: that takes longer than to answer it.
        """
        try:
            with translated(), self.raw.cursor() as cursor:
                first = self._bound(statement, parameters)
                if first != self._first:
                    if self._first:
                        cursor.execute("DEALLOCATE first")
                    self._first = b""
                    cursor.execute(b"PREPARE first AS " + first)
                    self._first = first
                cursor.execute(_snapshot(tables, "READ ONLY") + "; EXECUTE first")
                while cursor.nextset():
                    pass
                self._has_snapshot = True
                return cursor.fetchone()
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """End what was begun; a session that is lost has ended it.

        Rows that nobody read to their end are let go: who does so later would disturb the next moment.
        """
        self._has_snapshot = False
        with translated():
            for cursor in list(self._streams):
                cursor.close()
            # Of a transaction that only read it is all the same, but after a rollback the driver drops all plans.
            if not self._raw.closed and self._raw.execute("COMMIT").statusmessage != "COMMIT":
                self._raw.execute("DEALLOCATE ALL")
                self._first = b""

    def close(self) -> None:
        """End the session."""
        self._raw.close()


class Postgres:
    """A store in a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        with translated():
            given = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
        defaults: dict[str, Any] = {
            "application_name": "tieout",
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": 30,
        }
        self.conninfo = make_conninfo("", **(defaults | given))
        host, port, dbname = (str(given.get(name, "")) for name in ("host", "port", "dbname"))
        self.name = f"postgresql://{host}{':' if port else ''}{port}/{dbname}"

    def connect(self, *, read_only: bool = False) -> PostgresConnection:
        """A new session."""
        return PostgresConnection(self.conninfo, read_only=read_only)

    def exists(self) -> bool:
        """The database is there, or connecting fails."""
        return True

    def is_taken(self) -> bool:
        """Other tables are no hindrance; one of our names is refused by the server."""
        return False

    def prepare(self) -> None:
        """Refuse a server that could not hold a store."""
        connection = self.connect()
        try:
            (version, encoding) = connection.execute(
                "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
            ).fetchall()[0]
        finally:
            connection.close()
        if version < 150_000:
            raise ProgrammingError(f"PostgreSQL 15 or newer is needed, this is {version // 10_000}")
        if encoding != "UTF8":
            raise ProgrammingError(f"the database must be in UTF8, this one is in {encoding}")

    def engine(self) -> "Engine":
        """SQLAlchemy's way in."""
        from sqlalchemy import create_engine

        return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self.conninfo))


_ERRORS: tuple[tuple[type[psycopg.Error], type[PersistenceError]], ...] = (
    # Of what is to be written, not of a server that is away, though the driver counts it there.
    (psycopg.errors.ProgramLimitExceeded, DataError),
    # The server has ended the session.
    (psycopg.errors.IdleInTransactionSessionTimeout, OperationalError),
    (psycopg.InterfaceError, OperationalError),
    (psycopg.OperationalError, OperationalError),
    (psycopg.IntegrityError, IntegrityError),
    (psycopg.DataError, DataError),
    (psycopg.ProgrammingError, ProgrammingError),
)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the driver as the errors of the library."""
    try:
        yield
    except psycopg.Error as error:
        for theirs, ours in _ERRORS:
            if isinstance(error, theirs):
                raise ours(str(error)) from error
        raise DatabaseError(str(error)) from error
