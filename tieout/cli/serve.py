"""The command that serves the HTTP API."""

from typing import Annotated

import typer

from tieout.cli import output
from tieout.cli.program import command
from tieout.cli.session import Session

Listen = Annotated[str | None, typer.Option("--listen", metavar="HOST:PORT", help="option.listen")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", min=1, max=64, help="option.api_workers")]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    command(app, "serve")(serve)


def serve(session: Session, listen: Listen = None, workers: Workers = None) -> None:
    """Serve the HTTP API until a signal comes."""
    from tieout.api import serving

    settings = session.override(api_listen=listen, api_workers=workers)
    serving.refuse_unservable(settings)
    made = serving.prepare(settings)
    key = serving.first_key_of(settings)

    def started(url: str) -> None:
        if made:
            session.note("serve.store_made", store=settings.location_name)
        if key is not None:
            session.note("serve.first_key")
            output.write(key)
        elif not serving.has_keys(settings):
            session.note("serve.no_key")
        session.note("serve.started", url=url, store=settings.location_name)

    serving.serve(settings, session.overrides, started)
