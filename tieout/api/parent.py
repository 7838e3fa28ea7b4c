"""Processes of a server end with it: one that was left over would hold the port, and serve on with nobody to stop it."""

import os
import signal
import sys
import threading
from time import sleep

LOOK_SECONDS = 0.5


def end_with_parent() -> None:
    """From now on end this process when its parent has gone."""
    threading.Thread(target=_watch, name="tieout-parent", args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)
