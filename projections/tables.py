"""The projections' tables: what they hold and how two rows of one key merge, by sum or max only (identity 10).

Because every column merges commutatively, any paging and any order of the log gives the same rows. Amounts are minor
units of the account's currency, base amounts of the book's base currency; *signed* ones are debit less credit. Days are
ISO text. ``stream`` is the customer account, ``acct:<book>:<customer>:<currency>``.

Two tables answer every question on items at any (E, K), effective as of day E and known as of position K. ``item`` has
one row an open item 未清项: what opened it, and what it has open now. ``movement`` has what moved it later; the opening
itself stands in ``item``. When all of an item's movements lie within (E, K), that is ``last_on`` ≤ E and
``last_position`` ≤ K, what it has open at (E, K) *is* ``open_now``; only for the others are movements summed.

``turnover`` has the turnover of both sides by day and by block of log positions: the trial balance at K sums whole
blocks and reads from the log the events between K and the nearer end of its block.

``deferral`` has, document by document, what was deferred and what became revenue: revenue over time at any (E, K).
``credit_limit`` has what customers may owe, as each decision on it has set it.

``arrival`` has, by block too, what each source's messages of a day come to: what upstream states is compared with it.

Documents, links and the audit trail need no table: the register's documents and touches already lead to their events.
Tables are never migrated: another ``VERSION`` means rebuild.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, SmallInteger, Table, or_
from sqlalchemy import Text as AnyText
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

VERSION = 3
"""Of the tables' shape and of what is put into them. Another number means: rebuild."""
NAME = "projections"
"""The name under which the position reached stands in the store's ``tracking``."""
BLOCK = 65536
"""Log positions a block: block b holds positions b × BLOCK to (b + 1) × BLOCK − 1."""

SUM, MAX = "sum", "max"

_metadata = MetaData()
# STRICT tables know no BIGINT; their INTEGER has 64 bits.
_Integer = BigInteger().with_variant(Integer(), "sqlite")
_Small = SmallInteger().with_variant(Integer(), "sqlite")
# By its bytes, as on SQLite.
Text = AnyText().with_variant(postgresql.TEXT(collation="C"), "postgresql")
_DIALECTS: dict[bool, Any] = {False: sqlite.dialect(), True: postgresql.dialect()}  # type: ignore[no-untyped-call]


def _key(name: str, type_: Any) -> Column[Any]:
    return Column(name, type_, primary_key=True, autoincrement=False)


def _merged(name: str, type_: Any, merge: str) -> Column[Any]:
    return Column(name, type_, nullable=False, info={"merge": merge})


def _table(name: str, *columns: Column[Any]) -> Table:
    # Strict: a sum beyond 64 bits is an error, never a float (invariant 7).
    return Table(name, _metadata, _key("shard", _Small), *columns, sqlite_with_rowid=False, sqlite_strict=True)


ITEM = _table(
    "item",
    _key("stream", Text),
    _key("item", Text),
    _merged("side", Text, MAX),
    _merged("role", Text, MAX),
    _merged("account", Text, MAX),
    _merged("dimensions", Text, MAX),
    _merged("due_on", Text, MAX),
    _merged("effective_on", Text, MAX),
    _merged("amount", _Integer, SUM),
    _merged("base_amount", _Integer, SUM),
    _merged("open_now", _Integer, SUM),
    _merged("open_base_now", _Integer, SUM),
    _merged("position", _Integer, MAX),
    _merged("last_on", Text, MAX),
    _merged("last_position", _Integer, MAX),
    _merged("document_on", Text, MAX),
    _merged("reversed_on", Text, MAX),
    _merged("reversed_position", _Integer, MAX),
)
"""``amount`` and ``base_amount``: what it was opened with, positive on its own ``side``, at log ``position``.

``open_now`` and ``open_base_now`` are signed. Only the opening event knows side to effective_on and ``document_on``, the
date on an invoice or credit note, else the effective day; a movement merges ``""``. ``reversed_on`` and
``reversed_position``: when the item's document was reversed, ``""`` and 0 where it was not.
"""

MOVEMENT = _table(
    "movement",
    _key("stream", Text),
    _key("item", Text),
    _key("position", _Integer),
    _merged("effective_on", Text, MAX),
    _merged("amount", _Integer, SUM),
    _merged("base_amount", _Integer, SUM),
)
"""What an event, other than the one that opened it, did to an item; signed amounts."""

