"""The one statement by which a commit is written on PostgreSQL: every table's rows come from the head's update.

When the head is not at the generation asked for, ``h`` is empty, and so is everything that is read from it: a part that
did not read from ``h`` would be written all the same. The condition stands on the head row itself, which PostgreSQL
reads again after it waited for another writer; any other table would be read as it was before.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import psycopg

from ledger.commit import PROVISIONAL, Advance, Commit
from ledger.errors import GenerationMoved, StaleTracking
from ledger.head import Head
from ledger.postgres import PostgresConnection, translated
from ledger.postgres_arrays import Array, byteas, int4s, int8s, texts

CHANNEL = "tieout_head"
"""Who listens here hears of every commit."""

_REAL = f"CASE WHEN {{0}} >= {PROVISIONAL} THEN base + ({{0}} - {PROVISIONAL}) ELSE {{0}} END"
_GROWING = -1
"""In the place of a position before, where any smaller one will do."""
_TRACKED = "unnest(%(k0)s::text[], %(k1)s::int8[], %(k2)s::int8[]) u(a, p, b)"
_HEAD = """
WITH h AS (
    UPDATE ledger_head SET position = position + %(n)s::int8, generation = generation + %(changes)s::int8,
        recorded_us = greatest(recorded_us + 1,
            coalesce(%(now_us)s::int8, (extract(epoch FROM clock_timestamp()) * 1000000)::int8))
    WHERE shard = 0 AND generation = coalesce(%(at)s::int8, generation)
    RETURNING position - %(n)s::int8 AS base, position, recorded_us, generation)"""
_PARTS = {
    "e": """
e AS (INSERT INTO events SELECT base + o, 0, s, v, t, b, recorded_us FROM h,
    unnest(%(e0)s::text[], %(e1)s::int4[], %(e2)s::text[], %(e3)s::bytea[]) WITH ORDINALITY u(s, v, t, b, o))""",
    "r": f"""
r AS (INSERT INTO receipts SELECT 0, a, i, d, {_REAL.format("p")}, n, w, g FROM h,
    unnest(%(r0)s::text[], %(r1)s::text[], %(r2)s::bytea[], %(r3)s::int8[], %(r4)s::int4[], %(r5)s::text[],
        %(r6)s::text[]) u(a, i, d, p, n, w, g))""",
    "d": f"""
d AS (INSERT INTO documents SELECT 0, k, i, d, base + (p - {PROVISIONAL}), base + (l - {PROVISIONAL}), n, w FROM h,
    unnest(%(d0)s::text[], %(d1)s::text[], %(d2)s::bytea[], %(d3)s::int8[], %(d4)s::int8[], %(d5)s::int4[],
        %(d6)s::text[]) u(k, i, d, p, l, n, w))""",
    "t": f"""
t AS (INSERT INTO touches SELECT 0, k, i, base + (p - {PROVISIONAL}) FROM h,
    unnest(%(t0)s::text[], %(t1)s::text[], %(t2)s::int8[]) u(k, i, p))""",
    "k": f"""
k AS (INSERT INTO tracking SELECT a, p FROM h, {_TRACKED} WHERE b = {_GROWING} ON CONFLICT (application_name)
    DO UPDATE SET notification_id =
        -- What is not beyond the saved one is null, which the column refuses, and with it all the rest.
        CASE WHEN tracking.notification_id < excluded.notification_id THEN excluded.notification_id END),
f AS (INSERT INTO tracking SELECT a, p FROM h, {_TRACKED} WHERE b = 0 ON CONFLICT DO NOTHING RETURNING 1),
x AS (UPDATE tracking SET notification_id = p FROM h, {_TRACKED}
    WHERE b > 0 AND application_name = a AND notification_id = b RETURNING 1)""",
}
_ANSWER = f"""
SELECT position, recorded_us, generation, pg_notify('{CHANNEL}', '')"""
_ADVANCED = """,
    -- A position that does not stand where it was believed to: an error, and with it nothing is written.
    1 / CASE (SELECT count(*) FROM f) + (SELECT count(*) FROM x) WHEN %(advances)s::int8 THEN 1 ELSE 0 END"""


@cache
def _statement(parts: str) -> str:
    """The statement for a commit that has rows for these parts: the others would cost a small one half of its time."""
    written = ",".join([_HEAD, *(_PARTS[part] for part in parts)])
    return f"{written}{_ANSWER}{_ADVANCED if 'k' in parts else ''}\nFROM h"


_COLUMNS: dict[str, tuple[Callable[[Any], Array], ...]] = {
    "e": (texts, int4s, texts, byteas),
    "r": (texts, texts, byteas, int8s, int4s, texts, texts),
    "d": (texts, texts, byteas, int8s, int8s, int4s, texts),
    "t": (texts, texts, int8s),
    "k": (texts, int8s, int8s),
}


def write_rows(connection: PostgresConnection, commit: Commit) -> Head:
    """Write what nearly every commit writes; the head after it."""
    entries = commit.entries
    tracking = [
        (one.application_name, one.notification_id, one.before if isinstance(one, Advance) else _GROWING)
        for one in commit.tracking
    ]
    tables: dict[str, Sequence[tuple[Any, ...]]] = {
        "e": commit.events,
        "r": entries.receipts,
        "d": entries.documents,
        "t": entries.touches,
        "k": tracking,
    }
    parameters: dict[str, Any] = {
        "n": len(commit.events),
        "changes": commit.changes,
        "now_us": commit.now_us,
        "at": commit.generation,
        "advances": sum(before != _GROWING for _, _, before in tracking),
    }
    parts = "".join(name for name, rows in tables.items() if rows)
    for name in parts:
        columns = zip(*tables[name], strict=True)
        for n, (made, column) in enumerate(zip(_COLUMNS[name], columns, strict=True)):
            parameters[f"{name}{n}"] = made(column)
    with translated():
        try:
            # Bound by the server, in binary: the statement is planned once a session.
            cursor = psycopg.Cursor(connection.raw)
            row = cursor.execute(_statement(parts), parameters, prepare=True, binary=True).fetchone()
        except (psycopg.errors.NotNullViolation, psycopg.errors.DivisionByZero) as error:
            names = ", ".join(name for name, _, _ in tracking)
            raise StaleTracking(f"a position of {names} stands elsewhere than before") from error
    if row is None:
        raise GenerationMoved
    return Head(*row[:3])
