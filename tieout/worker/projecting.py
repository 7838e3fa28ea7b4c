"""Log → projections."""

from time import monotonic

from projections.follow import Follower
from projections.news import News
from tieout.settings import Settings
from tieout.worker.pausing import Pauses
from tieout.worker.pulse import Pulse, State

TURN_SECONDS = 0.5
"""How long to wait for news; so long a stop or a pause may take to be noticed."""
REST_SHARE, MOST_REST_SECONDS = 3, 0.2
"""With a pace: how many times as long as a page took is rested after it, and for how long at most."""


def project(settings: Settings, name: str, pulse: Pulse, *, pace: float = 0.0) -> None:
    """Follow the log until it should stop, a page at a time, ``pace`` seconds at least between two.

    With a pace, whoever writes goes first: the more there is to follow, the longer is rested (``rest_after``), and the
    larger are the pages, which cost less an event.
    """
    location = settings.location
    with Pauses(location, name) as is_paused, News(location) as news, Follower(location) as follower:
        while not pulse.is_stopping:
            if is_paused():
                pulse.says(State.PAUSED)
                pulse.rest(TURN_SECONDS)
                continue
            began = monotonic()
            reached = follower.follow(lambda _done, _head: pulse.goes_on())
            worked = monotonic() - began
            pulse.says(State.RUNNING)
            news.wait(reached, TURN_SECONDS)
            if pace:
                pulse.rest(rest_after(worked, pace))


def rest_after(worked: float, pace: float) -> float:
    """Seconds to rest after a page that took ``worked`` seconds."""
    return min(max(pace, REST_SHARE * worked), MOST_REST_SECONDS)
