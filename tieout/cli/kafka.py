"""Commands about Kafka: make the topics, and see how far behind we are."""

from typing import Annotated

import msgspec
import typer

from tieout.cli import output
from tieout.cli.options import Json
from tieout.cli.program import command
from tieout.cli.session import Session


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "topics")(topics)
    command(app, "lag")(lag)


def topics(
    session: Session,
    partitions: Annotated[
        int | None, typer.Option("--partitions", min=1, metavar="N", help="option.partitions")
    ] = None,
    replication: Annotated[
        int | None, typer.Option("--replication", min=1, metavar="N", help="option.replication")
    ] = None,
    json: Json = False,
) -> None:
    """Make the topics that are missing."""
    from tieout.brokers import read_topics, servers

    settings = session.settings
    brokers = servers(settings)
    from tieout.topics import BROKERS_CHOICE, PARTITIONS, make

    made = make(
        brokers,
        read_topics(settings),
        settings.kafka_events_topic,
        settings.kafka_dead_letters_topic,
        partitions=partitions or PARTITIONS,
        replication=replication or BROKERS_CHOICE,
    )
    if session.as_json:
        output.json({"topics": [msgspec.structs.asdict(one) for one in made]})
        return
    for one in made:
        session.say("topics.made" if one.made else "topics.there", topic=one.topic, partitions=one.partitions)


def lag(session: Session, json: Json = False) -> None:
    """How far each partition is behind."""
    from tieout.brokers import read_topics, servers

    settings = session.settings
    brokers = servers(settings)
    from consumers.kafka.lag import lag as ask

    found = ask(session.app.ledger, brokers, settings.kafka_cluster, read_topics(settings))
    if session.as_json:
        output.json({"partitions": [msgspec.structs.asdict(one) | {"behind": one.behind} for one in found]})
        return
    if not found:
        session.say("lag.no_topics")
        return
    from tieout.render.amounts import count
    from tieout.render.grid import grid, rows

    table = grid(session.texts, ["topic", "partition", "end", "next", "behind"])
    lines = ((one.topic, one.partition, count(one.end), count(one.next), count(one.behind)) for one in found)
    output.show(rows(table, lines))
    session.say("lag.total", behind=count(sum(one.behind for one in found)))
