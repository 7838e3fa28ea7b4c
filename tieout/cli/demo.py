"""``demo``: a year of a made-up wholesale company, or of real retail documents."""

from pathlib import Path
from typing import Annotated

import typer

from tieout.cli.program import command
from tieout.cli.session import Session


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
    from tieout.demo.story import run_demo

    return run_demo(directory, session.texts.lang, is_retail=retail, seed=seed, customers=customers)
