"""Settings: option over environment over file over default, and clear errors."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tieout import brokers
from tieout.api.access import access
from tieout.errors import NotFound, UsageFault
from tieout.settings import load
from tieout.settings_file import choose_language


@pytest.fixture(autouse=True)
def _alone(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIEOUT_NOW")


def test_without_anything_there_are_defaults() -> None:
    settings = load({})
    assert (settings.store, settings.book, settings.lang) == (Path("tieout.sqlite"), None, None)
    assert (settings.log_level, settings.log_format, settings.now_us) == ("warning", "auto", None)


def test_an_option_wins_over_the_environment_and_that_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tieout.toml").write_text('book = "file"\nlang = "zh"\nlog_level = "info"\n')
    monkeypatch.setenv("TIEOUT_BOOK", "environment")
    monkeypatch.setenv("TIEOUT_LOG_LEVEL", "error")
    settings = load({"log_level": "debug", "book": None})
    assert (settings.book, settings.lang, settings.log_level) == ("environment", "zh", "debug")


def test_a_store_in_a_file_lies_beside_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "own.toml").write_text('store = "books.sqlite"\n')
    assert load({"config": folder / "own.toml"}).store == folder / "books.sqlite"


def test_the_environment_names_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("own.toml").write_text('book = "own"\n')
    monkeypatch.setenv("TIEOUT_CONFIG", "own.toml")
    assert load({}).book == "own"


def test_now_is_an_instant_in_microseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_NOW", "2026-06-30T12:00:00.000001+08:00")
    settings = load({})
    assert settings.now == datetime(2026, 6, 30, 4, 0, 0, 1, tzinfo=UTC)
    assert settings.now_us == 1_782_792_000_000_001


@pytest.mark.parametrize("language", ["zh", "zh_CN.UTF-8", "ZH-hans"])
def test_a_language_may_be_any_tag_of_it(language: str) -> None:
    assert load({"lang": language}).lang == "zh"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lang", "fr"),
        ("book", "Main Book"),
        ("log_level", "loud"),
        ("log_format", "xml"),
        ("now", "2026-06-30T12:00:00"),
        ("store", "sqlite:///x"),
        ("kafka_bootstrap_servers", "localhost"),
        ("kafka_bootstrap_servers", "user@localhost:9092"),
        ("kafka_security_protocol", "TLS"),
        ("kafka_sasl_mechanism", "plain"),
        ("kafka_cluster", "Main"),
        ("kafka_commands_topic", "a topic"),
        ("kafka_events_topic", "a:topic"),
        ("kafka_dead_letters_topic", "a/topic"),
        ("worker_listen", "9464"),
        ("oidc_issuer", "http://issuer.example"),
        ("oidc_issuer", "https://li:password@issuer.example"),
        ("oidc_jwks_url", "issuer.example/keys"),
        ("oidc_algorithms", "none"),
        ("oidc_algorithms", "RS256,HS256"),
        ("oidc_audience", "x" * 201),
        ("oidc_grants_claim", "x" * 201),
    ],
)
def test_a_wrong_setting_is_named_where_it_was_made(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault) as by_option:
        load({name: value})
    assert by_option.value.values["where"] == f"--{name.replace('_', '-')}"
    monkeypatch.setenv(f"TIEOUT_{name.upper()}", value)
    with pytest.raises(UsageFault) as by_environment:
        load({})
    assert by_environment.value.values["where"] == f"TIEOUT_{name.upper()}"
    assert by_environment.value.values["rule"] == f"setting.{name}"
    monkeypatch.delenv(f"TIEOUT_{name.upper()}")
    Path("tieout.toml").write_text(f'{name} = "{value}"\n')
    with pytest.raises(UsageFault) as by_file:
        load({})
    assert by_file.value.values["where"] == name


def test_a_database_wins_over_a_store_but_not_over_one_named_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TIEOUT_STORE", "other.sqlite")
    assert load({}).location == Path("other.sqlite")
    monkeypatch.setenv("TIEOUT_DATABASE_URL", "postgresql://u:p%40ss@h:5433/d?sslmode=require")
    assert load({}).location == "postgresql://u:p%40ss@h:5433/d?sslmode=require"
    assert load({}).location_name == "postgresql://h:5433/d"
    assert load({"store": Path("typed.sqlite")}).location == Path("typed.sqlite")


def test_all_of_it_can_stand_in_a_file_and_paths_are_relative_to_that(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "own.toml").write_text(
        """
        database_url = "postgresql://h/d"
        kafka_bootstrap_servers = "a:1,[::1]:2"
        kafka_security_protocol = "SASL_SSL"
        kafka_sasl_mechanism = "SCRAM-SHA-512"
        kafka_sasl_username = "u"
        kafka_sasl_password = "p"
        kafka_ssl_cafile = "ca.pem"
        worker_listen = "[::]:9464"
        [feeds."stripe.events"]
        book = "main"
        adapter = "stripe"
        [feeds.shop]
        book = "shop"
        adapter = "feeds/shop.toml"
        [feeds.own]
        book = "main"
        """
    )
    settings = load({"config": folder / "own.toml"})
    assert settings.location == "postgresql://h/d"
    assert settings.kafka_ssl_cafile == folder / "ca.pem"
    assert {topic: one.adapter for topic, one in settings.feeds.items()} == {
        "stripe.events": "stripe",
        "shop": str(folder / "feeds/shop.toml"),
        "own": None,
    }
    assert brokers.read_topics(settings) == ["tieout.commands", "stripe.events", "shop", "own"]
    (folder / "ca.pem").write_text("")
    assert brokers.servers(settings).options == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(folder / "ca.pem"),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "u",
        "sasl_plain_password": "p",
    }


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ('[feeds.shop]\nadapter = "stripe"\n', "feeds.shop.book"),
        ('[feeds."a b"]\nbook = "main"\n', "feeds.a b.[key]"),
        ('[feeds.shop]\nbook = "main"\nfile = "x"\n', "feeds.shop.file"),
        ('feeds = "shop"\n', "feeds"),
    ],
)
def test_a_wrong_feed_is_named_by_its_place(wrong: str, where: str) -> None:
    Path("tieout.toml").write_text(wrong)
    with pytest.raises(UsageFault) as fault:
        load({})
    assert (fault.value.values["where"], fault.value.values["rule"]) == (where, "setting.feeds")


def test_feeds_of_the_environment_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIEOUT_FEEDS", '{"shop": {"book": "main"}}')
    assert load({}).feeds["shop"].book == "main"
    monkeypatch.setenv("TIEOUT_FEEDS", "shop")
    with pytest.raises(UsageFault, match=r"error\.setting_wrong"):
        load({})


def test_a_worker_listens_nowhere_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load({}).worker_listen == "127.0.0.1:9464"
    monkeypatch.setenv("TIEOUT_WORKER_LISTEN", "")
    assert load({}).worker_listen == ""
    monkeypatch.setenv("TIEOUT_BOOK", "")
    assert load({}).book is None


def test_how_to_log_in_to_kafka_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageFault, match=r"error\.no_kafka"):
        brokers.servers(load({}))
    monkeypatch.setenv("TIEOUT_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")
    assert brokers.servers(load({})).options == {"security_protocol": "PLAINTEXT"}
    monkeypatch.setenv("TIEOUT_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    with pytest.raises(UsageFault, match=r"error\.kafka_login"):
        brokers.servers(load({}))
    monkeypatch.setenv("TIEOUT_KAFKA_SSL_CAFILE", "none.pem")
    with pytest.raises(NotFound, match=r"error\.file_missing"):
        brokers.servers(load({}))


def test_an_unknown_entry_of_the_file_is_named() -> None:
    Path("tieout.toml").write_text('stoer = "x"\n')
    with pytest.raises(UsageFault) as fault:
        load({})
    assert fault.value.key == "error.setting_unknown"
    assert fault.value.values["name"] == "stoer"


def test_a_file_that_is_not_toml_is_said_to_be_none() -> None:
    Path("tieout.toml").write_text("store: x\n")
    with pytest.raises(UsageFault, match=r"error\.config_unreadable"):
        load({})


def test_a_named_file_must_be_there() -> None:
    with pytest.raises(UsageFault, match=r"error\.config_missing"):
        load({"config": Path("none.toml")})


def test_the_language_is_that_of_option_environment_file_locale_in_this_order() -> None:
    locale = {"LANG": "zh_CN.UTF-8"}
    assert choose_language([], locale) == "zh"
    Path("tieout.toml").write_text('lang = "en"\n')
    assert choose_language([], locale) == "en"
    assert choose_language([], locale | {"TIEOUT_LANG": "zh"}) == "zh"
    assert choose_language(["balance", "--lang", "en"], locale | {"TIEOUT_LANG": "zh"}) == "en"
    assert choose_language(["--lang=zh"], {}) == "zh"


def test_a_language_that_we_have_not_is_passed_over_until_settings_are_loaded() -> None:
    assert choose_language(["--lang", "fr"], {"LANG": "zh"}) == "zh"


def test_an_issuer_needs_an_audience() -> None:
    assert access(load({}))._tokens is None
    issuer = "https://issuer.example"
    with pytest.raises(UsageFault, match=r"error\.oidc_audience"):
        access(load({"oidc_issuer": issuer}))
    assert access(load({"oidc_issuer": issuer, "oidc_audience": "books"}))._tokens is not None
