"""A collector of traces as OpenTelemetry's exporters find one: OTLP over HTTP, kept as it came."""

from collections.abc import Callable
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Any, NamedTuple, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Trace(NamedTuple):
    """A span that came: who sent it, and what it says."""

    resource: dict[str, Any]
    scope: str
    span: Span

    @property
    def said(self) -> dict[str, Any]:
        """Its attributes."""
        return _values(self.span.attributes)


class Collector:
    """Listens while it is entered."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.bodies.append(decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                collector.paths.add(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def spans(self) -> list[Trace]:
        """All that have come so far."""
        found = []
        for body in list(self.bodies):
            for one in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = _values(one.resource.attributes)
                found += [Trace(resource, of.scope.name, span) for of in one.scope_spans for span in of.spans]
        return found

    def until(self, holds: Callable[[list[Trace]], Any], seconds: float = 20.0) -> list[Trace]:
        """The spans, once something holds of them."""
        end = monotonic() + seconds
        while not holds(found := self.spans):
            assert monotonic() < end, [one.span.name for one in found]
            sleep(0.05)
        return found

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}
