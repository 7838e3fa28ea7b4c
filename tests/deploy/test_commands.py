"""Every command line and every setting that the deployment names is one that the program has."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tieout.settings import Settings
from tieout.worker.parts import PARTS

COMPOSE_ONLY = {"TIEOUT_IMAGE", "TIEOUT_PARTITIONS"}
"""Read by compose, before there is a program."""
FILES = sorted(
    path
    for path in (Path(__file__).resolve().parents[2] / "deploy").rglob("*")
    if path.is_file() and not path.is_symlink() and path.suffix != ".py" and "kafka" not in path.parts
)


def in_compose(compose: dict[str, Any], defaults: Callable[[str], str]) -> Iterator[list[str]]:
    for service in compose["services"].values():
        if service.get("entrypoint"):
            for line in defaults(service["command"][0]).splitlines():
                yield shlex.split(line)[1:]
        elif service["image"].startswith("${TIEOUT_IMAGE") and "command" in service:
            yield service["command"]


def in_readme(text: str) -> Iterator[list[str]]:
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "tieout":
                yield words[1:]
            elif words[:2] == ["docker", "compose"] and words[4:7] == ["run", "--rm", "tieout"]:
                yield words[7:]
            elif words[:1] == ["kubectl"] and "--" in words:
                inside = words[words.index("--") + 1 :]
                assert inside[0] == "tieout"
                yield inside[1 : inside.index("|") if "|" in inside else None]


def in_prose(text: str) -> Iterator[list[str]]:
    """Between backticks."""
    for quoted in re.findall(r"`tieout ([^`]+)`", text):
        yield shlex.split(quoted)


def in_notes(text: str) -> Iterator[list[str]]:
    for line in re.findall(r"^ *\{\{ \$run \}\} (.+)$", text, re.MULTILINE):
        yield shlex.split(line)


def test_every_command_line_is_understood(
    deploy: Path, compose: dict[str, Any], defaults: Callable[[str], str], accepted: Callable[..., bool]
) -> None:
    readme = (deploy / "README.md").read_text(encoding="utf-8")
    found = [
        list(in_compose(compose, defaults)),
        list(in_readme(readme)),
        list(in_prose(readme)),
        list(in_prose((deploy / "observability" / "alerts.yaml").read_text(encoding="utf-8"))),
        list(in_prose((deploy / "topics.yaml").read_text(encoding="utf-8"))),
        list(in_notes((deploy / "helm" / "tieout" / "templates" / "NOTES.txt").read_text(encoding="utf-8"))),
    ]
    assert all(found), "each of them names commands"
    for words in (line for lines in found for line in lines):
        assert accepted(*words), words
        if words[0] in ("worker", "pause", "resume"):
            assert words[1] in PARTS, words


def test_what_is_no_command_is_not_understood(accepted: Callable[..., bool]) -> None:
    assert not accepted("initialise")
    assert not accepted("topics", "--partition-count", "6")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_named_is_one(path: Path, settings_names: set[str]) -> None:
    named = set(re.findall(r"\bTIEOUT_[A-Z_]+\b", path.read_text(encoding="utf-8")))
    assert named <= settings_names | COMPOSE_ONLY


def test_every_setting_of_servers_is_told_and_can_be_made(deploy: Path, settings_names: set[str]) -> None:
    ours = ("DATABASE_", "KAFKA_", "WORKER_", "API_", "OIDC_", "INBOXES")
    wanted = {name for name in settings_names if name.startswith(tuple(f"TIEOUT_{one}" for one in ours))}
    assert len(wanted) >= 24
    chart = "".join(path.read_text(encoding="utf-8") for path in (deploy / "helm" / "tieout" / "templates").iterdir())
    table = (deploy / "README.md").read_text(encoding="utf-8")
    assert not {name for name in wanted if f"| `{name}` |" not in table}
    by_hand = set(re.findall(r"^\| `(\w+)` \|.*\| `extraEnv` \|$", table, re.MULTILINE))
    assert {name for name in wanted if f"name: {name}\n" not in chart} == by_hand


def test_topics_of_the_program_and_of_the_chart_are_the_ones_described(deploy: Path) -> None:
    topics = {one["setting"]: one for one in yaml.safe_load((deploy / "topics.yaml").read_text("utf-8"))["topics"]}
    values = yaml.safe_load((deploy / "helm" / "tieout" / "values.yaml").read_text("utf-8"))["kafka"]["topics"]
    fields = {f"TIEOUT_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    assert topics.keys() == {name for name in fields if name.endswith("_TOPIC")}
    assert {name: one["name"] for name, one in topics.items()} == {name: fields[name] for name in topics}
    assert [one["name"] for one in topics.values()] == [values["commands"], values["events"], values["deadLetters"]]
    commands = topics["TIEOUT_KAFKA_COMMANDS_TOPIC"]
    assert (commands["partitions"], commands["replication"]) == (values["partitions"], values["replication"])


def test_the_image_is_not_root_and_is_the_user_of_the_chart(deploy: Path) -> None:
    image = (deploy / "Containerfile").read_text(encoding="utf-8")
    chart = (deploy / "helm" / "tieout" / "templates" / "_helpers.tpl").read_text(encoding="utf-8")
    uid = re.search(r"useradd --uid (\d+)", image)
    assert uid is not None
    assert f"runAsUser: {uid[1]}\n" in chart
    assert re.findall(r"^USER (.+)$", image, re.MULTILINE)[-1] == "tieout"
    # Whoever runs the container asks: a check inside the image would ask SQLite's users for a worker they have not.
    assert "HEALTHCHECK" not in image
