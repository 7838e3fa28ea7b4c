"""Structured logs on stderr, as JSON or for a console; they say what was done, never who a customer is.

Ids, codes, positions and counts may be logged. What stands under the names in ``PRIVATE`` never is, unless it is a
count: names, addresses, raw messages, file rows and secrets, whoever passes them.
"""

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

PRIVATE = frozenset(
    {
        "name",
        "address",
        "raw",
        "row",
        "rows",
        "value",
        "password",
        "secret",
        "token",
        "authorization",
        "key",
        "url",
        "dsn",
    }
)
HIDDEN = "[hidden]"
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str, form: str) -> None:
    """Send logs of ``level`` and above to stderr; ``form`` is json, console, or auto (console on a terminal)."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            hide_private,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def hide_private(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every value under a private name, at any depth."""
    return {name: _hidden(name, value) for name, value in entry.items()}


def _hidden(name: str, value: Any) -> Any:
    if name.lower() in PRIVATE and not isinstance(value, int):
        return HIDDEN
    if isinstance(value, dict):
        return {inner: _hidden(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", one) for one in value]
    return value
