"""The settings file, and the language, which must be known before anything else is: help texts are written in it.

Apart from ``settings``, because that takes longer to load than a help text may take to appear.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tieout.errors import UsageFault
from tieout.messages import Lang, from_locale, match

DEFAULT_FILE = Path("tieout.toml")
PREFIX = "TIEOUT_"
STRIPE = "stripe"
"""The adapter that needs no file."""


def read_file(config: Path | str | None) -> dict[str, Any]:
    """The contents of the settings file; nothing where none was named and there is no ``tieout.toml``."""
    path = Path(config) if config else DEFAULT_FILE
    if not path.is_file():
        if config:
            raise UsageFault("error.config_missing", path=path)
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageFault("error.config_unreadable", path=path, reason=error) from None
    _resolve(values, path.parent)
    return values


def _resolve(values: dict[str, Any], folder: Path) -> None:
    """Paths in the file are relative to it."""
    for name in ("store", "kafka_ssl_cafile"):
        # A URL in the wrong place is found out later, as it was written.
        if isinstance(values.get(name), str) and ":/" not in values[name]:
            values[name] = folder / values[name]
    tables = [values.get(name) for name in ("feeds", "inboxes")]
    for feed in (one for table in tables if isinstance(table, dict) for one in table.values()):
        adapter = feed.get("adapter") if isinstance(feed, dict) else None
        if isinstance(adapter, str) and adapter != STRIPE:
            feed["adapter"] = str(folder / adapter)


def choose_language(arguments: Sequence[str], environ: Mapping[str, str] = os.environ) -> Lang:
    """The language: that of ``--lang``, else of ``TIEOUT_LANG``, else of the settings file, else of the locale.

    A wrong value is passed over here and reported when the settings are loaded.
    """
    wanted = _option(arguments, "--lang") or environ.get(f"{PREFIX}LANG") or _of_file(arguments, environ)
    return match(wanted or "") or from_locale(environ)


def _of_file(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    try:
        found = read_file(_option(arguments, "--config") or environ.get(f"{PREFIX}CONFIG")).get("lang")
    except UsageFault:
        return None
    return found if isinstance(found, str) else None


def _option(arguments: Sequence[str], name: str) -> str | None:
    for place, argument in enumerate(arguments):
        if argument == name and place + 1 < len(arguments):
            return arguments[place + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None
