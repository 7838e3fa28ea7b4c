"""Each role × each route of the published document: whoever may is answered, whoever may not is told so, and no 500."""

from collections.abc import Iterator
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import httpx2
import msgspec
import pytest
from over_http import invoice, key_of, opened, payment
from served import Served

from tieout.api.contract import FILE
from tieout.api.roles import Role

DOCUMENT = msgspec.json.decode(FILE.read_bytes())
BOOK, OTHER = "roles", "other"
OPEN = {"/healthz", "/readyz"}
SOMEWHERE = {"/v1/me", "/v1/books", "/v1/events"}
"""Paths that are answered whatever the book of a grant is: with what is of that book."""
GIVEN = {"then_position": "0:1", "entry": "1"}
CLOSERS = {
    "request": "2026-2",
    "instruction": {"command": "ReopenPeriod", "period": "2026-01", "reason": "an invoice of January was left out"},
}
"""What a closer asks to have approved: the example is a poster's, and nobody asks for what is not his to do."""
_numbers = count(1)


class Route(NamedTuple):
    """A route as the document says it."""

    method: str
    path: str
    said: dict[str, Any]

    @property
    def roles(self) -> frozenset[str]:
        """Who may call it; of a reader's route everybody."""
        roles = set(self.said["x-tieout-roles"])
        return frozenset(Role) if Role.READER in roles else frozenset(roles | {Role.ADMIN})

    def call(self, client: httpx2.Client, book: str = BOOK, role: Role = Role.ADMIN) -> httpx2.Response:
        """Call it with its examples, as somebody with this role would."""
        path, query = self.path, {}
        for one in self.said.get("parameters", ()):
            if not one.get("required"):
                continue
            value = book if one["name"] == "book" else example(one)
            if one["in"] == "path":
                path = path.replace(f"{{{one['name']}}}", value)
            else:
                query[one["name"]] = value
        more: dict[str, Any] = {}
        if self.method == "POST":
            more = {"json": self.body(role), "headers": {"Idempotency-Key": f"role-{next(_numbers)}"}}
        return client.request(self.method, path, params=query or None, **more)

    def body(self, role: Role) -> Any:
        """The example of its body; of a list of commands one, of what has none an empty object."""
        if self.path.endswith("_bulk"):
            return [{"command": "IssueInvoice", "source_id": f"role-{next(_numbers)}", **invoice("B-1")}]
        if self.path == "/v1/keys":
            return {"name": f"made-{next(_numbers)}", "grants": [f"reader:{BOOK}"]}
        if self.path.endswith("request-approval") and role is Role.CLOSER:
            return CLOSERS
        content = self.said.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("example", {})


def example(parameter: dict[str, Any]) -> str:
    """A value that the document gives for a parameter."""
    if parameter["name"] in GIVEN:
        return GIVEN[parameter["name"]]
    schema = parameter["schema"]
    return str(parameter.get("example") or (schema.get("examples") or parameter.get("examples"))[0])


ROUTES = [
    Route(method.upper(), path, said)
    for path, methods in DOCUMENT["paths"].items()
    for method, said in methods.items()
    # Signed messages are let in by their signature, not by a role.
    if said["security"] != [{"signature": []}]
]
GUARDED = [one for one in ROUTES if one.path not in OPEN]


def named(route: Any) -> str:
    return f"{route.method} {route.path}" if isinstance(route, Route) else str(route)


