"""Tokens: taken from the one issuer, by its own keys, in time, for us; and nothing that only looks like one."""

import asyncio
import base64
import hmac
import json
from typing import Any

import pytest
from credentials import SECOND, Clocks, tokens_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from issuer import Issuer, key, signed
from joserfc.jwk import OctKey
from structlog.testing import capture_logs

from ledger.database import Location
from tieout.api.access import Access
from tieout.api.denied import AccessDenied, Reason
from tieout.api.roles import Grant, Principal
from tieout.api.tokens import Tokens

KINDS = ("EC", "RSA", "OKP")


@pytest.fixture(autouse=True)
def _published(issuer: Issuer) -> None:
    issuer.publish(*(key(f"{kind}-1") for kind in KINDS))


def let_in(tokens: Tokens, text: str) -> Principal:
    return asyncio.run(tokens.principal(text))


def reason(tokens: Tokens, text: str) -> Reason:
    with pytest.raises(AccessDenied) as found:
        let_in(tokens, text)
    assert found.value.__cause__ is None
    return found.value.reason


def unsigned(header: Any, claims: Any, signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in (header, claims))
    return f"{'.'.join(parts)}.{signature}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_of_each_kind_of_key_lets_its_subject_in(
    kind: str, tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    text = signed(issuer.claims(clocks.now_us), key(f"{kind}-1"))
    assert let_in(tokens, text) == Principal("li", frozenset((Grant.parse("poster:main"),)), "token")


