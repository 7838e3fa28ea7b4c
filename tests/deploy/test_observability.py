"""Alerts and dashboard: as Prometheus and Grafana take them, over metrics that there are."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from served import served

from tieout.api.kafka_lag import KafkaLag

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "observability"
CASES = Path(__file__).with_name("alerts_test.yaml")
RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
METRIC = r"\b(?:tieout|process)_\w+"
WANTED = {
    *("TieoutLagGrowing", "TieoutProjectionBehind", "TieoutQuarantineOpen", "TieoutPartitionStranded"),
    *(
        "TieoutPartRestarting",
        "TieoutPartDown",
        "TieoutNoProgress",
        "TieoutTrouble",
        "TieoutAbsent",
        "TieoutApiFailing",
    ),
}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a real worker with all its parts tells Prometheus. Its brokers are away, which changes no name."""
    folder = tmp_path_factory.mktemp("worker")
    listen = f"127.0.0.1:{free_port()}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TIEOUT_")} | {
        "TIEOUT_STORE": str(folder / "books.sqlite"),
        "TIEOUT_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "TIEOUT_WORKER_LISTEN": listen,
    }
    tieout = [sys.executable, "-m", "tieout"]
    subprocess.run([*tieout, "init"], env=environment, cwd=folder, check=True, capture_output=True)
    with subprocess.Popen(
        [*tieout, "worker"], env=environment, cwd=folder, stderr=subprocess.PIPE, text=True
    ) as worker:
        try:
            yield answered(f"http://{listen}/metrics", worker)
        finally:
            worker.terminate()
            worker.communicate(timeout=60)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def answered(url: str, by: subprocess.Popen[bytes]) -> str | None:
    deadline = monotonic() + 60
    while by.poll() is None and monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            sleep(0.1)
    return None


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a real API tells Prometheus; of Kafka what it would say of brokers that have nothing."""
    kafka = CollectorRegistry()
    kafka.register(KafkaLag(lambda: ()))
    store = tmp_path_factory.mktemp("api") / "books.sqlite"
    with served(store) as server, server.client() as client:
        return client.get("/metrics").text + generate_latest(kafka).decode()


@pytest.fixture(scope="module")
def series(scraped: str, figures: str) -> set[str]:
    """The names under which the metrics are asked for."""
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    families = (family for text in (scraped, figures) for family in text_string_to_metric_families(text))
    named = {f"{family.name}{suffix}" for family in families for suffix in suffixes.get(family.type, ("",))}
    return {name for name in named if not name.endswith("_created")}


def named(expression: str) -> set[str]:
    return set(re.findall(METRIC, expression))


def grouped(expression: str) -> set[str]:
    """The labels that are left when an expression has been summed up."""
    by = [set(re.findall(r"\w+", labels)) for labels in re.findall(r"\bby \(([^)]*)\)", expression)]
    return set().union(*by)


def labels_in(text: str) -> Iterator[str]:
    yield from re.findall(r"\{\{\s*\$labels\.(\w+)", text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_is_whole(rule: dict[str, Any]) -> None:
    assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Tieout[A-Za-z]+", rule["alert"])
    assert re.fullmatch(r"\d+[smh]", rule["for"])
    assert rule["labels"].keys() == {"severity"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"].keys() == {"summary", "description"}
    assert rule["expr"].count("(") == rule["expr"].count(")")
    said = " ".join(rule["annotations"].values())
    assert said.count("{{") == said.count("}}")
    assert set(labels_in(said)) <= grouped(rule["expr"])


def test_what_has_to_be_noticed_is() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    assert set(names) >= WANTED
    assert set(re.findall(r"\bTieout\w+", CASES.read_text(encoding="utf-8"))) == set(names)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_rules_ask_for_metrics_that_there_are(rule: dict[str, Any], series: set[str]) -> None:
    assert named(rule["expr"])
    assert named(rule["expr"]) <= series


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_panels_ask_for_metrics_that_there_are(title: str, query: str, series: set[str]) -> None:
    assert named(query)
    assert named(query) <= series
    assert query.count("(") == query.count(")")
    # A panel that forgets it mixes several installations.
    assert query.count('{job=~"$job"') == len(re.findall(METRIC, query))


def test_every_metric_of_ours_is_shown(series: set[str]) -> None:
    shown = set().union(*(named(query) for _, query in QUERIES))
    assert {name for name in series if name.startswith("tieout_")} - shown <= {"tieout_kafka_batch_seconds_sum"}


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    assert DASHBOARD["schemaVersion"] >= 39
    assert DASHBOARD["uid"] == "tieout"
    # Grafana gives the number by which a dashboard is stored.
    assert DASHBOARD.get("id") is None
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    variables = {one["name"] for one in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(DASHBOARD)))
    assert variables == used - {"__rate_interval"} == {"datasource", "job"}
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        assert panel["type"] in ("stat", "timeseries", "state-timeline")
        assert panel["datasource"]["uid"] == "${datasource}"
        references = [target["refId"] for target in panel["targets"]]
        assert len(references) == len(set(references))
        for target in panel["targets"]:
            legend = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert legend <= grouped(target["expr"])


def test_panels_do_not_lie_over_one_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells


def test_alerts_are_raised_by_what_they_are_about() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool: it comes with Prometheus")
    for arguments in (("check", "rules", str(FOLDER / "alerts.yaml")), ("test", "rules", str(CASES))):
        done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
