"""Which key a text is, remembered: comparing with an Argon2 hash takes tens of milliseconds, and is done once.

A text that was right is remembered under an HMAC of it, by a random key of this process, so that the memory holds no
secret. Whether the key has been revoked meanwhile is looked up again after ``LOOK_AGAIN_US``; whether it has expired is
seen at once. What was wrong is not remembered.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeVar

from eventsourcing.persistence import OperationalError

from ledger.api_keys import ApiKey, ApiKeys
from ledger.database import Connection, Location, connect
from tieout.api import keys
from tieout.api.denied import AccessDenied, Reason
from tieout.api.keys import KeyText
from tieout.api.roles import Grant, Principal
from tieout.clock import Clock

LOOK_AGAIN_US = 5_000_000
"""How long a revoked key may still be let in."""
WAITING = 32
"""How many texts may wait to be compared: more are not a client's, and would hold up all others."""

_T = TypeVar("_T")


class _Known(NamedTuple):
    """A key whose text was right, as it stood at ``looked_us`` (ticks)."""

    key: ApiKey
    principal: Principal
    looked_us: int


class KnownKeys:
    """The keys of a store, for one event loop. ``now_us`` and ``ticks_us``: see ``tieout.clock``."""

    def __init__(self, location: Location, *, now_us: Clock, ticks_us: Clock) -> None:
        self._location = location
        self._now_us = now_us
        self._ticks_us = ticks_us
        self._marking = secrets.token_bytes(32)
        self._known: dict[bytes, _Known] = {}
        self._asking: dict[bytes, asyncio.Task[_Known]] = {}
        self._waiting = 0
        self._connection: Connection | None = None
        # A thread each: what is only looked up must not wait for hashes. Each hash takes 64 MiB while it is made.
        self._reading = ThreadPoolExecutor(1, "api-keys")
        self._hashing = ThreadPoolExecutor(1, "api-key-hashes")
        # The first unknown key must not take longer than others.
        keys.no_ones_hash()

    async def principal(self, text: str) -> Principal:
        """Who the text of a key stands for; raises ``AccessDenied``, or the database's error."""
        parts = keys.read(text)
        if parts is None:
            raise AccessDenied(Reason.MALFORMED)
        mark = hmac.digest(self._marking, text.encode(), "sha256")
        known = self._known.get(mark)
        if known is None or self._ticks_us() - known.looked_us >= LOOK_AGAIN_US:
            known = await self._once(mark, parts)
        if known.key.revoked_us is not None:
            raise AccessDenied(Reason.REVOKED, known.key.key_id)
        if known.key.is_expired(self._now_us()):
            raise AccessDenied(Reason.EXPIRED, known.key.key_id)
        return known.principal

    def close(self) -> None:
        """Let go of the store."""
        if self._connection is not None:
            self._reading.submit(self._connection.close).result()
        self._reading.shutdown()
        self._hashing.shutdown()

    async def _once(self, mark: bytes, parts: KeyText) -> _Known:
        """Ask the store; whoever comes with the same text meanwhile gets the same answer."""
        asking = self._asking.get(mark)
        if asking is None:
            asking = self._asking[mark] = asyncio.create_task(self._ask(mark, parts))
            asking.add_done_callback(partial(self._asked, mark))
        # A client that goes away does not take the answer from the others.
        return await asyncio.shield(asking)

    def _asked(self, mark: bytes, asking: "asyncio.Task[_Known]") -> None:
        del self._asking[mark]
        if not asking.cancelled():
            # Seen here, in case that all who waited for it have gone.
            asking.exception()

    async def _ask(self, mark: bytes, parts: KeyText) -> _Known:
        looked_us = self._ticks_us()
        found = await _in(self._reading, partial(self._look_up, parts.key_id))
        before = self._known.get(mark)
        is_right = before is not None and found is not None and found.hash == before.key.hash
        if not is_right:
            is_right = await self._compare(parts.secret, found)
        if found is None or not is_right:
            self._known.pop(mark, None)
            raise AccessDenied(Reason.UNKNOWN, found.key_id if found is not None else None)
        known = self._known[mark] = _Known(found, _principal(found), looked_us)
        return known

    def _look_up(self, key_id: str) -> ApiKey | None:
        if self._connection is None:
            self._connection = connect(self._location, read_only=True)
        try:
            return ApiKeys(self._connection).get(key_id)
        except OperationalError:
            # A server that was started again has ended the connection; the next statement makes another one.
            return ApiKeys(self._connection).get(key_id)

    async def _compare(self, secret: str, key: ApiKey | None) -> bool:
        if self._waiting >= WAITING:
            raise AccessDenied(Reason.BUSY)
        self._waiting += 1
        try:
            return await _in(self._hashing, partial(keys.is_right, secret, key))
        finally:
            self._waiting -= 1


async def _in(threads: ThreadPoolExecutor, work: Callable[[], _T]) -> _T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)


def _principal(key: ApiKey) -> Principal:
    return Principal(f"{keys.SUBJECT}{key.name}", frozenset(map(Grant.parse, key.grants)), "key")
