"""How a command of the command line is declared: help texts by key, and the options that every command takes.

A command is a function whose first parameter is the ``Session``; the others are typer's. It returns an exit code, or
nothing for 0. Help texts are keys of the message table (``help.balance``) and are put into the reader's language once
the program is whole, so that one process can speak both.
"""

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Typer
from typer.core import TyperCommand, TyperGroup

from tieout.cli.session import Session
from tieout.errors import ReaderGone
from tieout.messages import Texts
from tieout.servers import server_fault

_HEADINGS = ("Usage: ", "Options:", "Arguments:", "Commands:")
_FIXED = (*_HEADINGS, "Show this message and exit.", "[default: ", "[required]")


def _option(name: str, kind: Any, *declarations: str, hidden: bool = False, **more: Any) -> inspect.Parameter:
    info = typer.Option(*declarations, help=f"option.{name}", show_default=False, hidden=hidden, **more)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, info]
    )


def _everywhere(*, hidden: bool) -> list[inspect.Parameter]:
    """The options that may stand before and after the command's name; the rarer ones are shown only at the top."""
    return [
        _option("store", Path, "--store", "-s", metavar="FILE"),
        _option("book", str, "--book", "-b", metavar="BOOK"),
        _option("lang", str, "--lang", metavar="zh|en"),
        _option("config", Path, "--config", metavar="FILE", hidden=hidden),
        _option("log_level", str, "--log-level", metavar="LEVEL", hidden=hidden),
        _option("log_format", str, "--log-format", metavar="FORMAT", hidden=hidden),
        _option("debug", bool, "--debug", hidden=hidden),
    ]


EVERYWHERE = tuple(one.name for one in _everywhere(hidden=True))


class Command(TyperCommand):
    """A command whose help has its headings in the reader's language."""

    headings: dict[str, str]

    def get_help(self, ctx: Any) -> str:
        return _in_language(super().get_help(ctx), self.headings)


class Group(TyperGroup):
    """A group of commands, likewise."""

    headings: dict[str, str]

    def get_help(self, ctx: Any) -> str:
        return _in_language(super().get_help(ctx), self.headings)


def group(
    name: str, *, hidden: bool = True, epilog: str | None = None, more: Sequence[inspect.Parameter] = ()
) -> Typer:
    """A new group of commands, empty: ``name`` is the key of its help."""
    app = typer.Typer(
        name=name, cls=Group, help=f"help.{name}", epilog=epilog, no_args_is_help=True, rich_markup_mode=None
    )

    def gather(context: typer.Context, **values: Any) -> None:
        root = context.find_root()
        given = {name: value for name, value in values.items() if name in EVERYWHERE and value is not None}
        root.obj = (root.obj or {}) | given

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    gather.__signature__ = inspect.Signature([context, *_everywhere(hidden=hidden), *more])  # type: ignore[attr-defined]
    app.callback(cls=Group, help=f"help.{name}", epilog=epilog)(gather)
    return app


def command(app: Typer, name: str, *, key: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function as the command ``name``; ``key`` (default: the name) is that of its help."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        app.command(name, cls=Command, help=f"help.{key or name}")(_with_session(function))
        return function

    return register


def _with_session(function: Callable[..., Any]) -> Callable[..., Any]:
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]

    def run(context: typer.Context, **values: Any) -> int:
        overrides = dict(context.find_root().obj or {})
        overrides |= {name: value for name in EVERYWHERE if (value := values.pop(name)) is not None}
        with Session(overrides, as_json=bool(values.get("json"))) as session:
            values.pop("json", None)
            try:
                return int(function(session, **values) or 0)
            except BrokenPipeError:
                # typer would end the process with 1.
                raise ReaderGone from None
            except Exception as error:
                fault = None if overrides.get("debug") else server_fault(error, session.settings)
                if fault is None:
                    raise
                raise fault from error

    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    run.__signature__ = inspect.Signature([context, *own, *_everywhere(hidden=True)])  # type: ignore[attr-defined]
    return run


def root() -> Typer:
    """The program itself, without its commands."""
    version = _option("version", bool, "--version", is_eager=True, callback=_show_version)
    return group("tieout", hidden=False, epilog="help.exit_codes", more=[version])


def _show_version(wanted: bool | None) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"tieout {version('tieout')}")
        raise typer.Exit


def speak(tree: Any, texts: Texts) -> None:
    """Put the help of a command and of everything below it into a language."""
    tree.headings = {english: texts(f"fixed.{english}") for english in _FIXED}
    tree.help = tree.short_help = texts(tree.help)
    if tree.epilog:
        tree.epilog = texts(tree.epilog)
    for parameter in tree.params:
        if getattr(parameter, "help", None):
            # The completion options are typer's own: their key is the English text.
            parameter.help = texts.get(parameter.help, texts.get(f"fixed.{parameter.help}", parameter.help))
    for inner in getattr(tree, "commands", {}).values():
        speak(inner, texts)


def _in_language(text: str, headings: dict[str, str]) -> str:
    for english, translated in headings.items():
        text = text.replace(english, translated)
    return text
