"""Whatever is not answered as asked is a problem document, says what is wrong, and repeats nothing that was sent."""

import asyncio
import importlib.util
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from over_http import Book, invoice, invoices, key_of
from served import Served

from consumers.contracts.examples import EXAMPLES
from consumers.envelope import kebab
from consumers.problems import MessageCode, RetryCode, RowCode
from domain.refusals import Code
from tieout.api.outer import Limits, Outer
from tieout.api.problems import TYPE as URN
from tieout.api.problems import ApiCode, Problem

PAGE = Path(__file__).parents[3] / "docs" / "problem_list.py"
CODES = [*ApiCode, *Code, *RowCode, *RetryCode, *MessageCode]


def problem(answer: httpx2.Response) -> dict[str, Any]:
    """What an answer must be that is a problem, whichever."""
    found: dict[str, Any] = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code >= 400
    assert found["status"] == answer.status_code
    assert found["type"] == URN + found["code"]
    assert found["code"] in CODES
    assert found["request_id"] == answer.headers["X-Request-Id"]
    assert found["title"][0].isupper()
    assert found["rule"]
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"]
    if answer.status_code == 405:
        assert answer.headers["Allow"]
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) > 0
    return found


def get(path: str, **headers: str) -> Any:
    return lambda book: book.client.get(path.format(book=book.name), headers=headers)


def post(path: str, **more: Any) -> Any:
    return lambda book: book.client.post(path.format(book=book.name), **more)


PROVOKED: dict[str, tuple[ApiCode, int, Any]] = {
    "no such path": (ApiCode.ROUTE, 404, get("/v1/nothing")),
    "a path with a slash too many": (ApiCode.ROUTE, 404, get("/v1/books/{book}/balances/")),
    "no such file of the page": (ApiCode.ROUTE, 404, get("/docs/passwd")),
    "another method": (ApiCode.METHOD, 405, post("/v1/books/{book}/balances")),
    "a command is sent": (ApiCode.METHOD, 405, get("/v1/books/{book}/commands/issue-invoice")),
    "no such name in the query": (ApiCode.PARAMETER, 400, get("/v1/books/{book}/balances?as_off=2026-01-31")),
    "no such book name": (ApiCode.PARAMETER, 400, get("/v1/books/No%20Book/balances")),
    "no image": (ApiCode.ACCEPTABLE, 406, get("/v1/books/{book}/balances", Accept="image/png")),
    "no event stream": (ApiCode.ACCEPTABLE, 406, get("/v1/events", Accept="image/png")),
    "a media type": (ApiCode.MEDIA, 415, post("/v1/books/{book}/_bulk", content=b"x", headers={"Content-Type": "a/b"})),
    "no JSON": (ApiCode.JSON, 400, post("/v1/keys", content=b"{")),
    "no key": (ApiCode.IDEMPOTENCY_KEY, 428, post("/v1/books/{book}/commands/issue-invoice", json=invoice("1"))),
    "another actor": (
        ApiCode.ACTOR,
        403,
        post("/v1/books/{book}/commands/issue-invoice", json=invoice("1", actor="li", source_id="1")),
    ),
    "a name that is taken": (ApiCode.NAME, 409, post("/v1/keys", json={"name": "admin", "grants": ["reader:*"]})),
    "not as a whole": (ApiCode.WHOLE, 422, post("/v1/books/{book}/_bulk?atomic=true", json=[{}, *invoices(["1"])])),
    "no cursor": (ApiCode.CURSOR, 404, get("/v1/books/{book}/balances?cursor=abc")),
    "no such position": (ApiCode.KNOWN, 404, get("/v1/books/{book}/balances?known_as_of=0:999999999")),
    "no such document": (ApiCode.FOUND, 404, get("/v1/books/{book}/documents/invoice/1")),
    "no such account": (ApiCode.FOUND, 404, get("/v1/books/{book}/customers/C9/accounts/CNY/statement")),
    "no such key": (ApiCode.FOUND, 404, post("/v1/keys/0123456789ab/revocation")),
    "no such entry": (ApiCode.FOUND, 404, get("/v1/books/{book}/quarantine/1")),
    "no such inbox": (ApiCode.FOUND, 404, post("/v1/books/{book}/inbox/x", headers={"Tieout-Signature": "t=1,v1=ab"})),
    "a key that is none": (ApiCode.CREDENTIAL_VALID, 401, get("/v1/me", Authorization="Bearer tieout_x")),
    "no signature": (ApiCode.CREDENTIAL_GIVEN, 401, post("/v1/books/{book}/inbox/x")),
}


