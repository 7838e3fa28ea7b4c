"""A part's thread: the part is started again when it has failed, after a wait that grows."""

import threading
from collections.abc import Callable
from time import monotonic
from traceback import extract_tb

import structlog
from eventsourcing.persistence import OperationalError, ProgrammingError

from consumers.kafka.backoff import Backoff
from ledger.errors import LedgerError
from tieout.errors import UserError
from tieout.messages import Texts
from tieout.servers import is_of_kafka, reason
from tieout.worker.pulse import WORKING, Pulse, State, Stopped

log = structlog.get_logger(__name__)

Work = Callable[[Pulse], None]
"""What a part does until it should stop; whatever it raises is a failure."""

STUCK_SECONDS = 600.0
"""After so long a silence a part is taken for dead: longer than a batch or a page takes on the slowest machine."""


class Supervised:
    """One part of a worker."""

    def __init__(
        self, name: str, work: Work, *, restarted: Callable[[], None] = lambda: None, backoff: Backoff | None = None
    ) -> None:
        self.name = name
        self._work, self._restarted, self._backoff = work, restarted, backoff or Backoff()
        self._pulse = Pulse()
        self._thread = threading.Thread(target=self._live, name=f"tieout-{name}", daemon=True)
        self._ended = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Have it stop soon: what it is at is finished."""
        self._pulse.stop()

    def join(self, deadline: float) -> bool:
        """Wait for its end, until an instant of the monotonic clock; whether it ended."""
        self._thread.join(max(0.0, deadline - monotonic()))
        return not self._thread.is_alive()

    def join_within(self, seconds: float) -> bool:
        """Wait for its end for so long; whether it ended."""
        return self.join(monotonic() + seconds)

    @property
    def state(self) -> State:
        """How the part is."""
        return self._pulse.state

    @property
    def is_working(self) -> bool:
        """Whether it does its work, or would if no operator had paused it."""
        return self.state in WORKING and not self.is_dead

    @property
    def is_dead(self) -> bool:
        """Whether only a new process helps: its thread has ended unasked, or has been silent for too long."""
        gone = self._thread.ident is not None and not self._thread.is_alive() and not self._ended
        return gone or self._pulse.silence > STUCK_SECONDS

    def _live(self) -> None:
        while not self._pulse.is_stopping:
            self._pulse.anew(State.STARTING)
            try:
                self._work(self._pulse)
            except Stopped:
                break
            except Exception as error:
                self._failed(error)
        self._pulse.anew(State.STOPPED)
        self._ended = True

    def _failed(self, error: Exception) -> None:
        self._pulse.anew(State.FAILING)
        if self._pulse.is_stopping:
            log.warning("part_failed_at_stop", part=self.name, **_told(error))
            return
        seconds = self._backoff.next()
        log.warning("part_failed", part=self.name, **_told(error), seconds=round(seconds, 3))
        self._restarted()
        self._pulse.rest(seconds)


def _told(error: Exception) -> dict[str, str]:
    """What may be said of an error. The text of one that we do not know may quote a message."""
    kind = type(error).__name__
    if isinstance(error, UserError):
        return {"error": kind, "reason": Texts("en")(error.key, **error.values)}
    if isinstance(error, OperationalError | ProgrammingError | LedgerError) or is_of_kafka(error):
        return {"error": kind, "reason": reason(error)}
    at = extract_tb(error.__traceback__)[-1]
    return {"error": kind, "at": f"{at.filename}:{at.lineno}"}
