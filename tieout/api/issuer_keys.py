"""The keys that an issuer signs its tokens with: its JSON Web Key Set (RFC 7517), fetched and kept.

Where the set is to be found says the issuer's own configuration (OpenID Connect Discovery 1.0), unless the settings do.
Kept for ``KEEP_US``. A token that names a key which is not in the set has it fetched again, since issuers change keys;
but not more often than once in ``AGAIN_US``, since anybody can make up a name. If that fails, the keys that are there
go on.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet, RSAKey

from tieout.api.addresses import is_protected
from tieout.api.denied import AccessDenied, Reason
from tieout.clock import Clock

log = structlog.get_logger(__name__)

KEEP_US = 600_000_000
AGAIN_US = 30_000_000
SECONDS = 5
"""How long to wait for each step of a request to the issuer; and twice that for all of a fetch."""
RSA_BITS = 2048
"""RFC 7518, section 3.3: at least."""


class _Kept(NamedTuple):
    keys: KeySet
    fetched_us: int


class IssuerKeys:
    """The keys of one issuer, for one event loop. Without ``jwks_url`` it is asked for it. ``ticks_us``: see ``tieout.clock``."""

    def __init__(self, issuer: str, jwks_url: str | None, *, ticks_us: Clock) -> None:
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._ticks_us = ticks_us
        self._kept: _Kept | None = None
        self._tried_us: int | None = None
        self._fetching: asyncio.Task[None] | None = None

    async def get(self, kid: str | None) -> KeySet:
        """The keys, fetched if need be; ``kid`` is that which a token names.

        Raises ``AccessDenied`` (``issuer_away``) where there never were any.
        """
        if self._lacks(kid):
            if self._fetching is None and self._may_try():
                self._fetching = asyncio.create_task(self._fetch())
            if self._fetching is not None:
                await asyncio.shield(self._fetching)
        if self._kept is None:
            raise AccessDenied(Reason.ISSUER_AWAY)
        return self._kept.keys

    def _lacks(self, kid: str | None) -> bool:
        if self._kept is None or self._ticks_us() - self._kept.fetched_us >= KEEP_US:
            return True
        return kid is not None and all(key.kid != kid for key in self._kept.keys)

    def _may_try(self) -> bool:
        return self._tried_us is None or self._ticks_us() - self._tried_us >= AGAIN_US

    async def _fetch(self) -> None:
        self._tried_us = now_us = self._ticks_us()
        try:
            async with asyncio.timeout(2 * SECONDS), httpx2.AsyncClient(timeout=SECONDS) as client:
                url = self._jwks_url or await self._discovered(client)
                self._kept = _Kept(_usable(await _json(client, url)), now_us)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError) as error:
            log.warning("issuer_keys_not_fetched", issuer=self._issuer, error=type(error).__name__)
        finally:
            self._fetching = None

    async def _discovered(self, client: httpx2.AsyncClient) -> str:
        found = await _json(client, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        url = found.get("jwks_uri")
        # Section 4.3: another issuer's configuration must not be taken for this one's.
        if found.get("issuer") != self._issuer or not isinstance(url, str) or not is_protected(url):
            raise ValueError("not the configuration of this issuer")
        return url


async def _json(client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
    answer = await client.get(url)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _usable(found: dict[str, Any]) -> KeySet:
    """The keys that can check a signature; one that is of no use, or of a kind that we do not know, spoils no other."""
    listed = found.get("keys")
    keys = list(_public(listed)) if isinstance(listed, list) else []
    if not keys:
        raise ValueError("no key that could be used")
    return KeySet(keys)


def _public(listed: list[Any]) -> Iterable[Key]:
    for one in listed:
        # A shared secret is no key to check others' tokens with: whoever can check could also sign.
        if not isinstance(one, dict) or one.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        try:
            key = JWKRegistry.import_key(one)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if not isinstance(key, RSAKey) or key.raw_value.key_size >= RSA_BITS:
            yield key
