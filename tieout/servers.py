"""Errors of the servers that the settings name, as what their reader can do something about.

The kinds of error are looked up among the modules that are loaded: what has not been loaded cannot have failed, and
loading it takes longer than most commands.
"""

import sys
from typing import TYPE_CHECKING, Any

from tieout.errors import UserError
from tieout.secrets import without_secrets

if TYPE_CHECKING:
    from tieout.settings import Settings


def server_fault(error: Exception, settings: "Settings") -> UserError | None:
    """What went wrong with the database's or the brokers' server; None where it was neither."""
    if is_of_kafka(error):
        return UserError("error.kafka", servers=settings.kafka_bootstrap_servers, reason=reason(error))
    if settings.database_url is None:
        return None
    if _is_a(error, "eventsourcing.persistence", "PersistenceError"):
        return UserError("error.server", store=settings.location_name, reason=reason(error))
    if _is_a(error, "sqlalchemy.exc", "DBAPIError"):
        # Its own text goes on with the statement.
        at: Any = error
        return UserError("error.server", store=settings.location_name, reason=reason(at.orig))
    return None


def is_of_kafka(error: BaseException) -> bool:
    """Whether it is an error of the brokers, or of the library that talks to them."""
    return _is_a(error, "kafka.errors", "KafkaError")


def reason(error: BaseException) -> str:
    """What the first line of a server's error says, without anything secret."""
    return without_secrets((str(error).splitlines() or [type(error).__name__])[0])


def _is_a(error: BaseException, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(error, kind)
