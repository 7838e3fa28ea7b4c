"""``demo``: a year of a made-up wholesale company, or of real retail documents; ``demo-feed``: messages for Kafka."""

from pathlib import Path
from typing import Annotated

import typer

from tieout.cli import output
from tieout.cli.program import command
from tieout.cli.session import Session


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    command(app, "demo")(demo)
    command(app, "demo-feed")(demo_feed)


def demo(
    session: Session,
    retail: Annotated[bool, typer.Option("--retail", help="option.retail")] = False,
    directory: Annotated[Path, typer.Option("--directory", metavar="FOLDER", help="option.directory")] = Path(
        ".tieout-demo"
    ),
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="option.seed")] = 1,
    customers: Annotated[int, typer.Option("--customers", min=1, metavar="N", help="option.customers")] = 200,
) -> int:
    """Play the demo in a folder of its own; the settings' store is left alone."""
    from tieout.demo.story import run_demo

    return run_demo(directory, session.texts.lang, is_retail=retail, seed=seed, customers=customers)


def demo_feed(
    session: Session,
    messages: Annotated[int, typer.Option("--messages", min=1, metavar="N", help="option.messages")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="option.feed_seed")] = 1,
    currency: Annotated[str, typer.Option("--currency", "-c", metavar="CODE", help="option.feed_currency")] = "CNY",
) -> None:
    """Send made-up billing events to the topic of the commands."""
    from tieout.brokers import servers

    settings = session.settings
    brokers = servers(settings)
    from tieout.demo import feed
    from tieout.demo.sending import send

    made = feed.messages(seed, messages, book=settings.book or "main", currency=currency)
    with output.bar(session.texts("word.sending"), session.texts("unit.messages")) as bar:
        sent = send(brokers, settings.kafka_commands_topic, made, lambda done: bar and bar(done, messages))
    session.say("demo_feed.sent", count=f"{sent:,}", topic=settings.kafka_commands_topic)