@pytest.mark.parametrize("what", PROVOKED)
def test_each_is_a_document(book: Book, what: str) -> None:
    code, status, provoke = PROVOKED[what]
    answer = provoke(book)
    found = problem(answer)
    assert (found["code"], answer.status_code) == (code, status), answer.text


def test_no_role_is_a_document(server: Served, book: Book) -> None:
    with server.client(key_of(book.client, f"reader:{book.name}")) as client:
        found = problem(book.by(client).send("issue-invoice", invoice("1"), "1"))
    assert (found["code"], found["roles"], found["book"]) == (ApiCode.ROLE, ["poster"], book.name)


def test_what_a_path_takes_is_said(admin: httpx2.Client) -> None:
    assert admin.put("/v1/keys").headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ("limit=many", "limit: must be a whole number"),
        ("limit=0", "limit: must not be less than 1"),
        ("limit=1001", "limit: must not be more than 1000"),
        ("limit=1&limit=2", "limit: must stand only once"),
        ("as_of=31.01.2026", "as_of: must be a date, YYYY-MM-DD"),
        ("as_of=2026-02-30", "as_of: must be a date that exists, YYYY-MM-DD"),
        ("as_of=2200-01-01", "as_of: must not be more than 2199-12-31"),
        ("currency=cny", "currency: must be a currency code of three capital letters"),
        ("min_position=5", "min_position: must be a log position, such as 0:123"),
        ("known_as_of=yesterday", "known_as_of: must be a log position, such as 0:123, or an instant with its offset"),
        ("settled=maybe", "settled: must be true or false"),
        ("as_off=2026-01-31", "as_off: must be one of min_position, as_of, known_as_of, limit, cursor, customer, "),
    ],
)
def test_what_is_wrong_with_a_parameter_is_said_in_plain_words(book: Book, query: str, rule: str) -> None:
    found = problem(book.client.get(book.path(f"items?{query}")))
    assert found["rule"].startswith(rule)
    assert found["parameter"] == rule.partition(":")[0]


def test_a_path_without_parameters_says_so(book: Book) -> None:
    found = problem(book.client.get(book.path("waiting?customer=C1")))
    assert found["rule"] == "customer: must be left out: there are no parameters here"


def test_buckets_ascend(book: Book) -> None:
    found = problem(book.ask("ageing", as_of="2026-01-31", buckets="60,30"))
    assert (found["status"], found["rule"]) == (400, "buckets: must be ascending")


@pytest.mark.parametrize(
    ("body", "pointer", "rule"),
    [
        ({}, "/name", "name: must be given"),
        ({"name": 5, "grants": ["reader:*"]}, "/name", "name: must be text in quotes"),
        ({"name": "x", "grants": [5]}, "/grants/0", "grants.0: must be text in quotes"),
        ({"name": "x", "grants": []}, "/grants", "grants: must be a list of length >= 1"),
        ({"name": "x", "grants": ["reader:*"], "more": 1}, "/more", "more: is not a field here"),
        (
            {"name": "x", "grants": ["reader:*"], "expires_on": "soon"},
            "/expires_on",
            "expires_on: must be a day, YYYY-MM-DD",
        ),
        ([], "", "must be an object"),
    ],
)
def test_what_is_wrong_with_a_body_is_said_in_plain_words(
    admin: httpx2.Client, body: Any, pointer: str, rule: str
) -> None:
    found = problem(admin.post("/v1/keys", json=body))
    assert (found["status"], found.get("pointer", ""), found["rule"]) == (422, pointer, rule)


def test_a_refusal_points_at_the_field(book: Book) -> None:
    body = invoice("1") | {"instalments": [{"due_on": "2026-02-04", "amount": "much"}]}
    found = problem(book.send("issue-invoice", body, "i1"))
    assert (found["pointer"], found["value_kind"]) == ("/instalments/0/amount", "string")
    found = problem(book.send("issue-invoice", invoice("1") | {"lines": [{"net": 1}]}, "i1"))
    assert (found["code"], found["status"]) == ("lines_and_tax_must_sum_to_total", 422)


