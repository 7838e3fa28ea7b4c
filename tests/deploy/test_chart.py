"""The chart: values by their schema, and what Helm makes of them."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tieout.api import follower
from tieout.api.serving import STOP_SECONDS
from tieout.settings import load

CHART = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "tieout"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in (CHART / "templates").iterdir()}
EVERYTHING: dict[str, Any] = {
    "image": {"tag": "1.2.3", "pullSecrets": ["registry"]},
    "kafka": {"securityProtocol": "SASL_SSL", "tls": {"caSecret": {"name": "kafka-ca"}}},
    "book": "main",
    "feeds": {
        "billing.invoices": {"book": "main", "adapter": "billing.toml"},
        "stripe": {"book": "main", "adapter": "stripe"},
        "invoices": {"book": "main"},
    },
    "feedFiles": {"billing.toml": '[source]\nname = "billing"\n'},
    "api": {
        "workers": 2,
        "service": {"type": "NodePort", "port": 80},
        "ingress": {
            "enabled": True,
            "className": "nginx",
            "host": "books.example.com",
            "tlsSecret": "books-tls",
            "annotations": {"a": "b"},
        },
        "oidc": {
            "issuer": "https://login.example.com/",
            "audience": "books",
            "jwksUrl": "https://login.example.com/keys",
            "algorithms": "ES256",
            "grantsClaim": "roles",
        },
        "inboxes": {"existingSecret": {"name": "books-inboxes"}},
    },
    "metrics": {
        "serviceMonitor": {"enabled": True},
        "apiServiceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "networkPolicy": {"enabled": True, "metricsFrom": [{"namespaceSelector": {}}], "apiFrom": [{"podSelector": {}}]},
    "serviceAccountName": "books",
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "finance"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "x", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "extraEnv": [{"name": "TIEOUT_LANG", "value": "zh"}],
    "extraVolumes": [{"name": "ca", "secret": {"secretName": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
}
"""Every switch on, every list with something in it."""

WORKERS = ("consume", "project", "publish")
PODS = {f"books-tieout-{name}" for name in (*WORKERS, "api", "init")}
INBOXES = '{"stripe": {"book": "main", "adapter": "stripe", "secret": "whsec_of_a_test"}}'

Rendered = list[dict[str, Any]]
Render = Callable[..., Rendered]


def kinds(resources: Rendered, kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in resources if one["kind"] == kind}


def pods(resources: Rendered) -> dict[str, dict[str, Any]]:
    """The pod of each Deployment and of the job."""
    return {
        one["metadata"]["name"]: one["spec"]["template"] for one in resources if one["kind"] in ("Deployment", "Job")
    }


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def paths(values: Any, above: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """The paths of all leaves."""
    if not isinstance(values, dict) or not values:
        return {above}
    return {path for key, inner in values.items() for path in paths(inner, (*above, key))}


def test_the_values_are_as_their_schema_says() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.validate(VALUES, SCHEMA, cls=jsonschema.Draft7Validator)


def test_the_schema_lets_no_name_through_that_it_does_not_know() -> None:
    def objects(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if part.get("type") == "object" and "properties" in part:
                yield part
            part = list(part.values())
        for inner in part if isinstance(part, list) else ():
            yield from objects(inner)

    found = list(objects(SCHEMA))
    assert len(found) > 20
    for one in found:
        assert one["additionalProperties"] is False, sorted(one["properties"])


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("replicaCount", 2),
        ("logLevel", "loud"),
        ("book", "Main Book"),
        ("kafka.bootstrapServers", "kafka"),
        ("kafka.securityProtocol", "TLS"),
        ("kafka.topics.partitions", 0),
        ("kafka.topics.commands", "tieout commands"),
        ("consume.replicas", -1),
        ("database.existingSecret.name", ""),
        ("feeds", {"t": {"adapter": "stripe"}}),
        ("kafka.cluster", "Main"),
        ("feedFiles", {"tieout.toml": ""}),
        ("api.workers", 0),
        ("api.service.type", "ExternalName"),
        ("api.ingress.enabled", True),
        ("api.ingress.host", "https://books.example.com"),
        ("api.oidc.issuer", "https://login.example.com/"),
        ("api.oidc.jwksUrl", "http://login.example.com/keys"),
        ("api.oidc.algorithms", "HS256"),
        ("api.inboxes.existingSecret.key", ""),
        ("metrics.apiServiceMonitor.existingSecret.name", ""),
        ("networkPolicy.issuerPort", 0),
    ],
)
def test_values_that_would_not_work_are_refused(path: str, wrong: object) -> None:
    values = deepcopy(VALUES)
    *above, last = path.split(".")
    inner = values
    for name in above:
        inner = inner[name]
    inner[last] = wrong
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, SCHEMA, cls=jsonschema.Draft7Validator)


def test_every_value_that_is_used_is_there_and_the_other_way_round() -> None:
    used = {tuple(path.split(".")) for text in TEMPLATES.values() for path in re.findall(r"\.Values\.([\w.]+)", text)}
    there = paths(VALUES)
    for path in used:
        assert any(one[: len(path)] == path for one in there), ".".join(path)
    # `get $.Values $part` takes these, by the names of the parts.
    used |= {(part, name) for part in WORKERS for name in ("enabled", "replicas", "resources")}
    for path in there:
        assert any(path[: len(one)] == one for one in used), ".".join(path)


def test_helm_finds_nothing_wrong(helm: Callable[..., Any]) -> None:
    for values in ({}, EVERYTHING):
        done = helm("lint", "--strict", str(CHART), "--values", "-", text=yaml.safe_dump(values))
        assert done.returncode == 0, done.stdout + done.stderr


def test_helm_refuses_a_value_that_it_does_not_know(helm: Callable[..., Any]) -> None:
    done = helm("template", "books", str(CHART), "--set", "consume.replica=3")
    assert done.returncode != 0
    assert "replica" in done.stderr


def test_a_plain_install_has_the_parts_the_api_and_a_job_before_them(render: Render) -> None:
    resources = render()
    parts = kinds(resources, "Deployment")
    assert {name: one["spec"]["replicas"] for name, one in parts.items()} == {
        "books-tieout-consume": 2,
        "books-tieout-project": 1,
        "books-tieout-publish": 1,
        "books-tieout-api": 2,
    }
    assert parts["books-tieout-publish"]["spec"]["strategy"] == {"type": "Recreate"}
    for name in WORKERS:
        assert containers(parts[f"books-tieout-{name}"]["spec"]["template"])[0]["args"] == ["worker", name]
    assert containers(parts["books-tieout-api"]["spec"]["template"])[0]["args"] == ["serve"]
    job = kinds(resources, "Job")["books-tieout-init"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert [one["args"] for one in containers(job["spec"]["template"])] == [
        ["init"],
        ["topics", "--partitions=12", "--replication=3"],
    ]
    assert {one["kind"] for one in resources} == {"ConfigMap", "Deployment", "Job", "PodDisruptionBudget", "Service"}


def test_the_job_needs_nothing_that_is_installed_after_it(render: Render) -> None:
    resources = render(EVERYTHING)
    pod = pods(resources)["books-tieout-init"]
    assert not any("configMap" in volume for volume in pod["spec"]["volumes"])
    assert "configMapKeyRef" not in json.dumps(pod)
    assert "ServiceAccount" not in {one["kind"] for one in resources}


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["plain", "everything"])
def test_pods_have_no_rights(values: dict[str, Any], render: Render) -> None:
    found = pods(render(values))
    assert found.keys() == PODS
    for pod in found.values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        security = pod["spec"]["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 10001)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= container["resources"].keys()


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["plain", "everything"])
def test_what_is_mounted_is_a_volume_of_the_pod(values: dict[str, Any], render: Render) -> None:
    for pod in pods(render(values)).values():
        volumes = [volume["name"] for volume in pod["spec"]["volumes"]]
        assert len(volumes) == len(set(volumes))
        mounted = {mount["name"] for one in containers(pod) for mount in one["volumeMounts"]}
        assert mounted == set(volumes)


def test_selectors_find_the_pods_they_mean(render: Render) -> None:
    resources = render(EVERYTHING)
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(resources).items()}

    def found(selector: Mapping[str, str]) -> set[str]:
        return {name for name, these in labels.items() if selector.items() <= these.items()}

    for name, one in kinds(resources, "Deployment").items():
        assert found(one["spec"]["selector"]["matchLabels"]) == {name}
    budgets = kinds(resources, "PodDisruptionBudget")
    assert budgets.keys() == {"books-tieout-consume", "books-tieout-api"}
    for name, budget in budgets.items():
        assert found(budget["spec"]["selector"]["matchLabels"]) == {name}
    assert found(kinds(resources, "NetworkPolicy")["books-tieout"]["spec"]["podSelector"]["matchLabels"]) == set(labels)
    service = kinds(resources, "Service")["books-tieout"]
    assert found(service["spec"]["selector"]) == set(labels)
    monitor = kinds(resources, "ServiceMonitor")["books-tieout"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    api = kinds(resources, "Service")["books-tieout-api"]
    assert found(api["spec"]["selector"]) == {"books-tieout-api"}
    monitor = kinds(resources, "ServiceMonitor")["books-tieout-api"]["spec"]
    wanted = monitor["selector"]["matchLabels"].items()
    assert wanted <= api["metadata"]["labels"].items()
    assert not wanted <= service["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == api["spec"]["ports"][0]["name"]


def test_workers_are_asked_where_they_listen(render: Render) -> None:
    found = pods(render())
    for pod in (found[f"books-tieout-{name}"] for name in WORKERS):
        (worker,) = containers(pod)
        (port,) = worker["ports"]
        listen = {one["name"]: one.get("value") for one in worker["env"]}["TIEOUT_WORKER_LISTEN"]
        assert listen == f"0.0.0.0:{port['containerPort']}"
        asked = {name: worker[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert {one["port"] for one in asked.values()} == {port["name"]}
        assert [one["path"] for one in asked.values()] == ["/healthz", "/healthz", "/readyz"]
        assert pod["spec"]["terminationGracePeriodSeconds"] == 60


def test_the_api_is_asked_where_it_listens(render: Render) -> None:
    resources = render(EVERYTHING)
    (api,) = containers(pods(resources)["books-tieout-api"])
    (port,) = api["ports"]
    given = {one["name"]: one.get("value") for one in api["env"]}
    assert given["TIEOUT_API_LISTEN"] == f"0.0.0.0:{port['containerPort']}"
    asked = [api[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert [(one["path"], one["port"]) for one in asked] == [
        ("/healthz", port["name"]),
        ("/healthz", port["name"]),
        ("/readyz", port["name"]),
    ]
    (served,) = kinds(resources, "Service")["books-tieout-api"]["spec"]["ports"]
    assert (served["port"], served["targetPort"]) == (80, port["name"])
    ingress = kinds(resources, "Ingress")["books-tieout-api"]["spec"]
    assert ingress["tls"] == [{"hosts": ["books.example.com"], "secretName": "books-tls"}]
    (rule,) = ingress["rules"]
    assert rule["host"] == "books.example.com"
    assert rule["http"]["paths"][0]["backend"] == {
        "service": {"name": "books-tieout-api", "port": {"name": served["name"]}}
    }


def test_the_api_is_replaced_without_a_gap(render: Render) -> None:
    spec = kinds(render(), "Deployment")["books-tieout-api"]["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    pod = spec["template"]["spec"]
    program, seconds = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    # Requests, then whoever follows the log, and spans that are sent off.
    assert int(seconds) + STOP_SECONDS + follower.STOP_SECONDS + 5 < pod["terminationGracePeriodSeconds"]


def test_the_api_follows_the_log_where_nobody_else_does(render: Render) -> None:
    for projected in (True, False):
        (api,) = containers(pods(render({"project": {"enabled": projected}}))["books-tieout-api"])
        (follows,) = (one["value"] for one in api["env"] if one["name"] == "TIEOUT_API_FOLLOW")
        assert follows == str(not projected).lower()


def test_figures_of_the_api_are_asked_for_with_a_key_and_are_of_the_same_job(render: Render) -> None:
    (endpoint,) = kinds(render(EVERYTHING), "ServiceMonitor")["books-tieout-api"]["spec"]["endpoints"]
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": {"name": "tieout-metrics", "key": "key"}}
    # The operator names a job by its service: for the workers this one.
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "books-tieout"}]


def test_the_network_lets_in_whom_the_values_name(render: Render) -> None:
    def rules(values: Mapping[str, Any]) -> tuple[dict[str, Any], set[Any]]:
        spec = kinds(render(values), "NetworkPolicy")["books-tieout"]["spec"]
        into = {rule["ports"][0]["port"]: rule.get("from") for rule in spec["ingress"]}
        return into, {port["port"] for rule in spec["egress"] for port in rule["ports"]}

    into, out = rules(EVERYTHING)
    assert into == {"metrics": [{"namespaceSelector": {}}], "http": [{"podSelector": {}}]}
    assert out == {53, 5432, 9092, 443}
    into, out = rules({"networkPolicy": {"enabled": True}})
    assert into == {"metrics": None, "http": None}
    assert out == {53, 5432, 9092}
    into, _ = rules({"networkPolicy": {"enabled": True}, "api": {"enabled": False}})
    assert into == {"metrics": None}


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["plain", "everything"])
def test_the_environment_loads_as_settings(
    values: dict[str, Any],
    render: Render,
    settings_names: set[str],
    environment: Callable[[Mapping[str, str]], None],
    tmp_path: Path,
) -> None:
    resources = render(values)
    mounted = tmp_path / "etc"
    mounted.mkdir()
    for name, text in kinds(resources, "ConfigMap")["books-tieout"]["data"].items():
        (mounted / name).write_text(text, encoding="utf-8")
    secret = {
        "TIEOUT_DATABASE_URL": "postgresql://u:p@h/d",
        "TIEOUT_KAFKA_SASL_PASSWORD": "p",
        "TIEOUT_INBOXES": INBOXES,
    }
    for name, pod in pods(resources).items():
        for container in containers(pod):
            given = {one["name"]: one for one in container["env"]}
            assert len(given) == len(container["env"])
            assert given.keys() <= settings_names
            assert {key for key, one in given.items() if "valueFrom" in one} == secret.keys() & given.keys()
            assert ("TIEOUT_KAFKA_SASL_PASSWORD" in given) == bool(values)
            assert ("TIEOUT_INBOXES" in given) == (bool(values) and name == "books-tieout-api")
            plain = {key: one.get("value", secret.get(key)) for key, one in given.items()}
            if "TIEOUT_CONFIG" in plain:
                plain["TIEOUT_CONFIG"] = str(mounted / Path(plain["TIEOUT_CONFIG"]).name)
            environment(plain)
            settings = load({})
            if name == "books-tieout-api":
                wanted = values.get("api", {})
                assert settings.api_workers == wanted.get("workers", 1)
                assert settings.oidc_issuer == wanted.get("oidc", {}).get("issuer")
                assert settings.oidc_grants_claim == wanted.get("oidc", {}).get("grantsClaim", "tieout")
            assert settings.kafka_events_topic == "tieout.events"
            assert settings.feeds.keys() == (values.get("feeds", {}).keys() if "TIEOUT_CONFIG" in plain else set())


def test_feeds_lie_beside_the_settings_file(render: Render) -> None:
    resources = render(EVERYTHING)
    data = kinds(resources, "ConfigMap")["books-tieout"]["data"]
    assert tomllib.loads(data["tieout.toml"]) == {"feeds": EVERYTHING["feeds"]}
    assert tomllib.loads(data["billing.toml"]) == {"source": {"name": "billing"}}
    (worker,) = containers(pods(resources)["books-tieout-consume"])
    mounts = {one["name"]: one["mountPath"] for one in worker["volumeMounts"]}
    (config,) = (one["value"] for one in worker["env"] if one["name"] == "TIEOUT_CONFIG")
    assert config == f"{mounts['config']}/tieout.toml"


def test_a_changed_settings_file_replaces_the_workers(render: Render) -> None:
    sums = {
        pods(render(values))["books-tieout-consume"]["metadata"]["annotations"]["checksum/config"]
        for values in ({}, {"feeds": {"t": {"book": "main", "adapter": "stripe"}}})
    }
    assert len(sums) == 2


def test_a_part_can_be_left_out_and_topics_to_others(render: Render) -> None:
    off = {"enabled": False}
    resources = render({"publish": off, "api": off, "kafka": {"topics": {"create": False}}})
    assert kinds(resources, "Deployment").keys() == {"books-tieout-consume", "books-tieout-project"}
    assert not [one for one in resources if one["metadata"]["name"] == "books-tieout-api"]
    assert [one["args"] for one in containers(pods(resources)["books-tieout-init"])] == [["init"]]


def test_alerts_and_dashboard_are_those_of_the_folder_beside(render: Render, deploy: Path) -> None:
    resources = render(EVERYTHING)
    folder = deploy / "observability"
    rules = kinds(resources, "PrometheusRule")["books-tieout"]["spec"]
    assert rules == yaml.safe_load((folder / "alerts.yaml").read_text(encoding="utf-8"))
    dashboard = kinds(resources, "ConfigMap")["books-tieout-dashboard"]["data"]["tieout.json"]
    assert json.loads(dashboard) == json.loads((folder / "dashboard.json").read_text(encoding="utf-8"))
