"""An issuer of tokens on this machine: its keys, its configuration and its key set, served over HTTP by a thread."""

import json
from collections import Counter
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

AUDIENCE = "books"
CONFIGURATION = "/.well-known/openid-configuration"
JWKS = "/keys"


@cache
def key(kid: str) -> Key:
    """A private key, the same for the same name: of RSA or OKP (Ed25519) where the name begins so, else of EC."""
    parameters = {"kid": kid}
    if kid.startswith("RSA"):
        return RSAKey.generate_key(2048, parameters)
    if kid.startswith("OKP"):
        return OKPKey.generate_key("Ed25519", parameters)
    return ECKey.generate_key("P-256", parameters)


ALGORITHMS = {"EC": "ES256", "RSA": "RS256", "OKP": "EdDSA"}


def signed(claims: dict[str, Any], by: Key, *, algorithm: str | None = None, **header: Any) -> str:
    """A token; ``header`` more fields of its header."""
    algorithm = algorithm or ALGORITHMS[by.key_type]
    fields = {"alg": algorithm, "kid": by.kid} | header
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.encode({k: v for k, v in fields.items() if v is not None}, claims, by, registry=registry)


class Issuer:
    """A context manager; ``answers`` maps a path to what is served there, None to an error of the server."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                answer = issuer.answers.get(self.path)
                self.send_response(500 if answer is None else 200)
                self.end_headers()
                self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

            def log_message(self, *arguments: object) -> None:
                """Nothing on stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.answers: dict[str, Any] = {CONFIGURATION: {"issuer": self.url, "jwks_uri": self.url + JWKS}}

    def publish(self, *keys: Key | dict[str, Any]) -> None:
        """Serve a set of keys, public as far as they have a public half."""
        listed = [one if isinstance(one, dict) else one.as_dict(private=False) for one in keys]
        self.answers[JWKS] = {"keys": listed}

    def claims(self, now_us: int, **more: Any) -> dict[str, Any]:
        """Those of a token that is taken; one that is given as None is left out."""
        now = now_us // 1_000_000
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "li",
            "iat": now,
            "exp": now + 300,
            "tieout": ["poster:main"],
        }
        return {name: value for name, value in (claims | more).items() if value is not None}

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
