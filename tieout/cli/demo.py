"""``demo``: a year of a made-up wholesale company, or of real retail documents."""

from pathlib import Path
from typing import Annotated

import typer

from tieout.cli.program import command
from tieout.cli.session import Session
from tieout.errors import NotFound


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "demo")(demo)


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
    from tieout.cli.faults import report
    from tieout.demo.story import run_demo
    from tieout.demo.texts import DemoTexts

    lang = session.texts.lang
    try:
        return run_demo(directory, lang, is_retail=retail, seed=seed, customers=customers)
    except NotFound as missing:
        # What the demo misses it says in words of its own.
        return report(missing, DemoTexts(lang))