@pytest.fixture(scope="module")
def clients(server: Served) -> Iterator[Any]:
    """``clients("poster:main")``: a client with such a key. The book has something in it."""
    with server.client() as admin:
        for name in (BOOK, OTHER):
            book = opened(admin, name)
        book = opened(admin, "main")
        book.booked("issue-invoice", invoice("4711", customer="C000123"))
        book.booked("record-payment", payment("P1", 100, customer="C000123"))
        made: list[httpx2.Client] = []

        @cache
        def client(*grants: str) -> httpx2.Client:
            made.append(server.client(key_of(admin, *grants)))
            return made[-1]

        yield client
        for one in made:
            one.close()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_role_opens_its_routes_and_no_other(clients: Any, route: Route, role: Role) -> None:
    grant = f"{role}:{BOOK}" if "{book}" in route.path else f"{role}:*"
    answer = route.call(clients(grant), role=role)
    assert answer.status_code < 500, answer.text
    if role in route.roles:
        assert answer.status_code not in (401, 403), answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "role_must_allow_it")


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_role_in_another_book_is_no_role_here(clients: Any, route: Route) -> None:
    client = clients(*(f"{role}:{OTHER}" for role in Role))
    answer = route.call(client)
    assert (answer.status_code == 403) == (route.path not in SOMEWHERE), answer.text
    if "{book}" in route.path:
        # A book that there is not is no other answer: nobody learns which there are.
        assert route.call(client, "nowhere").status_code == 403


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_without_a_credential_nothing_is_answered(server: Served, route: Route) -> None:
    with httpx2.Client(base_url=server.url) as nobody:
        answer = route.call(nobody)
    assert (answer.status_code, answer.json()["code"]) == (401, "credential_must_be_given")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_health_needs_no_credential_and_nothing_else_is_so(server: Served) -> None:
    assert {one.path for one in ROUTES if one.said["security"] == []} == OPEN
    with httpx2.Client(base_url=server.url) as nobody:
        assert {path: nobody.get(path).status_code for path in OPEN} == dict.fromkeys(OPEN, 200)
        for path in ("/docs", "/docs/start.js", "/openapi.json"):
            answer = nobody.get(path)
            assert (answer.status_code, answer.headers["WWW-Authenticate"][:5]) == (401, "Basic")


def test_who_reads_one_book_sees_only_that(clients: Any) -> None:
    client = clients(f"reader:{BOOK}")
    assert [one["book"] for one in client.get("/v1/books").json()["data"]] == [BOOK]
    page, sources = {"next": "0:0", "has_more": True}, set()
    # Where the log begins with events of other books a page has none of this one.
    while page["has_more"]:
        page = client.get("/v1/events", params={"after": page["next"]}).json()
        sources |= {one["source"] for one in page["data"]}
    assert sources == {f"tieout/{BOOK}"}
    answer = client.get("/v1/events", params={"book": OTHER})
    assert (answer.status_code, answer.json()["code"]) == (403, "role_must_allow_it")


ANSWERED = [one for one in GUARDED if one.method == "GET" and one.path.startswith("/v1")]
NO_BOOK_YET = ("open-book", "request-approval")
"""Commands that need no book, or say in their example which."""
OF_BOOK = [one for one in ROUTES if "{book}" in one.path and not one.path.endswith(NO_BOOK_YET)]


@pytest.mark.parametrize("route", ANSWERED, ids=named)
def test_every_read_says_its_position(clients: Any, route: Route) -> None:
    answer = route.call(clients("admin:*"), "main")
    if answer.status_code == 404:
        # What the examples name is not there: no such entry, no matrix.
        assert answer.json()["code"] == "what_is_asked_for_must_exist"
        return
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert answer.headers["Tieout-Position"] == (said["position"] if "position" in said else said["next"])


@pytest.mark.parametrize("route", OF_BOOK, ids=named)
def test_a_book_that_there_is_not_is_not_found(clients: Any, route: Route) -> None:
    answer = route.call(clients("admin:*"), "nowhere")
    found = answer.json()
    assert answer.status_code == 404, answer.text
    # Of a document it is the books that are asked.
    assert found["code"] == ("what_is_asked_for_must_exist" if "reversal" in route.path else "book_must_exist")


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_a_name_that_the_query_has_not_is_refused(clients: Any, route: Route) -> None:
    answer = Route(route.method, f"{route.path}?no_such_name=1", {**route.said, "parameters": only_path(route)}).call(
        clients("admin:*"), "main"
    )
    assert (answer.status_code, answer.json()["parameter"]) == (400, "no_such_name"), answer.text


def only_path(route: Route) -> list[dict[str, Any]]:
    return [one for one in route.said.get("parameters", ()) if one["in"] == "path"]


OWN = ("date", "x-request-id")
"""Headers that no two answers share."""


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=named)
def test_head_is_answered_as_get_is_without_content(clients: Any, route: Route) -> None:
    client = clients("admin:*")
    got, headed = route.call(client, "main"), route._replace(method="HEAD").call(client, "main")
    assert headed.status_code == got.status_code
    assert headed.content == b""
    assert got.content
    headers = [{name: value for name, value in one.headers.items() if name not in OWN} for one in (got, headed)]
    if route.path == "/metrics":
        # The first of the two is counted in the second.
        assert all(int(one.pop("content-length")) > 0 for one in headers)
    assert headers[1] == headers[0]
