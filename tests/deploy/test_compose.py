"""The compose file: what a container engine would refuse or an operator would trip over."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tieout.api.serving import STOP_SECONDS
from tieout.settings import load

Compose = dict[str, Any]
WORKERS = ("consume", "project", "publish")
OURS = (*WORKERS, "api", "init", "tieout")
KNOWN = {
    *("build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "healthcheck", "image", "init"),
    *("logging", "ports", "profiles", "read_only", "restart", "security_opt", "shm_size", "stop_grace_period", "tmpfs"),
    "volumes",
}
"""The words of the specification that a service here may use: one mistyped is one ignored or refused."""


def test_only_words_of_the_specification_are_used(compose: Compose) -> None:
    assert {key for key in compose if not key.startswith("x-")} == {"name", "services", "volumes"}
    for name, service in compose["services"].items():
        assert service.keys() <= KNOWN, name
        assert service.get("healthcheck", {}).keys() <= {"test", "interval", "timeout", "retries", "start_period"}


def test_who_is_waited_for_is_there_and_can_be_waited_for(compose: Compose) -> None:
    services = compose["services"]
    for service in services.values():
        for awaited, how in service.get("depends_on", {}).items():
            assert how["condition"] in ("service_healthy", "service_completed_successfully")
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[awaited]
            else:
                assert services[awaited]["restart"] == "no"
    for worker in WORKERS:
        assert services[worker]["depends_on"].keys() == {"postgres", "kafka", "init"}


def test_volumes_are_declared_and_used(compose: Compose) -> None:
    used = {mount.partition(":")[0] for service in compose["services"].values() for mount in service.get("volumes", ())}
    assert used == compose["volumes"].keys() == {"postgres", "kafka"}


def test_servers_are_pinned_to_what_is_tested(compose: Compose, deploy: Path) -> None:
    pom = ET.parse(deploy / "kafka" / "pom.xml").getroot()
    versions = {one.findtext("groupId"): one.findtext("version") for one in pom.iter("dependency")}
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{versions['org.apache.kafka']}"
    # The data of 18 and later lie in a folder of this one, and a volume mounted further down is refused.
    assert re.fullmatch(r"postgres:18\.\d+", compose["services"]["postgres"]["image"])
    assert compose["services"]["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]


def test_long_running_services_come_back_and_may_finish(compose: Compose) -> None:
    for name in (*WORKERS, "api", "postgres", "kafka"):
        service = compose["services"][name]
        assert service["restart"] == "unless-stopped", name
        assert service["stop_grace_period"] == "60s", name
        assert service["healthcheck"]["test"][0] == "CMD", name
    assert STOP_SECONDS < 60


def test_workers_may_run_several_times(compose: Compose) -> None:
    for worker in WORKERS:
        assert not compose["services"][worker].keys() & {"container_name", "ports", "volumes"}
        assert compose["services"][worker]["command"] == ["worker", worker]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_rights(name: str, compose: Compose) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_nothing_is_reached_from_other_machines(compose: Compose) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_only_password_is_marked_as_one_for_trying_out(compose: Compose, deploy: Path) -> None:
    text = (deploy / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"PASSWORD:?-?([^}\s]*)\}", text)) == {"local-trial-only"}
    assert compose["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD")


def test_what_may_be_set_is_in_the_example(deploy: Path) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (deploy / "compose.yaml").read_text(encoding="utf-8")))
    example = (deploy / "env.example").read_text(encoding="utf-8")
    assert asked == set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))


def test_the_environment_loads_as_settings(
    compose: Compose,
    defaults: Callable[[str], str],
    settings_names: set[str],
    environment: Callable[[Mapping[str, str]], None],
) -> None:
    for name in OURS:
        given = {key: defaults(str(value)) for key, value in compose["services"][name]["environment"].items()}
        assert given.keys() <= settings_names, name
        environment(given)
        settings = load({})
        assert settings.kafka_bootstrap_servers == "kafka:9092"
        assert settings.worker_listen == ("0.0.0.0:9464" if name in WORKERS else "127.0.0.1:9464")


def test_the_check_of_health_asks_where_the_worker_listens(compose: Compose) -> None:
    for worker in WORKERS:
        service = compose["services"][worker]
        port = service["environment"]["TIEOUT_WORKER_LISTEN"].rpartition(":")[2]
        program = service["healthcheck"]["test"][-1]
        compile(program, "healthcheck", "exec")
        assert f"http://127.0.0.1:{port}/readyz" in program


def test_the_api_listens_where_it_is_published_and_asked(compose: Compose) -> None:
    api = compose["services"]["api"]
    host, _, port = api["environment"]["TIEOUT_API_LISTEN"].rpartition(":")
    assert host == "0.0.0.0"
    assert api["command"] == ["serve"]
    assert api["ports"] == [f"127.0.0.1:{port}:{port}"]
    program = api["healthcheck"]["test"][-1]
    compile(program, "healthcheck", "exec")
    assert f"http://127.0.0.1:{port}/readyz" in program
    assert api["depends_on"].keys() == {"postgres", "init"}


def test_one_follows_the_log_and_not_two(
    compose: Compose, defaults: Callable[[str], str], environment: Callable[[Mapping[str, str]], None]
) -> None:
    given = {key: defaults(str(value)) for key, value in compose["services"]["api"]["environment"].items()}
    environment(given)
    assert load({}).api_follow is False
    assert compose["services"]["project"]["command"] == ["worker", "project"]


def test_the_inbox_of_the_example_is_one(
    compose: Compose, deploy: Path, environment: Callable[[Mapping[str, str]], None]
) -> None:
    example = (deploy / "env.example").read_text(encoding="utf-8")
    given = dict(re.findall(r"^#(TIEOUT_(?:OIDC|INBOXES|API)\w*)=(.*)$", example, re.MULTILINE))
    assert given.keys() <= compose["services"]["api"]["environment"].keys()
    # Compose takes the quotes off.
    environment({name: text.strip("'") for name, text in given.items()})
    settings = load({})
    assert settings.inboxes.keys() == {"stripe"}
    assert (settings.oidc_issuer, settings.oidc_audience) == ("https://login.example.com/", "tieout")
