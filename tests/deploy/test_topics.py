"""The topics as described are those that the program makes, on a real broker."""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import yaml
from commandline import run
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource

NEEDS_BROKERS = "min.insync.replicas"
"""Not set where there is one broker."""


def test_topics_are_made_as_they_are_described(
    kafka: str, deploy: Path, environment: Callable[[Mapping[str, str]], None]
) -> None:
    described = yaml.safe_load((deploy / "topics.yaml").read_text(encoding="utf-8"))["topics"]
    prefix = uuid4().hex
    names = {one["setting"]: f"{prefix}.{one['name']}" for one in described}
    environment({"TIEOUT_KAFKA_BOOTSTRAP_SERVERS": kafka, **names})
    for _ in range(2):
        ran = run("topics", "--replication", "1")
        assert ran.code == 0, ran.err
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        partitions = {one["name"]: len(one["partitions"]) for one in admin.describe_topics(list(names.values()))}
        configs = admin.describe_configs(
            [ConfigResource("TOPIC", name) for name in names.values()], config_filter="all"
        )
    for one in described:
        name = names[one["setting"]]
        assert partitions[name] == one["partitions"], one["name"]
        found = {key: said["value"] for key, said in configs["topic"][name].items()}
        for key, value in one["config"].items():
            assert key == NEEDS_BROKERS or found[key] == str(value), (one["name"], key)
