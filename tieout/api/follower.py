"""The process that follows the log for a server: in one of its own, since Python computes one thing at a time.

It ends when the server does, however that ends.
"""

import os
import sys

import msgspec

from tieout.api.parent import end_with_parent
from tieout.logging import configure
from tieout.settings import load
from tieout.worker.projecting import project
from tieout.worker.pulse import Pulse
from tieout.worker.running import signals
from tieout.worker.supervising import Supervised

OVERRIDES = "_TIEOUT_SERVE"
"""The environment variable by which a process of a server has what the command line gave."""
PACE_SECONDS = 0.03
"""Between two pages at least: what happens in between costs one transaction and not many."""
STOP_SECONDS = 10.0


def main() -> None:
    """Follow until a signal comes or the parent is gone."""
    end_with_parent()
    settings = load(msgspec.json.decode(os.environ[OVERRIDES], type=dict[str, str]))
    configure(settings.log_level, settings.log_format)

    def work(pulse: Pulse) -> None:
        project(settings, "project", pulse, pace=PACE_SECONDS)

    part = Supervised("project", work)
    with signals() as pipe:
        part.start()
        os.read(pipe, 1)
    part.stop()
    sys.exit(0 if part.join_within(STOP_SECONDS) else 1)


if __name__ == "__main__":
    main()
