"""API keys: how one is made, what its text looks like, and how a text is compared with what is kept of it.

The text is ``tieout_<key id>_<secret>``; the secret is 32 random bytes in base64url. The text is shown once. What is kept
is the secret's Argon2id hash (RFC 9106), so that whoever reads the database, or a copy of it, gets no key.
"""

import re
import secrets
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from pwdlib import PasswordHash

from ledger.api_keys import ApiKey, ApiKeys
from ledger.database import Connection
from tieout.api.roles import EVERY_BOOK, Grant, Role

PREFIX = "tieout_"
SUBJECT = "key:"
"""What the subject of a key begins with, and that of nobody else."""
FIRST = "admin"
SYSTEM = "system"
_ID_BYTES = 6
_SECRET_BYTES = 32
_TEXT = re.compile(r"tieout_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")
"""What a key may be called."""

_argon2 = PasswordHash.recommended()


class KeyText(NamedTuple):
    """The parts of a key's text."""

    key_id: str
    secret: str


def read(text: str) -> KeyText | None:
    """The parts of a text; None where it has not the form of a key."""
    found = _TEXT.fullmatch(text)
    return None if found is None else KeyText(found[1], found[2])


def is_right(secret: str, key: ApiKey | None) -> bool:
    """Whether a secret is that of a key. Takes tens of milliseconds, and just as long where there is no such key."""
    return _argon2.verify(secret, no_ones_hash() if key is None else key.hash) and key is not None


@cache
def no_ones_hash() -> str:
    """The hash of a secret that nobody knows."""
    return _argon2.hash(secrets.token_urlsafe(_SECRET_BYTES))


def create(
    connection: Connection,
    name: str,
    grants: Iterable[Grant],
    *,
    by: str,
    now_us: int,
    expires_us: int | None = None,
) -> str | None:
    """Make a key and keep it; its text, which nobody can find out afterwards. None where a live key has the name."""
    key, text = _make(name, grants, by=by, now_us=now_us, expires_us=expires_us)
    return text if ApiKeys(connection).add(key) else None


def first_key(connection: Connection, now_us: int) -> str | None:
    """The text of a key that may do everything, made now if the store never had any key; otherwise None."""
    keys = ApiKeys(connection)
    if not keys.is_empty():
        return None
    key, text = _make(FIRST, [Grant(Role.ADMIN, EVERY_BOOK)], by=SYSTEM, now_us=now_us)
    # Another process may have been first.
    return text if keys.add_first(key) else None


def _make(
    name: str, grants: Iterable[Grant], *, by: str, now_us: int, expires_us: int | None = None
) -> tuple[ApiKey, str]:
    key_id, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
    key = ApiKey(
        key_id=key_id,
        name=name,
        hash=_argon2.hash(secret),
        grants=tuple(sorted({str(grant) for grant in grants})),
        created_us=now_us,
        created_by=by,
        expires_us=expires_us,
    )
    return key, f"{PREFIX}{key_id}_{secret}"
