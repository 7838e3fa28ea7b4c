"""The spans of requests and of what they commit, sent in batches by a thread beside: OTLP over HTTP.

OpenTelemetry's middleware writes path, query, caller's address and what headers the environment names into a span, and
customers' ids stand in these. So of a request it is shown only what a span may say; the log may say no more.
"""

import os
import threading
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, StatusCode, Tracer, format_trace_id
from opentelemetry.util.http import sanitize_method

from ledger.ledger import Ledger
from ledger.outcomes import Entry, Outcome
from tieout.api.desk import Desk
from tieout.api.outer import App, Message, Receive, Scope, Send
from tieout.logging import taken_over

FLUSH_SECONDS = 5.0
"""How long a stop waits for a collector that does not take what is left."""
_SHOWN = ("type", "scheme", "http_version", "server")
# W3C Trace Context: the trace of the caller, which is continued.
_OF_TRACE = (b"traceparent", b"tracestate")
_NO_HEADER = "(?!)"
_OURS = "tieout.request"
_CONVENTIONS = "OTEL_SEMCONV_STABILITY_OPT_IN"


class Traces:
    """What traces the requests of one process; where to and how much of it the environment says (``OTEL_*``)."""

    def __init__(self) -> None:
        # The middleware's default is attributes of names that are given up.
        os.environ.setdefault(_CONVENTIONS, "http")
        taken_over("opentelemetry")
        # Nobody else's: what is not ours does not find it.
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    def around(self, app: App) -> App:
        """An application with a span around each request."""
        return Traced(app, self._provider)

    def desk(self, ledger: Ledger, *, now_us: int | None = None) -> Desk:
        """A desk with a span around each batch."""
        return _TracedDesk(ledger, self._provider.get_tracer("tieout", version("tieout")), now_us=now_us)

    def close(self) -> None:
        """Send what is left."""
        # The library has no limit of its own that is short enough.
        sending = threading.Thread(target=self._provider.shutdown, name="tieout-last-spans", daemon=True)
        sending.start()
        sending.join(FLUSH_SECONDS)


def _resource() -> Resource:
    """Who speaks: as the environment says, else ``tieout``."""
    found = Resource.create({SERVICE_VERSION: version("tieout")})
    if str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: "tieout"}))
    return found


class Traced:
    """An application within, and around it the library's middleware, which sees little of what goes by."""

    def __init__(self, app: App, provider: TracerProvider) -> None:
        self._app = app
        self._middleware = OpenTelemetryMiddleware(
            self._within,
            default_span_details=lambda shown: (_name(shown["method"], ""), {}),
            tracer_provider=provider,
            # /metrics has our figures.
            meter_provider=NoOpMeterProvider(),
            # With none named it would be those that the environment names.
            http_capture_headers_server_request=[_NO_HEADER],
            exclude_spans=["receive", "send"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the application's life."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = _Request(scope, receive, send)
        shown = {name: scope[name] for name in _SHOWN if name in scope}
        shown |= {"method": request.method, _OURS: request}
        shown["headers"] = [one for one in scope["headers"] if one[0] in _OF_TRACE]
        await self._middleware(shown, receive, _nowhere)
        if request.error is not None:
            raise request.error

    async def _within(self, shown: Scope, _: Receive, told: Send) -> None:
        """What the middleware takes for the application."""
        request: _Request = shown[_OURS]
        await request.answer(self._app, trace.get_current_span(), told)


class _Request:
    """A request as it is. ``error``: what the application raised; its text may quote what a customer wrote."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.method = sanitize_method(scope["method"])
        self.error: Exception | None = None

    async def answer(self, app: App, span: Span, told: Send) -> None:
        """Have it answered within a span. ``told`` is what the middleware hears of the answer."""
        scope = self._scope
        trace_id = format_trace_id(span.get_span_context().trace_id)
        scope["state"] = {**scope.get("state", {}), "trace_id": trace_id}

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._describe(span)
                await self._send(message)
                await told({"type": message["type"], "status": message["status"]})
            else:
                await self._send(message)
                await told({"type": message["type"], "more_body": message.get("more_body", False)})

        try:
            await app(scope, self._receive, answered)
        except Exception as error:
            self.error = error
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(StatusCode.ERROR)

    def _describe(self, span: Span) -> None:
        """What is known once the header of the answer is."""
        state = self._scope["state"]
        route = getattr(self._scope.get("route"), "path", "")
        span.update_name(_name(self.method, route))
        said = {
            "http.route": route,
            "tieout.request_id": state.get("request_id"),
            "tieout.problem": state.get("problem"),
        }
        span.set_attributes({name: value for name, value in said.items() if value})


def _name(method: str, route: str) -> str:
    """The name of a span: method and template of the path, never the path."""
    return f"{'HTTP' if method == '_OTHER' else method} {route}".rstrip()


async def _nowhere(_: Message) -> None:
    """Where the middleware sends what it was told; the answer has gone."""


class _TracedDesk(Desk):
    """A desk whose callers see how long their commits took, with the wait for the commit before."""

    def __init__(self, ledger: Ledger, tracer: Tracer, *, now_us: int | None = None) -> None:
        super().__init__(ledger, now_us=now_us)
        self._tracer = tracer

    async def submit(self, batch: Sequence[Entry], *, whole: bool = False) -> list[Outcome]:
        """As a desk does."""
        said: dict[str, Any] = {"tieout.commands": len(batch)}
        with self._tracer.start_as_current_span(
            "ledger.commit", attributes=said, record_exception=False, set_status_on_exception=False
        ):
            return await super().submit(batch, whole=whole)
