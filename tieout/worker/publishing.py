"""Log → Kafka."""

from contextlib import closing

from consumers.kafka.client import producer
from projections.news import News
from projections.outbound.publisher import Publisher
from tieout.brokers import servers
from tieout.settings import Settings
from tieout.worker.pausing import Pauses
from tieout.worker.projecting import TURN_SECONDS
from tieout.worker.pulse import Pulse, State


def publish(settings: Settings, name: str, pulse: Pulse) -> None:
    """Publish until it should stop, a page at a time."""
    location = settings.location
    with Pauses(location, name) as is_paused, News(location) as news:

        def has_to_stop() -> bool:
            pulse.says(State.RUNNING)
            return pulse.is_stopping or is_paused()

        publisher = Publisher(
            location, lambda: producer(servers(settings)), settings.kafka_events_topic, stopped=has_to_stop
        )
        with closing(publisher):
            head = 0
            while not pulse.is_stopping:
                if is_paused():
                    pulse.says(State.PAUSED)
                    pulse.rest(TURN_SECONDS)
                    continue
                publisher.publish_new()
                pulse.says(State.RUNNING)
                # What comes between the two is beyond the head that was seen before, and so is no longer waited for.
                head = news.wait(head, TURN_SECONDS)
