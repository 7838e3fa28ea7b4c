"""Settings: the command line wins over the environment (``TIEOUT_*``), that over a file, that over the defaults.

The file is ``tieout.toml`` in the working directory, or the one that ``--config`` or ``TIEOUT_CONFIG`` names. Paths in
it are relative to the file. It has the names below without the prefix.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from ledger.database import Location
from tieout.api.addresses import is_protected
from tieout.clock import microseconds
from tieout.errors import TextKey, UsageFault
from tieout.messages import Lang, match
from tieout.secrets import HIDDEN, is_any_url, is_postgres_url
from tieout.settings_file import PREFIX, read_file


def _language(tag: object) -> object:
    return match(tag) or tag if isinstance(tag, str) else tag


def _instant(text: object) -> object:
    instant = datetime.fromisoformat(text) if isinstance(text, str) else text
    if isinstance(instant, datetime) and instant.tzinfo is None:
        raise ValueError("an instant has an offset")
    return instant


def _no_url(path: object) -> object:
    if is_any_url(str(path)):
        raise ValueError("a store is a file; a server's URL is a setting of its own")
    return path


def _postgres(url: SecretStr) -> SecretStr:
    if not is_postgres_url(url.get_secret_value()):
        raise ValueError("not a PostgreSQL URL")
    return url


def _issuer_url(url: str) -> str:
    if not is_protected(url):
        raise ValueError("what is not encrypted may only be on this machine")
    return url


BookId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Topic = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
Servers = Annotated[str, StringConstraints(pattern=r"^[^\s,@/]+:\d+(,[^\s,@/]+:\d+)*$")]
Listen = Annotated[str, StringConstraints(pattern=r"^([^\s@/]+:\d{1,5})?$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
IssuerUrl = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_issuer_url)]
# All with a public key: none, and HS256 with its shared secret, are not among them.
_SIGNED = "RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA|Ed25519"
Algorithms = Annotated[str, StringConstraints(pattern=rf"^({_SIGNED})(,({_SIGNED}))*$")]


class FeedSettings(BaseModel, frozen=True, extra="forbid"):
    """A further topic that is read: the book that it is for, and what reads it.

    ``adapter``: ``stripe``, or the path of a feed file; without one the messages are commands by our own contracts.
    """

    book: BookId
    adapter: str | None = None


class InboxSettings(BaseModel, frozen=True, extra="forbid"):
    """An inbox for signed webhooks: the book that it is for, what reads them, and the secret that they are signed with."""

    book: BookId
    adapter: str
    secret: Annotated[SecretStr, Field(min_length=8)]


class Settings(BaseSettings):
    """What can be set from outside.

    ``now`` stands still instead of the clock, for tests and demonstrations: an ISO instant with its offset.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    config: Path | None = None
    store: Annotated[Path, BeforeValidator(_no_url)] = Path("tieout.sqlite")
    database_url: Annotated[SecretStr, AfterValidator(_postgres)] | None = None
    book: BookId | None = None
    lang: Annotated[Lang | None, BeforeValidator(_language)] = None
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    log_format: Literal["auto", "json", "console"] = "auto"
    kafka_bootstrap_servers: Servers | None = None
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_sasl_username: Name | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: Path | None = None
    kafka_cluster: BookId = "main"
    kafka_group: Name = "tieout"
    kafka_commands_topic: Topic = "tieout.commands"
    kafka_events_topic: Topic = "tieout.events"
    kafka_dead_letters_topic: Topic = "tieout.commands.dead"
    feeds: dict[Topic, FeedSettings] = Field(default_factory=dict)
    inboxes: dict[BookId, InboxSettings] = Field(default_factory=dict)
    worker_listen: Listen = "127.0.0.1:9464"
    api_listen: Annotated[str, StringConstraints(pattern=r"^[^\s@/]+:\d{1,5}$")] = "127.0.0.1:8420"
    api_workers: Annotated[int, Field(ge=1, le=64)] = 1
    api_body_bytes: Annotated[int, Field(ge=1_000)] = 1 << 20
    api_bulk_bytes: Annotated[int, Field(ge=1_000)] = 1 << 28
    api_follow: bool = True
    oidc_issuer: IssuerUrl | None = None
    oidc_audience: Name | None = None
    oidc_jwks_url: IssuerUrl | None = None
    oidc_algorithms: Algorithms = "RS256,ES256,EdDSA"
    oidc_grants_claim: Name = "tieout"
    now: Annotated[datetime, Field(strict=True), BeforeValidator(_instant)] | None = None

    @property
    def location(self) -> Location:
        """Where the store is: the URL of a database, which is a secret, or a path."""
        return self.store if self.database_url is None else self.database_url.get_secret_value()

    @property
    def location_name(self) -> str:
        """Where the store is, as it may be shown: without user, password and options."""
        from ledger.database import database

        return database(self.location).name

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


SECRET = ("database_url", "kafka_sasl_password", "inboxes")
TABLES = ("feeds", "inboxes")


def load(overrides: Mapping[str, object]) -> Settings:
    """The settings, with what the command line gave; ``UsageFault`` where one of them is wrong."""
    given = {name: value for name, value in overrides.items() if value is not None}
    forced: dict[str, object] = {}
    if "store" in given:
        # Who names a file on the command line means that file.
        forced["database_url"] = None
    if os.environ.get(f"{PREFIX}WORKER_LISTEN") == "":
        # Of other settings an empty one counts as absent; here it says: nowhere.
        forced["worker_listen"] = ""
    try:
        return Settings(**(forced | given))  # type: ignore[arg-type]
    except SettingsError:
        # Only tables are read as JSON from the environment, and which of them is wrong the error does not say.
        name = next(one for one in TABLES if not _is_table(os.environ.get(f"{PREFIX}{one.upper()}", "{}")))
        where = f"{PREFIX}{name.upper()}"
        value = HIDDEN if name in SECRET else os.environ.get(where)
        raise UsageFault("error.setting_wrong", where=where, value=value, rule=TextKey(f"setting.{name}")) from None
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        raise _fault(str(wrong["loc"][0]), wrong, given) from None


def _is_table(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _fault(name: str, wrong: Any, given: Mapping[str, object]) -> UsageFault:
    if wrong["type"] == "extra_forbidden" and len(wrong["loc"]) == 1:
        return UsageFault("error.setting_unknown", name=name, names=", ".join(sorted(Settings.model_fields)))
    option = name.removeprefix("api_").replace("_", "-")
    where = f"--{option}" if name in given else f"{PREFIX}{name.upper()}"
    if name not in given and where not in os.environ:
        where = ".".join(map(str, wrong["loc"])) if name in TABLES else name
    value = wrong["input"]
    if name in SECRET or is_any_url(str(value)):
        value = HIDDEN
    return UsageFault("error.setting_wrong", where=where, value=value, rule=TextKey(f"setting.{name}"))
