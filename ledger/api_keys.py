"""API keys beside the log: who may do what over HTTP, since when and until when, and the hash of each one's secret.

Rows are added and revoked, never deleted. A key's name, hash, grants and expiry never change: another key is made
instead. Instants are microseconds since 1970 UTC.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from ledger.database import Connection, Row


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key. ``grants`` are texts such as ``reader:main``; without ``expires_us`` it is good until it is revoked."""

    key_id: str
    name: str
    hash: str
    grants: tuple[str, ...]
    created_us: int
    created_by: str
    expires_us: int | None = None
    revoked_us: int | None = None
    revoked_by: str | None = None

    def is_expired(self, now_us: int) -> bool:
        """Whether its time is over; revoked or not."""
        return self.expires_us is not None and now_us >= self.expires_us

    def is_live(self, now_us: int) -> bool:
        """Whether it opens anything."""
        return self.revoked_us is None and not self.is_expired(now_us)


_NAMES = ApiKey.__struct_fields__
_SELECT = f"SELECT {', '.join(_NAMES)} FROM api_keys WHERE shard = 0"
_INSERT = f"INSERT INTO api_keys (shard, {', '.join(_NAMES)}) VALUES (0, {', '.join('?' * len(_NAMES))})"


class ApiKeys:
    """Reads and writes them, each write a transaction of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self) -> list[ApiKey]:
        """Every key there ever was, by the time that it was made."""
        return [_key(row) for row in self._connection.execute(f"{_SELECT} ORDER BY created_us, key_id")]

    def get(self, key_id: str) -> ApiKey | None:
        """The key of an id, revoked and expired ones too, or None."""
        row = self._connection.execute(f"{_SELECT} AND key_id = ?", (key_id,)).fetchone()
        return None if row is None else _key(row)

    def add(self, key: ApiKey) -> bool:
        """Add a key, unless another one that is live at ``created_us`` has its name; whether it was added."""
        with self._alone():
            if any(one.name == key.name and one.is_live(key.created_us) for one in self.all()):
                return False
            self._insert(key)
        return True

    def add_first(self, key: ApiKey) -> bool:
        """Add a key, unless there ever was one; whether it was added."""
        with self._alone():
            if not self.is_empty():
                return False
            self._insert(key)
        return True

    def is_empty(self) -> bool:
        """Whether there never was a key."""
        return self._connection.execute("SELECT 1 FROM api_keys WHERE shard = 0 LIMIT 1").fetchone() is None

    def revoke(self, key_id: str, by: str, now_us: int) -> bool:
        """Note that a key opens nothing any more; whether it was there and not revoked yet."""
        changed = self._connection.execute(
            "UPDATE api_keys SET revoked_us = ?, revoked_by = ? WHERE shard = 0 AND key_id = ? AND revoked_us IS NULL",
            (now_us, by, key_id),
        )
        return changed.rowcount > 0

    def _insert(self, key: ApiKey) -> None:
        row = msgspec.structs.asdict(key) | {"grants": msgspec.json.encode(key.grants).decode()}
        self._connection.execute(_INSERT, tuple(row[name] for name in _NAMES))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """A transaction that no other one of its kind runs beside; what those before it wrote is seen."""
        with self._connection.writing():
            if self._connection.postgres:
                self._connection.execute("SELECT pg_advisory_xact_lock(hashtext('tieout api keys'))")
            yield


def _key(row: Row) -> ApiKey:
    fields = dict(zip(_NAMES, row, strict=True))
    return ApiKey(**fields | {"grants": msgspec.json.decode(fields["grants"], type=tuple[str, ...])})
