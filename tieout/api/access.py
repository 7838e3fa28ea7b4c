"""Who a request is from: its ``Authorization`` header becomes a principal, or is denied and that is logged.

``Bearer`` with an API key or a JSON Web Token (RFC 6750); ``Basic`` (RFC 7617), with any user and an API key as its
password, only where the caller wants it: browsers ask for that by themselves.

What is logged of a denial is its reason and, if it was by one of our keys, that key's id: never the credential.
"""

import base64
import binascii
from typing import TYPE_CHECKING

import structlog

from ledger.database import Location
from tieout.api.denied import AccessDenied, Reason
from tieout.api.keys import PREFIX
from tieout.api.known_keys import KnownKeys
from tieout.api.roles import Principal
from tieout.clock import Clock, ticks_us, wall_us
from tieout.errors import UsageFault

if TYPE_CHECKING:
    from tieout.api.tokens import Tokens
    from tieout.settings import Settings

log = structlog.get_logger(__name__)

LONGEST = 16_384
"""Characters of a header that are looked at: more than any token has that a server would let through."""


class Access:
    """Lets requests in to one store, on one event loop; ``tokens`` None: only by API keys.

    ``now_us`` and ``ticks_us``: see ``tieout.clock``.
    """

    def __init__(
        self,
        location: Location,
        tokens: "Tokens | None" = None,
        *,
        now_us: Clock = wall_us,
        ticks_us: Clock = ticks_us,
    ) -> None:
        self._keys = KnownKeys(location, now_us=now_us, ticks_us=ticks_us)
        self._tokens = tokens

    async def authenticate(self, authorization: str | None, *, basic: bool = False) -> Principal:
        """Who sent this header; ``basic``: it may also be of that kind.

        Raises ``AccessDenied``, or the database's ``OperationalError`` where a key cannot be looked up.
        """
        try:
            return await self._principal(authorization, basic)
        except AccessDenied as denied:
            of_ours = {} if denied.key_id is None else {"key_id": denied.key_id}
            log.warning("access_denied", reason=denied.reason.value, **of_ours)
            raise

    async def _principal(self, authorization: str | None, basic: bool) -> Principal:
        if authorization is None:
            raise AccessDenied(Reason.MISSING)
        text, may_be_token = _credential(authorization, basic)
        if text.startswith(PREFIX):
            return await self._keys.principal(text)
        if not may_be_token or text.count(".") != 2:
            raise AccessDenied(Reason.MALFORMED)
        if self._tokens is None:
            raise AccessDenied(Reason.TOKENS_NOT_TAKEN)
        return await self._tokens.principal(text)

    def close(self) -> None:
        """Let go of the store."""
        self._keys.close()


def access(settings: "Settings") -> Access:
    """The access that the settings say; ``UsageFault`` where they name an issuer and no audience."""
    now_us = wall_us if settings.now_us is None else _standing(settings.now_us)
    return Access(settings.location, _tokens(settings, now_us), now_us=now_us)


def _tokens(settings: "Settings", now_us: Clock) -> "Tokens | None":
    if settings.oidc_issuer is None:
        return None
    if settings.oidc_audience is None:
        raise UsageFault("error.oidc_audience", issuer=settings.oidc_issuer)
    # Imported here: without an issuer nothing of this is needed.
    from tieout.api.issuer_keys import IssuerKeys
    from tieout.api.tokens import Tokens

    return Tokens(
        IssuerKeys(settings.oidc_issuer, settings.oidc_jwks_url, ticks_us=ticks_us),
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        algorithms=settings.oidc_algorithms.split(","),
        grants_claim=settings.oidc_grants_claim,
        now_us=now_us,
    )


def _standing(now_us: int) -> Clock:
    return lambda: now_us


def _credential(authorization: str, basic: bool) -> tuple[str, bool]:
    """The credential of a header, and whether it may be a token."""
    if len(authorization) > LONGEST:
        raise AccessDenied(Reason.MALFORMED)
    scheme, _, credential = authorization.partition(" ")
    credential = credential.strip(" ")
    if scheme.lower() == "bearer":
        return credential, True
    if scheme.lower() == "basic" and basic:
        return _password(credential), False
    raise AccessDenied(Reason.MALFORMED)


def _password(credential: str) -> str:
    try:
        _, mark, password = base64.b64decode(credential, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise AccessDenied(Reason.MALFORMED) from None
    if not mark:
        raise AccessDenied(Reason.MALFORMED)
    return password
