"""What tests of access share: clocks that a test moves, hashes that take no time, and tokens of a given issuer."""

from threading import Event, get_ident
from typing import Any

from issuer import AUDIENCE, Issuer
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from tieout.api.issuer_keys import IssuerKeys
from tieout.api.tokens import Tokens

START_US = 1_782_792_000_000_000
SECOND = 1_000_000


class Clocks:
    """Both clocks; ``pass_by`` moves them together."""

    def __init__(self) -> None:
        self.now_us = START_US
        self.ticks_us = 5 * SECOND

    def pass_by(self, microseconds: int) -> None:
        self.now_us += microseconds
        self.ticks_us += microseconds


class Hashing(PasswordHash):
    """Argon2 at its quickest; counts what was compared, and says in which threads. None is done while ``may_go`` is clear."""

    def __init__(self) -> None:
        super().__init__((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
        self.compared = 0
        self.threads: set[int] = set()
        self.may_go = Event()
        self.may_go.set()

    def verify(self, password: str | bytes, kept: str | bytes) -> bool:
        self.may_go.wait()
        self.compared += 1
        self.threads.add(get_ident())
        return super().verify(password, kept)


def tokens_of(
    issuer: Issuer, clocks: Clocks, *, jwks_url: str | None = None, algorithms: str = "RS256,ES256,EdDSA", **more: Any
) -> Tokens:
    """``more``: other than usual of what ``Tokens`` takes."""
    given: dict[str, Any] = {"issuer": issuer.url, "audience": AUDIENCE, "grants_claim": "tieout"}
    return Tokens(
        IssuerKeys(issuer.url, jwks_url, ticks_us=lambda: clocks.ticks_us),
        algorithms=algorithms.split(","),
        now_us=lambda: clocks.now_us,
        **(given | more),
    )
