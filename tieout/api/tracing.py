"""Whether requests are traced: only where the environment asks for it, by the variables that OpenTelemetry names for it.

What traces is an extra, and none of it is imported before.
"""

import os
from typing import TYPE_CHECKING

from tieout.errors import UserError

if TYPE_CHECKING:
    from tieout.api.spans import Traces

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
DISABLED = "OTEL_SDK_DISABLED"


def is_asked_for() -> bool:
    """Whether the environment names a collector, and does not turn all of it off."""
    is_off = os.environ.get(DISABLED, "").strip().lower() == "true"
    return not is_off and any(os.environ.get(name) for name in ENDPOINTS)


def refuse_missing() -> None:
    """Raises ``UserError`` where traces are asked for and the extra is not installed."""
    if not is_asked_for():
        return
    try:
        import tieout.api.spans  # noqa: F401
    except ModuleNotFoundError as error:
        raise UserError("error.serve_traces", missing=error.name) from None


def traces() -> "Traces | None":
    """What traces the requests of this process, if they are to be traced."""
    if not is_asked_for():
        return None
    from tieout.api.spans import Traces

    return Traces()
