"""Whether a webhook comes from Stripe: its header ``Stripe-Signature``, checked over the bytes as they came.

The header is ``t=<seconds since 1970>,v1=<hex>``: HMAC-SHA256 of ``<t>.<body>`` under the endpoint's secret. While a
secret is being replaced there are several ``v1``, one a secret; schemes other than ``v1`` say nothing. A signature is
good for a while only, so that a recorded webhook cannot be sent again later.
"""

import hmac
import re
from enum import StrEnum
from hashlib import sha256

TOLERANCE = 300
"""Seconds between signing and checking."""
_HEADER_LIMIT = 4096
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureCode(StrEnum):
    """Why a webhook is not taken, in the order of the checks."""

    READABLE = "signature_must_be_readable"
    MATCH = "signature_must_match"
    RECENT = "signature_must_be_recent"


_RULES = {
    SignatureCode.READABLE: "the header Stripe-Signature must have a time t and a signature v1",
    SignatureCode.MATCH: "the body must be signed with the secret of this endpoint, and be the bytes as they came",
    SignatureCode.RECENT: "the signature must be of this moment, within the tolerance: check the clock",
}


class SignatureError(Exception):
    """A webhook is not taken. ``code`` says why; neither it nor the text holds anything of secret, header or body."""

    def __init__(self, code: SignatureCode) -> None:
        super().__init__(f"{code.value}: {_RULES[code]}")
        self.code = code


def check_signature(payload: bytes, header: str, secret: str, *, now: int, tolerance: int = TOLERANCE) -> None:
    """Raises ``SignatureError`` unless ``payload`` was signed with ``secret`` within ``tolerance`` seconds of ``now``.

    ``now``: seconds since 1970 UTC. The signature is checked first, so that only who knows the secret learns anything
    about the clock.
    """
    if not secret:
        raise ValueError("the secret of the endpoint must be given")
    signed_at, given = _parts(header)
    expected = hmac.new(secret.encode(), f"{signed_at}.".encode() + payload, sha256).hexdigest().encode()
    # All are compared, each in constant time: how long it takes tells nothing about where they differ.
    matches = [hmac.compare_digest(expected, signature.encode("utf-8", "replace")) for signature in given]
    if not any(matches):
        raise SignatureError(SignatureCode.MATCH)
    if abs(now - int(signed_at)) > tolerance:
        raise SignatureError(SignatureCode.RECENT)


def _parts(header: str) -> tuple[str, list[str]]:
    """Time, as it is written, and signatures of a header."""
    if len(header) > _HEADER_LIMIT:
        raise SignatureError(SignatureCode.READABLE)
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == "v1" and value]
    if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]) or not signatures:
        raise SignatureError(SignatureCode.READABLE)
    return times[0], signatures
