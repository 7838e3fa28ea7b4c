"""Garbage collection for a process that books all day: what it has loaded is not looked through again and again."""

import gc

_THRESHOLDS = (50_000, 20, 50)
"""A batch makes some thousand objects at once, and sets off dozens of collections that find nothing: without them a
message from Kafka takes a fifth less of the processor's time."""


def spare_collections() -> None:
    """Call it once, when everything is loaded: modules and the like live as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
