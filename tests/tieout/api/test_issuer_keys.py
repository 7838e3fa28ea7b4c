"""An issuer's keys are fetched when they are needed, not more often, and outlast an issuer that is away."""

import asyncio
from typing import Any

import pytest
from credentials import SECOND, Clocks, tokens_of
from issuer import CONFIGURATION, JWKS, Issuer, key, signed
from joserfc.jwk import RSAKey
from structlog.testing import capture_logs

from tieout.api.addresses import is_of_this_machine, is_protected
from tieout.api.denied import AccessDenied, Reason
from tieout.api.roles import Principal
from tieout.api.tokens import Tokens


class Asking:
    """Sends tokens that a key has signed, and says what becomes of them."""

    def __init__(self, issuer: Issuer, clocks: Clocks, **more: Any) -> None:
        self.issuer, self.clocks = issuer, clocks
        self.tokens: Tokens = tokens_of(issuer, clocks, **more)

    def __call__(self, kid: str) -> str | Reason:
        return asyncio.run(self.one(kid))

    async def one(self, kid: str) -> str | Reason:
        text = signed(self.issuer.claims(self.clocks.now_us), key(kid))
        try:
            found: Principal = await self.tokens.principal(text)
        except AccessDenied as denied:
            return denied.reason
        return found.subject


@pytest.fixture
def asking(issuer: Issuer, clocks: Clocks) -> Asking:
    issuer.publish(key("a"))
    return Asking(issuer, clocks)


def test_keys_are_fetched_once_in_ten_minutes(asking: Asking, issuer: Issuer, clocks: Clocks) -> None:
    for _ in range(3):
        assert asking("a") == "li"
    clocks.pass_by(600 * SECOND - 1)
    assert asking("a") == "li"
    assert issuer.asked == {CONFIGURATION: 1, JWKS: 1}
    issuer.publish(key("b"))
    clocks.pass_by(1)
    # A key that the issuer has withdrawn is not honoured any longer.
    assert asking("a") == Reason.TOKEN_INVALID
    assert issuer.asked == {CONFIGURATION: 2, JWKS: 2}


def test_where_the_set_is_can_be_said(issuer: Issuer, clocks: Clocks) -> None:
    issuer.answers["/own"] = {"keys": [key("a").as_dict(private=False)]}
    assert Asking(issuer, clocks, jwks_url=f"{issuer.url}/own")("a") == "li"
    assert issuer.asked == {"/own": 1}


def test_an_unknown_key_is_asked_for_once_in_thirty_seconds(asking: Asking, issuer: Issuer, clocks: Clocks) -> None:
    assert asking("a") == "li"
    issuer.publish(key("a"), key("b"))
    assert asking("b") == Reason.TOKEN_INVALID
    clocks.pass_by(30 * SECOND - 1)
    assert asking("b") == Reason.TOKEN_INVALID
    assert issuer.asked[JWKS] == 1
    clocks.pass_by(1)
    assert asking("b") == "li"
    assert asking("a") == "li"
    for _ in range(3):
        assert asking("c") == Reason.TOKEN_INVALID
    assert issuer.asked[JWKS] == 2


@pytest.mark.parametrize("path", [CONFIGURATION, JWKS])
@pytest.mark.parametrize("answer", [None, b"<html>", [], {}, {"keys": []}, {"keys": 7}])
def test_keys_go_on_where_the_issuer_answers_something_else(
    path: str, answer: Any, asking: Asking, issuer: Issuer, clocks: Clocks
) -> None:
    assert asking("a") == "li"
    issuer.answers[path] = answer
    clocks.pass_by(600 * SECOND)
    with capture_logs() as logs:
        assert asking("a") == "li"
        assert asking("a") == "li"
    assert issuer.asked[CONFIGURATION] == 2
    assert [(line["event"], line["issuer"]) for line in logs] == [("issuer_keys_not_fetched", issuer.url)]
    clocks.pass_by(30 * SECOND)
    assert asking("a") == "li"
    assert issuer.asked[CONFIGURATION] == 3


