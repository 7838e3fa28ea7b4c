"""Which parts there are, and which of them the settings allow. Apart from the parts, which take long to load."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tieout.errors import UsageFault

if TYPE_CHECKING:
    from tieout.settings import Settings

CONSUME, PROJECT, PUBLISH = "consume", "project", "publish"
PARTS = (CONSUME, PROJECT, PUBLISH)
OF_KAFKA = (CONSUME, PUBLISH)


def check(name: str) -> str:
    """The name of a part; ``UsageFault`` where there is none of that name."""
    if name not in PARTS:
        raise UsageFault("error.part_unknown", name=name, names=", ".join(PARTS))
    return name


def chosen(settings: "Settings", names: Sequence[str]) -> list[str]:
    """The parts named, or without names all that the settings allow; ``UsageFault`` where they do not."""
    allowed = [part for part in PARTS if settings.kafka_bootstrap_servers is not None or part not in OF_KAFKA]
    wanted = [part for part in PARTS if part in {check(name) for name in names}]
    if any(part not in allowed for part in wanted):
        raise UsageFault("error.no_kafka")
    return wanted or allowed