def test_a_title_is_of_the_code_and_no_single_problem(book: Book) -> None:
    titles = {problem(book.ask("items", **{name: "?"}))["title"] for name in ("limit", "as_of", "nothing")}
    assert titles == {"A parameter must be of its type and within its bounds"}


def test_the_callers_own_request_id_is_kept_where_it_is_fit_for_a_log(admin: httpx2.Client) -> None:
    for sent, is_kept in (("abc-1.2_3", True), ("x" * 65, False), ("a b", False), ("a\tb", False), ("", False)):
        answer = admin.get("/v1/nothing", headers={"X-Request-Id": sent})
        assert (problem(answer)["request_id"] == sent) == is_kept


SECRET, AMOUNT = "Zhang-Wei-Secret", 918_273_645
KINDS = st.sampled_from(list(EXAMPLES))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values of a body, those of containers too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, one in inner for found in leaves(one, (*path, key)))]


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A command of the examples with some values that nobody but its sender knows."""
    name = draw(KINDS)
    body = deepcopy(EXAMPLES[name])
    for given_by_path in ("command", "book", "actor"):
        body.pop(given_by_path, None)
    for path in draw(st.lists(st.sampled_from(leaves(body)[1:]), min_size=1, max_size=3)):
        at: Any = body
        try:
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = draw(
                st.sampled_from(
                    (SECRET, SECRET * 20, f"{SECRET}\n", AMOUNT, -AMOUNT, AMOUNT * 10**12, [SECRET], {"x": SECRET})
                )
            )
        except (TypeError, KeyError, IndexError):
            continue
    return name, body


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoilt(), st.sampled_from(("command", "dry_run", "bulk", "atomic")))
def test_what_was_sent_is_never_repeated(book: Book, command: tuple[str, dict[str, Any]], how: str) -> None:
    name, body = command
    line = {"command": name, **body}
    if how in ("bulk", "atomic"):
        query = {"atomic": "true"} if how == "atomic" else None
        answer = book.client.post(book.path("_bulk"), json=[line], params=query)
    else:
        answer = book.send(kebab(name), body, dry_run=how == "dry_run")
    if answer.status_code >= 400:
        problem(answer)
        text = answer.text
    else:
        # What a dry run says is what would be booked.
        lines = [] if how == "dry_run" else answer.text.splitlines()
        text = "".join(one for one in lines if '"code"' in one)
    assert SECRET not in text
    assert str(AMOUNT) not in text
    assert answer.status_code < 500


@pytest.mark.parametrize("name", ["customer", "currency", "as_of", "known_as_of", "limit", "cursor", "min_position"])
def test_no_value_of_a_parameter_is_repeated(book: Book, name: str) -> None:
    answer = book.ask("balances", **{name: f"{SECRET}\x00"})
    assert problem(answer)["parameter"] == name
    assert SECRET not in answer.text


def test_no_path_is_repeated(book: Book) -> None:
    for path in (f"customers/{SECRET}/accounts/CNY/statement", f"documents/invoice/{SECRET}", SECRET):
        answer = book.ask(path)
        assert SECRET not in json.dumps(problem(answer))


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_a_document(code: str) -> None:
    found = Problem(code).document("id")
    assert found["type"] == f"urn:tieout:problem:{code}"
    assert 400 <= found["status"] <= 599
    assert found["rule"]


def test_a_body_that_does_not_go_on_coming_is_given_up() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    async def app(_: Any, receive: Any, send: Any) -> None:
        try:
            await receive()
        except Problem as late:
            await send({"type": "http.response.start", "status": int(late.status), "headers": []})

    outer = Outer(app, Limits(seconds=0.05), lambda *_: None)
    scope = {"type": "http", "path": "/", "method": "POST", "headers": [], "route": None}
    asyncio.run(outer(scope, receive, send))
    assert [one["status"] for one in sent] == [408]


def test_the_page_is_what_the_code_says(request: pytest.FixtureRequest) -> None:
    spec = importlib.util.spec_from_file_location("problem_list", PAGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.page()
    if request.config.getoption("--update-snapshots"):
        module.PAGE.write_text(text, encoding="utf-8", newline="\n")
    assert text == module.PAGE.read_text(encoding="utf-8"), "write it again with make update-snapshots"