TURNOVER = _table(
    "turnover",
    _key("book", Text),
    _key("block", _Integer),
    _key("currency", Text),
    _key("effective_on", Text),
    _key("account", Text),
    _key("dimensions", Text),
    _merged("debit", _Integer, SUM),
    _merged("credit", _Integer, SUM),
    _merged("base_debit", _Integer, SUM),
    _merged("base_credit", _Integer, SUM),
)
"""Turnover of both sides of all postings of a block of the log; a reversal is negative on its own side."""

CREDIT_LIMIT = _table(
    "credit_limit",
    _key("stream", Text),
    _key("position", _Integer),
    _merged("amount", _Integer, MAX),
)
"""What a customer account may owe from a log position on; −1: any amount."""

ARRIVAL = _table(
    "arrival",
    _key("book", Text),
    _key("source", Text),
    _key("day", Text),
    _key("currency", Text),
    _key("block", _Integer),
    _merged("messages", _Integer, SUM),
    _merged("amount", _Integer, SUM),
    _merged("numbered", _Integer, SUM),
    _merged("hash", _Integer, SUM),
    _merged("highest", _Integer, MAX),
    _merged("last_position", _Integer, MAX),
)
"""The messages of a source that were booked: how many, the sum of their documents' amounts, and of those that have a
number how many, their hash total (``projections.arrivals``) and the highest; 0 where none has. ``day`` is the effective
day that a message asked for.
"""

DEFERRAL = _table(
    "deferral",
    _key("stream", Text),
    _key("document", Text),
    _key("position", _Integer),
    _merged("effective_on", Text, MAX),
    _merged("account", Text, MAX),
    _merged("deferred", _Integer, SUM),
    _merged("recognised", _Integer, SUM),
    _merged("base_deferred", _Integer, SUM),
    _merged("base_recognised", _Integer, SUM),
    _merged("service_from", Text, MAX),
    _merged("service_to", Text, MAX),
    _merged("until_on", Text, MAX),
    _merged("undone", _Integer, SUM),
)
"""What an event did to the deferred revenue of a document; signed amounts, credit less debit of what is ``deferred`` and
what of that is ``recognised``, both negative for a credit note. ``account`` is that of deferred revenue.

The document itself has the first and the last day of its service periods, a recognition the day up to which it was made;
``undone`` is 1 for the document's reversal. What an event does not know is empty.
"""

TABLES = (ITEM, MOVEMENT, TURNOVER, ARRIVAL, DEFERRAL, CREDIT_LIMIT)

OPEN = "item_open"
"""The index of the items that have anything open now; queries say that in its words, so that it serves them."""
_OPEN_COLUMNS = (
    "shard",
    "stream",
    "item",
    "last_on",
    "last_position",
    "side",
    "due_on",
    "open_now",
    "open_base_now",
)


def create_table(table: Table, name: str, *, postgres: bool, temporary: bool = False, keyed: bool = True) -> str:
    """The statement that makes a table under a name; not ``keyed``: without its key, to be filled before it has one."""
    columns = [
        Column(one.name, one.type, primary_key=keyed and one.primary_key, autoincrement=False, nullable=False)
        for one in table.columns
    ]
    copy = Table(
        name,
        MetaData(),
        *columns,
        prefixes=["TEMPORARY"] if temporary else [],
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    return str(CreateTable(copy).compile(dialect=_DIALECTS[postgres]))


def create_index(name: str, on: str, *, postgres: bool) -> str:
    """The statement that makes the index of open items, under a name, on a table of items."""
    table = Table(on, MetaData(), *(Column(column, ITEM.c[column].type) for column in _OPEN_COLUMNS))
    is_open = or_(table.c.open_now != 0, table.c.open_base_now != 0)
    index = Index(name, *table.columns, sqlite_where=is_open, postgresql_where=is_open)
    return str(CreateIndex(index).compile(dialect=_DIALECTS[postgres], compile_kwargs={"literal_binds": True}))


def keys(table: Table) -> list[str]:
    """The names of a table's key columns."""
    return [str(column.name) for column in table.primary_key]


def merges(table: Table) -> dict[str, str]:
    """The other columns and how each merges."""
    return {str(column.name): column.info["merge"] for column in table.columns if not column.primary_key}
