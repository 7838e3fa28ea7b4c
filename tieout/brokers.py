"""From settings to Kafka: the brokers, the topics, and how the messages of each topic are read."""

from typing import TYPE_CHECKING, Any

from tieout.adapting import adapter_of
from tieout.errors import NotFound, UsageFault

if TYPE_CHECKING:
    from consumers.kafka.client import Servers
    from consumers.kafka.messages import Feed
    from ledger.ledger import Ledger
    from tieout.settings import Settings


def servers(settings: "Settings") -> "Servers":
    """The brokers; ``UsageFault`` where the settings name none, or not how to log in to them."""
    from consumers.kafka.client import Servers

    if settings.kafka_bootstrap_servers is None:
        raise UsageFault("error.no_kafka")
    return Servers(settings.kafka_bootstrap_servers, _options(settings))


def read_topics(settings: "Settings") -> list[str]:
    """The topics that are read: that of the commands, and those of the further feeds."""
    return [settings.kafka_commands_topic, *settings.feeds]


def feeds(settings: "Settings", ledger: "Ledger") -> "dict[str, Feed]":
    """How the messages of each topic are read. Raises ``UserError`` where a feed cannot be."""
    from consumers.kafka.messages import Feed

    commands = {settings.kafka_commands_topic: Feed(book=settings.book)}
    further = {
        topic: Feed(one.book, None if one.adapter is None else adapter_of(topic, one.adapter, one.book, ledger))
        for topic, one in settings.feeds.items()
    }
    return commands | further


def _options(settings: "Settings") -> dict[str, Any]:
    """Security, in the words of the library."""
    options: dict[str, Any] = {"security_protocol": settings.kafka_security_protocol}
    if settings.kafka_ssl_cafile is not None:
        if not settings.kafka_ssl_cafile.is_file():
            raise NotFound("error.file_missing", path=settings.kafka_ssl_cafile)
        options["ssl_cafile"] = str(settings.kafka_ssl_cafile)
    if settings.kafka_security_protocol.startswith("SASL_"):
        if not (settings.kafka_sasl_mechanism and settings.kafka_sasl_username and settings.kafka_sasl_password):
            raise UsageFault("error.kafka_login", protocol=settings.kafka_security_protocol)
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_sasl_username,
            "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
        }
    return options
