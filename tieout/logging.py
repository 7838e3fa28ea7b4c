"""Structured logs on stderr, as JSON or for a console; they say what was done, never who a customer is.

Ids, codes, positions and counts may be logged. What stands under the names in ``PRIVATE`` never is, unless it is a
count: names, addresses, raw messages, file rows and secrets, whoever passes them. Nor is who logs in to a server.
"""

import logging
import sys
import warnings
from collections.abc import MutableMapping
from typing import Any

import structlog

from tieout.secrets import HIDDEN, without_secrets

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
            structlog.processors.format_exc_info,
            hide_private,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    library = taken_over("kafka")
    # It repeats many times what ends in an error of its own; only who lives on without one has to hear it.
    library.setLevel(logging.CRITICAL)
    # It warns where another thread had the interpreter for a tenth of a second.
    logging.getLogger("kafka.net.selector").setLevel(logging.CRITICAL)
    # Of how it loads its schemas; nothing that its users could do anything about.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"kafka\.|importlib\.resources")


def hear_libraries() -> None:
    """Log what the libraries warn of, too."""
    logging.getLogger("kafka").setLevel(logging.WARNING)


def taken_over(name: str) -> logging.Logger:
    """The logger of a library, which from now on logs in the form of our own logs."""
    library = logging.getLogger(name)
    library.propagate = False
    library.handlers = [_IntoOurs()]
    return library


class _IntoOurs(logging.Handler):
    """What a library logs, in the form of our own logs."""

    def emit(self, record: logging.LogRecord) -> None:
        """One entry; its text is the library's."""
        structlog.get_logger(record.name).log(record.levelno, "library", logger=record.name, said=record.getMessage())


def hide_private(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every value under a private name, and what is secret in any text, at any depth."""
    return {name: _hidden(name, value) for name, value in entry.items()}


def _hidden(name: str, value: Any) -> Any:
    if name.lower() in PRIVATE and not isinstance(value, int):
        return HIDDEN
    if isinstance(value, dict):
        return {inner: _hidden(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden("", one) for one in value]
    return without_secrets(value) if isinstance(value, str) else value