def test_without_any_key_the_issuer_is_away_until_it_answers(asking: Asking, issuer: Issuer, clocks: Clocks) -> None:
    found = issuer.answers.pop(JWKS)
    assert asking("a") == Reason.ISSUER_AWAY
    assert AccessDenied(Reason.ISSUER_AWAY).is_temporary
    issuer.answers[JWKS] = found
    assert asking("a") == Reason.ISSUER_AWAY
    clocks.pass_by(30 * SECOND)
    assert asking("a") == "li"


def test_an_issuer_that_nobody_serves_is_away(clocks: Clocks) -> None:
    with Issuer() as gone:
        pass
    assert Asking(gone, clocks)("a") == Reason.ISSUER_AWAY


def test_many_at_once_fetch_once(asking: Asking, issuer: Issuer) -> None:
    async def many() -> list[str | Reason]:
        return await asyncio.gather(*(asking.one("a") for _ in range(10)))

    assert asyncio.run(many()) == ["li"] * 10
    assert issuer.asked == {CONFIGURATION: 1, JWKS: 1}


def test_a_client_that_goes_away_does_not_stop_the_fetch(asking: Asking, issuer: Issuer) -> None:
    async def two() -> str | Reason:
        first, second = asyncio.create_task(asking.one("a")), asyncio.create_task(asking.one("a"))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(two()) == "li"
    assert issuer.asked[JWKS] == 1


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://another.example"},
        {"issuer": None},
        # It could be reached; a test has no other machine that could be.
        {"jwks_uri": "http://user@127.0.0.1:{port}/keys"},
        {"jwks_uri": "file:///etc/hosts"},
        {"jwks_uri": None},
    ],
)
def test_another_issuers_configuration_is_not_taken(
    configuration: dict[str, Any], asking: Asking, issuer: Issuer
) -> None:
    port = issuer.url.rpartition(":")[2]
    issuer.answers[CONFIGURATION] |= {k: v and v.replace("{port}", port) for k, v in configuration.items()}
    assert asking("a") == Reason.ISSUER_AWAY
    assert issuer.asked[JWKS] == 0


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_key_that_is_of_no_use_spoils_no_other(issuer: Issuer, clocks: Clocks) -> None:
    small = RSAKey.generate_key(1024, {"kid": "small"})
    useless: list[Any] = [
        {"kty": "AKP", "kid": "x"},
        {"kty": "EC", "kid": "x", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "RSA", "kid": "x"},
        {"kid": "x"},
        {},
        key("encrypts").as_dict(private=False) | {"use": "enc"},
        small.as_dict(private=False),
    ]
    issuer.publish(*useless, key("a"))
    issuer.answers[JWKS]["keys"] += ["x", None, 7]
    asking = Asking(issuer, clocks)
    assert asking("a") == "li"
    assert asking("encrypts") == Reason.TOKEN_INVALID
    clocks.pass_by(30 * SECOND)
    text = signed(issuer.claims(clocks.now_us), small)
    with pytest.raises(AccessDenied, match=Reason.TOKEN_INVALID):
        asyncio.run(asking.tokens.principal(text))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://issuer.example/realm", True),
        ("https://issuer.example:8443", True),
        ("http://localhost:8080/realm", True),
        ("http://127.0.0.1", True),
        ("http://issuer.example", False),
        ("http://localhost.issuer.example", False),
        ("http://127.0.0.1@issuer.example", False),
        ("https://user:password@issuer.example", False),
        ("https://issuer.example:port", False),
        ("https://", False),
        ("https://a b", False),
        ("issuer.example", False),
        ("file:///keys", False),
        ("", False),
    ],
)
def test_only_this_machine_may_do_without_encryption(url: str, expected: bool) -> None:
    assert is_protected(url) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.1", False),
        ("tieout.example.com", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host: str, expected: bool) -> None:
    assert is_of_this_machine(host) is expected
