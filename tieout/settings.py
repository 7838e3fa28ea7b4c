"""Settings: the command line wins over the environment (``TIEOUT_*``), that over a file, that over the defaults.

The file is ``tieout.toml`` in the working directory, or the one that ``--config`` or ``TIEOUT_CONFIG`` names; a store
path in it is relative to the file. It has the names below without the prefix.
"""

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from tieout.clock import microseconds
from tieout.errors import TextKey, UsageFault
from tieout.messages import Lang, match
from tieout.settings_file import PREFIX, read_file


def _language(tag: object) -> object:
    return match(tag) or tag if isinstance(tag, str) else tag


def _instant(text: object) -> object:
    instant = datetime.fromisoformat(text) if isinstance(text, str) else text
    if isinstance(instant, datetime) and instant.tzinfo is None:
        raise ValueError("an instant has an offset")
    return instant


class Settings(BaseSettings):
    """What can be set from outside.

    ``now`` stands still instead of the clock, for tests and demonstrations: an ISO instant with its offset.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    config: Path | None = None
    store: Path = Path("tieout.sqlite")
    book: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")] | None = None
    lang: Annotated[Lang | None, BeforeValidator(_language)] = None
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    log_format: Literal["auto", "json", "console"] = "auto"
    now: Annotated[datetime, Field(strict=True), BeforeValidator(_instant)] | None = None

    @property
    def now_us(self) -> int | None:
        """``now`` as microseconds since 1970 UTC; None means the clock."""
        return None if self.now is None else microseconds(self.now)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, environment, file; no dotenv, no secrets folder."""
        return init_settings, env_settings, _FileSource(settings_cls, {})


class _FileSource(InitSettingsSource):
    """The settings file, found by what the sources before it say."""

    def __call__(self) -> dict[str, Any]:
        return read_file(self.current_state.get("config"))


def load(overrides: Mapping[str, object]) -> Settings:
    """The settings, with what the command line gave; ``UsageFault`` where one of them is wrong."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise _fault(str(wrong["loc"][0]), wrong, given) from None


def _fault(name: str, wrong: Any, given: Mapping[str, object]) -> UsageFault:
    if wrong["type"] == "extra_forbidden":
        return UsageFault("error.setting_unknown", name=name, names=", ".join(sorted(Settings.model_fields)))
    where = f"--{name.replace('_', '-')}" if name in given else f"{PREFIX}{name.upper()}"
    if name not in given and where not in os.environ:
        where = name
    return UsageFault("error.setting_wrong", where=where, value=wrong["input"], rule=TextKey(f"setting.{name}"))
