"""Errors as people read them: what is wrong and what to do next, on stderr, and the exit code that goes with it.

No text leaves here with a user or a password in it.
"""

import sqlite3
import sys
from typing import Any

import typer

from tieout.cli import output
from tieout.errors import Exit, TextKey, UserError
from tieout.messages import Texts
from tieout.secrets import without_secrets


def report(error: Exception, texts: Texts) -> int:
    """Say what is wrong; the exit code. An error of ours is named as one, and how to see where it happened."""
    if isinstance(error, UserError):
        return _say(texts, error.key, error.exit, **error.values)
    if isinstance(error, typer.TyperException):
        return _usage(error, texts)
    if isinstance(error, typer.Abort):
        return _say(texts, "error.aborted", Exit.FAILED)
    if isinstance(error, OSError) and error.filename is not None:
        return _say(texts, "error.file", Exit.FAILED, path=error.filename, reason=error.strerror)
    return _known(error, texts)


def _known(error: Exception, texts: Texts) -> int:
    """Errors of the packages below; imported here, since most runs end without any."""
    from eventsourcing.persistence import OperationalError

    from ledger.errors import Contention, StoreMissing, StoreOutdated
    from projections.reader import NotFollowed

    if isinstance(error, StoreMissing):
        return _say(texts, "error.store_missing", Exit.NOT_FOUND, reason=error)
    if isinstance(error, StoreOutdated):
        return _say(texts, "error.store_outdated", Exit.FAILED, reason=error)
    if isinstance(error, Contention):
        return _say(texts, "error.contention", Exit.FAILED)
    if isinstance(error, NotFollowed):
        return _say(texts, "error.not_followed", Exit.FAILED, reason=error)
    if isinstance(error, (OperationalError, sqlite3.OperationalError)):
        return _say(texts, "error.database", Exit.FAILED, reason=error)
    return _consumers(error, texts)


def _consumers(error: Exception, texts: Texts) -> int:
    from consumers.problems import ImportFailed, MappingError

    if isinstance(error, MappingError):
        key = "error.mapping" if error.field else "error.mapping_unreadable"
        rule = texts.detail(error.rule)
        return _say(texts, key, Exit.USAGE, field=error.field, value=error.value, rule=rule)
    if isinstance(error, ImportFailed):
        return _say(texts, f"failed.{error.code}", Exit.USAGE, **error.values)
    return _say(texts, "error.unexpected", Exit.FAILED, kind=type(error).__name__, reason=error)


def _usage(error: typer.TyperException, texts: Texts) -> int:
    """A command line that cannot be read. The kinds of error are told apart by name: their classes are typer's own."""
    kind = type(error).__name__
    if kind == "NoArgsIsHelpError":
        output.note(error.format_message())
        return Exit.USAGE
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "tieout"
    key, values = _wording(kind, error)
    return _say(texts, key, Exit.USAGE, command=command, **values)


def _wording(kind: str, error: Any) -> tuple[str, dict[str, str]]:
    parameter = getattr(error, "param", None)
    if parameter is not None:
        name = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
        if kind == "MissingParameter":
            return "usage.missing", {"name": name}
        return "usage.value", {"name": name, "reason": error.message}
    if kind == "NoSuchOption":
        near = ", ".join(sorted(error.possibilities or []))
        return ("usage.no_option_near" if near else "usage.no_option"), {"name": error.option_name, "near": near}
    return "usage.wrong", {"reason": error.format_message()}


def _say(texts: Texts, key: str, code: Exit, **values: object) -> int:
    sys.stdout.flush()
    filled = {name: texts(one) if isinstance(one, TextKey) else _plain(one) for name, one in values.items()}
    output.note(texts("error.said", text=texts(key, **filled)))
    return code


def _plain(value: object) -> object:
    """A value that cannot steer a terminal, and gives nobody away."""
    if isinstance(value, int):
        return value
    return without_secrets("".join(one if one.isprintable() else " " for one in str(value)))
