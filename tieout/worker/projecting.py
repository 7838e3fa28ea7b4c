"""Log → projections."""

from projections.follow import Follower
from projections.news import News
from tieout.settings import Settings
from tieout.worker.pausing import Pauses
from tieout.worker.pulse import Pulse, State

TURN_SECONDS = 0.5
"""How long to wait for news; so long a stop or a pause may take to be noticed."""


def project(settings: Settings, name: str, pulse: Pulse, *, pace: float = 0.0) -> None:
    """Follow the log until it should stop, a page at a time, ``pace`` seconds at least between two."""
    location = settings.location
    with Pauses(location, name) as is_paused, News(location) as news, Follower(location) as follower:
        while not pulse.is_stopping:
            if is_paused():
                pulse.says(State.PAUSED)
                pulse.rest(TURN_SECONDS)
                continue
            reached = follower.follow(lambda _done, _head: pulse.goes_on())
            pulse.says(State.RUNNING)
            news.wait(reached, TURN_SECONDS)
            if pace:
                pulse.rest(pace)
