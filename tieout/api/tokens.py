"""Who a JSON Web Token is of (RFC 7519), signed by the issuer that the settings name.

Only algorithms of the settings' list are taken, all of them with a public key: never ``none``, and no shared secret, for
which a public key could be passed off (RFC 8725, section 2.1). Issuer, audience, expiry and subject must be there and be
right. Clocks may differ by ``LEEWAY`` seconds.
"""

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import (
    ExpiredTokenError,
    InvalidClaimError,
    JoseError,
    MissingClaimError,
    SecurityWarning,
)
from joserfc.jws import JWSRegistry

from tieout.api.denied import AccessDenied, Reason
from tieout.api.issuer_keys import IssuerKeys
from tieout.api.keys import SUBJECT
from tieout.api.roles import Grant, Principal, WrongGrant
from tieout.clock import Clock

LEEWAY = 60
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_OF_CLAIM = {
    "iss": Reason.TOKEN_ISSUER,
    "aud": Reason.TOKEN_AUDIENCE,
    "nbf": Reason.TOKEN_EARLY,
    "iat": Reason.TOKEN_EARLY,
}
# What the library raises for texts that are no token at all.
_FAULTS = (JoseError, ValueError, TypeError, KeyError, RecursionError)


class Tokens:
    """Checks the tokens of one issuer. ``grants_claim`` names the claim that holds what their subject may do.

    ``now_us``: see ``tieout.clock``.
    """

    def __init__(
        self,
        keys: IssuerKeys,
        *,
        issuer: str,
        audience: str,
        algorithms: Sequence[str],
        grants_claim: str,
        now_us: Clock,
    ) -> None:
        self._keys = keys
        self._grants_claim = grants_claim
        # Headers that we do not know are passed over (RFC 7515, section 4), but for those that must be understood.
        self._registry = JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: now_us() // 1_000_000,
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        # RFC 9864 gives EdDSA another name; issuers go on using this one.
        warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

    async def principal(self, text: str) -> Principal:
        """Who a token is of; raises ``AccessDenied``."""
        keys = await self._keys.get(self._kid(text))
        try:
            claims = jwt.decode(text, keys, registry=self._registry).claims
        except _FAULTS:
            raise AccessDenied(Reason.TOKEN_INVALID) from None
        try:
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise AccessDenied(Reason.TOKEN_EXPIRED) from None
        except MissingClaimError:
            raise AccessDenied(Reason.TOKEN_CLAIMS) from None
        except InvalidClaimError as error:
            raise AccessDenied(_OF_CLAIM.get(error.claim, Reason.TOKEN_CLAIMS)) from None
        subject = claims["sub"]
        if not _SUBJECT.fullmatch(subject) or subject.startswith(SUBJECT):
            raise AccessDenied(Reason.TOKEN_CLAIMS)
        return Principal(subject, frozenset(_grants(claims.get(self._grants_claim))), "token")

    def _kid(self, text: str) -> str | None:
        """The key that a token names, which nobody has checked yet; a token that could not be right asks for no key."""
        try:
            header = jws.extract_compact(text.encode(), registry=self._registry).headers()
            self._registry.check_header(header)
            self._registry.get_alg(header["alg"])
        except _FAULTS:
            raise AccessDenied(Reason.TOKEN_INVALID) from None
        kid: str | None = header.get("kid")
        return kid


def _grants(claim: Any) -> Iterator[Grant]:
    """The grants of a claim, a list or one text with blanks between; what is no grant of ours gives nothing."""
    texts = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else ()
    for text in texts:
        try:
            if isinstance(text, str):
                yield Grant.parse(text)
        except WrongGrant:
            continue
