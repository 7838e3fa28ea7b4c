"""Why a request is not let in: one error, with a reason that can be answered and logged.

It says nothing of the credential itself. Whether a key's id or its secret is wrong is not told apart, so that nobody
can find out which keys there are.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why not."""

    MISSING = "missing"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    REVOKED = "revoked"
    EXPIRED = "expired"
    BUSY = "busy"
    TOKENS_NOT_TAKEN = "tokens_not_taken"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_EARLY = "token_early"
    TOKEN_ISSUER = "token_issuer"
    TOKEN_AUDIENCE = "token_audience"
    TOKEN_CLAIMS = "token_claims"
    ISSUER_AWAY = "issuer_away"


TEMPORARY = frozenset((Reason.BUSY, Reason.ISSUER_AWAY))


class AccessDenied(Exception):
    """Nobody is let in by what was sent. ``key_id`` is that of one of our keys, where one was named."""

    def __init__(self, reason: Reason, key_id: str | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.key_id = key_id

    @property
    def is_temporary(self) -> bool:
        """Whether the credential could not be looked at now, and may well be right: send it again later."""
        return self.reason in TEMPORARY
