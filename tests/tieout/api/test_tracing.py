"""Traces of requests: sent to a collector where the environment names one, without anything of the books, and else nothing."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import pytest
from collector import Collector, Trace
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from over_http import invoice, opened, payment
from served import free_port, served

from tieout.api.spans import Traced

CUSTOMER, AMOUNT = "Zhang-Wei-Secret", 918_273_645
LOG = {"TIEOUT_LOG_LEVEL": "info", "TIEOUT_LOG_FORMAT": "json"}
CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
OTHERS = {
    # What others would send, or would have sent, were it left to them.
    "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST": ".*",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE": ".*",
}
SAID = {
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "network.protocol.version",
    "server.address",
    "server.port",
    "tieout.problem",
    "tieout.request_id",
    "url.scheme",
}
"""All that a span of a request may say."""


def by_request(spans: list[Trace], answer: httpx2.Response) -> Trace:
    """The span of the request that was answered so."""
    [found] = [one for one in spans if one.said.get("tieout.request_id") == answer.headers["X-Request-Id"]]
    return found


def test_requests_are_traced_and_nothing_of_the_books_is(tmp_path: Path) -> None:
    with Collector() as collector:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **LOG, **OTHERS}
        with served(tmp_path / "t.sqlite", **environment) as server:
            with server.client() as client:
                book = opened(client)
                booked = book.send("issue-invoice", invoice("1", AMOUNT, customer=CUSTOMER), "i1")
                refused = book.send("issue-invoice", invoice("1", AMOUNT + 1, customer=CUSTOMER), "i1")
                asked = {"from_on": "2026-01-01", "min_position": book.head()}
                statement = book.ask(f"customers/{CUSTOMER}/accounts/CNY/statement", **asked)
                headed = client.head(book.path("items"), params={"customer": CUSTOMER})
                bulk = client.post(
                    book.path("_bulk"),
                    json=[
                        {"command": "RecordPayment", "source_id": f"b{n}", **payment(f"P{n}", 1, customer=CUSTOMER)}
                        for n in range(3)
                    ],
                )
                unknown = client.get(f"/v1/{CUSTOMER}")
                odd = client.request("ZHANGWEI", "/v1/me")
                given = {"traceparent": f"00-{CALLER}-{PARENT}-01", "X-Request-Id": "mine-1"}
                continued = client.get(book.path("balances"), params={"customer": CUSTOMER}, headers=given)
                assert statement.status_code == 200, statement.text
            # What has not been sent yet is sent at the stop.
            assert server.end() == 0
            log = server.log
        # Neither figures nor logs.
        assert collector.paths == {"/v1/traces"}
        spans, sent = collector.spans, b"".join(collector.bodies)
    within = "/v1/books/{book}"
    expected = [
        (booked, f"POST {within}/commands/issue-invoice", 201, None),
        (refused, f"POST {within}/commands/issue-invoice", 409, "same_source_id_must_have_same_content"),
        (statement, f"GET {within}/customers/{{customer}}/accounts/{{currency}}/statement", 200, None),
        (headed, f"HEAD {within}/items", 200, None),
        (bulk, f"POST {within}/_bulk", 200, None),
        (unknown, "GET", 404, "path_must_exist"),
        (odd, "HTTP /v1/me", 405, "method_must_be_allowed"),
        (continued, f"GET {within}/balances", 200, None),
    ]
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    logged = {one["request_id"]: one for one in lines if one["event"] == "request"}
    for answer, name, status, problem in expected:
        found = by_request(spans, answer)
        assert (answer.status_code, found.said["http.response.status_code"]) == (status, status), answer.text
        assert (found.span.name, found.said.get("tieout.problem")) == (name, problem)
        assert found.span.kind == Span.SpanKind.SPAN_KIND_SERVER
        assert logged[answer.headers["X-Request-Id"]]["trace_id"] == found.span.trace_id.hex()
    of_requests = [one for one in spans if one.span.kind == Span.SpanKind.SPAN_KIND_SERVER]
    # Each request has one, and all are there: those of others than us have not been sent. Probes are not in the log.
    assert len([one for one in of_requests if one.said.get("http.route") != "/healthz"]) == len(logged)
    assert {one.scope for one in spans} == {"opentelemetry.instrumentation.asgi", "tieout"}
    assert set().union(*(one.said for one in of_requests)) == SAID
    assert not any(one.span.events for one in spans)
    assert {one.resource["service.name"] for one in spans} == {"tieout"}
    ours = by_request(spans, continued).span
    assert (ours.trace_id.hex(), ours.parent_span_id.hex()) == (CALLER, PARENT)
    assert by_request(spans, statement).span.parent_span_id == b""
    commits = {one.span.parent_span_id: one for one in spans if one.span.name == "ledger.commit"}
    for answer, commands in ((booked, 1), (bulk, 3)):
        assert commits[by_request(spans, answer).span.span_id].said == {"tieout.commands": commands}
    for secret in (CUSTOMER, "ZHANGWEI", book.name, str(AMOUNT), server.key, server.key.rpartition("_")[2], "from_on="):
        assert secret.encode() not in sent


def test_an_error_is_raised_again_and_of_its_text_nothing_is_said() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))

    async def broken(*_: Any) -> None:
        raise ValueError(CUSTOMER)

    async def never(*_: Any) -> Any:
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": f"/v1/{CUSTOMER}", "headers": []}
    with pytest.raises(ValueError, match=CUSTOMER):
        asyncio.run(Traced(broken, provider)(scope, never, never))
    [span] = kept.get_finished_spans()
    assert (span.name, span.status.status_code, span.events) == ("GET", StatusCode.ERROR, ())
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert CUSTOMER not in span.to_json()


def test_the_name_of_the_service_is_the_environments(tmp_path: Path) -> None:
    with Collector() as collector:
        environment = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/elsewhere",
            "OTEL_SERVICE_NAME": "books-of-berlin",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        with served(tmp_path / "t.sqlite", **environment):
            # Long before the stop.
            spans = collector.until(bool)
        assert {one.resource["service.name"] for one in spans} == {"books-of-berlin"}
        assert collector.paths == {"/elsewhere"}


def test_a_collector_that_is_away_holds_up_no_answer_and_no_stop(tmp_path: Path) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with served(tmp_path / "t.sqlite", TIEOUT_LOG_FORMAT="json", **environment) as server:
        with server.client() as client:
            assert opened(client).send("issue-invoice", invoice("1"), "i1").status_code == 201
        began = monotonic()
        assert server.end() == 0
        assert monotonic() - began < 15
        said = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
        assert any(one["logger"].startswith("opentelemetry") for one in said if one["event"] == "library")
        assert "Traceback" not in server.log


NO_SDK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""
"""As if the extra had not been installed, in every process of a server."""


@pytest.fixture
def without_extra(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "shim"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(NO_SDK, encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(folder), os.getcwd(), os.environ.get("PYTHONPATH", "")))}


@pytest.mark.parametrize(("lang", "words"), [("en", "pip install 'tieout[otel]'"), ("zh", "未安装")])
def test_traces_that_cannot_be_sent_are_said_before_it_serves(
    lang: str, words: str, without_extra: dict[str, str], tmp_path: Path
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")}
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "TIEOUT_STORE": str(tmp_path / "t.sqlite")}
    found = subprocess.run(
        [sys.executable, "-m", "tieout", "serve", "--listen", f"127.0.0.1:{free_port()}"],
        env=kept | without_extra | asked | {"TIEOUT_LANG": lang},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert words in found.stderr
    assert "opentelemetry" in found.stderr
    assert "Traceback" not in found.stderr
    assert not (tmp_path / "t.sqlite").exists()


@pytest.mark.parametrize(
    "asked", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "TRUE"}], ids=["no", "off"]
)
def test_what_is_not_asked_for_needs_no_extra(
    asked: dict[str, str], without_extra: dict[str, str], tmp_path: Path
) -> None:
    with served(tmp_path / "t.sqlite", **without_extra, **asked, **LOG) as server:
        with server.client() as client:
            assert opened(client).send("issue-invoice", invoice("1"), "i1").status_code == 201
        assert '"event": "request"' in server.log
        assert "trace_id" not in server.log