@pytest.mark.parametrize(
    ("claim", "grants"),
    [
        (["poster:main", "reader:*"], {"poster:main", "reader:*"}),
        ("poster:main  reader:*", {"poster:main", "reader:*"}),
        (["poster:main", "offline_access", "owner:main", 7, None, ["reader:*"]], {"poster:main"}),
        ("", set()),
        (None, set()),
        ({"admin:*": True}, set()),
        (7, set()),
    ],
)
def test_grants_are_a_list_or_one_text_and_what_is_none_gives_nothing(
    claim: Any, grants: set[str], tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    text = signed(issuer.claims(clocks.now_us, tieout=claim), key("EC-1"))
    assert set(map(str, let_in(tokens, text).grants)) == grants


def test_the_claim_of_the_grants_can_be_another(issuer: Issuer, clocks: Clocks) -> None:
    tokens = tokens_of(issuer, clocks, grants_claim="https://example.org/roles")
    text = signed(issuer.claims(clocks.now_us, **{"https://example.org/roles": "closer:main"}), key("EC-1"))
    assert set(map(str, let_in(tokens, text).grants)) == {"closer:main"}


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": None}, Reason.TOKEN_CLAIMS),
        ({"aud": None}, Reason.TOKEN_CLAIMS),
        ({"exp": None}, Reason.TOKEN_CLAIMS),
        ({"sub": None}, Reason.TOKEN_CLAIMS),
        ({"iss": "https://another.example"}, Reason.TOKEN_ISSUER),
        ({"iss": ["https://another.example"]}, Reason.TOKEN_ISSUER),
        ({"aud": "another"}, Reason.TOKEN_AUDIENCE),
        ({"aud": ["another", "booksx"]}, Reason.TOKEN_AUDIENCE),
        ({"aud": {"books": 1}}, Reason.TOKEN_AUDIENCE),
        ({"exp": "tomorrow"}, Reason.TOKEN_CLAIMS),
        ({"exp": True}, Reason.TOKEN_CLAIMS),
        ({"sub": ""}, Reason.TOKEN_CLAIMS),
        ({"sub": 7}, Reason.TOKEN_CLAIMS),
        ({"sub": "key:billing"}, Reason.TOKEN_CLAIMS),
        ({"sub": "li\n"}, Reason.TOKEN_CLAIMS),
        ({"sub": "x" * 201}, Reason.TOKEN_CLAIMS),
    ],
)
def test_claims_that_are_missing_or_not_for_us(
    claims: dict[str, Any], expected: Reason, tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    assert reason(tokens, signed(issuer.claims(clocks.now_us, **claims), key("EC-1"))) == expected


def test_we_may_be_one_of_several_audiences(tokens: Tokens, issuer: Issuer, clocks: Clocks) -> None:
    text = signed(issuer.claims(clocks.now_us, aud=["another", "books"]), key("EC-1"))
    assert let_in(tokens, text).subject == "li"


@pytest.mark.parametrize(
    ("claim", "seconds", "expected"),
    [
        ("exp", -59, None),
        ("exp", -60, Reason.TOKEN_EXPIRED),
        ("nbf", 60, None),
        ("nbf", 61, Reason.TOKEN_EARLY),
        ("iat", 60, None),
        ("iat", 61, Reason.TOKEN_EARLY),
    ],
)
def test_clocks_may_differ_by_a_minute(
    claim: str, seconds: int, expected: Reason | None, tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    at = clocks.now_us // SECOND + seconds
    text = signed(issuer.claims(clocks.now_us, **{claim: at}), key("EC-1"))
    if expected is None:
        assert let_in(tokens, text).subject == "li"
    else:
        assert reason(tokens, text) == expected


def test_a_token_expires_while_the_clock_goes_on(tokens: Tokens, issuer: Issuer, clocks: Clocks) -> None:
    text = signed(issuer.claims(clocks.now_us), key("EC-1"))
    assert let_in(tokens, text).subject == "li"
    clocks.pass_by(360 * SECOND)
    assert reason(tokens, text) == Reason.TOKEN_EXPIRED


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, 7, ["ES256"]])
@pytest.mark.parametrize("kid", ["EC-1", None])
def test_a_token_that_nobody_signed_is_refused_before_any_key_is_asked_for(
    algorithm: Any, kid: str | None, tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    header = {"alg": algorithm} | ({"kid": kid} if kid else {})
    assert reason(tokens, unsigned(header, issuer.claims(clocks.now_us))) == Reason.TOKEN_INVALID
    assert issuer.asked.total() == 0


@pytest.mark.parametrize("form", ["PEM", "DER", "JWK"])
def test_a_public_key_is_no_shared_secret(form: str, tokens: Tokens, issuer: Issuer, clocks: Clocks) -> None:
    public: Any = key("RSA-1")
    secret = {
        "PEM": public.as_pem(private=False),
        "DER": public.as_der(private=False),
        "JWK": json.dumps(public.as_dict(private=False)).encode(),
    }[form]
    begun = unsigned({"alg": "HS256", "kid": "RSA-1"}, issuer.claims(clocks.now_us)).rstrip(".")
    signature = base64.urlsafe_b64encode(hmac.digest(secret, begun.encode(), "sha256")).rstrip(b"=").decode()
    assert reason(tokens, f"{begun}.{signature}") == Reason.TOKEN_INVALID
    assert issuer.asked.total() == 0


def test_a_shared_secret_in_the_set_signs_nothing(issuer: Issuer, clocks: Clocks) -> None:
    shared = OctKey.generate_key(256, {"kid": "shared"})
    issuer.publish(shared.as_dict(private=True), key("EC-1"))
    tokens = tokens_of(issuer, clocks)
    assert reason(tokens, signed(issuer.claims(clocks.now_us), shared, algorithm="HS256")) == Reason.TOKEN_INVALID
    # It does not even count as a key.
    issuer.publish(shared.as_dict(private=True))
    text = signed(issuer.claims(clocks.now_us), key("EC-1"))
    assert reason(tokens_of(issuer, clocks), text) == Reason.ISSUER_AWAY


def test_only_algorithms_of_the_list_are_taken(issuer: Issuer, clocks: Clocks) -> None:
    tokens = tokens_of(issuer, clocks, algorithms="RS256")
    assert reason(tokens, signed(issuer.claims(clocks.now_us), key("EC-1"))) == Reason.TOKEN_INVALID
    assert let_in(tokens, signed(issuer.claims(clocks.now_us), key("RSA-1"))).subject == "li"


def test_an_algorithm_of_another_kind_of_key_is_refused(tokens: Tokens, issuer: Issuer, clocks: Clocks) -> None:
    text = signed(issuer.claims(clocks.now_us), key("EC-1"), kid="RSA-1")
    assert reason(tokens, text) == Reason.TOKEN_INVALID


def test_a_key_that_the_token_brings_along_is_not_used(tokens: Tokens, issuer: Issuer, clocks: Clocks) -> None:
    own = key("own")
    claims = issuer.claims(clocks.now_us)
    for header in ({"jwk": own.as_dict(private=False)}, {"jku": f"{issuer.url}/own"}):
        for kid in ("EC-1", None):
            assert reason(tokens, signed(claims, own, kid=kid, **header)) == Reason.TOKEN_INVALID
    assert f"{issuer.url}/own" not in issuer.asked
    assert "/own" not in issuer.asked


def test_headers_that_are_unknown_are_passed_over_but_for_those_that_must_be_understood(
    tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    claims = issuer.claims(clocks.now_us)
    good = signed(claims, key("EC-1"), typ="at+jwt", nonce="x")
    assert let_in(tokens, good).subject == "li"
    _, body, signature = good.split(".")
    header = {"alg": "ES256", "kid": "EC-1", "crit": ["nonce"], "nonce": "x"}
    assert reason(tokens, unsigned(header, claims).split(".")[0] + f".{body}.{signature}") == Reason.TOKEN_INVALID


def test_a_token_that_was_changed_is_refused(tokens: Tokens, issuer: Issuer, clocks: Clocks) -> None:
    header, _, signature = signed(issuer.claims(clocks.now_us), key("EC-1")).split(".")
    other = signed(issuer.claims(clocks.now_us, tieout=["admin:*"]), key("own")).split(".")[1]
    assert reason(tokens, f"{header}.{other}.{signature}") == Reason.TOKEN_INVALID
    assert reason(tokens, f"{header}.{other}.") == Reason.TOKEN_INVALID


def test_a_token_without_a_key_id_is_taken_where_there_is_one_key(issuer: Issuer, clocks: Clocks) -> None:
    text = signed(issuer.claims(clocks.now_us), key("EC-1"), kid=None)
    assert reason(tokens_of(issuer, clocks), text) == Reason.TOKEN_INVALID
    issuer.publish(key("EC-1"))
    assert let_in(tokens_of(issuer, clocks), text).subject == "li"


@given(
    st.lists(st.text(), min_size=3, max_size=3).map(".".join)
    | st.builds(
        unsigned,
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["ES256", "EC-1", "alg", "kid"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ", "jwk"]), inner, max_size=5)
            ),
        ),
        st.none() | st.dictionaries(st.text(), st.text()),
        st.text("ABCDabcd0189-_", max_size=90),
    )
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_else_is_sent_is_invalid(issuer: Issuer, clocks: Clocks, text: str) -> None:
    assert reason(tokens_of(issuer, clocks), text) == Reason.TOKEN_INVALID


def test_through_the_header_and_with_nothing_of_it_in_the_log(
    store: Location, tokens: Tokens, issuer: Issuer, clocks: Clocks
) -> None:
    access = Access(store, tokens, now_us=lambda: clocks.now_us, ticks_us=lambda: clocks.ticks_us)
    good = signed(issuer.claims(clocks.now_us), key("EC-1"))
    late = signed(issuer.claims(clocks.now_us, exp=1, sub="somebody-known"), key("EC-1"))
    try:
        assert asyncio.run(access.authenticate(f"Bearer {good}")).kind == "token"
        with capture_logs() as logs, pytest.raises(AccessDenied):
            asyncio.run(access.authenticate(f"Bearer {late}"))
    finally:
        access.close()
    assert logs == [{"event": "access_denied", "log_level": "warning", "reason": "token_expired"}]
